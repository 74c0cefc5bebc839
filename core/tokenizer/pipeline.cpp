// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/tokenizer/pipeline.h"

#include <algorithm>
#include <unordered_map>

#include "core/tokenizer/token_limits.h"
#include "core/tokenizer/utf8.h"

namespace espalier {
namespace {

// Repaired UTF-8 with the marks where they belong.
MarkedText markedText(std::string_view text, std::span<const TextRange> verbatim) {
    MarkedText marked;
    if (isValidUtf8(text)) {
        marked.text = text;
        marked.verbatim.assign(verbatim.begin(), verbatim.end());
        return marked;
    }
    for (std::size_t at = 0; at < text.size();) {
        const Utf8Char c = decodeUtf8(text, at);
        const bool isVerbatim = overlapsAny(verbatim, {at, at + c.bytes});
        marked.append(c.valid ? text.substr(at, c.bytes) : kReplacementCharacter, isVerbatim);
        at += c.bytes;
    }
    return marked;
}

class PipelineTokenizer final : public Tokenizer {
public:
    static Result<std::shared_ptr<const Tokenizer>> make(PipelineParts parts, const std::string& where);

    Result<std::vector<TokenId>> encode(std::string_view text, const EncodeOptions& options) const override;
    Result<std::string> decode(std::span<const TokenId> ids, bool skipSpecial) const override;
    Result<std::string> decodePiece(TokenId id, bool skipSpecial, bool isFirst) const override;
    std::int64_t vocabularySize() const override;
    std::optional<TokenId> idOf(std::string_view token) const override;
    std::optional<std::string> tokenOf(TokenId id) const override;
    bool isSpecial(TokenId id) const override;
    bool dropsFinalSpace() const override { return m_parts.decoder->dropsFinalSpace(); }
    std::string kind() const override { return m_parts.model->kind(); }

private:
    Result<void> add(AddedToken token, const std::string& where);
    Result<void> checkAgainstVocabulary(const AddedToken& token, const std::string& where) const;
    Result<void> encodePlain(std::string_view text, bool startsText, std::vector<TokenId>& ids) const;
    const std::string* spelling(TokenId id) const;

