// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/tokenizer/normalizer.h"

#include <unicode/bytestream.h>
#include <unicode/edits.h>
#include <unicode/normalizer2.h>
#include <unicode/uniset.h>

#include <vector>

#include "core/tokenizer/base64.h"
#include "core/tokenizer/byte_alphabet.h"
#include "core/tokenizer/charsmap.h"
#include "core/tokenizer/graphemes.h"
#include "core/tokenizer/regex.h"
#include "core/tokenizer/text_rewriter.h"
#include "core/tokenizer/type_table.h"
#include "core/tokenizer/unicode_classes.h"

namespace espalier {
namespace {

class NormalizerSequence final : public Normalizer {
public:
    explicit NormalizerSequence(std::vector<std::unique_ptr<const Normalizer>> stages) : m_stages(std::move(stages)) {}
    Result<MarkedText> rewrite(MarkedText text, std::size_t most) const override {
        for (const auto& stage : m_stages) {
            TRY_ASSIGN(text, stage->apply(std::move(text), most));
        }
        return text;
    }

private:
    std::vector<std::unique_ptr<const Normalizer>> m_stages;
};

// NFC, NFD, NFKC and NFKD through ICU, for the characters that `tokenizers` knows; later ones stay as they are.
class UnicodeForm final : public Normalizer {
public:
    UnicodeForm(const icu::Normalizer2& form, const icu::UnicodeSet& known) : m_form(form, known) {}

    Result<MarkedText> rewrite(MarkedText text, std::size_t) const override {
        UErrorCode status = U_ZERO_ERROR;
        const icu::StringPiece source(text.text.data(), static_cast<std::int32_t>(text.text.size()));
        if (m_form.isNormalizedUTF8(source, status) && U_SUCCESS(status)) return text;
        status = U_ZERO_ERROR;
        MarkedText out;
        icu::StringByteSink<std::string> sink(&out.text, source.length());
        icu::Edits edits;
        m_form.normalizeUTF8(0, source, sink, &edits, status);
        if (U_FAILURE(status))
            return fail(ErrorCode::Unsupported, std::string("the text cannot be normalised: ") + u_errorName(status));
        if (!text.verbatim.empty()) out = remarked(text, out.text, edits);
        out.startsText = text.startsText;
        return out;
    }

private:
    // Carries the marks over, edit by edit: what comes of a stretch that holds verbatim bytes is verbatim.
    static MarkedText remarked(const MarkedText& source, std::string_view changed, const icu::Edits& edits) {
        MarkedText out;
        UErrorCode status = U_ZERO_ERROR;
        std::size_t from = 0, to = 0;
        for (auto edit = edits.getFineIterator(); edit.next(status);) {
            const auto taken = static_cast<std::size_t>(edit.oldLength());
            const auto given = static_cast<std::size_t>(edit.newLength());
            if (edit.hasChange())
                out.append(changed.substr(to, given), overlapsAny(source.verbatim, {from, from + taken}));
            else
                out.append(source, {from, from + taken});
            from += taken;
            to += given;
        }
        return out;
    }

    const icu::FilteredNormalizer2 m_form;
};

class Replace final : public Normalizer {
public:
    Replace(Regex pattern, std::string content) : m_pattern(std::move(pattern)), m_content(std::move(content)) {}
    Result<MarkedText> rewrite(MarkedText text, std::size_t most) const override {
        std::vector<TextRange> matches;
        TRY(m_pattern.findAll(text.text, matches));
        if (matches.empty()) return text;
        if (m_content.size() > most / matches.size()) return grownBeyond(most);
        TextRewriter out(text);
        std::size_t at = 0;
        for (const TextRange& match : matches) {
            out.keep({at, match.begin});
            out.put(m_content, match, lastCharacter(text.text, match));
            at = match.end;
        }
        out.keep({at, text.text.size()});
        return out.finish();
    }

private:
    static std::size_t lastCharacter(std::string_view text, TextRange match) {
        std::size_t at = match.end;
        while (at > match.begin && (static_cast<unsigned char>(text[--at]) & 0xC0) == 0x80) {
        }
        return at;
    }

