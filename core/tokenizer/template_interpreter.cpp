// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/tokenizer/template_interpreter.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "core/tokenizer/template_builtins.h"

namespace espalier::templates {
namespace {

enum class Flow { Next, Break, Continue };
using Scope = std::vector<std::pair<std::string, Value>>;

void assign(Scope& scope, const std::string& name, Value value) {
    for (auto& [key, old] : scope)
        if (key == name) {
            old = std::move(value);
            return;
        }
    scope.emplace_back(name, std::move(value));
}

class Interpreter {
public:
    Interpreter(Scope variables, std::int64_t unixSeconds, const RenderLimits& limits)
        : m_scopes{std::move(variables)}, m_unixSeconds(unixSeconds), m_limits(limits) {}

    Result<MarkedText> run(const Block& program) {
        MarkedText out;
        TRY(runBlock(program, out));
        return out;
    }

private:
    struct Level {
        explicit Level(int& depth) : depth(++depth) {}
        ~Level() { --depth; }
        int& depth;
    };

    Error at(int line, Error error) const {
        return std::move(error).context("chat template, line " + std::to_string(line));
    }
    Result<void> count(int line) {
        if (++m_steps > m_limits.steps)
            return at(line, fail(ErrorCode::TooLarge, "more than " + std::to_string(m_limits.steps) + " steps"));
        if (m_depth > m_limits.depth) return at(line, fail(ErrorCode::TooLarge, "nested too deep"));
        return {};
    }
    Result<void> checkSize(int line, std::size_t bytes) const {
        if (bytes > m_limits.outputBytes)
            return at(line, fail(ErrorCode::TooLarge, "a text of more than " + std::to_string(m_limits.outputBytes) + " bytes"));
        return {};
    }

    Result<Flow> runBlock(const Block& block, MarkedText& out);
    Result<Flow> runStatement(const Statement& statement, MarkedText& out);
    Result<Flow> runIf(const Statement& statement, MarkedText& out);
    Result<Flow> runFor(const Statement& statement, MarkedText& out);
    Result<void> bind(const Statement& statement, Value value);

    Result<Value> evaluate(const Expression& expression);
    Result<Value> evaluateKind(const Expression& expression);
    Result<Value> lookUp(const std::string& name) const;
    Result<Value> slice(const Expression& expression);
    Result<Value> call(const Expression& expression);
    Result<Value> callMacro(const Macro& macro, const CallArguments& arguments);
    Result<Value> unary(const Expression& expression);
    Result<Value> binary(const Expression& expression);
    Result<Value> arithmetic(const std::string& operation, const Value& left, const Value& right);
    Result<CallArguments> evaluateArguments(const std::vector<Argument>& arguments);