    Vocabulary m_added;
    std::unordered_map<TokenId, bool> m_isSpecial;         // of added tokens
    std::unordered_map<TokenId, std::string> m_decodedAs;  // added tokens that text holds in normalised form
    AddedTokenFinder m_inText;
    AddedTokenFinder m_inNormalizedText;
    PipelineParts m_parts;
};

Result<std::shared_ptr<const Tokenizer>> PipelineTokenizer::make(PipelineParts parts, const std::string& where) {
    auto tokenizer = std::make_shared<PipelineTokenizer>();
    auto added = std::move(parts.addedTokens);
    tokenizer->m_parts = std::move(parts);
    for (std::size_t i = 0; i < added.size(); ++i)
        TRY(tokenizer->add(std::move(added[i]), where + ": added_tokens[" + std::to_string(i) + "]"));
    return std::shared_ptr<const Tokenizer>(std::move(tokenizer));
}

Result<void> PipelineTokenizer::add(AddedToken token, const std::string& where) {
    if (token.content.empty()) return {};
    TRY(checkAgainstVocabulary(token, where));
    if (!m_added.insert(token.content, token.id)) return {};  // the same token once more
    m_isSpecial[token.id] = token.isSpecial;
    // GGUF and SentencePiece files list bytes. What is no text is found in none: it could cut a character in two.
    if (!isValidUtf8(token.content)) return {};
    if (!token.isNormalized) {
        m_inText.add(token.content, token);
    } else if (m_parts.normalizer) {
        auto normalized = m_parts.normalizer->apply({token.content, {}}, kMaxNormalizedTokenBytes);
        if (!normalized) return std::move(normalized).error().context(where);
        MarkedText pattern = std::move(normalized).value();
        m_inNormalizedText.add(pattern.text, token);
        m_decodedAs[token.id] = std::move(pattern.text);
    } else {
        m_inNormalizedText.add(token.content, token);
    }
    return {};
}

Result<void> PipelineTokenizer::checkAgainstVocabulary(const AddedToken& token, const std::string& where) const {
    const Vocabulary& model = m_parts.model->vocabulary();
    for (const Vocabulary* table : {&model, &m_added}) {
        const auto id = table->idOf(token.content);
        if (id && *id != token.id)
            return fail(ErrorCode::CorruptFile,
                        where + ": " + inQuotes(token.content) + " has the id " + std::to_string(token.id) +
                            ", but elsewhere in the file it has " + std::to_string(*id),
                        where);
        const std::string* other = table->tokenOf(token.id);
        if (other && *other != token.content)
            return fail(ErrorCode::CorruptFile,
                        where + ": " + inQuotes(token.content) + " has the id " + std::to_string(token.id) +
                            ", which belongs to " + inQuotes(*other),
                        where);
    }
    return {};
}

Result<std::vector<TokenId>> PipelineTokenizer::encode(std::string_view text, const EncodeOptions& options) const {
    if (text.size() > kMaxEncodedBytes) return tooMany("tokenize", "bytes of text", text.size(), kMaxEncodedBytes);
    std::vector<TokenId> ids;
    if (options.addSpecial) ids = m_parts.postProcessor.before;
    const MarkedText whole = markedText(text, options.verbatim);
    for (const auto& segment : m_inText.cut(whole.text, whole.verbatim)) {
        if (segment.id) {
            ids.push_back(*segment.id);
            continue;
        }
        MarkedText part = whole.slice(segment.range);
        if (m_parts.normalizer) {
            const std::size_t most = mostNormalizedBytes(part.text.size());
            TRY_ASSIGN(part, m_parts.normalizer->apply(std::move(part), most));
        }
        for (const auto& inner : m_inNormalizedText.cut(part.text, part.verbatim)) {
            const auto [begin, end] = inner.range;
            if (inner.id)
                ids.push_back(*inner.id);
            else
                TRY(encodePlain(std::string_view(part.text).substr(begin, end - begin), part.startsText && begin == 0,
                                ids));
        }
    }
    if (options.addSpecial)
        ids.insert(ids.end(), m_parts.postProcessor.after.begin(), m_parts.postProcessor.after.end());
    return ids;
}

Result<void> PipelineTokenizer::encodePlain(std::string_view text, bool startsText, std::vector<TokenId>& ids) const {
    PieceList list(text, startsText);
    if (m_parts.preTokenizer) TRY(m_parts.preTokenizer->split(list));
    m_parts.model->tokenize(list, ids);
    return {};
}

const std::string* PipelineTokenizer::spelling(TokenId id) const {
    const std::string* added = m_added.tokenOf(id);
    return added ? added : m_parts.model->vocabulary().tokenOf(id);
}

Result<std::string> PipelineTokenizer::decodePiece(TokenId id, bool skipSpecial, bool isFirst) const {
    const std::string* token = spelling(id);
    if (!token)
        return fail(ErrorCode::InvalidArgument, "the id " + std::to_string(id) +
                                                    " is not in the vocabulary (largest id " +
                                                    std::to_string(vocabularySize() - 1) + ")");
    if (skipSpecial && isSpecial(id)) return std::string();
    const auto normalized = m_decodedAs.find(id);
    return m_parts.decoder->decode(normalized == m_decodedAs.end() ? *token : normalized->second, isFirst);
}

Result<std::string> PipelineTokenizer::decode(std::span<const TokenId> ids, bool skipSpecial) const {
    std::string bytes;
    bool isFirst = true;
    for (const TokenId id : ids) {
        TRY_ASSIGN(const std::string piece, decodePiece(id, skipSpecial, isFirst));
        bytes += piece;
        if (!(skipSpecial && isSpecial(id))) isFirst = false;
    }
    if (dropsFinalSpace() && bytes.ends_with(' ')) bytes.pop_back();
    return repairUtf8(bytes);
}

std::int64_t PipelineTokenizer::vocabularySize() const {
    return std::int64_t{std::max(m_added.largestId(), m_parts.model->vocabulary().largestId())} + 1;
}

std::optional<TokenId> PipelineTokenizer::idOf(std::string_view token) const {
    const auto added = m_added.idOf(token);
    return added ? added : m_parts.model->vocabulary().idOf(token);
}

std::optional<std::string> PipelineTokenizer::tokenOf(TokenId id) const {
    const std::string* token = spelling(id);
    return token ? std::optional(*token) : std::nullopt;
}

bool PipelineTokenizer::isSpecial(TokenId id) const {
    const auto found = m_isSpecial.find(id);
    return found != m_isSpecial.end() && found->second;
}

}  // namespace

Result<std::shared_ptr<const Tokenizer>> makePipeline(PipelineParts parts, const std::string& where) {
    return PipelineTokenizer::make(std::move(parts), where);
}

StreamDecoder::StreamDecoder(std::shared_ptr<const Tokenizer> tokenizer, bool skipSpecial)
    : m_tokenizer(std::move(tokenizer)), m_skipSpecial(skipSpecial) {}

Result<std::string> StreamDecoder::push(TokenId id) {
    TRY_ASSIGN(const std::string piece, m_tokenizer->decodePiece(id, m_skipSpecial, m_first));
    if (!(m_skipSpecial && m_tokenizer->isSpecial(id))) m_first = false;
    m_pending += piece;
    std::size_t whole = completeUtf8(m_pending);
    if (m_tokenizer->dropsFinalSpace() && whole > 0 && whole == m_pending.size() && m_pending.back() == ' ') --whole;
    std::string text = repairUtf8(std::string_view(m_pending).substr(0, whole));
    m_pending.erase(0, whole);
    return text;
}

std::string StreamDecoder::finish() {
    if (m_tokenizer->dropsFinalSpace() && m_pending.ends_with(' ')) m_pending.pop_back();
    std::string rest = repairUtf8(m_pending);
    m_pending.clear();
    return rest;
}

}  // namespace espalier
