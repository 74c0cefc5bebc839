// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/shortcuts_page.h"

#include <QBoxLayout>
#include <QLineEdit>
#include <QSortFilterProxyModel>
#include <QStackedWidget>
#include <QStandardItemModel>

#include "ui/models/record_table.h"
#include "ui/widgets/table_view.h"

namespace espalier::ui {

ShortcutsPage::ShortcutsPage(Workspace& workspace, Actions& actions)
    : Page(workspace, actions),
      m_model(new QStandardItemModel(0, 3, this)),
      m_filtered(new QSortFilterProxyModel(this)) {
    m_model->setHorizontalHeaderLabels({tr("Command"), tr("Menu"), tr("Keys")});
    m_filtered->setSourceModel(m_model);
    m_filtered->setFilterKeyColumn(-1);
    m_filtered->setFilterCaseSensitivity(Qt::CaseInsensitive);
    auto* header = new PageHeader(tr("Commands and keys"));
    m_filter = new QLineEdit;
    m_filter->setPlaceholderText(tr("Filter commands"));
    m_filter->setAccessibleName(tr("Filter commands"));
    m_filter->setFixedWidth(scaled(200));
    m_filter->addAction(icon(QStringLiteral("search"), Tone::Secondary), QLineEdit::LeadingPosition);
    connect(m_filter, &QLineEdit::textChanged, m_filtered, &QSortFilterProxyModel::setFilterFixedString);
    header->add(m_filter);
    auto* table = new TableView(m_filtered, tr("Commands and keys"), kShortRow, {56, 20, 24});
    connect(table, &QTableView::activated, this, [this](const QModelIndex& index) {
        m_actions.get(index.siblingAtColumn(0).data(IdRole).toString())->trigger();
    });
    auto* panel = new Panel;
    auto* stack = new QStackedWidget;
    stack->addWidget(table);
    stack->addWidget(filterMiss(m_filter));
    panel->setContent(column({LayoutItem(stack, 1)}, 0));
    connect(m_filter, &QLineEdit::textChanged, stack,
            [this, stack] { stack->setCurrentIndex(m_filtered->rowCount() == 0 ? 1 : 0); });
    setLayout(column({header, LayoutItem(row({LayoutItem(panel, 1)}, 0, {12, 8, 12, 12}), 1)}, 0));
}

void ShortcutsPage::showEvent(QShowEvent* event) {
    Page::showEvent(event);
    m_model->removeRows(0, m_model->rowCount());
    for (const QAction* action : m_actions.all()) {
        if (!action->isVisible()) continue;
        auto* name = new QStandardItem(action->text().remove(QLatin1Char('&')));
        name->setData(action->objectName(), IdRole);
        name->setData(true, StrongRole);
        auto* place = new QStandardItem(Actions::placeOf(action));
        place->setData(int(Tone::Secondary), ToneRole);
        m_model->appendRow({name, place, new QStandardItem(action->shortcut().toString(QKeySequence::NativeText))});
    }
}

}  // namespace espalier::ui
