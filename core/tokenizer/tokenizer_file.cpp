// SPDX-License-Identifier: GPL-3.0-or-later
// tokenizer.json: {"added_tokens", "normalizer", "pre_tokenizer", "model", "post_processor", "decoder"}, each member
// read by the unit it belongs to and run in that order.
#include "core/tokenizer/pipeline.h"
#include "core/tokenizer/token_limits.h"
#include "core/tokenizer/tokenizer.h"

namespace espalier {
namespace {

Result<std::vector<AddedToken>> readAddedTokens(const Json& list, const std::string& where) {
    std::vector<AddedToken> tokens;
    if (list.is_null()) return tokens;
    if (!list.is_array())
        return fail(ErrorCode::CorruptFile, where + ": \"added_tokens\" must be an array, found " + brief(list), where);
    if (list.size() > kMaxAddedTokens) return tooMany(where, "added tokens", list.size(), kMaxAddedTokens);
    for (std::size_t i = 0; i < list.size(); ++i) {
        const std::string place = where + ": added_tokens[" + std::to_string(i) + "]";
        TRY_ASSIGN(const std::int64_t id, JsonReader(list[i], place).integer("id", 0, kMaxTokenId));
        TRY_ASSIGN(AddedToken token, readAddedToken(list[i], place, static_cast<TokenId>(id)));
        tokens.push_back(std::move(token));
    }
    return tokens;
}

}  // namespace

Result<std::shared_ptr<const Tokenizer>> parseTokenizer(std::string_view json, std::string_view whereView) {
    const std::string where(whereView);
    TRY_ASSIGN(const Json file, parseJson(json, where));
    if (!file.is_object())
        return fail(ErrorCode::CorruptFile, where + ": expected an object, found " + brief(file), where);
    const auto member = [&](const char* key) -> const Json& {
        static const Json null;
        const auto found = file.find(key);
        return found == file.end() ? null : *found;
    };
    PipelineParts parts;
    TRY_ASSIGN(parts.model, parseTokenModel(member("model"), where));
    TRY_ASSIGN(parts.normalizer, parseNormalizer(member("normalizer"), where));
    TRY_ASSIGN(parts.preTokenizer, parsePreTokenizer(member("pre_tokenizer"), where));
    TRY_ASSIGN(parts.postProcessor, parsePostProcessor(member("post_processor"), where));
    TRY_ASSIGN(parts.decoder, parseTokenDecoder(member("decoder"), where));
    TRY_ASSIGN(parts.addedTokens, readAddedTokens(member("added_tokens"), where));
    return makePipeline(std::move(parts), where);
}

}  // namespace espalier
