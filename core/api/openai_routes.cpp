// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/api/openai_routes.h"

#include <cstring>

#include "core/api/embedding.h"
#include "core/api/json_fields.h"
#include "core/api/openai_answer.h"
#include "core/api/request_group.h"
#include "core/api/version.h"
#include "core/base/hash.h"

namespace espalier {
namespace {

constexpr std::int32_t kCompletionTokens = 16;  // what /v1/completions gives who asks for no number
constexpr const char* kModelPath = "/v1/models/";
constexpr JsonLimits kBodyLimits{64, 64ull << 20};

// Everything the routes need; lives as long as the server.
struct Routes {
    const ModelAccess& models;
    RequestMetrics& metrics;
    const Clock& clock;
};

Result<Json> bodyOf(const HttpExchange& exchange) {
    auto body = parseJson(exchange.request().body, "the request body", kBodyLimits);
    if (!body) return fail(ErrorCode::InvalidArgument, body.error().message);
    if (!body->is_object()) return fail(ErrorCode::InvalidArgument, "the request body must be a JSON object");
    return body;
}

std::string sse(const Json& data) {
    return "data: " + dumpJson(data) + "\n\n";
}

// ---- chat completions and completions

// Gathers the chunks of one call and writes them out, streamed or whole. Calls come one at a time (RequestGroup).
class GenerationAnswer {
public:
    GenerationAnswer(Routes routes, std::shared_ptr<HttpExchange> exchange, AnswerHead head, const GenerationCall& call,
                     ServedModel model)
        : m_routes(routes),
          m_exchange(std::move(exchange)),
          m_head(std::move(head)),
          m_model(std::move(model)),
          m_choices(call.prompts.size() * static_cast<std::size_t>(call.choices)),
          m_offsets(m_choices.size()),
          m_perPrompt(static_cast<std::size_t>(call.choices)),
          m_open(m_choices.size()),
          m_stream(call.stream),
          m_includeUsage(call.includeUsage),
          m_logprobs(call.logprobs >= 0) {}

    void take(std::size_t index, const Chunk& chunk) {
        Choice& choice = m_choices[index];
        if (chunk.finish) m_routes.metrics.ended(chunk);
        if (m_stream && !chunk.error) streamChunk(index, chunk);
        if (!m_stream || chunk.finish) choice.take(chunk);
        if (!chunk.finish) return;
        if (choice.error && !m_failed) failed(*choice.error);
        if (--m_open == 0 && !m_failed) ended();
    }

private:
    // The head of the answer goes out with the first chunk: until then a failure can still have its own status.
    void startStream() {
        if (std::exchange(m_started, true)) return;
        m_exchange->startStream("text/event-stream");
        if (m_head.form == AnswerForm::Completion) return;
        for (std::size_t i = 0; i < m_choices.size(); ++i) m_exchange->write(sse(openingPiece(m_head, i)));
    }

    void streamChunk(std::size_t index, const Chunk& chunk) {
        if (m_failed) return;
        startStream();
        if (!chunk.text.empty() || (m_logprobs && !chunk.logprobs.empty())) {
            Json logprobs;
            if (m_logprobs)
                logprobs = logprobsJson(m_head.form, m_model.text->tokenizer.get(), chunk.logprobs, m_offsets[index]);
            m_exchange->write(sse(textPiece(m_head, index, chunk.text, std::move(logprobs))));
        }
        if (chunk.finish) m_exchange->write(sse(closingPiece(m_head, index, *chunk.finish)));
    }

    void failed(const Error& error) {
        m_failed = true;
        const HttpResponse response = openAiError(error);
        if (!m_started) return m_exchange->respond(response);
        m_exchange->write("data: " + response.body + "\n\n");
        m_exchange->finish();
    }

    void ended() {
        if (!m_stream)
            return m_exchange->respond(
                jsonResponse(wholeAnswer(m_head, m_model.text->tokenizer.get(), m_choices, m_perPrompt, m_logprobs)));
        if (m_includeUsage) m_exchange->write(sse(usagePiece(m_head, sumUsage(m_choices, m_perPrompt))));
        m_exchange->write("data: [DONE]\n\n");
        m_exchange->finish();
    }

