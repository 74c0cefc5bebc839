// SPDX-License-Identifier: GPL-3.0-or-later
// What tests of the command line stand on: the real espalierctl on a temporary workspace, and a daemon of it.
#pragma once

#include <signal.h>

#include <QDir>
#include <QFile>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>
#include <memory>
#include <vector>

#include "core/base/json.h"
#include "tests/support/tiny_model.h"

namespace espalier::test {

inline constexpr int kPatienceMs = 120000;

struct Outcome {
    int exitCode = -1;
    QByteArray out, err;
    Json json() const {
        auto parsed = parseJson({out.constData(), static_cast<std::size_t>(out.size())}, "stdout");
        return parsed ? *parsed : Json();
    }
    std::vector<Json> lines() const {
        std::vector<Json> list;
        for (const QByteArray& line : out.split('\n'))
            if (!line.isEmpty()) list.push_back(Json::parse(line.toStdString(), nullptr, false));
        return list;
    }
};

// A workspace folder and the program on it.
class Bench {
public:
    explicit Bench(const TinyModelOptions& model = {}) {
        QDir().mkpath(path("models"));
        writeTinyModel(path("models/tiny").toStdString(), model);
    }

    QString path(const QString& name) const { return QDir(m_folder.path()).filePath(name); }
    QString workspace() const { return path("workspace"); }
    void write(const QString& name, const QByteArray& content) const {
        QFile file(path(name));
        if (!file.open(QIODevice::WriteOnly)) qFatal("cannot write %s", qPrintable(name));
        file.write(content);
    }

    std::unique_ptr<QProcess> start(const QStringList& arguments) const {
        auto process = std::make_unique<QProcess>();
        process->start(QStringLiteral(ESPALIER_BIN_DIR "/espalierctl"),
                       QStringList{"--workspace", workspace(), "--threads", "1"} + arguments);
        return process;
    }
    static Outcome end(QProcess& process) {
        if (!process.waitForFinished(kPatienceMs)) process.kill();
        return {process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -1, process.readAllStandardOutput(),
                process.readAllStandardError()};
    }
    Outcome run(const QStringList& arguments, const QByteArray& input = {}) const {
        auto process = start(arguments);
        process->write(input);
        process->closeWriteChannel();
        return end(*process);
    }
    Json json(const QStringList& arguments) const { return run(arguments + QStringList{"--json"}).json(); }
    void import() const {
        const Outcome outcome = run({"import", path("models/tiny"), "--quiet", "--json"});
        if (outcome.exitCode != 0) qFatal("import: %s", outcome.err.constData());
    }

private:
    QTemporaryDir m_folder;
};

// `espalierctl serve` on the workspace, answering.
class Serving {
public:
    explicit Serving(const Bench& bench, const QStringList& more = {})
        : m_process(bench.start(QStringList{"serve", "--port", "0", "--json"} + more)) {
        while (!m_process->canReadLine() && m_process->waitForReadyRead(kPatienceMs)) continue;
        m_facts = Json::parse(m_process->readLine().toStdString(), nullptr, false);
    }
    ~Serving() {
        m_process->kill();
        m_process->waitForFinished();
    }
    QProcess& process() { return *m_process; }
    const Json& facts() const { return m_facts; }
    void signal(int number) { ::kill(static_cast<pid_t>(m_process->processId()), number); }

private:
    std::unique_ptr<QProcess> m_process;
    Json m_facts;
};

}  // namespace espalier::test
