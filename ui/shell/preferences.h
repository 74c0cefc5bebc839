// SPDX-License-Identifier: GPL-3.0-or-later
// Preferences: what a person chose for this program, as values, and the object that keeps them in QSettings and tells
// when they change. Secrets are not among them (see server_book.h).
//
// Owner of PreferenceStore: main. Thread: Qt.
#pragma once

#include <QObject>
#include <QSettings>
#include <QStringList>

#include "ui/bridge/daemon_launcher.h"
#include "ui/shell/theme.h"

namespace espalier::ui {

struct Preferences {
    ThemeChoice theme = ThemeChoice::System;
    QString language;  // "en", "de"; empty: the desktop's
    MotionChoice motion = MotionChoice::System;
    int textPercent = 0;      // 100 to 200; 0: the desktop's
    bool startEngine = true;  // start the engine of a workspace when none runs
    QString workspace;        // opened at start; empty: the last one
    int refreshMs = 100;      // between two pictures of the plots, 100 to 2000
    bool notify = true;       // tell the desktop when a job ends while the window is not in front

    bool operator==(const Preferences&) const = default;
};

class PreferenceStore : public QObject {
    Q_OBJECT
public:
    explicit PreferenceStore(QSettings& settings, QObject* parent = nullptr);

    const Preferences& now() const { return m_now; }
    void set(const Preferences& wanted);        // kept at once
    void setForNow(const Preferences& wanted);  // holds for this run of the program; what is set later is kept
    QSettings& settings() const { return m_settings; }

    // Folders opened here, newest first, at most kMostRecent; some may be gone.
    QStringList recentWorkspaces() const;
    static QStringList existing(const QStringList& folders);  // looks at the disk. Thread: any
    void remember(const QString& workspace);
    void forget(const QString& workspace);

    // Where the engine of a workspace listens when it is started from here.
    ListenAt listenAt(const QString& workspace) const;
    void setListenAt(const QString& workspace, const ListenAt& at);
    static constexpr int kMostRecent = 8;

signals:
    void changed(const espalier::ui::Preferences& before);
    void recentChanged();

private:
    QSettings& m_settings;
    Preferences m_now, m_kept;
};

}  // namespace espalier::ui