    const Routes m_routes;
    const std::shared_ptr<HttpExchange> m_exchange;
    const AnswerHead m_head;
    const ServedModel m_model;
    std::vector<Choice> m_choices;
    std::vector<std::size_t> m_offsets;  // of the text of each choice
    const std::size_t m_perPrompt;
    std::size_t m_open;
    const bool m_stream, m_includeUsage, m_logprobs;
    bool m_started = false, m_failed = false;
};

Result<void> startGeneration(Routes routes, const std::shared_ptr<HttpExchange>& exchange, const Caller& caller,
                             AnswerForm form) {
    TRY_ASSIGN(const Json body, bodyOf(*exchange));
    const bool chat = form == AnswerForm::Chat;
    TRY_ASSIGN(const GenerationCall call,
               chat ? chatCallFromJson(body, exchange->request().body) : completionCallFromJson(body));
    TRY_ASSIGN(ServedModel model, routes.models.find(call.model));
    const GenerationPolicy policy{1.0, chat ? std::nullopt : std::optional(kCompletionTokens)};
    TRY_ASSIGN(auto requests, bindCall(model, call, policy, caller.tenant));
    AnswerHead head{form, (chat ? "chatcmpl-" : "cmpl-") + randomToken(16), call.model,
                    routes.clock.unixMilliseconds() / 1000};
    const std::string name = model.record.name;
    auto answer = std::make_shared<GenerationAnswer>(routes, exchange, std::move(head), call, std::move(model));
    TRY_ASSIGN(auto group,
               RequestGroup::start(routes.models.engine(), name, std::move(requests),
                                   [answer](std::size_t index, const Chunk& chunk) { answer->take(index, chunk); }));
    exchange->onClosed([group] { group->cancel(); });
    return {};
}

// ---- embeddings

Json embeddingJson(const std::vector<float>& values, bool base64) {
    if (!base64) return values;
    std::string bytes(values.size() * sizeof(float), '\0');
    std::memcpy(bytes.data(), values.data(), bytes.size());
    return base64Text(bytes);
}

class EmbeddingAnswer {
public:
    EmbeddingAnswer(Routes routes, std::shared_ptr<HttpExchange> exchange, std::string model, std::size_t inputs,
                    bool base64)
        : m_routes(routes),
          m_exchange(std::move(exchange)),
          m_model(std::move(model)),
          m_inputs(inputs),
          m_open(inputs),
          m_base64(base64) {}

    void take(std::size_t index, const Chunk& chunk) {
        m_inputs[index].take(chunk);
        if (!chunk.finish) return;
        m_routes.metrics.ended(chunk);
        if (m_inputs[index].error && !std::exchange(m_failed, true))
            m_exchange->respond(openAiError(*m_inputs[index].error));
        if (--m_open == 0 && !m_failed) ended();
    }

private:
    void ended() {
        Json data = Json::array();
        for (std::size_t i = 0; i < m_inputs.size(); ++i)
            data.push_back(
                {{"object", "embedding"}, {"index", i}, {"embedding", embeddingJson(m_inputs[i].embedding, m_base64)}});
        const std::int32_t tokens = sumUsage(m_inputs, 1).promptTokens;
        m_exchange->respond(jsonResponse({{"object", "list"},
                                          {"data", std::move(data)},
                                          {"model", m_model},
                                          {"usage", {{"prompt_tokens", tokens}, {"total_tokens", tokens}}}}));
    }

