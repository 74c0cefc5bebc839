// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/tokenizer/jinja/value.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/tokenizer/utf8.h"

namespace espalier::jinja {
namespace {

constexpr int kMaxDepth = 100;
constexpr std::size_t kMaxWeight = 64u << 20;
constexpr std::size_t kIndexedFrom = 16;

constexpr std::array<std::string_view, 8> kRoles{"system", "user",     "assistant", "tool",
                                                 "model",  "function", "developer", "ipython"};

Result<void> checkSize(int depth, std::size_t weight) {
    if (depth > kMaxDepth)
        return fail(ErrorCode::TooLarge, "values nested deeper than " + std::to_string(kMaxDepth) + " levels");
    if (weight > kMaxWeight) return fail(ErrorCode::TooLarge, "a value that holds too much");
    return {};
}

}  // namespace

std::size_t DictValue::indexOf(std::string_view key) const {
    if (!m_index.empty()) {
        const auto found = m_index.find(key);
        return found == m_index.end() ? m_entries.size() : found->second;
    }
    const auto found =
        std::find_if(m_entries.begin(), m_entries.end(), [&](const Entry& e) { return e.key->text == key; });
    return static_cast<std::size_t>(found - m_entries.begin());
}

void DictValue::set(Text key, Value value) {
    m_depth = std::max(m_depth, value.depth() + 1);
    m_weight = std::min(m_weight + value.weight() + key->text.size() + 1, kMaxWeight + 1);
    m_holdsReference = m_holdsReference || value.holdsReference();
    const std::size_t at = indexOf(key->text);
    if (at < m_entries.size()) {
        m_entries[at].value = std::move(value);
        return;
    }
    m_entries.push_back({std::move(key), std::move(value)});
    if (m_entries.size() < kIndexedFrom) return;
    for (std::size_t i = m_index.empty() ? 0 : at; i < m_entries.size(); ++i)
        m_index.emplace(m_entries[i].key->text, i);
}

const Value* DictValue::find(std::string_view key) const {
    const std::size_t at = indexOf(key);
    return at < m_entries.size() ? &m_entries[at].value : nullptr;
}

const Value* Arguments::find(std::size_t place, std::string_view name) const {
    if (place < positional.size()) return &positional[place];
    for (const auto& [key, value] : named)
        if (key == name) return &value;
    return nullptr;
}

std::int64_t Value::integer() const {
    if (const bool* truth = get<bool>()) return *truth ? 1 : 0;
    return *get<std::int64_t>();
}

double Value::number() const {
    if (const double* number = get<double>()) return *number;
    return static_cast<double>(integer());
}

int Value::depth() const {
    if (const ListValue* items = list()) return items->depth;
    if (const DictValue* entries = dict()) return entries->depth();
    return 0;
}

std::size_t Value::weight() const {
    if (const MarkedText* marked = text()) return marked->text.size() + 1;
    if (const ListValue* items = list()) return items->weight;
    if (const DictValue* entries = dict()) return entries->weight();
    return 1;
}

bool Value::holdsReference() const {
    if (const ListValue* items = list()) return items->holdsReference;
    if (const DictValue* entries = dict()) return entries->holdsReference();
    return is<NamespacePtr>() || is<FunctionPtr>() || is<LoopPtr>();
}

Value nothingCalled(std::string_view name) {
    std::string shown(name.substr(0, 200));
    if (shown.size() < name.size()) shown.resize(completeUtf8(shown));
    return Value(Undefined{std::move(shown)});
}

Value makeText(std::string_view text, bool isVerbatim) {
    auto marked = std::make_shared<MarkedText>();
    marked->append(text, isVerbatim);
    return Value(Text(std::move(marked)));
}

Value makeText(MarkedText text) {
    return Value(Text(std::make_shared<MarkedText>(std::move(text))));
}

Result<Value> makeList(std::vector<Value> items, bool isTuple) {
    auto list = std::make_shared<ListValue>();
    for (const Value& item : items) {
        list->depth = std::max(list->depth, item.depth() + 1);
        list->weight = std::min(list->weight + item.weight(), kMaxWeight + 1);
        list->holdsReference = list->holdsReference || item.holdsReference();
    }
    TRY(checkSize(list->depth, list->weight));
    list->items = std::move(items);
    list->isTuple = isTuple;
    return Value(List(std::move(list)));
}

Result<Value> makeDict(DictValue dict) {
    TRY(checkSize(dict.depth(), dict.weight()));
    return Value(Dict(std::make_shared<DictValue>(std::move(dict))));
}

bool isTrue(const Value& value) {
    if (value.isNumber()) return value.number() != 0;
    if (const MarkedText* text = value.text()) return !text->text.empty();
    if (const ListValue* list = value.list()) return !list->items.empty();
    if (const DictValue* dict = value.dict()) return !dict->entries().empty();
    return !value.is<Undefined>() && !value.is<None>();
}

std::string typeName(const Value& value) {
    static constexpr std::array<std::string_view, 11> kNames{
        "Undefined", "NoneType", "bool", "int", "float", "str", "list", "dict", "Namespace", "function", "loop"};
    if (value.list() && value.list()->isTuple) return "tuple";
    return std::string(kNames[value.state().index()]);
}

bool equal(const Value& a, const Value& b) {
    if (a.isInteger() && b.isInteger()) return a.integer() == b.integer();
    if (a.isNumber() && b.isNumber()) return a.number() == b.number();
    if (a.state().index() != b.state().index()) return false;
    if (a.text()) return a.text()->text == b.text()->text;
    if (const ListValue* left = a.list()) {
        const ListValue* right = b.list();
        return left->isTuple == right->isTuple &&
               std::equal(left->items.begin(), left->items.end(), right->items.begin(), right->items.end(), equal);
    }
    if (const DictValue* left = a.dict()) {
        const DictValue* right = b.dict();
        return left->entries().size() == right->entries().size() &&
               std::all_of(left->entries().begin(), left->entries().end(), [&](const DictValue::Entry& entry) {
                   const Value* other = right->find(entry.key->text);
                   return other && equal(entry.value, *other);
               });
    }
    if (a.is<Undefined>() || a.is<None>()) return true;
    if (a.is<NamespacePtr>()) return *a.get<NamespacePtr>() == *b.get<NamespacePtr>();
    if (a.is<FunctionPtr>()) return *a.get<FunctionPtr>() == *b.get<FunctionPtr>();
    return *a.get<LoopPtr>() == *b.get<LoopPtr>();
}

Result<int> compare(const Value& a, const Value& b) {
    const auto order = [](const auto& left, const auto& right) { return left < right ? -1 : right < left ? 1 : 0; };
    if (a.isInteger() && b.isInteger()) return order(a.integer(), b.integer());
    if (a.isNumber() && b.isNumber()) return order(a.number(), b.number());
    if (a.text() && b.text()) return order(a.text()->text, b.text()->text);  // byte order is code point order
    if (a.list() && b.list() && a.list()->isTuple == b.list()->isTuple) {
        const auto& left = a.list()->items;
        const auto& right = b.list()->items;
        for (std::size_t i = 0; i < std::min(left.size(), right.size()); ++i)
            if (!equal(left[i], right[i])) return compare(left[i], right[i]);
        return order(left.size(), right.size());
    }
    return fail(ErrorCode::InvalidArgument, "values of type " + typeName(a) + " and " + typeName(b) + " have no order");
}

Result<Value> fromJson(const OrderedJson& json, bool isVerbatim) {
    switch (json.type()) {
        case OrderedJson::value_t::boolean:
            return Value(json.get<bool>());
        case OrderedJson::value_t::number_integer:
            return Value(json.get<std::int64_t>());
        case OrderedJson::value_t::number_unsigned:
            if (json.get<std::uint64_t>() <= static_cast<std::uint64_t>(INT64_MAX))
                return Value(json.get<std::int64_t>());
            return Value(json.get<double>());
        case OrderedJson::value_t::number_float:
            return Value(json.get<double>());
        case OrderedJson::value_t::string:
            return makeText(json.get_ref<const std::string&>(), isVerbatim);
        case OrderedJson::value_t::array: {
            std::vector<Value> items;
            for (const auto& entry : json) {
                TRY_ASSIGN(Value item, fromJson(entry, isVerbatim));
                items.push_back(std::move(item));
            }
            return makeList(std::move(items));
        }
        case OrderedJson::value_t::object: {
            DictValue dict;
            for (const auto& [key, entry] : json.items()) {
                const bool isRole =
                    key == "role" && entry.is_string() &&
                    std::find(kRoles.begin(), kRoles.end(), entry.get_ref<const std::string&>()) != kRoles.end();
                TRY_ASSIGN(Value value, fromJson(entry, isVerbatim && !isRole));
                dict.set(*makeText(key, isVerbatim).get<Text>(), std::move(value));
            }
            return makeDict(std::move(dict));
        }
        default:
            return Value(None{});
    }
}

}  // namespace espalier::jinja
