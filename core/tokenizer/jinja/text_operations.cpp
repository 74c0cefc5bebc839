// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/tokenizer/jinja/text_operations.h"

#include <unicode/locid.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <utility>

#include "core/tokenizer/utf8.h"

namespace espalier::jinja {
namespace {

std::size_t characterBefore(std::string_view text, std::size_t end) {
    std::size_t at = end - 1;
    while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) --at;
    return at;
}

// Runs each maximal run of equal origin through `change`.
template <class Change>
MarkedText mapRuns(const MarkedText& text, Change&& change) {
    MarkedText out;
    text.forEachRun([&](std::string_view run, bool isVerbatim) { out.append(change(run), isVerbatim); });
    return out;
}

// Case by case, one character for one.
template <class Change>
MarkedText mapCharacters(const MarkedText& text, Change&& change) {
    return mapRuns(text, [&](std::string_view run) {
        std::string out;
        for (std::size_t at = 0; at < run.size();) {
            const Utf8Char c = decodeUtf8(run, at);
            appendUtf8(out, static_cast<char32_t>(change(static_cast<UChar32>(c.code))));
            at += c.bytes;
        }
        return out;
    });
}

std::string cased(std::string_view run, bool isUpper) {
    icu::UnicodeString text =
        icu::UnicodeString::fromUTF8(icu::StringPiece(run.data(), static_cast<std::int32_t>(run.size())));
    isUpper ? text.toUpper(icu::Locale::getRoot()) : text.toLower(icu::Locale::getRoot());
    std::string out;
    return text.toUTF8String(out);
}

// Calls visit(at, length) for each separator; a run of white space is one.
template <class Visit>
void eachCut(std::string_view text, std::optional<std::string_view> separator, Visit&& visit) {
    if (separator) {
        for (std::size_t hit = text.find(*separator); hit != std::string_view::npos;
             hit = text.find(*separator, hit + separator->size()))
            visit(hit, separator->size());
        return;
    }
    for (std::size_t at = 0; at < text.size();) {
        std::size_t end = at;
        while (end < text.size()) {
            const Utf8Char c = decodeUtf8(text, end);
            if (!isPythonSpace(c.code)) break;
            end += c.bytes;
        }
        if (end > at) visit(at, end - at);
        at = end < text.size() ? end + decodeUtf8(text, end).bytes : end;
    }
}

// Where a separator stands, and how long it is.
struct Cut {
    std::size_t at;
    std::size_t length;
};
std::vector<Cut> cutsOf(std::string_view text, std::optional<std::string_view> separator) {
    std::vector<Cut> cuts;
    eachCut(text, separator, [&](std::size_t at, std::size_t length) { cuts.push_back({at, length}); });
    return cuts;
}

bool endsLine(char32_t c) {
    return (c >= 0x0A && c <= 0x0D) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 || c == 0x2029;
}

}  // namespace

bool isPythonSpace(char32_t code) {
    return (code >= 0x1C && code <= 0x1F) || u_isUWhiteSpace(static_cast<UChar32>(code));
}

std::size_t strippingSteps(std::size_t bytes, std::optional<std::string_view> characters) {
    return bytes * (characters ? characters->size() + 1 : 1) / 16;
}

MarkedText stripped(const MarkedText& text, Side side, std::optional<std::string_view> characters) {
    const std::string_view bytes = text.text;
    const auto goes = [&](std::size_t at) {
        const Utf8Char c = decodeUtf8(bytes, at);
        if (!characters) return isPythonSpace(c.code);
        const std::string_view character = bytes.substr(at, c.bytes);
        return characters->find(character) != std::string_view::npos;
    };
    TextRange kept{0, bytes.size()};
    if (side != Side::Right)
        while (kept.begin < kept.end && goes(kept.begin)) kept.begin += decodeUtf8(bytes, kept.begin).bytes;
    if (side != Side::Left)
        while (kept.begin < kept.end && goes(characterBefore(bytes, kept.end)))
            kept.end = characterBefore(bytes, kept.end);
    return text.slice(kept);
}

