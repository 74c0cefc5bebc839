// SPDX-License-Identifier: GPL-3.0-or-later
// The values of the template language: Python's as far as published chat templates can tell. Strings carry the marks of
// what came from messages. Values are immutable and shared, but for namespaces; containers know how deep they are and
// how much a walk over them meets, so that none exhausts the stack or never ends, and a namespace never holds anything
// that could lead back to it. Owner: one rendering. Thread: that of the rendering.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/json.h"
#include "core/tokenizer/marked_text.h"

namespace espalier::jinja {

inline constexpr std::size_t kMaxTextBytes = 16u << 20;  // of one text, and of the output

class Value;
class Runtime;
using Text = std::shared_ptr<const MarkedText>;

struct Undefined {
    std::string name;  // what was asked for, for error sentences
};
struct None {};

struct ListValue {
    std::vector<Value> items;
    bool isTuple = false;
    int depth = 1;
    std::size_t weight = 1;       // values and bytes of text inside, counted where they are seen
    bool holdsReference = false;  // a namespace, function or loop somewhere inside
};

class DictValue {
public:
    struct Entry;
    void set(Text key, Value value);  // replaces, keeps the place
    const Value* find(std::string_view key) const;
    const std::vector<Entry>& entries() const { return m_entries; }
    int depth() const { return m_depth; }
    std::size_t weight() const { return m_weight; }
    bool holdsReference() const { return m_holdsReference; }

private:
    std::size_t indexOf(std::string_view key) const;
    std::vector<Entry> m_entries;
    std::unordered_map<std::string_view, std::size_t> m_index;  // of all entries once there are many
    int m_depth = 1;
    std::size_t m_weight = 1;
    bool m_holdsReference = false;
};

struct Arguments {
    std::vector<Value> positional;
    std::vector<std::pair<std::string, Value>> named;

    // The argument at this place or of this name; nullptr when it was not given.
    const Value* find(std::size_t place, std::string_view name) const;
};

struct Function {
    std::string name;
    std::function<Result<Value>(Runtime&, const Arguments&)> call;
};

struct Namespace {
    DictValue attributes;
};

struct LoopState {
    std::shared_ptr<const ListValue> items;
    std::size_t index = 0;
    int depth = 1;
};

using List = std::shared_ptr<const ListValue>;
using Dict = std::shared_ptr<const DictValue>;
using NamespacePtr = std::shared_ptr<Namespace>;
using FunctionPtr = std::shared_ptr<const Function>;
using LoopPtr = std::shared_ptr<const LoopState>;

template <class T, class Variant>
inline constexpr bool kIsAlternative = false;
template <class T, class... Alternatives>
inline constexpr bool kIsAlternative<T, std::variant<Alternatives...>> = (std::is_same_v<T, Alternatives> || ...);

class Value {
public:
    using State =
        std::variant<Undefined, None, bool, std::int64_t, double, Text, List, Dict, NamespacePtr, FunctionPtr, LoopPtr>;
    Value() = default;
    template <class T>
    requires kIsAlternative<T, State> Value(T state) : m_state(std::in_place_type<T>, std::move(state)) {}

    template <class T>
    bool is() const {
        return std::holds_alternative<T>(m_state);
    }
    template <class T>
    const T* get() const {
        return std::get_if<T>(&m_state);
    }
    const State& state() const { return m_state; }

    const MarkedText* text() const { return is<Text>() ? get<Text>()->get() : nullptr; }
    const ListValue* list() const { return is<List>() ? get<List>()->get() : nullptr; }
    const DictValue* dict() const { return is<Dict>() ? get<Dict>()->get() : nullptr; }
    bool isNumber() const { return is<bool>() || is<std::int64_t>() || is<double>(); }
    bool isInteger() const { return is<bool>() || is<std::int64_t>(); }
    std::int64_t integer() const;  // Requires: isInteger()
    double number() const;         // Requires: isNumber()

    int depth() const;           // 0 for what holds nothing
    std::size_t weight() const;  // how much work a walk over it is
    bool holdsReference() const;

private:
    State m_state;
};

struct DictValue::Entry {
    Text key;
    Value value;
};

Value nothingCalled(std::string_view name);  // Undefined, the name cut after 200 bytes
Value makeText(std::string_view text, bool isVerbatim = false);
Value makeText(MarkedText text);
// Errors: too_large when nested too deeply or holding too much.
Result<Value> makeList(std::vector<Value> items, bool isTuple = false);
Result<Value> makeDict(DictValue dict);

bool isTrue(const Value& value);
std::string typeName(const Value& value);  // as Python says it: "str", "NoneType"

bool equal(const Value& a, const Value& b);
// <0, 0, >0. Error when the types have no order.
Result<int> compare(const Value& a, const Value& b);

// str() and repr(): marks of strings are kept; what is quoted is marked as a whole when anything in it is. Of what is
// longer than kMaxTextBytes only the beginning, which is too long, too.
MarkedText str(const Value& value);
std::string repr(const Value& value);
bool holdsVerbatim(const Value& value);
std::string numberText(double number);  // as Python prints it

// json.dumps. indent < 0: on one line.
struct JsonStyle {
    int indent = -1;
    bool asciiOnly = false;
    bool sortKeys = false;
    std::string itemSeparator = ", ";
    std::string keySeparator = ": ";
};
// Errors: invalid_argument for what JSON lacks; too_large over kMaxTextBytes.
Result<std::string> toJson(const Value& value, const JsonStyle& style);

// Errors: too_large when nested too deeply. Every string is verbatim when isVerbatim, but for the conventional names
// of roles under the key "role": templates put those inside the names of special tokens.
Result<Value> fromJson(const OrderedJson& json, bool isVerbatim);

}  // namespace espalier::jinja
