// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/tokenizer/gguf_text.h"

#include "core/formats/gguf_model.h"
#include "core/tokenizer/gguf_vocabulary.h"
#include "core/tokenizer/token_limits.h"

namespace espalier {
namespace {

constexpr std::string_view kPrefix = "tokenizer.ggml.";

Result<GgufVocabulary> vocabularyOf(const GgufKeys& keys) {
    const auto named = [](std::string_view name) { return std::string(kPrefix) + std::string(name); };
    const auto text = [&](std::string& to, const std::string& key) -> Result<void> {
        TRY_ASSIGN(auto value, keys.string(key));
        to = std::move(value).value_or("");
        return {};
    };
    GgufVocabulary vocabulary;
    TRY(text(vocabulary.model, named("model")));
    TRY(text(vocabulary.pre, named("pre")));
    TRY(text(vocabulary.chatTemplate, "tokenizer.chat_template"));
    TRY_ASSIGN(vocabulary.tokens, keys.strings(named("tokens"), kMaxTokens));
    TRY_ASSIGN(vocabulary.scores, keys.floats(named("scores")));
    TRY_ASSIGN(vocabulary.merges, keys.strings(named("merges"), kMaxMerges));
    TRY_ASSIGN(vocabulary.precompiledCharsmap, keys.byteString(named("precompiled_charsmap")));
    TRY_ASSIGN(const auto types, keys.integers(named("token_type"), kMaxTokens));
    for (const std::int64_t type : types)
        vocabulary.types.push_back(type >= INT32_MIN && type <= INT32_MAX ? static_cast<std::int32_t>(type) : -1);

    const std::pair<const char*, std::optional<std::int64_t>*> ids[] = {{"bos_token_id", &vocabulary.bosId},
                                                                        {"eos_token_id", &vocabulary.eosId},
                                                                        {"unknown_token_id", &vocabulary.unknownId},
                                                                        {"padding_token_id", &vocabulary.paddingId},
                                                                        {"seperator_token_id", &vocabulary.separatorId},
                                                                        {"cls_token_id", &vocabulary.classId}};
    for (const auto& [name, to] : ids) {
        TRY_ASSIGN(*to, keys.integer(named(name), INT64_MIN, INT64_MAX));
    }
    const std::pair<const char*, std::optional<bool>*> flags[] = {
        {"add_bos_token", &vocabulary.addBos},
        {"add_eos_token", &vocabulary.addEos},
        {"add_space_prefix", &vocabulary.addSpacePrefix},
        {"remove_extra_whitespaces", &vocabulary.removeExtraWhitespaces},
        {"normalizer.lowercase", &vocabulary.lowercase},
        {"normalizer.strip_accents", &vocabulary.stripAccents}};
    for (const auto& [name, to] : flags) {
        TRY_ASSIGN(*to, keys.boolean(named(name)));
    }
    return vocabulary;
}

}  // namespace

Result<TextModel> loadGgufText(FileSystem& files, const Path& file) {
    TRY_ASSIGN(const GgufFile first, openFirstGgufShard(files, file));
    const GgufKeys keys(first.header, first.head, first.open.path.filename().string());
    if (!keys.has("tokenizer.ggml.tokens")) return TextModel{};
    TRY_ASSIGN(GgufVocabulary vocabulary, vocabularyOf(keys));
    return textModelOf(std::move(vocabulary), keys.fileName());
}

}  // namespace espalier
