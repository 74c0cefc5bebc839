// SPDX-License-Identifier: GPL-3.0-or-later
// AttachDialog: the address and key of a server that someone else started.
#pragma once

#include <QDialog>
#include <QUrl>

class QLineEdit;

namespace espalier::ui {

class AttachDialog : public QDialog {
    Q_OBJECT
public:
    explicit AttachDialog(QWidget* parent);
    QUrl url() const;
    QString key() const;

private:
    QLineEdit *m_url, *m_key;
};

}  // namespace espalier::ui
