// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/tokenizer/pre_tokenizer.h"

#include <algorithm>
#include <array>
#include <variant>

#include "core/tokenizer/byte_alphabet.h"
#include "core/tokenizer/regex.h"
#include "core/tokenizer/split_rules.h"
#include "core/tokenizer/type_table.h"
#include "core/tokenizer/unicode_classes.h"
#include "core/tokenizer/utf8.h"

namespace espalier {
namespace {

using PreTokenizerPtr = std::unique_ptr<const PreTokenizer>;

class PreTokenizerSequence final : public PreTokenizer {
public:
    explicit PreTokenizerSequence(std::vector<PreTokenizerPtr> stages) : m_stages(std::move(stages)) {}
    Result<void> split(PieceList& list) const override {
        for (const auto& stage : m_stages) TRY(stage->split(list));
        return {};
    }

private:
    std::vector<PreTokenizerPtr> m_stages;
};

enum class SplitBehavior { Removed, Isolated, MergedWithPrevious, MergedWithNext, Contiguous };

struct Part {
    TextRange range;
    bool isMatch;
};

// A match joins the neighbour that comes before it in the order of `parts`, unless that neighbour is a match too.
template <class Join>
std::vector<TextRange> mergedWithNeighbour(const std::vector<Part>& parts, Join join) {
    std::vector<TextRange> merged;
    bool previousMatch = false;
    for (const Part& part : parts) {
        if (part.isMatch && !previousMatch && !merged.empty())
            join(merged.back(), part.range);
        else
            merged.push_back(part.range);
        previousMatch = part.isMatch;
    }
    return merged;
}

std::vector<TextRange> joined(std::vector<Part> parts, SplitBehavior behavior) {
    std::vector<TextRange> out;
    switch (behavior) {
        case SplitBehavior::Removed:
        case SplitBehavior::Isolated:
            for (const Part& part : parts)
                if (!part.isMatch || behavior == SplitBehavior::Isolated) out.push_back(part.range);
            return out;
        case SplitBehavior::MergedWithPrevious:
            return mergedWithNeighbour(parts, [](TextRange& left, TextRange match) { left.end = match.end; });
        case SplitBehavior::MergedWithNext:
            std::reverse(parts.begin(), parts.end());
            out = mergedWithNeighbour(parts, [](TextRange& right, TextRange match) { right.begin = match.begin; });
            std::reverse(out.begin(), out.end());
            return out;
        case SplitBehavior::Contiguous:
            for (std::size_t i = 0; i < parts.size(); ++i) {
                if (i > 0 && parts[i].isMatch == parts[i - 1].isMatch)
                    out.back().end = parts[i].range.end;
                else
                    out.push_back(parts[i].range);
            }
            return out;
    }
    return out;
}

// What to split at: the matches of a pattern, or each character of a class.
using CharacterTest = bool (*)(char32_t);
using Separator = std::variant<Regex, CharacterTest>;

Result<void> findSeparators(const Separator& separator, std::string_view text, std::vector<TextRange>& matches) {
    if (const auto* pattern = std::get_if<Regex>(&separator)) return pattern->findAll(text, matches);
    const CharacterTest isSeparator = std::get<CharacterTest>(separator);
    for (std::size_t at = 0; at < text.size();) {
        const Utf8Char c = decodeUtf8(text, at);
        if (isSeparator(c.code)) matches.push_back({at, at + c.bytes});
        at += c.bytes;
    }
    return {};
}

class Split final : public PreTokenizer {
public:
    Split(Separator separator, SplitBehavior behavior, bool inverted)
        : m_separator(std::move(separator)), m_behavior(behavior), m_inverted(inverted) {}

    Result<void> split(PieceList& list) const override {
        std::vector<TextRange> refined;
        std::vector<TextRange> matches;
        for (std::size_t i = 0; i < list.pieces.size(); ++i) {
            matches.clear();
            TRY(findSeparators(m_separator, list.piece(i), matches));
            const std::size_t offset = list.pieces[i].begin;
            const std::size_t size = list.pieces[i].end - offset;
            for (const TextRange& range : joined(partsOf(matches, size), m_behavior))
                if (range.begin < range.end) refined.push_back({offset + range.begin, offset + range.end});
        }
        list.pieces = std::move(refined);
        return {};
    }

private:
    std::vector<Part> partsOf(const std::vector<TextRange>& matches, std::size_t size) const {
        std::vector<Part> parts;
        parts.reserve(matches.size() + 1);
        std::size_t at = 0;
        for (const TextRange& match : matches) {
            if (at < match.begin) parts.push_back({{at, match.begin}, m_inverted});
            parts.push_back({match, !m_inverted});
            at = match.end;
        }
        if (at < size) parts.push_back({{at, size}, m_inverted});
        return parts;
    }

