// SPDX-License-Identifier: GPL-3.0-or-later
// MoveTimeline: the moves of adapters over time, in lanes under the steps of the models: from RAM to the device,
// evicted, from disk to RAM. What took time is a block as long as it took, what took none a diamond; a dashed line
// joins the two parts of one way from disk. Where there are more steps than room, their lane shows how much of the time
// was computed. MoveTable and StepTable are its twins.
//
// Owner: a page. Thread: Qt.
#pragma once

#include <optional>

#include "ui/models/move_table.h"
#include "ui/models/step_table.h"
#include "ui/widgets/part_canvas.h"

namespace espalier::ui {

class MoveTimeline : public PartCanvas {
    Q_OBJECT
public:
    // Shows the newest move or step and what came in the time before it.
    MoveTimeline(const MoveTable& moves, const StepTable& steps, QWidget* parent = nullptr);

    // Parts are the rows of the moves, then those of the steps.
    QString partText(int part) const override;
    QRect partRect(int part) const override;  // null also: too old to be shown
    int partOfMove(int row) const { return row; }
    int partOfStep(int row) const { return m_moves.rowCount() + row; }

    // Chooses a part, and holds the time around it when it is too old to be shown; Esc goes back to the newest.
    void bringIntoSight(int part);
    qint64 spanMs() const { return m_spanMs; }
    // Shorter or longer, around the chosen part when there is one, else up to the newest. Also by the keys plus and
    // minus and by the wheel with Ctrl.
    void zoom(int steps);
    QSize sizeHint() const override { return {480, 104}; }
    QSize minimumSizeHint() const override { return {200, 92}; }

protected:
    int partAt(QPoint point) const override;
    int partBeside(int from, int key) const override;
    void paintEvent(QPaintEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;

private:
    bool isStep(int part) const { return part >= m_moves.rowCount(); }
    const StepRecord& stepOf(int part) const { return m_steps.steps()[std::size_t(part - m_moves.rowCount())]; }
    int partCount() const { return m_moves.rowCount() + m_steps.rowCount(); }
    double timeOf(int part) const;
    double end() const;  // of the time shown, Unix milliseconds
    double xOf(double at) const;
    QRect laneRect(int lane) const;
    QRect blockRect(int lane, double at, double seconds) const;
    bool areStepsDense() const;
    void paintLanes(QPainter& painter) const;
    void paintSteps(QPainter& painter) const;
    void paintMoves(QPainter& painter) const;
    void paintWays(QPainter& painter) const;
    void paintNames(QPainter& painter) const;

    const MoveTable& m_moves;
    const StepTable& m_steps;
    qint64 m_spanMs = 10'000;
    std::optional<double> m_heldEnd;  // set by zooming while a part is chosen
};

}  // namespace espalier::ui
