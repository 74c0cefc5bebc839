// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/tokenizer/template_lexer.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "core/base/json.h"

namespace espalier::templates {
namespace {

constexpr std::string_view kBlanks = " \t\n\r\v\f";

bool isNameStart(char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == '_'; }
bool isNamePart(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }
bool isDigit(char c) { return c >= '0' && c <= '9'; }

std::string withUnixLineEnds(std::string_view source) {
    std::string text;
    for (std::size_t i = 0; i < source.size(); ++i) {
        if (source[i] == '\r') {
            text += '\n';
            if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
        } else {
            text += source[i];
        }
    }
    if (!text.empty() && text.back() == '\n') text.pop_back();  // Jinja drops one newline at the end
    return text;
}

class Lexer {
public:
    Lexer(std::string_view source, std::string_view where) : m_source(withUnixLineEnds(source)), m_where(where) {}
    Result<std::vector<Token>> run();

private:
    Error wrong(const std::string& what) const {
        return fail(ErrorCode::CorruptFile, m_where + ", line " + std::to_string(m_line) + ": " + what, m_where);
    }
    bool startsWith(std::string_view prefix) const { return std::string_view(m_source).substr(m_at).starts_with(prefix); }
    char peek(std::size_t ahead = 0) const { return m_at + ahead < m_source.size() ? m_source[m_at + ahead] : '\0'; }
    void advance(std::size_t count) {
        m_line += static_cast<int>(std::count(m_source.begin() + static_cast<std::ptrdiff_t>(m_at),
                                              m_source.begin() + static_cast<std::ptrdiff_t>(m_at + count), '\n'));
        m_at += count;
    }
    void push(TokenKind kind, std::string text = {}) { m_tokens.push_back({kind, std::move(text), m_line}); }

    void textUpTo(std::size_t end);
    void skipBlanks() {
        const std::size_t next = m_source.find_first_not_of(kBlanks, m_at);
        advance((next == std::string::npos ? m_source.size() : next) - m_at);
    }
    void afterTag(bool isBlock, char control);
    Result<void> comment();
    Result<void> tag(bool isBlock);
    Result<void> tokenInTag();
    Result<void> stringToken();
    void numberToken();
    Result<bool> rawBlock();