    Separator m_separator;
    SplitBehavior m_behavior;
    bool m_inverted;
};

// The pieces written anew: append(index, piece, text) puts what stands for a piece behind text.
template <class Append>
PieceList respelled(const PieceList& list, Append&& append) {
    PieceList out({}, list.startsWithText());
    out.pieces.clear();
    out.pieces.reserve(list.pieces.size());
    out.text.reserve(list.text.size() + list.text.size() / 4);
    for (std::size_t i = 0; i < list.pieces.size(); ++i) {
        const std::string_view piece = list.piece(i);
        if (piece.empty()) continue;
        const std::size_t begin = out.text.size();
        append(i, piece, out.text);
        out.pieces.push_back({begin, out.text.size()});
    }
    return out;
}

// Respells each piece in the byte alphabet, with a leading space when asked for.
class ByteLevel final : public PreTokenizer {
public:
    ByteLevel(bool addPrefixSpace, PreTokenizerPtr words)
        : m_addPrefixSpace(addPrefixSpace), m_words(std::move(words)) {}

    Result<void> split(PieceList& list) const override {
        if (m_addPrefixSpace)
            list = respelled(list, [](std::size_t, std::string_view piece, std::string& text) {
                if (piece.front() != ' ') text += ' ';
                text += piece;
            });
        if (m_words) TRY(m_words->split(list));
        list = respelled(list, [&](std::size_t, std::string_view piece, std::string& text) {
            for (const char byte : piece) text += byteCharacters()[static_cast<unsigned char>(byte)];
        });
        return {};
    }

private:
    bool m_addPrefixSpace;
    PreTokenizerPtr m_words;  // null without use_regex
};

// Spaces become a mark (U+2581), one is put before the text or every piece, and pieces are cut before each mark.
class Metaspace final : public PreTokenizer {
public:
    Metaspace(std::string mark, PrependScheme scheme, PreTokenizerPtr words)
        : m_mark(std::move(mark)), m_scheme(scheme), m_words(std::move(words)) {}

