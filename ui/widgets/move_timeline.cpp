// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/move_timeline.h"

#include <QKeyEvent>
#include <QPainter>
#include <QWheelEvent>
#include <algorithm>
#include <array>

#include "ui/models/format.h"
#include "ui/shell/theme.h"

namespace espalier::ui {
namespace {

enum Lane { kSteps, kToPool, kGivenUp, kToRam, kLanes };
constexpr int kAxisHeight = 16, kNameWidth = 92, kMargin = 8;
constexpr int kLeastBlock = 3, kDiamond = 9, kBucket = 2, kNameGap = 4, kLeastName = 24;
constexpr std::array<qint64, 6> kSpans{100, 250, 1000, 10'000, 60'000, 300'000};

int laneOf(const AdapterMove& move) {
    if (move.to == AdapterTier::Pool) return kToPool;
    return move.from == AdapterTier::Disk ? kToRam : kGivenUp;
}

QRgb groundOf(const ThemeColors& c, int lane) {
    return lane % 2 == 0 ? c.base : c.alternateBase;
}

bool isPrompt(const StepRecord& step) {
    return step.promptRows > 0;
}

}  // namespace

MoveTimeline::MoveTimeline(const MoveTable& moves, const StepTable& steps, QWidget* parent)
    : PartCanvas(tr("Swap timeline"), parent), m_moves(moves), m_steps(steps) {
    // A chosen move keeps being chosen while others come; a step does not live long enough to be worth it.
    connect(&moves, &QAbstractItemModel::rowsInserted, this, [this](const QModelIndex&, int first, int last) {
        const int before = m_moves.rowCount() - (last - first + 1);
        renumber(chosen() == kNone || chosen() >= before ? kNone : chosen() + last - first + 1);
    });
    connect(&moves, &QAbstractItemModel::rowsRemoved, this, [this](const QModelIndex&, int first, int last) {
        renumber(chosen() < first ? chosen() : kNone);
        Q_UNUSED(last);
    });
    const auto stepsChanged = [this] { renumber(isStep(chosen()) ? kNone : chosen()); };
    connect(&moves, &QAbstractItemModel::modelReset, this, [this] { renumber(kNone); });
    connect(&steps, &QAbstractItemModel::modelReset, this, stepsChanged);
    connect(&steps, &QAbstractItemModel::rowsInserted, this, stepsChanged);
    connect(&steps, &QAbstractItemModel::rowsRemoved, this, stepsChanged);
}

double MoveTimeline::timeOf(int part) const {
    return double(isStep(part) ? stepOf(part).at : m_moves.moves()[std::size_t(part)].at);
}

double MoveTimeline::end() const {
    if (m_heldEnd) return *m_heldEnd;
    double newest = 0;
    if (m_moves.rowCount() > 0) newest = timeOf(partOfMove(0));
    if (m_steps.rowCount() > 0) newest = std::max(newest, timeOf(partOfStep(0)));
    return newest;
}

QRect MoveTimeline::laneRect(int lane) const {
    const int lanes = height() - scaled(kAxisHeight);
    const int top = lanes * lane / kLanes, bottom = lanes * (lane + 1) / kLanes;
    return {scaled(kNameWidth), top, width() - scaled(kNameWidth) - kMargin, bottom - top};
}

double MoveTimeline::xOf(double at) const {
    const QRect lane = laneRect(0);
    return lane.left() + (at - end() + double(m_spanMs)) / double(m_spanMs) * lane.width();
}

QRect MoveTimeline::blockRect(int lane, double at, double seconds) const {
    const QRect room = laneRect(lane);
    const double last = xOf(at);
    if (last < room.left() || xOf(at - seconds * 1000) > room.right() + 1) return {};
    const int high = qMin(room.height() - 4, scaled(12)), top = room.center().y() - high / 2;
    if (seconds <= 0) return {qRound(last) - kDiamond / 2, room.center().y() - kDiamond / 2, kDiamond, kDiamond};
    const double right = qMin(last, double(room.right() + 1));
    const double left = qMax(double(room.left()), xOf(at - seconds * 1000));
    const int wide = qMax(kLeastBlock, qRound(right - left));
    return {qRound(right) - wide, top, wide, high};
}

QRect MoveTimeline::partRect(int part) const {
    if (part < 0 || part >= partCount()) return {};
    if (isStep(part)) return blockRect(kSteps, timeOf(part), std::max(stepOf(part).seconds, 1e-9));
    const AdapterMove& move = m_moves.moves()[std::size_t(part)];
    return blockRect(laneOf(move), double(move.at), move.seconds);
}

QString MoveTimeline::partText(int part) const {
    if (part < 0 || part >= partCount()) return {};
    if (isStep(part)) {
        const StepRecord& step = stepOf(part);
        QString said = tr("Step of %1").arg(text(step.model)) + QLatin1Char('\n') + StepTable::workText(step) +
                       QStringLiteral(" · ") + tr("%1 ms").arg(formatMs(step.seconds * 1000));
        if (step.adapters > 0)
            said += QLatin1Char('\n') + counted(step.adapters, tr("with %1 adapter"), tr("with %1 adapters"));
        return said;
    }
    const AdapterMove& move = m_moves.moves()[std::size_t(part)];
    QString said = tr("%1 · %2").arg(text(move.adapter), MoveTable::wayText(move));
    said += QLatin1Char('\n') + formatBytes(move.bytes);
    if (move.seconds > 0) said += QStringLiteral(" · ") + tr("%1 ms").arg(formatMs(move.seconds * 1000));
    said += QLatin1Char('\n') + MoveTable::whyText(move);
    if (!move.tenant.empty()) said += QStringLiteral(" · ") + tr("for %1").arg(text(move.tenant));
    return said;
}

// What is drawn last lies on top; moves before steps, for they are what is looked for.
int MoveTimeline::partAt(QPoint point) const {
    for (int part = 0; part < partCount(); ++part)
        if (partRect(part).adjusted(-2, -2, 2, 2).contains(point) && !partRect(part).isNull()) return part;
    return kNone;
}

// Left is older; up and down go between the steps and the moves, to the one nearest in time.
int MoveTimeline::partBeside(int from, int key) const {
    if (partCount() == 0) return kNone;
    if (from == kNone) return m_moves.rowCount() > 0 ? partOfMove(0) : partOfStep(0);
    if (key == Qt::Key_Left || key == Qt::Key_Right) {
        const int to = from + (key == Qt::Key_Left ? 1 : -1);
        return to >= 0 && to < partCount() && isStep(to) == isStep(from) ? to : kNone;
    }
    if (isStep(from) == (key == Qt::Key_Up)) return kNone;
    const int first = isStep(from) ? 0 : m_moves.rowCount(), last = isStep(from) ? m_moves.rowCount() : partCount();
    int nearest = kNone;
    for (int part = first; part < last; ++part)
        if (nearest == kNone || qAbs(timeOf(part) - timeOf(from)) < qAbs(timeOf(nearest) - timeOf(from)))
            nearest = part;
    return nearest;
}

void MoveTimeline::bringIntoSight(int part) {
    choose(part);
    if (partRect(part).isNull()) m_heldEnd = timeOf(part) + double(m_spanMs) / 2;
    update();
}

void MoveTimeline::zoom(int steps) {
    const int now = int(std::ranges::find(kSpans, m_spanMs) - kSpans.begin());
    m_spanMs = kSpans[std::size_t(qBound(0, now - steps, int(kSpans.size()) - 1))];
    if (chosen() != kNone) m_heldEnd = timeOf(chosen()) + double(m_spanMs) / 2;
    update();
}

void MoveTimeline::keyPressEvent(QKeyEvent* event) {
    switch (event->key()) {
        case Qt::Key_Plus:
        case Qt::Key_Equal:
            return zoom(1);
        case Qt::Key_Minus:
            return zoom(-1);
        case Qt::Key_Escape:
            m_heldEnd.reset();
            update();
            break;
        default:
            break;
    }
    PartCanvas::keyPressEvent(event);
}

void MoveTimeline::wheelEvent(QWheelEvent* event) {
    if (!(event->modifiers() & Qt::ControlModifier)) return event->ignore();
    zoom(event->angleDelta().y() > 0 ? 1 : -1);
}

void MoveTimeline::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.setFont(uiFont(text_size::kCaption, QFont::Normal));
    paintLanes(painter);
    if (partCount() > 0) {
        painter.setClipRect(laneRect(kSteps).united(laneRect(kToRam)));
        paintSteps(painter);
        painter.setRenderHint(QPainter::Antialiasing);
        paintWays(painter);
        paintMoves(painter);
        paintNames(painter);
        painter.setClipping(false);
    }
    paintFocus(painter);
}

void MoveTimeline::paintLanes(QPainter& painter) const {
    const ThemeColors& c = colorsOf(palette());
    const std::array names{tr("Steps"), tr("RAM → Device"), tr("Evicted"), tr("Disk → RAM")};
    for (int lane = 0; lane < kLanes; ++lane) {
        const QRect rect = laneRect(lane);
        painter.fillRect(rect, QColor(groundOf(c, lane)));
        painter.setPen(QColor(c.secondary));
        painter.drawText(QRect(0, rect.top(), scaled(kNameWidth) - 6, rect.height()), Qt::AlignRight | Qt::AlignVCenter,
                         names[std::size_t(lane)]);
    }
    if (partCount() == 0) return;
    const QRect axis(laneRect(0).left(), height() - scaled(kAxisHeight), laneRect(0).width(), scaled(kAxisHeight));
    const QString span = m_spanMs < 1000 ? tr("−%1 ms").arg(m_spanMs) : tr("−%1 s").arg(m_spanMs / 1000);
    painter.drawText(axis, Qt::AlignLeft | Qt::AlignVCenter, span);
    painter.drawText(axis, Qt::AlignRight | Qt::AlignVCenter, formatClock(qint64(end())));
}

bool MoveTimeline::areStepsDense() const {
    const auto shown = std::ranges::count_if(m_steps.steps(), [this](const StepRecord& step) {
        return double(step.at) > end() - double(m_spanMs) && double(step.at) <= end();
    });
    return shown * 2 * kBucket > laneRect(kSteps).width();
}

// Steps that read prompts are as high as the lane, those that only continue answers half as high: the colour is not
// the only cue.
void MoveTimeline::paintSteps(QPainter& painter) const {
    const ThemeColors& c = colorsOf(palette());
    const QRect lane = laneRect(kSteps).adjusted(0, 2, 0, -2);
    if (!areStepsDense()) {
        for (int row = 0; row < m_steps.rowCount(); ++row) {
            const int part = partOfStep(row);
            const StepRecord& step = stepOf(part);
            QRect rect = partRect(part);
            if (rect.isNull()) continue;
            const int high = isPrompt(step) ? lane.height() : lane.height() / 2;
            rect = QRect(rect.left(), lane.bottom() + 1 - high, qMax(1, rect.width() - 1), high);
            painter.fillRect(rect, QColor(isPrompt(step) ? c.weights : c.kvRunning));
            if (part != chosen()) continue;
            painter.setPen(QPen(QColor(c.text), 1.5));
            painter.setBrush(Qt::NoBrush);
            painter.drawRect(rect);
        }
        return;
    }
    std::vector<double> computed(std::size_t(lane.width() / kBucket + 1)), prompts(computed.size());
    const double bucketMs = double(m_spanMs) * kBucket / lane.width();
    for (const StepRecord& step : m_steps.steps()) {
        const double last = double(step.at) - end() + double(m_spanMs), first = last - step.seconds * 1000;
        const int from = int(first / bucketMs), to = int(last / bucketMs);
        for (int i = qMax(0, from); i <= qMin(to, int(computed.size()) - 1); ++i) {
            const double share = (std::min(last, (i + 1) * bucketMs) - std::max(first, i * bucketMs)) / bucketMs;
            computed[std::size_t(i)] += qMax(0.0, share);
            if (isPrompt(step)) prompts[std::size_t(i)] += qMax(0.0, share);
        }
    }
    for (std::size_t i = 0; i < computed.size(); ++i) {
        const int high = qRound(qMin(1.0, computed[i]) * lane.height());
        const bool isMostlyPrompt = prompts[i] * 2 > computed[i];
        painter.fillRect(QRect(lane.left() + int(i) * kBucket, lane.bottom() + 1 - high, kBucket, high),
                         QColor(isMostlyPrompt ? c.weights : c.kvRunning));
    }
}

// From the end of the read to the begin of the copy that it was for.
void MoveTimeline::paintWays(QPainter& painter) const {
    painter.setPen(QPen(QColor(colorsOf(palette()).secondary), 0, Qt::DashLine));
    const auto& moves = m_moves.moves();
    for (std::size_t copied = 0; copied < moves.size(); ++copied) {
        if (laneOf(moves[copied]) != kToPool) continue;
        for (std::size_t read = copied + 1; read < moves.size(); ++read) {
            if (moves[read].adapter != moves[copied].adapter) continue;
            const QRect to = partRect(int(copied)), from = partRect(int(read));
            if (laneOf(moves[read]) == kToRam && !to.isNull() && !from.isNull())
                painter.drawLine(QPoint(from.right(), from.top()), QPoint(to.left(), to.bottom()));
            break;
        }
    }
}

void MoveTimeline::paintMoves(QPainter& painter) const {
    const ThemeColors& c = colorsOf(palette());
    for (int row = m_moves.rowCount(); row-- > 0;) {
        const QRect rect = partRect(row);
        if (rect.isNull()) continue;
        const bool isBlock = m_moves.moves()[std::size_t(row)].seconds > 0;
        painter.setPen(row == chosen() ? QPen(QColor(c.text), 1.5) : Qt::NoPen);
        painter.setBrush(QColor(isBlock ? c.adapters : c.kvCached));
        if (isBlock) {
            painter.drawRect(rect);
        } else {
            const QPoint middle = rect.center();
            painter.drawPolygon(QPolygon({{middle.x(), rect.top()},
                                          {rect.right(), middle.y()},
                                          {middle.x(), rect.bottom()},
                                          {rect.left(), middle.y()}}));
        }
    }
}

// Right of its block, where nothing else follows so soon; on the ground of its lane, so that no line goes through it.
void MoveTimeline::paintNames(QPainter& painter) const {
    std::array<int, kLanes> free{};
    free.fill(laneRect(0).right());
    const ThemeColors& c = colorsOf(palette());
    painter.setPen(QColor(c.text));
    for (int row = 0; row < m_moves.rowCount(); ++row) {
        const QRect rect = partRect(row);
        if (rect.isNull()) continue;
        const AdapterMove& move = m_moves.moves()[std::size_t(row)];
        int& until = free[std::size_t(laneOf(move))];
        const int left = rect.right() + kNameGap, room = until - kNameGap - left;
        until = qMin(until, rect.left());
        const QString name = painter.fontMetrics().elidedText(text(move.adapter), Qt::ElideRight, room);
        if (room < scaled(kLeastName)) continue;
        const QRect place(left, rect.center().y() - 10, room, 20);
        painter.fillRect(painter.boundingRect(place, Qt::AlignLeft | Qt::AlignVCenter, name).adjusted(-1, 0, 1, 0),
                         QColor(groundOf(c, laneOf(move))));
        painter.drawText(place, Qt::AlignLeft | Qt::AlignVCenter, name);
    }
}

}  // namespace espalier::ui
