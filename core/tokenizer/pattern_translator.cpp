// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/tokenizer/pattern_translator.h"

#include <unicode/uchar.h>
#include <unicode/ustring.h>

#include <array>
#include <vector>

#include "core/tokenizer/utf8.h"

namespace espalier {
namespace {

// Word characters: in a class the Unicode definition, outside one the six numbers of Latin-1 besides.
constexpr std::string_view kWordInClass = R"(\p{Alphabetic}\p{M}\p{Nd}\p{Pc})";
constexpr std::string_view kWord = R"(\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\x{B2}\x{B3}\x{B9}\x{BC}-\x{BE})";
constexpr std::string_view kSameEscapes = "ntrfaeAzZRXK0123456789";  // outside a class
constexpr std::string_view kSameInClass = "ntrfaeb0123456789";
// Letters that fold to one character together, as in sharp s.
constexpr std::array<std::string_view, 5> kFoldedPairs = {"ss", "ff", "fi", "fl", "st"};

bool isLetter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool isDigit(char c) {
    return c >= '0' && c <= '9';
}

// Whether ignoring its case may take Oniguruma to several characters, where PCRE2 compares one with one.
bool mayFoldToSeveral(char32_t code) {
    if (code < 0x80) return false;
    const auto c = static_cast<UChar32>(code);
    constexpr std::uint32_t kMarks = U_GC_M_MASK | U_GC_LM_MASK;
    if ((U_GET_GC_MASK(c) & kMarks) != 0) return true;  // the second of such a sequence
    std::array<UChar, 4> folded{};
    std::array<UChar, 2> whole{};
    std::int32_t length = 0;
    UErrorCode status = U_ZERO_ERROR;
    u_strFromUTF32(whole.data(), 2, &length, &c, 1, &status);
    const std::int32_t size = u_strFoldCase(folded.data(), 4, whole.data(), length, U_FOLD_CASE_DEFAULT, &status);
    return U_FAILURE(status) || size > length;
}

class PatternTranslator {
public:
    PatternTranslator(std::string_view pattern, std::string_view where) : m_in(pattern), m_where(where) {}

    Result<std::string> translate() {
        while (m_at < m_in.size()) {
            const char c = m_in[m_at];
            if (c == '\\') {
                TRY(escape());
            } else if (m_inClass) {
                TRY(classCharacter());
            } else if (c == '[') {
                openClass();
            } else if (c == '(') {
                TRY(openGroup());
            } else if (c == ')') {
                if (m_groups.size() > 1) m_groups.pop_back();
                copy(1);
            } else if (c == '{') {
                TRY(interval());
            } else if (c == '|') {
                if (m_groups.back().isOpenOption)
                    return refused("an option group without \":\" before a \"|\" (\"a(?i)b|c\")");
                copy(1);
            } else {
                TRY(literal());
            }
            if (m_literalEnd != m_at) m_literal = '\0';
        }
        return std::move(m_out);
    }

private:
    struct Group {
        bool ignoresCase = false;
        bool isOpenOption = false;  // "(?i)" stood in it, which reaches to its end
    };

    Error refused(std::string_view construct) const {
        return fail(ErrorCode::Unsupported,
                    std::string(m_where) + ": the pattern uses " + std::string(construct) + ", which is not supported",
                    std::string(m_where));
    }
    char next(std::size_t ahead) const { return m_at + ahead < m_in.size() ? m_in[m_at + ahead] : '\0'; }
    void copy(std::size_t count) {
        m_out += m_in.substr(m_at, count);
        m_at = std::min(m_at + count, m_in.size());
    }
    void put(std::string_view text, std::size_t consumed) {
        m_out += text;
        m_at += consumed;
    }
    bool ignoresCase() const { return m_groups.back().ignoresCase; }

