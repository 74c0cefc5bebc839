// SPDX-License-Identifier: GPL-3.0-or-later
// LimitEdit: the field of a limit, with its unit inside, that holds as soon as Enter is pressed or the field is left.
// Esc drops what is typed; when nothing is, Esc and Ctrl+Z belong to the page.
#pragma once

#include <QKeyEvent>
#include <QLineEdit>
#include <QPainter>

#include "ui/shell/theme.h"

namespace espalier::ui {

class LimitEdit : public QLineEdit {
    Q_OBJECT
public:
    void hold(const QString& text) {
        m_held = text;
        if (this->text() != text) setText(text);
        setModified(false);
    }
    bool isBeingEdited() const { return hasFocus() && isModified(); }
    void setUnit(const QString& unit) {
        m_unit = unit;
        keepRoom();
    }

protected:
    void changeEvent(QEvent* event) override {
        QLineEdit::changeEvent(event);
        if (event->type() == QEvent::FontChange) keepRoom();
    }
    void paintEvent(QPaintEvent* event) override {
        QLineEdit::paintEvent(event);
        if (m_unit.isEmpty()) return;
        QPainter painter(this);
        painter.setFont(uiFont(text_size::kTable));
        painter.setPen(QColor(colorsOf(palette()).secondary));
        painter.drawText(rect().adjusted(0, 0, -kUnitSide, 0), Qt::AlignRight | Qt::AlignVCenter, m_unit);
    }
    bool event(QEvent* event) override {
        const bool isPages = event->type() == QEvent::ShortcutOverride && !isModified() &&
                             static_cast<QKeyEvent*>(event)->matches(QKeySequence::Undo);
        return isPages ? false : QLineEdit::event(event);
    }
    void keyPressEvent(QKeyEvent* event) override {
        if (event->key() == Qt::Key_Escape && isModified()) {
            hold(m_held);
            selectAll();
            return;
        }
        QLineEdit::keyPressEvent(event);
    }

private:
    static constexpr int kUnitSide = 8;
    // What is typed does not run under the unit.
    void keepRoom() {
        const int wide = QFontMetrics(uiFont(text_size::kTable)).horizontalAdvance(m_unit);
        setTextMargins(0, 0, m_unit.isEmpty() ? 0 : wide + kUnitSide, 0);
    }

    QString m_held, m_unit;
};

}  // namespace espalier::ui