    Result<void> split(PieceList& list) const override {
        const bool startsText = list.startsWithText();
        list = respelled(list, [&](std::size_t index, std::string_view piece, std::string& text) {
            const bool wantsMark =
                m_scheme == PrependScheme::Always || (m_scheme == PrependScheme::First && index == 0 && startsText);
            if (wantsMark && piece.front() != ' ' && !piece.starts_with(m_mark)) text += m_mark;
            for (const char byte : piece) {
                if (byte == ' ')
                    text += m_mark;
                else
                    text += byte;
            }
        });
        return m_words ? m_words->split(list) : Result<void>();
    }

private:
    std::string m_mark;
    PrependScheme m_scheme;
    PreTokenizerPtr m_words;  // null without split
};

Result<SplitBehavior> parseBehavior(const JsonReader& reader, std::string other = "") {
    static constexpr std::array<std::pair<std::string_view, SplitBehavior>, 5> kNames{{
        {"Removed", SplitBehavior::Removed},
        {"Isolated", SplitBehavior::Isolated},
        {"MergedWithPrevious", SplitBehavior::MergedWithPrevious},
        {"MergedWithNext", SplitBehavior::MergedWithNext},
        {"Contiguous", SplitBehavior::Contiguous},
    }};
    TRY_ASSIGN(const std::string name, reader.stringOr("behavior", std::move(other)));
    for (const auto& [known, behavior] : kNames)
        if (name == known) return behavior;
    return reader.wrong("behavior", "one of Removed, Isolated, MergedWithPrevious, MergedWithNext, Contiguous");
}

PreTokenizerPtr splitAt(CharacterTest test, SplitBehavior behavior) {
    return std::make_unique<Split>(test, behavior, false);
}

Result<PreTokenizerPtr> splitAt(Result<Regex> pattern, SplitBehavior behavior, bool inverted = false) {
    TRY_ASSIGN(Regex compiled, std::move(pattern));
    return PreTokenizerPtr(std::make_unique<Split>(std::move(compiled), behavior, inverted));
}

std::string placeOf(const std::string& where) {
    return where + ": pre_tokenizer";
}

Result<PreTokenizerPtr> parseByteLevelSplit(const JsonReader& reader, const std::string& where) {
    TRY_ASSIGN(const bool addPrefixSpace, reader.boolOr("add_prefix_space", true));
    TRY_ASSIGN(const bool useRegex, reader.boolOr("use_regex", true));
    PreTokenizerPtr words;
    if (useRegex) {
        TRY_ASSIGN(words, splitAt(Regex::compile(kGpt2Pattern, placeOf(where)), SplitBehavior::Isolated));
    }
    return PreTokenizerPtr(std::make_unique<ByteLevel>(addPrefixSpace, std::move(words)));
}

Result<PreTokenizerPtr> parseBertSplit(const JsonReader&, const std::string&) {
    std::vector<PreTokenizerPtr> stages;
    stages.push_back(splitAt(isWhiteSpace, SplitBehavior::Removed));
    stages.push_back(splitAt(isPunctuation, SplitBehavior::Isolated));
    return PreTokenizerPtr(std::make_unique<PreTokenizerSequence>(std::move(stages)));
}

Result<PreTokenizerPtr> parseMetaspace(const JsonReader& reader, const std::string& where) {
    TRY_ASSIGN(MetaspaceSettings settings, parseMetaspaceSettings(reader));
    TRY_ASSIGN(const bool splits, reader.boolOr("split", true));
    PreTokenizerPtr words;
    if (splits) {
        TRY_ASSIGN(words, splitAt(Regex::literal(settings.mark, placeOf(where)), SplitBehavior::MergedWithNext));
    }
    return PreTokenizerPtr(std::make_unique<Metaspace>(std::move(settings.mark), settings.scheme, std::move(words)));
}

Result<PreTokenizerPtr> parseSplit(const JsonReader& reader, const std::string& where) {
    TRY_ASSIGN(const SplitBehavior behavior, parseBehavior(reader));
    TRY_ASSIGN(const bool inverted, reader.boolOr("invert", false));
    return splitAt(Regex::fromJson(reader, "pattern", placeOf(where)), behavior, inverted);
}

Result<PreTokenizerPtr> parseDigits(const JsonReader& reader, const std::string& where) {
    TRY_ASSIGN(const bool individual, reader.boolOr("individual_digits", false));
    return splitAt(Regex::compile("\\p{N}", placeOf(where)),
                   individual ? SplitBehavior::Isolated : SplitBehavior::Contiguous);
}

Result<PreTokenizerPtr> parsePunctuation(const JsonReader& reader, const std::string&) {
    TRY_ASSIGN(const SplitBehavior behavior, parseBehavior(reader, "Isolated"));
    return splitAt(isPunctuation, behavior);
}

Result<PreTokenizerPtr> parseWhitespaceSplit(const JsonReader&, const std::string&) {
    return splitAt(isWhiteSpace, SplitBehavior::Removed);
}

// Words and what stands between them; word characters are those of Rust's regex crate.
Result<PreTokenizerPtr> parseWhitespace(const JsonReader&, const std::string& where) {
    constexpr std::string_view kWord = R"(\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\x{200C}\x{200D})";
    const std::string pattern = "[" + std::string(kWord) + "]+|[^" + std::string(kWord) + "\\s]+";
    return splitAt(Regex::compile(pattern, placeOf(where)), SplitBehavior::Removed, true);
}

Result<PreTokenizerPtr> parseDelimiter(const JsonReader& reader, const std::string& where) {
    TRY_ASSIGN(const std::string delimiter, reader.string("delimiter"));
    if (countUtf8(delimiter) != 1) return reader.wrong("delimiter", "one character");
    return splitAt(Regex::literal(delimiter, placeOf(where)), SplitBehavior::Removed);
}

Result<PreTokenizerPtr> parseSplitSequence(const JsonReader& reader, const std::string& where) {
    const Json* list = reader.find("pretokenizers");
    if (!list || !list->is_array()) return reader.wrong("pretokenizers", "an array");
    std::vector<PreTokenizerPtr> stages;
    for (const Json& entry : *list) {
        TRY_ASSIGN(PreTokenizerPtr stage, parsePreTokenizer(entry, where));
        if (stage) stages.push_back(std::move(stage));
    }
    return PreTokenizerPtr(std::make_unique<PreTokenizerSequence>(std::move(stages)));
}

constexpr TypeEntry<PreTokenizerPtr> kPreTokenizerTypes[] = {
    {"BertPreTokenizer", parseBertSplit},   {"ByteLevel", parseByteLevelSplit},
    {"CharDelimiterSplit", parseDelimiter}, {"Digits", parseDigits},
    {"Metaspace", parseMetaspace},          {"Punctuation", parsePunctuation},
    {"Sequence", parseSplitSequence},       {"Split", parseSplit},
    {"Whitespace", parseWhitespace},        {"WhitespaceSplit", parseWhitespaceSplit},
};

}  // namespace

Result<std::unique_ptr<const PreTokenizer>> parsePreTokenizer(const Json& spec, const std::string& where) {
    if (spec.is_null()) return PreTokenizerPtr();
    return parseByType(kPreTokenizerTypes, "pre_tokenizer", spec, where);
}

Result<MetaspaceSettings> parseMetaspaceSettings(const JsonReader& reader) {
    MetaspaceSettings settings;
    TRY_ASSIGN(settings.mark, reader.stringOr("replacement", settings.mark));
    if (countUtf8(settings.mark) != 1) return reader.wrong("replacement", "one character");
    TRY_ASSIGN(const std::string scheme, reader.stringOr("prepend_scheme", "always"));
    TRY_ASSIGN(const bool prefixes, reader.boolOr("add_prefix_space", true));
    if (scheme == "first") settings.scheme = PrependScheme::First;
    if (scheme == "never") settings.scheme = PrependScheme::Never;
    if (scheme != "always" && scheme != "first" && scheme != "never")
        return reader.wrong("prepend_scheme", "one of always, first, never");
    if (!prefixes) settings.scheme = PrependScheme::Never;  // as files before "prepend_scheme" say it
    return settings;
}

}  // namespace espalier
