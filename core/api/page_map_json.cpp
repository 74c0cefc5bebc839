// SPDX-License-Identifier: GPL-3.0-or-later
// The page map on the wire: runs as short arrays, because there may be thousands of them a second.
#include <array>

#include "core/api/protocol.h"

namespace espalier {
namespace {

constexpr std::array kOwners{PageOwner::Free,    PageOwner::Kv,          PageOwner::KvCached,
                             PageOwner::Adapter, PageOwner::AdapterIdle, PageOwner::Staging};
constexpr std::int64_t kMostPages = INT32_MAX;

Result<PageRun> runFromJson(const Json& json, std::size_t index, std::size_t adapters) {
    const auto wrong = [index](const char* expected) {
        const std::string where = "runs[" + std::to_string(index) + "]";
        return fail(ErrorCode::CorruptFile, "page map: " + where + " must be " + expected, where);
    };
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
    for (const PageOwner owner : kOwners) {
        if (json[1].get_ref<const std::string&>() != pageOwnerName(owner)) continue;
        run.owner = owner;
        return run;
    }
    return wrong("of an owner this version knows");
}

}  // namespace

Json toJson(const PageMap& map) {
    Json runs = Json::array();
    for (const PageRun& run : map.runs) {
        Json& sent = runs.emplace_back(Json::array({run.cells, pageOwnerName(run.owner), run.request}));
        if (run.adapter != kNoAdapter) sent.push_back(run.adapter);
    }
    return {{"pages", map.pages},
            {"pages_per_cell", map.pagesPerCell},
            {"page_bytes", map.pageBytes},
            {"adapters", map.adapters},
            {"runs", std::move(runs)}};
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
        if (!adapters->is_array() || adapters->size() > static_cast<std::size_t>(expected))
            return reader.wrong("adapters", "an array of names, no more than cells");
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
    return map;
}

}  // namespace espalier
