// SPDX-License-Identifier: GPL-3.0-or-later
// The field in the menu bar that opens the palette.
#pragma once

#include <QPushButton>

namespace espalier::ui {

class PaletteField : public QPushButton {
    Q_OBJECT
public:
    explicit PaletteField(const QString& text);
    void setNarrow(bool narrow);

protected:
    void paintEvent(QPaintEvent* event) override;
};

}  // namespace espalier::ui
