// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/tokenizer/template_value.h"

#include <array>
#include <charconv>
#include <cmath>

namespace espalier::templates {
namespace {

// The shortest text that reads back as the same number, with ".0" where Python prints it.
std::string floatText(double value) {
    if (std::isnan(value)) return "nan";
    if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
    std::array<char, 64> buffer{};
    const double size = std::abs(value);
    const bool isPlain = size == 0.0 || (size >= 1e-4 && size < 1e16);
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                   isPlain ? std::chars_format::fixed : std::chars_format::scientific)
                         .ptr;
    std::string text(buffer.data(), end);
    if (isPlain && text.find('.') == std::string::npos) text += ".0";
    return text;
}

void appendRepr(const Value& value, MarkedText& out);

void appendQuoted(const MarkedText& text, MarkedText& out) {
    const bool useDouble = text.text.find('\'') != std::string::npos && text.text.find('"') == std::string::npos;
    const char quote = useDouble ? '"' : '\'';
    out.append(std::string(1, quote), false);
    text.forEachRun([&](std::string_view bytes, bool isVerbatim) {
        for (const char c : bytes) {
            if (c == '\n')
                out.append("\\n", isVerbatim);
            else if (c == '\r')
                out.append("\\r", isVerbatim);
            else if (c == '\t')
                out.append("\\t", isVerbatim);
            else if (c == '\\' || c == quote)
                out.append(std::string{'\\', c}, isVerbatim);
            else
                out.append(std::string_view(&c, 1), isVerbatim);
        }
    });
    out.append(std::string(1, quote), false);
}

void appendPrinted(const Value& value, MarkedText& out) {
    if (const auto* text = value.string()) return out.append(*text);
    appendRepr(value, out);
}

void appendRepr(const Value& value, MarkedText& out) {
    if (const auto* text = value.string()) return appendQuoted(*text, out);
    if (value.isNone()) return out.append("None", false);
    if (const auto* flag = value.as<bool>()) return out.append(*flag ? "True" : "False", false);
    if (const auto* number = value.as<std::int64_t>()) return out.append(std::to_string(*number), false);
    if (const auto* number = value.as<double>()) return out.append(floatText(*number), false);
    if (const List* list = value.list()) {
        out.append("[", false);
        for (std::size_t i = 0; i < list->size(); ++i) {
            if (i > 0) out.append(", ", false);
            appendRepr((*list)[i], out);
        }
        return out.append("]", false);
    }
    if (const Dict* dict = value.dict()) {
        out.append("{", false);
        for (std::size_t i = 0; i < dict->items.size(); ++i) {
            if (i > 0) out.append(", ", false);
            MarkedText key;
            key.append(dict->items[i].first, dict->keysVerbatim);
            appendQuoted(key, out);
            out.append(": ", false);
            appendRepr(dict->items[i].second, out);
        }
        return out.append("}", false);
    }
}

void appendJsonString(const MarkedText& text, MarkedText& out) {
    out.append("\"", false);
    text.forEachRun([&](std::string_view bytes, bool isVerbatim) {
        // nlohmann escapes as json.dumps does; the quotes are ours.
        const std::string quoted = dumpJson(Json(std::string(bytes)));
        out.append(std::string_view(quoted).substr(1, quoted.size() - 2), isVerbatim);
    });
    out.append("\"", false);
}

}  // namespace

const Value* Dict::find(std::string_view key) const {
    for (const auto& [name, value] : items)
        if (name == key) return &value;
    return nullptr;
}

void Dict::set(std::string_view key, Value value) {
    for (auto& [name, old] : items)
        if (name == key) {
            old = std::move(value);
            return;
        }
    items.emplace_back(key, std::move(value));
}

Value Value::text(std::string_view literal) {
    MarkedText text;
    text.append(literal, false);
    return text;
}

bool Value::truthy() const {
    if (const auto* flag = as<bool>()) return *flag;
    if (const auto* number = as<std::int64_t>()) return *number != 0;
    if (const auto* number = as<double>()) return *number != 0.0;
    if (const auto* text = string()) return !text->text.empty();
    if (const List* items = list()) return !items->empty();
    if (const Dict* items = dict()) return items->isNamespace || !items->items.empty();
    return !isUndefined() && !isNone();
}

