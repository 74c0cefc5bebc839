// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/serve_header.h"

#include <QBoxLayout>
#include <QLocale>
#include <cmath>

#include "ui/models/format.h"
#include "ui/widgets/key_field.h"

namespace espalier::ui {
namespace {

constexpr int kHeaderHeight = 56;

// Loopback reaches this machine only; everything else is reachable by others.
bool isLoopback(const QString& host) {
    return host == QLatin1String("localhost") || host == QLatin1String("::1") || host.startsWith(QLatin1String("127."));
}

}  // namespace

ServeHeader::ServeHeader(Workspace& workspace, Actions& actions)
    : HeaderBar(kHeaderHeight),
      m_workspace(workspace),
      m_actions(actions),
      m_toggle(
          buttonFor(actions.get(action::kServeToggle), tr("Start server"), ButtonRole::Primary, ControlSize::Large)),
      m_badge(new Badge),
      m_uptime(new TextLabel({}, text_size::kTable, QFont::Normal, Tone::Secondary)),
      m_running(new Figure(tr("Running"))),
      m_waiting(new Figure(tr("Waiting"))),
      m_decode(new Figure(tr("Decode"))),
      m_ttft(new Figure(tr("TTFT p95"))),
      m_tpot(new Figure(tr("TPOT p50"))),
      m_hits(new Figure(tr("Adapter hits"))),
      m_lastLine(verticalLine()),
      m_hitsLine(verticalLine()) {
    m_toggle->setMinimumWidth(scaled(132));
    auto* drain = buttonFor(actions.get(action::kDrain), tr("Drain"), ButtonRole::Plain, ControlSize::Large);
    auto* title = new TextLabel(tr("Serve"), text_size::kTitle, QFont::DemiBold);
    title->setElide(Qt::ElideNone);
    auto* figures = row({m_running, verticalLine(), m_waiting, verticalLine(), m_decode, verticalLine(), m_ttft,
                         m_lastLine, m_tpot, m_hitsLine, m_hits},
                        16, {0, 10, 4, 10});
    setLayout(row(
        {m_toggle, drain, 8,
         LayoutItem(column({nullptr, row({title, m_badge, LayoutItem(m_uptime, 1)}, 8), addressRow(), nullptr}, 0), 1),
         figures},
        8, {16, 2, 12, 3}));
    connect(&workspace, &Workspace::snapshotChanged, this, &ServeHeader::showSnapshot);
    connect(&workspace.engine(), &EngineClient::linkChanged, this, &ServeHeader::showAddress);
    m_badge->setVisible(workspace.snapshot() != nullptr);
    showAddress();
    showHits();
}

QWidget* ServeHeader::addressRow() {
    m_url = new TextLabel;
    m_url->setMono();
    auto* copy = toolButton(QStringLiteral("copy"), tr("Copy the address"));
    copy->setIconSize(QSize(14, 14));
    connect(copy, &QToolButton::clicked, m_actions.get(action::kCopyUrl), &QAction::trigger);
    m_address = toolButton(QStringLiteral("sliders-horizontal"), tr("Port and exposure"));
    m_address->setIconSize(QSize(14, 14));
    QAction* address = m_actions.get(action::kAddress);
    connect(m_address, &QToolButton::clicked, address, &QAction::trigger);
    const auto follow = [this, address] {
        m_address->setVisible(address->isVisible());
        m_address->setEnabled(address->isEnabled());
    };
    connect(address, &QAction::changed, this, follow);
    follow();
    m_exposure = new TextLabel({}, text_size::kCaption, QFont::Normal, Tone::Secondary);
    m_exposure->setElide(Qt::ElideNone);
    m_key = new KeyField;
    auto* holder = new QWidget;
    auto* line = row({m_url, copy, m_exposure, m_address, 4, LayoutItem(m_key, 1)}, 4);
    line->addStretch(0);  // takes the room where the key is not shown, and none from it where it is
    holder->setLayout(line);
    return holder;
}

// The key is copied by the command of the menu where there is no room for it.
void ServeHeader::setNarrow(bool narrow) {
    m_key->setVisible(!narrow);
    m_isNarrow = narrow;
    showHits();
}

// Of the last minute, as the plot has it; absent while no request named an adapter.
void ServeHeader::showHits() {
    const SampleRing& history = m_workspace.history();
    const double share = history.isEmpty() ? kGap : history.value(history.size() - 1, int(Metric::AdapterHitShare));
    const bool isShown = !m_isNarrow && !std::isnan(share);
    m_hits->setVisible(isShown);
    m_hitsLine->setVisible(isShown);
    m_tpot->setVisible(!m_isNarrow && !isShown);  // the room is for five; the plot of TPOT is on the page
    m_lastLine->setVisible(m_tpot->isVisibleTo(this));
    if (isShown) m_hits->setValue(QLocale().toString(share, 'f', 1), QStringLiteral("%"));
}

void ServeHeader::showNoSnapshot() {
    for (Figure* figure : {m_running, m_waiting, m_decode, m_ttft, m_tpot}) figure->setValue(QStringLiteral("–"));
    m_uptime->setText({});
    showHits();
}

void ServeHeader::showSnapshot() {
    m_badge->setVisible(m_workspace.snapshot() != nullptr);
    if (!m_workspace.snapshot()) return showNoSnapshot();
    if (!isVisible()) return;  // shown when the page is
    const Snapshot& s = *m_workspace.snapshot();
    const StateMark mark = markOf(s.serve);
    m_badge->show(mark.icon, mark.word, mark.tone);
    const bool stopped = s.serve == ServeState::Stopped;
    const QString verb = stopped ? tr("Start server") : tr("Stop server");
    if (m_toggle->accessibleName() != verb) {
        m_toggle->setText(QLatin1Char(' ') + verb);
        m_toggle->setAccessibleName(verb);
        m_toggle->setIcon(
            icon(stopped ? QStringLiteral("play") : QStringLiteral("square"), stopped ? Tone::OnAccent : Tone::Text));
        setButtonRole(m_toggle, stopped ? ButtonRole::Primary : ButtonRole::Plain);
    }
    m_uptime->setText(s.startedAt > 0 ? formatDuration(double(s.at - s.startedAt) / 1000) : QString());
    m_running->setValue(formatCount(s.running));
    m_waiting->setValue(formatCount(s.waiting));
    m_decode->setValue(formatRate(s.decodeTokensPerS), tr("tok/s"));
    m_ttft->setValue(s.ttftMs.samples > 0 ? formatMs(s.ttftMs.p95) : QStringLiteral("–"), tr("ms"));
    m_tpot->setValue(s.tpotMs.samples > 0 ? formatMs(s.tpotMs.p50) : QStringLiteral("–"), tr("ms"));
    showHits();
}

void ServeHeader::showEvent(QShowEvent* event) {
    HeaderBar::showEvent(event);
    showSnapshot();
}

void ServeHeader::showAddress() {
    const DaemonAddress& address = m_workspace.engine().address();
    m_url->setText(address.url.isEmpty() ? QString() : address.url.toString() + QStringLiteral("/v1"));
    const bool isOpen = !address.url.isEmpty() && !isLoopback(address.url.host());
    m_exposure->setTone(isOpen ? Tone::Warn : Tone::Secondary);
    m_exposure->setText(address.url.isEmpty() ? QString() : isOpen ? tr("This network") : tr("This machine only"));
    m_exposure->setToolTip(isOpen ? tr("Everybody who reaches this address and has the key can use the server.")
                                  : tr("Only programs on this machine reach the server."));
    m_key->setKey(address.key, address.keyFile);
}

}  // namespace espalier::ui