MarkedText replaced(const MarkedText& text, std::string_view old, const MarkedText& with, std::int64_t count) {
    MarkedText out;
    std::size_t at = 0;
    for (std::size_t hit = text.text.find(old); hit != std::string::npos && count != 0; hit = text.text.find(old, at)) {
        out.append(text, {at, hit});
        out.append(with);
        at = hit + old.size();
        if (count > 0) --count;
    }
    out.append(text, {at, text.text.size()});
    return out;
}

std::vector<MarkedText> split(const MarkedText& text, std::optional<std::string_view> separator, std::int64_t limit,
                              bool fromRight) {
    MarkedText trimmed;
    const MarkedText& whole = separator ? text : (trimmed = stripped(text, Side::Both, std::nullopt));
    if (!separator && whole.text.empty()) return {};
    std::vector<Cut> cuts = cutsOf(whole.text, separator);
    if (limit >= 0 && cuts.size() > static_cast<std::size_t>(limit)) {
        if (fromRight)
            cuts.erase(cuts.begin(), cuts.end() - static_cast<std::ptrdiff_t>(limit));
        else
            cuts.resize(static_cast<std::size_t>(limit));
    }
    std::vector<MarkedText> pieces;
    std::size_t at = 0;
    for (const Cut& cut : cuts) {
        pieces.push_back(whole.slice({at, cut.at}));
        at = cut.at + cut.length;
    }
    pieces.push_back(whole.slice({at, whole.text.size()}));
    return pieces;
}

std::vector<MarkedText> splitLines(const MarkedText& text, bool keepEnds) {
    std::vector<MarkedText> lines;
    const std::string_view bytes = text.text;
    std::size_t begin = 0;
    for (std::size_t at = 0; at < bytes.size();) {
        const Utf8Char c = decodeUtf8(bytes, at);
        std::size_t next = at + c.bytes;
        if (endsLine(c.code)) {
            if (c.code == '\r' && next < bytes.size() && bytes[next] == '\n') ++next;
            lines.push_back(text.slice({begin, keepEnds ? next : at}));
            begin = next;
        }
        at = next;
    }
    if (begin < bytes.size()) lines.push_back(text.slice({begin, bytes.size()}));
    return lines;
}

std::size_t countCuts(const MarkedText& text, std::optional<std::string_view> separator) {
    std::size_t cuts = 0;
    eachCut(text.text, separator, [&](std::size_t, std::size_t) { ++cuts; });
    return cuts;
}

std::size_t countLineEnds(const MarkedText& text) {
    std::size_t ends = 0;
    for (std::size_t at = 0; at < text.text.size();) {
        const Utf8Char c = decodeUtf8(text.text, at);
        ends += endsLine(c.code) ? 1 : 0;
        at += c.bytes;
    }
    return ends;
}

MarkedText upper(const MarkedText& text) {
    return mapRuns(text, [](std::string_view run) { return cased(run, true); });
}

MarkedText lower(const MarkedText& text) {
    return mapRuns(text, [](std::string_view run) { return cased(run, false); });
}

MarkedText capitalized(const MarkedText& text) {
    bool first = true;
    return mapCharacters(text, [&](UChar32 c) { return std::exchange(first, false) ? u_totitle(c) : u_tolower(c); });
}

MarkedText titled(const MarkedText& text, std::optional<std::string_view> starts) {
    bool atStart = true;
    return mapCharacters(text, [&](UChar32 c) {
        const UChar32 changed = atStart ? u_totitle(c) : u_tolower(c);
        atStart = starts ? isPythonSpace(static_cast<char32_t>(c)) ||
                               (c < 0x80 && starts->find(static_cast<char>(c)) != std::string_view::npos)
                         : !u_isalpha(c);
        return changed;
    });
}

MarkedText indented(const MarkedText& text, const MarkedText& indent, bool first, bool blank) {
    MarkedText ended = text;
    ended.append("\n", false);
    MarkedText out;
    bool isFirst = true;
    for (const MarkedText& line : splitLines(ended, false)) {
        if (!isFirst) out.append("\n", false);
        if (isFirst ? first : blank || !line.text.empty()) out.append(indent);
        out.append(line);
        isFirst = false;
    }
    return out;
}

MarkedText reversed(const MarkedText& text) {
    MarkedText out;
    for (std::size_t end = text.text.size(); end > 0;) {
        const std::size_t at = characterBefore(text.text, end);
        out.append(text, {at, end});
        end = at;
    }
    return out;
}

}  // namespace espalier::jinja
