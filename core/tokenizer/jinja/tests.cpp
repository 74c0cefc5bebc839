// SPDX-License-Identifier: GPL-3.0-or-later
// Tests (x is string), one row of the table each; semantics are Jinja 3's.
#include <algorithm>

#include "core/tokenizer/jinja/ast.h"
#include "core/tokenizer/jinja/builtins.h"
#include "core/tokenizer/jinja/text_operations.h"

namespace espalier::jinja {
namespace {

using Test = Result<bool> (*)(Runtime&, const Value&, const Arguments&);

template <class... Types>
Result<bool> holds(Runtime&, const Value& value, const Arguments&) {
    return (value.is<Types>() || ...);
}

template <bool wanted>
Result<bool> isBoolean(Runtime&, const Value& value, const Arguments&) {
    return value.is<bool>() && *value.get<bool>() == wanted;
}

Result<bool> isDefined(Runtime&, const Value& value, const Arguments&) {
    return !value.is<Undefined>();
}

template <Operator op>
Result<bool> compares(Runtime& runtime, const Value& value, const Arguments& arguments) {
    const Value* other = arguments.find(0, "other");
    if (!other) return fail(ErrorCode::InvalidArgument, "a comparison needs a second value");
    return compareWith(runtime, op, value, *other);
}

Result<bool> isSame(Runtime& runtime, const Value& value, const Arguments& arguments) {
    const Value* other = arguments.find(0, "other");
    if (other) TRY(runtime.spend(std::min(value.weight(), other->weight()) / 16));
    return other && value.state().index() == other->state().index() && equal(value, *other);
}

Result<std::int64_t> remainder(const Value& value, std::int64_t by) {
    if (!value.isInteger()) return wrongType("what is divided", "an integer", value);
    if (by == 0) return fail(ErrorCode::InvalidArgument, "division by zero");
    return by == -1 ? 0 : value.integer() % by;
}

template <bool odd>
Result<bool> isOdd(Runtime&, const Value& value, const Arguments&) {
    TRY_ASSIGN(const std::int64_t rest, remainder(value, 2));
    return (rest != 0) == odd;
}

Result<bool> isDivisible(Runtime&, const Value& value, const Arguments& arguments) {
    const Value* by = arguments.find(0, "num");
    if (!by || !by->isInteger()) return fail(ErrorCode::InvalidArgument, "divisibleby needs an integer");
    TRY_ASSIGN(const std::int64_t rest, remainder(value, by->integer()));
    return rest == 0;
}

// As str.isupper(): nothing of the other case, and something that has a case.
template <MarkedText (*same)(const MarkedText&), MarkedText (*other)(const MarkedText&)>
Result<bool> isCased(Runtime& runtime, const Value& value, const Arguments&) {
    TRY(runtime.spend(value.weight() / 8));
    const MarkedText text = str(value);
    return same(text).text == text.text && other(text).text != text.text;
}

template <bool (*known)(std::string_view)>
Result<bool> isKnown(Runtime&, const Value& value, const Arguments&) {
    return value.text() && known(value.text()->text);
}

struct TestRow {
    std::string_view name;
    Test test;
};
constexpr TestRow kTests[] = {
    {"defined", isDefined},
    {"undefined", holds<Undefined>},
    {"none", holds<None>},
    {"string", holds<Text>},
    {"mapping", holds<Dict>},
    {"iterable", holds<Text, List, Dict, Undefined>},
    {"sequence", holds<Text, List, Dict, Undefined>},
    {"number", holds<bool, std::int64_t, double>},
    {"integer", holds<std::int64_t>},
    {"float", holds<double>},
    {"boolean", holds<bool>},
    {"true", isBoolean<true>},
    {"false", isBoolean<false>},
    {"callable", holds<FunctionPtr>},
    {"equalto", compares<Operator::Equal>},
    {"eq", compares<Operator::Equal>},
    {"ne", compares<Operator::NotEqual>},
    {"lt", compares<Operator::Less>},
    {"lessthan", compares<Operator::Less>},
    {"le", compares<Operator::LessEqual>},
    {"gt", compares<Operator::Greater>},
    {"greaterthan", compares<Operator::Greater>},
    {"ge", compares<Operator::GreaterEqual>},
    {"in", compares<Operator::In>},
    {"==", compares<Operator::Equal>},
    {"!=", compares<Operator::NotEqual>},
    {"<", compares<Operator::Less>},
    {"<=", compares<Operator::LessEqual>},
    {">", compares<Operator::Greater>},
    {">=", compares<Operator::GreaterEqual>},
    {"sameas", isSame},
    {"odd", isOdd<true>},
    {"even", isOdd<false>},
    {"divisibleby", isDivisible},
    {"upper", isCased<upper, lower>},
    {"lower", isCased<lower, upper>},
    {"filter", isKnown<isFilter>},
    {"test", isKnown<isTest>},
};

const TestRow* testRow(std::string_view name) {
    const auto found =
        std::find_if(std::begin(kTests), std::end(kTests), [&](const TestRow& row) { return row.name == name; });
    return found == std::end(kTests) ? nullptr : found;
}

}  // namespace

bool isTest(std::string_view name) {
    return testRow(name) != nullptr;
}

Result<bool> applyTest(Runtime& runtime, std::string_view name, const Value& value, const Arguments& arguments) {
    TRY(runtime.spend(1));
    return testRow(name)->test(runtime, value, arguments);
}

}  // namespace espalier::jinja
