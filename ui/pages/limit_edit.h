// SPDX-License-Identifier: GPL-3.0-or-later
// LimitEdit: the field of a limit that holds as soon as Enter is pressed or the field is left. Esc drops what is typed;
// when nothing is, Esc and Ctrl+Z belong to the page.
#pragma once

#include <QKeyEvent>
#include <QLineEdit>

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

protected:
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
    QString m_held;
};

}  // namespace espalier::ui
