// SPDX-License-Identifier: GPL-3.0-or-later
// MoveTimeline: the moves of adapters over time, in lanes: from disk to RAM, from RAM to the pool, given up. What took
// time is a block as long as it took, what took none a diamond. Hovering or the arrow keys choose a move and say what,
// how much, why and for whom. MoveTable is its twin.
//
// Owner: a page. Thread: Qt.
#pragma once

#include <QWidget>

#include "ui/models/move_table.h"

namespace espalier::ui {

class MoveTimeline : public QWidget {
    Q_OBJECT
public:
    // Shows the newest move and what came in the `spanMs` before it.
    explicit MoveTimeline(const MoveTable& moves, qint64 spanMs = 10'000, QWidget* parent = nullptr);

    QString moveText(int row) const;  // of the table; empty: no such move
    QRect moveRect(int row) const;    // null: too old to be shown
    QSize sizeHint() const override { return {480, 84}; }
    QSize minimumSizeHint() const override { return {200, 72}; }

protected:
    bool event(QEvent* event) override;
    void paintEvent(QPaintEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    int moveAt(QPoint point) const;  // -1: none
    void choose(int row);
    QRect laneRect(int lane) const;
    double xOf(double at) const;

    const MoveTable& m_moves;
    const qint64 m_spanMs;
    int m_chosen = -1;
};

}  // namespace espalier::ui
