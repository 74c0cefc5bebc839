// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/name_edit.h"

#include <QFocusEvent>
#include <QKeyEvent>

namespace espalier::ui {

void NameEdit::keyPressEvent(QKeyEvent* event) {
    if (event->key() == Qt::Key_Escape)
        emit dropped();
    else
        QLineEdit::keyPressEvent(event);
}

void NameEdit::focusOutEvent(QFocusEvent* event) {
    QLineEdit::focusOutEvent(event);
    const bool comesBack = event->reason() == Qt::ActiveWindowFocusReason || event->reason() == Qt::PopupFocusReason;
    if (!comesBack) emit dropped();
}

}  // namespace espalier::ui
