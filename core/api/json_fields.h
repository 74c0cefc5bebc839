// SPDX-License-Identifier: GPL-3.0-or-later
// JsonFields: optional members of a request body. Absent and null read alike; a wrong one is invalid_argument with the
// field's name in Error::where, what was expected and what was found.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"

namespace espalier {

class JsonFields {
public:
    explicit JsonFields(const Json& object) : m_object(object) {}

    const Json* find(std::string_view key) const;  // nullptr when absent or null
    Result<std::optional<double>> number(std::string_view key, double min, double max) const;
    Result<std::optional<std::int64_t>> integer(std::string_view key, std::int64_t min, std::int64_t max) const;
    Result<bool> boolean(std::string_view key, bool other) const;
    Result<std::optional<std::string>> string(std::string_view key) const;
    Result<std::string> requiredString(std::string_view key) const;
    // A string, or an array of at most `most` strings.
    Result<std::vector<std::string>> strings(std::string_view key, std::size_t most) const;
    Error wrong(std::string_view key, std::string_view expected) const;

private:
    const Json& m_object;
};

// An array of token ids, each 0 or more.
Result<std::vector<std::int32_t>> tokenIdsFromJson(const Json& array, std::string_view field);

// The text of a member's value within the text of an object; empty when it is absent.
// Requires: object was parsed without error.
std::string_view memberText(std::string_view object, std::string_view key);

}  // namespace espalier
