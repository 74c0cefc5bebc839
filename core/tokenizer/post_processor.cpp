// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/tokenizer/post_processor.h"

#include "core/tokenizer/token_limits.h"
#include "core/tokenizer/type_table.h"

namespace espalier {
namespace {

// {"id": "<s>", "ids": [1], "tokens": ["<s>"]}
Result<std::vector<TokenId>> idsOfSpecial(const Json& table, const std::string& name, const std::string& where) {
    const JsonReader tokens(table, where + ": special_tokens");
    const Json* entry = tokens.find(name);
    if (!entry || !entry->is_object() || !entry->contains("ids") || !(*entry)["ids"].is_array())
        return tokens.wrong(name, "an object with \"ids\"");
    std::vector<TokenId> ids;
    for (const Json& id : (*entry)["ids"]) {
        if (!id.is_number_integer() || id < 0 || id > kMaxTokenId)
            return fail(ErrorCode::CorruptFile,
                        where + ": special_tokens: " + inQuotes(name) + " has the id " + brief(id) +
                            ", expected an integer from 0 to " + std::to_string(kMaxTokenId),
                        where);
        ids.push_back(id.get<TokenId>());
    }
    return ids;
}

// "single" is a list of {"SpecialToken": {"id": ...}} and one {"Sequence": {"id": "A"}}.
Result<PostProcessor> parseTemplate(const JsonReader& reader, const std::string& file) {
    const std::string where = file + ": post_processor";
    const Json* single = reader.find("single");
    if (!single || !single->is_array()) return reader.wrong("single", "an array");
    const Json none = Json::object();
    const Json* table = reader.find("special_tokens");
    PostProcessor processor;
    bool seenText = false;
    for (const Json& part : *single) {
        if (part.is_object() && part.contains("Sequence") && !seenText) {
            seenText = true;
            continue;
        }
        const Json* special = part.is_object() && part.contains("SpecialToken") ? &part["SpecialToken"] : nullptr;
        if (!special) return reader.wrong("single", "special tokens and one sequence");
        const JsonReader token(*special, where + ": SpecialToken");
        TRY_ASSIGN(const std::string name, token.string("id"));
        TRY_ASSIGN(const std::vector<TokenId> ids, idsOfSpecial(table ? *table : none, name, where));
        auto& side = seenText ? processor.after : processor.before;
        side.insert(side.end(), ids.begin(), ids.end());
    }
    if (!seenText) return reader.wrong("single", "a template with a sequence");
    return processor;
}

// "cls": ["<s>", 0] before, "sep": ["</s>", 2] after.
Result<PostProcessor> parseClsSep(const JsonReader& reader, const std::string&) {
    const auto idOf = [&](const char* key) -> Result<TokenId> {
        const Json* pair = reader.find(key);
        if (!pair || !pair->is_array() || pair->size() != 2 || !(*pair)[1].is_number_integer() || (*pair)[1] < 0 ||
            (*pair)[1] > kMaxTokenId)
            return reader.wrong(key, "a token and its id");
        return (*pair)[1].get<TokenId>();
    };
    TRY_ASSIGN(const TokenId cls, idOf("cls"));
    TRY_ASSIGN(const TokenId sep, idOf("sep"));
    return PostProcessor{{cls}, {sep}};
}

// Each processor wraps what the ones before it made.
Result<PostProcessor> parseProcessorSequence(const JsonReader& reader, const std::string& where) {
    const Json* list = reader.find("processors");
    if (!list || !list->is_array()) return reader.wrong("processors", "an array");
    PostProcessor whole;
    for (const Json& entry : *list) {
        TRY_ASSIGN(const PostProcessor stage, parsePostProcessor(entry, where));
        whole.before.insert(whole.before.begin(), stage.before.begin(), stage.before.end());
        whole.after.insert(whole.after.end(), stage.after.begin(), stage.after.end());
    }
    return whole;
}

Result<PostProcessor> parseByteLevelProcessor(const JsonReader&, const std::string&) {
    return PostProcessor{};  // moves offsets only
}

constexpr TypeEntry<PostProcessor> kPostProcessorTypes[] = {
    {"BertProcessing", parseClsSep},      {"ByteLevel", parseByteLevelProcessor}, {"RobertaProcessing", parseClsSep},
    {"Sequence", parseProcessorSequence}, {"TemplateProcessing", parseTemplate},
};

}  // namespace

Result<PostProcessor> parsePostProcessor(const Json& spec, const std::string& where) {
    if (spec.is_null()) return PostProcessor{};
    return parseByType(kPostProcessorTypes, "post_processor", spec, where);
}

}  // namespace espalier