std::string_view Value::typeName() const {
    static constexpr std::array<std::string_view, 10> kNames = {
        "undefined", "none", "boolean", "integer", "float", "string", "list", "dictionary", "macro", "function"};
    return kNames[state.index()];
}

Value fromJson(const Json& json, bool verbatim) {
    switch (json.type()) {
        case Json::value_t::boolean: return json.get<bool>();
        case Json::value_t::number_integer:
        case Json::value_t::number_unsigned: return json.get<std::int64_t>();
        case Json::value_t::number_float: return json.get<double>();
        case Json::value_t::string: {
            MarkedText text;
            text.append(json.get_ref<const std::string&>(), verbatim);
            return text;
        }
        case Json::value_t::array: {
            List items;
            for (const Json& item : json) items.push_back(fromJson(item, verbatim));
            return Value::list(std::move(items));
        }
        case Json::value_t::object: {
            auto dict = std::make_shared<Dict>();
            dict->keysVerbatim = verbatim;
            for (const auto& [key, item] : json.items()) dict->items.emplace_back(key, fromJson(item, verbatim));
            return dict;
        }
        default: return None{};
    }
}

double numberOf(const Value& value) {
    if (const auto* flag = value.as<bool>()) return *flag ? 1.0 : 0.0;
    if (const auto* number = value.as<std::int64_t>()) return static_cast<double>(*number);
    return *value.as<double>();
}

bool equal(const Value& a, const Value& b) {
    if (a.isNumber() && b.isNumber()) return numberOf(a) == numberOf(b);
    if (a.state.index() != b.state.index()) return false;
    if (const auto* text = a.string()) return text->text == b.string()->text;
    if (const List* left = a.list()) {
        const List& right = *b.list();
        if (left->size() != right.size()) return false;
        for (std::size_t i = 0; i < right.size(); ++i)
            if (!equal((*left)[i], right[i])) return false;
        return true;
    }
    if (const Dict* left = a.dict()) {
        const Dict& right = *b.dict();
        if (left->items.size() != right.items.size()) return false;
        for (const auto& [key, value] : left->items) {
            const Value* other = right.find(key);
            if (!other || !equal(value, *other)) return false;
        }
        return true;
    }
    return a.isNone() || a.isUndefined();
}

Result<int> compare(const Value& a, const Value& b) {
    if (a.isNumber() && b.isNumber()) {
        const double left = numberOf(a);
        const double right = numberOf(b);
        return left < right ? -1 : left > right ? 1 : 0;
    }
    if (a.string() && b.string()) return a.string()->text.compare(b.string()->text);
    return fail(ErrorCode::InvalidArgument,
                "cannot order a " + std::string(a.typeName()) + " and a " + std::string(b.typeName()));
}

MarkedText printed(const Value& value) {
    MarkedText out;
    appendPrinted(value, out);
    return out;
}

void dumpAsJson(const Value& value, int indent, int depth, MarkedText& out) {
    const auto newline = [&](int level) {
        if (indent >= 0) out.append("\n" + std::string(static_cast<std::size_t>(indent * level), ' '), false);
    };
    const std::string_view separator = indent >= 0 ? "," : ", ";
    if (const auto* text = value.string()) return appendJsonString(*text, out);
    if (value.isNone() || value.isUndefined()) return out.append("null", false);
    if (const auto* flag = value.as<bool>()) return out.append(*flag ? "true" : "false", false);
    if (const List* list = value.list()) {
        if (list->empty()) return out.append("[]", false);
        out.append("[", false);
        for (std::size_t i = 0; i < list->size(); ++i) {
            if (i > 0) out.append(separator, false);
            newline(depth + 1);
            dumpAsJson((*list)[i], indent, depth + 1, out);
        }
        newline(depth);
        return out.append("]", false);
    }
    if (const Dict* dict = value.dict()) {
        if (dict->items.empty()) return out.append("{}", false);
        out.append("{", false);
        for (std::size_t i = 0; i < dict->items.size(); ++i) {
            if (i > 0) out.append(separator, false);
            newline(depth + 1);
            MarkedText key;
            key.append(dict->items[i].first, dict->keysVerbatim);
            appendJsonString(key, out);
            out.append(": ", false);
            dumpAsJson(dict->items[i].second, indent, depth + 1, out);
        }
        newline(depth);
        return out.append("}", false);
    }
    appendRepr(value, out);
}

}  // namespace espalier::templates
