// SPDX-License-Identifier: GPL-3.0-or-later
// generate, perplexity, embed: requests to the engine, waited for.
#include <algorithm>
#include <cmath>

#include "core/api/embedding.h"
#include "core/api/json_fields.h"
#include "core/api/openai_answer.h"
#include "core/api/operations.h"
#include "core/api/request_group.h"

namespace espalier {
namespace {

constexpr std::int32_t kGenerateTokens = 128;
constexpr std::int64_t kPerplexityContext = 2048;
constexpr std::string_view kTenant = "owner";

// Runs the requests to their ends. Error: that of the first that failed; cancelled when `stop` came first.
Result<std::vector<Choice>> run(Engine& engine, const std::string& model, std::vector<Request> requests,
                                const CallOptions& options) {
    std::vector<Choice> choices(requests.size());
    TRY_ASSIGN(const auto group,
               RequestGroup::start(engine, model, std::move(requests), [&](std::size_t index, const Chunk& chunk) {
                   choices[index].take(chunk);
                   if (options.onText && !chunk.text.empty()) options.onText(chunk.text);
               }));
    group->wait(options.stop);
    for (const Choice& choice : choices)
        if (choice.error) return *choice.error;
    return choices;
}

Json logprobJson(const TokenLogprob& entry) {
    Json top = Json::array();
    for (const auto& [id, logprob] : entry.top) top.push_back({{"id", id}, {"logprob", logprob}});
    return {{"id", entry.id}, {"logprob", entry.logprob}, {"top", std::move(top)}};
}

void nameModes(Json& answer, const Engine& engine) {
    answer["compute"] = engine.snapshot()->computeMode;
    answer["kv"] = dtypeName(engine.options().kvType);
}

Result<std::vector<TokenId>> idsToScore(const ServedModel& model, const JsonFields& fields) {
    std::vector<TokenId> ids;
    if (const Json* given = fields.find("ids")) {
        TRY_ASSIGN(ids, tokenIdsFromJson(*given, "ids"));
    } else {
        TRY_ASSIGN(std::string text, fields.requiredString("text"));
        TRY_ASSIGN(ids, encodePrompt(model, Prompt(std::move(text))));
    }
    TRY(checkPromptIds(model, ids));
    if (ids.size() < 2) return fail(ErrorCode::InvalidArgument, "there must be at least two tokens to score");
    return ids;
}

Json embeddingResult(const Choice& choice, bool truncated, bool normalized) {
    Json result{{"embedding", choice.embedding}, {"dim", choice.embedding.size()}, {"normalized", normalized}};
    if (truncated) result["truncated"] = true;
    return result;
}

}  // namespace

Result<Json> generate(const ModelAccess& models, const Json& arguments, const CallOptions& options) {
    TRY_ASSIGN(const GenerationCall call, generateCallFromJson(arguments));
    if (call.choices != 1) return fail(ErrorCode::Unsupported, "\"n\" is for /v1 routes", "n");
    TRY_ASSIGN(const ServedModel model, models.find(call.model));
    TRY_ASSIGN(auto requests, bindCall(model, call, GenerationPolicy{0.0, kGenerateTokens}, kTenant));
    const std::vector<TokenId> promptIds = requests.front().prompt;
    const std::uint64_t seed = requests.front().sampling.seed;
    TRY_ASSIGN(const auto choices, run(models.engine(), model.served, std::move(requests), options));
    const Choice& choice = choices.front();
    Json answer{{"model", model.served},
                {"text", choice.text},
                {"ids", choice.ids},
                {"prompt_ids", promptIds},
                {"finish_reason", finishReasonName(choice.finish.value_or(FinishReason::Cancelled))},
                {"seed", seed},
                {"usage",
                 {{"prompt_tokens", choice.usage.promptTokens},
                  {"completion_tokens", choice.usage.completionTokens},
                  {"cached_tokens", choice.usage.cachedTokens}}},
                {"timing",
                 {{"ttft_ms", choice.timing.ttftMs},
                  {"tokens_per_s", choice.timing.tokensPerS},
                  {"queue_ms", choice.timing.queueMs},
                  {"total_ms", choice.timing.totalMs}}}};
    nameModes(answer, models.engine());
    if (call.logprobs < 0) return answer;
    answer["logprobs"] = Json::array();
    for (const TokenLogprob& entry : choice.logprobs) answer["logprobs"].push_back(logprobJson(entry));
    return answer;
}

Result<Json> perplexity(const ModelAccess& models, const Json& arguments, const CallOptions& options) {
    const JsonFields fields(arguments);
    TRY_ASSIGN(const std::string name, fields.requiredString("model"));
    TRY_ASSIGN(const ServedModel model, models.find(name));
    TRY(checkKind(RequestKind::Score, model.record.spec.lmHead));
    TRY_ASSIGN(const auto wanted, fields.integer("context", 2, model.record.context));
    const auto context =
        static_cast<std::size_t>(wanted.value_or(std::min<std::int64_t>(model.record.context, kPerplexityContext)));
    TRY_ASSIGN(const auto ids, idsToScore(model, fields));

    std::vector<float> logprobs;
    double sum = 0.0;
    for (std::size_t first = 0; first + 1 < ids.size(); first += context) {
        Request request;
        request.kind = RequestKind::Score;
        request.tenant = kTenant;
        request.logprobs = 0;
        request.prompt.assign(ids.begin() + static_cast<std::ptrdiff_t>(first),
                              ids.begin() + static_cast<std::ptrdiff_t>(std::min(first + context, ids.size())));
        TRY_ASSIGN(const auto scored, run(models.engine(), model.served, {std::move(request)}, options));
        if (scored.front().finish == FinishReason::Cancelled)
            return fail(ErrorCode::Cancelled, "cancelled after " + std::to_string(logprobs.size()) + " tokens");
        for (const TokenLogprob& entry : scored.front().logprobs) {
            logprobs.push_back(entry.logprob);
            sum += static_cast<double>(entry.logprob);
        }
    }
    Json answer{{"model", model.served},
                {"perplexity", std::exp(-sum / static_cast<double>(logprobs.size()))},
                {"tokens_scored", logprobs.size()},
                {"context", context},
                {"logprobs", logprobs}};
    nameModes(answer, models.engine());
    return answer;
}

Result<Json> embed(const ModelAccess& models, const Json& arguments, const CallOptions& options) {
    const JsonFields fields(arguments);
    TRY_ASSIGN(const std::string name, fields.requiredString("model"));
    TRY_ASSIGN(const ServedModel model, models.find(name));
    const bool many = fields.find("texts") != nullptr;
    TRY_ASSIGN(auto texts, fields.strings(many ? "texts" : "text", SIZE_MAX));
    if (!many && texts.size() != 1) return fields.wrong("text", "a string");
    const std::vector<Prompt> prompts(std::make_move_iterator(texts.begin()), std::make_move_iterator(texts.end()));
    TRY_ASSIGN(auto bound, bindEmbeddings(models.files(), model, prompts, kTenant, LongText::Cut));

    Json results = Json::array();
    constexpr std::size_t kAtOnce = 64;
    for (std::size_t first = 0; first < bound.requests.size(); first += kAtOnce) {
        const auto begin = bound.requests.begin() + static_cast<std::ptrdiff_t>(first);
        const std::size_t count = std::min(kAtOnce, bound.requests.size() - first);
        TRY_ASSIGN(const auto choices, run(models.engine(), model.served,
                                           {std::make_move_iterator(begin),
                                            std::make_move_iterator(begin + static_cast<std::ptrdiff_t>(count))},
                                           options));
        for (std::size_t i = 0; i < choices.size(); ++i) {
            if (choices[i].finish == FinishReason::Cancelled) return fail(ErrorCode::Cancelled, "cancelled");
            results.push_back(embeddingResult(choices[i], bound.truncated[first + i], bound.mode.normalize));
        }
    }
    if (!many) return std::move(results.front());
    return Json{{"results", std::move(results)}};
}

}  // namespace espalier
