// SPDX-License-Identifier: GPL-3.0-or-later
// PageMapView: the pages of a model's pool as cells, painted into one image of which only changed cells are painted
// again. Owners keep the colours and second cues they have everywhere; where a cell stands for several pages, a second
// owner among them has its part of the cell, so that one page of an adapter is seen among many of KV. Pages of an
// adapter in use have a dot. Hovering or the arrow keys choose a cell and say whose it is.
//
// Owner: a page. Thread: Qt.
#pragma once

#include <QImage>
#include <functional>

#include "core/serving/page_map.h"
#include "ui/widgets/memory_owner.h"
#include "ui/widgets/part_canvas.h"

namespace espalier::ui {

class PageMapView : public PartCanvas {
    Q_OBJECT
public:
    // `about` says in one line who a request is; empty when it is not known any more.
    using About = std::function<QString(qint64 request)>;
    explicit PageMapView(About about, QWidget* parent = nullptr);

    void setMap(const PageMap& map);
    void clear();
    int cellsThatFit() const;  // of the smallest size
    int cellCount() const { return int(m_cells.size()); }
    QString partText(int cell) const override;  // "Pages 11,488–11,519 · KV\nrequest 41, tiny ..."
    QRect partRect(int cell) const override;
    int paintedCells() const { return m_painted; }  // since it was made: what redrawing cost

    QSize sizeHint() const override { return {380, 180}; }
    QSize minimumSizeHint() const override { return {160, 96}; }

protected:
    int partAt(QPoint point) const override;
    int partBeside(int from, int key) const override;
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void changeEvent(QEvent* event) override;

private:
    struct Cell {
        PageOwner owner = PageOwner::Free;
        std::int64_t request = kNoReader;
        std::int32_t adapter = kNoAdapter;
        BesideOwner beside;
        bool looksLike(const Cell& other) const {
            return owner == other.owner && beside.owner == other.beside.owner && beside.pages == other.beside.pages;
        }
        bool operator==(const Cell&) const = default;
    };
    QString belongingText(const Cell& cell) const;
    void layOut();
    void paintCell(QPainter& painter, int cell);
    void paintPart(QPainter& painter, const QRect& rect, PageOwner owner);
    struct LegendEntry {
        PageOwner owner;
        QString name, count;
    };
    int legendHeight() const;
    std::vector<LegendEntry> legend() const;
    int paintLegendEntry(QPainter& painter, const LegendEntry& entry, QPoint at);
    void paintLegend(QPainter& painter);

    About m_about;
    PageMap m_map;
    std::vector<Cell> m_cells;
    QImage m_image;
    int m_pitch = 0, m_rowPitch = 0, m_columns = 1;
    int m_painted = 0;
};

MemoryOwner memoryOwnerOf(PageOwner owner);
// "contracts-v4, in use"; empty when the pages are no adapter's.
QString adapterOfPages(const PageMap& map, PageOwner owner, std::int32_t adapter);
// "2 of these: Adapters, cook, in use"; empty when there is no second owner. pages: of it, in what is spoken of.
QString besideText(const PageMap& map, const BesideOwner& beside, qint64 pages);

}  // namespace espalier::ui
