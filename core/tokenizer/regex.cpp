// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/tokenizer/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <optional>

#include "core/tokenizer/utf8.h"

namespace espalier {
namespace {

constexpr std::size_t kMaxPatternBytes = 16 << 10;
constexpr std::uint32_t kMatchLimit = 20'000'000;
constexpr std::uint32_t kDepthLimit = 1'000'000;
constexpr std::uint32_t kHeapLimitKiB = 64 << 10;

// Oniguruma's word characters: the Unicode definition and the six numbers of Latin-1.
constexpr std::string_view kWord = R"(\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\x{B2}\x{B3}\x{B9}\x{BC}-\x{BE})";

Error refused(std::string_view construct, std::string_view where) {
    return fail(ErrorCode::Unsupported,
                std::string(where) + ": the split pattern uses " + std::string(construct) + ", which is not supported",
                std::string(where));
}

// Rewrites Oniguruma's Ruby syntax to PCRE2's, construct by construct.
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
                group();
            } else if (c == '}' && next(1) == '+') {
                return refused("\"}+\" (an interval repeated)", m_where);
            } else {
                copy(1);
            }
        }
        return std::move(m_out);
    }

private:
    char next(std::size_t ahead) const { return m_at + ahead < m_in.size() ? m_in[m_at + ahead] : '\0'; }
    void copy(std::size_t count) {
        m_out += m_in.substr(m_at, count);
        m_at += count;
    }
    void put(std::string_view text, std::size_t consumed) {
        m_out += text;
        m_at += consumed;
    }

    Result<void> escape() {
        const char c = next(1);
        const auto classed = [this](std::string_view inside) {
            return m_inClass ? std::string(inside) : "[" + std::string(inside) + "]";
        };
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
                put(classed(kWord), 2);
                return {};
            case 'h':
                put(classed("0-9a-fA-F"), 2);
                return {};
            case 'W':
            case 'H':
                if (m_inClass) return refused("\"\\" + std::string(1, c) + "\" inside a class", m_where);
                put(c == 'W' ? "[^" + std::string(kWord) + "]" : std::string("[^0-9a-fA-F]"), 2);
                return {};
            case 'u': {
                std::string hex(m_in.substr(m_at + 2, 4));
                put("\\x{" + hex + "}", 2 + hex.size());
                return {};
            }
            case 'p':
            case 'P':
            case 'x':
                if (next(2) == '{') {
                    const std::size_t close = m_in.find('}', m_at);
                    copy(close == std::string_view::npos ? m_in.size() - m_at : close + 1 - m_at);
                    return {};
                }
                copy(2);
                return {};
            case '\0':
                copy(1);  // a lone backslash at the end: PCRE2 says so
                return {};
            default:
                copy(1 + decodeUtf8(m_in, m_at + 1).bytes);
                return {};
        }
    }

    void openClass() {
        m_inClass = true;
        copy(1);
        if (next(0) == '^') copy(1);
        if (next(0) == ']') copy(1);
    }

    Result<void> classCharacter() {
        const char c = m_in[m_at];
        if (c == '[' && next(1) == ':') {
            const std::size_t close = m_in.find(":]", m_at);
            copy(close == std::string_view::npos ? m_in.size() - m_at : close + 2 - m_at);
            return {};
        }
        if (c == '[') return refused("a class inside a class", m_where);
        if (c == '&' && next(1) == '&') return refused("\"&&\" inside a class", m_where);
        if (c == ']') m_inClass = false;
        copy(1);
        return {};
    }

    // "(?m:" lets the dot match newlines in Ruby, which PCRE2 calls "s".
    void group() {
        copy(1);
        if (next(0) != '?') return;
        std::size_t end = m_at + 1;
        while (end < m_in.size() && (m_in[end] == 'i' || m_in[end] == 'm' || m_in[end] == 'x' || m_in[end] == '-'))
            ++end;
        if (end >= m_in.size() || (m_in[end] != ':' && m_in[end] != ')')) return;
        while (m_at < end) {
            m_out += m_in[m_at] == 'm' ? 's' : m_in[m_at];
            ++m_at;
        }
    }

    std::string_view m_in;
    std::string_view m_where;
    std::string m_out;
    std::size_t m_at = 0;
    bool m_inClass = false;
};

std::string pcreSentence(int code) {
    PCRE2_UCHAR buffer[256];
    pcre2_get_error_message(code, buffer, sizeof buffer);
    return reinterpret_cast<const char*>(buffer);
}

