// SPDX-License-Identifier: GPL-3.0-or-later
// The expressions of a template, by recursive descent with Jinja's precedence:
// conditional < or < and < not < comparison < + - < ~ < * / // % < ** < unary < filters and tests < postfix.
// Owner: one parse. Thread: that of the parse.
#pragma once

#include "core/tokenizer/jinja/ast.h"
#include "core/tokenizer/jinja/token_cursor.h"

namespace espalier::jinja {

class ExpressionParser {
public:
    explicit ExpressionParser(TokenCursor& cursor) : m_cursor(cursor) {}

    Result<ExprPtr> expression();     // without commas
    Result<ExprPtr> unconditional();  // the same without "x if y": the sequence of a for loop
    Result<ExprPtr> tuple();          // "a" or "a, b"
    Result<ExprPtr> filterChain();    // "name(...) | name ...", applied to what stands in for the missing head
    Result<std::vector<Parameter>> parameters();

private:
    using Rule = Result<ExprPtr> (ExpressionParser::*)();

    Result<ExprPtr> made(Expr::Kind kind, int line, std::vector<ExprPtr> parts, std::string name = {});
    Result<ExprPtr> binary(Operator op, int line, ExprPtr left, ExprPtr right);
    Result<ExprPtr> constant(int line, Value value);

    Result<ExprPtr> conjunction();
    Result<ExprPtr> negation();
    Result<ExprPtr> comparison();
    Result<ExprPtr> sum();
    Result<ExprPtr> concatenation();
    Result<ExprPtr> product();
    Result<ExprPtr> power();
    Result<ExprPtr> unary(bool withFilters);
    Result<ExprPtr> primary();
    Result<ExprPtr> literal();
    Result<ExprPtr> parenthesised();
    Result<ExprPtr> listLiteral();
    Result<ExprPtr> dictLiteral();
    Result<ExprPtr> postfix(ExprPtr node);
    Result<ExprPtr> subscript(ExprPtr node);
    Result<ExprPtr> filters(ExprPtr node);
    Result<ExprPtr> filter(ExprPtr node);
    Result<ExprPtr> test(ExprPtr node);
    Result<void> callArguments(Expr& call);
    bool endsTuple() const;

    TokenCursor& m_cursor;
    int m_nesting = 0;
};

// How deep brackets, blocks and chains of operators may go.
inline constexpr int kMaxNesting = 100;
inline constexpr int kMaxHeight = 400;

}  // namespace espalier::jinja