    const std::string m_source;
    const std::string m_where;
    std::size_t m_at = 0;
    int m_line = 1;
    std::vector<Token> m_tokens;
};

// Emits the text before the tag that begins at `end`, less what the tag's whitespace control takes away.
void Lexer::textUpTo(std::size_t end) {
    std::size_t last = end;
    if (end < m_source.size()) {
        const char kind = m_source[end + 1];
        const char control = end + 2 < m_source.size() ? m_source[end + 2] : '\0';
        if (control == '-') {
            while (last > m_at && kBlanks.find(m_source[last - 1]) != std::string_view::npos) --last;
        } else if (kind != '{' && control != '+') {
            std::size_t lineStart = end;
            while (lineStart > m_at && (m_source[lineStart - 1] == ' ' || m_source[lineStart - 1] == '\t')) --lineStart;
            if (lineStart == 0 || m_source[lineStart - 1] == '\n') last = lineStart;
        }
    }
    if (last > m_at) push(TokenKind::Text, m_source.substr(m_at, last - m_at));
    advance(end - m_at);
}

void Lexer::afterTag(bool isBlock, char control) {
    if (control == '-')
        skipBlanks();
    else if (isBlock && control != '+' && peek() == '\n')
        advance(1);
}

Result<void> Lexer::comment() {
    const std::size_t end = m_source.find("#}", m_at + 2);
    if (end == std::string::npos) return wrong("a comment is not closed");
    const char control = m_source[end - 1];
    advance(end + 2 - m_at);
    afterTag(true, control);
    return {};
}

// {% raw %} ... {% endraw %}: the text between as it stands.
Result<bool> Lexer::rawBlock() {
    std::size_t at = m_at + 2;
    if (at < m_source.size() && (m_source[at] == '-' || m_source[at] == '+')) ++at;
    at = std::min(m_source.find_first_not_of(kBlanks, at), m_source.size());
    if (std::string_view(m_source).substr(at, 3) != "raw" || (at + 3 < m_source.size() && isNamePart(m_source[at + 3])))
        return false;
    const std::size_t open = m_source.find("%}", at);
    if (open == std::string::npos) return wrong("a tag is not closed");
    advance(open + 2 - m_at);
    afterTag(true, m_source[open - 1]);
    for (std::size_t close = m_source.find("{%", m_at); close != std::string::npos; close = m_source.find("{%", close + 2)) {
        std::size_t name = close + 2;
        if (name < m_source.size() && (m_source[name] == '-' || m_source[name] == '+')) ++name;
        name = std::min(m_source.find_first_not_of(kBlanks, name), m_source.size());
        if (std::string_view(m_source).substr(name, 6) != "endraw") continue;
        textUpTo(close);
        const std::size_t end = m_source.find("%}", name);
        if (end == std::string::npos) break;
        advance(end + 2 - m_at);
        afterTag(true, m_source[end - 1]);
        return true;
    }
    return wrong("{% raw %} is not closed");
}

Result<void> Lexer::tag(bool isBlock) {
    const std::string_view closing = isBlock ? "%}" : "}}";
    push(isBlock ? TokenKind::TagBegin : TokenKind::OutputBegin);
    advance(2);
    if (peek() == '-' || peek() == '+') advance(1);
    int open = 0;  // brackets: "}}" may close two dictionaries before it closes the tag
    for (;;) {
        skipBlanks();
        if (m_at >= m_source.size()) return wrong("a tag is not closed");
        const bool isControlled = (peek() == '-' || peek() == '+') &&
                                  std::string_view(m_source).substr(m_at + 1).starts_with(closing);
        if (open == 0 && (isControlled || startsWith(closing))) {
            const char control = isControlled ? peek() : '\0';
            push(isBlock ? TokenKind::TagEnd : TokenKind::OutputEnd);
            advance(isControlled ? 3 : 2);
            afterTag(isBlock, control);
            return {};
        }
        TRY(tokenInTag());
        const Token& token = m_tokens.back();
        if (token.kind != TokenKind::Symbol) continue;
        if (token.text == "(" || token.text == "[" || token.text == "{") ++open;
        if (token.text == ")" || token.text == "]" || token.text == "}") --open;
    }
}

Result<void> Lexer::tokenInTag() {
    const char c = peek();
    if (isNameStart(c)) {
        std::size_t end = m_at;
        while (end < m_source.size() && isNamePart(m_source[end])) ++end;
        push(TokenKind::Name, m_source.substr(m_at, end - m_at));
        m_at = end;
        return {};
    }
    if (isDigit(c)) {
        numberToken();
        return {};
    }
    if (c == '"' || c == '\'') return stringToken();
    static constexpr std::array<std::string_view, 7> kTwo = {"==", "!=", "<=", ">=", "//", "**", "->"};
    for (const std::string_view symbol : kTwo)
        if (startsWith(symbol)) {
            push(TokenKind::Symbol, std::string(symbol));
            m_at += 2;
            return {};
        }
    if (std::string_view("+-*/%~<>=()[]{},.:|").find(c) == std::string_view::npos)
        return wrong(std::string("unexpected character '") + c + "'");
    push(TokenKind::Symbol, std::string(1, c));
    ++m_at;
    return {};
}

void Lexer::numberToken() {
    std::size_t end = m_at;
    bool isFloat = false;
    while (end < m_source.size() && (isDigit(m_source[end]) || m_source[end] == '_')) ++end;
    if (end + 1 < m_source.size() && m_source[end] == '.' && isDigit(m_source[end + 1])) {
        isFloat = true;
        for (++end; end < m_source.size() && isDigit(m_source[end]);) ++end;
    }
    std::string text = m_source.substr(m_at, end - m_at);
    std::erase(text, '_');
    push(isFloat ? TokenKind::Float : TokenKind::Integer, std::move(text));
    m_at = end;
}

Result<void> Lexer::stringToken() {
    const char quote = peek();
    std::string value;
    std::size_t at = m_at + 1;
    for (; at < m_source.size() && m_source[at] != quote; ++at) {
        if (m_source[at] != '\\' || at + 1 == m_source.size()) {
            value += m_source[at];
            continue;
        }
        const char escaped = m_source[++at];
        switch (escaped) {
            case 'n': value += '\n'; break;
            case 't': value += '\t'; break;
            case 'r': value += '\r'; break;
            case 'b': value += '\b'; break;
            case 'f': value += '\f'; break;
            case '\\':
            case '\'':
            case '"': value += escaped; break;
            case 'u': {
                const std::string digits = m_source.substr(std::min(at + 1, m_source.size()), 4);
                if (digits.size() != 4 || digits.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos)
                    return wrong("\\u needs four hexadecimal digits");
                const auto decoded = parseJson("\"\\u" + digits + "\"", m_where);
                if (!decoded) return wrong("\\u" + digits + " is half a character");
                value += decoded->get<std::string>();
                at += 4;
                break;
            }
            default: value += {'\\', escaped};  // as Python keeps an unknown escape
        }
    }
    if (at >= m_source.size()) return wrong("a string is not closed");
    push(TokenKind::String, std::move(value));
    advance(at + 1 - m_at);
    return {};
}

Result<std::vector<Token>> Lexer::run() {
    while (m_at < m_source.size()) {
        std::size_t next = m_source.find('{', m_at);
        while (next != std::string::npos && next + 1 < m_source.size() &&
               std::string_view("{%#").find(m_source[next + 1]) == std::string_view::npos)
            next = m_source.find('{', next + 1);
        if (next == std::string::npos || next + 1 >= m_source.size()) next = m_source.size();
        textUpTo(next);
        if (m_at >= m_source.size()) break;
        const char kind = peek(1);
        if (kind == '#') {
            TRY(comment());
        } else if (kind == '{') {
            TRY(tag(false));
        } else {
            TRY_ASSIGN(const bool isRaw, rawBlock());
            if (!isRaw) TRY(tag(true));
        }
    }
    push(TokenKind::End);
    return std::move(m_tokens);
}

}  // namespace

Result<std::vector<Token>> cutTemplate(std::string_view source, std::string_view where) {
    return Lexer(source, where).run();
}

}  // namespace espalier::templates
