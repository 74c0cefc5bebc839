// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/serving/page_map.h"

#include <algorithm>
#include <array>

#include "core/base/check.h"

namespace espalier {
namespace {

// The owner of most pages; a tie goes to the one that is harder to take away.
PageOwner majority(std::span<const PageOwner> owners) {
    std::array<std::int32_t, kPageOwners> counts{};
    for (const PageOwner owner : owners) ++counts[static_cast<std::size_t>(owner)];
    PageOwner best = PageOwner::Kv;
    for (const PageOwner owner :
         {PageOwner::Adapter, PageOwner::Staging, PageOwner::KvCached, PageOwner::AdapterIdle, PageOwner::Free})
        if (counts[static_cast<std::size_t>(owner)] > counts[static_cast<std::size_t>(best)]) best = owner;
    return best;
}

PageRun cellOf(std::span<const PageOwner> owners, std::span<const std::int64_t> readers) {
    PageRun cell{1, majority(owners), kNoReader};
    bool isFirst = true;
    for (std::size_t i = 0; i < owners.size(); ++i) {
        if (owners[i] != cell.owner) continue;
        if (isFirst)
            cell.request = readers[i];
        else if (cell.request != readers[i])
            cell.request = kSeveralReaders;
        isFirst = false;
    }
    return cell;
}

}  // namespace

PageMap mapPages(std::span<const PageOwner> owners, std::span<const std::int64_t> readers, std::int32_t mostCells) {
    CHECK(owners.size() == readers.size() && mostCells > 0);
    PageMap map;
    map.pages = static_cast<std::int32_t>(owners.size());
    const auto cells = [&] { return (std::int64_t{map.pages} + map.pagesPerCell - 1) / map.pagesPerCell; };
    while (cells() > mostCells) map.pagesPerCell *= 2;
    for (std::size_t first = 0; first < owners.size(); first += static_cast<std::size_t>(map.pagesPerCell)) {
        const std::size_t count = std::min(static_cast<std::size_t>(map.pagesPerCell), owners.size() - first);
        const PageRun cell = cellOf(owners.subspan(first, count), readers.subspan(first, count));
        const bool goesOn =
            !map.runs.empty() && map.runs.back().owner == cell.owner && map.runs.back().request == cell.request;
        if (goesOn)
            ++map.runs.back().cells;
        else
            map.runs.push_back(cell);
    }
    return map;
}

}  // namespace espalier
