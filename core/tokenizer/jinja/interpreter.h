// SPDX-License-Identifier: GPL-3.0-or-later
// Interpreter: walks a template's tree once and gathers its output. Scopes follow Jinja: if shares the scope around it,
// for, with, macros and block assignments have their own.
// Owner: one rendering. Thread: that of the rendering.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/tokenizer/jinja/ast.h"
#include "core/tokenizer/jinja/runtime.h"

namespace espalier::jinja {

using Variables = std::vector<std::pair<std::string, Value>>;

class Interpreter {
public:
    // Requires: body and runtime outlive the interpreter.
    Interpreter(const Body& body, Runtime& runtime, Variables variables);

    // Errors: invalid_argument (raise_exception with its own text, else with the line), unsupported, too_large.
    Result<MarkedText> run();

private:
    struct Scope {
        Scope* outer = nullptr;
        Variables variables;
        void set(std::string_view name, Value value);
        const Value* find(std::string_view name) const;
    };
    enum class Flow { Next, Break, Continue };
    class Deeper;   // counts what runs inside what
    class Entered;  // a scope for as long as it lives

    Result<Flow> runBody(const Body& body);
    Result<Flow> runStatement(const Statement& statement);
    Result<Flow> runIf(const Statement& statement);
    Result<Flow> runFor(const Statement& statement);
    Result<Flow> runWith(const Statement& statement);
    Result<void> runMacro(const Statement& statement);
    Result<void> runCallBlock(const Statement& statement);
    Result<void> emit(const Value& value);
    Result<Value> captured(const Body& body);  // what a body writes, as a string
    Result<void> assign(const Target& target, Value value);
    Result<Value> callMacro(const Statement& macro, const Variables& outer, const Arguments& arguments);
    Result<Value> closure(const Statement& macro);
    Result<Value> lookUp(const std::string& name);
    Result<void> set(std::string_view name, Value value);

    Result<Value> evaluate(const Expr& expr);
    Result<Value> evaluateHere(const Expr& expr);
    Result<Value> evaluateFilter(const Expr& expr, const Value* head);
    Result<Value> evaluateCompare(const Expr& expr);
    Result<Value> evaluateDict(const Expr& expr);
    Result<Value> evaluateConcat(const Expr& expr);
    Result<std::vector<Value>> evaluateAll(const std::vector<ExprPtr>& parts);
    Result<Arguments> evaluateArguments(const Expr& expr);

    const Body& m_body;
    Runtime& m_runtime;
    Scope m_root;
    Scope* m_scope = &m_root;
    MarkedText m_output;
    MarkedText* m_out = &m_output;
    int m_depth = 0;
    int m_loopDepth = 0;
};

}  // namespace espalier::jinja
