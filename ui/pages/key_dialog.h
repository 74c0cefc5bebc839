// SPDX-License-Identifier: GPL-3.0-or-later
// KeyDialog: a new key, shown this once, with a way to copy it.
#pragma once

#include <QDialog>

namespace espalier::ui {

class KeyDialog : public QDialog {
    Q_OBJECT
public:
    KeyDialog(const QString& tenant, const QString& key, QWidget* parent);
};

}  // namespace espalier::ui
