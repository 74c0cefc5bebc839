// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/json.h"

#include <cmath>
#include <unordered_set>

namespace espalier {
namespace {

constexpr std::size_t kMaxOrderedKeys = 1024;
constexpr std::size_t kMaxBrief = 60;

// Builds the document while watching depth and duplicate keys; nlohmann's own builder would keep the last duplicate.
template <class Document>
class StrictBuilder final : public nlohmann::json_sax<Document> {
    using Base = nlohmann::json_sax<Document>;
    using typename Base::binary_t, typename Base::number_float_t, typename Base::number_integer_t,
        typename Base::number_unsigned_t, typename Base::string_t;

public:
    StrictBuilder(Document& root, const JsonLimits& limits, std::size_t maxKeys)
        : m_builder(root, false), m_limits(limits), m_maxKeys(maxKeys) {}

    bool null() override { return count() && m_builder.null(); }
    bool boolean(bool value) override { return count() && m_builder.boolean(value); }
    bool number_integer(number_integer_t value) override { return count() && m_builder.number_integer(value); }
    bool number_unsigned(number_unsigned_t value) override { return count() && m_builder.number_unsigned(value); }
    bool number_float(number_float_t value, const string_t& text) override {
        return count() && m_builder.number_float(value, text);
    }
    bool string(string_t& value) override { return count() && m_builder.string(value); }
    bool binary(binary_t& value) override { return count() && m_builder.binary(value); }
    bool start_object(std::size_t count) override {
        m_keys.emplace_back();
        return enter() && m_builder.start_object(count);
    }
    bool key(string_t& name) override {
        if (!m_keys.back().insert(name).second) return stop("the key " + brief(Json(name)) + " stands twice");
        if (m_keys.back().size() > m_maxKeys)
            return stop("an object with more than " + std::to_string(m_maxKeys) + " keys");
        return m_builder.key(name);
    }
    bool end_object() override {
        m_keys.pop_back();
        --m_depth;
        return m_builder.end_object();
    }
    bool start_array(std::size_t count) override { return enter() && m_builder.start_array(count); }
    bool end_array() override {
        --m_depth;
        return m_builder.end_array();
    }
    bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
        return stop("not valid JSON at byte " + std::to_string(position));
    }
    const std::string& problem() const { return m_problem; }

private:
    bool enter() {
        return count() && (++m_depth <= m_limits.depth ||
                           stop("nested deeper than " + std::to_string(m_limits.depth) + " levels"));
    }
    bool count() {
        return ++m_values <= m_limits.values || stop("holds more than " + std::to_string(m_limits.values) + " values");
    }
    bool stop(std::string problem) {
        m_problem = std::move(problem);
        return false;
    }

    nlohmann::detail::json_sax_dom_parser<Document> m_builder;
    std::vector<std::unordered_set<std::string>> m_keys;
    std::string m_problem;
    const JsonLimits& m_limits;
    std::size_t m_maxKeys;
    std::uint64_t m_values = 0;
    int m_depth = 0;
};

template <class Document>
Result<Document> parseStrictly(std::string_view text, std::string_view where, JsonLimits limits, std::size_t maxKeys) {
    if (text.size() > limits.bytes)
        return fail(ErrorCode::TooLarge,
                    std::string(where) + ": " + std::to_string(text.size()) + " bytes of JSON, at most " +
                        std::to_string(limits.bytes) + " are read",
                    std::string(where));
    Document root;
    StrictBuilder<Document> builder(root, limits, maxKeys);
    if (!Document::sax_parse(text.begin(), text.end(), &builder)) {
        const std::string problem = builder.problem().empty() ? "not valid JSON" : builder.problem();
        return fail(ErrorCode::CorruptFile, std::string(where) + ": " + problem, std::string(where));
    }
    return root;
}

}  // namespace

Result<Json> parseJson(std::string_view text, std::string_view where, JsonLimits limits) {
    return parseStrictly<Json>(text, where, limits, SIZE_MAX);
}

Result<OrderedJson> parseOrderedJson(std::string_view text, std::string_view where, JsonLimits limits) {
    return parseStrictly<OrderedJson>(text, where, limits, kMaxOrderedKeys);
}

const Json* JsonReader::find(std::string_view key) const {
    if (!m_object.is_object()) return nullptr;
    const auto found = m_object.find(std::string(key));
    return found == m_object.end() || found->is_null() ? nullptr : &*found;
}

bool JsonReader::has(std::string_view key) const {
    return find(key) != nullptr;
}

Error JsonReader::wrong(std::string_view key, std::string_view expected) const {
    const Json* value = find(key);
    const std::string found = value ? "found " + brief(*value) : "it is missing";
    return fail(m_code, m_where + ": \"" + std::string(key) + "\" must be " + std::string(expected) + ", " + found,
                m_where);
}

Result<std::int64_t> JsonReader::integer(std::string_view key, std::int64_t min, std::int64_t max) const {
    const Json* value = find(key);
    const std::string expected = "an integer from " + std::to_string(min) + " to " + std::to_string(max);
    if (!value || !value->is_number_integer()) return wrong(key, expected);
    if (value->is_number_unsigned() && value->get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX))
        return wrong(key, expected);
    const auto number = value->get<std::int64_t>();
    if (number < min || number > max) return wrong(key, expected);
    return number;
}

Result<std::int64_t> JsonReader::integerOr(std::string_view key, std::int64_t other, std::int64_t min,
                                           std::int64_t max) const {
    if (!has(key)) return other;
    return integer(key, min, max);
}

Result<double> JsonReader::number(std::string_view key) const {
    const Json* value = find(key);
    if (!value || !value->is_number() || !std::isfinite(value->get<double>())) return wrong(key, "a finite number");
    return value->get<double>();
}

Result<double> JsonReader::numberOr(std::string_view key, double other) const {
    if (!has(key)) return other;
    return number(key);
}

Result<bool> JsonReader::boolOr(std::string_view key, bool other) const {
    const Json* value = find(key);
    if (!value) return other;
    if (!value->is_boolean()) return wrong(key, "true or false");
    return value->get<bool>();
}

Result<std::string> JsonReader::string(std::string_view key) const {
    const Json* value = find(key);
    if (!value || !value->is_string()) return wrong(key, "a string");
    return value->get<std::string>();
}

Result<std::string> JsonReader::stringOr(std::string_view key, std::string other) const {
    if (!has(key)) return other;
    return string(key);
}

std::string dumpJson(const Json& value, int indent) {
    return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

std::string brief(const Json& value) {
    std::string text = dumpJson(value);
    if (text.size() <= kMaxBrief) return text;
    std::size_t end = kMaxBrief - 3;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    return text.substr(0, end) + "...";
}

}  // namespace espalier