    Regex m_pattern;
    std::string m_content;
};

class Prepend final : public Normalizer {
public:
    explicit Prepend(std::string content) : m_content(std::move(content)) {}
    Result<MarkedText> rewrite(MarkedText text, std::size_t) const override {
        if (text.text.empty()) return text;
        MarkedText out;
        out.append(m_content, false);
        out.append(text);
        out.startsText = text.startsText;
        return out;
    }

private:
    std::string m_content;
};

// Calls a function for each character: visit(code, range, rewriter).
template <class Visit>
class Characters final : public Normalizer {
public:
    explicit Characters(Visit visit) : m_visit(std::move(visit)) {}
    Result<MarkedText> rewrite(MarkedText text, std::size_t) const override { return rewriteCharacters(text, m_visit); }

private:
    Visit m_visit;
};

class Strip final : public Normalizer {
public:
    Strip(bool left, bool right) : m_left(left), m_right(right) {}
    Result<MarkedText> rewrite(MarkedText text, std::size_t) const override {
        std::optional<std::size_t> begin;
        std::size_t end = 0;
        for (std::size_t at = 0; at < text.text.size();) {
            const Utf8Char c = decodeUtf8(text.text, at);
            at += c.bytes;
            if (isWhiteSpace(c.code)) continue;
            if (!begin) begin = at - c.bytes;
            end = at;
        }
        const TextRange kept{m_left ? begin.value_or(text.text.size()) : 0, m_right ? end : text.text.size()};
        return kept.begin < kept.end ? text.slice(kept) : MarkedText();
    }

private:
    bool m_left;
    bool m_right;
};

// The rules of a SentencePiece model as `tokenizers` applies them: a short grapheme cluster is replaced whole by the
// shortest rule that it begins with, else its characters are looked up one by one.
class Precompiled final : public Normalizer {
public:
    explicit Precompiled(Charsmap rules) : m_rules(std::move(rules)) {}
    Result<MarkedText> rewrite(MarkedText text, std::size_t most) const override {
        constexpr std::size_t kWholeBelow = 6;  // bytes
        TextRewriter out(text);
        for (std::size_t at = 0; at < text.text.size();) {
            const std::size_t end = graphemeEnd(text.text, at);
            if (end - at >= kWholeBelow || !replaced(text.text, {at, end}, out))
                for (std::size_t next; at < end; at = next) {
                    next = at + decodeUtf8(text.text, at).bytes;
                    if (!replaced(text.text, {at, next}, out)) out.keep({at, next});
                }
            at = end;
            if (out.size() > most) return grownBeyond(most);
        }
        MarkedText rewritten = out.finish();
        rewritten.startsText = text.startsText;  // `tokenizers` counts from the start whatever was dropped there
        return rewritten;
    }

private:
    bool replaced(std::string_view text, TextRange range, TextRewriter& out) const {
        const auto rule = m_rules.shortest(text.substr(range.begin, range.end - range.begin));
        if (rule) out.put(rule->replacement, range);
        return rule.has_value();
    }

