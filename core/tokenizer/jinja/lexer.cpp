// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/tokenizer/jinja/lexer.h"

#include <algorithm>
#include <array>

#include "core/tokenizer/utf8.h"

namespace espalier::jinja {
namespace {

constexpr std::string_view kSpace = " \t\n\r\f\v";

bool isSpace(char c) {
    return kSpace.find(c) != std::string_view::npos;
}
bool isDigit(char c) {
    return c >= '0' && c <= '9';
}
bool isNameStart(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

// Line ends as "\n", without one at the very end.
std::string normalised(std::string_view source) {
    std::string out;
    out.reserve(source.size());
    for (std::size_t i = 0; i < source.size(); ++i) {
        if (source[i] != '\r') {
            out += source[i];
            continue;
        }
        out += '\n';
        if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
    }
    if (!out.empty() && out.back() == '\n') out.pop_back();
    return out;
}

class Lexer {
public:
    explicit Lexer(std::string source) : m_source(std::move(source)) {}

    Result<std::vector<Token>> run() {
        while (m_at < m_source.size()) {
            const std::size_t tag = nextTag();
            if (tag == std::string::npos) {
                pushText(m_at, m_source.size());
                break;
            }
            const char kind = m_source[tag + 1];
            const char sign = signAt(tag + 2);
            pushText(m_at, textEnd(tag, sign, kind == '{'));
            setLine(tag);
            m_at = tag + 2 + (sign != 0 ? 1 : 0);
            if (kind == '#') {
                TRY(comment());
            } else if (kind == '{') {
                TRY(inside(Token::Kind::OutputBegin, Token::Kind::OutputEnd, "}}"));
            } else if (isRaw()) {
                TRY(raw());
            } else {
                TRY(inside(Token::Kind::BlockBegin, Token::Kind::BlockEnd, "%}"));
            }
        }
        setLine(m_source.size());
        push(Token::Kind::End, "");
        return std::move(m_tokens);
    }

private:
    std::string_view rest() const { return std::string_view(m_source).substr(std::min(m_at, m_source.size())); }
    char at(std::size_t place) const { return place < m_source.size() ? m_source[place] : '\0'; }
    char signAt(std::size_t place) const { return at(place) == '-' || at(place) == '+' ? at(place) : '\0'; }
    void push(Token::Kind kind, std::string text) { m_tokens.push_back({kind, std::move(text), m_line}); }
    Error wrong(std::string_view sentence) const { return templateError(ErrorCode::CorruptFile, m_line, sentence); }

    // Lines are counted once, moving forward.
    void setLine(std::size_t place) {
        m_line += static_cast<int>(std::count(m_source.begin() + static_cast<std::ptrdiff_t>(m_counted),
                                              m_source.begin() + static_cast<std::ptrdiff_t>(place), '\n'));
        m_counted = place;
    }

    std::size_t nextTag() const {
        for (std::size_t open = m_source.find('{', m_at); open != std::string::npos;
             open = m_source.find('{', open + 1))
            if (at(open + 1) == '{' || at(open + 1) == '%' || at(open + 1) == '#') return open;
        return std::string::npos;
    }

    void pushText(std::size_t begin, std::size_t end) {
        if (begin >= end) return;
        setLine(begin);
        push(Token::Kind::Text, m_source.substr(begin, end - begin));
    }

    // Where the text before a tag ends, once what the tag strips is gone.
    std::size_t textEnd(std::size_t tag, char sign, bool isOutput) const {
        const std::string_view text = std::string_view(m_source).substr(m_at, tag - m_at);
        if (sign == '-') {
            const std::size_t last = text.find_last_not_of(kSpace);
            return last == std::string_view::npos ? m_at : m_at + last + 1;
        }
        if (sign == '+' || isOutput) return tag;
        const std::size_t newline = text.rfind('\n');
        const bool startsLine = newline != std::string_view::npos || m_at == 0 || at(m_at - 1) == '\n';
        const std::size_t line = newline == std::string_view::npos ? 0 : newline + 1;
        const bool blank = text.find_first_not_of(kSpace, line) == std::string_view::npos;
        return startsLine && blank ? m_at + line : tag;
    }

    // Past the end of a tag: "-" takes white space, a block or comment its newline.
    void leave(char sign, std::size_t endLength, bool takesNewline) {
        m_at += endLength + (sign != 0 ? 1 : 0);
        if (sign == '-')
            while (m_at < m_source.size() && isSpace(m_source[m_at])) ++m_at;
        else if (sign == 0 && takesNewline && at(m_at) == '\n')
            ++m_at;
    }

    Result<void> comment() {
        const std::size_t end = m_source.find("#}", m_at);
        if (end == std::string::npos) return wrong("a comment without its end");
        const char sign = end > m_at ? signAt(end - 1) : '\0';
        m_at = sign != 0 ? end - 1 : end;
        leave(sign, 2, true);
        return {};
    }

    bool isRaw() const {
        const std::size_t word = m_source.find_first_not_of(kSpace, m_at);
        if (word == std::string::npos || m_source.compare(word, 3, "raw") != 0) return false;
        const std::size_t end = m_source.find_first_not_of(kSpace, word + 3);
        return end != std::string::npos &&
               (m_source.compare(end, 2, "%}") == 0 || m_source.compare(end, 3, "-%}") == 0);
    }

    Result<void> raw() {
        m_at = m_source.find("%}", m_at);
        const char sign = at(m_at - 1) == '-' ? '-' : '\0';
        if (sign != 0) --m_at;
        leave(sign, 2, false);
        for (std::size_t open = m_source.find("{%", m_at); open != std::string::npos;
             open = m_source.find("{%", open + 2)) {
            const char before = signAt(open + 2);
            const std::size_t word = m_source.find_first_not_of(kSpace, open + 2 + (before != 0 ? 1 : 0));
            if (word == std::string::npos || m_source.compare(word, 6, "endraw") != 0) continue;
            const std::size_t close = m_source.find_first_not_of(kSpace, word + 6);
            if (close == std::string::npos) continue;
            const char after = signAt(close);
            if (m_source.compare(close + (after != 0 ? 1 : 0), 2, "%}") != 0) continue;
            pushText(m_at, textEnd(open, before, false));
            m_at = close;
            leave(after, 2, true);
            return {};
        }
        return wrong("a raw block without its end");
    }

    Result<void> inside(Token::Kind begin, Token::Kind end, std::string_view closing) {
        push(begin, "");
        std::string open;  // brackets to close, innermost last
        while (true) {
            while (m_at < m_source.size() && isSpace(m_source[m_at])) ++m_at;
            setLine(std::min(m_at, m_source.size()));
            if (m_at >= m_source.size()) return wrong("a tag without its end");
            const bool isBlock = end == Token::Kind::BlockEnd;
            const char sign = at(m_at) == '-' || (isBlock && at(m_at) == '+') ? at(m_at) : '\0';
            if (open.empty() && m_source.compare(m_at + (sign != 0 ? 1 : 0), 2, closing) == 0) {
                push(end, "");
                leave(sign, 2, isBlock);
                return {};
            }
            TRY(token(open));
        }
    }

    Result<void> token(std::string& open) {
        const char c = m_source[m_at];
        if (isDigit(c)) return number();
        if (isNameStart(c)) {
            std::size_t end = m_at;
            while (isNameStart(at(end)) || isDigit(at(end))) ++end;
            push(Token::Kind::Name, m_source.substr(m_at, end - m_at));
            m_at = end;
            return {};
        }
        if (c == '\'' || c == '"') return string(c);
        return operation(open);
    }

    Result<void> number() {
        std::string digits;
        const auto take = [&] {
            while (isDigit(at(m_at)) || (at(m_at) == '_' && isDigit(at(m_at + 1)))) {
                if (at(m_at) != '_') digits += m_source[m_at];
                ++m_at;
            }
        };
        take();
        bool isFloat = false;
        if (at(m_at) == '.' && isDigit(at(m_at + 1))) {
            isFloat = true;
            digits += '.';
            ++m_at;
            take();
        }
        const std::size_t sign = at(m_at + 1) == '+' || at(m_at + 1) == '-' ? 1 : 0;
        if ((at(m_at) == 'e' || at(m_at) == 'E') && isDigit(at(m_at + 1 + sign))) {
            isFloat = true;
            digits += m_source.substr(m_at, 1 + sign);
            m_at += 1 + sign;
            take();
        }
        if (isNameStart(at(m_at))) return wrong("a number that ends in a letter");
        push(isFloat ? Token::Kind::Float : Token::Kind::Integer, std::move(digits));
        return {};
    }

    Result<void> string(char quote) {
        std::string value;
        for (++m_at; m_at < m_source.size() && m_source[m_at] != quote;) {
            if (m_source[m_at] != '\\')
                value += m_source[m_at++];
            else
                TRY(escape(value));
        }
        if (m_at >= m_source.size()) return wrong("a string without its end");
        ++m_at;
        push(Token::Kind::String, std::move(value));
        return {};
    }

    // Python's escapes; unknown ones keep their backslash.
    Result<void> escape(std::string& value) {
        static constexpr std::string_view kShort = "n\nr\rt\tb\bf\fv\va\a\\\\''\"\"";
        const char c = at(m_at + 1);
        for (std::size_t i = 0; i < kShort.size(); i += 2) {
            if (kShort[i] != c) continue;
            value += kShort[i + 1];
            m_at += 2;
            return {};
        }
        m_at += 2;
        if (c == '\n') return {};
        if (c == 'x') return codePoint(value, 2, 16);
        if (c == 'u') return codePoint(value, 4, 16);
        if (c == 'U') return codePoint(value, 8, 16);
        if (c >= '0' && c <= '7') {
            --m_at;
            std::size_t digits = 1;
            while (digits < 3 && at(m_at + digits) >= '0' && at(m_at + digits) <= '7') ++digits;
            return codePoint(value, digits, 8);
        }
        m_at -= 1;  // the character itself is read as text
        value += '\\';
        return {};
    }

    Result<void> codePoint(std::string& value, std::size_t digits, int base) {
        const std::string text = m_source.substr(m_at, digits);
        const bool fits =
            text.size() == digits && text.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
        const unsigned long code = fits ? std::stoul(text, nullptr, base) : 0x110000;
        if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return wrong("an escape that names no character");
        appendUtf8(value, static_cast<char32_t>(code));
        m_at += digits;
        return {};
    }

    Result<void> operation(std::string& open) {
        static constexpr std::array<std::string_view, 6> kLong{"==", "!=", ">=", "<=", "//", "**"};
        for (const std::string_view name : kLong) {
            if (!rest().starts_with(name)) continue;
            push(Token::Kind::Operator, std::string(name));
            m_at += 2;
            return {};
        }
        const char c = m_source[m_at];
        if (std::string_view("+-/*%~[](){}<>=.:|,;").find(c) == std::string_view::npos)
            return wrong("the character \"" + m_source.substr(m_at, decodeUtf8(m_source, m_at).bytes) +
                         "\" is not expected here");
        if (c == '(' || c == '[' || c == '{') open += c == '(' ? ')' : c == '[' ? ']' : '}';
        if (c == ')' || c == ']' || c == '}') {
            if (open.empty() || open.back() != c) return wrong(std::string("\"") + c + "\" closes nothing");
            open.pop_back();
        }
        push(Token::Kind::Operator, std::string(1, c));
        ++m_at;
        return {};
    }

    std::string m_source;
    std::vector<Token> m_tokens;
    std::size_t m_at = 0;
    std::size_t m_counted = 0;
    int m_line = 1;
};

}  // namespace

Error templateError(ErrorCode code, int line, std::string_view sentence) {
    return fail(code, "chat template line " + std::to_string(line) + ": " + std::string(sentence), "chat template");
}

Result<std::vector<Token>> tokenizeTemplate(std::string_view source) {
    return Lexer(normalised(source)).run();
}

}  // namespace espalier::jinja
