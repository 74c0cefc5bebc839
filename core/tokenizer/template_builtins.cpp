// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/tokenizer/template_builtins.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <ctime>
#include <functional>
#include <map>

namespace espalier::templates {
namespace {

constexpr std::string_view kBlanks = " \t\n\r\v\f";
constexpr std::int64_t kMaxRange = 100000;

Error wrongType(std::string_view what, const Value& value) {
    return fail(ErrorCode::InvalidArgument, std::string(what) + " does not take a " + std::string(value.typeName()));
}

std::size_t characterBytes(std::string_view text, std::size_t at) {
    std::size_t end = at + 1;
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;
    return end - at;
}

MarkedText mapAscii(const MarkedText& text, const std::function<char(char, std::size_t)>& change) {
    MarkedText out = text;
    for (std::size_t i = 0; i < out.text.size(); ++i)
        if (static_cast<unsigned char>(out.text[i]) < 128) out.text[i] = change(out.text[i], i);
    return out;
}
char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
bool isLetter(char c) { return std::isalpha(static_cast<unsigned char>(c)) || static_cast<unsigned char>(c) >= 128; }

MarkedText upperCase(const MarkedText& text) { return mapAscii(text, [](char c, std::size_t) { return upper(c); }); }
MarkedText lowerCase(const MarkedText& text) { return mapAscii(text, [](char c, std::size_t) { return lower(c); }); }
MarkedText capitalized(const MarkedText& text) {
    return mapAscii(text, [](char c, std::size_t i) { return i == 0 ? upper(c) : lower(c); });
}
MarkedText titled(const MarkedText& text) {
    return mapAscii(text, [&](char c, std::size_t i) {
        return i == 0 || !isLetter(text.text[i - 1]) ? upper(c) : lower(c);
    });
}

MarkedText stripped(const MarkedText& text, std::string_view blanks, bool left, bool right) {
    std::size_t begin = 0;
    std::size_t end = text.text.size();
    while (left && begin < end && blanks.find(text.text[begin]) != std::string_view::npos) ++begin;
    while (right && end > begin && blanks.find(text.text[end - 1]) != std::string_view::npos) --end;
    return text.slice({begin, end});
}

MarkedText replaced(const MarkedText& text, std::string_view from, const MarkedText& to, std::int64_t most) {
    if (from.empty()) return text;
    MarkedText out;
    std::size_t at = 0;
    for (std::size_t found; most != 0 && (found = text.text.find(from, at)) != std::string::npos; --most) {
        out.append(text, {at, found});
        out.append(to);
        at = found + from.size();
    }
    out.append(text, {at, text.text.size()});
    return out;
}

List splitAt(const MarkedText& text, std::string_view separator, std::int64_t most) {
    List parts;
    std::size_t at = 0;
    for (std::size_t found; most != 0 && (found = text.text.find(separator, at)) != std::string::npos; --most) {
        parts.emplace_back(text.slice({at, found}));
        at = found + separator.size();
    }
    parts.emplace_back(text.slice({at, text.text.size()}));
    return parts;
}

List splitAtBlanks(const MarkedText& text) {
    List parts;
    std::size_t at = text.text.find_first_not_of(kBlanks);
    while (at != std::string::npos) {
        const std::size_t end = std::min(text.text.find_first_of(kBlanks, at), text.text.size());
        parts.emplace_back(text.slice({at, end}));
        at = text.text.find_first_not_of(kBlanks, end);
    }
    return parts;
}

Result<Value> joined(const Value& input, const MarkedText& separator, std::string_view attribute) {
    TRY_ASSIGN(const List items, itemsOf(input));
    MarkedText out;
    for (std::size_t i = 0; i < items.size(); ++i) {
        if (i > 0) out.append(separator);
        out.append(printed(attribute.empty() ? items[i] : memberOf(items[i], attribute)));
    }
    return Value(out);
}

std::string stringArgument(const CallArguments& arguments, std::size_t position, std::string_view name,
                           std::string_view other) {
    const Value* value = arguments.at(position, name);
    return value && value->string() ? value->string()->text : std::string(other);
}
std::int64_t integerArgument(const CallArguments& arguments, std::size_t position, std::string_view name,
                             std::int64_t other) {
    const Value* value = arguments.at(position, name);
    if (!value || !value->isNumber()) return other;
    const double number = numberOf(*value);
    return static_cast<std::int64_t>(std::clamp(number, -9e15, 9e15));
}
MarkedText textArgument(const CallArguments& arguments, std::size_t position, std::string_view name) {
    const Value* value = arguments.at(position, name);
    return value ? printed(*value) : MarkedText{};
}

// "a.b" walks two members.
Value memberAt(const Value& object, std::string_view path) {
    Value value = object;
    while (!path.empty()) {
        const std::size_t dot = std::min(path.find('.'), path.size());
        value = memberOf(value, path.substr(0, dot));
        path.remove_prefix(std::min(dot + 1, path.size()));
    }
    return value;
}

// ---- filters

using Filter = Result<Value> (*)(const Value&, const CallArguments&);

template <MarkedText (*change)(const MarkedText&)>
Result<Value> textFilter(const Value& input, const CallArguments&) {
    return Value(change(printed(input)));
}

Result<Value> trimFilter(const Value& input, const CallArguments& arguments) {
    return Value(stripped(printed(input), stringArgument(arguments, 0, "chars", kBlanks), true, true));
}
Result<Value> jsonFilter(const Value& input, const CallArguments& arguments) {
    MarkedText out;
    dumpAsJson(input, static_cast<int>(std::clamp<std::int64_t>(integerArgument(arguments, 0, "indent", -1), -1, 16)), 0, out);
    return Value(out);
}
Result<Value> lengthFilter(const Value& input, const CallArguments&) {
    if (const auto* text = input.string()) return Value(lengthOf(*text));
    if (const List* list = input.list()) return Value(static_cast<std::int64_t>(list->size()));
    if (const Dict* dict = input.dict()) return Value(static_cast<std::int64_t>(dict->items.size()));
    if (input.isUndefined()) return Value(std::int64_t{0});
    return wrongType("length", input);
}
Result<Value> joinFilter(const Value& input, const CallArguments& arguments) {
    return joined(input, textArgument(arguments, 0, "d"), stringArgument(arguments, 1, "attribute", ""));
}
Result<Value> defaultFilter(const Value& input, const CallArguments& arguments) {
    const Value* alsoFalse = arguments.at(1, "boolean");
    const bool replace = input.isUndefined() || (alsoFalse && alsoFalse->truthy() && !input.truthy());
    if (!replace) return input;
    const Value* other = arguments.at(0, "default_value");
    return other ? *other : Value::text("");
}
Result<Value> firstFilter(const Value& input, const CallArguments&) {
    TRY_ASSIGN(const List items, itemsOf(input));
    return items.empty() ? Value() : items.front();
}
Result<Value> lastFilter(const Value& input, const CallArguments&) {
    TRY_ASSIGN(const List items, itemsOf(input));
    return items.empty() ? Value() : items.back();
}
Result<Value> listFilter(const Value& input, const CallArguments&) {
    TRY_ASSIGN(List items, itemsOf(input));
    return Value::list(std::move(items));
}
Result<Value> reverseFilter(const Value& input, const CallArguments&) {
    TRY_ASSIGN(List items, itemsOf(input));
    std::reverse(items.begin(), items.end());
    if (!input.string()) return Value::list(std::move(items));
    return joined(Value::list(std::move(items)), {}, "");
}
Result<Value> uniqueFilter(const Value& input, const CallArguments&) {
    TRY_ASSIGN(const List items, itemsOf(input));
    List kept;
    for (const Value& item : items)
        if (std::none_of(kept.begin(), kept.end(), [&](const Value& other) { return equal(item, other); }))
            kept.push_back(item);
    return Value::list(std::move(kept));
}
Result<Value> sortFilter(const Value& input, const CallArguments& arguments) {
    TRY_ASSIGN(List items, itemsOf(input));
    const std::string attribute = stringArgument(arguments, 2, "attribute", "");
    const Value* reverse = arguments.at(0, "reverse");
    const int sign = reverse && reverse->truthy() ? -1 : 1;
    std::optional<Error> problem;
    std::stable_sort(items.begin(), items.end(), [&](const Value& a, const Value& b) {
        const auto order = compare(memberAt(a, attribute), memberAt(b, attribute));
        if (!order && !problem) problem = order.error();
        return order && *order * sign < 0;
    });
    if (problem) return *problem;
    return Value::list(std::move(items));
}
Result<Value> mapFilter(const Value& input, const CallArguments& arguments) {
    TRY_ASSIGN(const List items, itemsOf(input));
    List mapped;
    const std::string attribute = stringArgument(arguments, 99, "attribute", "");
    const Value* fallback = arguments.at(99, "default");
    CallArguments rest = arguments;
    if (!rest.positional.empty()) rest.positional.erase(rest.positional.begin());
    for (const Value& item : items) {
        if (!attribute.empty()) {
            Value member = memberAt(item, attribute);
            mapped.push_back(member.isUndefined() && fallback ? *fallback : std::move(member));
        } else {
            TRY_ASSIGN(Value value, applyFilter(stringArgument(arguments, 0, "", ""), item, rest));
            mapped.push_back(std::move(value));
        }
    }
    return Value::list(std::move(mapped));
}

// select, reject (by test) and selectattr, rejectattr (by the test of a member).
template <bool byMember, bool keep>
Result<Value> selectFilter(const Value& input, const CallArguments& arguments) {
    TRY_ASSIGN(const List items, itemsOf(input));
    CallArguments rest = arguments;
    std::string member;
    if (byMember) {
        member = stringArgument(arguments, 0, "", "");
        if (!rest.positional.empty()) rest.positional.erase(rest.positional.begin());
    }
    const std::string test = stringArgument(rest, 0, "", "");
    if (!rest.positional.empty()) rest.positional.erase(rest.positional.begin());
    List kept;
    for (const Value& item : items) {
        const Value subject = byMember ? memberAt(item, member) : item;
        bool passes = subject.truthy();
        if (!test.empty()) {
            TRY_ASSIGN(passes, applyTest(test, subject, rest));
        }
        if (passes == keep) kept.push_back(item);
    }
    return Value::list(std::move(kept));
}

Result<Value> replaceFilter(const Value& input, const CallArguments& arguments) {
    return Value(replaced(printed(input), textArgument(arguments, 0, "old").text, textArgument(arguments, 1, "new"),
                          integerArgument(arguments, 2, "count", -1)));
}
Result<Value> stringFilter(const Value& input, const CallArguments&) { return Value(printed(input)); }
Result<Value> intFilter(const Value& input, const CallArguments& arguments) {
    const std::int64_t other = integerArgument(arguments, 0, "default", 0);
    if (input.isNumber()) return Value(static_cast<std::int64_t>(std::clamp(numberOf(input), -9e18, 9e18)));
    if (!input.string()) return Value(other);
    const std::string text = stripped(*input.string(), kBlanks, true, true).text;
    double number = 0.0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (read.ec != std::errc() || read.ptr != text.data() + text.size() || !std::isfinite(number)) return Value(other);
    return Value(static_cast<std::int64_t>(std::clamp(number, -9e18, 9e18)));
}
Result<Value> floatFilter(const Value& input, const CallArguments&) {
    if (input.isNumber()) return Value(numberOf(input));
    double number = 0.0;
    if (const auto* text = input.string())
        std::from_chars(text->text.data(), text->text.data() + text->text.size(), number);
    return Value(number);
}
Result<Value> absFilter(const Value& input, const CallArguments&) {
    if (!input.isNumber()) return wrongType("abs", input);
    const double number = std::abs(numberOf(input));
    return input.as<double>() ? Value(number) : Value(static_cast<std::int64_t>(number));
}
Result<Value> roundFilter(const Value& input, const CallArguments& arguments) {
    if (!input.isNumber()) return wrongType("round", input);
    const double scale = std::pow(10.0, static_cast<double>(std::clamp<std::int64_t>(
                                            integerArgument(arguments, 0, "precision", 0), -15, 15)));
    return Value(std::nearbyint(numberOf(input) * scale) / scale);
}
Result<Value> itemsFilter(const Value& input, const CallArguments&) {
    if (input.isUndefined()) return Value::list({});
    if (!input.dict()) return wrongType("items", input);
    return callMethod(input, "items", {});
}
Result<Value> dictsortFilter(const Value& input, const CallArguments&) {
    if (!input.dict()) return wrongType("dictsort", input);
    auto sorted = std::make_shared<Dict>(*input.dict());
    std::stable_sort(sorted->items.begin(), sorted->items.end(), [](const auto& a, const auto& b) {
        return lowerCase({a.first, {}}).text < lowerCase({b.first, {}}).text;
    });
    return callMethod(Value(sorted), "items", {});
}
Result<Value> indentFilter(const Value& input, const CallArguments& arguments) {
    const auto width = static_cast<std::size_t>(std::clamp<std::int64_t>(integerArgument(arguments, 0, "width", 4), 0, 100));
    const Value* first = arguments.at(1, "first");
    const Value* blank = arguments.at(2, "blank");
    const std::string pad(width, ' ');
    MarkedText out;
    const List lines = splitAt(printed(input), "\n", -1);
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (i > 0) out.append("\n", false);
        const MarkedText& line = *lines[i].string();
        const bool padded = i == 0 ? first && first->truthy() : !line.text.empty() || (blank && blank->truthy());
        if (padded) out.append(pad, false);
        out.append(line);
    }
    return Value(out);
}
template <int sign>
Result<Value> extremeFilter(const Value& input, const CallArguments&) {
    TRY_ASSIGN(const List items, itemsOf(input));
    const Value* best = nullptr;
    for (const Value& item : items) {
        if (best) {
            TRY_ASSIGN(const int order, compare(item, *best));
            if (order * sign <= 0) continue;
        }
        best = &item;
    }
    return best ? *best : Value();
}

const std::map<std::string_view, Filter>& filters() {
    static const std::map<std::string_view, Filter> kFilters = {
        {"abs", absFilter},
        {"capitalize", textFilter<capitalized>},
        {"count", lengthFilter},
        {"d", defaultFilter},
        {"default", defaultFilter},
        {"dictsort", dictsortFilter},
        {"escape", stringFilter},  // templates render text, not HTML
        {"first", firstFilter},
        {"float", floatFilter},
        {"indent", indentFilter},
        {"int", intFilter},
        {"items", itemsFilter},
        {"join", joinFilter},
        {"last", lastFilter},
        {"length", lengthFilter},
        {"list", listFilter},
        {"lower", textFilter<lowerCase>},
        {"map", mapFilter},
        {"max", extremeFilter<1>},
        {"min", extremeFilter<-1>},
        {"reject", selectFilter<false, false>},
        {"rejectattr", selectFilter<true, false>},
        {"replace", replaceFilter},
        {"reverse", reverseFilter},
        {"round", roundFilter},
        {"safe", stringFilter},
        {"select", selectFilter<false, true>},
        {"selectattr", selectFilter<true, true>},
        {"sort", sortFilter},
        {"string", stringFilter},
        {"title", textFilter<titled>},
        {"tojson", jsonFilter},
        {"trim", trimFilter},
        {"unique", uniqueFilter},
        {"upper", textFilter<upperCase>},
    };
    return kFilters;
}

Result<bool> contains(const Value& container, const Value& item) {
    if (const auto* text = container.string()) {
        if (!item.string()) return wrongType("\"in\" a string", item);
        return text->text.find(item.string()->text) != std::string::npos;
    }
    if (const List* list = container.list())
        return std::any_of(list->begin(), list->end(), [&](const Value& one) { return equal(one, item); });
    if (const Dict* dict = container.dict()) return item.string() && dict->find(item.string()->text) != nullptr;
    if (container.isUndefined()) return false;
    return wrongType("\"in\"", container);
}

}  // namespace

