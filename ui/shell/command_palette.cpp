// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/command_palette.h"

#include <QApplication>
#include <QBoxLayout>
#include <QHeaderView>
#include <QKeyEvent>
#include <QLineEdit>
#include <QPainter>
#include <QSortFilterProxyModel>
#include <QStandardItemModel>
#include <algorithm>
#include <vector>

#include "ui/models/record_table.h"
#include "ui/widgets/table_view.h"

namespace espalier::ui {
namespace {

// What opens a page of the sidebar.
bool isPage(const QAction* action) {
    static const QStringList pages{action::kGoHome, action::kGoModels, action::kGoServe, action::kGoPlayground,
                                   action::kGoTenants};
    return pages.contains(action->objectName());
}

constexpr int kPaletteWidth = 480, kPaletteRows = 10;
constexpr int kAroundList = 8 + 28 + 8 + 5;  // the field with its margins, the frame

// Accepts what holds every word typed, in any order.
class WordFilter : public QSortFilterProxyModel {
public:
    using QSortFilterProxyModel::QSortFilterProxyModel;
    void setWords(const QString& text) {
        m_words = text.split(QLatin1Char(' '), Qt::SkipEmptyParts);
        invalidateFilter();
    }

protected:
    bool filterAcceptsRow(int row, const QModelIndex& parent) const override {
        const QString name = sourceModel()->index(row, 0, parent).data().toString();
        return std::all_of(m_words.begin(), m_words.end(),
                           [&](const QString& word) { return name.contains(word, Qt::CaseInsensitive); });
    }

private:
    QStringList m_words;
};

}  // namespace

CommandPalette::CommandPalette(Actions& actions, QWidget* parent)
    : QFrame(parent),
      m_actions(actions),
      m_search(new QLineEdit),
      m_model(new QStandardItemModel(0, 2, this)),
      m_filtered(new WordFilter(this)) {
    m_filtered->setSourceModel(m_model);
    m_list = new TableView(m_filtered, tr("Commands"), kShortRow, {78, 22});
    m_list->horizontalHeader()->hide();
    m_list->setFocusPolicy(Qt::NoFocus);
    m_search->setPlaceholderText(tr("Go to or run a command"));
    m_search->setAccessibleName(m_search->placeholderText());
    m_search->addAction(icon(QStringLiteral("search"), Tone::Secondary), QLineEdit::LeadingPosition);
    m_search->installEventFilter(this);
    setLayout(column({row({LayoutItem(m_search, 1)}, 0, {8, 8, 8, 8}), LayoutItem(m_list, 1)}, 0, {1, 1, 1, 4}));
    setFixedSize(scaled(kPaletteWidth), scaled(kAroundList) + kPaletteRows * scaled(kShortRow));  // whole rows
    setAccessibleName(tr("Command palette"));
    hide();
    connect(m_search, &QLineEdit::textChanged, this, [this](const QString& text) {
        static_cast<WordFilter*>(m_filtered)->setWords(text);
        m_list->selectRow(0);
    });
    connect(m_list, &QTableView::clicked, this, &CommandPalette::run);
}

void CommandPalette::open() {
    fill();
    m_before = QApplication::focusWidget();
    m_search->clear();
    move((parentWidget()->width() - width()) / 2, 48);
    raise();
    show();
    m_search->setFocus(Qt::ShortcutFocusReason);
    m_list->selectRow(0);
}

void CommandPalette::fill() {
    m_model->removeRows(0, m_model->rowCount());
    const auto all = m_actions.all();
    std::vector<QAction*> ordered(all.begin(), all.end());
    std::stable_partition(ordered.begin(), ordered.end(), isPage);  // "go to" comes before "run"
    for (QAction* action : ordered) {
        if (!action->isEnabled() || !action->isVisible() || action->objectName() == QLatin1String(action::kPalette))
            continue;
        const QString place = Actions::placeOf(action);
        auto* name = new QStandardItem(place + QStringLiteral(": ") + action->text().remove(QLatin1Char('&')));
        name->setData(action->objectName(), IdRole);
        auto* shortcut = new QStandardItem(action->shortcut().toString(QKeySequence::NativeText));
        shortcut->setData(int(Tone::Secondary), ToneRole);
        shortcut->setData(int(Qt::AlignRight | Qt::AlignVCenter), Qt::TextAlignmentRole);
        m_model->appendRow({name, shortcut});
    }
}

void CommandPalette::run() {
    const int row = m_list->currentRow();
    const QString id = row < 0 ? QString() : m_filtered->index(row, 0).data(IdRole).toString();
    hide();
    if (m_before) m_before->setFocus();
    if (!id.isEmpty()) m_actions.get(id)->trigger();
}

void CommandPalette::step(int by) {
    const int rows = m_filtered->rowCount();
    if (rows == 0) return;
    m_list->selectRow((m_list->currentRow() + by + rows) % rows);
    m_list->scrollTo(m_list->currentIndex());
}

bool CommandPalette::eventFilter(QObject* watched, QEvent* event) {
    if (event->type() == QEvent::FocusOut && isVisible()) hide();
    if (event->type() != QEvent::KeyPress) return QFrame::eventFilter(watched, event);
    switch (static_cast<QKeyEvent*>(event)->key()) {
        case Qt::Key_Down:
            step(1);
            return true;
        case Qt::Key_Up:
            step(-1);
            return true;
        case Qt::Key_Return:
        case Qt::Key_Enter:
            run();
            return true;
        case Qt::Key_Escape:
            hide();
            if (m_before) m_before->setFocus();
            return true;
        default:
            return false;
    }
}

void CommandPalette::paintEvent(QPaintEvent*) {
    const ThemeColors& c = colorsOf(palette());
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QColor(c.control));
    painter.setBrush(QColor(c.base));
    painter.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6);
}

}  // namespace espalier::ui
