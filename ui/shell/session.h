// SPDX-License-Identifier: GPL-3.0-or-later
// Session: one connection with the window over it. What a person prefers is applied at once; a change of language or of
// the text size makes models and window anew beside the connection, which goes on, and hands over what was typed and
// said. The three steps of it (make, hand over, let go) are events of their own, so that none holds up the next key.
// Another workspace is opened here, and a second start of the program brings this window forward.
//
// Owner: main. Thread: Qt.
#pragma once

#include <QObject>
#include <memory>

#include "ui/shell/language.h"
#include "ui/shell/main_window.h"
#include "ui/shell/notifier.h"
#include "ui/shell/sample_maker.h"
#include "ui/shell/single_instance.h"

namespace espalier::ui {

class Session : public QObject {
    Q_OBJECT
public:
    // `instance` may be null: then nobody else is asked. `show` may be empty: then nothing is told to the desktop.
    Session(Theme& theme, PreferenceStore& preferences, ServerBook& servers, SingleInstance* instance,
            ShowNotification show);
    ~Session() override;

    MainWindow& window() { return *m_desk.window; }
    Workspace& workspace() { return *m_desk.workspace; }
    EngineClient& engine() { return m_engine; }
    void openWorkspace(const QString& folder);
    QString startWorkspace() const;  // by environment, preference, the last one, else a folder of the XDG data home

signals:
    void windowMade();

private:
    // A window over its models.
    struct Desk {
        std::unique_ptr<Workspace> workspace;
        std::unique_ptr<Notifier> notifier;
        std::unique_ptr<MainWindow> window;
        void clear();
    };
    Desk make();
    void remake();
    void swap();
    void open(const QString& folder);
    void apply(const Preferences& before);

    Theme& m_theme;
    PreferenceStore& m_preferences;
    ServerBook& m_servers;
    SingleInstance* m_instance;
    ShowNotification m_show;
    Language m_language;
    EngineClient m_engine;
    SampleMaker m_sample;
    Desk m_desk, m_next, m_former;
};

}  // namespace espalier::ui
