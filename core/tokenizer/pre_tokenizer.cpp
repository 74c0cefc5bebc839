// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/tokenizer/pre_tokenizer.h"

#include <algorithm>
#include <array>

#include "core/tokenizer/byte_alphabet.h"
#include "core/tokenizer/regex.h"
#include "core/tokenizer/split_rules.h"

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

class Split final : public PreTokenizer {
public:
    Split(Regex pattern, SplitBehavior behavior, bool inverted)
        : m_pattern(std::move(pattern)), m_behavior(behavior), m_inverted(inverted) {}

    Result<void> split(PieceList& list) const override {
        std::vector<TextRange> refined;
        std::vector<TextRange> matches;
        for (std::size_t i = 0; i < list.pieces.size(); ++i) {
            matches.clear();
            TRY(m_pattern.findAll(list.piece(i), matches));
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

    Regex m_pattern;
    SplitBehavior m_behavior;
    bool m_inverted;
};

// Respells each piece in the byte alphabet, with a leading space when asked for.
class ByteLevel final : public PreTokenizer {
public:
    ByteLevel(bool addPrefixSpace, PreTokenizerPtr words)
        : m_addPrefixSpace(addPrefixSpace), m_words(std::move(words)) {}

    Result<void> split(PieceList& list) const override {
        if (m_addPrefixSpace) prefixSpaces(list);
        if (m_words) TRY(m_words->split(list));
        PieceList spelled("");
        spelled.pieces.clear();
        spelled.pieces.reserve(list.pieces.size());
        spelled.text.reserve(list.text.size() + list.text.size() / 4);
        const auto& characters = byteCharacters();
        for (std::size_t i = 0; i < list.pieces.size(); ++i) {
            const std::size_t begin = spelled.text.size();
            for (const char byte : list.piece(i)) spelled.text += characters[static_cast<unsigned char>(byte)];
            spelled.pieces.push_back({begin, spelled.text.size()});
        }
        list = std::move(spelled);
        return {};
    }

private:
    static void prefixSpaces(PieceList& list) {
        PieceList spaced("");
        spaced.pieces.clear();
        for (std::size_t i = 0; i < list.pieces.size(); ++i) {
            const std::size_t begin = spaced.text.size();
            const std::string_view piece = list.piece(i);
            if (piece.empty()) continue;
            if (piece.front() != ' ') spaced.text += ' ';
            spaced.text += piece;
            spaced.pieces.push_back({begin, spaced.text.size()});
        }
        list = std::move(spaced);
    }

    bool m_addPrefixSpace;
    PreTokenizerPtr m_words;  // null without use_regex
};

Result<SplitBehavior> parseBehavior(const JsonReader& reader) {
    static constexpr std::array<std::pair<std::string_view, SplitBehavior>, 5> kNames{{
        {"Removed", SplitBehavior::Removed},
        {"Isolated", SplitBehavior::Isolated},
        {"MergedWithPrevious", SplitBehavior::MergedWithPrevious},
        {"MergedWithNext", SplitBehavior::MergedWithNext},
        {"Contiguous", SplitBehavior::Contiguous},
    }};
    TRY_ASSIGN(const std::string name, reader.string("behavior"));
    for (const auto& [known, behavior] : kNames)
        if (name == known) return behavior;
    return reader.wrong("behavior", "one of Removed, Isolated, MergedWithPrevious, MergedWithNext, Contiguous");
}

Result<PreTokenizerPtr> makeSplit(Result<Regex> pattern, SplitBehavior behavior, bool inverted) {
    TRY_ASSIGN(Regex compiled, std::move(pattern));
    return PreTokenizerPtr(std::make_unique<Split>(std::move(compiled), behavior, inverted));
}

Result<PreTokenizerPtr> parseByteLevel(const JsonReader& reader, const std::string& where) {
    TRY_ASSIGN(const bool addPrefixSpace, reader.boolOr("add_prefix_space", true));
    TRY_ASSIGN(const bool useRegex, reader.boolOr("use_regex", true));
    PreTokenizerPtr words;
    if (useRegex) {
        TRY_ASSIGN(words, makeSplit(Regex::compile(kGpt2Pattern, where), SplitBehavior::Isolated, false));
    }
    return PreTokenizerPtr(std::make_unique<ByteLevel>(addPrefixSpace, std::move(words)));
}

Result<PreTokenizerPtr> parseSequence(const JsonReader& reader, const std::string& where) {
    const Json* list = reader.find("pretokenizers");
    if (!list || !list->is_array()) return reader.wrong("pretokenizers", "an array");
    std::vector<PreTokenizerPtr> stages;
    for (const Json& entry : *list) {
        TRY_ASSIGN(PreTokenizerPtr stage, parsePreTokenizer(entry, where));
        if (stage) stages.push_back(std::move(stage));
    }
    return PreTokenizerPtr(std::make_unique<PreTokenizerSequence>(std::move(stages)));
}

}  // namespace

Result<std::unique_ptr<const PreTokenizer>> parsePreTokenizer(const Json& spec, const std::string& where) {
    if (spec.is_null()) return PreTokenizerPtr();
    const std::string place = where + ": pre_tokenizer";
    const JsonReader reader(spec, place);
    TRY_ASSIGN(const std::string type, reader.string("type"));
    if (type == "Sequence") return parseSequence(reader, where);
    if (type == "ByteLevel") return parseByteLevel(reader, place);
    if (type == "Split") {
        TRY_ASSIGN(const SplitBehavior behavior, parseBehavior(reader));
        TRY_ASSIGN(const bool inverted, reader.boolOr("invert", false));
        return makeSplit(Regex::fromJson(reader, "pattern", place), behavior, inverted);
    }
    if (type == "Digits") {
        TRY_ASSIGN(const bool individual, reader.boolOr("individual_digits", false));
        return makeSplit(Regex::compile("\\p{N}", place),
                         individual ? SplitBehavior::Isolated : SplitBehavior::Contiguous, false);
    }
    return fail(ErrorCode::Unsupported, where + ": the pre-tokenizer \"" + type + "\" is not supported", where);
}

}  // namespace espalier
