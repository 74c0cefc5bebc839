// SPDX-License-Identifier: GPL-3.0-or-later
// TokenStrip: tokens as a tokenizer cut them, each over its id, in alternating tints; a space shows as a middle dot.
// Special tokens have an outline of their own. The tooltip says the id, the spelling and the bytes.
#pragma once

#include <QWidget>

#include "ui/bridge/engine_client.h"

namespace espalier::ui {

class TokenStrip : public QWidget {
    Q_OBJECT
public:
    explicit TokenStrip(QWidget* parent = nullptr);
    void setTokens(Tokenization tokens);
    int tokenCount() const { return int(m_cells.size()); }
    int heightForWidth(int width) const override;
    bool hasHeightForWidth() const override { return true; }
    QSize sizeHint() const override;

protected:
    bool event(QEvent* event) override;
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    struct Cell {
        QString text, id, spelled;
        bool special;
        int width;
        QRect rect;
    };
    int layOut(int width, std::vector<Cell>* cells) const;  // the height

    std::vector<Cell> m_cells;
};

}  // namespace espalier::ui
