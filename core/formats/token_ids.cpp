// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/formats/token_ids.h"

namespace espalier {

namespace {
constexpr std::size_t kMaxIds = 256;

bool isTokenId(const Json& value) {
    if (value.is_number_unsigned()) return value.get<std::uint64_t>() <= static_cast<std::uint64_t>(INT32_MAX);
    return value.is_number_integer() && value.get<std::int64_t>() <= INT32_MAX;
}

}  // namespace

Result<std::vector<std::int32_t>> readTokenIds(const JsonReader& reader, std::string_view key) {
    std::vector<std::int32_t> ids;
    const Json* value = reader.find(key);
    if (!value) return ids;
    const Json list = value->is_array() ? *value : Json::array({*value});
    if (list.size() > kMaxIds) return reader.wrong(key, "a token id or a short list of them");
    for (const Json& id : list) {
        if (!isTokenId(id)) return reader.wrong(key, "a token id or a list of token ids");
        const auto number = id.get<std::int64_t>();
        if (number >= 0) ids.push_back(static_cast<std::int32_t>(number));
    }
    return ids;
}

}  // namespace espalier
