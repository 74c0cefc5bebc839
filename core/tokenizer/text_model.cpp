// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/tokenizer/text_model.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "core/formats/gguf_model.h"
#include "core/tokenizer/gguf_text.h"
#include "core/tokenizer/sentencepiece_model.h"
#include "core/tokenizer/token_limits.h"

namespace espalier {
namespace {

constexpr std::uint64_t kMaxTokenizerBytes = JsonLimits{}.bytes;
constexpr std::uint64_t kMaxPieceFileBytes = 256ull << 20;
constexpr std::uint64_t kMaxConfigBytes = 16ull << 20;
constexpr const char* kFairseqFile = "sentencepiece.bpe.model";
// SentencePiece models, under the names their makers gave them; the first that is there counts.
constexpr std::array kPieceFiles = {"tokenizer.model", "spiece.model", kFairseqFile};

// The file's text, or none when it is not there.
Result<std::optional<std::string>> textIfThere(FileSystem& files, const Path& path, std::uint64_t maxBytes) {
    if (!files.exists(path)) return std::optional<std::string>();
    TRY_ASSIGN(std::string text, files.readText(path, maxBytes));
    return std::optional(std::move(text));
}

// "<s>", or {"content": "<s>", ...}.
std::string tokenText(const Json& config, const char* key) {
    const auto found = config.find(key);
    if (found == config.end()) return {};
    if (found->is_string()) return found->get<std::string>();
    if (found->is_object() && found->contains("content") && (*found)["content"].is_string())
        return (*found)["content"].get<std::string>();
    return {};
}

// chat_template: a string, or a list of {name, template} of which "default" counts.
Result<std::string> templateOf(const Json& config, const std::string& where) {
    const auto found = config.find("chat_template");
    if (found == config.end() || found->is_null()) return std::string();
    if (found->is_string()) return found->get<std::string>();
    if (found->is_array()) {
        for (const Json& entry : *found)
            if (entry.is_object() && entry.value("name", Json()) == "default" && entry.contains("template") &&
                entry["template"].is_string())
                return entry["template"].get<std::string>();
        return std::string();
    }
    return JsonReader(config, where).wrong("chat_template", "a string or a list of templates");
}

// "model_max_length"; transformers writes 1e30 for none.
std::optional<std::int32_t> maxTokensOf(const Json& config) {
    const auto found = config.find("model_max_length");
    if (found == config.end() || !found->is_number()) return std::nullopt;
    const auto tokens = found->get<double>();
    if (!(tokens >= 1 && tokens <= INT32_MAX)) return std::nullopt;
    return static_cast<std::int32_t>(tokens);
}

Result<TokenId> addedId(const std::string& text, const std::string& where) {
    TokenId id = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
    if (text.empty() || error != std::errc() || end != text.data() + text.size() || id < 0)
        return fail(ErrorCode::CorruptFile, where + ": " + inQuotes(text) + " is no token id", where);
    return id;
}

// "added_tokens_decoder" of tokenizer_config.json: {"32000": {"content": "<pad>", "special": true, ...}}.
Result<void> readConfigTokens(const Json& config, std::vector<AddedToken>& tokens) {
    const std::string where = "tokenizer_config.json: added_tokens_decoder";
    const auto list = config.find("added_tokens_decoder");
    if (list == config.end() || list->is_null()) return {};
    if (!list->is_object()) return fail(ErrorCode::CorruptFile, where + ": expected an object", where);
    if (list->size() > kMaxAddedTokens) return tooMany(where, "added tokens", list->size(), kMaxAddedTokens);
    for (const auto& [key, entry] : list->items()) {
        TRY_ASSIGN(const TokenId id, addedId(key, where));
        TRY_ASSIGN(AddedToken token, readAddedToken(entry, where + "[" + key + "]", id));
        tokens.push_back(std::move(token));
    }
    return {};
}

// added_tokens.json: {"<pad>": 32000}. Special are those that tokenizer_config.json gives a part to play.
Result<void> readAddedTokensFile(const Json& list, const TextModel& model, std::vector<AddedToken>& tokens) {
    const std::string where = "added_tokens.json";
    if (!list.is_object()) return fail(ErrorCode::CorruptFile, where + ": expected an object", where);
    if (list.size() > kMaxAddedTokens) return tooMany(where, "added tokens", list.size(), kMaxAddedTokens);
    const JsonReader reader(list, where);
    for (const auto& item : list.items()) {
        TRY_ASSIGN(const std::int64_t id, reader.integer(item.key(), 0, kMaxTokenId));
        const bool isSpecial = item.key() == model.bosToken || item.key() == model.eosToken ||
                               item.key() == model.unkToken || item.key() == model.padToken;
        const auto isSame = [&](const AddedToken& token) { return token.content == item.key(); };
        if (std::none_of(tokens.begin(), tokens.end(), isSame))
            tokens.push_back({.id = static_cast<TokenId>(id), .content = item.key(), .isSpecial = isSpecial});
    }
    return {};
}

// XLM-RoBERTa's ids: four special tokens in an order of their own, the model's pieces after its three, <mask> last.
Result<void> useFairseqIds(const Json& config, SentencePieceModel& model, SentencePieceUse& use) {
    const std::string where = kFairseqFile;
    const std::string kind = tokenText(config, "tokenizer_class");
    if (!kind.empty() && !kind.starts_with("XLMRoberta"))
        return fail(ErrorCode::Unsupported,
                    where + ": only XLM-RoBERTa's ids of such a file are known, and tokenizer_config.json names " +
                        inQuotes(kind) + "; import a folder with a tokenizer.json",
                    where);
    std::vector<ScoredPiece>& list = model.pieces.list;
    if (list.size() < 3 || model.pieces.unknown != 0 || model.bos != 1 || model.eos != 2)
        return fail(ErrorCode::CorruptFile, where + ": expected <unk>, <s> and </s> as the first three pieces", where);
    const ScoredPiece unknown = list[0], bos = list[1], eos = list[2];
    const ScoredPiece padding{"<pad>", 0, PieceKind::Control}, mask{"<mask>", 0, PieceKind::Control};
    list.erase(list.begin(), list.begin() + 3);
    list.insert(list.begin(), {bos, padding, eos, unknown});
    list.push_back(mask);
    model.bos = 0;
    model.padding = 1;
    model.eos = 2;
    model.pieces.unknown = 3;
    use.addedTokens.push_back(
        {.id = static_cast<TokenId>(list.size() - 1), .content = mask.text, .isSpecial = true, .stripsLeft = true});
    return {};
}

// A folder without tokenizer.json. As `transformers` does, BOS is added when the model has one, else EOS (T5), unless
// the configuration says otherwise.
Result<std::shared_ptr<const Tokenizer>> loadSentencePiece(std::string_view bytes, const std::string& where,
                                                           const Json& config, const Json& addedTokens,
                                                           TextModel& model) {
    TRY_ASSIGN(SentencePieceModel pieces, parseSentencePieceModel(bytes, where));
    SentencePieceUse use;
    const bool isFairseq = where == kFairseqFile;
    if (isFairseq) TRY(useFairseqIds(config, pieces, use));
    TRY(readConfigTokens(config, use.addedTokens));
    if (!addedTokens.is_null()) TRY(readAddedTokensFile(addedTokens, model, use.addedTokens));
    const JsonReader reader(config, "tokenizer_config.json");
    TRY_ASSIGN(use.addBos, reader.boolOr("add_bos_token", pieces.bos.has_value()));
    TRY_ASSIGN(use.addEos, reader.boolOr("add_eos_token", isFairseq || !pieces.bos));
    TRY_ASSIGN(const bool isLegacy, reader.boolOr("legacy", true));
    pieces.spaces.prefixesFirst = !isLegacy;
    const auto name = [&](std::string& token, std::optional<TokenId> id) {
        if (token.empty() && id) token = pieces.pieces.list[static_cast<std::size_t>(*id)].text;
    };
    name(model.bosToken, pieces.bos);
    name(model.eosToken, pieces.eos);
    name(model.unkToken, pieces.pieces.unknown);
    name(model.padToken, pieces.padding);
    return makeSentencePieceTokenizer(std::move(pieces), std::move(use), where);
}

std::string grouped(std::int64_t number) {
    std::string text = std::to_string(number);
    for (std::ptrdiff_t at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3)
        text.insert(static_cast<std::size_t>(at), ",");
    return text;
}

}  // namespace

std::string kindOf(const Tokenizer& tokenizer) {
    return tokenizer.kind() + ", " + grouped(tokenizer.vocabularySize()) + " entries";
}

Result<TextModel> loadTextModel(FileSystem& files, const Path& folder) {
    if (!files.exists(folder / "tokenizer.json")) {
        TRY_ASSIGN(const auto gguf, findGguf(files, folder));
        if (gguf) return loadGgufText(files, *gguf);
    }
    TextModel model;
    TRY_ASSIGN(const auto configText, textIfThere(files, folder / "tokenizer_config.json", kMaxConfigBytes));
    Json config = Json::object();
    if (configText) {
        TRY_ASSIGN(config, parseJson(*configText, "tokenizer_config.json"));
        if (!config.is_object())
            return fail(ErrorCode::CorruptFile, "tokenizer_config.json: expected an object", "tokenizer_config.json");
        model.bosToken = tokenText(config, "bos_token");
        model.eosToken = tokenText(config, "eos_token");
        model.unkToken = tokenText(config, "unk_token");
        model.padToken = tokenText(config, "pad_token");
        TRY_ASSIGN(model.chatTemplateSource, templateOf(config, "tokenizer_config.json"));
        model.maxTokens = maxTokensOf(config);
    }
    TRY_ASSIGN(const auto tokenizer, textIfThere(files, folder / "tokenizer.json", kMaxTokenizerBytes));
    if (tokenizer) {
        TRY_ASSIGN(model.tokenizer, parseTokenizer(*tokenizer, "tokenizer.json"));
    } else {
        const auto file = std::ranges::find_if(kPieceFiles, [&](auto name) { return files.exists(folder / name); });
        std::optional<std::string> pieces;
        if (file != kPieceFiles.end()) {
            TRY_ASSIGN(pieces, textIfThere(files, folder / *file, kMaxPieceFileBytes));
        }
        TRY_ASSIGN(const auto added, textIfThere(files, folder / "added_tokens.json", kMaxConfigBytes));
        Json addedTokens;
        if (pieces && added) {
            TRY_ASSIGN(addedTokens, parseJson(*added, "added_tokens.json"));
        }
        if (pieces) {
            TRY_ASSIGN(model.tokenizer, loadSentencePiece(*pieces, *file, config, addedTokens, model));
        }
    }
    if (model.tokenizer) model.kind = kindOf(*model.tokenizer);
    TRY_ASSIGN(auto jinja, textIfThere(files, folder / "chat_template.jinja", kMaxConfigBytes));
    if (jinja) model.chatTemplateSource = std::move(*jinja);
    if (!model.chatTemplateSource.empty()) {
        TRY_ASSIGN(model.chatTemplate, ChatTemplate::parse(model.chatTemplateSource,
                                                           jinja ? "chat_template.jinja" : "tokenizer_config.json"));
    }
    return model;
}

}  // namespace espalier
