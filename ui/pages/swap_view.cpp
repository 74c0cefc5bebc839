// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/swap_view.h"

#include <QStackedWidget>

#include "core/api/protocol.h"
#include "ui/models/format.h"
#include "ui/widgets/move_detail.h"
#include "ui/widgets/move_legend.h"
#include "ui/widgets/move_timeline.h"
#include "ui/widgets/table_view.h"

namespace espalier::ui {
namespace {

constexpr int kDetailWidth = 320, kDetailNarrow = 260;
const std::vector kMoveWidths{10, 20, 14, 24, 14, 10, 8}, kMoveNarrow{15, 26, 22, 0, 0, 18, 17};
const std::vector kStepWidths{14, 30, 16, 14, 14, 12};

}  // namespace

SwapView::SwapView(Workspace& workspace)
    : m_workspace(workspace),
      m_timeline(new MoveTimeline(m_moves, m_steps)),
      m_detail(new MoveDetail),
      m_moveTable(new TableView(&m_moves, tr("Moves of adapters"), kLiveRow, kMoveWidths)),
      m_stepTable(new TableView(&m_steps, tr("Steps of the models"), kLiveRow, kStepWidths)),
      m_twin(new SegmentedSwitch({tr("Moves"), tr("Steps")}, tr("Table under the timeline"))),
      m_tools(makeTools()) {
    auto* tables = new QStackedWidget;
    tables->addWidget(m_moveTable);
    tables->addWidget(m_stepTable);
    m_detail->setFixedWidth(scaled(kDetailWidth));
    auto* left = column({m_timeline, LayoutItem(tables, 1)}, 4, {0, 4, 0, 0});
    setLayout(row({LayoutItem(left, 1), verticalLine(), m_detail}, 0));
    m_twin->setCurrent(0);
    connect(m_twin, &SegmentedSwitch::chosen, tables, &QStackedWidget::setCurrentIndex);
    connect(m_timeline, &PartCanvas::partChosen, this, &SwapView::showMove);
    connect(m_moveTable->selectionModel(), &QItemSelectionModel::currentRowChanged, this,
            [this](const QModelIndex& now) {
                if (now.isValid()) m_timeline->bringIntoSight(m_timeline->partOfMove(now.row()));
            });
}

QWidget* SwapView::makeTools() {
    auto* closer = toolButton(QStringLiteral("zoom-in"), tr("Shorter time"));
    auto* wider = toolButton(QStringLiteral("zoom-out"), tr("Longer time"));
    connect(closer, &QToolButton::clicked, this, [this] { m_timeline->zoom(1); });
    connect(wider, &QToolButton::clicked, this, [this] { m_timeline->zoom(-1); });
    auto* tools = new QWidget;
    tools->setLayout(row({new MoveLegend, 8, closer, wider, m_twin}, 4));
    return tools;
}

void SwapView::add(const std::vector<AdapterMove>& moves) {
    m_moves.add(moves);
}

void SwapView::clear() {
    m_moves.clear();
    m_steps.setSteps({});
    m_detail->clear();
}

// The one shown last stays when none is chosen any more.
void SwapView::showMove(int part) {
    if (part < 0 || part >= m_moves.rowCount()) return;
    const AdapterMove& move = m_moves.moves()[std::size_t(part)];
    const ModelRecord* base = m_workspace.models().find(text(move.base));
    m_detail->show(move, base ? text(base->name) : QString(), m_steps.steps());
}

void SwapView::askForSteps() {
    if (m_isAsking || !m_workspace.engine().isAttached()) return;
    m_isAsking = true;
    m_workspace.engine().call(QStringLiteral("steps"), Json::object(), this, [this](const Result<Json>& answer) {
        m_isAsking = false;
        const auto steps = answer ? stepsFromJson(*answer) : Result<std::vector<StepRecord>>(answer.error());
        if (steps) m_steps.setSteps(*steps);  // a daemon that cannot say so now is asked again at the next tick
    });
}

void SwapView::setNarrow(bool narrow) {
    m_moveTable->setWidths(narrow ? kMoveNarrow : kMoveWidths);
    m_detail->setFixedWidth(scaled(narrow ? kDetailNarrow : kDetailWidth));
}

}  // namespace espalier::ui
