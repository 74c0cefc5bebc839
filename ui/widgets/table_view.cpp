// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/table_view.h"

#include <QApplication>
#include <QHeaderView>
#include <QHelpEvent>
#include <QPainter>
#include <QToolTip>
#include <numeric>

#include "ui/models/record_table.h"
#include "ui/widgets/controls.h"
#include "ui/widgets/tier_mark.h"

namespace espalier::ui {
namespace {

constexpr int kIcon = 14;
constexpr int kShareBar = 72, kAmountBar = 8;

template <class View>
void setUpView(View* view, const QString& accessibleName) {
    view->setAccessibleName(accessibleName);
    view->setFrameShape(QFrame::NoFrame);
    view->setFont(uiFont(text_size::kTable));
    view->setSelectionBehavior(QAbstractItemView::SelectRows);
    view->setSelectionMode(QAbstractItemView::SingleSelection);
    view->setEditTriggers(QAbstractItemView::NoEditTriggers);
    view->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    view->setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
    view->setMouseTracking(true);
    view->setTabKeyNavigation(false);
}

void setUpHeader(QHeaderView* header) {
    header->setHighlightSections(false);
    header->setFixedHeight(scaled(24));
    header->setMinimumSectionSize(8);
    header->setSectionResizeMode(QHeaderView::Fixed);
    header->setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
}

// Sizes the sections of a header in the given proportions; 0 hides one.
void shareWidth(QHeaderView* header, const std::vector<int>& widths, int available) {
    const int sum = std::accumulate(widths.begin(), widths.end(), 0);
    if (sum <= 0 || available <= 0) return;
    int left = available, remaining = sum;
    for (int i = 0; i < int(widths.size()) && i < header->count(); ++i) {
        const int width = widths[std::size_t(i)];
        header->setSectionHidden(i, width == 0);
        if (width == 0) continue;
        const int share = int(qint64(left) * width / remaining);
        header->resizeSection(i, share);
        left -= share;
        remaining -= width;
    }
}

}  // namespace

void CellDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const {
    paintCell(painter, option, index);
    paintEdges(painter, option, index);
}

// The row line belongs to the cell, so that it moves with it; the ground is the style's.
void CellDelegate::paintEdges(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const {
    const ThemeColors& c = colorsOf(option.palette);
    const bool isIndented = qobject_cast<const QTreeView*>(option.widget) && index.column() == 0;
    const int left = isIndented ? 0 : option.rect.left();  // of a tree's first column the branches are part of the row
    painter->fillRect(QRect(left, option.rect.bottom(), option.rect.right() + 1 - left, 1), QColor(c.grid));
    const bool isCurrent = (option.state & QStyle::State_HasFocus) && (option.state & QStyle::State_Selected);
    if (!isCurrent || !option.widget || !option.widget->hasFocus()) return;
    painter->save();
    painter->setPen(QColor(c.accentText));
    painter->setBrush(Qt::NoBrush);
    painter->drawRect(option.rect.adjusted(kCellSide / 3, 1, -2, -3));
    painter->restore();
}

void CellDelegate::paintCell(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const {
    const ThemeColors& c = colorsOf(option.palette);
    painter->save();
    const bool isTree = qobject_cast<const QTreeView*>(option.widget) && index.column() == 0;
    QRect rect = option.rect.adjusted(isTree ? 4 : kCellSide, 0, -kCellSide, -1);
    const QVariant toneValue = index.data(ToneRole);
    const QRgb color = toneValue.isValid() ? toneColor(c, Tone(toneValue.toInt())) : c.text;

    if (const QString name = index.data(IconRole).toString(); !name.isEmpty()) {
        const double ratio = painter->device()->devicePixelRatioF();
        const QRect mark(rect.left(), rect.center().y() - kIcon / 2 + 1, kIcon, kIcon);
        painter->drawPixmap(mark, iconPixmap(name, color, kIcon, ratio));
        rect.setLeft(mark.right() + 9);
    }
    if (const QVariant tier = index.data(TierRole); tier.isValid()) {
        const QRect mark(rect.left(), rect.center().y() - kSwatch / 2 + 1, kSwatch, kSwatch);
        paintTierMark(*painter, mark, c, AdapterTier(tier.toInt()));
        rect.setLeft(mark.right() + 7);
    }
    if (const QVariant share = index.data(ShareRole); share.isValid()) {
        const bool isAlone = index.data(Qt::DisplayRole).toString().isEmpty();
        const int wide = isAlone ? rect.width() : qMin(kShareBar, rect.width() / 2);
        const QRect bar(rect.left(), rect.center().y() - 1, wide, 4);
        ProgressBar::paint(painter, bar, share.toDouble(), c.accentText, c.line);
        rect.setLeft(bar.right() + 9);
    }
    if (const QVariant amount = index.data(AmountRole); amount.isValid()) {
        painter->setRenderHint(QPainter::Antialiasing);
        painter->setPen(Qt::NoPen);
        painter->setBrush(QColor(c.series[0]));
        const double wide = qMax(2.0, rect.width() * qBound(0.0, amount.toDouble(), 1.0));
        painter->drawRoundedRect(QRectF(rect.left(), rect.center().y() - kAmountBar / 2 + 1, wide, kAmountBar), 2, 2);
    }
    const bool strong = index.data(StrongRole).toBool();
    painter->setFont(index.data(MonoRole).toBool() ? monoFont()
                                                   : uiFont(text_size::kTable, strong ? QFont::Medium : QFont::Normal));
    // The words of a state stay in text colour where the icon already carries the tone of a running thing.
    const bool iconCarriesTone = toneValue.isValid() && Tone(toneValue.toInt()) == Tone::Accent;
    painter->setPen(QColor(iconCarriesTone ? c.text : color));
    const QVariant alignmentValue = index.data(Qt::TextAlignmentRole);
    const int alignment = alignmentValue.isValid() ? alignmentValue.toInt() : int(Qt::AlignLeft | Qt::AlignVCenter);
    const QString text = index.data(Qt::DisplayRole).toString();
    painter->drawText(rect, alignment, painter->fontMetrics().elidedText(text, Qt::ElideRight, rect.width()));
    painter->restore();
}

bool CellDelegate::helpEvent(QHelpEvent* event, QAbstractItemView* view, const QStyleOptionViewItem& option,
                             const QModelIndex& index) {
    const QString text = index.data(Qt::DisplayRole).toString();
    const bool isCut = sizeHint(option, index).width() > option.rect.width();
    if (event->type() != QEvent::ToolTip || !isCut || !index.data(Qt::ToolTipRole).toString().isEmpty())
        return QStyledItemDelegate::helpEvent(event, view, option, index);
    QToolTip::showText(event->globalPos(), text, view);
    return true;
}

QSize CellDelegate::sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const {
    const int text = QFontMetrics(uiFont(text_size::kTable)).horizontalAdvance(index.data(Qt::DisplayRole).toString());
    Q_UNUSED(option);
    return QSize(text + 2 * kCellSide, m_rowHeight);
}

TableView::TableView(QAbstractItemModel* model, const QString& accessibleName, int rowHeight, std::vector<int> widths,
                     QWidget* parent)
    : QTableView(parent), m_widths(std::move(widths)) {
    setUpView(this, accessibleName);
    setModel(model);
    setItemDelegate(new CellDelegate(scaled(rowHeight), this));
    setShowGrid(false);
    setCornerButtonEnabled(false);
    setWordWrap(false);
    verticalHeader()->hide();
    verticalHeader()->setMinimumSectionSize(scaled(rowHeight));
    verticalHeader()->setDefaultSectionSize(scaled(rowHeight));
    verticalHeader()->setSectionResizeMode(QHeaderView::Fixed);
    setUpHeader(horizontalHeader());
    horizontalHeader()->setAccessibleName(accessibleName);
}

void TableView::setWidths(std::vector<int> widths) {
    m_widths = std::move(widths);
    layOut();
}

int TableView::currentRow() const {
    const QModelIndexList rows = selectionModel()->selectedRows();
    return rows.isEmpty() ? -1 : rows.first().row();
}

void TableView::resizeEvent(QResizeEvent* event) {
    QTableView::resizeEvent(event);
    layOut();
}

void TableView::paintEvent(QPaintEvent* event) {
    // The ground of rows: the table's own, because QTableView asks the style for cells only.
    QPainter painter(viewport());
    QStyleOptionViewItem option;
    option.initFrom(this);
    for (const QModelIndex& row : selectionModel()->selectedRows()) {
        const QRect rect = visualRect(row);
        option.rect = QRect(0, rect.top(), viewport()->width(), rect.height());
        option.state = QStyle::State_Enabled | QStyle::State_Selected;
        style()->drawPrimitive(QStyle::PE_PanelItemViewRow, &option, &painter, this);
    }
    painter.end();
    QTableView::paintEvent(event);
}

void TableView::layOut() {
    shareWidth(horizontalHeader(), m_widths, viewport()->width());
}

TreeView::TreeView(QAbstractItemModel* model, const QString& accessibleName, std::vector<int> widths, QWidget* parent)
    : QTreeView(parent), m_widths(std::move(widths)) {
    setUpView(this, accessibleName);
    setModel(model);
    setItemDelegate(new CellDelegate(scaled(kLiveRow), this));
    setUniformRowHeights(true);
    setRootIsDecorated(true);
    setUpHeader(header());
    header()->setStretchLastSection(false);
}

void TreeView::resizeEvent(QResizeEvent* event) {
    QTreeView::resizeEvent(event);
    shareWidth(header(), m_widths, viewport()->width());
}

}  // namespace espalier::ui
