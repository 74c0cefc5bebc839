// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/chat_export.h"

#include <array>
#include <string_view>

namespace espalier::ui {
namespace {

constexpr std::array<std::string_view, 3> kBeyondOpenAi{"top_k", "min_p", "repetition_penalty"};

QString shellQuoted(QString text) {
    return QLatin1Char('\'') + text.replace(QLatin1Char('\''), QStringLiteral("'\\''")) + QLatin1Char('\'');
}

// JSON is Python but for its three words; strings are the same but for characters Python has no trouble with.
QString pythonLiteral(const Json& value) {
    if (value.is_boolean()) return value.get<bool>() ? QStringLiteral("True") : QStringLiteral("False");
    if (value.is_null()) return QStringLiteral("None");
    if (value.is_array()) {
        QStringList items;
        for (const Json& item : value) items << pythonLiteral(item);
        return QLatin1Char('[') + items.join(QStringLiteral(", ")) + QLatin1Char(']');
    }
    if (value.is_object()) {
        QStringList items;
        for (const auto& [key, item] : value.items())
            items << QStringLiteral("%1: %2").arg(QString::fromStdString(dumpJson(key)), pythonLiteral(item));
        return QLatin1Char('{') + items.join(QStringLiteral(", ")) + QLatin1Char('}');
    }
    return QString::fromStdString(dumpJson(value));
}

}  // namespace

QString asCurl(const ChatRequest& request, const DaemonAddress& address) {
    QString command;
    if (!address.keyFile.isEmpty())
        command = QStringLiteral(": \"${ESPALIER_KEY:=$(cat %1)}\"\n").arg(shellQuoted(address.keyFile));
    const QString url = shellQuoted(address.url.toString() + QStringLiteral("/v1/chat/completions"));
    const QString body = shellQuoted(QString::fromStdString(dumpJson(request.toJson(true))));
    const QString trusted = address.certificateFile.isEmpty()
                                ? QString()
                                : QStringLiteral("--cacert ") + shellQuoted(address.certificateFile) + QLatin1Char(' ');
    command += QStringLiteral("curl -N ") + trusted + url +
               QStringLiteral(
                   " \\\n  -H \"Authorization: Bearer $ESPALIER_KEY\" \\\n"
                   "  -H 'Content-Type: application/json' \\\n  -d ") +
               body + QLatin1Char('\n');
    return command;
}

QString asPython(const ChatRequest& request, const DaemonAddress& address) {
    Json body = request.toJson(true), extra = Json::object();
    for (const std::string_view key : kBeyondOpenAi) {
        const auto found = body.find(key);
        if (found == body.end()) continue;
        extra[std::string(key)] = *found;
        body.erase(found);
    }
    QString code;
    if (!address.keyFile.isEmpty())
        code += QStringLiteral("# export ESPALIER_KEY=\"$(cat %1)\"\n").arg(shellQuoted(address.keyFile));
    if (!address.certificateFile.isEmpty())
        code += QStringLiteral("# export SSL_CERT_FILE=%1\n").arg(shellQuoted(address.certificateFile));
    code += QStringLiteral(
                "import os\n\nfrom openai import OpenAI\n\nclient = OpenAI(base_url=%1, "
                "api_key=os.environ[\"ESPALIER_KEY\"])\nanswer = client.chat.completions.create(\n")
                .arg(pythonLiteral((address.url.toString() + QStringLiteral("/v1")).toStdString()));
    for (const auto& [key, value] : body.items())
        code += QStringLiteral("    ") + QString::fromStdString(key) + QLatin1Char('=') + pythonLiteral(value) +
                QStringLiteral(",\n");
    if (!extra.empty()) code += QStringLiteral("    extra_body=") + pythonLiteral(extra) + QStringLiteral(",\n");
    code += QStringLiteral(
        ")\nfor chunk in answer:\n    if chunk.choices:\n"
        "        print(chunk.choices[0].delta.content or \"\", end=\"\", flush=True)\nprint()\n");
    return code;
}

}  // namespace espalier::ui