    Charsmap m_rules;
};

using NormalizerPtr = std::unique_ptr<const Normalizer>;

template <class Visit>
NormalizerPtr characters(Visit visit) {
    return std::make_unique<Characters<Visit>>(std::move(visit));
}

Result<NormalizerPtr> parseForm(const JsonReader& reader, const std::string&) {
    UErrorCode status = U_ZERO_ERROR;
    const icu::Normalizer2* form = nullptr;
    TRY_ASSIGN(const std::string type, reader.string("type"));
    if (type == "NFC") form = icu::Normalizer2::getNFCInstance(status);
    if (type == "NFD") form = icu::Normalizer2::getNFDInstance(status);
    if (type == "NFKC") form = icu::Normalizer2::getNFKCInstance(status);
    if (type == "NFKD") form = icu::Normalizer2::getNFKDInstance(status);
    // The tables of `tokenizers` are those of Unicode 9.
    static const icu::UnicodeSet known = [] {
        UErrorCode error = U_ZERO_ERROR;
        icu::UnicodeSet set(UNICODE_STRING_SIMPLE("[:age=9.0:]"), error);
        set.freeze();
        return set;
    }();
    if (!form || known.isEmpty()) return fail(ErrorCode::Internal, "ICU has no data for " + type);
    return NormalizerPtr(std::make_unique<UnicodeForm>(*form, known));
}

Result<NormalizerPtr> parseReplaceNormalizer(const JsonReader& reader, const std::string& where) {
    TRY_ASSIGN(Regex pattern, Regex::fromJson(reader, "pattern", where + ": normalizer"));
    TRY_ASSIGN(std::string content, reader.string("content"));
    return NormalizerPtr(std::make_unique<Replace>(std::move(pattern), std::move(content)));
}

Result<NormalizerPtr> parsePrepend(const JsonReader& reader, const std::string&) {
    TRY_ASSIGN(std::string content, reader.string("prepend"));
    return NormalizerPtr(std::make_unique<Prepend>(std::move(content)));
}

Result<NormalizerPtr> parseStripNormalizer(const JsonReader& reader, const std::string&) {
    TRY_ASSIGN(const bool left, reader.boolOr("strip_left", true));
    TRY_ASSIGN(const bool right, reader.boolOr("strip_right", true));
    return NormalizerPtr(std::make_unique<Strip>(left, right));
}

NormalizerPtr lowercase() {
    return characters([](char32_t code, TextRange range, TextRewriter& out) {
        std::string lower;
        appendLowerCase(lower, code);
        out.put(lower, range);
    });
}

NormalizerPtr without(bool (*isDropped)(char32_t)) {
    return characters([isDropped](char32_t code, TextRange range, TextRewriter& out) {
        if (!isDropped(code)) out.keep(range);
    });
}

Result<NormalizerPtr> parseLowercase(const JsonReader&, const std::string&) {
    return lowercase();
}

Result<NormalizerPtr> parseStripAccents(const JsonReader&, const std::string&) {
    return without(isCombiningMark);
}

// The clean-up of Google's neural machine translation.
Result<NormalizerPtr> parseNmt(const JsonReader&, const std::string&) {
    return characters([](char32_t code, TextRange range, TextRewriter& out) {
        const bool isDropped = (code >= 0x01 && code <= 0x08) || code == 0x0B || (code >= 0x0E && code <= 0x1F) ||
                               code == 0x7F || code == 0x8F || code == 0x9F;
        const bool isSpace = code == 0x09 || code == 0x0A || code == 0x0C || code == 0x0D || code == 0x1680 ||
                             (code >= 0x200B && code <= 0x200F) || code == 0x2028 || code == 0x2029 || code == 0x2581 ||
                             code == 0xFEFF || code == 0xFFFD;
        if (isSpace)
            out.put(" ", range);
        else if (!isDropped)
            out.keep(range);
    });
}

NormalizerPtr cleanText() {
    return characters([](char32_t code, TextRange range, TextRewriter& out) {
        const bool isControlSpace = code == '\t' || code == '\n' || code == '\r';
        if (isControlSpace || (isWhiteSpace(code) && !isOtherCharacter(code)))
            out.put(" ", range);
        else if (code != 0xFFFD && !isOtherCharacter(code))
            out.keep(range);
    });
}

NormalizerPtr spacedIdeographs() {
    return characters([](char32_t code, TextRange range, TextRewriter& out) {
        if (!isCjkIdeograph(code)) return out.keep(range);
        out.put(" ", range);
        out.keep(range);
        out.put(" ", range);
    });
}

// Devlin et al. 2019, as published with the code.
Result<NormalizerPtr> parseBertNormalizer(const JsonReader& reader, const std::string& where) {
    TRY_ASSIGN(const bool cleans, reader.boolOr("clean_text", true));
    TRY_ASSIGN(const bool spacesIdeographs, reader.boolOr("handle_chinese_chars", true));
    TRY_ASSIGN(const bool lowers, reader.boolOr("lowercase", true));
    TRY_ASSIGN(const bool stripsAccents, reader.boolOr("strip_accents", lowers));
    std::vector<NormalizerPtr> stages;
    if (cleans) stages.push_back(cleanText());
    if (spacesIdeographs) stages.push_back(spacedIdeographs());
    if (stripsAccents) {
        TRY_ASSIGN(NormalizerPtr decomposed, parseNormalizer({{"type", "NFD"}}, where));
        stages.push_back(std::move(decomposed));
        stages.push_back(without(isNonspacingMark));
    }
    if (lowers) stages.push_back(lowercase());
    return NormalizerPtr(std::make_unique<NormalizerSequence>(std::move(stages)));
}

Result<NormalizerPtr> parseByteLevelNormalizer(const JsonReader&, const std::string&) {
    return characters([](char32_t code, TextRange range, TextRewriter& out) {
        std::string bytes, spelled;
        appendUtf8(bytes, code);
        for (const char byte : bytes) spelled += byteCharacters()[static_cast<unsigned char>(byte)];
        out.put(spelled, range);
    });
}

Result<NormalizerPtr> parsePrecompiled(const JsonReader& reader, const std::string& where) {
    const std::string place = where + ": normalizer: \"precompiled_charsmap\"";
    TRY_ASSIGN(const std::string encoded, reader.string("precompiled_charsmap"));
    if (encoded.empty()) return NormalizerPtr();
    const auto bytes = bytesOfBase64(encoded);
    if (!bytes) return fail(ErrorCode::CorruptFile, place + " is not base64", where);
    TRY_ASSIGN(Charsmap rules, Charsmap::parse(*bytes, place));
    return NormalizerPtr(std::make_unique<Precompiled>(std::move(rules)));
}

Result<NormalizerPtr> parseNormalizerSequence(const JsonReader& reader, const std::string& where) {
    const Json* list = reader.find("normalizers");
    if (!list || !list->is_array()) return reader.wrong("normalizers", "an array");
    std::vector<NormalizerPtr> stages;
    for (const Json& entry : *list) {
        TRY_ASSIGN(NormalizerPtr stage, parseNormalizer(entry, where));
        if (stage) stages.push_back(std::move(stage));
    }
    return NormalizerPtr(std::make_unique<NormalizerSequence>(std::move(stages)));
}

constexpr TypeEntry<NormalizerPtr> kNormalizerTypes[] = {
    {"BertNormalizer", parseBertNormalizer},
    {"ByteLevel", parseByteLevelNormalizer},
    {"Lowercase", parseLowercase},
    {"NFC", parseForm},
    {"NFD", parseForm},
    {"NFKC", parseForm},
    {"NFKD", parseForm},
    {"Nmt", parseNmt},
    {"Precompiled", parsePrecompiled},
    {"Prepend", parsePrepend},
    {"Replace", parseReplaceNormalizer},
    {"Sequence", parseNormalizerSequence},
    {"Strip", parseStripNormalizer},
    {"StripAccents", parseStripAccents},
};

}  // namespace

Error Normalizer::grownBeyond(std::size_t most) {
    return fail(ErrorCode::TooLarge,
                "the normalizer makes the text longer than the " + std::to_string(most) + " bytes allowed");
}

Result<MarkedText> Normalizer::apply(MarkedText text, std::size_t most) const {
    TRY_ASSIGN(MarkedText rewritten, rewrite(std::move(text), most));
    if (rewritten.text.size() > most) return grownBeyond(most);
    return rewritten;
}

Result<std::unique_ptr<const Normalizer>> parseNormalizer(const Json& spec, const std::string& where) {
    if (spec.is_null()) return NormalizerPtr();
    return parseByType(kNormalizerTypes, "normalizer", spec, where);
}

}  // namespace espalier
