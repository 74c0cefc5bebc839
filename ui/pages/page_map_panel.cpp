// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/page_map_panel.h"

#include <QComboBox>
#include <QStackedWidget>

#include "core/api/protocol.h"
#include "ui/models/error_words.h"
#include "ui/models/format.h"
#include "ui/shell/actions.h"
#include "ui/widgets/table_view.h"

namespace espalier::ui {
namespace {

enum Shown { kNoMap, kMap, kTable };

}  // namespace

PageMapPanel::PageMapPanel(Workspace& workspace, Actions& actions, const RequestTable& requests)
    : Panel(tr("Page map")),
      m_workspace(workspace),
      m_requests(requests),
      m_model(new QComboBox),
      m_view(new PageMapView([this](qint64 request) { return about(request); })),
      m_pages([this](qint64 request) { return about(request); }),
      m_table(new TableView(&m_pages, tr("Pages by owner"), kLiveRow, {22, 14, 28, 36})),
      m_twin(toolButton(QStringLiteral("table-2"), tr("Show the pages as a table"))),
      m_none(new EmptyView(QStringLiteral("map"), tr("Pages appear when a model is loaded."),
                           buttonFor(actions.get(action::kGoModels), tr("Choose a model to load")))),
      m_stack(new QStackedWidget) {
    m_twin->setCheckable(true);
    connect(m_twin, &QToolButton::toggled, this, &PageMapPanel::showPages);
    m_model->setAccessibleName(tr("Model whose pages are shown"));
    m_model->setVisible(false);
    addTitleWidget(m_model);
    addTitleWidget(m_twin);
    m_stack->addWidget(m_none);
    m_stack->addWidget(m_view);
    m_stack->addWidget(m_table);
    setContent(m_stack, {12, 0, 12, 4});
    setMinimumHeight(scaled(160));
    connect(m_model, &QComboBox::currentTextChanged, this, [this] {
        m_isStale = true;
        refresh();
    });
}

void PageMapPanel::showPages() {
    if (!m_model->currentText().isEmpty()) m_stack->setCurrentIndex(m_twin->isChecked() ? kTable : kMap);
}

QString PageMapPanel::about(qint64 id) const {
    const RequestRecord* request = m_requests.find(id);
    if (!request) return {};
    return tr("%1, %2 tokens in %3 pages")
        .arg(RequestTable::modelText(*request), formatCount(request->promptTokens + request->producedTokens),
             formatCount(request->pages));
}

void PageMapPanel::setSnapshot(const Snapshot& snapshot) {
    QStringList names;
    for (const LoadedModel& model : snapshot.models)
        if (model.poolPages > 0) names << text(model.name);
    QStringList shown;
    for (int i = 0; i < m_model->count(); ++i) shown << m_model->itemText(i);
    if (names == shown) return;
    const QString before = m_model->currentText();
    {
        const QSignalBlocker quiet(m_model);
        m_model->clear();
        m_model->addItems(names);
        m_model->setCurrentIndex(qMax(0, int(names.indexOf(before))));
    }
    m_model->setVisible(names.size() > 1);
    m_isStale = true;
    if (names.isEmpty()) clear();
}

void PageMapPanel::clear() {
    m_view->clear();
    m_pages.setMap({});
    m_none->setSentence(tr("Pages appear when a model is loaded."));
    m_stack->setCurrentIndex(kNoMap);
    setUnit({});
    m_isStale = true;
}

void PageMapPanel::refresh() {
    const Snapshot* snapshot = m_workspace.snapshot();
    const QString name = m_model->currentText();
    if (m_isAsking || !isVisible() || !snapshot || name.isEmpty() || !m_workspace.engine().isAttached()) return;
    qint64 counts = 0;
    bool isRunning = false;
    for (const LoadedModel& model : snapshot->models) {
        if (text(model.name) != name) continue;
        counts = model.poolPagesUsed * model.poolPages + model.poolPagesCached;
        isRunning = model.running > 0;
    }
    const bool isResized = m_view->isVisible() && m_view->cellsThatFit() != m_cells;
    if (!isRunning && !m_isStale && !isResized && counts == m_counts) return;
    m_isAsking = true;
    m_counts = counts;
    showPages();  // the map is as large as it will be, for the number of cells
    m_cells = m_view->cellsThatFit();
    const int cells = qBound(1, m_cells, kMostPageCells);
    m_workspace.engine().call(QStringLiteral("pages"), {{"model", name.toStdString()}, {"cells", cells}}, this,
                              [this, name](const Result<Json>& answer) {
                                  m_isAsking = false;
                                  if (name == m_model->currentText()) take(answer);  // else it is asked for again
                              });
}

void PageMapPanel::take(const Result<Json>& answer) {
    const auto map = answer ? pageMapFromJson(*answer) : Result<PageMap>(answer.error());
    if (!map) {
        clear();
        const ErrorCode code = map.error().code;
        if (code == ErrorCode::NotFound || code == ErrorCode::Cancelled) return;  // it left the device meanwhile
        m_none->setSentence(tr("The pages were not read: %1").arg(wordsOf(map.error())));
        m_isStale = false;  // asked again when something changes
        return;
    }
    m_isStale = false;
    m_view->setMap(*map);
    m_pages.setMap(*map);
    setUnit(map->pagesPerCell > 1 ? tr("%1 pages of %2, one cell = %3")
                                        .arg(formatCount(map->pages), formatBytes(map->pageBytes))
                                        .arg(map->pagesPerCell)
                                  : tr("%1 pages of %2").arg(formatCount(map->pages), formatBytes(map->pageBytes)));
}

}  // namespace espalier::ui
