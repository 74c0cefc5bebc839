// SPDX-License-Identifier: GPL-3.0-or-later
// NameEdit: a name that is changed in place. Enter keeps what was typed, Esc and leaving drop it.
//
// Owner: a page. Thread: Qt.
#pragma once

#include <QLineEdit>

namespace espalier::ui {

class NameEdit : public QLineEdit {
    Q_OBJECT
public:
    using QLineEdit::QLineEdit;

signals:
    void dropped();

protected:
    void keyPressEvent(QKeyEvent* event) override;
    void focusOutEvent(QFocusEvent* event) override;
};

}  // namespace espalier::ui
