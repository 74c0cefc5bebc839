// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/commands.h"
#include "app/cli/json_lines.h"

namespace espalier::cli {
namespace {

struct GenerateOptions {
    std::string model, prompt, promptIds, messages;
    std::optional<std::int64_t> maxTokens, topK, seed, logprobs;
    std::optional<double> temperature, topP, minP, repetitionPenalty, presencePenalty, frequencyPenalty;
    std::vector<std::string> stop;
    bool ignoreEos = false;
};
struct PerplexityOptions {
    std::string model, file, ids;
    std::optional<std::int64_t> context;
};
struct EmbedOptions {
    std::string model, text, lines;
};

template <class T>
void put(Json& arguments, const char* key, const std::optional<T>& value) {
    if (value) arguments[key] = *value;
}

Result<Json> generateArguments(Session& session, const GenerateOptions& options) {
    Json arguments = Json::object();
    if (!options.messages.empty()) {
        TRY_ASSIGN(arguments["conversation"], session.readInput(options.messages));
    } else if (!options.promptIds.empty()) {
        TRY_ASSIGN(arguments["prompt_ids"], session.readJsonInput(options.promptIds));
    } else {
        arguments["prompt"] = options.prompt;
    }
    arguments["model"] = options.model;
    put(arguments, "max_tokens", options.maxTokens);
    put(arguments, "temperature", options.temperature);
    put(arguments, "top_k", options.topK);
    put(arguments, "top_p", options.topP);
    put(arguments, "min_p", options.minP);
    put(arguments, "repetition_penalty", options.repetitionPenalty);
    put(arguments, "presence_penalty", options.presencePenalty);
    put(arguments, "frequency_penalty", options.frequencyPenalty);
    put(arguments, "seed", options.seed);
    put(arguments, "logprobs", options.logprobs);
    if (!options.stop.empty()) arguments["stop"] = options.stop;
    if (options.ignoreEos) arguments["ignore_eos"] = true;
    return arguments;
}

Result<void> runGenerate(Session& session, const GenerateOptions& options) {
    TRY_ASSIGN(const Json arguments, generateArguments(session, options));
    const Console& console = session.console();
    if (console.json) {
        TRY_ASSIGN(const Json answer, session.call(Use::Read, "generate", arguments));
        console.document(answer);
        return {};
    }
    TRY_ASSIGN(ControlPort * control, session.control(Use::Read));
    const auto show = [&](std::string_view text) {
        console.text(text);
        std::fflush(stdout);
    };
    TRY_ASSIGN(const Json answer, control->call("generate", arguments, CallOptions{session.stop(), show}));
    console.text("\n");
    const Json& timing = answer["timing"];
    console.note(dumpJson(answer["usage"]["completion_tokens"]) + " tokens, first after " +
                 fixedText(timing.value("ttft_ms", 0.0), 0) + " ms, then " +
                 fixedText(timing.value("tokens_per_s", 0.0), 1) + " tokens/s (" + answer.value("compute", "") +
                 ", KV " + answer.value("kv", "") + "); ended by " + answer.value("finish_reason", ""));
    return {};
}

Result<void> runPerplexity(Session& session, const PerplexityOptions& options) {
    Json arguments{{"model", options.model}};
    if (options.ids.empty()) {
        TRY_ASSIGN(arguments["text"], session.readInput(options.file));
    } else {
        TRY_ASSIGN(arguments["ids"], session.readJsonInput(options.ids));
    }
    put(arguments, "context", options.context);
    TRY_ASSIGN(const Json answer, session.call(Use::Read, "perplexity", arguments));
    if (session.console().json)
        session.console().document(answer);
    else
        session.console().text(fixedText(answer.value("perplexity", 0.0), 4) + " over " +
                               dumpJson(answer["tokens_scored"]) + " tokens in windows of " +
                               dumpJson(answer["context"]) + "\n");
    return {};
}

Result<void> runEmbed(Session& session, const EmbedOptions& options) {
    const Json arguments{{"model", options.model}};
    if (!options.lines.empty())
        return forEachLine(session, options.lines, "embed", arguments,
                           [&](const Json& result) { session.console().line(result); });
    Json one = arguments;
    one["text"] = options.text;
    TRY_ASSIGN(const Json answer, session.call(Use::Read, "embed", one));
    if (session.console().json)
        session.console().document(answer);
    else
        session.console().line(answer["embedding"]);
    return {};
}

}  // namespace

void addInferenceCommands(Commands& commands) {
    auto [generate, g] = commands.add<GenerateOptions>(
        "generate", "Let a model continue a prompt or answer messages",
        "espalierctl generate -m tiny --prompt 'Once upon a time' --max-tokens 64 --temperature 0.8 --seed 1",
        runGenerate);
    generate->add_option("-m,--model", g->model, "Name or id")->required();
    auto* prompt = generate->add_option_group("prompt", "One of");
    prompt->add_option("--prompt", g->prompt, "The text to continue");
    prompt->add_option("--prompt-ids", g->promptIds, "A file with a JSON array of ids, used as given");
    prompt->add_option("--messages", g->messages, "A file with chat messages");
    prompt->require_option(1);
    generate->add_option("--max-tokens", g->maxTokens, "At most this many (default 128)");
    generate->add_option("--temperature", g->temperature, "0 takes the likeliest (default: the model's, else 0)");
    generate->add_option("--top-k", g->topK, "Only the k likeliest");
    generate->add_option("--top-p", g->topP, "Only the likeliest that make up this share");
    generate->add_option("--min-p", g->minP, "Only those at least this likely beside the likeliest");
    generate->add_option("--repetition-penalty", g->repetitionPenalty, "Above 1: fewer repetitions");
    generate->add_option("--presence-penalty", g->presencePenalty, "-2 to 2");
    generate->add_option("--frequency-penalty", g->frequencyPenalty, "-2 to 2");
    generate->add_option("--seed", g->seed, "The same seed gives the same answer");
    generate->add_option("--stop", g->stop, "End before this text; may be repeated")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    generate->add_option("--logprobs", g->logprobs, "Log probabilities of each token and of the K likeliest");
    generate->add_flag("--ignore-eos", g->ignoreEos, "Treat end-of-sequence as an ordinary token");

    auto [perplexity, p] =
        commands.add<PerplexityOptions>("perplexity", "How well a model predicts a text",
                                        "espalierctl perplexity -m tiny --file book.txt --context 512", runPerplexity);
    perplexity->add_option("-m,--model", p->model, "Name or id")->required();
    auto* scored = perplexity->add_option_group("text", "One of");
    scored->add_option("--file", p->file, "A text file; - for standard input");
    scored->add_option("--ids", p->ids, "A file with a JSON array of ids, used as given");
    scored->require_option(1);
    perplexity->add_option("--context", p->context, "Tokens per window (default: the model's context, at most 2048)");

    auto [embed, e] = commands.add<EmbedOptions>("embed", "Embed a text",
                                                 "espalierctl embed -m tiny --text 'a sentence' --json", runEmbed);
    embed->add_option("-m,--model", e->model, "Name or id")->required();
    auto* embedded = embed->add_option_group("text", "One of");
    embedded->add_option("--text", e->text, "The text");
    embedded->add_option("--jsonl-in", e->lines, "A file of JSON strings, one a line; - for standard input");
    embedded->require_option(1);
}

}  // namespace espalier::cli
