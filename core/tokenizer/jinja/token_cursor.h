// SPDX-License-Identifier: GPL-3.0-or-later
// TokenCursor: where the two halves of the parser (expressions, statements) stand in the tokens of one template.
// Owner: one parse. Thread: that of the parse.
#pragma once

#include <string>
#include <vector>

#include "core/tokenizer/jinja/lexer.h"

namespace espalier::jinja {

class TokenCursor {
public:
    explicit TokenCursor(std::vector<Token> tokens) : m_tokens(std::move(tokens)) {}

    const Token& peek(std::size_t ahead = 0) const { return m_tokens[std::min(m_at + ahead, m_tokens.size() - 1)]; }
    const Token& take() {
        const Token& token = peek();
        if (m_at + 1 < m_tokens.size()) ++m_at;
        return token;
    }
    int line() const { return peek().line; }

    bool skipName(std::string_view name) { return peek().isName(name) && (take(), true); }
    bool skipOperator(std::string_view name) { return peek().isOperator(name) && (take(), true); }

    Result<void> expectOperator(std::string_view name) {
        if (skipOperator(name)) return {};
        return unexpected("\"" + std::string(name) + "\"");
    }
    Result<void> expectName(std::string_view name) {
        if (skipName(name)) return {};
        return unexpected("\"" + std::string(name) + "\"");
    }
    Result<void> expect(Token::Kind kind, std::string_view what) {
        if (peek().kind != kind) return unexpected(what);
        take();
        return {};
    }
    Result<std::string> name(std::string_view what) {
        if (peek().kind != Token::Kind::Name) return unexpected(what);
        return take().text;
    }
    Error unexpected(std::string_view expected) const {
        const Token& token = peek();
        const bool isEnd = token.kind == Token::Kind::End || token.kind == Token::Kind::BlockEnd ||
                           token.kind == Token::Kind::OutputEnd;
        return wrong(
            "expected " + std::string(expected) + ", found " +
            (isEnd ? std::string(token.kind == Token::Kind::End ? "the end of the template" : "the end of the tag")
                   : "\"" + token.text.substr(0, 60) + "\""));
    }
    Error wrong(std::string_view sentence) const { return templateError(ErrorCode::CorruptFile, line(), sentence); }

private:
    std::vector<Token> m_tokens;
    std::size_t m_at = 0;
};

}  // namespace espalier::jinja
