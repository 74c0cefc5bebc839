// SPDX-License-Identifier: GPL-3.0-or-later
// Value: what a chat template computes with, after Jinja2 and Python. Strings are MarkedText, so that every byte knows
// whether it came from a message. Lists and dictionaries are shared and, but for namespaces, never change once made.
// Thread: one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/tokenizer/marked_text.h"

namespace espalier::templates {

struct Macro;  // template_syntax.h
struct Value;

struct Undefined {
    std::string name;  // for messages
};
struct None {};
using List = std::vector<Value>;
struct Dict {
    std::vector<std::pair<std::string, Value>> items;  // in order of insertion
    bool isNamespace = false;
    bool keysVerbatim = false;  // keys came from a message or a tool
    const Value* find(std::string_view key) const;
    void set(std::string_view key, Value value);
};
struct Builtin {  // a function by name: raise_exception, range, namespace, ...
    std::string name;
};

struct Value {
    std::variant<Undefined, None, bool, std::int64_t, double, MarkedText, std::shared_ptr<List>, std::shared_ptr<Dict>,
                 std::shared_ptr<const Macro>, Builtin>
        state;

    Value() = default;
    template <class T>
    Value(T value) : state(std::move(value)) {}
    static Value text(std::string_view literal);
    static Value list(List items) { return std::make_shared<List>(std::move(items)); }

    template <class T>
    const T* as() const {
        return std::get_if<T>(&state);
    }
    const MarkedText* string() const { return as<MarkedText>(); }
    const List* list() const {
        const auto* pointer = as<std::shared_ptr<List>>();
        return pointer ? pointer->get() : nullptr;
    }
    Dict* dict() const {
        const auto* pointer = as<std::shared_ptr<Dict>>();
        return pointer ? pointer->get() : nullptr;
    }
    bool isUndefined() const { return as<Undefined>() != nullptr; }
    bool isNone() const { return as<None>() != nullptr; }
    bool isNumber() const { return as<bool>() || as<std::int64_t>() || as<double>(); }
    bool truthy() const;
    std::string_view typeName() const;  // "string", "list", ...
};

// verbatim: every string in it, and every key, came from outside.
Value fromJson(const Json& json, bool verbatim);

bool equal(const Value& a, const Value& b);
// < 0, 0, > 0 for two numbers or two strings; error invalid_argument for anything else.
Result<int> compare(const Value& a, const Value& b);
double numberOf(const Value& value);  // Requires: isNumber()

// As Python's str() and repr(), and json.dumps(ensure_ascii=False). indent < 0: one line with ", " and ": ".
MarkedText printed(const Value& value);
void dumpAsJson(const Value& value, int indent, int depth, MarkedText& out);

}  // namespace espalier::templates
