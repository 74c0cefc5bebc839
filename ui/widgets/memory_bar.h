// SPDX-License-Identifier: GPL-3.0-or-later
// MemoryBar: device memory by owner as one bar with its legend, in GiB, or each with its unit where little is used.
// What comes and goes with requests keeps its place in the legend; other owners that hold nothing are left out.
#pragma once

#include <QWidget>

#include "core/engine/messages.h"

namespace espalier::ui {

class MemoryBar : public QWidget {
    Q_OBJECT
public:
    explicit MemoryBar(QWidget* parent = nullptr);
    void setMemory(const MemoryByOwner& memory);
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;
    int heightForWidth(int width) const override;
    bool hasHeightForWidth() const override { return true; }

protected:
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    struct Entry {
        int owner;
        QString name, value;
        bool isNone;
        QRect rect;
    };
    QString valueText(qint64 bytes) const;
    std::vector<Entry> legend(int width) const;

    MemoryByOwner m_memory;
};

}  // namespace espalier::ui
