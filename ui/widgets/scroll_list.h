// SPDX-License-Identifier: GPL-3.0-or-later
// ScrollList: a column of rows that is as high as they are while there is room, and scrolls when there is not, so that
// rows are never squeezed and never push away what stands beside them.
#pragma once

#include <QScrollArea>

class QBoxLayout;

namespace espalier::ui {

class ScrollList : public QScrollArea {
    Q_OBJECT
public:
    explicit ScrollList(QWidget* parent = nullptr);
    QBoxLayout* rows() const { return m_rows; }
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    int contentHeight() const;

    QBoxLayout* m_rows;
};

}  // namespace espalier::ui
