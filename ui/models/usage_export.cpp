// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/usage_export.h"

#include <QDateTime>
#include <QSaveFile>

#include "core/api/tenant_protocol.h"
#include "ui/models/format.h"

namespace espalier::ui {

QString usageCsv(const Json& usage) {
    QString csv = QStringLiteral("tenant,from,requests,refused,prompt_tokens,cached_tokens,generated_tokens\r\n");
    for (const Json& entry : usage) {
        const auto row = usageFromJson(entry);
        if (!row) continue;
        const QDateTime from = QDateTime::fromMSecsSinceEpoch(row->hour, Qt::UTC);
        csv += QStringLiteral("%1,%2,%3,%4,%5,%6,%7\r\n")
                   .arg(text(row->tenant), from.toString(QStringLiteral("yyyy-MM-dd'T'HH:mm'Z'")))
                   .arg(row->requests)
                   .arg(row->refused)
                   .arg(row->promptTokens)
                   .arg(row->cachedTokens)
                   .arg(row->generatedTokens);
    }
    return csv;
}

Result<void> saveUsage(const QString& path, const Json& usage) {
    const bool isJson = path.endsWith(QLatin1String(".json"), Qt::CaseInsensitive);
    const QByteArray bytes = isJson ? QByteArray::fromStdString(dumpJson(usage, 2) + "\n") : usageCsv(usage).toUtf8();
    QSaveFile file(path);
    if (file.open(QIODevice::WriteOnly) && file.write(bytes) == bytes.size() && file.commit()) return {};
    return fail(ErrorCode::IoError, "writing " + path.toStdString() + ": " + file.errorString().toStdString(),
                path.toStdString());
}

}  // namespace espalier::ui