const Value* CallArguments::at(std::size_t position, std::string_view name) const {
    if (position < positional.size()) return &positional[position];
    for (const auto& [key, value] : named)
        if (key == name) return &value;
    return nullptr;
}

Result<Value> applyFilter(std::string_view name, const Value& input, const CallArguments& arguments) {
    const auto found = filters().find(name);
    if (found == filters().end())
        return fail(ErrorCode::Unsupported, "the filter \"" + std::string(name) + "\" is not supported");
    return found->second(input, arguments);
}

Result<bool> applyTest(std::string_view name, const Value& input, const CallArguments& arguments) {
    const Value* other = arguments.at(0, "");
    const auto number = [&](auto predicate) -> Result<bool> {
        if (!input.as<std::int64_t>()) return wrongType("the test", input);
        return predicate(*input.as<std::int64_t>());
    };
    if (name == "defined") return !input.isUndefined();
    if (name == "undefined") return input.isUndefined();
    if (name == "none") return input.isNone();
    if (name == "string") return input.string() != nullptr;
    if (name == "mapping") return input.dict() != nullptr;
    if (name == "iterable" || name == "sequence") return input.string() || input.list() || input.dict();
    if (name == "number") return input.isNumber();
    if (name == "integer") return input.as<std::int64_t>() != nullptr;
    if (name == "float") return input.as<double>() != nullptr;
    if (name == "boolean") return input.as<bool>() != nullptr;
    if (name == "true") return input.as<bool>() && *input.as<bool>();
    if (name == "false") return input.as<bool>() && !*input.as<bool>();
    if (name == "callable") return input.as<std::shared_ptr<const Macro>>() || input.as<Builtin>();
    if (name == "odd") return number([](std::int64_t n) { return n % 2 != 0; });
    if (name == "even") return number([](std::int64_t n) { return n % 2 == 0; });
    if (name == "lower") return input.string() && lowerCase(*input.string()).text == input.string()->text;
    if (name == "upper") return input.string() && upperCase(*input.string()).text == input.string()->text;
    if (!other) return fail(ErrorCode::Unsupported, "the test \"" + std::string(name) + "\" is not supported");
    if (name == "equalto" || name == "eq" || name == "sameas") return equal(input, *other);
    if (name == "ne") return !equal(input, *other);
    if (name == "in") return contains(*other, input);
    if (name == "divisibleby")
        return number([&](std::int64_t n) {
            const auto* by = other->as<std::int64_t>();
            return by && *by != 0 && *by != -1 && n % *by == 0;
        });
    if (name == "gt" || name == "ge" || name == "lt" || name == "le") {
        TRY_ASSIGN(const int order, compare(input, *other));
        return name == "gt" ? order > 0 : name == "ge" ? order >= 0 : name == "lt" ? order < 0 : order <= 0;
    }
    return fail(ErrorCode::Unsupported, "the test \"" + std::string(name) + "\" is not supported");
}

