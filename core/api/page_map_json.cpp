// SPDX-License-Identifier: GPL-3.0-or-later
// The page map on the wire: runs as short arrays, because there may be thousands of them a second.
#include <array>
#include <optional>

#include "core/api/protocol.h"

namespace espalier {
namespace {

constexpr std::array kOwners{PageOwner::Free,    PageOwner::Kv,          PageOwner::KvCached,
                             PageOwner::Adapter, PageOwner::AdapterIdle, PageOwner::Staging};
constexpr std::int64_t kMostPages = INT32_MAX;

Error wrongItem(const char* list, std::size_t index, const char* expected) {
    const std::string where = std::string(list) + "[" + std::to_string(index) + "]";
    return fail(ErrorCode::CorruptFile, "page map: " + where + " must be " + expected, where);
}

std::optional<PageOwner> ownerNamed(const Json& name) {
    for (const PageOwner owner : kOwners)
        if (name.get_ref<const std::string&>() == pageOwnerName(owner)) return owner;
    return std::nullopt;
}

// Runs in which a second owner stands beside the first, apart from the runs themselves: those who do not know of it
// read the map as before.
Result<void> readBeside(const Json& list, PageMap& map) {
    for (std::size_t i = 0; i < list.size(); ++i) {
        const Json& item = list[i];
        const auto wrong = [i](const char* expected) { return wrongItem("beside", i, expected); };
        if (!item.is_array() || item.size() != 4 || !item[0].is_number_integer() || !item[1].is_number_integer() ||
            !item[2].is_string() || !item[3].is_number_integer())
            return wrong("[run, pages, owner, adapter]");
        const auto run = item[0].get<std::int64_t>(), pages = item[1].get<std::int64_t>(),
                   adapter = item[3].get<std::int64_t>();
        if (run < 0 || run >= static_cast<std::int64_t>(map.runs.size())) return wrong("of a run of the map");
        if (pages < 1 || pages >= map.pagesPerCell) return wrong("of fewer pages than a cell has");
        if (adapter < kSeveralAdapters || adapter >= static_cast<std::int64_t>(map.adapters.size()))
            return wrong("of an adapter that is named");
        const auto owner = ownerNamed(item[2]);
        if (!owner) return wrong("of an owner this version knows");
        map.runs[static_cast<std::size_t>(run)].beside = {static_cast<std::int32_t>(pages), *owner,
                                                          static_cast<std::int32_t>(adapter)};
    }
    return {};
}

Result<PageRun> runFromJson(const Json& json, std::size_t index, std::size_t adapters) {
    const auto wrong = [index](const char* expected) { return wrongItem("runs", index, expected); };
    const bool hasAdapter = json.is_array() && json.size() == 4;
    if (!json.is_array() || (json.size() != 3 && !hasAdapter) || !json[0].is_number_integer() || !json[1].is_string() ||
        !json[2].is_number_integer() || (hasAdapter && !json[3].is_number_integer()))
        return wrong("[cells, owner, request] or [cells, owner, request, adapter]");
    PageRun run;
    const auto cells = json[0].get<std::int64_t>();
    if (cells < 1 || cells > kMostPageCells) return wrong("a run of at least one cell and at most the whole map");
    run.cells = static_cast<std::int32_t>(cells);
    run.request = json[2].get<std::int64_t>();
    if (hasAdapter) {
        const auto adapter = json[3].get<std::int64_t>();
        if (adapter < kSeveralAdapters || adapter >= static_cast<std::int64_t>(adapters))
            return wrong("of an adapter that is named");
        run.adapter = static_cast<std::int32_t>(adapter);
    }
    const auto owner = ownerNamed(json[1]);
    if (!owner) return wrong("of an owner this version knows");
    run.owner = *owner;
    return run;
}

}  // namespace

Json toJson(const PageMap& map) {
    Json runs = Json::array(), beside = Json::array();
    for (std::size_t i = 0; i < map.runs.size(); ++i) {
        const PageRun& run = map.runs[i];
        if (run.beside.pages > 0)
            beside.push_back(Json::array({i, run.beside.pages, pageOwnerName(run.beside.owner), run.beside.adapter}));
        Json& sent = runs.emplace_back(Json::array({run.cells, pageOwnerName(run.owner), run.request}));
        if (run.adapter != kNoAdapter) sent.push_back(run.adapter);
    }
    return {{"pages", map.pages},          {"pages_per_cell", map.pagesPerCell},
            {"page_bytes", map.pageBytes}, {"adapters", map.adapters},
            {"runs", std::move(runs)},     {"beside", std::move(beside)}};
}

Result<PageMap> pageMapFromJson(const Json& json) {
    if (!json.is_object()) return fail(ErrorCode::CorruptFile, "page map must be a JSON object", "page map");
    const JsonReader reader(json, "page map");
    PageMap map;
    TRY_ASSIGN(const std::int64_t pages, reader.integer("pages", 0, kMostPages));
    TRY_ASSIGN(const std::int64_t pagesPerCell, reader.integer("pages_per_cell", 1, std::int64_t{1} << 30));
    TRY_ASSIGN(map.pageBytes, reader.integer("page_bytes", 0, INT64_MAX));
    map.pages = static_cast<std::int32_t>(pages);
    map.pagesPerCell = static_cast<std::int32_t>(pagesPerCell);
    const Json* runs = reader.find("runs");
    if (!runs || !runs->is_array()) return reader.wrong("runs", "an array of runs");
    const std::int64_t expected = (pages + pagesPerCell - 1) / pagesPerCell;
    if (expected > kMostPageCells) return reader.wrong("pages_per_cell", "large enough for 4,096 cells");
    if (const Json* adapters = reader.find("adapters")) {
        if (!adapters->is_array() || adapters->size() > 2 * static_cast<std::size_t>(expected))
            return reader.wrong("adapters", "an array of names, no more than two a cell");
        for (const Json& name : *adapters) {
            if (!name.is_string()) return reader.wrong("adapters", "an array of names");
            map.adapters.push_back(name.get<std::string>());
        }
    }
    std::int64_t cells = 0;
    for (const Json& item : *runs) {
        TRY_ASSIGN(const PageRun run, runFromJson(item, map.runs.size(), map.adapters.size()));
        cells += run.cells;
        if (cells > expected) break;
        map.runs.push_back(run);
    }
    if (cells != expected) return reader.wrong("runs", "runs over " + std::to_string(expected) + " cells in all");
    if (const Json* beside = reader.find("beside")) {
        if (!beside->is_array()) return reader.wrong("beside", "an array");
        TRY(readBeside(*beside, map));
    }
    return map;
}

}  // namespace espalier
