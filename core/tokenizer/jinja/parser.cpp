// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/tokenizer/jinja/parser.h"

#include <algorithm>
#include <array>
#include <initializer_list>

#include "core/tokenizer/jinja/expression_parser.h"

namespace espalier::jinja {
namespace {

class StatementParser {
public:
    explicit StatementParser(std::vector<Token> tokens) : m_cursor(std::move(tokens)), m_expressions(m_cursor) {}

    Result<Body> run() {
        TRY_ASSIGN(Body whole, body({}));
        return whole;
    }

private:
    using Ends = std::initializer_list<std::string_view>;

    // Statements up to a tag named in `ends`, which stays to be read (its "{%" is taken).
    Result<Body> body(Ends ends) {
        if (++m_nesting > kMaxNesting)
            return templateError(ErrorCode::TooLarge, m_cursor.line(), "blocks nested too deeply");
        Body statements;
        while (true) {
            const Token& token = m_cursor.peek();
            if (token.kind == Token::Kind::End) {
                if (ends.size() > 0)
                    return m_cursor.wrong("\"" + std::string(*ends.begin()) + "\" is missing at the end");
                break;
            }
            if (token.kind == Token::Kind::Text) {
                statements.push_back(started(Statement::Kind::Text));
                statements.back().text = m_cursor.take().text;
            } else if (token.kind == Token::Kind::OutputBegin) {
                TRY(output(statements));
            } else {
                m_cursor.take();
                if (std::any_of(ends.begin(), ends.end(),
                                [&](std::string_view end) { return m_cursor.peek().isName(end); }))
                    break;
                TRY(statement(statements));
            }
        }
        --m_nesting;
        return statements;
    }

    Statement started(Statement::Kind kind) const {
        Statement statement;
        statement.kind = kind;
        statement.line = m_cursor.line();
        return statement;
    }

    Result<void> endTag() { return m_cursor.expect(Token::Kind::BlockEnd, "the end of the tag"); }

    // The body of a block and its closing tag.
    Result<Body> bodyUntil(std::string_view end) {
        TRY(endTag());
        TRY_ASSIGN(Body inside, body({end}));
        m_cursor.take();
        TRY(endTag());
        return inside;
    }

    Result<void> output(Body& statements) {
        Statement statement = started(Statement::Kind::Output);
        m_cursor.take();
        TRY_ASSIGN(statement.expr, m_expressions.tuple());
        TRY(m_cursor.expect(Token::Kind::OutputEnd, "\"}}\""));
        statements.push_back(std::move(statement));
        return {};
    }

    Result<void> statement(Body& statements) {
        using Parse = Result<void> (StatementParser::*)(Statement&);
        static constexpr std::array<std::tuple<std::string_view, Statement::Kind, Parse>, 10> kTags{{
            {"if", Statement::Kind::If, &StatementParser::parseIf},
            {"for", Statement::Kind::For, &StatementParser::parseFor},
            {"set", Statement::Kind::Set, &StatementParser::parseSet},
            {"macro", Statement::Kind::Macro, &StatementParser::parseMacro},
            {"call", Statement::Kind::CallBlock, &StatementParser::parseCall},
            {"filter", Statement::Kind::Filter, &StatementParser::parseFilter},
            {"with", Statement::Kind::With, &StatementParser::parseWith},
            {"generation", Statement::Kind::Body, &StatementParser::parseGeneration},
            {"break", Statement::Kind::Break, &StatementParser::parseJump},
            {"continue", Statement::Kind::Continue, &StatementParser::parseJump},
        }};
        for (const auto& [name, kind, parse] : kTags) {
            if (!m_cursor.peek().isName(name)) continue;
            Statement made = started(kind);
            m_cursor.take();
            TRY((this->*parse)(made));
            statements.push_back(std::move(made));
            return {};
        }
        const Token& token = m_cursor.peek();
        if (token.kind != Token::Kind::Name) return m_cursor.unexpected("the name of a tag");
        if (token.text.starts_with("end") || token.text == "else" || token.text == "elif")
            return m_cursor.wrong("\"" + token.text + "\" closes nothing");
        return templateError(ErrorCode::Unsupported, token.line, "the tag \"" + token.text + "\" is not supported");
    }

    Result<void> parseIf(Statement& made) {
        while (true) {
            Branch branch;
            TRY_ASSIGN(branch.condition, m_expressions.tuple());
            TRY(endTag());
            TRY_ASSIGN(branch.body, body({"endif", "elif", "else"}));
            made.branches.push_back(std::move(branch));
            if (m_cursor.skipName("elif")) continue;
            if (m_cursor.skipName("else")) {
                TRY(endTag());
                TRY_ASSIGN(Body otherwise, body({"endif"}));
                made.branches.push_back({nullptr, std::move(otherwise)});
            }
            m_cursor.take();
            return endTag();
        }
    }