namespace {

Result<Value> stringMethod(const MarkedText& text, std::string_view name, const CallArguments& arguments) {
    const std::string first = stringArgument(arguments, 0, "", "");
    if (name == "strip") return Value(stripped(text, stringArgument(arguments, 0, "", kBlanks), true, true));
    if (name == "lstrip") return Value(stripped(text, stringArgument(arguments, 0, "", kBlanks), true, false));
    if (name == "rstrip") return Value(stripped(text, stringArgument(arguments, 0, "", kBlanks), false, true));
    if (name == "upper") return Value(upperCase(text));
    if (name == "lower") return Value(lowerCase(text));
    if (name == "title") return Value(titled(text));
    if (name == "capitalize") return Value(capitalized(text));
    if (name == "replace")
        return Value(replaced(text, first, textArgument(arguments, 1, "new"), integerArgument(arguments, 2, "count", -1)));
    if (name == "split") {
        const Value* separator = arguments.at(0, "sep");
        if (!separator || separator->isNone()) return Value::list(splitAtBlanks(text));
        if (!separator->string() || separator->string()->text.empty()) return wrongType("split", *separator);
        return Value::list(splitAt(text, separator->string()->text, integerArgument(arguments, 1, "maxsplit", -1)));
    }
    if (name == "startswith" || name == "endswith") {
        const Value* wanted = arguments.at(0, "");
        List options = wanted && wanted->list() ? *wanted->list() : List{wanted ? *wanted : Value()};
        for (const Value& option : options) {
            if (!option.string()) return wrongType(name, option);
            if (name == "startswith" ? text.text.starts_with(option.string()->text)
                                     : text.text.ends_with(option.string()->text))
                return Value(true);
        }
        return Value(false);
    }
    if (name == "find") {
        const std::size_t found = text.text.find(first);
        return Value(found == std::string::npos ? std::int64_t{-1} : lengthOf(text.slice({0, found})));
    }
    if (name == "count") return Value(static_cast<std::int64_t>(first.empty() ? 0 : splitAt(text, first, -1).size() - 1));
    if (name == "join") return joined(arguments.at(0, "") ? *arguments.at(0, "") : Value(), text, "");
    if (name == "isdigit")
        return Value(!text.text.empty() && text.text.find_first_not_of("0123456789") == std::string::npos);
    if (name == "splitlines") {
        List lines = splitAt(text, "\n", -1);
        if (lines.back().string()->text.empty()) lines.pop_back();
        return Value::list(std::move(lines));
    }
    return fail(ErrorCode::Unsupported, "strings have no method \"" + std::string(name) + "\" here");
}

Result<Value> dictMethod(const Dict& dict, std::string_view name, const CallArguments& arguments) {
    const auto keyText = [&](const std::string& key) {
        MarkedText text;
        text.append(key, dict.keysVerbatim);
        return text;
    };
    List out;
    if (name == "items") {
        for (const auto& [key, value] : dict.items) out.push_back(Value::list({Value(keyText(key)), value}));
        return Value::list(std::move(out));
    }
    if (name == "keys") {
        for (const auto& [key, value] : dict.items) out.emplace_back(keyText(key));
        return Value::list(std::move(out));
    }
    if (name == "values") {
        for (const auto& [key, value] : dict.items) out.push_back(value);
        return Value::list(std::move(out));
    }
    if (name == "get") {
        const Value* key = arguments.at(0, "key");
        const Value* found = key && key->string() ? dict.find(key->string()->text) : nullptr;
        if (found) return *found;
        const Value* other = arguments.at(1, "default");
        return other ? *other : Value(None{});
    }
    return fail(ErrorCode::Unsupported, "dictionaries have no method \"" + std::string(name) + "\" here");
}

}  // namespace

