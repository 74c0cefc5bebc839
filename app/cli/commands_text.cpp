// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/commands.h"
#include "app/cli/json_lines.h"

namespace espalier::cli {
namespace {

struct TokenizeOptions {
    std::string model, text, file, lines;
    bool special = false;
};
struct DetokenizeOptions {
    std::string model, ids;
};
struct TemplateOptions {
    std::string model, messages;
    bool noGenerationPrompt = false;
};

Result<void> runTokenize(Session& session, const TokenizeOptions& options) {
    Json arguments{{"model", options.model}, {"special", options.special}};
    if (!options.lines.empty())
        return forEachLine(session, options.lines, "tokenize", arguments, [&](const Json& result) {
            session.console().line({{"ids", result["ids"]}});
        });
    arguments["text"] = options.text;
    if (!options.file.empty()) {
        TRY_ASSIGN(arguments["text"], session.readInput(options.file));
    }
    TRY_ASSIGN(const Json answer, session.call(Use::Read, "tokenize", arguments));
    if (session.console().json) {
        session.console().document(answer);
        return {};
    }
    std::vector<std::vector<std::string>> rows{{"ID", "TOKEN"}};
    for (std::size_t i = 0; i < answer["ids"].size(); ++i)
        rows.push_back({dumpJson(answer["ids"][i]), answer["tokens"][i].get<std::string>()});
    session.console().table(rows);
    return {};
}

Result<void> runDetokenize(Session& session, const DetokenizeOptions& options) {
    TRY_ASSIGN(const Json ids, session.readJsonInput(options.ids));
    TRY_ASSIGN(const Json answer, session.call(Use::Read, "detokenize", {{"model", options.model}, {"ids", ids}}));
    if (session.console().json)
        session.console().document(answer);
    else
        session.console().text(answer["text"].get<std::string>() + "\n");
    return {};
}

Result<void> runTemplate(Session& session, const TemplateOptions& options) {
    TRY_ASSIGN(const std::string conversation, session.readInput(options.messages));
    Json arguments{{"model", options.model}, {"conversation", conversation}};
    arguments["generation_prompt"] = !options.noGenerationPrompt;
    TRY_ASSIGN(const Json answer, session.call(Use::Read, "template", arguments));
    if (session.console().json)
        session.console().document(answer);
    else
        session.console().text(answer["text"].get<std::string>() + "\n");
    return {};
}

}  // namespace

void addTextCommands(Commands& commands) {
    auto [tokenize, tokenizeOptions] = commands.add<TokenizeOptions>(
        "tokenize", "Text to token ids", "espalierctl tokenize -m tiny --text 'Hello, world' --special", runTokenize);
    tokenize->add_option("-m,--model", tokenizeOptions->model, "Name or id")->required();
    auto* source = tokenize->add_option_group("source", "One of");
    source->add_option("--text", tokenizeOptions->text, "The text");
    source->add_option("--file", tokenizeOptions->file, "A file with the text; - for standard input");
    source->add_option("--jsonl-in", tokenizeOptions->lines,
                       "A file of JSON strings, one a line; - for standard input");
    source->require_option(1);
    tokenize->add_flag("--special", tokenizeOptions->special, "Add what the post-processor adds (BOS and the like)");

    auto [detokenize, detokenizeOptions] = commands.add<DetokenizeOptions>(
        "detokenize", "Token ids to text", "espalierctl detokenize -m tiny --ids ids.json", runDetokenize);
    detokenize->add_option("-m,--model", detokenizeOptions->model, "Name or id")->required();
    detokenize->add_option("--ids", detokenizeOptions->ids, "A file with a JSON array of ids; - for standard input")
        ->required();

    auto [chat, chatOptions] =
        commands.add<TemplateOptions>("template", "Render messages with the model's chat template",
                                      "espalierctl template -m tiny --messages chat.json", runTemplate);
    chat->add_option("-m,--model", chatOptions->model, "Name or id")->required();
    chat->add_option("--messages", chatOptions->messages,
                     "A file with an array of messages, or {messages, tools, ...}; - for standard input")
        ->required();
    chat->add_flag("--no-generation-prompt", chatOptions->noGenerationPrompt, "Do not open the assistant's turn");
}

}  // namespace espalier::cli
