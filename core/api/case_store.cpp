// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/api/case_store.h"

#include <algorithm>

#include "core/api/json_fields.h"

namespace espalier {
namespace {

constexpr std::uint64_t kMostFileBytes = 512ull << 20;

auto findCase(Json& cases, std::int64_t id) {
    return std::find_if(cases.begin(), cases.end(), [id](const Json& one) { return one["id"] == id; });
}

Error noCase(std::int64_t id) {
    return fail(ErrorCode::NotFound, "there is no saved case " + std::to_string(id), "id");
}

}  // namespace

Result<Json> CaseStore::list() {
    const std::lock_guard lock(m_mutex);
    TRY_ASSIGN(Json cases, read());
    return Json{{"cases", std::move(cases)}};
}

Result<Json> CaseStore::save(const Json& arguments) {
    const JsonFields fields(arguments);
    const Json* given = fields.find("case");
    if (!given || !given->is_object()) return fields.wrong("case", "an object");
    const JsonFields members(*given);
    TRY_ASSIGN(const std::string name, members.requiredString("name"));
    if (name.empty()) return members.wrong("name", "a name that is not empty");
    TRY_ASSIGN(const auto id, members.integer("id", 1, INT64_MAX));
    if (const std::size_t bytes = dumpJson(*given).size(); bytes > kMostBytes)
        return fail(ErrorCode::TooLarge,
                    "the case \"" + name.substr(0, 80) + "\" has " + std::to_string(bytes) + " bytes, at most " +
                        std::to_string(kMostBytes) + " are kept",
                    "case");
    const std::lock_guard lock(m_mutex);
    TRY_ASSIGN(Json cases, read());
    Json kept = *given;
    if (id) {
        const auto found = findCase(cases, *id);
        if (found == cases.end()) return noCase(*id);
        *found = kept;
    } else {
        if (cases.size() >= kMostCases)
            return fail(ErrorCode::TooLarge, "the workspace has " + std::to_string(cases.size()) +
                                                 " saved cases already; remove some first");
        std::int64_t next = 1;
        for (const Json& one : cases) next = std::max(next, one["id"].get<std::int64_t>() + 1);
        kept["id"] = next;
        cases.push_back(kept);
    }
    TRY(write(cases));
    return kept;
}

Result<Json> CaseStore::remove(const Json& arguments) {
    const JsonFields fields(arguments);
    TRY_ASSIGN(const auto id, fields.integer("id", 1, INT64_MAX));
    if (!id) return fields.wrong("id", "the number of a case");
    const std::lock_guard lock(m_mutex);
    TRY_ASSIGN(Json cases, read());
    const auto found = findCase(cases, *id);
    if (found == cases.end()) return noCase(*id);
    Json removed = *found;
    cases.erase(found);
    TRY(write(cases));
    return Json{{"removed", std::move(removed)}};
}

Result<Json> CaseStore::read() {
    if (!m_files.exists(m_file)) return Json::array();
    TRY_ASSIGN(const std::string text, m_files.readText(m_file, kMostFileBytes));
    TRY_ASSIGN(Json document, parseJson(text, m_file.string(), {.bytes = kMostFileBytes}));
    const auto broken = [&](const std::string& what) {
        return fail(ErrorCode::CorruptFile, m_file.string() + ": " + what, m_file.string());
    };
    const auto cases = document.is_object() ? document.find("cases") : document.end();
    if (!document.is_object() || cases == document.end() || !cases->is_array())
        return broken("expected an object with an array \"cases\"");
    for (const Json& one : *cases)
        if (!one.is_object() || !one.contains("id") || !one["id"].is_number_integer() || one["id"] < 1 ||
            one["id"] >= INT64_MAX)
            return broken("every case must be an object with a positive whole \"id\"");
    return std::move(*cases);
}

Result<void> CaseStore::write(const Json& cases) {
    return writeAtomically(m_files, m_file, dumpJson({{"cases", cases}}, 1));
}

}  // namespace espalier
