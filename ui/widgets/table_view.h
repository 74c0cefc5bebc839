// SPDX-License-Identifier: GPL-3.0-or-later
// Tables as the workbench shows them: row lines, no vertical lines, selection with an accent bar, cells drawn from the
// roles of ui/models/record_table.h.
#pragma once

#include <QStyledItemDelegate>
#include <QTableView>
#include <QTreeView>

namespace espalier::ui {

class CellDelegate : public QStyledItemDelegate {
    Q_OBJECT
public:
    explicit CellDelegate(int rowHeight, QObject* parent = nullptr)
        : QStyledItemDelegate(parent), m_rowHeight(rowHeight) {}
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override;
    QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override;
    // What is cut with an ellipsis is said whole, unless the cell has something else to say.
    bool helpEvent(QHelpEvent* event, QAbstractItemView* view, const QStyleOptionViewItem& option,
                   const QModelIndex& index) override;

protected:
    void paintCell(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const;
    // Row line, ring of the current cell.
    void paintEdges(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const;

private:
    int m_rowHeight;
};

inline constexpr int kListRow = 32, kShortRow = 28, kLiveRow = 24;

class TableView : public QTableView {
    Q_OBJECT
public:
    // Column widths share what is left in the given proportions; 0 hides a column.
    TableView(QAbstractItemModel* model, const QString& accessibleName, int rowHeight, std::vector<int> widths,
              QWidget* parent = nullptr);
    void setWidths(std::vector<int> widths);
    // The row holding the current selection, in the model given; -1 when nothing is selected.
    int currentRow() const;

protected:
    void resizeEvent(QResizeEvent* event) override;
    void paintEvent(QPaintEvent* event) override;

private:
    void layOut();
    std::vector<int> m_widths;
};

class TreeView : public QTreeView {
    Q_OBJECT
public:
    TreeView(QAbstractItemModel* model, const QString& accessibleName, std::vector<int> widths,
             QWidget* parent = nullptr);

protected:
    void resizeEvent(QResizeEvent* event) override;

private:
    std::vector<int> m_widths;
};

}  // namespace espalier::ui
