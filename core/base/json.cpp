// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/json.h"

#include <cmath>
#include <unordered_set>

namespace espalier {
namespace {

// Builds the document while watching depth and duplicate keys; nlohmann's own builder would keep the last duplicate.
class StrictBuilder final : public nlohmann::json_sax<Json> {
public:
    StrictBuilder(Json& root, int maxDepth) : m_builder(root, false), m_maxDepth(maxDepth) {}

    bool null() override { return m_builder.null(); }
    bool boolean(bool value) override { return m_builder.boolean(value); }
    bool number_integer(number_integer_t value) override { return m_builder.number_integer(value); }
    bool number_unsigned(number_unsigned_t value) override { return m_builder.number_unsigned(value); }
    bool number_float(number_float_t value, const string_t& text) override {
        return m_builder.number_float(value, text);
    }
    bool string(string_t& value) override { return m_builder.string(value); }
    bool binary(binary_t& value) override { return m_builder.binary(value); }
    bool start_object(std::size_t count) override {
        m_keys.emplace_back();
        return enter() && m_builder.start_object(count);
    }
    bool key(string_t& name) override {
        if (!m_keys.back().insert(name).second) return stop("the key \"" + name + "\" stands twice");
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
        return ++m_depth <= m_maxDepth || stop("nested deeper than " + std::to_string(m_maxDepth) + " levels");
    }
    bool stop(std::string problem) {
        m_problem = std::move(problem);
        return false;
    }

    nlohmann::detail::json_sax_dom_parser<Json> m_builder;
    std::vector<std::unordered_set<std::string>> m_keys;
    std::string m_problem;
    int m_maxDepth;
    int m_depth = 0;
};

std::string describe(const Json& value) {
    std::string text = dumpJson(value);
    if (text.size() > 60) text = text.substr(0, 57) + "...";
    return text;
}

}  // namespace

Result<Json> parseJson(std::string_view text, std::string_view where, JsonLimits limits) {
    if (text.size() > limits.bytes)
        return fail(ErrorCode::TooLarge, std::string(where) + ": " + std::to_string(text.size()) +
                                             " bytes of JSON, at most " + std::to_string(limits.bytes) + " are read",
                    std::string(where));
    Json root;
    StrictBuilder builder(root, limits.depth);
    if (!Json::sax_parse(text.begin(), text.end(), &builder)) {
        const std::string problem = builder.problem().empty() ? "not valid JSON" : builder.problem();
        return fail(ErrorCode::CorruptFile, std::string(where) + ": " + problem, std::string(where));
    }
    return root;
}

const Json* JsonReader::find(std::string_view key) const {
    if (!m_object.is_object()) return nullptr;
    const auto found = m_object.find(std::string(key));
    return found == m_object.end() || found->is_null() ? nullptr : &*found;
}

bool JsonReader::has(std::string_view key) const { return find(key) != nullptr; }

Error JsonReader::wrong(std::string_view key, std::string_view expected) const {
    const Json* value = find(key);
    const std::string found = value ? "found " + describe(*value) : "it is missing";
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

}  // namespace espalier
