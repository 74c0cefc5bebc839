// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/link_strip.h"

#include <QBoxLayout>
#include <QPainter>

#include "ui/models/format.h"

namespace espalier::ui {
namespace {

constexpr int kCountMs = 500;

}  // namespace

LinkStrip::LinkStrip(Workspace& workspace, Actions& actions, QWidget* parent)
    : QFrame(parent),
      m_workspace(workspace),
      m_lostMark(new IconMark(QStringLiteral("triangle-alert"), 16, Tone::Warn)),
      m_failedMark(new IconMark(QStringLiteral("circle-x"), 16, Tone::Error)),
      m_what(new TextLabel({}, text_size::kTable, QFont::Medium)),
      m_wait(new TextLabel({}, text_size::kTable, QFont::Normal)),
      m_why(paragraph({}, text_size::kTable, Tone::Text)),
      m_retry(smallButtonFor(actions.get(action::kRetry), tr("Try again"))),
      m_start(smallButtonFor(actions.get(action::kStartEngine), tr("Start the engine"))),
      m_elsewhere(smallButtonFor(actions.get(action::kWorkspaces), tr("Workspaces and servers"))) {
    m_what->setElide(Qt::ElideNone);
    setLayout(row({column({row({m_lostMark, m_failedMark}, 0), nullptr}, 0),
                   LayoutItem(column({row({m_what, LayoutItem(m_wait, 1)}, 12), m_why}, 2), 1),
                   column({row({m_retry, m_start, m_elsewhere}, 4), nullptr}, 0)},
                  8, {12, 8, 12, 8}));
    setAccessibleName(tr("Connection"));
    setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Maximum);
    m_count.setInterval(kCountMs);
    connect(&m_count, &QTimer::timeout, this, &LinkStrip::showWait);
    connect(&workspace.engine(), &EngineClient::linkChanged, this, &LinkStrip::refresh);
    refresh();
}

QString LinkStrip::text() const {
    return m_what->text() + QLatin1Char('\n') + m_why->text() + QLatin1Char('\n') + m_wait->text();
}

void LinkStrip::refresh() {
    const EngineClient& engine = m_workspace.engine();
    const auto trouble = engine.trouble();
    const bool lost = engine.link() == Link::Lost;
    const bool refused = engine.link() == Link::Refused;
    const bool stopped = engine.link() == Link::Detached && trouble;
    setVisible(lost || refused || stopped);
    if (isHidden()) {
        m_count.stop();
        return;
    }
    const QString where = m_workspace.name();
    m_isError = refused;
    m_what->setText(lost      ? tr("The connection to %1 is lost").arg(where)
                    : refused ? tr("Not connected to %1").arg(where)
                              : tr("No engine runs for %1").arg(where));
    m_why->setText(trouble ? espalier::ui::text(trouble->message) : QString());
    m_lostMark->setVisible(!m_isError);
    m_failedMark->setVisible(m_isError);
    m_retry->setVisible(lost || refused);
    m_start->setVisible(stopped);
    m_wait->setVisible(lost);
    if (lost)
        m_count.start();
    else
        m_count.stop();
    showWait();
    setAccessibleDescription(text());
    update();
}

void LinkStrip::showWait() {
    const int left = m_workspace.engine().retryInMs();
    m_wait->setText(left < 0 ? tr("Trying again now") : tr("Trying again in %1 s").arg((left + 999) / 1000));
}

void LinkStrip::paintEvent(QPaintEvent*) {
    const ThemeColors& c = colorsOf(palette());
    QPainter painter(this);
    painter.fillRect(rect(), QColor(m_isError ? c.errorGround : c.warnGround));
    painter.fillRect(QRect(0, height() - 1, width(), 1), QColor(m_isError ? c.error : c.warn));
}

}  // namespace espalier::ui
