// SPDX-License-Identifier: GPL-3.0-or-later
// bench_workbench: P16, what the window costs. First paint, processor time idle and with twelve plots at 10 Hz, and the
// longest event while a model is imported and eight answers stream. Prints one line of tests/bench/results per figure.
//
//   espalierctl sample W && python3 tests/bench/make_model.py M
//   QT_QPA_PLATFORM=offscreen bench_workbench --workspace W --model M
//
// Processor time is this process's own (CLOCK_PROCESS_CPUTIME_ID), so that other work on the machine changes it little;
// the load average stands in the note. The daemon is started by the workbench, as for a person.
#include <unistd.h>

#include <QCommandLineParser>
#include <QDate>
#include <QDir>
#include <QEventLoop>
#include <QFile>
#include <QGridLayout>
#include <QSettings>
#include <QTemporaryDir>
#include <QTest>
#include <QTimer>
#include <array>
#include <cmath>
#include <cstdio>
#include <ctime>

#include "ui/models/format.h"
#include "ui/shell/main_window.h"
#include "ui/shell/stall_watchdog.h"
#include "ui/widgets/panel.h"
#include "ui/widgets/plot.h"
#include "ui/widgets/plot_legend.h"

using namespace espalier;
using namespace espalier::ui;

namespace {

constexpr int kPlots = 12, kStreams = 8;
constexpr int kPatienceMs = 600'000;

double processorSeconds() {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return double(now.tv_sec) + double(now.tv_nsec) * 1e-9;
}

double wallSeconds() {
    timespec now{};
    clock_gettime(CLOCK_BOOTTIME, &now);
    return double(now.tv_sec) + double(now.tv_nsec) * 1e-9;
}

QByteArray readAll(const QString& path) {
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

// Since the kernel made this process, to 10 ms.
double processAge() {
    const QByteArray stat = readAll(QStringLiteral("/proc/self/stat"));
    const QList<QByteArray> fields = stat.mid(stat.lastIndexOf(')') + 2).split(' ');
    return wallSeconds() - fields.value(19).toDouble() / double(sysconf(_SC_CLK_TCK));
}

QString machine() {
    for (const QByteArray& line : readAll(QStringLiteral("/proc/cpuinfo")).split('\n'))
        if (line.startsWith("model name")) return QString::fromUtf8(line.mid(line.indexOf(':') + 1).trimmed());
    return QStringLiteral("unknown");
}

void report(const char* what, double value, const char* unit, const QString& reference) {
    const double load = readAll(QStringLiteral("/proc/loadavg")).split(' ').value(0).toDouble();
    const Json line{
        {"target", "P16"},
        {"what", what},
        {"value", value},
        {"unit", unit},
        {"reference", reference.toStdString()},
        {"mode", ""},
        {"command", "bench_workbench"},
        {"note", QStringLiteral("load average %1").arg(load).toStdString()},
        {"machine", QStringLiteral("%1, %2 threads").arg(machine()).arg(sysconf(_SC_NPROCESSORS_ONLN)).toStdString()},
        {"commit", ESPALIER_VERSION},
        {"date", QDate::currentDate().toString(Qt::ISODate).toStdString()}};
    std::printf("%s\n", dumpJson(line).c_str());
    std::fflush(stdout);
}

// Asleep in between, as the program is: QTest::qWait looks a hundred times a second, which alone is half a per cent.
void wait(int ms) {
    QEventLoop loop;
    QTimer::singleShot(ms, &loop, &QEventLoop::quit);
    loop.exec();
}

// Per cent of a core that this process takes over some seconds.
double shareOver(int seconds) {
    const double before = processorSeconds(), from = wallSeconds();
    wait(seconds * 1000);
    return 100 * (processorSeconds() - before) / (wallSeconds() - from);
}

class PaintWatch : public QObject {
public:
    bool eventFilter(QObject*, QEvent* event) override {
        painted |= event->type() == QEvent::Paint;
        return false;
    }
    bool painted = false;
};

// Twelve panels as the Serve page has them, over an hour of samples at 10 Hz.
class Wall : public QWidget {
public:
    Wall() {
        resize(1232, 700);
        auto* grid = new QGridLayout(this);
        for (int i = 0; i < 36'000; ++i) addSample();
        for (int i = 0; i < kPlots; ++i) {
            auto* panel = new Panel(QStringLiteral("Plot %1").arg(i + 1));
            auto* plot = new Plot(m_ring, *dashboard, QStringLiteral("Plot %1").arg(i + 1));
            plot->setLines({{QStringLiteral("a"), i, 0}, {QStringLiteral("b"), (i + 1) % kPlots, 1}});
            panel->addTitleWidget(new PlotLegend(*plot, *dashboard, formatRate));
            panel->setContent(plot);
            grid->addWidget(panel, i / 4, i % 4);
        }
        m_feed.setInterval(100);
        connect(&m_feed, &QTimer::timeout, this, [this] { addSample(); });
        m_feed.start();
    }
    SampleRing m_ring{kPlots, 36'000};
    Dashboard* dashboard = new Dashboard(m_ring, this);

private:
    void addSample() {
        std::array<double, kPlots> values{};
        for (int i = 0; i < kPlots; ++i)
            values[std::size_t(i)] = 1000 + 500 * std::sin(m_x / (3 + i)) + (m_n * 7 + i) % 97;
        m_ring.append(1'700'000'000 + m_x, values);
        m_x += 0.1;
        ++m_n;
    }
    QTimer m_feed;
    double m_x = 0;
    int m_n = 0;
};

void keepAsking(EngineClient& engine, const QString& model, int& answers, const bool& goesOn) {
    ChatRequest request;
    request.model = model;
    request.messages = {{QStringLiteral("user"), QStringLiteral("Write about a garden in spring.")}};
    request.sampling.temperature = 0.9;
    request.sampling.maxTokens = 256;
    ChatStream* stream = engine.chat(request, &engine);
    QObject::connect(stream, &ChatStream::finished, &engine, [&engine, model, &answers, &goesOn] {
        ++answers;
        if (goesOn) keepAsking(engine, model, answers, goesOn);
    });
}

bool measureStall(StallWatchdog& watchdog, MainWindow& window, Workspace& workspace, const QString& folder) {
    EngineClient& engine = workspace.engine();
    const QString served = text(workspace.models().models().front().name);
    window.goTo(QStringLiteral("serve"));
    int answers = 0;
    bool goesOn = true, imported = false;
    for (int i = 0; i < kStreams; ++i) keepAsking(engine, served, answers, goesOn);
    if (!QTest::qWaitFor([&] { return workspace.snapshot()->running >= kStreams / 2; }, kPatienceMs)) return false;
    QObject::connect(&engine, &EngineClient::jobChanged, &window, [&](const JobRecord& job) {
        imported |= job.kind == "import" && job.state == JobState::Finished;
    });
    watchdog.reset();
    engine.startImport({.path = folder.toStdString(), .name = "bench-import"}, &window, [](const Result<qint64>& job) {
        if (!job) std::fprintf(stderr, "%s\n", job.error().message.c_str());
    });
    if (!QTest::qWaitFor([&] { return imported; }, kPatienceMs)) return false;
    const auto longest = watchdog.longest();
    const auto events = watchdog.events();
    double wall = 0;
    for (const auto& stall : watchdog.stalls()) wall = std::max(wall, stall.wallMs);
    goesOn = false;
    report("longest event while importing a model and serving 8 streams", longest.cpuMs, "ms of processor time",
           QStringLiteral("%1 events, %2 of them over 50 ms of wall time on a busy machine (longest %3 ms)")
               .arg(events)
               .arg(watchdog.stalls().size())
               .arg(wall, 0, 'f', 0));
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    Application app(argc, argv);
    QCommandLineParser options;
    options.addHelpOption();
    options.addOptions(
        {{QStringLiteral("workspace"), QStringLiteral("A workspace with a model."), QStringLiteral("DIR")},
         {QStringLiteral("model"), QStringLiteral("A model folder to import."), QStringLiteral("DIR")},
         {QStringLiteral("seconds"), QStringLiteral("Of each share."), QStringLiteral("N"), QStringLiteral("10")}});
    options.process(app);
    const int seconds = options.value(QStringLiteral("seconds")).toInt();
    QTemporaryDir scratch;
    QSettings settings(scratch.filePath(QStringLiteral("settings.ini")), QSettings::IniFormat);
    Theme theme(app);
    theme.choose(ThemeChoice::Light);
    EngineClient engine;
    Workspace workspace(engine);
    PreferenceStore preferences(settings);
    ServerBook servers(scratch.path());
    MainWindow window(workspace, theme, preferences, servers);
    PaintWatch watch;
    window.installEventFilter(&watch);
    window.resize(1440, 900);
    window.show();
    if (!QTest::qWaitFor([&] { return watch.painted; })) return 1;
    report("first paint of the window", processAge(), "s", QStringLiteral("from the start of the process"));

    engine.openWorkspace(QDir(options.value(QStringLiteral("workspace"))).absolutePath());
    const auto attached = [&] { return workspace.snapshot() && workspace.models().rowCount() > 0; };
    if (!QTest::qWaitFor(attached, kPatienceMs)) {
        std::fprintf(stderr, "the workspace has no model, or its daemon did not answer\n");
        return 1;
    }
    wait(2000);
    report("Home, idle", shareOver(seconds), "% of a core", {});
    window.goTo(QStringLiteral("serve"));
    wait(1000);
    report("Serve page, idle server", shareOver(seconds), "% of a core", {});
    window.hide();
    {
        Wall wall;
        wall.show();
        for (const auto& [what, span] : {std::pair{"twelve plots at 10 Hz, 1 min shown", 60.0},
                                         std::pair{"twelve plots at 10 Hz, 15 min shown", 900.0}}) {
            wall.dashboard->setSpan(span);
            wait(1000);
            report(what, shareOver(seconds), "% of a core", QStringLiteral("24 lines, 1232 x 700"));
        }
        wall.hide();
        wait(500);
        report("twelve plots, hidden", shareOver(seconds), "% of a core", {});
    }
    window.show();
    const QString model = options.value(QStringLiteral("model"));
    if (model.isEmpty() || measureStall(app.watchdog(), window, workspace, QDir(model).absolutePath())) return 0;
    std::fprintf(stderr, "the import did not end\n");
    return 1;
}
