// SPDX-License-Identifier: GPL-3.0-or-later
// espalier: the workbench. A client of the daemon: it starts one for its workspace when none runs, and may be closed at
// any time.
#include <QCommandLineParser>
#include <QDir>
#include <QSettings>
#include <QStandardPaths>

#include "app/screenshot_tour.h"
#include "ui/shell/main_window.h"
#include "ui/shell/stall_watchdog.h"

using namespace espalier;
using namespace espalier::ui;

namespace {

QString defaultWorkspace(const QSettings& settings) {
    const QString fromEnvironment = qEnvironmentVariable("ESPALIER_WORKSPACE");
    if (!fromEnvironment.isEmpty()) return fromEnvironment;
    const QString data = QStandardPaths::writableLocation(QStandardPaths::GenericDataLocation);
    return settings.value(QStringLiteral("workspace"), QDir(data).filePath(QStringLiteral("espalier/workspace")))
        .toString();
}

}  // namespace

int main(int argc, char** argv) {
    QApplication::setApplicationName(QStringLiteral("espalier"));
    QApplication::setOrganizationName(QStringLiteral("espalier"));
    QApplication::setApplicationVersion(QStringLiteral(ESPALIER_VERSION));
    QGuiApplication::setDesktopFileName(QStringLiteral("espalier"));
    Application app(argc, argv);

    QCommandLineParser options;
    options.setApplicationDescription(QStringLiteral("Prune, train and serve language models."));
    options.addHelpOption();
    options.addVersionOption();
    options.addOption(
        {QStringLiteral("workspace"), QStringLiteral("Open this workspace folder."), QStringLiteral("DIR")});
    options.addOption({QStringLiteral("attach"),
                       QStringLiteral("Attach to a server; its key is read from ESPALIER_KEY."),
                       QStringLiteral("URL")});
    options.addOption({QStringLiteral("page"), QStringLiteral("Begin on home, models, serve or playground."),
                       QStringLiteral("NAME")});
    options.addOption({QStringLiteral("theme"), QStringLiteral("light, dark or system."), QStringLiteral("NAME")});
    options.addOption({QStringLiteral("screenshots"),
                       QStringLiteral("Walk through the journeys, save pictures into DIR and end."),
                       QStringLiteral("DIR")});
    options.addOption({QStringLiteral("import"),
                       QStringLiteral("With --screenshots: a model folder to import on the way."),
                       QStringLiteral("DIR")});
    options.process(app);

    const bool touring = options.isSet(QStringLiteral("screenshots"));
    // A tour neither reads nor leaves the settings of the person at this machine.
    QSettings settings =
        touring ? QSettings(QDir::temp().filePath(QStringLiteral("espalier-tour-%1.ini").arg(app.applicationPid())),
                            QSettings::IniFormat)
                : QSettings();
    Theme theme(app);
    const QString themeName = options.isSet(QStringLiteral("theme")) ? options.value(QStringLiteral("theme"))
                              : touring                              ? QStringLiteral("light")
                                        : settings.value(QStringLiteral("window/theme")).toString();
    theme.choose(themeChoiceFromName(themeName));
    EngineClient engine;
    Workspace workspace(engine);
    MainWindow window(workspace, theme, settings);
    if (options.isSet(QStringLiteral("page")) && !window.goTo(options.value(QStringLiteral("page")))) {
        std::fprintf(stderr, "error[invalid_argument]: --page must be home, models, serve or playground\n");
        return 2;
    }
    window.show();
    if (options.isSet(QStringLiteral("attach"))) {
        engine.attach(QUrl(options.value(QStringLiteral("attach"))), qEnvironmentVariable("ESPALIER_KEY"));
    } else {
        engine.openWorkspace(QDir(options.isSet(QStringLiteral("workspace"))
                                      ? options.value(QStringLiteral("workspace"))
                                      : defaultWorkspace(settings))
                                 .absolutePath());
    }
    if (touring) {
        auto* tour = new ScreenshotTour(window, workspace, theme, options.value(QStringLiteral("screenshots")),
                                        options.value(QStringLiteral("import")));
        QObject::connect(tour, &ScreenshotTour::finished, &app, &QCoreApplication::exit, Qt::QueuedConnection);
        app.watchdog().ignore(tour->metaObject()->className());
        tour->start();
        const int code = app.exec();
        const auto& longest = app.watchdog().longest();
        std::printf("longest event: %.1f ms of processor time (%s)\n", longest.cpuMs, qPrintable(longest.receiver));
        delete tour;
        return code;
    }
    return app.exec();
}
