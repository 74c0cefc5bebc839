// SPDX-License-Identifier: GPL-3.0-or-later
// Runtime: what one rendering may spend, and the operations on values that spend it. Work is counted in steps: one per
// node visited, one per item copied, one per 16 bytes of text made or read through, 16 per character or piece that
// becomes a value of its own.
// Owner: one rendering. Thread: that of the rendering.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/tokenizer/jinja/value.h"

namespace espalier::jinja {

inline constexpr std::int64_t kMaxSteps = 20'000'000;
inline constexpr std::size_t kMaxTextBytes = 16u << 20;
inline constexpr std::int64_t kMaxRange = 100'000;
inline constexpr std::size_t kStepsPerPiece = 16;  // a value of its own takes some 150 bytes
inline constexpr int kMaxCallDepth = 600;  // nodes and macro calls inside one another

class Runtime {
public:
    explicit Runtime(std::optional<std::int64_t> unixSeconds) : m_unixSeconds(unixSeconds) {}

    // Errors: too_large when the steps are used up.
    Result<void> spend(std::size_t steps);
    // A string that was made; error too_large over kMaxTextBytes.
    Result<Value> text(MarkedText text);
    Result<Value> text(std::string_view text, bool isVerbatim = false);
    Result<Value> list(std::vector<Value> items, bool isTuple = false);

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

// The items a for loop sees: of lists, keys of dicts, characters of strings, none of undefined values.
Result<std::vector<Value>> itemsOf(Runtime& runtime, const Value& value);
Result<std::int64_t> lengthOf(Runtime& runtime, const Value& value);

// value.name and value[index]; Undefined when there is nothing of that name, error when value is undefined itself.
Result<Value> attribute(const Value& value, std::string_view name);
Result<Value> item(Runtime& runtime, const Value& value, const Value& index);
Result<Value> slice(Runtime& runtime, const Value& value, const Value& start, const Value& stop, const Value& step);

Result<Value> call(Runtime& runtime, const Value& function, const Arguments& arguments);

Error isUndefined(const Value& value);  // "x is undefined"
Error wrongType(std::string_view what, std::string_view expected, const Value& found);

}  // namespace espalier::jinja
