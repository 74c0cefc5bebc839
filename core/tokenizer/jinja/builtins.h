// SPDX-License-Identifier: GPL-3.0-or-later
// What a template can call without defining it: filters (x | trim), tests (x is string), functions (range) and the
// methods of strings, dicts and lists. Each is a row of a table; the next one is one row more.
// Thread: any; the tables are constant.
#pragma once

#include <string_view>

#include "core/tokenizer/jinja/runtime.h"

namespace espalier::jinja {

bool isFilter(std::string_view name);
bool isTest(std::string_view name);

// Requires: isFilter(name), isTest(name). arguments: what stands in the parentheses. Errors carry no line yet.
Result<Value> applyFilter(Runtime& runtime, std::string_view name, const Value& value, const Arguments& arguments);
Result<bool> applyTest(Runtime& runtime, std::string_view name, const Value& value, const Arguments& arguments);

// A function every template sees; Undefined when there is none of that name. strftime_now only with a time.
Value globalFunction(Runtime& runtime, std::string_view name);

// A method bound to its object; Undefined when the type has none of that name.
Value method(const Value& object, std::string_view name);

}  // namespace espalier::jinja
