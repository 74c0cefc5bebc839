// SPDX-License-Identifier: GPL-3.0-or-later
// PageMap: who holds which page of a pool, small enough to send and to draw. A cell stands for 2^k neighbouring pages
// and shows the owner of most of them and a second one beside it; equal neighbours are one run. Adapters are named
// once, runs say which. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/serving/page_pool.h"
#include "core/serving/request.h"

namespace espalier {

constexpr std::int64_t kNoReader = 0;         // free, an adapter's, or only the prefix cache knows the page
constexpr std::int64_t kSeveralReaders = -1;  // a shared prefix, or a cell over pages of different requests

constexpr std::int32_t kNoAdapter = -1;        // nobody's, or KV
constexpr std::int32_t kSeveralAdapters = -2;  // a cell over pages of different adapters

// Another owner of pages of a cell, so that it is not lost among many: an adapter before KV, else whoever has more.
struct BesideOwner {
    std::int32_t pages = 0;  // of each cell; 0: there is none, or only free pages
    PageOwner owner = PageOwner::Free;
    std::int32_t adapter = kNoAdapter;  // as in PageRun
    bool operator==(const BesideOwner&) const = default;
};

struct PageRun {
    std::int32_t cells = 0;
    PageOwner owner = PageOwner::Free;
    std::int64_t request = kNoReader;   // its id, or one of the two above
    std::int32_t adapter = kNoAdapter;  // index into PageMap::adapters, or one of the two above
    BesideOwner beside = {};
    bool operator==(const PageRun&) const = default;
};

struct PageMap {
    std::int32_t pages = 0;
    std::int32_t pagesPerCell = 1;
    std::int64_t pageBytes = 0;         // of one page, over all layers
    std::vector<PageRun> runs;          // ascending page ids; their cells add up to ceil(pages / pagesPerCell)
    std::vector<std::string> adapters;  // names of those that a run names, each once; no more than two a cell
};

// owners, readers and adapters: one per page; adapters as indices into `names`, or empty: none. Requires: equal sizes,
// mostCells > 0. O(pages).
PageMap mapPages(std::span<const PageOwner> owners, std::span<const std::int64_t> readers, std::int32_t mostCells,
                 std::span<const std::int32_t> adapters = {}, std::span<const std::string> names = {});

}  // namespace espalier