template <auto Free>
struct Freed {
    template <class T>
    void operator()(T* object) const {
        Free(object);
    }
};
using CodePtr = std::unique_ptr<pcre2_code, Freed<pcre2_code_free>>;
using MatchPtr = std::unique_ptr<pcre2_match_data, Freed<pcre2_match_data_free>>;
using ContextPtr = std::unique_ptr<pcre2_match_context, Freed<pcre2_match_context_free>>;
using CompileContextPtr = std::unique_ptr<pcre2_compile_context, Freed<pcre2_compile_context_free>>;

}  // namespace

struct Regex::Compiled {
    CodePtr code;
    ContextPtr limits;
    std::string where;

    int match(std::string_view text, std::size_t at, pcre2_match_data* data) const {
        const auto subject = reinterpret_cast<PCRE2_SPTR>(text.data());
        const int found = pcre2_match(code.get(), subject, text.size(), at, PCRE2_NO_UTF_CHECK, data, limits.get());
        if (found != PCRE2_ERROR_JIT_STACKLIMIT) return found;
        // The interpreter keeps its frames on the heap, under the heap limit.
        return pcre2_match(code.get(), subject, text.size(), at, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, data, limits.get());
    }
};

Result<Regex> Regex::compile(std::string_view pattern, std::string_view where) {
    if (pattern.size() > kMaxPatternBytes)
        return fail(ErrorCode::TooLarge,
                    std::string(where) + ": a split pattern of " + std::to_string(pattern.size()) + " bytes, at most " +
                        std::to_string(kMaxPatternBytes) + " are read",
                    std::string(where));
    TRY_ASSIGN(const std::string translated, PatternTranslator(pattern, where).translate());
    CompileContextPtr settings(pcre2_compile_context_create(nullptr));
    pcre2_set_newline(settings.get(), PCRE2_NEWLINE_LF);
    pcre2_set_parens_nest_limit(settings.get(), 100);
    int code = 0;
    PCRE2_SIZE offset = 0;
    // Ruby's ^ and $ always see lines.
    CodePtr compiled(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(translated.data()), translated.size(),
                                   PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C, &code, &offset,
                                   settings.get()));
    if (!compiled)
        return fail(ErrorCode::Unsupported,
                    std::string(where) + ": the split pattern cannot be used: " + pcreSentence(code),
                    std::string(where));
    pcre2_jit_compile(compiled.get(), PCRE2_JIT_COMPLETE);  // without JIT the interpreter gives the same matches
    auto shared = std::make_shared<Compiled>();
    shared->code = std::move(compiled);
    shared->limits.reset(pcre2_match_context_create(nullptr));
    pcre2_set_match_limit(shared->limits.get(), kMatchLimit);
    pcre2_set_depth_limit(shared->limits.get(), kDepthLimit);
    pcre2_set_heap_limit(shared->limits.get(), kHeapLimitKiB);
    shared->where = where;
    return Regex(std::move(shared));
}

Result<Regex> Regex::literal(std::string_view text, std::string_view where) {
    std::string quoted;
    for (const char c : text) {
        if (std::string_view("\\^$.[]|()?*+{}#- ").find(c) != std::string_view::npos) quoted += '\\';
        quoted += c;
    }
    return compile(quoted, where);
}

Result<Regex> Regex::fromJson(const JsonReader& reader, std::string_view key, std::string_view where) {
    const Json* spec = reader.find(key);
    if (spec && spec->is_object() && spec->size() == 1 && spec->front().is_string()) {
        const auto& text = spec->front().get_ref<const std::string&>();
        if (spec->contains("Regex")) return compile(text, where);
        if (spec->contains("String")) return literal(text, where);
    }
    return reader.wrong(key, "{\"Regex\": ...} or {\"String\": ...}");
}

Result<void> Regex::findAll(std::string_view text, std::vector<TextRange>& matches) const {
    MatchPtr data(pcre2_match_data_create(1, nullptr));
    std::size_t at = 0;
    std::optional<std::size_t> lastEnd;
    while (at <= text.size()) {
        const int found = m_compiled->match(text, at, data.get());
        if (found == PCRE2_ERROR_NOMATCH) break;
        if (found < 0)
            return fail(ErrorCode::Unsupported,
                        m_compiled->where + ": the split pattern gave up on this text: " + pcreSentence(found),
                        m_compiled->where);
        const PCRE2_SIZE* bounds = pcre2_get_ovector_pointer(data.get());
        const TextRange match{bounds[0], bounds[1]};
        // \K in a lookahead can set a start behind the end or before what was already taken.
        if (match.end < match.begin || match.begin < at)
            return fail(ErrorCode::Unsupported, m_compiled->where + ": the split pattern moves a match backwards",
                        m_compiled->where);
        if (match.begin == match.end && lastEnd == match.end) {
            at += at < text.size() ? decodeUtf8(text, at).bytes : 1;
            continue;
        }
        matches.push_back(match);
        at = match.end;
        lastEnd = match.end;
    }
    return {};
}

}  // namespace espalier
