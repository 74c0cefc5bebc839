// SPDX-License-Identifier: GPL-3.0-or-later
// Bench: the workbench on a FakeDaemon, as a test drives it: a window that is attached, and widgets found by the name a
// screen reader would read.
#pragma once

#include <QAbstractButton>
#include <QSettings>
#include <QTemporaryDir>
#include <QTest>

#include "tests/ui/support/fake_daemon.h"
#include "tests/ui/support/ui_test_main.h"
#include "ui/shell/main_window.h"

namespace espalier::test {

struct Bench {
    FakeDaemon daemon;
    QTemporaryDir folder;
    QSettings settings{folder.filePath(QStringLiteral("settings.ini")), QSettings::IniFormat};
    ui::EngineClient engine;
    ui::Workspace workspace{engine};
    ui::PreferenceStore preferences{settings};
    ui::ServerBook servers{folder.path()};
    ui::MainWindow window{workspace, theme(), preferences, servers};

    // Shows, and opens a workspace whose daemon is the fake one, as its owner does; true once models and a first
    // snapshot are there.
    bool open(const QString& page = QStringLiteral("home"), QSize size = {1440, 900}) {
        window.goTo(page);
        window.resize(size);
        window.show();
        if (!QTest::qWaitForWindowActive(&window)) return false;
        engine.openWorkspace(daemon.makeWorkspace(folder.filePath(QStringLiteral("harbour-lane"))));
        if (!QTest::qWaitFor([this] { return daemon.eventStreams() > 0 && workspace.hasModelList(); })) return false;
        daemon.sendSnapshot();
        return QTest::qWaitFor([this] { return workspace.snapshot() != nullptr; });
    }

    template <class T>
    T* find(const QString& accessibleName) {
        for (QWidget* top : QApplication::topLevelWidgets())
            for (T* widget : top->findChildren<T*>())
                if (widget->accessibleName() == accessibleName && widget->isVisible()) return widget;
        return nullptr;
    }
    // A button by name, clicked once with the mouse as soon as it can be seen and is enabled; false when it never is.
    bool click(const QString& accessibleName) {
        return QTest::qWaitFor([&] { return clickNow(accessibleName); });
    }
    bool clickNow(const QString& accessibleName) {
        for (QWidget* top : QApplication::topLevelWidgets())
            for (auto* button : top->findChildren<QAbstractButton*>()) {
                const QString name =
                    button->accessibleName().isEmpty() ? button->text().trimmed() : button->accessibleName();
                // What was made just now may be shown without having its place yet: nobody could hit it.
                const bool isThere = button->isVisible() && !button->visibleRegion().isEmpty();
                if (name != accessibleName || !isThere || !button->isEnabled()) continue;
                QTest::mouseClick(button, Qt::LeftButton);
                return true;
            }
        return false;
    }
};

}  // namespace espalier::test