    Result<void> escape() {
        const char c = next(1);
        const std::string name = "\"\\" + std::string(1, c) + "\"";
        const auto classed = [this](std::string_view inside) {
            return m_inClass ? std::string(inside) : "[" + std::string(inside) + "]";
        };
        if (m_inClass && ignoresCase() && std::string_view("wWpP").find(c) != std::string_view::npos)
            return refused(name + " in a class where case is ignored");
        switch (c) {
            case 's':
                put(R"(\p{wspace})", 2);
                return {};
            case 'S':
                put(R"(\P{wspace})", 2);
                return {};
            case 'd':
                put(R"(\p{Nd})", 2);
                return {};
            case 'D':
                put(R"(\P{Nd})", 2);
                return {};
            case 'v':
                put(R"(\x0B)", 2);
                return {};
            case 'w':
                put(m_inClass ? std::string(kWordInClass) : classed(kWord), 2);
                return {};
            case 'h':
                put(classed("0-9a-fA-F"), 2);
                return {};
            case 'W':
            case 'H':
                if (m_inClass) return refused(name + " inside a class");
                put(c == 'W' ? "[^" + std::string(kWord) + "]" : std::string("[^0-9a-fA-F]"), 2);
                return {};
            case 'b':
            case 'B':
                if (!m_inClass) {
                    wordBoundary(c == 'b');
                    return {};
                }
                break;
            case 'u': {
                const std::string hex(m_in.substr(std::min(m_at + 2, m_in.size()), 4));
                put("\\x{" + hex + "}", 2 + hex.size());
                return {};
            }
            case 'p':
            case 'P':
                if (next(2) != '{') return refused(name + " without braces");
                copyBraces();
                return {};
            case 'x':
                return hexadecimal();
            case '\0':
                copy(1);  // a lone backslash at the end: PCRE2 says so
                return {};
            default:
                break;
        }
        const std::string_view same = m_inClass ? kSameInClass : kSameEscapes;
        if ((isLetter(c) || isDigit(c)) && same.find(c) == std::string_view::npos)
            return refused(name + (m_inClass ? " inside a class" : ""));
        copy(1 + decodeUtf8(m_in, m_at + 1).bytes);
        return {};
    }

    void wordBoundary(bool isWanted) {
        const std::string word = "[" + std::string(kWord) + "]";
        const std::string is = "(?<=" + word + ")", follows = "(?=" + word + ")";
        const std::string isNot = "(?<!" + word + ")", followsNot = "(?!" + word + ")";
        put(isWanted ? "(?:" + is + followsNot + "|" + isNot + follows + ")"
                     : "(?:" + is + follows + "|" + isNot + followsNot + ")",
            2);
    }

    Result<void> hexadecimal() {
        if (next(2) == '{') {
            copyBraces();
            return {};
        }
        std::size_t digits = 0;
        while (digits < 2 &&
               std::string_view("0123456789abcdefABCDEF").find(next(2 + digits)) != std::string_view::npos)
            ++digits;
        if (digits == 2 && std::string_view("89abcdefABCDEF").find(next(2)) != std::string_view::npos)
            return refused("\"\\x\" for a byte that is no character");
        copy(2 + digits);
        return {};
    }

    void copyBraces() {
        const std::size_t close = m_in.find('}', m_at);
        copy(close == std::string_view::npos ? m_in.size() - m_at : close + 1 - m_at);
    }

    void openClass() {
        m_inClass = true;
        copy(1);
        if (next(0) == '^') copy(1);
        if (next(0) == ']') copy(1);
    }

    Result<void> classCharacter() {
        const char c = m_in[m_at];
        if (c == '[') return refused(next(1) == ':' ? "a POSIX bracket (\"[:alpha:]\")" : "a class inside a class");
        if (c == '&' && next(1) == '&') return refused("\"&&\" inside a class");
        if (c == ']') m_inClass = false;
        return literal();
    }

