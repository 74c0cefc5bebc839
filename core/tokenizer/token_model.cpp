// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/tokenizer/token_model.h"

#include "core/tokenizer/bpe.h"
#include "core/tokenizer/token_limits.h"
#include "core/tokenizer/unigram.h"
#include "core/tokenizer/word_piece.h"

namespace espalier {

Result<Vocabulary> readVocabulary(const JsonReader& reader, const std::string& where) {
    const Json* list = reader.find("vocab");
    if (!list || !list->is_object()) return reader.wrong("vocab", "an object of tokens and ids");
    if (list->size() > kMaxTokens) return tooMany(where, "tokens", list->size(), kMaxTokens);
    Vocabulary vocabulary;
    const JsonReader ids(*list, where + ".vocab");
    for (const auto& [token, value] : list->items()) {
        if (token.size() > kMaxTokenBytes) return tooMany(where, "bytes in a token", token.size(), kMaxTokenBytes);
        TRY_ASSIGN(const std::int64_t id, ids.integer(token, 0, kMaxTokenId));
        if (!vocabulary.insert(token, static_cast<TokenId>(id))) {
            const std::string* other = vocabulary.tokenOf(static_cast<TokenId>(id));
            return fail(ErrorCode::CorruptFile,
                        where + ": the tokens " + inQuotes(other ? *other : token) + " and " + inQuotes(token) +
                            " have the same id " + std::to_string(id),
                        where);
        }
    }
    return vocabulary;
}

std::vector<TokenId> byteTokensOf(const Vocabulary& vocabulary) {
    std::vector<TokenId> ids;
    for (int byte = 0; byte < 256; ++byte)
        ids.push_back(vocabulary.idOf(byteTokenName(static_cast<unsigned char>(byte))).value_or(-1));
    return ids;
}

Result<std::unique_ptr<const TokenModel>> parseTokenModel(const Json& spec, const std::string& where) {
    const std::string place = where + ": model";
    const JsonReader reader(spec, place);
    if (!spec.is_object())
        return fail(ErrorCode::CorruptFile, place + ": expected an object, found " + brief(spec), where);
    // Files written before the type was stored are byte-pair encodings when they have merges.
    TRY_ASSIGN(const std::string type, reader.has("merges") ? reader.stringOr("type", "BPE") : reader.string("type"));
    if (type == "BPE") return Bpe::parse(spec, place);
    if (type == "WordPiece") return WordPiece::parse(spec, place);
    if (type == "Unigram") return Unigram::parse(spec, place);
    return unknownType(where, "model type", type, "BPE, Unigram, WordPiece");
}

}  // namespace espalier
