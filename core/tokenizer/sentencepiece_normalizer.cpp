// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/tokenizer/sentencepiece_normalizer.h"

#include "core/tokenizer/utf8.h"

namespace espalier {
SentencePieceNormalizer::Step SentencePieceNormalizer::stepAt(std::string_view text) const {
    if (const std::size_t kept = m_kept.longestPrefix(text).first) return {kept, text.substr(0, kept)};
    if (m_rules)
        if (const auto rule = m_rules->longest(text)) return {rule->bytes, rule->replacement};
    const std::size_t bytes = decodeUtf8(text, 0).bytes;
    return {bytes, text.substr(0, bytes)};
}

Result<MarkedText> SentencePieceNormalizer::rewrite(MarkedText text, std::size_t most) const {
    const std::string_view source = text.text;
    const std::string_view space = m_spaces.marksSpaces ? kSpaceMark : " ";
    std::size_t at = 0;
    if (m_spaces.removesExtra)
        for (Step step; at < source.size() && (step = stepAt(source.substr(at))).becomes == " ";) at += step.bytes;
    MarkedText out;
    out.startsText = text.startsText && at == 0;
    if (at >= source.size()) return out;
    const bool addsSpace = m_spaces.addsPrefix && (text.startsText || !m_spaces.prefixesFirst);
    if (addsSpace && !m_spaces.isSuffix) out.append(space, false);
    bool followsSpace = m_spaces.removesExtra;
    while (at < source.size()) {
        Step step = stepAt(source.substr(at));
        const bool isVerbatim = overlapsAny(text.verbatim, {at, at + step.bytes});
        while (followsSpace && step.becomes.starts_with(' ')) step.becomes.remove_prefix(1);
        if (!step.becomes.empty()) {
            for (std::size_t i = 0; i < step.becomes.size(); ++i)
                out.append(step.becomes[i] == ' ' ? space : step.becomes.substr(i, 1), isVerbatim);
            followsSpace = m_spaces.removesExtra && step.becomes.ends_with(' ');
        }
        at += step.bytes;
        if (out.text.size() > most) return grownBeyond(most);
    }
    if (m_spaces.removesExtra)
        while (out.text.ends_with(space)) out.truncate(out.text.size() - space.size());
    if (addsSpace && m_spaces.isSuffix) out.append(space, false);
    return out;
}

}  // namespace espalier
