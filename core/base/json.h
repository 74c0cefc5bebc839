// SPDX-License-Identifier: GPL-3.0-or-later
// JSON from outside: parsed with a depth cap, duplicate keys refused, no exception leaves. The readers below turn a
// missing key or a wrong type into one sentence that names the key.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace espalier {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;  // keeps the order of keys: what a chat template prints

struct JsonLimits {
    int depth = 64;
    std::uint64_t bytes = 64ull << 20;
    std::uint64_t values = 4ull << 20;  // a value takes up to fifty times its text in memory
};

// Errors: corrupt_file (with byte offset), too_large. `where` names the source in messages ("config.json").
Result<Json> parseJson(std::string_view text, std::string_view where, JsonLimits limits = {});

// The same with the order of keys kept; look-ups in such objects are linear, so one may have at most 1,024 keys.
Result<OrderedJson> parseOrderedJson(std::string_view text, std::string_view where, JsonLimits limits = {});

// Typed access to a member of an object; each error is `code`, names `where` and the key, what was expected and found.
class JsonReader {
public:
    JsonReader(const Json& object, std::string where, ErrorCode code = ErrorCode::CorruptFile)
        : m_object(object), m_where(std::move(where)), m_code(code) {}

    bool has(std::string_view key) const;  // present and not null
    Result<std::int64_t> integer(std::string_view key, std::int64_t min, std::int64_t max) const;
    Result<std::int64_t> integerOr(std::string_view key, std::int64_t other, std::int64_t min, std::int64_t max) const;
    Result<double> number(std::string_view key) const;  // finite
    Result<double> numberOr(std::string_view key, double other) const;
    Result<bool> boolOr(std::string_view key, bool other) const;
    Result<std::string> string(std::string_view key) const;
    Result<std::string> stringOr(std::string_view key, std::string other) const;
    const Json* find(std::string_view key) const;  // nullptr when absent or null
    Error wrong(std::string_view key, std::string_view expected) const;

private:
    const Json& m_object;
    std::string m_where;
    ErrorCode m_code;
};

// A compact dump that survives invalid UTF-8 (replaced), for logs and answers.
std::string dumpJson(const Json& value, int indent = -1);

// The same, cut after 60 bytes: for sentences.
std::string brief(const Json& value);

}  // namespace espalier
