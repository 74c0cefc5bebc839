// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/ui/support/fit.h"

#include <QAbstractSpinBox>
#include <QComboBox>
#include <QHeaderView>
#include <QLineEdit>
#include <QMenuBar>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QStyleOptionComboBox>
#include <QTabBar>
#include <QTextEdit>

#include "ui/widgets/controls.h"
#include "ui/widgets/plot.h"
#include "ui/widgets/plot_legend.h"

namespace espalier::test {
using namespace espalier::ui;
namespace {

QString describe(const QWidget* widget) {
    return QStringLiteral("%1 '%2' %3x%4")
        .arg(QString::fromLatin1(widget->metaObject()->className()), widget->accessibleName())
        .arg(widget->width())
        .arg(widget->height());
}

// Controls a person works; scroll bars and the insides of controls are theirs.
bool isControl(const QWidget* widget) {
    const QWidget* parent = widget->parentWidget();
    if (qobject_cast<const QComboBox*>(parent) || qobject_cast<const QAbstractSpinBox*>(parent) ||
        qobject_cast<const QTabBar*>(parent) || qobject_cast<const QLineEdit*>(parent) ||
        qobject_cast<const QAbstractItemView*>(parent) || qobject_cast<const QMenuBar*>(parent))
        return false;
    if (widget->objectName().startsWith(QLatin1String("qt_"))) return false;
    return qobject_cast<const QAbstractButton*>(widget) || qobject_cast<const QLineEdit*>(widget) ||
           qobject_cast<const QComboBox*>(widget) || qobject_cast<const QAbstractSpinBox*>(widget) ||
           qobject_cast<const QAbstractItemView*>(widget) || qobject_cast<const QTextEdit*>(widget) ||
           qobject_cast<const QPlainTextEdit*>(widget) || qobject_cast<const Plot*>(widget) ||
           qobject_cast<const QTabBar*>(widget);
}

constexpr int kHeadSide = 12;    // of a table's head
constexpr int kFieldMargin = 2;  // of a QLineEdit at each side of its text

// Whether the text of a field can be read: its value in a spin box or combo box, one line in a line edit.
bool isReadable(const QWidget* widget) {
    const int high = widget->fontMetrics().height() - 3;
    if (const auto* box = qobject_cast<const QAbstractSpinBox*>(widget)) {
        const auto* edit = box->findChild<QLineEdit*>();
        return edit->width() >= box->fontMetrics().horizontalAdvance(box->text()) + 2 * kFieldMargin &&
               edit->height() >= high;
    }
    if (const auto* box = qobject_cast<const QComboBox*>(widget)) {
        QStyleOptionComboBox option;
        option.initFrom(box);
        const QRect field =
            box->style()->subControlRect(QStyle::CC_ComboBox, &option, QStyle::SC_ComboBoxEditField, box);
        // One whose names come from a server is as wide as its place allows.
        const bool isGiven = box->sizeAdjustPolicy() == QComboBox::AdjustToMinimumContentsLengthWithIcon;
        return field.height() >= high &&
               (isGiven || field.width() >= box->fontMetrics().horizontalAdvance(box->currentText()));
    }
    if (const auto* edit = qobject_cast<const QLineEdit*>(widget)) return edit->height() >= high;
    if (const auto* edit = qobject_cast<const QPlainTextEdit*>(widget)) return edit->viewport()->height() >= high;
    return true;
}

// Heads of columns whose words are cut without a word that says them whole.
QStringList cutHeads(const QHeaderView* header) {
    QStringList found;
    for (int i = 0; i < header->count(); ++i) {
        if (header->isSectionHidden(i) || header->height() == 0) continue;
        const QString text = header->model()->headerData(i, Qt::Horizontal).toString();
        const bool fits = header->fontMetrics().horizontalAdvance(text) + 2 * kHeadSide <= header->sectionSize(i);
        const bool isSaid = !header->model()->headerData(i, Qt::Horizontal, Qt::ToolTipRole).toString().isEmpty();
        if (!fits && !isSaid) found << QStringLiteral("head '%1' of %2").arg(text, header->accessibleName());
        if (header->height() < header->fontMetrics().height() - 3) found << QStringLiteral("low head '%1'").arg(text);
    }
    return found;
}

}  // namespace

QStringList namelessControls(const QWidget* top) {
    QStringList found;
    for (const auto* widget : top->findChildren<QWidget*>()) {
        if (!widget->isVisible() || !isControl(widget) || qobject_cast<const QHeaderView*>(widget)) continue;
        const auto* button = qobject_cast<const QAbstractButton*>(widget);
        const bool named = !widget->accessibleName().isEmpty() || (button && !button->text().trimmed().isEmpty());
        if (!named) found << describe(widget);
    }
    return found;
}

// Text that does not fit its widget and is not elided, and controls outside their window.
QStringList clippedTexts(const QWidget* top) {
    QStringList found;
    for (const auto* widget : top->findChildren<QWidget*>()) {
        if (!widget->isVisible()) continue;
        if (const auto* button = qobject_cast<const QPushButton*>(widget)) {
            const int text = button->fontMetrics().horizontalAdvance(button->text().trimmed());
            const int icon = button->icon().isNull() ? 0 : button->iconSize().width() + 8;
            if (text + icon > button->width()) found << describe(widget);
        }
        if (const auto* label = qobject_cast<const TextLabel*>(widget)) {
            const bool cut = label->fontMetrics().horizontalAdvance(label->text()) > label->width() + 1;
            if (cut && label->toolTip().isEmpty()) found << describe(widget);
            if (label->height() < label->fontMetrics().height() - 3) found << describe(widget);
        }
        const auto* header = qobject_cast<const QHeaderView*>(widget);
        if (header && header->orientation() == Qt::Horizontal) found << cutHeads(header);
        if (isControl(widget)) {
            if (!isReadable(widget)) found << describe(widget) + QStringLiteral(" cut");
            const QPoint corner = widget->mapTo(top, QPoint(widget->width() - 1, 0));
            if (corner.x() >= top->width()) found << describe(widget) + QStringLiteral(" outside");
        }
    }
    return found;
}

QStringList clippedLegends(const QWidget* top) {
    QStringList found;
    for (const auto* legend : top->findChildren<PlotLegend*>()) {
        if (!legend->isVisible()) continue;
        const bool isShort = legend->width() < legend->sizeHint().width() - 4;
        if (isShort && legend->toolTip().isEmpty()) found << describe(legend);
        if (legend->width() < legend->minimumSizeHint().width()) found << describe(legend) + QStringLiteral(" values");
        const QPoint right = legend->mapTo(top, QPoint(legend->width() - 1, 0));
        if (right.x() >= top->width()) found << describe(legend) + QStringLiteral(" outside");
    }
    return found;
}

}  // namespace espalier::test