    // A character that stands for itself, or a quantifier.
    Result<void> literal() {
        const Utf8Char c = decodeUtf8(m_in, m_at);
        const char before = m_literal;
        if (ignoresCase()) {
            if (mayFoldToSeveral(c.code))
                return refused("\"" + std::string(m_in.substr(m_at, c.bytes)) + "\" where case is ignored");
            m_literal = isLetter(m_in[m_at]) && !m_inClass ? static_cast<char>(m_in[m_at] | 0x20) : '\0';
            for (const std::string_view pair : kFoldedPairs)
                if (before == pair[0] && m_literal == pair[1])
                    return refused("\"" + std::string(pair) + "\" where case is ignored");
        }
        copy(c.bytes);
        m_literalEnd = m_at;
        return {};
    }

    // {n}, {n,}, {n,m}; {,m} counts from 0. Anything else is text.
    Result<void> interval() {
        std::size_t end = 1;
        while (isDigit(next(end))) ++end;
        const bool hasLeast = end > 1;
        const bool isRange = next(end) == ',';
        std::size_t most = end;
        if (isRange) {
            most = ++end;
            while (isDigit(next(end))) ++end;
        }
        const bool isInterval = next(end) == '}' && (hasLeast || (isRange && end > most));
        if (!isInterval) {
            copy(1);
            return {};
        }
        if (next(end + 1) == '+') return refused("\"}+\" (an interval repeated)");
        if (!isRange && next(end + 1) == '?') return refused("\"}?\" (an interval that may be absent)");
        if (!hasLeast) put("{0", 1);
        copy(end + 1 - (hasLeast ? 0 : 1));
        return {};
    }

    // "(?m:" lets the dot match newlines in Ruby, which PCRE2 calls "s".
    Result<void> openGroup() {
        if (next(1) == '*') return refused("\"(*\"");
        m_groups.push_back({m_groups.back().ignoresCase, false});
        copy(1);
        if (next(0) != '?') return {};
        if (next(1) == '#') {
            const std::size_t close = m_in.find(')', m_at);
            copy((close == std::string_view::npos ? m_in.size() : close) - m_at);
            return {};
        }
        const char kind = next(1);
        const bool isLookBehind = kind == '<' && (next(2) == '=' || next(2) == '!');
        const bool isNamed = kind == '<' && isLetter(next(2));
        if (kind == ':' || kind == '=' || kind == '!' || kind == '>' || isLookBehind || isNamed) {
            copy(2);
            return {};
        }
        return options();
    }

    // "?i:" or "?i)", behind the parenthesis.
    Result<void> options() {
        std::string spelled = "?";
        bool isOn = true, ignores = ignoresCase();
        std::size_t end = m_at + 1;
        for (; end < m_in.size() && (m_in[end] == 'i' || m_in[end] == 'm' || m_in[end] == '-'); ++end) {
            if (m_in[end] == '-') isOn = false;
            if (m_in[end] == 'i') ignores = isOn;
            spelled += m_in[end] == 'm' ? 's' : m_in[end];
        }
        if (end >= m_in.size() || end == m_at + 1 || (m_in[end] != ':' && m_in[end] != ')'))
            return refused("\"(" + std::string(m_in.substr(m_at, std::min<std::size_t>(end + 1 - m_at, 8))) + "\"");
        m_out += spelled;
        m_at = end;
        Group& group = m_in[end] == ':' ? m_groups.back() : m_groups[m_groups.size() - 2];
        group.ignoresCase = ignores;
        if (m_in[end] == ')') group.isOpenOption = true;
        return {};
    }

    std::string_view m_in;
    std::string_view m_where;
    std::string m_out;
    std::size_t m_at = 0;
    bool m_inClass = false;
    std::vector<Group> m_groups{1};
    char m_literal = '\0';         // in lower case, when it stands right before m_at
    std::size_t m_literalEnd = 0;  // behind it
};

}  // namespace

Result<std::string> pcreFromOniguruma(std::string_view pattern, std::string_view where) {
    return PatternTranslator(pattern, where).translate();
}

}  // namespace espalier
