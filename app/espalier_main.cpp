// SPDX-License-Identifier: GPL-3.0-or-later
// espalier: the workbench. A client of the daemon: it starts one for its workspace when none runs, and may be closed at
// any time.
#include <QCommandLineParser>
#include <QDir>
#include <QSettings>
#include <QStandardPaths>
#include <QTemporaryDir>

#include "app/screenshot_tour.h"
#include "ui/shell/session.h"
#include "ui/shell/stall_watchdog.h"

using namespace espalier;
using namespace espalier::ui;

namespace {

constexpr int kPatienceMs = 2000;  // for a first window that is just starting

QCommandLineOption option(const char* name, const char* what, const char* value) {
    return {QString::fromLatin1(name), QString::fromLatin1(what), QString::fromLatin1(value)};
}

void addOptions(QCommandLineParser& options) {
    options.setApplicationDescription(QStringLiteral("Prune, train and serve language models."));
    options.addHelpOption();
    options.addVersionOption();
    options.addOption(option("workspace", "Open this workspace folder.", "DIR"));
    options.addOption(option("attach",
                             "Attach to a server; its key is read from ESPALIER_KEY, else from the servers that were "
                             "kept.",
                             "URL"));
    options.addOption(
        option("page", "Begin on home, models, serve, playground, tenants, workspaces, preferences, commands or about.",
               "NAME"));
    options.addOption(option("theme", "light, dark or system.", "NAME"));
    options.addOption(option("language", "en, de.", "CODE"));
    options.addOption(option("text-percent", "Text size, 100 to 200.", "PERCENT"));
    options.addOption(option("screenshots", "Walk through the journeys, save pictures into DIR and end.", "DIR"));
    options.addOption(option("import", "With --screenshots: a model folder to import on the way.", "DIR"));
}

int usageError(const QString& sentence) {
    std::fprintf(stderr, "error[invalid_argument]: %s\n", qPrintable(sentence));
    return 2;
}

// What the command line asks for holds for this run alone. A name that is not known is refused, not guessed.
Result<Preferences> wishes(const QCommandLineParser& options, Preferences wanted, bool touring) {
    if (touring) wanted.theme = ThemeChoice::Light;
    const auto refused = [](const char* sentence) { return fail(ErrorCode::InvalidArgument, sentence); };
    if (const QString theme = options.value(QStringLiteral("theme")); options.isSet(QStringLiteral("theme"))) {
        wanted.theme = themeChoiceFromName(theme);
        if (themeChoiceName(wanted.theme) != theme) return refused("--theme must be light, dark or system");
    }
    if (options.isSet(QStringLiteral("language"))) {
        wanted.language = options.value(QStringLiteral("language"));
        if (wanted.language.isEmpty() || Language::chosen(wanted.language) != wanted.language)
            return refused("--language must be en or de");
    }
    if (options.isSet(QStringLiteral("text-percent"))) {
        bool isNumber = false;
        wanted.textPercent = options.value(QStringLiteral("text-percent")).toInt(&isNumber);
        if (!isNumber || wanted.textPercent < kLeastTextPercent || wanted.textPercent > kMostTextPercent)
            return refused("--text-percent must be a number from 100 to 200");
    }
    return wanted;
}

int tour(Application& app, Session& session, const QCommandLineParser& options) {
    ScreenshotTour tour(session, options.value(QStringLiteral("screenshots")), options.value(QStringLiteral("import")));
    QObject::connect(&tour, &ScreenshotTour::finished, &app, &QCoreApplication::exit, Qt::QueuedConnection);
    app.watchdog().ignore(tour.metaObject()->className());
    tour.start();
    const int code = app.exec();
    const auto& longest = app.watchdog().longest();
    std::printf("longest event: %.1f ms of processor time (%s)\n", longest.cpuMs, qPrintable(longest.receiver));
    return code;
}

}  // namespace

int main(int argc, char** argv) {
    QApplication::setApplicationName(QStringLiteral("espalier"));
    QApplication::setOrganizationName(QStringLiteral("espalier"));
    QApplication::setApplicationVersion(QStringLiteral(ESPALIER_VERSION));
    QGuiApplication::setDesktopFileName(QStringLiteral("espalier"));
    Application app(argc, argv);

    QCommandLineParser options;
    addOptions(options);
    options.process(app);

    const bool touring = options.isSet(QStringLiteral("screenshots"));
    const QUrl server = serverUrl(options.value(QStringLiteral("attach")));
    if (options.isSet(QStringLiteral("attach")) && !server.isValid())
        return usageError(QStringLiteral("--attach must be an http or https address"));
    // A tour neither reads nor leaves the settings of the person at this machine.
    QTemporaryDir scratch;
    QSettings settings =
        touring ? QSettings(scratch.filePath(QStringLiteral("tour.ini")), QSettings::IniFormat) : QSettings();
    const QString config =
        touring ? scratch.path() : QStandardPaths::writableLocation(QStandardPaths::AppConfigLocation);
    PreferenceStore preferences(settings);
    ServerBook servers(config);
    Theme theme(app);
    const auto asWished = wishes(options, preferences.now(), touring);
    if (!asWished) return usageError(QString::fromStdString(asWished.error().message));
    preferences.setForNow(*asWished);

    SingleInstance instance(touring ? scratch.path() : SingleInstance::usualFolder());
    Session session(theme, preferences, servers, &instance, touring ? ShowNotification() : showOnDesktop);
    const QString asked = options.value(QStringLiteral("workspace"));
    const QString workspace = QDir(asked.isEmpty() ? session.startWorkspace() : asked).absolutePath();
    if (!server.isValid()) {
        const auto claim = instance.claim(workspace, kPatienceMs);
        if (claim == SingleInstance::Claim::Theirs) return 0;
        if (claim == SingleInstance::Claim::Silent)
            std::fprintf(stderr, "another window has %s open and does not answer\n", qPrintable(workspace));
    }
    if (options.isSet(QStringLiteral("page")) && !session.window().goTo(options.value(QStringLiteral("page"))))
        return usageError(QStringLiteral(
            "--page must be home, models, serve, playground, tenants, workspaces, preferences, commands or about"));
    session.window().show();
    if (server.isValid()) {
        const QString key = qEnvironmentVariable("ESPALIER_KEY");
        session.engine().attach(server, key.isEmpty() ? servers.keyOf(server) : key);
    } else {
        session.openWorkspace(workspace);
    }
    return touring ? tour(app, session, options) : app.exec();
}
