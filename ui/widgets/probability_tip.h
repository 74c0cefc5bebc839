// SPDX-License-Identifier: GPL-3.0-or-later
// ProbabilityTip: the likeliest tokens at one place of an answer and what is left for the others, with bars, in the
// colours of a tooltip.
#pragma once

#include <QWidget>

#include "ui/bridge/chat_stream.h"

namespace espalier::ui {

class ProbabilityTip : public QWidget {
    Q_OBJECT
public:
    explicit ProbabilityTip(QWidget* parent);  // not null
    // At a point of the screen, below and right of it where there is room.
    void showToken(int number, const ChatToken& token, const QPoint& at);
    QSize sizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    struct Row {
        QString text;
        double share;
        bool chosen;
    };
    QString m_title, m_share;
    std::vector<Row> m_rows;
};

// As it is shown: quotes around spaces, marks for what has no glyph.
QString visibleToken(const QString& text);

}  // namespace espalier::ui
