// SPDX-License-Identifier: GPL-3.0-or-later
// Filters, one row of the table each; semantics are Jinja 3's with Transformers' tojson.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/tokenizer/jinja/ast.h"
#include "core/tokenizer/jinja/builtins.h"
#include "core/tokenizer/jinja/text_operations.h"
#include "core/tokenizer/utf8.h"

namespace espalier::jinja {
namespace {

using Filter = Result<Value> (*)(Runtime&, const Value&, const Arguments&);

std::optional<std::string_view> textArgument(const Arguments& arguments, std::size_t place, std::string_view name) {
    const Value* value = arguments.find(place, name);
    return value && value->text() ? std::optional<std::string_view>(value->text()->text) : std::nullopt;
}

bool flagArgument(const Arguments& arguments, std::size_t place, std::string_view name) {
    const Value* value = arguments.find(place, name);
    return value && isTrue(*value);
}

std::int64_t integerArgument(const Arguments& arguments, std::size_t place, std::string_view name, std::int64_t other) {
    const Value* value = arguments.find(place, name);
    return value && value->isInteger() ? value->integer() : other;
}

template <MarkedText (*change)(const MarkedText&)>
Result<Value> changed(Runtime& runtime, const Value& value, const Arguments&) {
    TRY_ASSIGN(const MarkedText text, runtime.str(value));
    return runtime.text(change(text));
}

Result<Value> trim(Runtime& runtime, const Value& value, const Arguments& arguments) {
    const auto characters = textArgument(arguments, 0, "chars");
    TRY(runtime.spend(strippingSteps(value.weight(), characters)));
    TRY_ASSIGN(const MarkedText text, runtime.str(value));
    return runtime.text(stripped(text, Side::Both, characters));
}

Result<Value> title(Runtime& runtime, const Value& value, const Arguments&) {
    TRY_ASSIGN(const MarkedText text, runtime.str(value));
    return runtime.text(titled(text, "-({[<"));
}

Result<Value> string(Runtime& runtime, const Value& value, const Arguments&) {
    if (value.text()) return value;
    TRY_ASSIGN(MarkedText text, runtime.str(value));
    return runtime.text(std::move(text));
}

Result<Value> replace(Runtime& runtime, const Value& value, const Arguments& arguments) {
    const Value* from = arguments.find(0, "old");
    const Value* to = arguments.find(1, "new");
    if (!from || !to) return fail(ErrorCode::InvalidArgument, "replace needs what to replace and with what");
    TRY_ASSIGN(const MarkedText whole, runtime.str(value));
    TRY_ASSIGN(const MarkedText old, runtime.str(*from));
    TRY_ASSIGN(const MarkedText with, runtime.str(*to));
    if (old.text.empty()) return fail(ErrorCode::Unsupported, "replacing an empty string is not supported");
    std::size_t hits = 0;
    for (std::size_t at = whole.text.find(old.text); at != std::string::npos;
         at = whole.text.find(old.text, at + old.text.size()))
        ++hits;
    if (hits > 0 && with.text.size() > kMaxTextBytes / hits)
        return fail(ErrorCode::TooLarge, "a text of more than " + std::to_string(kMaxTextBytes) + " bytes");
    return runtime.text(replaced(whole, old.text, with, integerArgument(arguments, 2, "count", -1)));
}

Result<Value> indent(Runtime& runtime, const Value& value, const Arguments& arguments) {
    const Value* width = arguments.find(0, "width");
    MarkedText by;
    if (width && width->text())
        by = *width->text();
    else
        by.append(std::string(static_cast<std::size_t>(
                                  std::clamp<std::int64_t>(integerArgument(arguments, 0, "width", 4), 0, 1000)),
                              ' '),
                  false);
    TRY_ASSIGN(const MarkedText text, runtime.str(value));
    const std::size_t lines = countLineEnds(text) + 1;
    TRY(runtime.spend(lines * kStepsPerPiece));
    if (by.text.size() > kMaxTextBytes / lines)
        return fail(ErrorCode::TooLarge, "a text of more than " + std::to_string(kMaxTextBytes) + " bytes");
    return runtime.text(indented(text, by, flagArgument(arguments, 1, "first"), flagArgument(arguments, 2, "blank")));
}

Result<Value> escape(Runtime& runtime, const Value& value, const Arguments&) {
    TRY_ASSIGN(const MarkedText text, runtime.str(value));
    MarkedText out;
    text.forEachRun([&](std::string_view run, bool isVerbatim) {
        for (const char c : run) {
            if (out.text.size() > kMaxTextBytes) return;  // text() says so
            const std::string_view entity = c == '&'    ? "&amp;"
                                            : c == '<'  ? "&lt;"
                                            : c == '>'  ? "&gt;"
                                            : c == '"'  ? "&#34;"
                                            : c == '\'' ? "&#39;"
                                                        : std::string_view(&c, 1);
            out.append(entity, isVerbatim);
        }
    });
    return runtime.text(std::move(out));
}

Result<Value> tojson(Runtime& runtime, const Value& value, const Arguments& arguments) {
    TRY(runtime.spend(value.weight() / 4));
    JsonStyle style;
    style.asciiOnly = flagArgument(arguments, 0, "ensure_ascii");
    if (const Value* width = arguments.find(1, "indent"); width && width->isInteger()) {
        style.indent = static_cast<int>(std::clamp<std::int64_t>(width->integer(), 0, 32));
        style.itemSeparator = ",";
    }
    if (const Value* separators = arguments.find(2, "separators"); separators && separators->list()) {
        const auto& pair = separators->list()->items;
        if (pair.size() != 2 || !pair[0].text() || !pair[1].text())
            return wrongType("separators", "a pair of strings", *separators);
        style.itemSeparator = pair[0].text()->text;
        style.keySeparator = pair[1].text()->text;
    }
    style.sortKeys = flagArgument(arguments, 3, "sort_keys");
    if (value.is<Undefined>()) return isUndefined(value);
    TRY_ASSIGN(const std::string text, toJson(value, style));
    return runtime.text(text, holdsVerbatim(value));
}

Result<Value> length(Runtime& runtime, const Value& value, const Arguments&) {
    TRY_ASSIGN(const std::int64_t count, lengthOf(runtime, value));
    return Value(count);
}

// item.a.0, the attribute argument of map, join, sort and others: what to look up one after the other.
Result<std::vector<Value>> attributePath(Runtime& runtime, const Value& path) {
    if (path.isInteger()) return std::vector<Value>{path};
    if (!path.text()) return wrongType("the attribute", "a string", path);
    const std::string_view names = path.text()->text;
    TRY(runtime.spend(path.weight() / 16 +
                      kStepsPerPiece * static_cast<std::size_t>(std::count(names.begin(), names.end(), '.'))));
    std::vector<Value> steps;
    for (const MarkedText& step : split(*path.text(), ".", -1, false)) {
        std::int64_t index = 0;
        const auto read = std::from_chars(step.text.data(), step.text.data() + step.text.size(), index);
        const bool isIndex =
            !step.text.empty() && read.ec == std::errc() && read.ptr == step.text.data() + step.text.size();
        steps.push_back(isIndex ? Value(index) : makeText(step.text));
    }
    return steps;
}

Result<Value> attributeOf(Runtime& runtime, Value value, const std::vector<Value>& path) {
    for (const Value& step : path) {
        TRY(runtime.spend(1));
        if (value.is<Undefined>()) return value;
        TRY_ASSIGN(value, item(runtime, value, step));
        if (!value.list() && !value.dict() && !value.text()) TRY(runtime.spend(kStepsPerValue));  // one made just now
    }
    return value;
}

Result<std::vector<Value>> attributesOf(Runtime& runtime, const Value& list, const Value* path) {
    TRY_ASSIGN(std::vector<Value> items, itemsOf(runtime, list));
    if (!path || path->is<None>()) return items;
    TRY_ASSIGN(const std::vector<Value> steps, attributePath(runtime, *path));
    for (Value& item : items) {
        TRY_ASSIGN(item, attributeOf(runtime, std::move(item), steps));
    }
    return items;
}

Result<Value> join(Runtime& runtime, const Value& value, const Arguments& arguments) {
    TRY_ASSIGN(const std::vector<Value> items, attributesOf(runtime, value, arguments.find(1, "attribute")));
    const Value* separator = arguments.find(0, "d");
    MarkedText between;
    if (separator) {
        TRY_ASSIGN(between, runtime.str(*separator));
    }
    MarkedText out;
    for (std::size_t i = 0; i < items.size(); ++i) {
        if (i > 0) out.append(between);
        TRY_ASSIGN(const MarkedText text, runtime.str(items[i]));
        out.append(text);
        if (out.text.size() > kMaxTextBytes) break;  // text() says so
    }
    return runtime.text(std::move(out));
}

Result<Value> defaulted(Runtime& runtime, const Value& value, const Arguments& arguments) {
    if (!value.is<Undefined>() && !(flagArgument(arguments, 1, "boolean") && !isTrue(value))) return value;
    const Value* other = arguments.find(0, "default_value");
    return other ? *other : runtime.text("");
}

template <bool last>
Result<Value> end(Runtime& runtime, const Value& value, const Arguments&) {
    if (value.text() && isTrue(value)) return item(runtime, value, Value(std::int64_t{last ? -1 : 0}));
    TRY_ASSIGN(const List list, listOf(runtime, value));
    if (list->items.empty()) return Value(Undefined{last ? "the last item of nothing" : "the first item of nothing"});
    return last ? list->items.back() : list->items.front();
}

Result<Value> list(Runtime& runtime, const Value& value, const Arguments&) {
    TRY_ASSIGN(std::vector<Value> items, itemsOf(runtime, value));
    return runtime.list(std::move(items));
}

Result<Value> reverse(Runtime& runtime, const Value& value, const Arguments&) {
    if (value.text()) return runtime.text(reversed(*value.text()));
    TRY_ASSIGN(std::vector<Value> items, itemsOf(runtime, value));
    std::reverse(items.begin(), items.end());
    return runtime.list(std::move(items));
}

Arguments withoutFirst(const Arguments& arguments, std::size_t count) {
    Arguments rest = arguments;
    rest.positional.erase(rest.positional.begin(), rest.positional.begin() + static_cast<std::ptrdiff_t>(std::min(
                                                                                 count, rest.positional.size())));
    return rest;
}

Result<Value> map(Runtime& runtime, const Value& value, const Arguments& arguments) {
    const Value* path = arguments.find(SIZE_MAX, "attribute");
    const Value* other = arguments.find(SIZE_MAX, "default");
    TRY_ASSIGN(std::vector<Value> items, attributesOf(runtime, value, path));
    if (path) {
        for (Value& item : items)
            if (other && item.is<Undefined>()) item = *other;
        return runtime.list(std::move(items));
    }
    const auto name = textArgument(arguments, 0, "filter");
    if (!name || !isFilter(*name))
        return fail(ErrorCode::Unsupported, "map needs an attribute or the name of a filter");
    const Arguments rest = withoutFirst(arguments, 1);
    for (Value& item : items) {
        TRY_ASSIGN(item, applyFilter(runtime, *name, item, rest));
    }
    return runtime.list(std::move(items));
}

// select, reject, selectattr, rejectattr: keeps items whose test holds or, with `wanted` false, does not.
template <bool wanted, bool ofAttribute>
Result<Value> select(Runtime& runtime, const Value& value, const Arguments& arguments) {
    TRY_ASSIGN(const List list, listOf(runtime, value));
    TRY(runtime.payForItems(list->items.size()));
    const Value* path = ofAttribute ? arguments.find(0, "attribute") : nullptr;
    if (ofAttribute && !path) return fail(ErrorCode::InvalidArgument, "the name of an attribute is missing");
    const Arguments afterPath = withoutFirst(arguments, ofAttribute ? 1 : 0);
    const auto test = textArgument(afterPath, 0, "test");
    if (test && !isTest(*test))
        return fail(ErrorCode::Unsupported, "the test \"" + std::string(*test) + "\" is not supported");
    const Arguments rest = withoutFirst(afterPath, 1);
    std::vector<Value> steps, kept;
    if (path) {
        TRY_ASSIGN(steps, attributePath(runtime, *path));
    }
    for (const Value& item : list->items) {
        TRY_ASSIGN(const Value tested, attributeOf(runtime, item, steps));
        bool holds = isTrue(tested);
        if (test) {
            TRY_ASSIGN(holds, applyTest(runtime, *test, tested, rest));
        }
        if (holds == wanted) kept.push_back(item);
    }
    return runtime.list(std::move(kept));
}

// Ordering keys: text without regard to case unless asked for.
Result<std::vector<std::pair<Value, Value>>> keyed(Runtime& runtime, const Value& value, const Value* path,
                                                   bool cased) {
    TRY_ASSIGN(const List list, listOf(runtime, value));
    TRY_ASSIGN(std::vector<Value> keys, attributesOf(runtime, Value(list), path));
    TRY(runtime.payForItems(3 * keys.size()));  // the pairs, and what becomes of them
    std::vector<std::pair<Value, Value>> pairs;
    pairs.reserve(keys.size());
    for (std::size_t i = 0; i < keys.size(); ++i) {
        if (keys[i].text() && !cased) {
            TRY_ASSIGN(keys[i], runtime.text(lower(*keys[i].text())));
        }
        pairs.emplace_back(std::move(keys[i]), list->items[i]);
    }
    return pairs;
}

Result<Value> sorted(Runtime& runtime, std::vector<std::pair<Value, Value>> pairs, bool reverse) {
    TRY(runtime.spend(pairs.size() * 16));
    for (std::size_t i = 1; i < pairs.size(); ++i) TRY(compare(pairs[0].first, pairs[i].first));
    // Values that each have an order with the first have one with each other, except inside tuples: those count as
    // equal.
    const auto before = [](const Value& a, const Value& b) { return compare(a, b).value_or(0) < 0; };
    std::stable_sort(pairs.begin(), pairs.end(), [&](const auto& a, const auto& b) {
        return reverse ? before(b.first, a.first) : before(a.first, b.first);
    });
    std::vector<Value> items;
    for (auto& [key, item] : pairs) items.push_back(std::move(item));
    return runtime.list(std::move(items));
}

Result<Value> sort(Runtime& runtime, const Value& value, const Arguments& arguments) {
    TRY_ASSIGN(auto pairs,
               keyed(runtime, value, arguments.find(2, "attribute"), flagArgument(arguments, 1, "case_sensitive")));
    return sorted(runtime, std::move(pairs), flagArgument(arguments, 0, "reverse"));
}

Result<Value> dictsort(Runtime& runtime, const Value& value, const Arguments& arguments) {
    if (!value.dict()) return wrongType("what dictsort sorts", "a dictionary", value);
    TRY_ASSIGN(const Value items, call(runtime, method(value, "items"), {}));
    const bool byValue = textArgument(arguments, 1, "by") == "value";
    const Value path(std::int64_t{byValue ? 1 : 0});
    TRY_ASSIGN(auto pairs, keyed(runtime, items, &path, flagArgument(arguments, 0, "case_sensitive")));
    return sorted(runtime, std::move(pairs), flagArgument(arguments, 2, "reverse"));
}

Result<Value> unique(Runtime& runtime, const Value& value, const Arguments& arguments) {
    TRY_ASSIGN(auto pairs,
               keyed(runtime, value, arguments.find(1, "attribute"), flagArgument(arguments, 0, "case_sensitive")));
    std::vector<Value> keys, items;
    for (auto& [key, item] : pairs) {
        TRY(runtime.spend(keys.size()));
        const auto isSame = [&wanted = key](const Value& seen) { return equal(seen, wanted); };
        if (std::any_of(keys.begin(), keys.end(), isSame)) continue;
        keys.push_back(std::move(key));
        items.push_back(std::move(item));
    }
    return runtime.list(std::move(items));
}

template <bool largest>
Result<Value> extreme(Runtime& runtime, const Value& value, const Arguments& arguments) {
    TRY_ASSIGN(auto pairs,
               keyed(runtime, value, arguments.find(1, "attribute"), flagArgument(arguments, 0, "case_sensitive")));
    if (pairs.empty()) return Value(Undefined{largest ? "the maximum of nothing" : "the minimum of nothing"});
    std::size_t best = 0;
    for (std::size_t i = 1; i < pairs.size(); ++i) {
        TRY_ASSIGN(const int order, compare(pairs[i].first, pairs[best].first));
        if (largest ? order > 0 : order < 0) best = i;
    }
    return pairs[best].second;
}

Result<Value> sum(Runtime& runtime, const Value& value, const Arguments& arguments) {
    TRY_ASSIGN(const std::vector<Value> items, attributesOf(runtime, value, arguments.find(0, "attribute")));
    const Value* start = arguments.find(1, "start");
    Value total = start ? *start : Value(std::int64_t{0});
    for (const Value& item : items) {
        TRY_ASSIGN(total, binary(runtime, Operator::Add, total, item));
    }
    return total;
}

Result<Value> items(Runtime& runtime, const Value& value, const Arguments&) {
    if (value.is<Undefined>()) return runtime.list({});
    if (!value.dict()) return wrongType("what items lists", "a dictionary", value);
    return call(runtime, method(value, "items"), {});
}

std::optional<double> parsedNumber(const Value& value) {
    if (value.isNumber()) return value.number();
    if (!value.text()) return std::nullopt;
    const MarkedText text = stripped(*value.text(), Side::Both, std::nullopt);
    const char* begin = text.text.data() + (text.text.starts_with('+') ? 1 : 0);
    const char* end = text.text.data() + text.text.size();
    double number = 0;
    const auto read = std::from_chars(begin, end, number);
    return read.ec == std::errc() && read.ptr == end && begin != end ? std::optional(number) : std::nullopt;
}

Result<Value> integer(Runtime& runtime, const Value& value, const Arguments& arguments) {
    TRY(runtime.spend(value.weight() / 16));
    const Value* other = arguments.find(0, "default");
    const Value fallback = other ? *other : Value(std::int64_t{0});
    if (value.isInteger()) return Value(value.integer());
    if (value.text()) {
        const std::string text = stripped(*value.text(), Side::Both, std::nullopt).text;
        const char* begin = text.data() + (text.starts_with('+') ? 1 : 0);
        std::int64_t number = 0;
        const auto base = static_cast<int>(std::clamp<std::int64_t>(integerArgument(arguments, 1, "base", 10), 2, 36));
        const auto read = std::from_chars(begin, text.data() + text.size(), number, base);
        if (read.ec == std::errc() && read.ptr == text.data() + text.size()) return Value(number);
    }
    const auto number = parsedNumber(value);
    if (!number || !(std::fabs(*number) < 9.2e18)) return fallback;
    return Value(static_cast<std::int64_t>(*number));
}

Result<Value> floating(Runtime& runtime, const Value& value, const Arguments& arguments) {
    TRY(runtime.spend(value.weight() / 16));
    const Value* other = arguments.find(0, "default");
    const auto number = parsedNumber(value);
    if (number) return Value(*number);
    return other ? *other : Value(0.0);
}

Result<Value> absolute(Runtime&, const Value& value, const Arguments&) {
    if (!value.isNumber()) return wrongType("what abs takes", "a number", value);
    return negative(value, value.number() < 0);
}

Result<Value> rounded(Runtime&, const Value& value, const Arguments& arguments) {
    if (!value.isNumber()) return wrongType("what round takes", "a number", value);
    const auto method = textArgument(arguments, 1, "method").value_or("common");
    if (value.isInteger() && method == "common" && integerArgument(arguments, 0, "precision", 0) >= 0)
        return Value(value.integer());
    const double scale = std::pow(
        10.0, static_cast<double>(std::clamp<std::int64_t>(integerArgument(arguments, 0, "precision", 0), -15, 15)));
    const double scaled = value.number() * scale;
    const double whole = method == "ceil"    ? std::ceil(scaled)
                         : method == "floor" ? std::floor(scaled)
                                             : std::nearbyint(scaled);
    return Value(whole / scale);
}

Result<Value> attr(Runtime& runtime, const Value& value, const Arguments& arguments) {
    const auto name = textArgument(arguments, 0, "name");
    if (!name) return fail(ErrorCode::InvalidArgument, "attr needs the name of an attribute");
    TRY(runtime.spend(name->size() / 16));
    if (value.dict()) return method(value, *name);
    return attribute(value, *name);
}

struct FilterRow {
    std::string_view name;
    Filter filter;
};
constexpr FilterRow kFilters[] = {
    {"trim", trim},
    {"upper", changed<upper>},
    {"lower", changed<lower>},
    {"capitalize", changed<capitalized>},
    {"title", title},
    {"string", string},
    {"safe", string},
    {"replace", replace},
    {"indent", indent},
    {"e", escape},
    {"escape", escape},
    {"tojson", tojson},
    {"length", length},
    {"count", length},
    {"join", join},
    {"default", defaulted},
    {"d", defaulted},
    {"first", end<false>},
    {"last", end<true>},
    {"list", list},
    {"reverse", reverse},
    {"map", map},
    {"select", select<true, false>},
    {"reject", select<false, false>},
    {"selectattr", select<true, true>},
    {"rejectattr", select<false, true>},
    {"sort", sort},
    {"dictsort", dictsort},
    {"unique", unique},
    {"min", extreme<false>},
    {"max", extreme<true>},
    {"sum", sum},
    {"items", items},
    {"int", integer},
    {"float", floating},
    {"abs", absolute},
    {"round", rounded},
    {"attr", attr},
};

const FilterRow* filterRow(std::string_view name) {
    const auto found =
        std::find_if(std::begin(kFilters), std::end(kFilters), [&](const FilterRow& row) { return row.name == name; });
    return found == std::end(kFilters) ? nullptr : found;
}

}  // namespace

bool isFilter(std::string_view name) {
    return filterRow(name) != nullptr;
}

Result<Value> applyFilter(Runtime& runtime, std::string_view name, const Value& value, const Arguments& arguments) {
    TRY(runtime.spend(1));
    return filterRow(name)->filter(runtime, value, arguments);
}

}  // namespace espalier::jinja
