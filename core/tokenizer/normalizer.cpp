// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/tokenizer/normalizer.h"

#include <unicode/bytestream.h>
#include <unicode/edits.h>
#include <unicode/normalizer2.h>

#include <vector>

#include "core/tokenizer/regex.h"

namespace espalier {
namespace {

class NormalizerSequence final : public Normalizer {
public:
    explicit NormalizerSequence(std::vector<std::unique_ptr<const Normalizer>> stages) : m_stages(std::move(stages)) {}
    Result<MarkedText> apply(MarkedText text) const override {
        for (const auto& stage : m_stages) {
            TRY_ASSIGN(text, stage->apply(std::move(text)));
        }
        return text;
    }

private:
    std::vector<std::unique_ptr<const Normalizer>> m_stages;
};

// NFC, NFD, NFKC and NFKD through ICU.
class UnicodeForm final : public Normalizer {
public:
    explicit UnicodeForm(const icu::Normalizer2& form) : m_form(form) {}

    Result<MarkedText> apply(MarkedText text) const override {
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

    const icu::Normalizer2& m_form;
};

class Replace final : public Normalizer {
public:
    Replace(Regex pattern, std::string content) : m_pattern(std::move(pattern)), m_content(std::move(content)) {}
    Result<MarkedText> apply(MarkedText text) const override {
        std::vector<TextRange> matches;
        TRY(m_pattern.findAll(text.text, matches));
        if (matches.empty()) return text;
        MarkedText out;
        std::size_t at = 0;
        for (const TextRange& match : matches) {
            out.append(text, {at, match.begin});
            out.append(m_content, overlapsAny(text.verbatim, match));
            at = match.end;
        }
        out.append(text, {at, text.text.size()});
        return out;
    }

private:
    Regex m_pattern;
    std::string m_content;
};

class Prepend final : public Normalizer {
public:
    explicit Prepend(std::string content) : m_content(std::move(content)) {}
    Result<MarkedText> apply(MarkedText text) const override {
        if (text.text.empty()) return text;
        MarkedText out;
        out.append(m_content, false);
        out.append(text);
        return out;
    }

private:
    std::string m_content;
};

using NormalizerPtr = std::unique_ptr<const Normalizer>;

Result<NormalizerPtr> parseForm(const std::string& type) {
    UErrorCode status = U_ZERO_ERROR;
    const icu::Normalizer2* form = nullptr;
    if (type == "NFC") form = icu::Normalizer2::getNFCInstance(status);
    if (type == "NFD") form = icu::Normalizer2::getNFDInstance(status);
    if (type == "NFKC") form = icu::Normalizer2::getNFKCInstance(status);
    if (type == "NFKD") form = icu::Normalizer2::getNFKDInstance(status);
    if (!form) return fail(ErrorCode::Internal, "ICU has no data for " + type);
    return NormalizerPtr(std::make_unique<UnicodeForm>(*form));
}

Result<NormalizerPtr> parseSequence(const Json& spec, const JsonReader& reader, const std::string& where) {
    const Json* list = reader.find("normalizers");
    if (!list || !list->is_array()) return reader.wrong("normalizers", "an array");
    std::vector<NormalizerPtr> stages;
    for (const Json& entry : spec["normalizers"]) {
        TRY_ASSIGN(NormalizerPtr stage, parseNormalizer(entry, where));
        if (stage) stages.push_back(std::move(stage));
    }
    return NormalizerPtr(std::make_unique<NormalizerSequence>(std::move(stages)));
}

}  // namespace

Result<std::unique_ptr<const Normalizer>> parseNormalizer(const Json& spec, const std::string& where) {
    if (spec.is_null()) return NormalizerPtr();
    const std::string place = where + ": normalizer";
    const JsonReader reader(spec, place);
    TRY_ASSIGN(const std::string type, reader.string("type"));
    if (type == "Sequence") return parseSequence(spec, reader, where);
    if (type == "NFC" || type == "NFD" || type == "NFKC" || type == "NFKD") return parseForm(type);
    if (type == "Replace") {
        TRY_ASSIGN(Regex pattern, Regex::fromJson(reader, "pattern", place));
        TRY_ASSIGN(std::string content, reader.string("content"));
        return NormalizerPtr(std::make_unique<Replace>(std::move(pattern), std::move(content)));
    }
    if (type == "Prepend") {
        TRY_ASSIGN(std::string content, reader.string("prepend"));
        return NormalizerPtr(std::make_unique<Prepend>(std::move(content)));
    }
    return fail(ErrorCode::Unsupported, where + ": the normalizer \"" + type + "\" is not supported", where);
}

}  // namespace espalier