    std::vector<Scope> m_scopes;  // innermost last; the first holds the template's own variables
    const std::int64_t m_unixSeconds;
    const RenderLimits m_limits;
    std::int64_t m_steps = 0;
    int m_depth = 0;
};

// ---- statements

Result<Flow> Interpreter::runBlock(const Block& block, MarkedText& out) {
    for (const Statement& statement : block) {
        TRY_ASSIGN(const Flow flow, runStatement(statement, out));
        if (flow != Flow::Next) return flow;
    }
    return Flow::Next;
}

Result<Flow> Interpreter::runStatement(const Statement& statement, MarkedText& out) {
    TRY(count(statement.line));
    TRY(checkSize(statement.line, out.text.size()));
    switch (statement.kind) {
        case StatementKind::Text: out.append(statement.text, false); return Flow::Next;
        case StatementKind::Output: {
            TRY_ASSIGN(const Value value, evaluate(*statement.expression));
            out.append(printed(value));
            return Flow::Next;
        }
        case StatementKind::If: return runIf(statement, out);
        case StatementKind::For: return runFor(statement, out);
        case StatementKind::Set: {
            TRY_ASSIGN(Value value, evaluate(*statement.expression));
            TRY(bind(statement, std::move(value)));
            return Flow::Next;
        }
        case StatementKind::SetBlock: {
            MarkedText text;
            TRY(runBlock(statement.body, text));
            TRY(bind(statement, Value(std::move(text))));
            return Flow::Next;
        }
        case StatementKind::Macro: assign(m_scopes.back(), statement.macro->name, statement.macro); return Flow::Next;
        case StatementKind::Break: return Flow::Break;
        case StatementKind::Continue: return Flow::Continue;
    }
    return Flow::Next;
}

Result<Flow> Interpreter::runIf(const Statement& statement, MarkedText& out) {
    for (const Branch& branch : statement.branches) {
        bool taken = true;
        if (branch.condition) {
            TRY_ASSIGN(const Value condition, evaluate(*branch.condition));
            taken = condition.truthy();
        }
        if (taken) return runBlock(branch.body, out);
    }
    return Flow::Next;
}

// Gives the targets their values: one takes it whole, several unpack a list.
Result<void> Interpreter::bind(const Statement& statement, Value value) {
    List parts{value};
    if (statement.targets.size() > 1) {
        auto items = itemsOf(value);
        if (!items) return at(statement.line, items.error());
        if (items->size() != statement.targets.size())
            return at(statement.line, fail(ErrorCode::InvalidArgument,
                                           "cannot unpack " + std::to_string(items->size()) + " values into " +
                                               std::to_string(statement.targets.size()) + " names"));
        parts = std::move(*items);
    }
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const std::string& target = statement.targets[i];
        const std::size_t dot = target.find('.');
        if (dot == std::string::npos) {
            assign(m_scopes.back(), target, parts[i]);
            continue;
        }
        TRY_ASSIGN(const Value object, lookUp(target.substr(0, dot)));
        Dict* dict = object.dict();
        if (!dict || !dict->isNamespace)
            return at(statement.line, fail(ErrorCode::InvalidArgument, "cannot set \"" + target + "\": not a namespace"));
        dict->set(target.substr(dot + 1), parts[i]);
    }
    return {};
}

Result<Flow> Interpreter::runFor(const Statement& statement, MarkedText& out) {
    TRY_ASSIGN(const Value iterated, evaluate(*statement.expression));
    auto found = itemsOf(iterated);
    if (!found) return at(statement.line, found.error());
    m_scopes.emplace_back();
    struct Pop {
        std::vector<Scope>& scopes;
        std::size_t size;
        ~Pop() { scopes.resize(size); }
    } pop{m_scopes, m_scopes.size() - 1};

    List items;
    for (Value& item : *found) {
        if (statement.filter) {
            TRY(bind(statement, item));
            TRY_ASSIGN(const Value kept, evaluate(*statement.filter));
            if (!kept.truthy()) continue;
        }
        items.push_back(std::move(item));
    }
    if (items.empty()) return runBlock(statement.otherwise, out);
    const auto size = static_cast<std::int64_t>(items.size());
    for (std::int64_t i = 0; i < size; ++i) {
        m_scopes.back().clear();
        TRY(bind(statement, items[static_cast<std::size_t>(i)]));
        auto loop = std::make_shared<Dict>();
        loop->items = {{"index", i + 1},        {"index0", i},     {"first", i == 0},
                       {"last", i + 1 == size}, {"length", size},  {"revindex", size - i},
                       {"revindex0", size - i - 1}};
        if (i > 0) loop->set("previtem", items[static_cast<std::size_t>(i - 1)]);
        if (i + 1 < size) loop->set("nextitem", items[static_cast<std::size_t>(i + 1)]);
        assign(m_scopes.back(), "loop", std::move(loop));
        TRY_ASSIGN(const Flow flow, runBlock(statement.body, out));
        if (flow == Flow::Break) break;
    }
    return Flow::Next;
}

// ---- expressions

Result<Value> Interpreter::evaluate(const Expression& expression) {
    const Level level(m_depth);
    TRY(count(expression.line));
    auto value = evaluateKind(expression);
    if (!value && value.error().message.find("chat template, line") == std::string::npos)
        return at(expression.line, std::move(value).error());
    return value;
}

Result<Value> Interpreter::evaluateKind(const Expression& expression) {
    const auto child = [&](std::size_t i) { return evaluate(*expression.children[i]); };
    switch (expression.kind) {
        case ExpressionKind::Literal: return expression.value;
        case ExpressionKind::Name: return lookUp(expression.name);
        case ExpressionKind::List: {
            List items;
            for (std::size_t i = 0; i < expression.children.size(); ++i) {
                TRY_ASSIGN(Value item, child(i));
                items.push_back(std::move(item));
            }
            return Value::list(std::move(items));
        }
        case ExpressionKind::Dict: {
            auto dict = std::make_shared<Dict>();
            for (std::size_t i = 0; i < expression.children.size(); i += 2) {
                TRY_ASSIGN(const Value key, child(i));
                TRY_ASSIGN(Value value, child(i + 1));
                dict->set(printed(key).text, std::move(value));
            }
            return Value(std::move(dict));
        }
        case ExpressionKind::Attribute: {
            TRY_ASSIGN(const Value object, child(0));
            if (const auto* undefined = object.as<Undefined>())
                return fail(ErrorCode::InvalidArgument, "\"" + undefined->name + "\" is undefined and has no \"" +
                                                            expression.name + "\"");
            return memberOf(object, expression.name);
        }
        case ExpressionKind::Item: {
            TRY_ASSIGN(const Value object, child(0));
            TRY_ASSIGN(const Value key, child(1));
            return itemOf(object, key);
        }
        case ExpressionKind::Slice: return slice(expression);
        case ExpressionKind::Call: return call(expression);
        case ExpressionKind::Filter: {
            TRY_ASSIGN(const Value input, child(0));
            TRY_ASSIGN(const CallArguments arguments, evaluateArguments(expression.arguments));
            return applyFilter(expression.name, input, arguments);
        }
        case ExpressionKind::Test: {
            TRY_ASSIGN(const Value input, child(0));
            TRY_ASSIGN(const CallArguments arguments, evaluateArguments(expression.arguments));
            TRY_ASSIGN(const bool passes, applyTest(expression.name, input, arguments));
            return Value(passes != expression.negated);
        }
        case ExpressionKind::Unary: return unary(expression);
        case ExpressionKind::Binary: return binary(expression);
        case ExpressionKind::Condition: {
            TRY_ASSIGN(const Value condition, child(1));
            if (condition.truthy()) return child(0);
            return expression.children[2] ? child(2) : Result<Value>(Value());
        }
    }
    return Value();
}

Result<Value> Interpreter::lookUp(const std::string& name) const {
    for (auto scope = m_scopes.rbegin(); scope != m_scopes.rend(); ++scope)
        for (const auto& [key, value] : *scope)
            if (key == name) return value;
    if (isBuiltin(name)) return Value(Builtin{name});
    return Value(Undefined{name});
}

Result<CallArguments> Interpreter::evaluateArguments(const std::vector<Argument>& arguments) {
    CallArguments evaluated;
    for (const Argument& argument : arguments) {
        TRY_ASSIGN(Value value, evaluate(*argument.value));
        if (argument.name.empty())
            evaluated.positional.push_back(std::move(value));
        else
            evaluated.named.emplace_back(argument.name, std::move(value));
    }
    return evaluated;
}

// Python's slices, over lists and the characters of strings.
Result<Value> Interpreter::slice(const Expression& expression) {
    TRY_ASSIGN(const Value object, evaluate(*expression.children[0]));
    TRY_ASSIGN(const List items, itemsOf(object));
    std::array<std::optional<std::int64_t>, 3> parts;
    for (std::size_t i = 0; i < 3; ++i) {
        if (!expression.children[i + 1]) continue;
        TRY_ASSIGN(const Value part, evaluate(*expression.children[i + 1]));
        if (part.isNone()) continue;
        if (!part.as<std::int64_t>()) return fail(ErrorCode::InvalidArgument, "slice bounds must be integers");
        parts[i] = *part.as<std::int64_t>();
    }
    const auto size = static_cast<std::int64_t>(items.size());
    const std::int64_t step = std::clamp<std::int64_t>(parts[2].value_or(1), -size - 1, size + 1);
    if (step == 0) return fail(ErrorCode::InvalidArgument, "a slice with step 0");
    const auto bound = [&](std::optional<std::int64_t> wanted, std::int64_t other) {
        if (!wanted) return other;
        const std::int64_t index = *wanted < 0 ? *wanted + size : *wanted;
        return std::clamp<std::int64_t>(index, step > 0 ? 0 : -1, step > 0 ? size : size - 1);
    };
    List taken;
    const std::int64_t begin = bound(parts[0], step > 0 ? 0 : size - 1);
    const std::int64_t end = bound(parts[1], step > 0 ? size : -1);
    for (std::int64_t i = begin; step > 0 ? i < end : i > end; i += step) taken.push_back(items[static_cast<std::size_t>(i)]);
    if (!object.string()) return Value::list(std::move(taken));
    MarkedText text;
    for (const Value& character : taken) text.append(*character.string());
    return Value(std::move(text));
}

Result<Value> Interpreter::call(const Expression& expression) {
    const Expression& callee = *expression.children[0];
    TRY_ASSIGN(const CallArguments arguments, evaluateArguments(expression.arguments));
    if (callee.kind == ExpressionKind::Attribute) {
        TRY_ASSIGN(const Value object, evaluate(*callee.children[0]));
        const Value member = memberOf(object, callee.name);
        if (const auto* macro = member.as<std::shared_ptr<const Macro>>()) return callMacro(**macro, arguments);
        return callMethod(object, callee.name, arguments);
    }
    TRY_ASSIGN(const Value value, evaluate(callee));
    if (const auto* builtin = value.as<Builtin>()) return callBuiltin(builtin->name, arguments, m_unixSeconds);
    if (const auto* macro = value.as<std::shared_ptr<const Macro>>()) return callMacro(**macro, arguments);
    if (const auto* undefined = value.as<Undefined>())
        return fail(ErrorCode::Unsupported, "the function \"" + undefined->name + "\" is not known");
    return fail(ErrorCode::InvalidArgument, "a " + std::string(value.typeName()) + " cannot be called");
}

// A macro sees its arguments and the template's own variables, not those of the loop that calls it.
Result<Value> Interpreter::callMacro(const Macro& macro, const CallArguments& arguments) {
    const Level level(m_depth);
    TRY(count(0));
    Scope scope;
    for (std::size_t i = 0; i < macro.parameters.size(); ++i) {
        const Macro::Parameter& parameter = macro.parameters[i];
        Value value{Undefined{parameter.name}};
        if (const Value* given = arguments.at(i, parameter.name)) {
            value = *given;
        } else if (parameter.fallback) {
            TRY_ASSIGN(value, evaluate(*parameter.fallback));
        }
        scope.emplace_back(parameter.name, std::move(value));
    }
    std::vector<Scope> outer;
    outer.push_back(m_scopes.front());
    std::swap(outer, m_scopes);
    m_scopes.push_back(std::move(scope));
    MarkedText text;
    auto flow = runBlock(macro.body, text);
    std::swap(outer, m_scopes);
    if (!flow) return std::move(flow).error();
    return Value(std::move(text));
}

Result<Value> Interpreter::unary(const Expression& expression) {
    TRY_ASSIGN(const Value operand, evaluate(*expression.children[0]));
    if (expression.name == "not") return Value(!operand.truthy());
    if (!operand.isNumber())
        return fail(ErrorCode::InvalidArgument, "\"" + expression.name + "\" of a " + std::string(operand.typeName()));
    if (expression.name == "+") return operand;
    if (const auto* number = operand.as<std::int64_t>())
        return *number == std::numeric_limits<std::int64_t>::min() ? Value(-static_cast<double>(*number)) : Value(-*number);
    return Value(-numberOf(operand));
}

Result<Value> Interpreter::binary(const Expression& expression) {
    const std::string& operation = expression.name;
    TRY_ASSIGN(Value left, evaluate(*expression.children[0]));
    if (operation == "and" || operation == "or") {
        if (left.truthy() == (operation == "or")) return left;
        return evaluate(*expression.children[1]);
    }
    TRY_ASSIGN(const Value right, evaluate(*expression.children[1]));
    if (operation == "==") return Value(equal(left, right));
    if (operation == "!=") return Value(!equal(left, right));
    if (operation == "in" || operation == "not in") {
        CallArguments container;
        container.positional.push_back(right);
        TRY_ASSIGN(const bool found, applyTest("in", left, container));
        return Value(found == (operation == "in"));
    }
    if (operation == "<" || operation == "<=" || operation == ">" || operation == ">=") {
        TRY_ASSIGN(const int order, compare(left, right));
        return Value(operation == "<" ? order < 0 : operation == "<=" ? order <= 0 : operation == ">" ? order > 0 : order >= 0);
    }
    if (operation == "~" || (operation == "+" && left.string() && right.string())) {
        MarkedText text = printed(left);
        text.append(printed(right));
        TRY(checkSize(expression.line, text.text.size()));
        return Value(std::move(text));
    }
    if (operation == "+" && left.list() && right.list()) {
        List items = *left.list();
        items.insert(items.end(), right.list()->begin(), right.list()->end());
        TRY(checkSize(expression.line, items.size() * sizeof(Value)));
        return Value::list(std::move(items));
    }
    if (operation == "*" && left.string() && right.as<std::int64_t>()) {
        const auto times = std::max<std::int64_t>(0, *right.as<std::int64_t>());
        const std::size_t bytes = left.string()->text.size();
        if (bytes > 0 && static_cast<std::uint64_t>(times) > m_limits.outputBytes / bytes)
            return checkSize(expression.line, m_limits.outputBytes + 1).error();
        MarkedText text;
        for (std::int64_t i = 0; bytes > 0 && i < times; ++i) text.append(*left.string());
        return Value(std::move(text));
    }
    return arithmetic(operation, left, right);
}

// Python's arithmetic; what does not fit 64 bits goes on as a float.
Result<Value> Interpreter::arithmetic(const std::string& operation, const Value& left, const Value& right) {
    if (!left.isNumber() || !right.isNumber())
        return fail(ErrorCode::InvalidArgument, "\"" + operation + "\" of a " + std::string(left.typeName()) + " and a " +
                                                    std::string(right.typeName()));
    const double a = numberOf(left);
    const double b = numberOf(right);
    if ((operation == "/" || operation == "//" || operation == "%") && b == 0.0)
        return fail(ErrorCode::InvalidArgument, "division by zero");
    double result = 0.0;
    if (operation == "+") result = a + b;
    if (operation == "-") result = a - b;
    if (operation == "*") result = a * b;
    if (operation == "/") return Value(a / b);
    if (operation == "//") result = std::floor(a / b);
    if (operation == "%") result = a - b * std::floor(a / b);
    if (operation == "**") result = std::pow(a, b);
    const bool areIntegers = !left.as<double>() && !right.as<double>();
    if (areIntegers && std::abs(result) < 9e15 && result == std::floor(result))
        return Value(static_cast<std::int64_t>(result));
    return Value(result);
}

}  // namespace

Result<MarkedText> runTemplate(const Block& program, std::vector<std::pair<std::string, Value>> variables,
                               std::int64_t unixSeconds, const RenderLimits& limits) {
    return Interpreter(std::move(variables), unixSeconds, limits).run(program);
}

}  // namespace espalier::templates
