// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/sample_maker.h"

#include <QDir>
#include <QStandardPaths>

#include "ui/bridge/daemon_launcher.h"

namespace espalier::ui {

SampleMaker::~SampleMaker() {
    if (!m_process) return;
    m_process->disconnect(this);
    m_process->kill();
    m_process->waitForFinished();
}

QString SampleMaker::usualFolder() {
    return QDir(QStandardPaths::writableLocation(QStandardPaths::GenericDataLocation))
        .filePath(QStringLiteral("espalier/sample"));
}

void SampleMaker::make(const QString& folder) {
    if (m_process) return;
    m_process = std::make_unique<QProcess>();
    connect(m_process.get(), &QProcess::errorOccurred, this, [this, folder](QProcess::ProcessError error) {
        // Whatever else goes wrong is told when it ends.
        if (error == QProcess::FailedToStart) end(folder, m_process->errorString());
    });
    connect(m_process.get(), &QProcess::finished, this, [this, folder](int code, QProcess::ExitStatus status) {
        const QString said = QString::fromUtf8(m_process->readAllStandardError()).trimmed();
        if (status == QProcess::CrashExit)
            end(folder, tr("espalierctl ended before it was done: %1").arg(m_process->errorString()));
        else
            end(folder, code == 0 ? QString() : said.isEmpty() ? tr("espalierctl ended with %1").arg(code) : said);
    });
    emit runningChanged();
    m_process->start(espalierctlPath(), {QStringLiteral("sample"), folder});
}

void SampleMaker::end(const QString& folder, const QString& why) {
    m_process.release()->deleteLater();
    emit runningChanged();
    if (why.isEmpty())
        emit made(folder);
    else
        emit failed(fail(ErrorCode::Internal, why.toStdString(), folder.toStdString()));
}

}  // namespace espalier::ui
