// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/tokenizer/jinja/interpreter.h"

#include <algorithm>

#include "core/tokenizer/jinja/builtins.h"
#include "core/tokenizer/jinja/lexer.h"

namespace espalier::jinja {
namespace {

// The line goes in front once, where the error first meets one; raise_exception keeps its own text.
Error placed(Error error, int line) {
    if (!error.where.empty()) return error;
    return templateError(error.code, line, error.message);
}

// A closure keeps its copy, so the bytes count.
std::size_t stepsToCopy(const Variables& variables) {
    std::size_t steps = 0;
    for (const auto& [name, value] : variables) steps += kStepsPerPiece + name.size() / 4;
    return steps;
}

}  // namespace

class Interpreter::Deeper {
public:
    explicit Deeper(int& depth) : m_depth(depth) { ++m_depth; }
    ~Deeper() { --m_depth; }

private:
    int& m_depth;
};

class Interpreter::Entered {
public:
    Entered(Interpreter& owner, Scope& scope, Scope* outer) : m_owner(owner), m_before(owner.m_scope) {
        scope.outer = outer;
        owner.m_scope = &scope;
    }
    ~Entered() { m_owner.m_scope = m_before; }

private:
    Interpreter& m_owner;
    Scope* m_before;
};

void Interpreter::Scope::set(std::string_view name, Value value) {
    for (auto& [known, held] : variables) {
        if (known != name) continue;
        held = std::move(value);
        return;
    }
    variables.emplace_back(name, std::move(value));
}

const Value* Interpreter::Scope::find(std::string_view name) const {
    for (const auto& [known, held] : variables)
        if (known == name) return &held;
    return nullptr;
}

Interpreter::Interpreter(const Body& body, Runtime& runtime, Variables variables) : m_body(body), m_runtime(runtime) {
    m_root.variables = std::move(variables);
}

Result<MarkedText> Interpreter::run() {
    TRY(runBody(m_body));
    return std::move(m_output);
}

Result<Interpreter::Flow> Interpreter::runBody(const Body& body) {
    for (const Statement& statement : body) {
        auto flow = runStatement(statement);
        if (!flow) return placed(std::move(flow).error(), statement.line);
        if (*flow != Flow::Next) return *flow;
    }
    return Flow::Next;
}

Result<Interpreter::Flow> Interpreter::runStatement(const Statement& statement) {
    const Deeper deeper(m_depth);
    if (m_depth > kMaxCallDepth) return fail(ErrorCode::TooLarge, "macros call each other too deeply");
    TRY(m_runtime.spend(1));
    switch (statement.kind) {
        case Statement::Kind::Text: {
            TRY_ASSIGN(const Value text, m_runtime.text(statement.text));
            TRY(emit(text));
            return Flow::Next;
        }
        case Statement::Kind::Output: {
            TRY_ASSIGN(const Value value, evaluate(*statement.expr));
            TRY(emit(value));
            return Flow::Next;
        }
        case Statement::Kind::If:
            return runIf(statement);
        case Statement::Kind::For:
            return runFor(statement);
        case Statement::Kind::With:
            return runWith(statement);
        case Statement::Kind::Body: {
            Scope scope;
            const Entered entered(*this, scope, m_scope);
            return runBody(statement.body);
        }
        case Statement::Kind::Break:
            return Flow::Break;
        case Statement::Kind::Continue:
            return Flow::Continue;
        case Statement::Kind::Set: {
            TRY_ASSIGN(Value value, evaluate(*statement.expr));
            TRY(assign(statement.target, std::move(value)));
            return Flow::Next;
        }
        case Statement::Kind::SetBlock: {
            TRY_ASSIGN(Value value, captured(statement.body));
            if (statement.expr) {
                TRY_ASSIGN(value, evaluateFilter(*statement.expr, &value));
            }
            TRY(assign(statement.target, std::move(value)));
            return Flow::Next;
        }
        case Statement::Kind::Filter: {
            TRY_ASSIGN(const Value text, captured(statement.body));
            TRY_ASSIGN(const Value value, evaluateFilter(*statement.expr, &text));
            TRY(emit(value));
            return Flow::Next;
        }
        case Statement::Kind::Macro:
            TRY(runMacro(statement));
            return Flow::Next;
        case Statement::Kind::CallBlock:
            TRY(runCallBlock(statement));
            return Flow::Next;
    }
    return Flow::Next;
}

Result<void> Interpreter::emit(const Value& value) {
    TRY(m_runtime.spend(value.weight() / kBytesPerStep));
    if (const MarkedText* text = value.text()) {
        m_out->append(*text);
    } else {
        TRY_ASSIGN(const MarkedText spelled, m_runtime.str(value));
        m_out->append(spelled);
    }
    if (m_out->text.size() > kMaxTextBytes)
        return fail(ErrorCode::TooLarge, "an output of more than " + std::to_string(kMaxTextBytes) + " bytes");
    return {};
}

Result<Value> Interpreter::captured(const Body& body) {
    MarkedText text;
    MarkedText* before = std::exchange(m_out, &text);
    Scope scope;
    Result<Flow> flow = [&] {
        const Entered entered(*this, scope, m_scope);
        return runBody(body);
    }();
    m_out = before;
    if (!flow) return std::move(flow).error();
    return m_runtime.text(std::move(text));
}

Result<Interpreter::Flow> Interpreter::runIf(const Statement& statement) {
    for (const Branch& branch : statement.branches) {
        if (branch.condition) {
            TRY_ASSIGN(const Value condition, evaluate(*branch.condition));
            if (!isTrue(condition)) continue;
        }
        return runBody(branch.body);
    }
    return Flow::Next;
}

Result<Interpreter::Flow> Interpreter::runFor(const Statement& statement) {
    TRY_ASSIGN(const Value sequence, evaluate(*statement.expr));
    TRY_ASSIGN(List list, listOf(m_runtime, sequence));
    if (statement.condition) {
        TRY(m_runtime.payForItems(list->items.size()));
        std::vector<Value> kept;
        for (const Value& item : list->items) {
            Scope scope;
            const Entered entered(*this, scope, m_scope);
            TRY(assign(statement.target, item));
            TRY_ASSIGN(const Value condition, evaluate(*statement.condition));
            if (isTrue(condition)) kept.push_back(item);
        }
        TRY_ASSIGN(const Value made, m_runtime.list(std::move(kept)));
        list = *made.get<List>();
    }
    if (list->items.empty()) return runBody(statement.otherwise);
    const Deeper deeper(m_loopDepth);
    for (std::size_t i = 0; i < list->items.size(); ++i) {
        TRY(m_runtime.spend(1));
        Scope scope;
        const Entered entered(*this, scope, m_scope);
        scope.set("loop", Value(LoopPtr(std::make_shared<LoopState>(LoopState{list, i, m_loopDepth}))));
        TRY(assign(statement.target, list->items[i]));
        TRY_ASSIGN(const Flow flow, runBody(statement.body));
        if (flow == Flow::Break) break;
    }
    return Flow::Next;
}

Result<Interpreter::Flow> Interpreter::runWith(const Statement& statement) {
    std::vector<Value> values;
    for (const auto& [target, expr] : statement.assignments) {
        TRY_ASSIGN(Value value, evaluate(*expr));
        values.push_back(std::move(value));
    }
    Scope scope;
    const Entered entered(*this, scope, m_scope);
    for (std::size_t i = 0; i < values.size(); ++i) TRY(assign(statement.assignments[i].first, std::move(values[i])));
    return runBody(statement.body);
}

Result<void> Interpreter::assign(const Target& target, Value value) {
    if (!target.several.empty()) {
        TRY_ASSIGN(const List list, listOf(m_runtime, value));
        const std::vector<Value>& items = list->items;
        if (items.size() != target.several.size())
            return fail(ErrorCode::InvalidArgument, std::to_string(target.several.size()) +
                                                        " names cannot be assigned " + std::to_string(items.size()) +
                                                        " values");
        for (std::size_t i = 0; i < items.size(); ++i) TRY(assign(target.several[i], items[i]));
        return {};
    }
    if (target.attribute.empty()) return set(target.name, std::move(value));
    TRY_ASSIGN(const Value object, lookUp(target.name));
    if (!object.is<NamespacePtr>()) return wrongType("\"" + target.name + "\"", "a namespace", object);
    if (value.holdsReference())
        return fail(ErrorCode::Unsupported,
                    "a namespace that holds a value of type " + typeName(value) + " is not supported");
    (*object.get<NamespacePtr>())->attributes.set(*makeText(target.attribute).get<Text>(), std::move(value));
    return {};
}

Result<void> Interpreter::set(std::string_view name, Value value) {
    TRY(m_runtime.spend(m_scope->variables.size() / 16));
    m_scope->set(name, std::move(value));
    return {};
}

Result<Value> Interpreter::lookUp(const std::string& name) {
    for (const Scope* scope = m_scope; scope; scope = scope->outer) {
        TRY(m_runtime.spend(scope->variables.size() / 16));
        if (const Value* found = scope->find(name)) return *found;
    }
    Value global = globalFunction(m_runtime, name);
    return global.is<Undefined>() ? Value(Undefined{name}) : global;
}

// A macro sees the template's own variables as they are when it runs, and those of the scopes it was made in as they
// were then: a copy, so that no scope is ever kept alive by what it holds.
Result<Value> Interpreter::closure(const Statement& macro) {
    Variables outer;
    for (const Scope* scope = m_scope; scope != &m_root; scope = scope->outer) {
        TRY(m_runtime.spend(stepsToCopy(scope->variables)));
        outer.insert(outer.end(), scope->variables.begin(), scope->variables.end());
    }
    return Value(FunctionPtr(std::make_shared<Function>(
        Function{macro.name, [this, &macro, outer = std::move(outer)](Runtime&, const Arguments& arguments) {
                     return callMacro(macro, outer, arguments);
                 }})));
}

Result<void> Interpreter::runMacro(const Statement& statement) {
    TRY_ASSIGN(Value macro, closure(statement));
    return set(statement.name, std::move(macro));
}

Result<void> Interpreter::runCallBlock(const Statement& statement) {
    TRY_ASSIGN(const Value macro, evaluate(*statement.expr->parts.front()));
    TRY_ASSIGN(Arguments arguments, evaluateArguments(*statement.expr));
    TRY_ASSIGN(Value caller, closure(statement));
    arguments.named.emplace_back("caller", std::move(caller));
    TRY_ASSIGN(const Value text, call(m_runtime, macro, arguments));
    return emit(text);
}

Result<Value> Interpreter::callMacro(const Statement& macro, const Variables& outer, const Arguments& arguments) {
    const std::string name = macro.name.empty() ? "caller" : macro.name;
    if (arguments.positional.size() > macro.parameters.size())
        return fail(ErrorCode::InvalidArgument, "the macro \"" + name + "\" takes at most " +
                                                    std::to_string(macro.parameters.size()) + " arguments");
    for (const auto& [key, value] : arguments.named) {
        const auto hasName = [&wanted = key](const Parameter& parameter) { return parameter.name == wanted; };
        const bool known = key == "caller" || std::any_of(macro.parameters.begin(), macro.parameters.end(), hasName);
        if (!known)
            return fail(ErrorCode::InvalidArgument, "the macro \"" + name + "\" has no parameter \"" + key + "\"");
    }
    TRY(m_runtime.spend(stepsToCopy(outer) + macro.parameters.size() * macro.parameters.size() / 16));
    Scope closed;
    closed.variables = outer;
    const Entered around(*this, closed, &m_root);
    Scope own;
    const Entered entered(*this, own, &closed);
    if (const Value* caller = arguments.find(SIZE_MAX, "caller")) own.set("caller", *caller);
    for (std::size_t i = 0; i < macro.parameters.size(); ++i) {
        const Parameter& parameter = macro.parameters[i];
        Value value(Undefined{parameter.name});
        if (const Value* given = arguments.find(i, parameter.name)) {
            value = *given;
        } else if (parameter.fallback) {
            TRY_ASSIGN(value, evaluate(*parameter.fallback));
        }
        own.set(parameter.name, std::move(value));
    }
    return captured(macro.body);
}

Result<Value> Interpreter::evaluate(const Expr& expr) {
    const Deeper deeper(m_depth);
    if (m_depth > kMaxCallDepth)
        return templateError(ErrorCode::TooLarge, expr.line, "macros call each other too deeply");
    TRY(m_runtime.spend(1));
    auto value = evaluateHere(expr);
    if (!value) return placed(std::move(value).error(), expr.line);
    return value;
}

Result<Value> Interpreter::evaluateHere(const Expr& expr) {
    const auto part = [&](std::size_t i) -> Result<Value> {
        if (i >= expr.parts.size() || !expr.parts[i]) return Value(None{});
        return evaluate(*expr.parts[i]);
    };
    switch (expr.kind) {
        case Expr::Kind::Constant:
            return expr.constant;
        case Expr::Kind::Name:
            return lookUp(expr.name);
        case Expr::Kind::List:
        case Expr::Kind::Tuple: {
            TRY_ASSIGN(std::vector<Value> items, evaluateAll(expr.parts));
            TRY(m_runtime.payForItems(items.size()));
            return m_runtime.list(std::move(items), expr.kind == Expr::Kind::Tuple);
        }
        case Expr::Kind::Dict:
            return evaluateDict(expr);
        case Expr::Kind::Concat:
            return evaluateConcat(expr);
        case Expr::Kind::Compare:
            return evaluateCompare(expr);
        case Expr::Kind::Filter:
            return evaluateFilter(expr, nullptr);
        case Expr::Kind::Conditional: {
            TRY_ASSIGN(const Value condition, part(1));
            if (isTrue(condition)) return part(0);
            if (!expr.parts[2]) return Value(Undefined{"the value of an if without else"});
            return part(2);
        }
        default:
            break;
    }
    TRY_ASSIGN(const Value first, part(0));
    switch (expr.kind) {
        case Expr::Kind::Attribute:
            return attribute(first, expr.name);
        case Expr::Kind::Not:
            return Value(!isTrue(first));
        case Expr::Kind::Negative:
            return negative(first, true);
        case Expr::Kind::Positive:
            return negative(first, false);
        case Expr::Kind::And:
            return isTrue(first) ? part(1) : first;
        case Expr::Kind::Or:
            return isTrue(first) ? first : part(1);
        case Expr::Kind::Call: {
            TRY_ASSIGN(const Arguments arguments, evaluateArguments(expr));
            return call(m_runtime, first, arguments);
        }
        case Expr::Kind::Test: {
            TRY_ASSIGN(const Arguments arguments, evaluateArguments(expr));
            TRY_ASSIGN(const bool holds, applyTest(m_runtime, expr.name, first, arguments));
            return Value(holds);
        }
        default:
            break;
    }
    TRY_ASSIGN(const Value second, part(1));
    if (expr.kind == Expr::Kind::Item) return item(m_runtime, first, second);
    if (expr.kind == Expr::Kind::Binary) return binary(m_runtime, expr.operators.front(), first, second);
    TRY_ASSIGN(const Value stop, part(2));
    TRY_ASSIGN(const Value step, part(3));
    return slice(m_runtime, first, second, stop, step);
}

Result<Value> Interpreter::evaluateFilter(const Expr& expr, const Value* head) {
    Value value;
    const ExprPtr& inner = expr.parts.front();
    if (!inner) {
        value = *head;  // the first filter of a block
    } else if (head && inner->kind == Expr::Kind::Filter) {
        TRY_ASSIGN(value, evaluateFilter(*inner, head));
    } else {
        TRY_ASSIGN(value, evaluate(*inner));
    }
    TRY_ASSIGN(const Arguments arguments, evaluateArguments(expr));
    return applyFilter(m_runtime, expr.name, value, arguments);
}

Result<Value> Interpreter::evaluateCompare(const Expr& expr) {
    TRY_ASSIGN(Value left, evaluate(*expr.parts.front()));
    for (std::size_t i = 0; i < expr.operators.size(); ++i) {
        TRY_ASSIGN(Value right, evaluate(*expr.parts[i + 1]));
        TRY_ASSIGN(const bool holds, compareWith(m_runtime, expr.operators[i], left, right));
        if (!holds) return Value(false);
        left = std::move(right);
    }
    return Value(true);
}

Result<Value> Interpreter::evaluateDict(const Expr& expr) {
    DictValue dict;
    for (std::size_t i = 0; i < expr.parts.size(); i += 2) {
        TRY_ASSIGN(const Value key, evaluate(*expr.parts[i]));
        if (!key.text()) return wrongType("the key of a dictionary", "a string", key);
        TRY_ASSIGN(Value value, evaluate(*expr.parts[i + 1]));
        TRY(m_runtime.spend(kStepsPerEntry));
        dict.set(*key.get<Text>(), std::move(value));
    }
    return makeDict(std::move(dict));
}

Result<Value> Interpreter::evaluateConcat(const Expr& expr) {
    MarkedText joined;
    for (const ExprPtr& part : expr.parts) {
        TRY_ASSIGN(const Value value, evaluate(*part));
        TRY_ASSIGN(const MarkedText text, m_runtime.str(value));
        joined.append(text);
        if (joined.text.size() > kMaxTextBytes) break;  // text() says so
    }
    return m_runtime.text(std::move(joined));
}

Result<std::vector<Value>> Interpreter::evaluateAll(const std::vector<ExprPtr>& parts) {
    std::vector<Value> values;
    values.reserve(parts.size());
    for (const ExprPtr& part : parts) {
        TRY_ASSIGN(Value value, evaluate(*part));
        values.push_back(std::move(value));
    }
    return values;
}

Result<Arguments> Interpreter::evaluateArguments(const Expr& expr) {
    Arguments arguments;
    for (std::size_t i = 1; i < expr.parts.size(); ++i) {
        TRY_ASSIGN(Value value, evaluate(*expr.parts[i]));
        arguments.positional.push_back(std::move(value));
    }
    for (const auto& [name, part] : expr.keywords) {
        TRY_ASSIGN(Value value, evaluate(*part));
        arguments.named.emplace_back(name, std::move(value));
    }
    return arguments;
}

}  // namespace espalier::jinja
