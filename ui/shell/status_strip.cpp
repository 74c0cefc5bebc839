// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/status_strip.h"

#include <QBoxLayout>
#include <QLocale>
#include <QPainter>
#include <limits>

#include "ui/models/format.h"

namespace espalier::ui {
namespace {

TextLabel* small(const QString& text = {}, QFont::Weight weight = QFont::Normal, Tone tone = Tone::Text) {
    auto* label = new TextLabel(text, text_size::kTable, weight, tone);
    label->setElide(Qt::ElideNone);
    return label;
}

constexpr qint64 kNeverOld = std::numeric_limits<qint64>::max();  // the processors stay as they are

QPushButton* dockButton(QAction* action, const QString& text) {
    auto* made = buttonFor(action, text, ButtonRole::Plain, ControlSize::Small);
    made->setFlat(true);
    made->setFocusPolicy(Qt::TabFocus);
    return made;
}

}  // namespace

StatusStrip::StatusStrip(Workspace& workspace, Actions& actions, QWidget* parent)
    : QWidget(parent),
      m_workspace(workspace),
      m_running(new Badge),
      m_logWorst(new Badge),
      m_queued(small({}, QFont::Normal, Tone::Secondary)),
      m_longest(new TextLabel({}, text_size::kTable)),
      m_percent(small({}, QFont::DemiBold)),
      m_left(small({}, QFont::Normal, Tone::Secondary)),
      m_processor(small({}, QFont::DemiBold)),
      m_memory(small({}, QFont::DemiBold)),
      m_memoryTotal(small({}, QFont::Normal, Tone::Secondary)),
      m_bar(new ProgressBar),
      m_link(new Badge),
      m_longestPart(new QWidget),
      m_processorPart(new QWidget),
      m_machinePart(new QWidget),
      m_elsewhere(toolButton(QStringLiteral("chevrons-up-down"), tr("Workspaces and servers"))),
      m_retry(button(tr("Try again"), {}, ButtonRole::Plain, ControlSize::Small)) {
    m_bar->setFixedWidth(scaled(96));
    m_bar->setAccessibleName(tr("Progress of the longest job"));
    m_longest->setMaximumWidth(scaled(200));
    m_longestPart->setLayout(row({verticalLine(), m_longest, m_bar, m_percent, m_left}, 8, {0, 0, 0, 0}));
    m_processorPart->setLayout(
        row({new IconMark(QStringLiteral("cpu"), 16, Tone::Text), small(tr("Engine")), m_processor}, 6));
    m_machinePart->setLayout(row({verticalLine(), new IconMark(QStringLiteral("memory-stick"), 16, Tone::Text),
                                  m_memory, m_memoryTotal, verticalLine()}));
    setLayout(row({dockButton(actions.get(action::kJobsDock), tr("Jobs")), m_running, m_queued, m_longestPart,
                   verticalLine(), dockButton(actions.get(action::kLogDock), tr("Log")), m_logWorst, nullptr,
                   m_processorPart, m_machinePart, m_link, m_elsewhere, m_retry},
                  8, {8, 4, 12, 3}));
    setFixedHeight(scaled(28));
    setAccessibleName(tr("Status"));
    connect(m_elsewhere, &QToolButton::clicked, actions.get(action::kWorkspaces), &QAction::trigger);
    connect(m_retry, &QPushButton::clicked, this, [this] { m_workspace.engine().retryNow(); });
    connect(&workspace, &Workspace::jobsChanged, this, &StatusStrip::showJobs);
    connect(&workspace, &Workspace::logChanged, this, &StatusStrip::showLog);
    connect(&workspace, &Workspace::snapshotChanged, this, &StatusStrip::showMachine);
    connect(&workspace, &Workspace::machineChanged, this, &StatusStrip::showMachine);
    connect(&workspace, &Workspace::left, this, [this] { m_readUntil = -1; });
    connect(&workspace.engine(), &EngineClient::linkChanged, this, &StatusStrip::showLink);
    showJobs();
    showLog();
    showLink();
}

void StatusStrip::setNarrow(bool narrow) {
    m_narrow = narrow;
    m_processorPart->setVisible(!narrow && m_workspace.engine().access() != Access::Guest);
    showJobs();
}

void StatusStrip::markLogRead() {
    const auto& records = m_workspace.log().records();
    setLogReadUntil(records.empty() ? m_readUntil : qint64(records.back().at));
}

void StatusStrip::setLogReadUntil(qint64 at) {
    m_readUntil = at;
    showLog();
}

void StatusStrip::showJobs() {
    const auto& jobs = m_workspace.jobs().jobs();
    int running = 0, queued = 0;
    const JobRecord* longest = nullptr;
    for (const JobRecord& job : jobs) {
        running += job.state == JobState::Running;
        queued += job.state == JobState::Queued;
        if (job.state == JobState::Running && (!longest || job.etaS > longest->etaS)) longest = &job;
    }
    m_running->setVisible(running > 0);
    m_running->show(QStringLiteral("circle-play"), tr("%1 running").arg(running), Tone::Accent);
    m_queued->setVisible(queued > 0);
    m_queued->setText(tr("%1 queued").arg(queued));
    m_longestPart->setVisible(longest && !m_narrow);
    if (!longest) return;
    m_longest->setText(titleOf(*longest));
    m_bar->setShare(longest->progress);
    m_percent->setText(QStringLiteral("%1 %").arg(qRound(longest->progress * 100)));
    m_left->setText(longest->etaS >= 0 ? tr("%1 left").arg(timeLeft(*longest)) : QString());
}

void StatusStrip::showLog() {
    const int unread = m_workspace.log().countAtLeast(2, m_readUntil);
    const bool anyError = m_workspace.log().countAtLeast(3, m_readUntil) > 0;
    m_logWorst->setVisible(unread > 0);
    m_logWorst->show(anyError ? QStringLiteral("circle-x") : QStringLiteral("triangle-alert"), QString::number(unread),
                     anyError ? Tone::Error : Tone::Warn);
    m_logWorst->setAccessibleName(counted(unread, tr("%1 warning or error"), tr("%1 warnings or errors")));
}

void StatusStrip::showMachine() {
    if (!m_workspace.snapshot()) {
        for (TextLabel* label : {m_processor, m_memory}) label->setText(QStringLiteral("–"));
        m_memoryTotal->setText({});
        return;
    }
    const Snapshot& s = *m_workspace.snapshot();
    m_workspace.refreshMachine(kNeverOld);
    const int cores = m_workspace.machine() ? m_workspace.machine()->processors : 0;
    const QString used = QLocale().toString(s.processorShare, 'f', 2);
    m_processor->setText(cores > 0 ? tr("%1 %").arg(qRound(100 * s.processorShare / cores)) : tr("%1 cores").arg(used));
    m_processorPart->setToolTip(
        (cores > 0 ? counted(cores, tr("The engine uses %2 of %1 core"), tr("The engine uses %2 of %1 cores")).arg(used)
                   : QString()) +
        QLatin1Char('\n') + text(s.device));
    m_memory->setText(formatGib(s.memory.total - s.memory.free));
    m_memoryTotal->setText(tr("of %1 GiB").arg(formatGib(s.memory.total)));
    showJobs();
}

void StatusStrip::showLink() {
    const EngineClient& engine = m_workspace.engine();
    m_retry->setVisible(engine.link() == Link::Lost || engine.link() == Link::Refused);
    switch (engine.link()) {
        case Link::Detached:
            m_link->show(QStringLiteral("plug"), tr("Not attached"), Tone::Secondary);
            break;
        case Link::Starting:
            m_link->show(QStringLiteral("clock"), tr("Starting the engine"), Tone::Secondary);
            break;
        case Link::Connecting:
            m_link->show(QStringLiteral("clock"), tr("Connecting"), Tone::Secondary);
            break;
        case Link::Attached:
            m_link->show(QStringLiteral("plug"),
                         engine.isForeign() ? tr("Attached to %1").arg(m_workspace.engine().address().url.host())
                                            : tr("Attached"),
                         Tone::Text);
            break;
        case Link::Lost:
            m_link->show(QStringLiteral("triangle-alert"), tr("Connection lost, retrying"), Tone::Warn);
            break;
        case Link::Refused:
            m_link->show(QStringLiteral("circle-x"), tr("Not connected"), Tone::Error);
            break;
    }
    const auto trouble = engine.trouble();
    m_link->setToolTip(trouble ? text(trouble->message) : engine.address().url.toString());
    const bool machine = engine.access() != Access::Guest;
    m_machinePart->setVisible(machine);
    m_processorPart->setVisible(machine && !m_narrow);
}

void StatusStrip::paintEvent(QPaintEvent*) {
    const ThemeColors& c = colorsOf(palette());
    QPainter painter(this);
    painter.fillRect(rect(), QColor(c.side));
    painter.fillRect(QRect(0, 0, width(), 1), QColor(c.line));
}

}  // namespace espalier::ui
