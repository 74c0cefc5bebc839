// SPDX-License-Identifier: GPL-3.0-or-later
// Session: one connection with the window over it. What a person prefers is applied at once; a change of language or of
// the text size makes models and window anew beside the connection, which goes on, and puts back what was typed.
// Another workspace is opened here, and a second start of the program brings this window forward.
//
// Owner: main. Thread: Qt.
#pragma once

#include <QObject>
#include <memory>

#include "ui/shell/language.h"
#include "ui/shell/main_window.h"
#include "ui/shell/notifier.h"
#include "ui/shell/single_instance.h"

namespace espalier::ui {

class Session : public QObject {
    Q_OBJECT
public:
    // `instance` may be null: then nobody else is asked. `show` may be empty: then nothing is told to the desktop.
    Session(Theme& theme, PreferenceStore& preferences, ServerBook& servers, SingleInstance* instance,
            ShowNotification show);
    ~Session() override;

    MainWindow& window() { return *m_window; }
    Workspace& workspace() { return *m_workspace; }
    EngineClient& engine() { return m_engine; }
    void openWorkspace(const QString& folder);
    QString startWorkspace() const;  // by environment, preference, the last one, else a folder of the XDG data home

signals:
    void windowMade();

private:
    void make();
    void remake();
    void apply(const Preferences& before);

    Theme& m_theme;
    PreferenceStore& m_preferences;
    ServerBook& m_servers;
    SingleInstance* m_instance;
    ShowNotification m_show;
    Language m_language;
    EngineClient m_engine;
    std::unique_ptr<Workspace> m_workspace;
    std::unique_ptr<Notifier> m_notifier;
    std::unique_ptr<MainWindow> m_window;
};

}  // namespace espalier::ui
