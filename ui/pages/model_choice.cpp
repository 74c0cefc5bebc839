// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/model_choice.h"

#include <QBoxLayout>
#include <QLineEdit>
#include <QListWidget>
#include <QPainter>
#include <QStyledItemDelegate>
#include <algorithm>
#include <map>

#include "ui/models/format.h"

namespace espalier::ui {
namespace {

constexpr int kRows = 5, kRowHeight = 24;
constexpr std::size_t kFilterFrom = 8;  // entries from which a filter is of use
constexpr int kRankWidth = 48, kSizeWidth = 80;
enum ChoiceRole { kPatternRole = Qt::UserRole, kRankRole, kSizeRole };
const QLatin1String kEveryAdapter(":*");

// The list's own item, and rank and size in columns at its right.
class ChoiceDelegate : public QStyledItemDelegate {
public:
    using QStyledItemDelegate::QStyledItemDelegate;
    void paint(QPainter* painter, const QStyleOptionViewItem& given, const QModelIndex& index) const override {
        QStyleOptionViewItem option = given;
        initStyleOption(&option, index);
        const QStyle* style = option.widget->style();
        style->drawPrimitive(QStyle::PE_PanelItemViewItem, &option, painter, option.widget);
        const QRect all = option.rect;
        const int right = all.right() - 4, size = scaled(kSizeWidth), rank = scaled(kRankWidth);
        option.rect.setRight(right - size - rank);
        style->drawControl(QStyle::CE_ItemViewItem, &option, painter, option.widget);
        painter->setFont(uiFont(text_size::kTable));
        painter->setPen(QColor(colorsOf(option.palette).text));
        const auto write = [&](int until, int wide, int role) {
            painter->drawText(QRect(until - wide, all.top(), wide, all.height()), Qt::AlignRight | Qt::AlignVCenter,
                              index.data(role).toString());
        };
        write(right - size, rank, kRankRole);
        write(right, size, kSizeRole);
    }
};

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
    m_list->setItemDelegate(new ChoiceDelegate(m_list));
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
std::vector<ModelChoice::Choice> ModelChoice::offered() const {
    std::map<QString, Choice> choices;  // by pattern
    const auto add = [&choices](const QString& pattern, const QString& name, const QString& rank, const QString& size) {
        choices.try_emplace(pattern, Choice{pattern, name, rank, size});
    };
    for (const ModelRecord& model : m_workspace.models().models())
        add(text(model.name), text(model.name), {}, formatBytes(model.bytes));
    for (const AdapterRecord& adapter : m_workspace.adapters()) {
        const QString name = text(adapter.base + ":" + adapter.name);
        add(text(adapter.base) + kEveryAdapter, tr("every adapter of %1").arg(text(adapter.base)), {}, {});
        add(name, name, QStringLiteral("r%1").arg(adapter.rank), formatBytes(adapter.bytes));
    }
    for (const std::string& name : m_allowed) {
        const QString pattern = text(name);
        const QString base = pattern.endsWith(kEveryAdapter) ? pattern.chopped(kEveryAdapter.size()) : QString();
        add(pattern, base.isEmpty() ? pattern : tr("every adapter of %1").arg(base), {}, {});
    }
    std::vector<Choice> list;
    for (auto& [pattern, choice] : choices) list.push_back(std::move(choice));
    return list;
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
    if (auto choices = offered(); choices != m_offered) {
        m_offered = std::move(choices);
        fill();
    }
    for (int i = 0; i < m_list->count(); ++i) {
        QListWidgetItem* item = m_list->item(i);
        const std::string pattern = item->data(kPatternRole).toString().toStdString();
        const bool isAllowed = std::ranges::find(m_allowed, pattern) != m_allowed.end();
        item->setCheckState(isAllowed ? Qt::Checked : Qt::Unchecked);
    }
    m_count->setText(m_allowed.empty()
                         ? tr("none checked: all")
                         : tr("%1 of %2").arg(formatCount(qint64(m_allowed.size())), formatCount(m_list->count())));
    m_isShowing = false;
}

void ModelChoice::fill() {
    m_list->clear();
    for (const Choice& choice : m_offered) {
        auto* item = new QListWidgetItem(choice.name, m_list);
        item->setData(kPatternRole, choice.pattern);
        item->setData(kRankRole, choice.rank);
        item->setData(kSizeRole, choice.size);
        QStringList said{choice.name, choice.rank, choice.size};
        said.removeAll(QString());
        item->setData(Qt::AccessibleTextRole, said.join(QStringLiteral(", ")));
        item->setSizeHint(QSize(1, scaled(kRowHeight)));
    }
    m_filter->setVisible(m_offered.size() >= kFilterFrom);
    m_list->setFixedHeight(scaled(kRowHeight) * qBound(1, int(m_offered.size()), kRows));
    filter();
}

void ModelChoice::filter() {
    for (int i = 0; i < m_list->count(); ++i) {
        QListWidgetItem* item = m_list->item(i);
        const QString part = m_filter->text().trimmed();
        item->setHidden(!item->text().contains(part, Qt::CaseInsensitive) &&
                        !item->data(kPatternRole).toString().contains(part, Qt::CaseInsensitive));
    }
}

void ModelChoice::takeChecks() {
    if (m_isShowing) return;
    std::vector<std::string> allowed;
    for (int i = 0; i < m_list->count(); ++i)
        if (m_list->item(i)->checkState() == Qt::Checked)
            allowed.push_back(m_list->item(i)->data(kPatternRole).toString().toStdString());
    emit edited(allowed);
}

}  // namespace espalier::ui
