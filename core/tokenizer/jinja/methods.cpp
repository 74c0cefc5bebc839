// SPDX-License-Identifier: GPL-3.0-or-later
// Methods of strings, dicts and lists. Those that would change a value are refused, as the sandbox of Transformers
// does.
#include <unicode/uchar.h>

#include <algorithm>
#include <array>

#include "core/tokenizer/jinja/builtins.h"
#include "core/tokenizer/jinja/text_operations.h"
#include "core/tokenizer/utf8.h"

namespace espalier::jinja {
namespace {

using Method = Result<Value> (*)(Runtime&, const Value& self, const Arguments&);
struct MethodRow {
    std::string_view name;
    Method method;
};

// The string argument at this place; nullptr when absent or None.
Result<const MarkedText*> optionalText(const Arguments& arguments, std::size_t place, std::string_view name) {
    const Value* value = arguments.find(place, name);
    if (!value || value->is<None>()) return nullptr;
    if (!value->text()) return wrongType("the argument \"" + std::string(name) + "\"", "a string", *value);
    return value->text();
}

Result<const MarkedText*> requiredText(const Arguments& arguments, std::size_t place, std::string_view name) {
    TRY_ASSIGN(const MarkedText* text, optionalText(arguments, place, name));
    if (!text) return fail(ErrorCode::InvalidArgument, "the argument \"" + std::string(name) + "\" is missing");
    return text;
}

Result<std::int64_t> integerOr(const Arguments& arguments, std::size_t place, std::string_view name,
                               std::int64_t other) {
    const Value* value = arguments.find(place, name);
    if (!value || value->is<None>()) return other;
    if (!value->isInteger()) return wrongType("the argument \"" + std::string(name) + "\"", "an integer", *value);
    return value->integer();
}

template <Side side>
Result<Value> strip(Runtime& runtime, const Value& self, const Arguments& arguments) {
    TRY_ASSIGN(const MarkedText* characters, optionalText(arguments, 0, "chars"));
    const auto wanted = characters ? std::optional<std::string_view>(characters->text) : std::nullopt;
    TRY(runtime.spend(strippingSteps(self.weight(), wanted)));
    return runtime.text(stripped(*self.text(), side, wanted));
}

template <bool fromRight>
Result<Value> splitText(Runtime& runtime, const Value& self, const Arguments& arguments) {
    TRY_ASSIGN(const MarkedText* separator, optionalText(arguments, 0, "sep"));
    TRY_ASSIGN(const std::int64_t limit, integerOr(arguments, 1, "maxsplit", -1));
    if (separator && separator->text.empty()) return fail(ErrorCode::InvalidArgument, "an empty separator");
    const auto wanted = separator ? std::optional<std::string_view>(separator->text) : std::nullopt;
    TRY(runtime.spend(self.weight() / kBytesPerStep));
    const std::size_t cuts = countCuts(*self.text(), wanted);
    const std::size_t taken = limit >= 0 ? std::min(cuts, static_cast<std::size_t>(limit)) : cuts;
    TRY(runtime.spend(cuts * 4 + (taken + 1) * kStepsPerPiece));
    std::vector<Value> items;
    for (MarkedText& piece : split(*self.text(), wanted, limit, fromRight)) items.push_back(makeText(std::move(piece)));
    return runtime.list(std::move(items));
}

Result<Value> splitIntoLines(Runtime& runtime, const Value& self, const Arguments& arguments) {
    const Value* keep = arguments.find(0, "keepends");
    TRY(runtime.spend(self.weight() / kBytesPerStep));
    TRY(runtime.spend((countLineEnds(*self.text()) + 1) * kStepsPerPiece));
    std::vector<Value> items;
    for (MarkedText& line : splitLines(*self.text(), keep && isTrue(*keep))) items.push_back(makeText(std::move(line)));
    return runtime.list(std::move(items));
}

// startswith and endswith take a string or a tuple of them.
template <bool atStart>
Result<Value> touches(Runtime& runtime, const Value& self, const Arguments& arguments) {
    const std::string_view whole = self.text()->text;
    const auto holds = [&](const Value& part) {
        return atStart ? whole.starts_with(part.text()->text) : whole.ends_with(part.text()->text);
    };
    const Value* part = arguments.find(0, "prefix");
    if (part) TRY(runtime.spend(part->weight() / 16));
    if (part && part->text()) return Value(holds(*part));
    if (part && part->list() && part->list()->isTuple) {
        const auto& items = part->list()->items;
        if (std::all_of(items.begin(), items.end(), [](const Value& item) { return item.text(); }))
            return Value(std::any_of(items.begin(), items.end(), holds));
    }
    return wrongType(atStart ? "the argument of startswith" : "the argument of endswith",
                     "a string or a tuple of strings", part ? *part : Value(None{}));
}

template <bool prefix>
Result<Value> without(Runtime& runtime, const Value& self, const Arguments& arguments) {
    TRY_ASSIGN(const MarkedText* part, requiredText(arguments, 0, prefix ? "prefix" : "suffix"));
    const std::string_view whole = self.text()->text;
    const std::size_t length = part->text.size();
    if (prefix ? !whole.starts_with(part->text) : !whole.ends_with(part->text)) return self;
    return runtime.text(
        self.text()->slice(prefix ? TextRange{length, whole.size()} : TextRange{0, whole.size() - length}));
}

Result<Value> replace(Runtime& runtime, const Value& self, const Arguments& arguments) {
    return applyFilter(runtime, "replace", self, arguments);
}

template <MarkedText (*change)(const MarkedText&)>
Result<Value> changed(Runtime& runtime, const Value& self, const Arguments&) {
    return runtime.text(change(*self.text()));
}

Result<Value> title(Runtime& runtime, const Value& self, const Arguments&) {
    return runtime.text(titled(*self.text(), std::nullopt));
}

// Character index of the first or last place; -1 when there is none.
template <bool last, bool mustBeThere>
Result<Value> find(Runtime& runtime, const Value& self, const Arguments& arguments) {
    TRY_ASSIGN(const MarkedText* part, requiredText(arguments, 0, "sub"));
    TRY(runtime.spend(self.weight() / 16));
    const std::string_view whole = self.text()->text;
    const std::size_t at = last ? whole.rfind(part->text) : whole.find(part->text);
    if (at == std::string_view::npos) {
        if (mustBeThere) return fail(ErrorCode::InvalidArgument, "the substring was not found");
        return Value(std::int64_t{-1});
    }
    return Value(static_cast<std::int64_t>(countUtf8(whole.substr(0, at))));
}

Result<Value> count(Runtime& runtime, const Value& self, const Arguments& arguments) {
    TRY_ASSIGN(const MarkedText* part, requiredText(arguments, 0, "sub"));
    TRY(runtime.spend(self.weight() / 4));
    if (part->text.empty()) return Value(static_cast<std::int64_t>(countUtf8(self.text()->text)) + 1);
    std::int64_t found = 0;
    const std::string& whole = self.text()->text;
    for (std::size_t at = whole.find(part->text); at != std::string::npos;
         at = whole.find(part->text, at + part->text.size()))
        ++found;
    return Value(found);
}

Result<Value> join(Runtime& runtime, const Value& self, const Arguments& arguments) {
    const Value* list = arguments.find(0, "iterable");
    if (!list) return fail(ErrorCode::InvalidArgument, "join needs what to join");
    Arguments separator;
    separator.positional.push_back(self);
    return applyFilter(runtime, "join", *list, separator);
}

template <UBool (*holds)(UChar32)>
Result<Value> every(Runtime& runtime, const Value& self, const Arguments&) {
    TRY(runtime.spend(self.weight() / 16));
    const std::string& text = self.text()->text;
    bool all = !text.empty();
    for (std::size_t at = 0; at < text.size() && all;) {
        const Utf8Char c = decodeUtf8(text, at);
        all = holds(static_cast<UChar32>(c.code));
        at += c.bytes;
    }
    return Value(all);
}
UBool isSpaceCharacter(UChar32 c) {
    return isPythonSpace(static_cast<char32_t>(c));
}

template <std::string_view const& test>
Result<Value> tested(Runtime& runtime, const Value& self, const Arguments&) {
    TRY_ASSIGN(const bool holds, applyTest(runtime, test, self, {}));
    return Value(holds);
}
constexpr std::string_view kUpperTest = "upper";
constexpr std::string_view kLowerTest = "lower";

Result<Value> dictItems(Runtime& runtime, const Value& self, const Arguments&) {
    std::vector<Value> items;
    TRY(runtime.payForItems(3 * self.dict()->entries().size()));
    for (const auto& entry : self.dict()->entries()) {
        TRY_ASSIGN(Value pair, runtime.list({Value(entry.key), entry.value}, true));
        items.push_back(std::move(pair));
    }
    return runtime.list(std::move(items));
}

Result<Value> dictKeys(Runtime& runtime, const Value& self, const Arguments&) {
    TRY_ASSIGN(std::vector<Value> keys, itemsOf(runtime, self));
    return runtime.list(std::move(keys));
}

Result<Value> dictValues(Runtime& runtime, const Value& self, const Arguments&) {
    std::vector<Value> values;
    TRY(runtime.payForItems(self.dict()->entries().size()));
    for (const auto& entry : self.dict()->entries()) values.push_back(entry.value);
    return runtime.list(std::move(values));
}

Result<Value> dictGet(Runtime&, const Value& self, const Arguments& arguments) {
    const Value* key = arguments.find(0, "key");
    if (!key) return fail(ErrorCode::InvalidArgument, "get needs a key");
    if (key->text())
        if (const Value* found = self.dict()->find(key->text()->text)) return *found;
    const Value* other = arguments.find(1, "default");
    return other ? *other : Value(None{});
}

Result<Value> copy(Runtime&, const Value& self, const Arguments&) {
    return self;
}

Result<Value> listIndex(Runtime& runtime, const Value& self, const Arguments& arguments) {
    TRY(runtime.spend(self.weight() / 16));
    const Value* wanted = arguments.find(0, "value");
    const auto& items = self.list()->items;
    for (std::size_t i = 0; wanted && i < items.size(); ++i)
        if (equal(items[i], *wanted)) return Value(static_cast<std::int64_t>(i));
    return fail(ErrorCode::InvalidArgument, "the value is not in the list");
}

Result<Value> listCount(Runtime& runtime, const Value& self, const Arguments& arguments) {
    TRY(runtime.spend(self.weight() / 16));
    const Value* wanted = arguments.find(0, "value");
    const auto& items = self.list()->items;
    return Value(static_cast<std::int64_t>(
        std::count_if(items.begin(), items.end(), [&](const Value& item) { return wanted && equal(item, *wanted); })));
}

Result<Value> refused(Runtime&, const Value&, const Arguments&) {
    return fail(ErrorCode::Unsupported, "a method that changes a value is not allowed in a chat template");
}

constexpr MethodRow kTextMethods[] = {
    {"strip", strip<Side::Both>},
    {"lstrip", strip<Side::Left>},
    {"rstrip", strip<Side::Right>},
    {"split", splitText<false>},
    {"rsplit", splitText<true>},
    {"splitlines", splitIntoLines},
    {"startswith", touches<true>},
    {"endswith", touches<false>},
    {"removeprefix", without<true>},
    {"removesuffix", without<false>},
    {"replace", replace},
    {"upper", changed<upper>},
    {"lower", changed<lower>},
    {"capitalize", changed<capitalized>},
    {"title", title},
    {"find", find<false, false>},
    {"rfind", find<true, false>},
    {"index", find<false, true>},
    {"rindex", find<true, true>},
    {"count", count},
    {"join", join},
    {"isdigit", every<u_isdigit>},
    {"isnumeric", every<u_isdigit>},
    {"isdecimal", every<u_isdigit>},
    {"isalpha", every<u_isalpha>},
    {"isalnum", every<u_isalnum>},
    {"isspace", every<isSpaceCharacter>},
    {"isupper", tested<kUpperTest>},
    {"islower", tested<kLowerTest>},
};
constexpr MethodRow kDictMethods[] = {
    {"items", dictItems}, {"keys", dictKeys}, {"values", dictValues},  {"get", dictGet},   {"copy", copy},
    {"update", refused},  {"pop", refused},   {"setdefault", refused}, {"clear", refused}, {"popitem", refused},
};
constexpr MethodRow kListMethods[] = {
    {"index", listIndex}, {"count", listCount}, {"copy", copy},     {"append", refused},
    {"extend", refused},  {"insert", refused},  {"pop", refused},   {"remove", refused},
    {"reverse", refused}, {"sort", refused},    {"clear", refused},
};

template <std::size_t size>
Value bound(const MethodRow (&rows)[size], const Value& object, std::string_view name) {
    for (const MethodRow& row : rows) {
        if (row.name != name) continue;
        return Value(FunctionPtr(std::make_shared<Function>(
            Function{std::string(name), [method = row.method, object](Runtime& runtime, const Arguments& arguments) {
                         return method(runtime, object, arguments);
                     }})));
    }
    return nothingCalled(name);
}

}  // namespace

Value method(const Value& object, std::string_view name) {
    if (object.text()) return bound(kTextMethods, object, name);
    if (object.dict()) return bound(kDictMethods, object, name);
    if (object.list()) return bound(kListMethods, object, name);
    return nothingCalled(name);
}

}  // namespace espalier::jinja
