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

bool isAdapter(PageOwner owner) {
    return owner == PageOwner::Adapter || owner == PageOwner::AdapterIdle || owner == PageOwner::Staging;
}

// Where the majority is an adapter's, other adapters are nothing that would be overlooked.
BesideOwner besideOf(PageOwner shown, std::span<const PageOwner> owners, std::span<const std::int32_t> adapters) {
    std::array<std::int32_t, kPageOwners> counts{};
    for (const PageOwner owner : owners) ++counts[static_cast<std::size_t>(owner)];
    BesideOwner best;
    const auto offer = [&](PageOwner owner) {
        const std::int32_t count = counts[static_cast<std::size_t>(owner)];
        if (owner != shown && count > best.pages) best = {count, owner, kNoAdapter};
    };
    for (const PageOwner owner : {PageOwner::Adapter, PageOwner::AdapterIdle, PageOwner::Staging}) offer(owner);
    if (isAdapter(shown) || best.pages == 0)
        for (const PageOwner owner : {PageOwner::Kv, PageOwner::KvCached}) offer(owner);
    bool isFirst = true;
    for (std::size_t i = 0; i < adapters.size(); ++i) {
        if (owners[i] != best.owner || best.pages == 0) continue;
        best.adapter = isFirst || best.adapter == adapters[i] ? adapters[i] : kSeveralAdapters;
        isFirst = false;
    }
    return best;
}

PageRun cellOf(std::span<const PageOwner> owners, std::span<const std::int64_t> readers,
               std::span<const std::int32_t> adapters) {
    PageRun cell{1, majority(owners), kNoReader, kNoAdapter};
    cell.beside = besideOf(cell.owner, owners, adapters);
    bool isFirst = true;
    for (std::size_t i = 0; i < owners.size(); ++i) {
        if (owners[i] != cell.owner) continue;
        const std::int32_t adapter = adapters.empty() ? kNoAdapter : adapters[i];
        if (isFirst) {
            cell.request = readers[i];
            cell.adapter = adapter;
        }
        if (cell.request != readers[i]) cell.request = kSeveralReaders;
        if (cell.adapter != adapter) cell.adapter = kSeveralAdapters;
        isFirst = false;
    }
    return cell;
}

// Only those that a run names are sent, by the order in which runs name them.
void nameAdapters(PageMap& map, std::span<const std::string> names) {
    std::vector<std::int32_t> numbers(names.size(), kNoAdapter);
    const auto rename = [&](std::int32_t& adapter) {
        if (adapter < 0) return;
        std::int32_t& number = numbers[static_cast<std::size_t>(adapter)];
        if (number == kNoAdapter) {
            number = static_cast<std::int32_t>(map.adapters.size());
            map.adapters.push_back(names[static_cast<std::size_t>(adapter)]);
        }
        adapter = number;
    };
    for (PageRun& run : map.runs) {
        rename(run.adapter);
        rename(run.beside.adapter);
    }
}

}  // namespace

PageMap mapPages(std::span<const PageOwner> owners, std::span<const std::int64_t> readers, std::int32_t mostCells,
                 std::span<const std::int32_t> adapters, std::span<const std::string> names) {
    CHECK(owners.size() == readers.size() && mostCells > 0);
    CHECK(adapters.empty() || adapters.size() == owners.size());
    PageMap map;
    map.pages = static_cast<std::int32_t>(owners.size());
    const auto cells = [&] { return (std::int64_t{map.pages} + map.pagesPerCell - 1) / map.pagesPerCell; };
    while (cells() > mostCells) map.pagesPerCell *= 2;
    for (std::size_t first = 0; first < owners.size(); first += static_cast<std::size_t>(map.pagesPerCell)) {
        const std::size_t count = std::min(static_cast<std::size_t>(map.pagesPerCell), owners.size() - first);
        const PageRun cell = cellOf(owners.subspan(first, count), readers.subspan(first, count),
                                    adapters.empty() ? adapters : adapters.subspan(first, count));
        const PageRun* const last = map.runs.empty() ? nullptr : &map.runs.back();
        const bool goesOn = last && last->owner == cell.owner && last->request == cell.request &&
                            last->adapter == cell.adapter && last->beside == cell.beside;
        if (goesOn)
            ++map.runs.back().cells;
        else
            map.runs.push_back(cell);
    }
    nameAdapters(map, names);
    return map;
}

}  // namespace espalier