Result<Value> callMethod(const Value& object, std::string_view name, const CallArguments& arguments) {
    if (const auto* text = object.string()) return stringMethod(*text, name, arguments);
    if (const Dict* dict = object.dict()) return dictMethod(*dict, name, arguments);
    return fail(ErrorCode::InvalidArgument,
                "a " + std::string(object.typeName()) + " has no method \"" + std::string(name) + "\"");
}

bool isBuiltin(std::string_view name) {
    return name == "raise_exception" || name == "range" || name == "namespace" || name == "dict" || name == "strftime_now";
}

Result<Value> callBuiltin(std::string_view name, const CallArguments& arguments, std::int64_t unixSeconds) {
    if (name == "raise_exception") return fail(ErrorCode::InvalidArgument, textArgument(arguments, 0, "message").text);
    if (name == "range") {
        const bool hasStart = arguments.positional.size() > 1;
        const std::int64_t start = hasStart ? integerArgument(arguments, 0, "", 0) : 0;
        const std::int64_t stop = integerArgument(arguments, hasStart ? 1 : 0, "", 0);
        const std::int64_t step = integerArgument(arguments, 2, "", 1);
        if (step == 0) return fail(ErrorCode::InvalidArgument, "range() with step 0");
        const std::int64_t count = step > 0 ? (stop - start + step - 1) / step : (start - stop - step - 1) / -step;
        if (count > kMaxRange)
            return fail(ErrorCode::TooLarge, "range() of more than " + std::to_string(kMaxRange) + " numbers");
        List numbers;
        for (std::int64_t i = 0; i < count; ++i) numbers.emplace_back(start + i * step);
        return Value::list(std::move(numbers));
    }
    if (name == "namespace" || name == "dict") {
        auto made = std::make_shared<Dict>();
        if (!arguments.positional.empty() && arguments.positional[0].dict()) *made = *arguments.positional[0].dict();
        made->isNamespace = name == "namespace";
        for (const auto& [key, value] : arguments.named) made->set(key, value);
        return Value(std::move(made));
    }
    std::tm broken{};
    const auto time = static_cast<std::time_t>(unixSeconds);
    localtime_r(&time, &broken);
    std::array<char, 256> text{};
    const std::string format = stringArgument(arguments, 0, "format", "%Y-%m-%d");
    return Value::text(std::string_view(text.data(), std::strftime(text.data(), text.size(), format.c_str(), &broken)));
}

