// SPDX-License-Identifier: GPL-3.0-or-later
// CertaintyLegend: what the underlines in answers mean.
#pragma once

#include <QWidget>

namespace espalier::ui {

class CertaintyLegend : public QWidget {
    Q_OBJECT
public:
    explicit CertaintyLegend(QWidget* parent = nullptr);

protected:
    void paintEvent(QPaintEvent* event) override;
};

}  // namespace espalier::ui