    Result<void> parseFor(Statement& made) {
        TRY_ASSIGN(made.target, target(false));
        TRY(m_cursor.expectName("in"));
        TRY_ASSIGN(made.expr, m_expressions.unconditional());
        if (m_cursor.skipName("if")) {
            TRY_ASSIGN(made.condition, m_expressions.expression());
        }
        if (m_cursor.peek().isName("recursive"))
            return templateError(ErrorCode::Unsupported, m_cursor.line(), "recursive loops are not supported");
        TRY(endTag());
        ++m_loops;
        TRY_ASSIGN(made.body, body({"endfor", "else"}));
        --m_loops;
        if (m_cursor.skipName("else")) {
            TRY(endTag());
            TRY_ASSIGN(made.otherwise, body({"endfor"}));
        }
        m_cursor.take();
        return endTag();
    }

    Result<void> parseSet(Statement& made) {
        TRY_ASSIGN(made.target, target(true));
        if (m_cursor.skipOperator("=")) {
            TRY_ASSIGN(made.expr, m_expressions.tuple());
            return endTag();
        }
        made.kind = Statement::Kind::SetBlock;
        if (m_cursor.skipOperator("|")) {
            TRY_ASSIGN(made.expr, m_expressions.filterChain());
        }
        TRY_ASSIGN(made.body, bodyUntil("endset"));
        return {};
    }

    Result<void> parseMacro(Statement& made) {
        TRY_ASSIGN(made.name, m_cursor.name("the name of the macro"));
        TRY_ASSIGN(made.parameters, m_expressions.parameters());
        return ownBody(made, "endmacro");
    }

    Result<void> parseCall(Statement& made) {
        if (m_cursor.peek().isOperator("(")) {
            TRY_ASSIGN(made.parameters, m_expressions.parameters());
        }
        TRY_ASSIGN(made.expr, m_expressions.expression());
        if (made.expr->kind != Expr::Kind::Call) return m_cursor.wrong("a call block needs a call");
        return ownBody(made, "endcall");
    }

    // The body of a macro: loops around it are not its own.
    Result<void> ownBody(Statement& made, std::string_view end) {
        const int loops = std::exchange(m_loops, 0);
        TRY_ASSIGN(made.body, bodyUntil(end));
        m_loops = loops;
        return {};
    }

    Result<void> parseFilter(Statement& made) {
        TRY_ASSIGN(made.expr, m_expressions.filterChain());
        TRY_ASSIGN(made.body, bodyUntil("endfilter"));
        return {};
    }

    Result<void> parseWith(Statement& made) {
        while (m_cursor.peek().kind == Token::Kind::Name) {
            TRY_ASSIGN(Target name, target(false));
            TRY(m_cursor.expectOperator("="));
            TRY_ASSIGN(ExprPtr value, m_expressions.expression());
            made.assignments.emplace_back(std::move(name), std::move(value));
            if (!m_cursor.skipOperator(",")) break;
        }
        TRY_ASSIGN(made.body, bodyUntil("endwith"));
        return {};
    }

    Result<void> parseGeneration(Statement& made) {
        TRY_ASSIGN(made.body, bodyUntil("endgeneration"));
        return {};
    }

    Result<void> parseJump(Statement& made) {
        if (m_loops == 0)
            return templateError(
                ErrorCode::CorruptFile, made.line,
                made.kind == Statement::Kind::Break ? "\"break\" outside of a loop" : "\"continue\" outside of a loop");
        return endTag();
    }

    Result<Target> target(bool withAttribute) {
        const bool parenthesised = m_cursor.skipOperator("(");
        std::vector<Target> several;
        do {
            Target one;
            TRY_ASSIGN(one.name, m_cursor.name("a name to assign to"));
            if (withAttribute && m_cursor.skipOperator(".")) {
                TRY_ASSIGN(one.attribute, m_cursor.name("the name of an attribute"));
            }
            several.push_back(std::move(one));
        } while (m_cursor.skipOperator(",") && m_cursor.peek().kind == Token::Kind::Name &&
                 !m_cursor.peek().isName("in"));
        if (parenthesised) TRY(m_cursor.expectOperator(")"));
        if (several.size() == 1) return std::move(several.front());
        Target whole;
        whole.several = std::move(several);
        return whole;
    }

    TokenCursor m_cursor;
    ExpressionParser m_expressions;
    int m_nesting = 0;
    int m_loops = 0;
};

}  // namespace

Result<Body> parseTemplate(std::string_view source) {
    TRY_ASSIGN(std::vector<Token> tokens, tokenizeTemplate(source));
    return StatementParser(std::move(tokens)).run();
}

}  // namespace espalier::jinja
