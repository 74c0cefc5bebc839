// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/tokenizer/text_model.h"

#include <optional>

namespace espalier {
namespace {

constexpr std::uint64_t kMaxTokenizerBytes = 256ull << 20;
constexpr std::uint64_t kMaxConfigBytes = 16ull << 20;

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
    TextModel model;
    TRY_ASSIGN(const auto tokenizer, textIfThere(files, folder / "tokenizer.json", kMaxTokenizerBytes));
    if (tokenizer) {
        TRY_ASSIGN(model.tokenizer, parseTokenizer(*tokenizer, "tokenizer.json"));
        model.kind = kindOf(*model.tokenizer);
    }
    TRY_ASSIGN(const auto configText, textIfThere(files, folder / "tokenizer_config.json", kMaxConfigBytes));
    if (configText) {
        TRY_ASSIGN(const Json config, parseJson(*configText, "tokenizer_config.json"));
        if (!config.is_object())
            return fail(ErrorCode::CorruptFile, "tokenizer_config.json: expected an object", "tokenizer_config.json");
        model.bosToken = tokenText(config, "bos_token");
        model.eosToken = tokenText(config, "eos_token");
        model.unkToken = tokenText(config, "unk_token");
        model.padToken = tokenText(config, "pad_token");
        TRY_ASSIGN(model.chatTemplateSource, templateOf(config, "tokenizer_config.json"));
    }
    TRY_ASSIGN(auto jinja, textIfThere(files, folder / "chat_template.jinja", kMaxConfigBytes));
    if (jinja) model.chatTemplateSource = std::move(*jinja);
    if (!model.chatTemplateSource.empty()) {
        TRY_ASSIGN(model.chatTemplate, ChatTemplate::parse(model.chatTemplateSource,
                                                           jinja ? "chat_template.jinja" : "tokenizer_config.json"));
    }
    return model;
}

}  // namespace espalier
