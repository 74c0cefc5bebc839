// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/model_choice.h"

#include <QBoxLayout>
#include <QLineEdit>
#include <QListWidget>
#include <algorithm>

#include "ui/models/format.h"

namespace espalier::ui {
namespace {

constexpr int kRows = 5, kRowHeight = 24;
constexpr int kFilterFrom = 8;  // entries from which a filter is of use

}  // namespace

ModelChoice::ModelChoice(Workspace& workspace)
    : m_workspace(workspace),
      m_count(new TextLabel({}, text_size::kCaption, QFont::Normal, Tone::Secondary)),
      m_filter(new QLineEdit),
      m_list(new QListWidget) {
    auto* title = new TextLabel(tr("Models and adapters allowed"), text_size::kTable, QFont::DemiBold);
    m_filter->setPlaceholderText(tr("Filter"));
    m_filter->setAccessibleName(tr("Filter models and adapters"));
    m_filter->setMaximumWidth(scaled(120));
    setControlSize(m_filter, ControlSize::Small);
    connect(m_filter, &QLineEdit::textChanged, this, &ModelChoice::filter);
    m_list->setAccessibleName(tr("Models and adapters allowed"));
    m_list->setFrameShape(QFrame::NoFrame);
    m_list->setUniformItemSizes(true);
    m_list->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_list->setFont(uiFont(text_size::kTable));
    connect(m_list, &QListWidget::itemChanged, this, &ModelChoice::takeChecks);
    auto* bar = new QWidget;
    bar->setFixedHeight(scaled(32));
    bar->setLayout(row({title, LayoutItem(m_count, 1), m_filter}, 8, {12, 0, 8, 0}));
    setLayout(column({bar, row({LayoutItem(m_list, 1)}, 0, {8, 0, 8, 8})}, 0));
    connect(&workspace, &Workspace::modelsChanged, this, &ModelChoice::showChecks);
    connect(&workspace, &Workspace::adaptersChanged, this, &ModelChoice::showChecks);
    showChecks();
}

// What the workspace has, and what is allowed without being there any more.
QStringList ModelChoice::offered() const {
    QStringList names;
    for (const ModelRecord& model : m_workspace.models().models()) names << text(model.name);
    for (const AdapterRecord& adapter : m_workspace.adapters())
        names << text(adapter.base) + QStringLiteral(":*") << text(adapter.base + ":" + adapter.name);
    for (const std::string& name : m_allowed) names << text(name);
    names.sort();
    names.removeDuplicates();
    return names;
}

void ModelChoice::show(const std::vector<std::string>& allowed) {
    m_allowed = allowed;
    showChecks();
}

void ModelChoice::takeFocus() {
    if (m_list->currentRow() < 0) m_list->setCurrentRow(0);
    m_list->setFocus(Qt::ShortcutFocusReason);
}

void ModelChoice::showChecks() {
    m_isShowing = true;
    if (const QStringList names = offered(); names != m_offered) {
        m_offered = names;
        m_list->clear();
        m_list->addItems(names);
        for (int i = 0; i < m_list->count(); ++i) m_list->item(i)->setSizeHint(QSize(1, scaled(kRowHeight)));
        m_filter->setVisible(names.size() >= kFilterFrom);
        m_list->setFixedHeight(scaled(kRowHeight) * qBound(1, int(names.size()), kRows));
        filter();
    }
    for (int i = 0; i < m_list->count(); ++i) {
        QListWidgetItem* item = m_list->item(i);
        const bool isAllowed = std::ranges::find(m_allowed, item->text().toStdString()) != m_allowed.end();
        item->setCheckState(isAllowed ? Qt::Checked : Qt::Unchecked);
    }
    m_count->setText(m_allowed.empty()
                         ? tr("none checked: all")
                         : tr("%1 of %2").arg(formatCount(qint64(m_allowed.size())), formatCount(m_list->count())));
    m_isShowing = false;
}

void ModelChoice::filter() {
    for (int i = 0; i < m_list->count(); ++i) {
        QListWidgetItem* item = m_list->item(i);
        item->setHidden(!item->text().contains(m_filter->text().trimmed(), Qt::CaseInsensitive));
    }
}

void ModelChoice::takeChecks() {
    if (m_isShowing) return;
    std::vector<std::string> allowed;
    for (int i = 0; i < m_list->count(); ++i)
        if (m_list->item(i)->checkState() == Qt::Checked) allowed.push_back(m_list->item(i)->text().toStdString());
    emit edited(allowed);
}

}  // namespace espalier::ui
