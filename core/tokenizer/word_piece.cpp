// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/tokenizer/word_piece.h"

#include "core/tokenizer/token_limits.h"
#include "core/tokenizer/utf8.h"

namespace espalier {

Result<std::unique_ptr<const TokenModel>> WordPiece::parse(const Json& spec, const std::string& where) {
    const JsonReader reader(spec, where);
    TRY_ASSIGN(Vocabulary vocabulary, readVocabulary(reader, where));
    WordPieceSettings settings;
    TRY_ASSIGN(settings.unknown, reader.stringOr("unk_token", settings.unknown));
    TRY_ASSIGN(settings.continuingPrefix, reader.stringOr("continuing_subword_prefix", settings.continuingPrefix));
    TRY_ASSIGN(const std::int64_t longest, reader.integerOr("max_input_chars_per_word", 100, 0, INT64_MAX));
    settings.maxWordCharacters = static_cast<std::size_t>(longest);
    return make(std::move(vocabulary), std::move(settings), where);
}

Result<std::unique_ptr<const TokenModel>> WordPiece::make(Vocabulary vocabulary, WordPieceSettings settings,
                                                          const std::string& where) {
    std::unique_ptr<WordPiece> model(new WordPiece);
    model->m_vocabulary = std::move(vocabulary);
    model->m_maxWordCharacters = settings.maxWordCharacters;
    const auto unknown = model->m_vocabulary.idOf(settings.unknown);
    if (!unknown)
        return fail(ErrorCode::CorruptFile,
                    where + ": \"unk_token\" must be a token of the vocabulary, found " + inQuotes(settings.unknown),
                    where);
    model->m_unknown = *unknown;
    std::vector<PieceTrie::Entry> starts, continuations;
    const std::string& prefix = settings.continuingPrefix;
    model->m_vocabulary.forEach([&](std::string_view token, TokenId id) {
        if (!token.empty()) starts.emplace_back(token, id);
        if (token.size() > prefix.size() && token.starts_with(prefix))
            continuations.emplace_back(token.substr(prefix.size()), id);
    });
    TRY_ASSIGN(model->m_starts, PieceTrie::build(std::move(starts), where));
    TRY_ASSIGN(model->m_continuations, PieceTrie::build(std::move(continuations), where));
    return std::unique_ptr<const TokenModel>(std::move(model));
}

void WordPiece::cutWord(std::string_view word, std::vector<TokenId>& ids) const {
    const std::size_t before = ids.size();
    for (std::size_t at = 0; at < word.size();) {
        const auto [bytes, id] = (at == 0 ? m_starts : m_continuations).longestPrefix(word.substr(at));
        if (bytes == 0) {
            ids.resize(before);
            ids.push_back(m_unknown);
            return;
        }
        ids.push_back(id);
        at += bytes;
    }
}

void WordPiece::tokenize(const PieceList& list, std::vector<TokenId>& ids) const {
    for (std::size_t i = 0; i < list.pieces.size(); ++i) {
        const std::string_view word = list.piece(i);
        if (countUtf8(word) > m_maxWordCharacters)
            ids.push_back(m_unknown);
        else
            cutWord(word, ids);
    }
}

}  // namespace espalier