Value memberOf(const Value& object, std::string_view name) {
    if (const Dict* dict = object.dict())
        if (const Value* found = dict->find(name)) return *found;
    if (const List* list = object.list()) {
        std::size_t index = 0;
        const auto read = std::from_chars(name.data(), name.data() + name.size(), index);
        if (read.ec == std::errc() && read.ptr == name.data() + name.size() && index < list->size()) return (*list)[index];
    }
    return Undefined{std::string(name)};
}

Result<Value> itemOf(const Value& object, const Value& key) {
    if (object.isUndefined() || object.isNone())
        return fail(ErrorCode::InvalidArgument, "a value that is " + std::string(object.typeName()) + " has no items");
    if (key.string()) return memberOf(object, key.string()->text);
    const auto* index = key.as<std::int64_t>();
    if (!index) return Value(Undefined{"item"});
    if (!object.list() && !object.string()) return Value(Undefined{std::to_string(*index)});
    TRY_ASSIGN(const List items, itemsOf(object));
    const auto size = static_cast<std::int64_t>(items.size());
    const std::int64_t at = *index < 0 ? *index + size : *index;
    return at >= 0 && at < size ? items[static_cast<std::size_t>(at)] : Value(Undefined{std::to_string(*index)});
}

Result<List> itemsOf(const Value& value) {
    if (const List* list = value.list()) return *list;
    if (value.isUndefined()) return List{};
    List items;
    if (const Dict* dict = value.dict()) {
        TRY_ASSIGN(const Value keys, dictMethod(*dict, "keys", {}));
        return *keys.list();
    }
    if (const auto* text = value.string()) {
        for (std::size_t at = 0; at < text->text.size();) {
            const std::size_t bytes = characterBytes(text->text, at);
            items.emplace_back(text->slice({at, at + bytes}));
            at += bytes;
        }
        return items;
    }
    return wrongType("a loop", value);
}

std::int64_t lengthOf(const MarkedText& text) {
    return std::count_if(text.text.begin(), text.text.end(),
                         [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

}  // namespace espalier::templates
