// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/screenshot_tour.h"

#include <QApplication>
#include <QDialog>
#include <QDir>
#include <QDragEnterEvent>
#include <QKeyEvent>
#include <QPainter>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QTableView>
#include <QToolTip>
#include <cstdio>

#include "ui/models/format.h"
#include "ui/pages/import_dialog.h"
#include "ui/pages/serve_page.h"
#include "ui/widgets/dashboard.h"
#include "ui/widgets/page_map_view.h"

namespace espalier::ui {
namespace {

constexpr int kPollMs = 50;
constexpr qint64 kPatienceMs = 90'000;  // a model loads, an answer is written
constexpr qint64 kSettleMs = 1200;
constexpr int kFewRequests = 2;
constexpr qint64 kLoadMs = 45'000;  // of requests, for the plots to show

}  // namespace

ScreenshotTour::ScreenshotTour(Session& session, const QString& folder, const QString& model)
    : m_session(session), m_folder(folder), m_model(model), m_clients(new TourClients(session.workspace(), this)) {
    m_poll.setInterval(kPollMs);
    connect(&m_poll, &QTimer::timeout, this, &ScreenshotTour::look);
    connect(&session.engine(), &EngineClient::jobChanged, this, [this](const JobRecord& job) {
        if (job.state == JobState::Finished) ++m_answers;
    });
    addSteps();
}

QString ScreenshotTour::said(const char* text) {
    for (const char* context : {"PlaygroundPage", "ChatLane",       "CasePanel",    "SamplingBar",  "ModelsPage",
                                "ModelInspector", "TokenizerPanel", "ImportDialog", "ErrorStrip",   "ServePage",
                                "PageMapView",    "PageMapPanel",   "MainWindow",   "TenantsPage",  "TenantInspector",
                                "KeyDialog",      "IsolationStrip", "NowPanel",     "MoveTimeline", "AnswerView"}) {
        const QByteArray full = QByteArray("espalier::ui::") + context;
        const QString translated = QCoreApplication::translate(full.constData(), text);
        if (translated != QLatin1String(text)) return translated;
    }
    return QString::fromUtf8(text);
}

void ScreenshotTour::ask(const QString& question) {
    window().goTo(QStringLiteral("playground"));
    if (auto* input = named<QPlainTextEdit>(said("Message"))) input->setPlainText(question);
    if (auto* send = named<QPushButton>(said("Send"))) send->click();
}

void ScreenshotTour::step(const QString& name, std::function<void()> begin, std::function<bool()> isThere, int settleMs,
                          bool takesPicture) {
    m_steps.push_back({name, std::move(begin), std::move(isThere), settleMs, takesPicture});
}

void ScreenshotTour::addSteps() {
    const auto always = [] { return true; };
    const auto attached = [this] { return workspace().snapshot() && workspace().hasModelList(); };
    const auto hasModel = [this] { return workspace().models().rowCount() > 0; };
    const auto answered = [this] {
        const auto* again = named<QAbstractButton>(said("Regenerate"));
        return again && again->isEnabled();
    };
    const auto plotsHaveData = [this] {
        return m_since.elapsed() > kLoadMs && workspace().snapshot()->ttftMs.samples > 0;
    };
    step(
        QStringLiteral("attached"), [this] { window().resize(1440, 900); }, attached, 0, false);
    if (!m_model.isEmpty()) {
        step(
            QStringLiteral("import"), [this] { window().openImport(m_model); },
            [this] { return named<QPushButton>(said("Import")) && named<QPushButton>(said("Import"))->isEnabled(); });
        step(
            QStringLiteral("imported"), [this] { named<QPushButton>(said("Import"))->click(); },
            [this, hasModel] { return hasModel() && m_answers > 0; }, 0, false);
    }
    step(
        QStringLiteral("models-light"), [this] { window().goTo(QStringLiteral("models")); }, hasModel, 1200);
    addScanStep();
    addModelSteps(QStringLiteral("light"));
    addImportSteps();
    addCompareSteps(QStringLiteral("light"));
    addPlaygroundSteps(QStringLiteral("side"));
    step(
        QStringLiteral("playground-light"), [this] { ask(tr("Write about a garden in spring.")); }, answered);
    step(
        QStringLiteral("playground-focus"),
        [this] {
            if (auto* input = named<QPlainTextEdit>(said("Message"))) input->setPlainText(tr("And in autumn?"));
            if (auto* send = named<QPushButton>(said("Send"))) send->setFocus(Qt::TabFocusReason);
        },
        always);
    step(
        QStringLiteral("load"),
        [this] {
            if (auto* input = named<QPlainTextEdit>(said("Message"))) input->clear();
            m_clients->start();
        },
        plotsHaveData, 0, false);
    step(
        QStringLiteral("serve-light"),
        [this] {
            window().goTo(QStringLiteral("serve"));
            press(said("Time shown") + QStringLiteral(": ") + said("1 min"));
        },
        [this] {
            const auto* requests = named<QTableView>(said("Requests"));
            return m_since.elapsed() > kSettleMs && requests && requests->model()->rowCount() >= kFewRequests;
        },
        100);
    addTrafficSteps(QStringLiteral("light"));
    addPlotSteps();
    addTenantSteps();
    step(
        QStringLiteral("home-light"), [this] { window().goTo(QStringLiteral("home")); }, always, 1200);
    step(
        QStringLiteral("quiet"), [this] { m_clients->stop(); }, always, 0, false);
    addFrameSteps();
    addThemeSteps();
    addTroubleSteps();
}

void ScreenshotTour::addFrameSteps() {
    const auto always = [] { return true; };
    step(
        QStringLiteral("jobs-dock"), [this] { window().actions().get(action::kJobsDock)->trigger(); }, always);
    step(
        QStringLiteral("log-dock"),
        [this] {
            window().actions().get(action::kJobsDock)->trigger();
            window().actions().get(action::kLogDock)->trigger();
        },
        always);
    step(
        QStringLiteral("palette"),
        [this] {
            window().actions().get(action::kLogDock)->trigger();
            window().actions().get(action::kPalette)->trigger();
        },
        always);
    for (const QString& page : {QStringLiteral("workspaces"), QStringLiteral("preferences"), QStringLiteral("commands"),
                                QStringLiteral("about")})
        step(
            page + QStringLiteral("-light"), [this, page] { window().goTo(page); }, always, 600);
    step(
        QStringLiteral("drop"),
        [this] {
            window().goTo(QStringLiteral("home"));
            const QString model = m_scratch.filePath(QStringLiteral("pear-tree-1b"));
            QDir().mkpath(model);
            m_dropped.setUrls({QUrl::fromLocalFile(model)});
            QDragEnterEvent over({40, 40}, Qt::CopyAction, &m_dropped, Qt::LeftButton, {});
            QApplication::sendEvent(&window(), &over);
        },
        always, 100);
}

void ScreenshotTour::choose(ThemeChoice theme) {
    window().actions().get(QStringLiteral("view.theme-") + themeChoiceName(theme))->trigger();
}

void ScreenshotTour::addThemeSteps() {
    const auto always = [] { return true; };
    step(
        QStringLiteral("home-dark"),
        [this] {
            QDragLeaveEvent away;
            QApplication::sendEvent(&window(), &away);
            window().actions().get(action::kGoHome)->trigger();
            window().setFocus();
            choose(ThemeChoice::Dark);
        },
        always, 1200);
    for (const QString& page :
         {QStringLiteral("serve"), QStringLiteral("models"), QStringLiteral("playground"), QStringLiteral("tenants"),
          QStringLiteral("workspaces"), QStringLiteral("preferences"), QStringLiteral("about")})
        step(
            page + QStringLiteral("-dark"), [this, page] { window().goTo(page); }, always, 1200);
    addModelSteps(QStringLiteral("dark"));
    step(
        QStringLiteral("serve-1024"),
        [this] {
            choose(ThemeChoice::Light);
            window().resize(1024, 768);
            window().goTo(QStringLiteral("serve"));
        },
        always, 1200);
    for (const QString& page : {QStringLiteral("home"), QStringLiteral("models"), QStringLiteral("playground"),
                                QStringLiteral("tenants"), QStringLiteral("workspaces"), QStringLiteral("preferences"),
                                QStringLiteral("commands"), QStringLiteral("about")})
        step(
            page + QStringLiteral("-1024"), [this, page] { window().goTo(page); }, always, 1200);
    addTenantStepsAt1024();
    addModelTabsAt1024();
    addPlaygroundSteps(QStringLiteral("1024"));
}

// The engine ends without the window: what was typed stays, and the window says what it does about it.
void ScreenshotTour::addTroubleSteps() {
    const auto is = [this](Link link) { return [this, link] { return m_session.engine().link() == link; }; };
    step(
        QStringLiteral("lost"),
        [this] {
            window().resize(1440, 900);
            window().goTo(QStringLiteral("playground"));
            m_back = m_session.engine().folder();
            m_session.engine().call(QStringLiteral("shutdown"), Json::object(), this, [](const Result<Json>&) {});
        },
        is(Link::Lost), 0);  // the window starts another one soon
    step(
        QStringLiteral("back"), [this] { m_session.openWorkspace(m_back); }, is(Link::Attached), 0, false);
}

// What a person does with the plots: look at a moment, look closer, hold them, read them as tables; and one page of
// the pool.
void ScreenshotTour::addPlotSteps() {
    const auto always = [] { return true; };
    const auto dashboard = [this]() -> Dashboard& { return window().servePage().dashboard(); };
    step(
        QStringLiteral("serve-cursor"),
        [dashboard] { dashboard().setCursor(dashboard().from() + (dashboard().to() - dashboard().from()) * 0.6); },
        always, 600);
    step(
        QStringLiteral("serve-zoomed"),
        [dashboard] {
            const double from = dashboard().from(), span = dashboard().to() - from;
            dashboard().zoom(from + span * 0.4, from + span * 0.8);
        },
        always, 600);
    step(
        QStringLiteral("serve-paused"),
        [dashboard] {
            dashboard().resetZoom();
            dashboard().setPaused(true);
        },
        always, 2000);
    step(
        QStringLiteral("serve-tables"),
        [this, dashboard] {
            dashboard().setPaused(false);
            window().servePage().setTablesShown(true);
        },
        always, 1200);
    step(
        QStringLiteral("serve-page"),
        [this, dashboard] {
            window().servePage().setTablesShown(false);
            dashboard().setCursor(std::nullopt);
            if (auto* map = named<PageMapView>(said("Page map"))) {
                map->setFocus();
                QKeyEvent press(QEvent::KeyPress, Qt::Key_Right, {});
                for (int i = 0; i < 3; ++i) QApplication::sendEvent(map, &press);
            }
        },
        always, 800);
}

void ScreenshotTour::start() {
    if (!QDir().mkpath(m_folder)) {
        std::fprintf(stderr, "%s cannot be made\n", qPrintable(m_folder));
        emit finished(1);
        return;
    }
    m_since.start();
    m_steps.front().begin();
    m_poll.start();
}

void ScreenshotTour::look() {
    const Step& now = m_steps[m_at];
    if (!m_there) {
        if (now.isThere()) {
            m_there = true;
            m_thereSince.start();
        } else if (m_since.elapsed() > kPatienceMs) {
            std::fprintf(stderr, "the state \"%s\" did not appear\n", qPrintable(now.name));
            save(now.name + QStringLiteral("-missing"));
            m_poll.stop();
            emit finished(1);
        }
        return;
    }
    if (m_thereSince.elapsed() < now.settleMs) return;
    m_poll.stop();
    // Drawing and writing a picture is the tour's work: an event of its own, so that the figures of the window stay
    // its.
    QMetaObject::invokeMethod(this, &ScreenshotTour::finishStep, Qt::QueuedConnection);
}

void ScreenshotTour::finishStep() {
    if (m_steps[m_at].takesPicture && !save(m_steps[m_at].name)) {
        emit finished(1);
        return;
    }
    m_poll.start();
    next();
}

void ScreenshotTour::next() {
    m_there = false;
    m_since.start();
    QToolTip::hideText();
    if (!QApplication::activeWindow()) window().activateWindow();  // a dialog was closed: the focus is seen again
    if (++m_at < m_steps.size()) {
        m_steps[m_at].begin();
        return;
    }
    m_poll.stop();
    emit finished(0);
}

// The window with the dialogs over it, as a person would see them.
bool ScreenshotTour::save(const QString& name) {
    QPixmap picture = window().grab();
    for (auto* dialog : window().findChildren<QDialog*>()) {
        if (!dialog->isVisible()) continue;
        QPainter painter(&picture);
        const QPixmap over = dialog->grab();
        const QPoint at((window().width() - dialog->width()) / 2, (window().height() - dialog->height()) / 2);
        painter.fillRect(QRect(at, dialog->size()).adjusted(-1, -1, 1, 1), window().palette().color(QPalette::Dark));
        painter.drawPixmap(at, over);
    }
    for (QWidget* tip : QApplication::topLevelWidgets()) {
        if (!tip->isVisible() || tip->windowType() != Qt::ToolTip) continue;
        QPainter painter(&picture);
        painter.drawPixmap(tip->pos() - window().geometry().topLeft(), tip->grab());
    }
    const QString path = QDir(m_folder).filePath(name + QStringLiteral(".png"));
    if (picture.save(path)) return true;
    std::fprintf(stderr, "%s cannot be written\n", qPrintable(path));
    return false;
}

}  // namespace espalier::ui
