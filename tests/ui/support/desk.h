// SPDX-License-Identifier: GPL-3.0-or-later
// Desk: a session on a fake daemon, as a test drives it, with what it told the desktop. Where Bench is one window, this
// is the program around it: its windows are made anew when the language or the text size changes.
#pragma once

#include <QPlainTextEdit>

#include "tests/ui/support/bench.h"
#include "ui/shell/session.h"

namespace espalier::test {

inline constexpr int kDaemonPatienceMs = 60'000;  // for what a true daemon does on a busy machine

// The program without a daemon of its own: tst_real_* attach it to true ones.
struct SessionDesk {
    QTemporaryDir folder;
    QSettings settings{folder.filePath(QStringLiteral("settings.ini")), QSettings::IniFormat};
    ui::PreferenceStore preferences{settings};
    ui::ServerBook servers{folder.path()};
    QStringList told;
    ui::Session session{theme(), preferences, servers, nullptr, [this](const QString& title, const QString&) {
                            told << title;
                            return true;
                        }};

    bool attached() {
        return QTest::qWaitFor([this] { return session.engine().isAttached() && session.workspace().snapshot(); },
                               kDaemonPatienceMs);
    }
    template <class T>
    T* find(const QString& name) {
        for (T* widget : session.window().template findChildren<T*>())
            if (widget->accessibleName() == name && widget->isVisible()) return widget;
        return nullptr;
    }
    bool click(const QString& name, int patienceMs = 5000) {
        const auto clicked = [&] {
            for (auto* button : session.window().template findChildren<QAbstractButton*>()) {
                const QString known =
                    button->accessibleName().isEmpty() ? button->text().trimmed() : button->accessibleName();
                if (known != name || !button->isVisible() || !button->isEnabled()) continue;
                if (!Bench::liesStill(button)) return false;
                QTest::mouseClick(button, Qt::LeftButton);
                return true;
            }
            return false;
        };
        return QTest::qWaitFor(clicked, patienceMs);
    }
};

struct DeskDaemon {
    FakeDaemon daemon;  // a base, so that it outlives the session
};

struct Desk : DeskDaemon, SessionDesk {
    ~Desk() { theme().setTextPercent(100); }
    bool attach() {
        session.window().show();
        session.engine().attach(daemon.url(), daemon.key);
        return QTest::qWaitFor([this] { return daemon.eventStreams() > 0 && session.workspace().hasModelList(); });
    }
    // Changes the text size or the language, which makes the window anew; true once the new one is there.
    bool remake(const QString& action = QString::fromLatin1(ui::action::kLargerText)) {
        const ui::MainWindow* before = &session.window();
        session.window().actions().get(action)->trigger();
        return QTest::qWaitFor([&] { return &session.window() != before; });
    }
};

}  // namespace espalier::test
