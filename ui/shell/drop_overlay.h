// SPDX-License-Identifier: GPL-3.0-or-later
// DropOverlay: covers the window while something is dragged over it and says what a drop would do.
#pragma once

#include <QWidget>

namespace espalier::ui {

class DropOverlay : public QWidget {
    Q_OBJECT
public:
    explicit DropOverlay(QWidget* window);
    void cover(const QString& sentence);

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    QString m_sentence;
};

}  // namespace espalier::ui
