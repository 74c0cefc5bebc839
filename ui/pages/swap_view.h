// SPDX-License-Identifier: GPL-3.0-or-later
// SwapView: the moves of adapters and the steps beside which they went: a timeline, the tables that are its twins, and
// in words the move that is chosen in either.
#pragma once

#include "ui/models/move_table.h"
#include "ui/models/step_table.h"
#include "ui/models/workspace.h"
#include "ui/widgets/controls.h"

namespace espalier::ui {

class MoveDetail;
class MoveTimeline;
class TableView;

class SwapView : public QWidget {
    Q_OBJECT
public:
    explicit SwapView(Workspace& workspace);
    QWidget* tools() const { return m_tools; }  // for the title row of the panel that shows it
    bool hasMoves() const { return m_moves.rowCount() > 0; }
    void add(const std::vector<AdapterMove>& moves);
    void clear();
    void askForSteps();  // of the daemon; to be called while it is seen
    void setNarrow(bool narrow);

private:
    QWidget* makeTools();
    void showMove(int part);

    Workspace& m_workspace;
    MoveTable m_moves;
    StepTable m_steps;
    MoveTimeline* m_timeline;
    MoveDetail* m_detail;
    TableView *m_moveTable, *m_stepTable;
    SegmentedSwitch* m_twin;
    QWidget* m_tools;
    bool m_isAsking = false;
};

}  // namespace espalier::ui
