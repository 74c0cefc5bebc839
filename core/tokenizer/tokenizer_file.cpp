// SPDX-License-Identifier: GPL-3.0-or-later
// tokenizer.json: {"added_tokens", "normalizer", "pre_tokenizer", "model", "post_processor", "decoder"}, each member
// read by the unit it belongs to and run in that order.
#include <unordered_map>

#include "core/tokenizer/added_tokens.h"
#include "core/tokenizer/normalizer.h"
#include "core/tokenizer/post_processor.h"
#include "core/tokenizer/pre_tokenizer.h"
#include "core/tokenizer/token_decoder.h"
#include "core/tokenizer/token_limits.h"
#include "core/tokenizer/token_model.h"
#include "core/tokenizer/tokenizer.h"
#include "core/tokenizer/utf8.h"

namespace espalier {
namespace {

Result<AddedToken> readAddedToken(const Json& entry, const std::string& where) {
    const JsonReader reader(entry, where);
    AddedToken token;
    TRY_ASSIGN(const std::int64_t id, reader.integer("id", 0, kMaxTokenId));
    token.id = static_cast<TokenId>(id);
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
    static Result<std::shared_ptr<const Tokenizer>> parse(const Json& file, const std::string& where);

    Result<std::vector<TokenId>> encode(std::string_view text, const EncodeOptions& options) const override;
    Result<std::string> decode(std::span<const TokenId> ids, bool skipSpecial) const override;
    Result<std::string> decodePiece(TokenId id, bool skipSpecial, bool isFirst) const override;
    std::int64_t vocabularySize() const override;
    std::optional<TokenId> idOf(std::string_view token) const override;
    std::optional<std::string> tokenOf(TokenId id) const override;
    bool isSpecial(TokenId id) const override;

private:
    Result<void> readAddedTokens(const Json& list, const std::string& where);
    Result<void> checkAgainstVocabulary(const AddedToken& token, const std::string& where) const;
    Result<void> encodePlain(std::string_view text, std::vector<TokenId>& ids) const;
    const std::string* spelling(TokenId id) const;

    Vocabulary m_added;
    std::unordered_map<TokenId, bool> m_isSpecial;  // of added tokens
    AddedTokenFinder m_inText;
    AddedTokenFinder m_inNormalizedText;
    std::unique_ptr<const Normalizer> m_normalizer;
    std::unique_ptr<const PreTokenizer> m_preTokenizer;
    std::unique_ptr<const TokenModel> m_model;
    PostProcessor m_postProcessor;
    std::unique_ptr<const TokenDecoder> m_decoder;
};

Result<std::shared_ptr<const Tokenizer>> PipelineTokenizer::parse(const Json& file, const std::string& where) {
    if (!file.is_object())
        return fail(ErrorCode::CorruptFile, where + ": expected an object, found " + brief(file), where);
    const auto member = [&](const char* key) -> const Json& {
        static const Json null;
        const auto found = file.find(key);
        return found == file.end() ? null : *found;
    };
    auto tokenizer = std::make_shared<PipelineTokenizer>();
    TRY_ASSIGN(tokenizer->m_model, parseTokenModel(member("model"), where));
    TRY_ASSIGN(tokenizer->m_normalizer, parseNormalizer(member("normalizer"), where));
    TRY_ASSIGN(tokenizer->m_preTokenizer, parsePreTokenizer(member("pre_tokenizer"), where));
    TRY_ASSIGN(tokenizer->m_postProcessor, parsePostProcessor(member("post_processor"), where));
    TRY_ASSIGN(tokenizer->m_decoder, parseTokenDecoder(member("decoder"), where));
    TRY(tokenizer->readAddedTokens(member("added_tokens"), where));
    return std::shared_ptr<const Tokenizer>(std::move(tokenizer));
}

Result<void> PipelineTokenizer::readAddedTokens(const Json& list, const std::string& where) {
    if (list.is_null()) return {};
    if (!list.is_array())
        return fail(ErrorCode::CorruptFile, where + ": \"added_tokens\" must be an array, found " + brief(list), where);
    if (list.size() > kMaxAddedTokens) return tooMany(where, "added tokens", list.size(), kMaxAddedTokens);
    for (std::size_t i = 0; i < list.size(); ++i) {
        const std::string place = where + ": added_tokens[" + std::to_string(i) + "]";
        TRY_ASSIGN(const AddedToken token, readAddedToken(list[i], place));
        if (token.content.empty()) continue;
        TRY(checkAgainstVocabulary(token, place));
        if (!m_added.insert(token.content, token.id)) continue;  // the same token once more
        m_isSpecial[token.id] = token.isSpecial;
        if (!token.isNormalized) {
            m_inText.add(token.content, token);
        } else if (m_normalizer) {
            TRY_ASSIGN(const MarkedText pattern, m_normalizer->apply({token.content, {}}));
            m_inNormalizedText.add(pattern.text, token);
        } else {
            m_inNormalizedText.add(token.content, token);
        }
    }
    return {};
}

Result<void> PipelineTokenizer::checkAgainstVocabulary(const AddedToken& token, const std::string& where) const {
    const Vocabulary& model = m_model->vocabulary();
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
    if (options.addSpecial) ids = m_postProcessor.before;
    const MarkedText whole = markedText(text, options.verbatim);
    for (const auto& segment : m_inText.cut(whole.text, whole.verbatim)) {
        if (segment.id) {
            ids.push_back(*segment.id);
            continue;
        }
        MarkedText part = whole.slice(segment.range);
        if (m_normalizer) {
            TRY_ASSIGN(part, m_normalizer->apply(std::move(part)));
        }
        for (const auto& inner : m_inNormalizedText.cut(part.text, part.verbatim)) {
            if (inner.id)
                ids.push_back(*inner.id);
            else
                TRY(encodePlain(
                    std::string_view(part.text).substr(inner.range.begin, inner.range.end - inner.range.begin), ids));
        }
    }
    if (options.addSpecial) ids.insert(ids.end(), m_postProcessor.after.begin(), m_postProcessor.after.end());
    return ids;
}

Result<void> PipelineTokenizer::encodePlain(std::string_view text, std::vector<TokenId>& ids) const {
    PieceList list(text);
    if (m_preTokenizer) TRY(m_preTokenizer->split(list));
    m_model->tokenize(list, ids);
    return {};
}

const std::string* PipelineTokenizer::spelling(TokenId id) const {
    const std::string* added = m_added.tokenOf(id);
    return added ? added : m_model->vocabulary().tokenOf(id);
}

Result<std::string> PipelineTokenizer::decodePiece(TokenId id, bool skipSpecial, bool isFirst) const {
    const std::string* token = spelling(id);
    if (!token)
        return fail(ErrorCode::InvalidArgument, "the id " + std::to_string(id) +
                                                    " is not in the vocabulary (largest id " +
                                                    std::to_string(vocabularySize() - 1) + ")");
    if (skipSpecial && isSpecial(id)) return std::string();
    return m_decoder->decode(*token, isFirst);
}

Result<std::string> PipelineTokenizer::decode(std::span<const TokenId> ids, bool skipSpecial) const {
    std::string bytes;
    bool isFirst = true;
    for (const TokenId id : ids) {
        TRY_ASSIGN(const std::string piece, decodePiece(id, skipSpecial, isFirst));
        bytes += piece;
        if (!(skipSpecial && isSpecial(id))) isFirst = false;
    }
    return repairUtf8(bytes);
}

std::int64_t PipelineTokenizer::vocabularySize() const {
    return std::int64_t{std::max(m_added.largestId(), m_model->vocabulary().largestId())} + 1;
}

std::optional<TokenId> PipelineTokenizer::idOf(std::string_view token) const {
    const auto added = m_added.idOf(token);
    return added ? added : m_model->vocabulary().idOf(token);
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

Result<std::shared_ptr<const Tokenizer>> parseTokenizer(std::string_view json, std::string_view where) {
    TRY_ASSIGN(const Json file, parseJson(json, where));
    return PipelineTokenizer::parse(file, std::string(where));
}

StreamDecoder::StreamDecoder(std::shared_ptr<const Tokenizer> tokenizer, bool skipSpecial)
    : m_tokenizer(std::move(tokenizer)), m_skipSpecial(skipSpecial) {}

Result<std::string> StreamDecoder::push(TokenId id) {
    TRY_ASSIGN(const std::string piece, m_tokenizer->decodePiece(id, m_skipSpecial, m_first));
    if (!(m_skipSpecial && m_tokenizer->isSpecial(id))) m_first = false;
    m_pending += piece;
    const std::size_t whole = completeUtf8(m_pending);
    std::string text = repairUtf8(std::string_view(m_pending).substr(0, whole));
    m_pending.erase(0, whole);
    return text;
}

std::string StreamDecoder::finish() {
    std::string rest = repairUtf8(m_pending);
    m_pending.clear();
    return rest;
}

}  // namespace espalier
