// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/tokenizer/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <optional>

#include "core/tokenizer/pattern_translator.h"
#include "core/tokenizer/utf8.h"

namespace espalier {
namespace {

constexpr std::size_t kMaxPatternBytes = 16 << 10;
constexpr std::uint32_t kStepsPerStart = 2'000;     // what published patterns need at a place, but in long runs
constexpr std::uint64_t kStepsPerText = 5'000'000;  // for the places that need more, all together ...
constexpr std::uint64_t kStepsPerByte = 16;         // ... and of a long text so many more
constexpr std::uint32_t kDepthLimit = 1'000'000;
constexpr std::uint32_t kHeapLimitKiB = 64 << 10;

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

    int match(std::string_view text, std::size_t at, std::uint32_t options, pcre2_match_context* context,
              pcre2_match_data* data) const {
        return pcre2_match(code.get(), reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), at,
                           PCRE2_NO_UTF_CHECK | options, data, context);
    }
};

// One walk over one text. PCRE2 counts steps anew at every place where a match may begin, so a pattern could take its
// limit at each. Here few are allowed at a place, and those that need more share what the text has.
class Regex::Walk {
public:
    Walk(const Compiled& compiled, std::string_view text)
        : m_compiled(compiled),
          m_text(text),
          m_data(pcre2_match_data_create(1, nullptr)),
          m_steps(kStepsPerText + kStepsPerByte * text.size()) {}

    // The first match from `at` on: as pcre2_match answers it.
    int next(std::size_t at) {
        while (true) {
            int found = m_compiled.match(m_text, at, 0, m_compiled.limits.get(), m_data.get());
            // The interpreter keeps its frames on the heap, under the heap limit.
            if (found == PCRE2_ERROR_JIT_STACKLIMIT)
                found = m_compiled.match(m_text, at, PCRE2_NO_JIT, m_compiled.limits.get(), m_data.get());
            if (found != PCRE2_ERROR_MATCHLIMIT) return found;
            found = throughTheHardPlace(at);
            if (found != PCRE2_ERROR_NOMATCH || at > m_text.size()) return found;
        }
    }
    TextRange range() const {
        const PCRE2_SIZE* bounds = pcre2_get_ovector_pointer(m_data.get());
        return {bounds[0], bounds[1]};
    }

private:
    // Tries place by place up to the one that needs more steps, and that one with as many as are left. `at` is behind
    // it when there is no match.
    int throughTheHardPlace(std::size_t& at) {
        for (bool isHard = false; !isHard && at <= m_text.size();) {
            int found = m_compiled.match(m_text, at, PCRE2_ANCHORED, m_compiled.limits.get(), m_data.get());
            if (found == PCRE2_ERROR_MATCHLIMIT) {
                isHard = true;
                found = withMore(at);
            }
            if (found != PCRE2_ERROR_NOMATCH) return found;
            at += at < m_text.size() ? decodeUtf8(m_text, at).bytes : 1;
        }
        return PCRE2_ERROR_NOMATCH;
    }
    int withMore(std::size_t at) {
        if (!m_more) m_more.reset(pcre2_match_context_copy(m_compiled.limits.get()));
        for (std::uint64_t limit = 2 * kStepsPerStart; limit <= m_steps; limit *= 2) {
            m_steps -= limit;
            pcre2_set_match_limit(m_more.get(), static_cast<std::uint32_t>(limit));
            const int found = m_compiled.match(m_text, at, PCRE2_ANCHORED, m_more.get(), m_data.get());
            if (found != PCRE2_ERROR_MATCHLIMIT) return found;
        }
        return PCRE2_ERROR_MATCHLIMIT;
    }

    const Compiled& m_compiled;
    std::string_view m_text;
    MatchPtr m_data;
    ContextPtr m_more;
    std::uint64_t m_steps;
};

Result<Regex> Regex::compile(std::string_view pattern, std::string_view where) {
    if (pattern.size() > kMaxPatternBytes)
        return fail(ErrorCode::TooLarge,
                    std::string(where) + ": a pattern of " + std::to_string(pattern.size()) + " bytes, at most " +
                        std::to_string(kMaxPatternBytes) + " are read",
                    std::string(where));
    TRY_ASSIGN(const std::string translated, pcreFromOniguruma(pattern, where));
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
        return fail(ErrorCode::Unsupported, std::string(where) + ": the pattern cannot be used: " + pcreSentence(code),
                    std::string(where));
    pcre2_jit_compile(compiled.get(), PCRE2_JIT_COMPLETE);  // without JIT the interpreter gives the same matches
    auto shared = std::make_shared<Compiled>();
    shared->code = std::move(compiled);
    shared->limits.reset(pcre2_match_context_create(nullptr));
    pcre2_set_match_limit(shared->limits.get(), kStepsPerStart);
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
    Walk walk(*m_compiled, text);
    std::size_t at = 0;
    std::optional<std::size_t> lastEnd;
    while (at <= text.size()) {
        const int found = walk.next(at);
        if (found == PCRE2_ERROR_NOMATCH) break;
        if (found < 0)
            return fail(ErrorCode::Unsupported,
                        m_compiled->where + ": the pattern gave up on this text: " + pcreSentence(found),
                        m_compiled->where);
        const TextRange match = walk.range();
        // \K in a lookahead can set a start behind the end or before what was already taken.
        if (match.end < match.begin || match.begin < at)
            return fail(ErrorCode::Unsupported, m_compiled->where + ": the pattern moves a match backwards",
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
