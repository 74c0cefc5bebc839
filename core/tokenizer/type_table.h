// SPDX-License-Identifier: GPL-3.0-or-later
// TypeTable: which function reads which "type" of a tokenizer.json member. A type that is not in the table is refused
// by name, with those that are.
// Thread: any (constant tables).
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "core/base/json.h"
#include "core/tokenizer/token_limits.h"

namespace espalier {

template <class Made>
struct TypeEntry {
    std::string_view type;
    Result<Made> (*parse)(const JsonReader& spec, const std::string& where);  // where: the file and the member
};

// member: "pre_tokenizer".
template <class Made, std::size_t Count>
Result<Made> parseByType(const TypeEntry<Made> (&table)[Count], std::string_view member, const Json& spec,
                         const std::string& where) {
    const JsonReader reader(spec, where + ": " + std::string(member));
    TRY_ASSIGN(const std::string type, reader.string("type"));
    std::string known;
    for (const TypeEntry<Made>& entry : table) {
        if (entry.type == type) return entry.parse(reader, where);
        known.append(known.empty() ? "" : ", ").append(entry.type);
    }
    std::string what(member);
    std::replace(what.begin(), what.end(), '_', '-');
    return unknownType(where, what, type, known);
}

}  // namespace espalier