    const Routes m_routes;
    const std::shared_ptr<HttpExchange> m_exchange;
    const std::string m_model;
    std::vector<Choice> m_inputs;
    std::size_t m_open;
    const bool m_base64;
    bool m_failed = false;
};

Result<void> startEmbedding(Routes routes, const std::shared_ptr<HttpExchange>& exchange, const Caller& caller) {
    TRY_ASSIGN(const Json body, bodyOf(*exchange));
    const JsonFields fields(body);
    TRY_ASSIGN(const std::string name, fields.requiredString("model"));
    TRY_ASSIGN(const auto prompts, promptsFromJson(body, "input"));
    TRY_ASSIGN(const auto format, fields.string("encoding_format"));
    if (format && *format != "float" && *format != "base64")
        return fields.wrong("encoding_format", "\"float\" or \"base64\"");
    TRY_ASSIGN(const ServedModel model, routes.models.find(name));
    TRY_ASSIGN(const auto dimensions, fields.integer("dimensions", 1, INT32_MAX));
    if (dimensions && *dimensions != model.record.spec.hidden)
        return fail(
            ErrorCode::Unsupported,
            "\"dimensions\" other than the model's " + std::to_string(model.record.spec.hidden) + " is not supported",
            "dimensions");
    TRY_ASSIGN(auto bound, bindEmbeddings(routes.models.files(), model, prompts, caller.tenant, LongText::Refuse));
    auto answer = std::make_shared<EmbeddingAnswer>(routes, exchange, name, bound.requests.size(),
                                                    format == std::optional<std::string>("base64"));
    TRY_ASSIGN(auto group,
               RequestGroup::start(routes.models.engine(), model.record.name, std::move(bound.requests),
                                   [answer](std::size_t index, const Chunk& chunk) { answer->take(index, chunk); }));
    exchange->onClosed([group] { group->cancel(); });
    return {};
}

// ---- the rest

Json modelJson(const ModelRecord& model) {
    return {{"id", model.name},   {"object", "model"}, {"created", model.importedAt / 1000}, {"owned_by", "espalier"},
            {"root", model.name}, {"parent", nullptr}, {"max_model_len", model.context}};
}

Result<Json> listModels(const Routes& routes) {
    Json data = Json::array();
    for (const ModelRecord& model : routes.models.engine().models()) data.push_back(modelJson(model));
    return Json{{"object", "list"}, {"data", std::move(data)}};
}

Result<Json> oneModel(const Routes& routes, const std::string& path) {
    TRY_ASSIGN(const ModelRecord model, routes.models.engine().findModel(path.substr(std::strlen(kModelPath))));
    return modelJson(model);
}

Result<Json> tokenize(const Routes& routes, const Json& body, std::string_view bodyText) {
    const JsonFields fields(body);
    TRY_ASSIGN(const std::string name, fields.requiredString("model"));
    TRY_ASSIGN(const ServedModel model, routes.models.find(name));
    TRY_ASSIGN(const bool special, fields.boolean("add_special_tokens", true));
    TRY_ASSIGN(const bool strings, fields.boolean("return_token_strs", false));
    if (!model.text->tokenizer)
        return fail(ErrorCode::Unsupported, "model " + model.record.name + " has no tokenizer", "model");
    std::vector<TokenId> ids;
    if (fields.find("messages")) {
        TRY_ASSIGN(auto chat, chatPromptFromJson(body, bodyText));
        TRY_ASSIGN(ids, encodePrompt(model, Prompt(std::move(chat))));
    } else {
        TRY_ASSIGN(const std::string text, fields.requiredString("prompt"));
        TRY_ASSIGN(ids, model.text->tokenizer->encode(text, EncodeOptions{special, {}}));
    }
    Json answer{{"count", ids.size()}, {"max_model_len", model.record.context}, {"tokens", ids}};
    if (strings)
        for (const TokenId id : ids)
            answer["token_strs"].push_back(model.text->tokenizer->tokenOf(id).value_or(std::string()));
    return answer;
}

Result<Json> detokenize(const Routes& routes, const Json& body) {
    const JsonFields fields(body);
    TRY_ASSIGN(const std::string name, fields.requiredString("model"));
    const Json* tokens = fields.find("tokens");
    if (!tokens) return fields.wrong("tokens", "an array of token ids");
    TRY_ASSIGN(const auto ids, tokenIdsFromJson(*tokens, "tokens"));
    TRY_ASSIGN(const ServedModel model, routes.models.find(name));
    if (!model.text->tokenizer)
        return fail(ErrorCode::Unsupported, "model " + model.record.name + " has no tokenizer", "model");
    TRY_ASSIGN(std::string text, model.text->tokenizer->decode(ids, false));
    return Json{{"prompt", std::move(text)}};
}

void answerWith(HttpExchange& exchange, Result<Json> result) {
    exchange.respond(result ? jsonResponse(*result) : openAiError(result.error()));
}

}  // namespace

std::vector<Route> openAiRoutes(const ModelAccess& models, RequestMetrics& metrics, const Clock& clock) {
    const Routes routes{models, metrics, clock};
    using Exchange = std::shared_ptr<HttpExchange>;
    const auto get = [](const char* path, Access access, auto answer) {
        return Route{"GET", path, access, [answer](const Exchange& exchange, const Caller&) {
                         answerWith(*exchange, answer(exchange->request().path));
                     }};
    };
    const auto post = [](const char* path, auto answer) {
        return Route{"POST", path, Access::Key, [answer](const Exchange& exchange, const Caller&) {
                         auto body = bodyOf(*exchange);
                         answerWith(*exchange, body ? answer(*body, exchange->request().body)
                                                    : Result<Json>(std::move(body).error()));
                     }};
    };
    const auto start = [](const char* path, auto begin) {
        return Route{"POST", path, Access::Key, [begin](const Exchange& exchange, const Caller& caller) {
                         if (auto started = begin(exchange, caller); !started)
                             exchange->respond(openAiError(started.error()));
                     }};
    };
    return {
        get("/health", Access::Open,
            [](const std::string&) {
                return Result<Json>(Json{{"status", "ok"}});
            }),
        get("/version", Access::Key,
            [](const std::string&) {
                return Result<Json>(Json{{"version", kVersion}});
            }),
        get("/v1/models", Access::Key, [routes](const std::string&) { return listModels(routes); }),
        get(kModelPath, Access::Key, [routes](const std::string& path) { return oneModel(routes, path); }),
        Route{"GET", "/metrics", Access::Key,
              [routes](const Exchange& exchange, const Caller&) {
                  exchange->respond({200,
                                     routes.metrics.text(*routes.models.engine().snapshot()),
                                     "text/plain; version=0.0.4; charset=utf-8",
                                     {}});
              }},
        post("/tokenize", [routes](const Json& body, std::string_view text) { return tokenize(routes, body, text); }),
        post("/detokenize", [routes](const Json& body, std::string_view) { return detokenize(routes, body); }),
        start("/v1/chat/completions",
              [routes](const Exchange& exchange, const Caller& caller) {
                  return startGeneration(routes, exchange, caller, AnswerForm::Chat);
              }),
        start("/v1/completions",
              [routes](const Exchange& exchange, const Caller& caller) {
                  return startGeneration(routes, exchange, caller, AnswerForm::Completion);
              }),
        start("/v1/embeddings", [routes](const Exchange& exchange,
                                         const Caller& caller) { return startEmbedding(routes, exchange, caller); }),
    };
}

}  // namespace espalier
