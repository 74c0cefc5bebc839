// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/tokenizer/added_tokens.h"

#include <unicode/uchar.h>

#include <algorithm>

#include "core/tokenizer/token_limits.h"
#include "core/tokenizer/utf8.h"

namespace espalier {
namespace {

bool isWordCharacter(char32_t code) {
    const auto c = static_cast<UChar32>(code);
    constexpr std::uint32_t kMarksDigitsConnectors = U_GC_M_MASK | U_GC_ND_MASK | U_GC_PC_MASK;
    return u_hasBinaryProperty(c, UCHAR_ALPHABETIC) || (U_GET_GC_MASK(c) & kMarksDigitsConnectors) != 0 ||
           u_hasBinaryProperty(c, UCHAR_JOIN_CONTROL);
}

// Where the last character of text starts. Requires: text is not empty.
std::size_t lastCharacter(std::string_view text) {
    std::size_t at = text.size() - 1;
    while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) --at;
    return at;
}

bool endsWithWord(std::string_view text) {
    return !text.empty() && isWordCharacter(decodeUtf8(text, lastCharacter(text)).code);
}

bool startsWithWord(std::string_view text) {
    return !text.empty() && isWordCharacter(decodeUtf8(text, 0).code);
}

std::size_t spaceBefore(std::string_view text) {  // where the white space at the end begins
    while (!text.empty()) {
        const std::size_t at = lastCharacter(text);
        if (!u_isUWhiteSpace(static_cast<UChar32>(decodeUtf8(text, at).code))) break;
        text = text.substr(0, at);
    }
    return text.size();
}

std::size_t spaceAfter(std::string_view text) {  // how long the white space at the start is
    std::size_t at = 0;
    while (at < text.size()) {
        const Utf8Char c = decodeUtf8(text, at);
        if (!u_isUWhiteSpace(static_cast<UChar32>(c.code))) break;
        at += c.bytes;
    }
    return at;
}

}  // namespace

Result<AddedToken> readAddedToken(const Json& entry, const std::string& where, TokenId id) {
    const JsonReader reader(entry, where);
    AddedToken token;
    token.id = id;
    TRY_ASSIGN(token.content, reader.string("content"));
    if (token.content.size() > kMaxAddedTokenBytes)
        return tooMany(where, "bytes in an added token", token.content.size(), kMaxAddedTokenBytes);
    TRY_ASSIGN(token.isSpecial, reader.boolOr("special", false));
    TRY_ASSIGN(token.singleWord, reader.boolOr("single_word", false));
    TRY_ASSIGN(token.stripsLeft, reader.boolOr("lstrip", false));
    TRY_ASSIGN(token.stripsRight, reader.boolOr("rstrip", false));
    TRY_ASSIGN(token.isNormalized, reader.boolOr("normalized", !token.isSpecial));
    return token;
}

void AddedTokenFinder::add(std::string_view pattern, const AddedToken& token) {
    if (pattern.empty()) return;
    std::uint32_t node = 0;
    for (const char c : pattern) {
        const std::uint64_t edge = std::uint64_t{node} << 8 | static_cast<unsigned char>(c);
        const auto [step, isNew] = m_edges.emplace(edge, static_cast<std::uint32_t>(m_endsAt.size()));
        if (isNew) m_endsAt.push_back(nullptr);
        node = step->second;
    }
    if (m_endsAt[node]) return;
    m_tokens.push_back(std::make_unique<AddedToken>(token));
    m_endsAt[node] = m_tokens.back().get();
    m_firstBytes.set(static_cast<unsigned char>(pattern.front()));
}

std::optional<AddedTokenFinder::Match> AddedTokenFinder::matchAt(std::string_view text, std::size_t at,
                                                                 std::span<const TextRange> verbatim) const {
    std::optional<Match> longest;
    std::uint32_t node = 0;
    for (std::size_t end = at; end < text.size();) {
        const auto step = m_edges.find(std::uint64_t{node} << 8 | static_cast<unsigned char>(text[end]));
        if (step == m_edges.end()) break;
        node = step->second;
        ++end;
        const AddedToken* token = m_endsAt[node];
        if (token && !(token->isSpecial && overlapsAny(verbatim, {at, end}))) longest = Match{end, token};
    }
    return longest;
}

std::vector<AddedTokenFinder::Segment> AddedTokenFinder::cut(std::string_view text,
                                                             std::span<const TextRange> verbatim) const {
    std::vector<Segment> segments;
    std::size_t taken = 0;
    for (std::size_t at = 0; at < text.size();) {
        const auto match =
            m_firstBytes[static_cast<unsigned char>(text[at])] ? matchAt(text, at, verbatim) : std::nullopt;
        if (!match) {
            ++at;
            continue;
        }
        TextRange range{at, match->end};
        at = match->end;
        const AddedToken& token = *match->token;
        if (token.singleWord && (endsWithWord(text.substr(0, range.begin)) || startsWithWord(text.substr(range.end))))
            continue;
        // Space that an earlier token took is not looked at again, so that runs of such tokens stay linear.
        if (token.stripsLeft) {
            const std::size_t free = std::max(range.begin, taken) - taken;
            range.begin = taken + spaceBefore(text.substr(taken, free));
        }
        if (token.stripsRight) {
            range.end = std::max(range.end, taken);
            range.end += spaceAfter(text.substr(range.end));
        }
        if (taken < range.begin) segments.push_back({{taken, range.begin}, std::nullopt});
        segments.push_back({range, token.id});
        taken = range.end;
    }
    if (taken < text.size()) segments.push_back({{taken, text.size()}, std::nullopt});
    return segments;
}

}  // namespace espalier
