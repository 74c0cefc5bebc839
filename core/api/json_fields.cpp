// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/api/json_fields.h"

#include <cmath>

namespace espalier {
namespace {

std::string rangeText(double min, double max) {
    const auto shown = [](double value) {
        std::string text = std::to_string(value);
        text.erase(text.find_last_not_of('0') + 1);
        if (text.back() == '.') text.pop_back();
        return text;
    };
    return "a number from " + shown(min) + " to " + shown(max);
}

}  // namespace

const Json* JsonFields::find(std::string_view key) const {
    if (!m_object.is_object()) return nullptr;
    const auto found = m_object.find(std::string(key));
    return found == m_object.end() || found->is_null() ? nullptr : &*found;
}

Error JsonFields::wrong(std::string_view key, std::string_view expected) const {
    const Json* value = find(key);
    std::string found = value ? dumpJson(*value) : "it is missing";
    if (found.size() > 60) found = found.substr(0, 57) + "...";
    return fail(ErrorCode::InvalidArgument,
                "\"" + std::string(key) + "\" must be " + std::string(expected) + (value ? ", found " : ", ") + found,
                std::string(key));
}

Result<std::optional<double>> JsonFields::number(std::string_view key, double min, double max) const {
    const Json* value = find(key);
    if (!value) return std::optional<double>();
    const double number = value->is_number() ? value->get<double>() : std::nan("");
    if (!(number >= min && number <= max)) return wrong(key, rangeText(min, max));
    return std::optional(number);
}

Result<std::optional<std::int64_t>> JsonFields::integer(std::string_view key, std::int64_t min,
                                                        std::int64_t max) const {
    const Json* value = find(key);
    if (!value) return std::optional<std::int64_t>();
    const bool fits = value->is_number_integer() &&
                      !(value->is_number_unsigned() && value->get<std::uint64_t>() > std::uint64_t{INT64_MAX});
    if (!fits || value->get<std::int64_t>() < min || value->get<std::int64_t>() > max)
        return wrong(key, "an integer from " + std::to_string(min) + " to " + std::to_string(max));
    return std::optional(value->get<std::int64_t>());
}

Result<bool> JsonFields::boolean(std::string_view key, bool other) const {
    const Json* value = find(key);
    if (!value) return other;
    if (!value->is_boolean()) return wrong(key, "true or false");
    return value->get<bool>();
}

Result<std::optional<std::string>> JsonFields::string(std::string_view key) const {
    const Json* value = find(key);
    if (!value) return std::optional<std::string>();
    if (!value->is_string()) return wrong(key, "a string");
    return std::optional(value->get<std::string>());
}

Result<std::string> JsonFields::requiredString(std::string_view key) const {
    const Json* value = find(key);
    if (!value || !value->is_string()) return wrong(key, "a string");
    return value->get<std::string>();
}

Result<std::vector<std::string>> JsonFields::strings(std::string_view key, std::size_t most) const {
    const Json* value = find(key);
    std::vector<std::string> texts;
    if (!value) return texts;
    if (value->is_string()) return std::vector{value->get<std::string>()};
    const std::string expected = "a string or an array of at most " + std::to_string(most) + " strings";
    if (!value->is_array() || value->size() > most) return wrong(key, expected);
    for (const Json& item : *value) {
        if (!item.is_string()) return wrong(key, expected);
        texts.push_back(item.get<std::string>());
    }
    return texts;
}

Result<std::vector<std::int32_t>> tokenIdsFromJson(const Json& array, std::string_view field) {
    const auto wrong = [&] {
        return fail(ErrorCode::InvalidArgument, "\"" + std::string(field) + "\" must be an array of token ids",
                    std::string(field));
    };
    if (!array.is_array()) return wrong();
    std::vector<std::int32_t> ids;
    ids.reserve(array.size());
    for (const Json& item : array) {
        if (!item.is_number_integer()) return wrong();
        const auto id = item.get<std::int64_t>();
        if (id < 0 || id > INT32_MAX)
            return fail(ErrorCode::InvalidArgument,
                        "\"" + std::string(field) + "\": " + std::to_string(id) + " is not a token id",
                        std::string(field));
        ids.push_back(static_cast<std::int32_t>(id));
    }
    return ids;
}

std::string_view memberText(std::string_view object, std::string_view key) {
    int depth = 0;
    bool wantsKey = false, isMember = false;
    std::size_t begin = 0;  // of the member's value, once its colon was read
    for (std::size_t at = 0; at < object.size(); ++at) {
        const char c = object[at];
        if (c == '"') {
            const std::size_t open = at++;
            while (at < object.size() && object[at] != '"') at += object[at] == '\\' ? 2 : 1;
            if (depth == 1 && wantsKey) {
                const Json name = Json::parse(object.substr(open, at + 1 - open), nullptr, false);
                isMember = name.is_string() && name.get_ref<const std::string&>() == key;
                wantsKey = false;
            }
        } else if (depth == 1 && c == ':' && isMember && begin == 0) {
            begin = at + 1;
        } else if (depth == 1 && (c == ',' || c == '}')) {
            if (begin > 0) return object.substr(begin, at - begin);
            wantsKey = true;
        }
        if (c == '{' || c == '[') wantsKey = ++depth == 1;
        if (c == '}' || c == ']') --depth;
    }
    return {};
}

}  // namespace espalier
