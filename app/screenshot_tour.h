// SPDX-License-Identifier: GPL-3.0-or-later
// ScreenshotTour: drives the real program through its journeys against the running daemon and saves one picture per
// state. A state that does not appear in time fails the tour by name.
//
// Owner: main. Thread: Qt.
#pragma once

#include <QElapsedTimer>
#include <QMimeData>
#include <QObject>
#include <QTemporaryDir>
#include <QTimer>
#include <functional>
#include <vector>

#include "app/tour_clients.h"
#include "ui/shell/session.h"

namespace espalier::ui {

class ScreenshotTour : public QObject {
    Q_OBJECT
public:
    // `model` is a folder that the tour looks at in the import dialog and imports as a link; may be empty.
    ScreenshotTour(Session& session, const QString& folder, const QString& model);
    void start();

signals:
    void finished(int exitCode);

private:
    struct Step {
        QString name;
        std::function<void()> begin;
        std::function<bool()> isThere;
        int settleMs;  // after it is there, before the picture
        bool takesPicture;
    };
    void addSteps();
    void addPlotSteps();   // what a person does with the plots
    void addFrameSteps();  // docks, palette, the pages about the program itself, drop
    void choose(ThemeChoice theme);
    void addThemeSteps();    // dark, 1024x768
    void addTroubleSteps();  // a lost connection
    void step(const QString& name, std::function<void()> begin, std::function<bool()> isThere, int settleMs = 400,
              bool takesPicture = true);
    void look();
    void finishStep();
    void next();
    bool save(const QString& name);
    template <class T>
    T* named(const QString& accessibleName) const {
        for (T* widget : window().template findChildren<T*>())
            if (widget->accessibleName() == accessibleName && widget->isVisible()) return widget;
        return nullptr;
    }
    // What the window calls a thing in its language.
    static QString said(const char* text);
    // screenshot_tour_pages.cpp
    bool press(const QString& accessibleName);  // a button that can be pressed; false when there is none
    void showModelTab(const QString& name);
    void addModelSteps(const QString& theme);
    void addModelTabsAt1024();
    void addScanStep();
    void addImportSteps();
    void addPlaygroundSteps(const QString& name);
    void addCompareSteps(const QString& name);  // the base beside two adapters, and one token's probabilities
    void closeColumns();
    void addTenantSteps();
    void addTrafficSteps(const QString& name);  // the views at the foot of Serve
    void showNow(const char* view);
    void addTenantStepsAt1024();
    void ask(const QString& question);

    MainWindow& window() const { return m_session.window(); }
    Workspace& workspace() const { return m_session.workspace(); }

    Session& m_session;
    QString m_folder, m_model, m_back;
    QMimeData m_dropped;
    QTemporaryDir m_scratch;
    std::vector<Step> m_steps;
    std::size_t m_at = 0;
    QTimer m_poll;
    QElapsedTimer m_since, m_thereSince;
    bool m_there = false;
    int m_answers = 0;
    TourClients* m_clients;
};

}  // namespace espalier::ui
