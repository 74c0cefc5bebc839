// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/page_map_view.h"

#include <QEvent>
#include <QFontMetrics>
#include <QPainter>
#include <algorithm>
#include <array>
#include <tuple>

#include "ui/models/format.h"

namespace espalier::ui {
namespace {

constexpr int kLeastPitch = 8, kMostPitch = 16, kGapPx = 1;
constexpr double kTallest = 1.25;  // of the width of a cell
constexpr int kDotPart = 3;        // of a part is its dot
constexpr int kLegendLine = 18, kAboveLegend = 4, kLegendGap = 14;
constexpr int kLegendInOneLine = 460;  // as wide as five entries may be
constexpr int kLeastPart = 3;          // pixels of a second owner in a cell, and what it leaves of the first

}  // namespace

MemoryOwner memoryOwnerOf(PageOwner owner) {
    switch (owner) {
        case PageOwner::Kv:
            return MemoryOwner::KvRunning;
        case PageOwner::KvCached:
            return MemoryOwner::KvCached;
        case PageOwner::Adapter:
        case PageOwner::AdapterIdle:
        case PageOwner::Staging:
            return MemoryOwner::Adapters;
        case PageOwner::Free:
            break;
    }
    return MemoryOwner::Free;
}

QString adapterOfPages(const PageMap& map, PageOwner owner, std::int32_t adapter) {
    if (adapter == kNoAdapter) return {};
    const QString name =
        adapter == kSeveralAdapters ? PageMapView::tr("several adapters") : text(map.adapters[std::size_t(adapter)]);
    const QString state = owner == PageOwner::Staging       ? PageMapView::tr("on its way in")
                          : owner == PageOwner::AdapterIdle ? PageMapView::tr("kept for its next request")
                                                            : PageMapView::tr("in use");
    return name + QStringLiteral(", ") + state;
}

QString besideText(const PageMap& map, const BesideOwner& beside, qint64 pages) {
    if (beside.pages == 0) return {};
    const QString whose = adapterOfPages(map, beside.owner, beside.adapter);
    const QString text =
        PageMapView::tr("%1 of these: %2").arg(formatCount(pages), ownerName(memoryOwnerOf(beside.owner)));
    return whose.isEmpty() ? text : text + QStringLiteral(", ") + whose;
}

PageMapView::PageMapView(About about, QWidget* parent)
    : PartCanvas(tr("Page map"), parent), m_about(std::move(about)) {}

void PageMapView::clear() {
    m_map = {};
    m_cells.clear();
    renumber(kNone);
    layOut();
}

// Of the names that may come, not of those that are there: the map must not jump when a count grows.
int PageMapView::legendHeight() const {
    const int lines = m_map.adapters.empty() || width() >= scaled(kLegendInOneLine) ? 1 : 2;
    return kAboveLegend + lines * scaled(kLegendLine);
}

int PageMapView::cellsThatFit() const {
    return qMax(1, width() / kLeastPitch) * qMax(1, (height() - legendHeight()) / kLeastPitch);
}

void PageMapView::setMap(const PageMap& map) {
    std::vector<Cell> cells;
    for (const PageRun& run : map.runs)
        cells.insert(cells.end(), std::size_t(run.cells), Cell{run.owner, run.request, run.adapter, run.beside});
    const int legendBefore = legendHeight();
    m_map = map;
    const bool sameShape = cells.size() == m_cells.size() && !m_image.isNull() && legendHeight() == legendBefore;
    m_cells.swap(cells);
    if (!sameShape) {
        renumber(kNone);
        return layOut();
    }
    QPainter painter(&m_image);
    for (int i = 0; i < cellCount(); ++i)
        if (!cells[std::size_t(i)].looksLike(m_cells[std::size_t(i)])) paintCell(painter, i);
    painter.end();
    update();
}

// The largest cells with which all of them fit; one image for all.
void PageMapView::layOut() {
    const int room = height() - legendHeight();
    m_pitch = kMostPitch;
    const auto fits = [&] {
        m_columns = qMax(1, width() / m_pitch);
        return (cellCount() + m_columns - 1) / m_columns * m_pitch <= room;
    };
    while (!fits() && m_pitch > kLeastPitch) --m_pitch;
    // A little higher than wide, where that fills the room.
    const int rows = qMax(1, (cellCount() + m_columns - 1) / m_columns);
    m_rowPitch = qBound(m_pitch, room / rows, int(m_pitch * kTallest));
    const double ratio = devicePixelRatioF();
    m_image = QImage((QSizeF(width(), qMax(1, room)) * ratio).toSize(), QImage::Format_ARGB32_Premultiplied);
    if (m_image.isNull()) return;
    m_image.setDevicePixelRatio(ratio);
    m_image.fill(QColor(colorsOf(palette()).base));
    QPainter painter(&m_image);
    for (int i = 0; i < cellCount(); ++i) paintCell(painter, i);
    painter.end();
    update();
}

QRect PageMapView::partRect(int cell) const {
    return {cell % m_columns * m_pitch, cell / m_columns * m_rowPitch, m_pitch - kGapPx, m_rowPitch - kGapPx};
}

void PageMapView::paintCell(QPainter& painter, int cell) {
    ++m_painted;
    const QRect rect = partRect(cell);
    const Cell& shown = m_cells[std::size_t(cell)];
    paintPart(painter, rect, shown.owner);
    if (shown.beside.pages == 0) return;
    const int share = qRound(double(rect.width()) * shown.beside.pages / m_map.pagesPerCell);
    const int wide = qBound(kLeastPart, share, rect.width() - kLeastPart);
    paintPart(painter, rect.adjusted(rect.width() - wide, 0, 0, 0), shown.beside.owner);
}

void PageMapView::paintPart(QPainter& painter, const QRect& rect, PageOwner owner) {
    const ThemeColors& c = colorsOf(palette());
    if (owner == PageOwner::Free) {
        painter.fillRect(rect, QColor(c.base));
        painter.setPen(QColor(c.freeDots));
        painter.drawRect(rect.adjusted(0, 0, -1, -1));
        return;
    }
    const bool isKv = owner == PageOwner::Kv || owner == PageOwner::KvCached;
    painter.fillRect(rect, QColor(owner == PageOwner::Kv ? c.kvRunning : isKv ? c.kvCached : c.adapters));
    if (owner == PageOwner::Adapter) {
        const int side = qMax(1, qMin(rect.width(), rect.height()) / kDotPart);
        painter.fillRect(
            QRect(rect.left() + (rect.width() - side) / 2, rect.top() + (rect.height() - side) / 2, side, side),
            QColor(c.nameOnLight));
        return;
    }
    if (owner != PageOwner::KvCached && owner != PageOwner::AdapterIdle) return;
    painter.setPen(QColor(c.cachedLines));
    // In a narrow part a slanted line would hide the owner's colour.
    if (rect.width() > kLeastPart)
        painter.drawLine(rect.bottomLeft(), rect.topRight());
    else
        painter.drawLine(rect.left(), rect.center().y(), rect.right(), rect.center().y());
}

void PageMapView::paintEvent(QPaintEvent*) {
    const ThemeColors& c = colorsOf(palette());
    QPainter painter(this);
    painter.drawImage(QPoint(0, 0), m_image);
    if (chosen() >= 0 && chosen() < cellCount()) {
        painter.setRenderHint(QPainter::Antialiasing);
        painter.setPen(QPen(QColor(c.text), 1.5));
        painter.drawRect(QRectF(partRect(chosen())).adjusted(-0.75, -0.75, 0.75, 0.75));
        painter.setRenderHint(QPainter::Antialiasing, false);
    }
    paintLegend(painter);
    paintFocus(painter);
}

// Counts pages, not cells: each run is weighed with the pages of its cells. Adapters are all of theirs, in use or not.
std::vector<PageMapView::LegendEntry> PageMapView::legend() const {
    std::array<qint64, kPageOwners> pages{};
    for (const Cell& cell : m_cells) {
        pages[std::size_t(cell.owner)] += m_map.pagesPerCell - cell.beside.pages;
        pages[std::size_t(cell.beside.owner)] += cell.beside.pages;
    }
    const qint64 inUse = pages[std::size_t(PageOwner::Adapter)];
    const qint64 adapters = inUse + pages[std::size_t(PageOwner::AdapterIdle)] + pages[std::size_t(PageOwner::Staging)];
    const auto entry = [&](PageOwner owner, const QString& name, qint64 count) {
        count = std::min<qint64>(count, m_map.pages);
        return LegendEntry{owner, name,
                           (m_map.pagesPerCell == 1 ? QString() : QStringLiteral("≈ ")) + formatCount(count)};
    };
    std::vector<LegendEntry> entries;
    for (const PageOwner owner : {PageOwner::Kv, PageOwner::KvCached})
        entries.push_back(entry(owner, ownerName(memoryOwnerOf(owner), true), pages[std::size_t(owner)]));
    if (!m_map.adapters.empty()) {
        entries.push_back(entry(PageOwner::Staging, ownerName(MemoryOwner::Adapters, true), adapters));
        entries.push_back(entry(PageOwner::Adapter, tr("In use"), inUse));
    }
    entries.push_back(entry(PageOwner::Free, ownerName(MemoryOwner::Free, true), pages[std::size_t(PageOwner::Free)]));
    return entries;
}

// Returns where the next begins.
int PageMapView::paintLegendEntry(QPainter& painter, const LegendEntry& entry, QPoint at) {
    const ThemeColors& c = colorsOf(palette());
    const QRect swatch(at.x(), at.y() + 3, kSwatch, kSwatch);
    if (entry.owner == PageOwner::Adapter) {
        paintPart(painter, swatch, entry.owner);
    } else {
        painter.setPen(Qt::NoPen);
        painter.setBrush(ownerBrush(c, memoryOwnerOf(entry.owner)));
        painter.drawRoundedRect(swatch, 2, 2);
    }
    int x = swatch.right() + 5;
    for (const auto& [word, weight, color] :
         {std::tuple{entry.name, QFont::Normal, c.secondary}, std::tuple{entry.count, QFont::Medium, c.text}}) {
        painter.setFont(uiFont(text_size::kCaption, weight));
        painter.setPen(QColor(color));
        painter.drawText(QRect(x, at.y(), width() - x, 16), Qt::AlignLeft | Qt::AlignVCenter, word);
        x += painter.fontMetrics().horizontalAdvance(word) + 4;
    }
    return x + kLegendGap - 4;
}

// In one line, or in two where that is too short.
void PageMapView::paintLegend(QPainter& painter) {
    if (m_cells.empty()) return;
    const QFontMetrics metrics(uiFont(text_size::kCaption, QFont::Medium));
    int x = 0, y = height() - legendHeight() + kAboveLegend;
    for (const LegendEntry& entry : legend()) {
        const int wide = kSwatch + 8 + metrics.horizontalAdvance(entry.name + entry.count);
        if (x > 0 && x + wide > width()) {
            x = 0;
            y += scaled(kLegendLine);
        }
        x = paintLegendEntry(painter, entry, {x, y});
    }
}

int PageMapView::partAt(QPoint point) const {
    if (m_pitch <= 0 || point.x() < 0 || point.y() < 0 || point.x() / m_pitch >= m_columns) return -1;
    const int cell = point.y() / m_rowPitch * m_columns + point.x() / m_pitch;
    return cell < cellCount() ? cell : -1;
}

QString PageMapView::partText(int cell) const {
    if (cell < 0 || cell >= cellCount()) return {};
    const Cell& shown = m_cells[std::size_t(cell)];
    const qint64 first = qint64(cell) * m_map.pagesPerCell;
    const qint64 last = std::min<qint64>(first + m_map.pagesPerCell, m_map.pages) - 1;
    const QString which = first == last ? tr("Page %1").arg(formatCount(first))
                                        : tr("Pages %1–%2").arg(formatCount(first), formatCount(last));
    QString text = tr("%1 · %2").arg(which, ownerName(memoryOwnerOf(shown.owner)));
    if (m_map.pageBytes > 0) text += tr(" · %1 each").arg(formatBytes(m_map.pageBytes));
    const QString whose = belongingText(shown);
    for (const QString& line : {whose, besideText(m_map, shown.beside, shown.beside.pages)})
        if (!line.isEmpty()) text += QLatin1Char('\n') + line;
    return text;
}

QString PageMapView::belongingText(const Cell& cell) const {
    if (cell.adapter != kNoAdapter) return adapterOfPages(m_map, cell.owner, cell.adapter);
    if (cell.request == kSeveralReaders) return tr("Read by several requests");
    if (cell.request != kNoReader) {
        const QString about = m_about(cell.request);
        return tr("Request %1").arg(cell.request) + (about.isEmpty() ? QString() : QStringLiteral(", ") + about);
    }
    return cell.owner == PageOwner::KvCached ? tr("A prefix that a later request may begin with") : QString();
}

void PageMapView::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    layOut();
}

void PageMapView::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange) layOut();
}

int PageMapView::partBeside(int from, int key) const {
    const int by = key == Qt::Key_Left ? -1 : key == Qt::Key_Right ? 1 : key == Qt::Key_Up ? -m_columns : m_columns;
    const int to = from == kNone ? 0 : from + by;
    return to >= 0 && to < cellCount() ? to : kNone;
}

}  // namespace espalier::ui
