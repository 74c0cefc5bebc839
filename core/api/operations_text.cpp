// SPDX-License-Identifier: GPL-3.0-or-later
// Text to ids and back.
#include "core/api/json_fields.h"
#include "core/api/operations.h"

namespace espalier {
namespace {

Result<ServedModel> modelWithTokenizer(const ModelAccess& models, const JsonFields& fields) {
    TRY_ASSIGN(const std::string name, fields.requiredString("model"));
    TRY_ASSIGN(ServedModel model, models.find(name));
    if (!model.text->tokenizer)
        return fail(ErrorCode::Unsupported, "model " + model.record.name + " has no tokenizer", "model");
    return model;
}

void addDetails(Json& answer, const Tokenizer& tokenizer, const std::vector<TokenId>& ids) {
    Json tokens = Json::array(), special = Json::array();
    for (const TokenId id : ids) {
        tokens.push_back(tokenizer.tokenOf(id).value_or(std::string()));
        special.push_back(tokenizer.isSpecial(id));
    }
    answer["tokens"] = std::move(tokens);
    answer["is_special"] = std::move(special);
}

Result<Json> encoded(const Tokenizer& tokenizer, const std::string& text, bool special, bool details) {
    TRY_ASSIGN(const auto ids, tokenizer.encode(text, EncodeOptions{special, {}}));
    Json answer{{"ids", ids}};
    addDetails(answer, tokenizer, ids);
    if (!details) answer.erase("is_special");
    return answer;
}

}  // namespace

Result<Json> tokenizeText(const ModelAccess& models, const Json& arguments) {
    const JsonFields fields(arguments);
    TRY_ASSIGN(const ServedModel model, modelWithTokenizer(models, fields));
    TRY_ASSIGN(const bool special, fields.boolean("special", false));
    TRY_ASSIGN(const bool details, fields.boolean("details", false));
    if (!fields.find("texts")) {
        TRY_ASSIGN(const std::string text, fields.requiredString("text"));
        return encoded(*model.text->tokenizer, text, special, details);
    }
    TRY_ASSIGN(const auto texts, fields.strings("texts", SIZE_MAX));
    Json results = Json::array();
    for (const std::string& text : texts) {
        TRY_ASSIGN(Json result, encoded(*model.text->tokenizer, text, special, details));
        results.push_back(std::move(result));
    }
    return Json{{"results", std::move(results)}};
}

Result<Json> detokenizeIds(const ModelAccess& models, const Json& arguments) {
    const JsonFields fields(arguments);
    TRY_ASSIGN(const ServedModel model, modelWithTokenizer(models, fields));
    const Json* array = fields.find("ids");
    if (!array) return fields.wrong("ids", "an array of token ids");
    TRY_ASSIGN(const auto ids, tokenIdsFromJson(*array, "ids"));
    TRY_ASSIGN(std::string text, model.text->tokenizer->decode(ids, false));
    return Json{{"text", std::move(text)}};
}

Result<Json> renderTemplate(const ModelAccess& models, const Json& arguments) {
    const JsonFields fields(arguments);
    TRY_ASSIGN(const std::string name, fields.requiredString("model"));
    TRY_ASSIGN(const ServedModel model, models.find(name));
    TRY_ASSIGN(ChatPrompt chat, chatPromptFromJson(arguments));
    TRY_ASSIGN(chat.addGenerationPrompt, fields.boolean("generation_prompt", true));
    if (const Json* tools = fields.find("tools")) chat.tools = *tools;
    if (const Json* variables = fields.find("variables")) chat.variables = *variables;
    TRY_ASSIGN(RenderedChat rendered, renderChat(model, chat));
    Json answer{{"text", rendered.text}, {"ids", nullptr}};
    if (model.text->tokenizer) {
        TRY_ASSIGN(const auto ids, encodeChat(*model.text->tokenizer, rendered));
        answer["ids"] = ids;
        TRY_ASSIGN(const bool details, fields.boolean("details", false));
        if (details) addDetails(answer, *model.text->tokenizer, ids);
    }
    return answer;
}

}  // namespace espalier
