// SPDX-License-Identifier: GPL-3.0-or-later
// The filters, tests, methods and functions templates may call. Each is one entry of a table: the next one is an
// addition. Thread: any; pure, but for strftime_now, which reads the time it is given.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/tokenizer/template_value.h"

namespace espalier::templates {

struct CallArguments {
    std::vector<Value> positional;
    std::vector<std::pair<std::string, Value>> named;

    // By position, else by name; nullptr when neither is there.
    const Value* at(std::size_t position, std::string_view name) const;
};

// Errors: unsupported for an unknown name, invalid_argument for wrong types.
Result<Value> applyFilter(std::string_view name, const Value& input, const CallArguments& arguments);
Result<bool> applyTest(std::string_view name, const Value& input, const CallArguments& arguments);
Result<Value> callMethod(const Value& object, std::string_view name, const CallArguments& arguments);
Result<Value> callBuiltin(std::string_view name, const CallArguments& arguments, std::int64_t unixSeconds);
bool isBuiltin(std::string_view name);

// object.name or object[key], Jinja's way: what is not there is undefined.
Value memberOf(const Value& object, std::string_view name);
Result<Value> itemOf(const Value& object, const Value& key);
// What a for loop walks over: list items, dictionary keys, characters.
Result<List> itemsOf(const Value& value);
std::int64_t lengthOf(const MarkedText& text);  // characters

}  // namespace espalier::templates
