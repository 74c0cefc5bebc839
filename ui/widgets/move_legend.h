// SPDX-License-Identifier: GPL-3.0-or-later
// MoveLegend: what the colours of a MoveTimeline mean, for the title row of its panel. Where space is short the names
// are left out, and the tooltip has them.
#pragma once

#include <QWidget>

namespace espalier::ui {

class MoveLegend : public QWidget {
    Q_OBJECT
public:
    explicit MoveLegend(QWidget* parent = nullptr);
    bool areNamesShown() const;
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    int widthOf(bool named) const;
};

}  // namespace espalier::ui
