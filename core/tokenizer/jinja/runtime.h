// SPDX-License-Identifier: GPL-3.0-or-later
// Runtime: what one rendering may spend, and the operations on values that spend it. Work is counted in steps: one per
// node visited, one per 16 bytes of text read through. What is kept costs more, one step for some ten bytes of memory,
// and is paid before it is made: so the steps bound a rendering's memory, too (to some 200 MB, whatever the template).
// Owner: one rendering. Thread: that of the rendering.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/tokenizer/jinja/value.h"

namespace espalier::jinja {

inline constexpr std::int64_t kMaxSteps = 20'000'000;
inline constexpr std::int64_t kMaxRange = 100'000;
inline constexpr std::size_t kBytesPerStep = 4;    // of text that is made, which may have room for as much again
inline constexpr std::size_t kStepsPerItem = 8;    // a place in a list: 40 bytes, and room to grow
inline constexpr std::size_t kStepsPerEntry = 16;  // of a dictionary
inline constexpr std::size_t kStepsPerValue = 16;  // a text or list that others share, beside what it holds
inline constexpr std::size_t kStepsPerPiece = 32;  // a piece cut out of a text: a text, and places on the way
inline constexpr int kMaxCallDepth = 600;          // nodes and macro calls inside one another

class Runtime {
public:
    explicit Runtime(std::optional<std::int64_t> unixSeconds) : m_unixSeconds(unixSeconds) {}

    // Errors: too_large when the steps are used up.
    Result<void> spend(std::size_t steps);
    // A string that was made; error too_large over kMaxTextBytes.
    Result<Value> text(MarkedText text);
    Result<Value> text(std::string_view text, bool isVerbatim = false);
    // A list that was made. Pays for the list; its items are paid for before they are put together.
    Result<Value> list(std::vector<Value> items, bool isTuple = false);
    Result<void> payForItems(std::size_t count) {
        return spend(std::min<std::size_t>(count, kMaxSteps) * kStepsPerItem);
    }
    // str() of any value.
    Result<MarkedText> str(const Value& value);

    std::optional<std::int64_t> unixSeconds() const { return m_unixSeconds; }

private:
    std::int64_t m_steps = kMaxSteps;
    std::optional<std::int64_t> m_unixSeconds;
};

enum class Operator;

// Python's operators. Errors: invalid_argument for types that do not go together; too_large over the caps.
Result<Value> binary(Runtime& runtime, Operator op, const Value& left, const Value& right);
Result<bool> compareWith(Runtime& runtime, Operator op, const Value& left, const Value& right);
Result<Value> negative(const Value& value, bool negate);

// The items a for loop sees: of lists, keys of dicts, characters of strings, none of undefined values. A list's own are
// shared, not copied.
Result<List> listOf(Runtime& runtime, const Value& value);
Result<std::vector<Value>> itemsOf(Runtime& runtime, const Value& value);  // a copy, to be changed
Result<std::int64_t> lengthOf(Runtime& runtime, const Value& value);

// value.name and value[index]; Undefined when there is nothing of that name, error when value is undefined itself.
Result<Value> attribute(const Value& value, std::string_view name);
Result<Value> item(Runtime& runtime, const Value& value, const Value& index);
Result<Value> slice(Runtime& runtime, const Value& value, const Value& start, const Value& stop, const Value& step);

Result<Value> call(Runtime& runtime, const Value& function, const Arguments& arguments);

Error isUndefined(const Value& value);  // "x is undefined"
Error wrongType(std::string_view what, std::string_view expected, const Value& found);

}  // namespace espalier::jinja
