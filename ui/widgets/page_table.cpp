// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/page_table.h"

#include <algorithm>

#include "ui/models/format.h"
#include "ui/widgets/page_map_view.h"

namespace espalier::ui {
PageTable::PageTable(About about, QObject* parent)
    : RecordTable({{tr("Pages")}, {tr("Count"), true}, {tr("Owner")}, {tr("Belongs to")}}, parent),
      m_about(std::move(about)) {}

void PageTable::setMap(const PageMap& map) {
    std::vector<Row> rows;
    qint64 first = 0;
    for (const PageRun& run : map.runs) {
        // The last cell may stand for fewer pages than the others.
        const qint64 pages = std::min<qint64>(qint64(run.cells) * map.pagesPerCell, map.pages - first);
        if (pages <= 0) break;
        rows.push_back({first, pages, run, adapterOfPages(map, run.owner, run.adapter),
                        besideText(map, run.beside, qint64(run.cells) * run.beside.pages)});
        first += pages;
    }
    const int before = rowCount(), after = int(rows.size()), kept = std::min(before, after);
    std::copy_n(rows.begin(), kept, m_rows.begin());
    if (kept > 0) emit dataChanged(index(0, 0), index(kept - 1, columnCount() - 1));
    if (after < before) {
        beginRemoveRows({}, after, before - 1);
        m_rows.resize(std::size_t(after));
        endRemoveRows();
    } else if (after > before) {
        beginInsertRows({}, before, after - 1);
        m_rows = std::move(rows);
        endInsertRows();
    }
}

int PageTable::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : int(m_rows.size());
}

QString PageTable::readerOf(const Row& row) const {
    const PageRun& run = row.run;
    if (!row.adapter.isEmpty()) return row.adapter;
    if (run.owner != PageOwner::Kv) return QStringLiteral("–");
    if (run.request == kSeveralReaders) return tr("several requests");
    if (run.request == kNoReader) return QStringLiteral("–");
    const QString about = m_about(run.request);
    const QString name = tr("Request %1").arg(run.request);
    return about.isEmpty() ? name : name + QStringLiteral(", ") + about;
}

QVariant PageTable::cell(int row, int column, int role) const {
    if (role != Qt::DisplayRole && role != Qt::ToolTipRole) return {};
    const Row& r = m_rows[std::size_t(row)];
    switch (column) {
        case Pages:
            return r.pages == 1 ? formatCount(r.first)
                                : formatCount(r.first) + QChar(0x2013) + formatCount(r.first + r.pages - 1);
        case Count:
            return formatCount(r.pages);
        case Owner:
            return ownerName(memoryOwnerOf(r.run.owner));
        default:
            return r.beside.isEmpty() ? readerOf(r) : readerOf(r) + QStringLiteral("; ") + r.beside;
    }
}

}  // namespace espalier::ui
