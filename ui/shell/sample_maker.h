// SPDX-License-Identifier: GPL-3.0-or-later
// SampleMaker: makes the sample workspace with `espalierctl sample`, one at a time. The command goes on with what an
// earlier one left unfinished, so it is run each time.
//
// Owner: Session, so that a window made anew does not end it. Thread: Qt.
#pragma once

#include <QObject>
#include <QProcess>
#include <memory>

#include "core/base/result.h"

namespace espalier::ui {

class SampleMaker : public QObject {
    Q_OBJECT
public:
    using QObject::QObject;
    ~SampleMaker() override;
    void make(const QString& folder);  // while one is being made: no effect
    bool isRunning() const { return m_process != nullptr; }
    static QString usualFolder();  // in the XDG data home

signals:
    void runningChanged();
    void made(const QString& folder);
    void failed(const espalier::Error& error);

private:
    void end(const QString& folder, const QString& why);

    std::unique_ptr<QProcess> m_process;
};

}  // namespace espalier::ui
