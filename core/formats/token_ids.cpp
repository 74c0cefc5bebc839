// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/formats/token_ids.h"

namespace espalier {

namespace {
constexpr std::size_t kMaxIds = 256;
}

Result<std::vector<std::int32_t>> readTokenIds(const JsonReader& reader, std::string_view key) {
    std::vector<std::int32_t> ids;
    const Json* value = reader.find(key);
    if (!value) return ids;
    const Json list = value->is_array() ? *value : Json::array({*value});
    if (list.size() > kMaxIds) return reader.wrong(key, "a token id or a short list of them");
    for (const Json& id : list) {
        if (!id.is_number_unsigned() || id.get<std::uint64_t>() > static_cast<std::uint64_t>(INT32_MAX))
            return reader.wrong(key, "a token id or a list of token ids");
        ids.push_back(id.get<std::int32_t>());
    }
    return ids;
}

}  // namespace espalier
