// SPDX-License-Identifier: GPL-3.0-or-later
// Sentence: words of the body's size that wrap, on lines 20 px apart as the body's are; a QLabel takes the font's own
// distance. Plain text, secondary, centred.
//
// Thread: Qt.
#pragma once

#include <QLabel>

class QTextLayout;

namespace espalier::ui {

class Sentence : public QLabel {
    Q_OBJECT
public:
    explicit Sentence(const QString& text, QWidget* parent = nullptr);
    bool hasHeightForWidth() const override { return true; }
    int heightForWidth(int width) const override;
    QSize sizeHint() const override { return {width(), heightForWidth(width())}; }
    QSize minimumSizeHint() const override { return sizeHint(); }

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    int layOut(QTextLayout& layout, int width) const;  // its height
};

}  // namespace espalier::ui
