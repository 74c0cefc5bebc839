// SPDX-License-Identifier: GPL-3.0-or-later
// Result<T>: a value or an Error, spelled like std::expected (which C++20 with g++ 12 lacks). Expected failures travel
// as values: a stable code for programs, a sentence for people, and where it happened. Nothing here throws.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "core/base/check.h"

namespace espalier {

// Stable across versions: scripts and clients compare codeName(). Add at the end of a group, never rename.
enum class ErrorCode {
    // the caller's input
    InvalidArgument,
    NotFound,
    AlreadyExists,
    Unsupported,  // understood and refused by name, with what to do instead
    TooLarge,     // over a stated limit
    // files and formats
    IoError,
    DiskFull,
    CorruptFile,  // structure is wrong: names the file, the key or tensor, what was expected and found
    ShapeMismatch,
    MissingTensor,
    NonFinite,  // NaN or infinity in weights
    // running state
    Busy,  // queue or mailbox full; try again
    PoolExhausted,
    ContextOverflow,  // prompt longer than the model's context
    Draining,
    Cancelled,
    Locked,  // another daemon holds the workspace
    Unauthorized,
    // the rest
    DeviceError,
    Database,
    Network,
    Internal,
};

std::string_view codeName(ErrorCode code);  // "pool_exhausted"
std::optional<ErrorCode> codeFromName(std::string_view name);

struct Error {
    ErrorCode code = ErrorCode::Internal;
    std::string message;           // a sentence for a person
    std::string where;             // file, tensor, key or route; may be empty
    std::int32_t retryAfterS = 0;  // seconds after which trying again helps; 0: nobody knows

    // Puts an outer circumstance before the sentence: "importing tiny: tokenizer.json: ...".
    Error&& context(std::string_view outer) &&;
    std::string text() const;  // "error[code]: sentence"
};

template <class T>
class [[nodiscard]] Result {
public:
    using value_type = T;
    Result(T value) : m_state(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : m_state(std::in_place_index<1>, std::move(error)) {}

    bool has_value() const { return m_state.index() == 0; }
    explicit operator bool() const { return has_value(); }

    // Requires: has_value().
    T& value() & {
        CHECK(has_value());
        return *std::get_if<0>(&m_state);
    }
    const T& value() const& {
        CHECK(has_value());
        return *std::get_if<0>(&m_state);
    }
    T&& value() && {
        CHECK(has_value());
        return std::move(*std::get_if<0>(&m_state));
    }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T&& operator*() && { return std::move(*this).value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }
    T value_or(T other) && { return has_value() ? std::move(*this).value() : std::move(other); }

    // Requires: !has_value().
    Error& error() & {
        CHECK(!has_value());
        return *std::get_if<1>(&m_state);
    }
    const Error& error() const& {
        CHECK(!has_value());
        return *std::get_if<1>(&m_state);
    }
    Error&& error() && {
        CHECK(!has_value());
        return std::move(*std::get_if<1>(&m_state));
    }

private:
    std::variant<T, Error> m_state;
};

template <>
class [[nodiscard]] Result<void> {
public:
    using value_type = void;
    Result() = default;
    Result(Error error) : m_error(std::move(error)) {}

    bool has_value() const { return !m_error; }
    explicit operator bool() const { return has_value(); }
    Error& error() & {
        CHECK(m_error);
        return *m_error;
    }
    const Error& error() const& {
        CHECK(m_error);
        return *m_error;
    }
    Error&& error() && {
        CHECK(m_error);
        return std::move(*m_error);
    }

private:
    std::optional<Error> m_error;
};

inline Error fail(ErrorCode code, std::string message, std::string where = {}) {
    return Error{code, std::move(message), std::move(where)};
}

}  // namespace espalier

#define ESPALIER_CONCAT_INNER(a, b) a##b
#define ESPALIER_CONCAT(a, b) ESPALIER_CONCAT_INNER(a, b)

// TRY(expression): leaves the function with the error of a Result<void> (or any Result whose value is not wanted).
#define TRY(expression)                                                                     \
    do {                                                                                    \
        if (auto tryResult = (expression); !tryResult) return std::move(tryResult).error(); \
    } while (false)

// TRY_ASSIGN(auto file, open(path)): declares or assigns the value, or leaves the function with the error.
#define TRY_ASSIGN(target, expression) TRY_ASSIGN_IMPL(ESPALIER_CONCAT(tryResult, __LINE__), target, expression)
#define TRY_ASSIGN_IMPL(temporary, target, expression)   \
    auto temporary = (expression);                       \
    if (!temporary) return std::move(temporary).error(); \
    target = std::move(temporary).value()
