// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/api/openai_routes.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <iterator>

#include "core/api/chunk_relay.h"
#include "core/api/embedding.h"
#include "core/api/json_fields.h"
#include "core/api/openai_answer.h"
#include "core/api/request_group.h"
#include "core/api/tenant_metrics.h"
#include "core/api/version.h"
#include "core/base/hash.h"

namespace espalier {
namespace {

constexpr std::int32_t kCompletionTokens = 16;  // what /v1/completions gives who asks for no number
constexpr const char* kModelPath = "/v1/models/";
constexpr JsonLimits kBodyLimits{64, 64ull << 20};
constexpr std::size_t kMaxInputs = 2048;  // of one call for embeddings, as the published API has it
constexpr std::size_t kEmbeddingsAtOnce = 64;

Result<Json> bodyOf(const HttpExchange& exchange) {
    auto body = parseJson(exchange.request().body, "the request body", kBodyLimits);
    if (!body) return fail(ErrorCode::InvalidArgument, body.error().message);
    if (!body->is_object()) return fail(ErrorCode::InvalidArgument, "the request body must be a JSON object");
    return body;
}

// Requests that the engine takes for one model before it is busy.
std::int32_t mostAtOnce(const Engine& engine) {
    return engine.options().maxSequences + engine.options().maxWaiting;
}

std::string sse(const Json& data) {
    return "data: " + dumpJson(data) + "\n\n";
}

// A model whose own files are wrong is the server's fault, whatever the code says of files that a caller names.
Error serverFault(Error error) {
    if (error.code == ErrorCode::NotFound) error.code = ErrorCode::IoError;
    return error;
}

// The full name of what the caller means, a model or "base:adapter", where the caller may know of it.
Result<std::string> shownName(const OpenAiHost& host, const Caller& caller, const std::string& name) {
    const auto limits = host.models.engine().tenants().limitsOf(caller.tenant);
    auto full = host.models.nameOf(name, caller.tenant);
    if (!limits || limits->models.empty() || (full && mayUse(*limits, *full))) return full;
    return fail(ErrorCode::NotFound, "there is no model \"" + name + "\" for this key", "model");
}

Result<ServedModel> servedModel(const OpenAiHost& host, const Caller& caller, const std::string& name) {
    TRY_ASSIGN(const std::string full, shownName(host, caller, name));
    auto model = host.models.find(full);
    if (!model) return serverFault(std::move(model).error());
    return model;
}

// Why a request did not end as its caller asked; none while it may still.
std::optional<Error> failureOf(const Chunk& chunk) {
    if (chunk.error) return serverFault(*chunk.error);
    if (chunk.finish == FinishReason::Failed) return fail(ErrorCode::Internal, "the request failed");
    if (chunk.finish == FinishReason::Cancelled)
        return fail(ErrorCode::Draining, "the server stopped this answer before it was whole");
    return std::nullopt;
}

// Submits the requests; their chunks come to `take` on the workers of the answers.
Result<void> submitAll(const OpenAiHost& host, const std::string& model, std::vector<Request> requests,
                       Cancellation& cancellation, RequestGroup::Take take) {
    const auto relay = std::make_shared<ChunkRelay>(host.answers, std::move(take));
    TRY_ASSIGN(const auto group,
               RequestGroup::start(host.models.engine(), model, std::move(requests),
                                   [relay](std::size_t index, const Chunk& chunk) { relay->push(index, chunk); }));
    cancellation.attach(group);
    return {};
}

// Admits the requests as one call of their tenant.
Result<void> admitAll(const OpenAiHost& host, const std::string& model, std::vector<Request>& requests) {
    TRY_ASSIGN(const auto call, host.models.engine().tenants().admit(factsOf(model, requests)));
    for (Request& request : requests) request.call = call;
    return {};
}

// What is left of the tenant's limits a minute, under the names that OpenAI's clients read; nothing without limits.
HttpHeaders rateHeaders(const OpenAiHost& host, const Caller& caller) {
    const TenantStanding standing = host.models.engine().tenants().standing(caller.tenant);
    HttpHeaders headers;
    const auto add = [&](const std::string& what, const std::optional<TenantStanding::Limit>& limit) {
        if (!limit) return;
        headers.emplace_back("x-ratelimit-limit-" + what, std::to_string(limit->most));
        headers.emplace_back("x-ratelimit-remaining-" + what, std::to_string(limit->left));
        headers.emplace_back("x-ratelimit-reset-" + what, std::to_string(limit->resetMs) + "ms");
    };
    add("requests", standing.requests);
    add("tokens", standing.tokens);
    return headers;
}

HttpResponse withHeaders(HttpResponse response, const HttpHeaders& more) {
    response.headers.insert(response.headers.end(), more.begin(), more.end());
    return response;
}

// ---- chat completions and completions

// Gathers the chunks of one call and writes them out, streamed or whole. Calls come one at a time (ChunkRelay).
class GenerationAnswer {
public:
    GenerationAnswer(const OpenAiHost& host, std::shared_ptr<HttpExchange> exchange, AnswerHead head,
                     const GenerationCall& call, ServedModel model, HttpHeaders headers)
        : m_metrics(host.metrics),
          m_exchange(std::move(exchange)),
          m_headers(std::move(headers)),
          m_head(std::move(head)),
          m_model(std::move(model)),
          m_choices(call.prompts.size() * static_cast<std::size_t>(call.choices)),
          m_offsets(m_choices.size()),
          m_perPrompt(static_cast<std::size_t>(call.choices)),
          m_open(m_choices.size()),
          m_stream(call.stream),
          m_includeUsage(call.includeUsage),
          m_logprobs(call.logprobs >= 0) {}

    Cancellation& cancellation() { return m_cancellation; }

    void take(std::size_t index, const Chunk& chunk) {
        if (chunk.finish) m_metrics->ended(chunk);
        if (!m_failed) {
            const auto failure = failureOf(chunk);
            if (m_stream && (!failure || m_started)) streamChunk(index, chunk, !failure);
            if (!m_stream || chunk.finish) m_choices[index].take(chunk);
            if (failure) failed(*failure);
        }
        if (chunk.finish && --m_open == 0 && !m_failed) ended();
    }

private:
    // The head of the answer goes out with the first chunk: until then a failure can still have its own status.
    void startStream() {
        if (std::exchange(m_started, true)) return;
        m_exchange->startStream("text/event-stream", m_headers);
        if (m_head.form == AnswerForm::Completion) return;
        for (std::size_t i = 0; i < m_choices.size(); ++i) m_exchange->write(sse(openingPiece(m_head, i)));
    }

    void streamChunk(std::size_t index, const Chunk& chunk, bool closes) {
        startStream();
        if (!chunk.text.empty() || (m_logprobs && !chunk.logprobs.empty())) {
            Json logprobs;
            if (m_logprobs)
                logprobs = logprobsJson(m_head.form, m_model.text->tokenizer.get(), chunk.logprobs, m_offsets[index]);
            m_exchange->write(sse(textPiece(m_head, index, chunk.text, std::move(logprobs))));
        }
        if (chunk.finish && closes) m_exchange->write(sse(closingPiece(m_head, index, *chunk.finish)));
    }

    void failed(const Error& error) {
        m_failed = true;
        m_cancellation.cancel();  // the other choices go on for nobody
        const HttpResponse response = openAiError(error);
        if (!m_started) return m_exchange->respond(response);
        m_exchange->write("data: " + response.body + "\n\n");
        m_exchange->finish();
    }

    void ended() {
        if (!m_stream)
            return m_exchange->respond(withHeaders(
                jsonResponse(wholeAnswer(m_head, m_model.text->tokenizer.get(), m_choices, m_perPrompt, m_logprobs)),
                m_headers));
        if (m_includeUsage) m_exchange->write(sse(usagePiece(m_head, sumUsage(m_choices, m_perPrompt))));
        m_exchange->write("data: [DONE]\n\n");
        m_exchange->finish();
    }

    const std::shared_ptr<RequestMetrics> m_metrics;
    const std::shared_ptr<HttpExchange> m_exchange;
    const HttpHeaders m_headers;
    const AnswerHead m_head;
    const ServedModel m_model;
    std::vector<Choice> m_choices;
    std::vector<std::size_t> m_offsets;  // of the text of each choice
    const std::size_t m_perPrompt;
    std::size_t m_open;
    const bool m_stream, m_includeUsage, m_logprobs;
    bool m_started = false, m_failed = false;
    Cancellation m_cancellation;
};

Result<void> startGeneration(const OpenAiHost& host, const std::shared_ptr<HttpExchange>& exchange,
                             const Caller& caller, AnswerForm form) {
    TRY_ASSIGN(const Json body, bodyOf(*exchange));
    const bool chat = form == AnswerForm::Chat;
    TRY_ASSIGN(const GenerationCall call,
               chat ? chatCallFromJson(body, exchange->request().body) : completionCallFromJson(body));
    const std::int32_t most = mostAtOnce(host.models.engine());
    if (call.prompts.size() * static_cast<std::size_t>(call.choices) > static_cast<std::size_t>(most))
        return fail(ErrorCode::InvalidArgument,
                    std::to_string(call.prompts.size()) + " prompts with " + std::to_string(call.choices) +
                        " answers each are more than the " + std::to_string(most) + " that this server takes at once",
                    "prompt");
    TRY_ASSIGN(ServedModel model, servedModel(host, caller, call.model));
    const GenerationPolicy policy{1.0, chat ? std::nullopt : std::optional(kCompletionTokens)};
    TRY_ASSIGN(auto requests, bindCall(model, call, policy, caller.tenant));
    AnswerHead head{form, (chat ? "chatcmpl-" : "cmpl-") + randomToken(16), call.model,
                    host.clock.unixMilliseconds() / 1000};
    const std::string name = model.served;
    TRY(admitAll(host, name, requests));
    const auto answer = std::make_shared<GenerationAnswer>(host, exchange, std::move(head), call, std::move(model),
                                                           rateHeaders(host, caller));
    TRY(submitAll(host, name, std::move(requests), answer->cancellation(),
                  [answer](std::size_t index, const Chunk& chunk) { answer->take(index, chunk); }));
    exchange->onClosed([answer] { answer->cancellation().cancel(); });
    return {};
}

// ---- embeddings

Json embeddingJson(const std::vector<float>& values, bool base64) {
    if (!base64) return values;
    std::string bytes(values.size() * sizeof(float), '\0');
    std::memcpy(bytes.data(), values.data(), bytes.size());
    return base64Text(bytes);
}

// Many inputs go to the engine some at a time, so that one call neither fills its queue nor is refused for its size.
// Calls come one at a time (ChunkRelay).
class EmbeddingAnswer : public std::enable_shared_from_this<EmbeddingAnswer> {
public:
    EmbeddingAnswer(const OpenAiHost& host, std::shared_ptr<HttpExchange> exchange, std::string model, std::string name,
                    std::vector<Request> requests, bool base64, HttpHeaders headers)
        : m_host(host),
          m_exchange(std::move(exchange)),
          m_model(std::move(model)),
          m_name(std::move(name)),
          m_requests(std::move(requests)),
          m_inputs(m_requests.size()),
          m_base64(base64),
          m_headers(std::move(headers)) {}

    Cancellation& cancellation() { return m_cancellation; }

    Result<void> startNext() {
        const std::size_t first = m_begun;
        const auto most = static_cast<std::size_t>(mostAtOnce(m_host.models.engine()));
        m_open = std::min({m_requests.size() - first, kEmbeddingsAtOnce, most});
        m_begun += m_open;
        const auto begin = std::make_move_iterator(m_requests.begin() + static_cast<std::ptrdiff_t>(first));
        return submitAll(
            m_host, m_model, std::vector<Request>(begin, begin + static_cast<std::ptrdiff_t>(m_open)), m_cancellation,
            [self = shared_from_this(), first](std::size_t i, const Chunk& chunk) { self->take(first + i, chunk); });
    }

private:
    void take(std::size_t index, const Chunk& chunk) {
        m_inputs[index].take(chunk);
        if (!chunk.finish) return;
        m_host.metrics->ended(chunk);
        if (const auto failure = failureOf(chunk)) failed(*failure);
        if (--m_open > 0 || m_failed) return;
        if (m_begun == m_inputs.size()) return ended();
        if (const auto next = startNext(); !next) failed(next.error());
    }

    void failed(const Error& error) {
        if (std::exchange(m_failed, true)) return;
        m_cancellation.cancel();
        m_exchange->respond(openAiError(error));
    }

    void ended() {
        Json data = Json::array();
        for (std::size_t i = 0; i < m_inputs.size(); ++i)
            data.push_back(
                {{"object", "embedding"}, {"index", i}, {"embedding", embeddingJson(m_inputs[i].embedding, m_base64)}});
        const std::int32_t tokens = sumUsage(m_inputs, 1).promptTokens;
        m_exchange->respond(
            withHeaders(jsonResponse({{"object", "list"},
                                      {"data", std::move(data)},
                                      {"model", m_name},
                                      {"usage", {{"prompt_tokens", tokens}, {"total_tokens", tokens}}}}),
                        m_headers));
    }

    const OpenAiHost m_host;  // models and clock: only while a worker runs, so within the server's life
    const std::shared_ptr<HttpExchange> m_exchange;
    const std::string m_model, m_name;  // in the catalog; as the caller named it
    std::vector<Request> m_requests;
    std::vector<Choice> m_inputs;
    std::size_t m_begun = 0, m_open = 0;
    const bool m_base64;
    const HttpHeaders m_headers;
    bool m_failed = false;
    Cancellation m_cancellation;
};

Result<void> startEmbedding(const OpenAiHost& host, const std::shared_ptr<HttpExchange>& exchange,
                            const Caller& caller) {
    TRY_ASSIGN(const Json body, bodyOf(*exchange));
    const JsonFields fields(body);
    TRY_ASSIGN(const std::string name, fields.requiredString("model"));
    TRY_ASSIGN(const auto prompts, promptsFromJson(body, "input", kMaxInputs));
    TRY_ASSIGN(const auto format, fields.string("encoding_format"));
    if (format && *format != "float" && *format != "base64")
        return fields.wrong("encoding_format", "\"float\" or \"base64\"");
    TRY_ASSIGN(const ServedModel model, servedModel(host, caller, name));
    TRY_ASSIGN(const auto dimensions, fields.integer("dimensions", 1, INT32_MAX));
    if (dimensions && *dimensions != model.record.spec.hidden)
        return fail(
            ErrorCode::Unsupported,
            "\"dimensions\" other than the model's " + std::to_string(model.record.spec.hidden) + " is not supported",
            "dimensions");
    auto bound = bindEmbeddings(host.models.files(), model, prompts, caller.tenant, LongText::Refuse);
    if (!bound) return serverFault(std::move(bound).error());
    TRY(admitAll(host, model.served, bound->requests));
    const auto answer =
        std::make_shared<EmbeddingAnswer>(host, exchange, model.served, name, std::move(bound->requests),
                                          format == std::optional<std::string>("base64"), rateHeaders(host, caller));
    TRY(answer->startNext());
    exchange->onClosed([answer] { answer->cancellation().cancel(); });
    return {};
}

// ---- the rest

Json modelJson(const ModelRecord& model) {
    return {{"id", model.name},   {"object", "model"}, {"created", model.importedAt / 1000}, {"owned_by", "espalier"},
            {"root", model.name}, {"parent", nullptr}, {"max_model_len", model.context}};
}

// An adapter as a model of its own, as vLLM lists it: its parent is the base.
Json adapterJson(const AdapterRecord& adapter, const ModelRecord& base) {
    return {{"id", base.name + ":" + adapter.name},
            {"object", "model"},
            {"created", adapter.importedAt / 1000},
            {"owned_by", "espalier"},
            {"root", adapter.source},
            {"parent", base.name},
            {"max_model_len", base.context}};
}

Result<Json> listModels(const OpenAiHost& host, const Caller& caller) {
    Json data = Json::array();
    Engine& engine = host.models.engine();
    const auto limits = engine.tenants().limitsOf(caller.tenant);
    const auto add = [&](Json entry) {
        if (limits && mayUse(*limits, entry["id"].get_ref<const std::string&>())) data.push_back(std::move(entry));
    };
    const auto adapters = engine.adapters();
    for (const ModelRecord& model : engine.models()) {
        add(modelJson(model));
        for (const AdapterRecord& adapter : adapters)
            if (adapter.baseId == model.id && isVisibleTo(adapter, caller.tenant)) add(adapterJson(adapter, model));
    }
    return Json{{"object", "list"}, {"data", std::move(data)}};
}

Result<Json> oneModel(const OpenAiHost& host, const Caller& caller, const std::string& path) {
    TRY_ASSIGN(const std::string name, shownName(host, caller, path.substr(std::strlen(kModelPath))));
    if (const auto model = host.models.engine().findModel(name)) return modelJson(*model);
    TRY_ASSIGN(const AdapterRecord adapter, host.models.engine().findAdapter(name));
    TRY_ASSIGN(const ModelRecord base, host.models.engine().findModel(adapter.baseId));
    return adapterJson(adapter, base);
}

// The base an adapter is loaded for: the one named, or the only one there is.
Result<std::string> baseFor(const OpenAiHost& host, const JsonFields& fields) {
    TRY_ASSIGN(const auto named, fields.string("base_model"));
    if (named) return *named;
    const auto models = host.models.engine().models();
    if (models.size() == 1) return models[0].name;
    return fail(
        ErrorCode::InvalidArgument,
        "\"base_model\" must name the model that the adapter changes: this server has " + std::to_string(models.size()),
        "base_model");
}

// What the path leads to, links followed, when that lies in a folder that adapters may be read from.
Result<std::string> allowedFolder(const OpenAiHost& host, const std::string& path) {
    if (!host.adapterFolders) return path;
    std::error_code failed;
    const Path real = std::filesystem::weakly_canonical(path, failed);
    for (const Path& folder : *host.adapterFolders) {
        if (failed) break;
        const auto differs = std::mismatch(folder.begin(), folder.end(), real.begin(), real.end());
        if (differs.first == folder.end()) return real.string();
    }
    return fail(ErrorCode::InvalidArgument,
                host.adapterFolders->empty()
                    ? "this server is open to the network and reads no adapters from its disk over HTTP: start it with "
                      "--adapter-folder DIR to allow the folders in DIR"
                    : "\"" + path +
                          "\" does not lie in a folder that this server reads adapters from (serve "
                          "--adapter-folder)",
                "lora_path");
}

Result<std::string> loadAdapter(const OpenAiHost& host, const Json& body) {
    const JsonFields fields(body);
    AdapterImport request;
    TRY_ASSIGN(request.name, fields.requiredString("lora_name"));
    TRY_ASSIGN(const std::string path, fields.requiredString("lora_path"));
    TRY_ASSIGN(request.path, allowedFolder(host, path));
    TRY_ASSIGN(const bool inPlace, fields.boolean("load_inplace", false));
    TRY_ASSIGN(request.base, baseFor(host, fields));
    Engine& engine = host.models.engine();
    if (inPlace && engine.findAdapter(request.base + ":" + request.name)) {
        TRY(engine.reloadAdapter(request.base + ":" + request.name, request.path));
    } else {
        TRY(engine.importAdapter(request));
    }
    return "Success: LoRA adapter '" + request.name + "' added successfully.";
}

Result<std::string> unloadAdapter(const OpenAiHost& host, const Json& body) {
    const JsonFields fields(body);
    TRY_ASSIGN(const std::string name, fields.requiredString("lora_name"));
    TRY_ASSIGN(const auto base, fields.string("base_model"));
    TRY(host.models.engine().removeAdapter(base ? *base + ":" + name : name));
    return "Success: LoRA adapter '" + name + "' removed successfully.";
}

Result<Json> tokenize(const OpenAiHost& host, const Caller& caller, const Json& body, std::string_view bodyText) {
    const JsonFields fields(body);
    TRY_ASSIGN(const std::string name, fields.requiredString("model"));
    TRY_ASSIGN(const ServedModel model, servedModel(host, caller, name));
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

Result<Json> detokenize(const OpenAiHost& host, const Caller& caller, const Json& body) {
    const JsonFields fields(body);
    TRY_ASSIGN(const std::string name, fields.requiredString("model"));
    const Json* tokens = fields.find("tokens");
    if (!tokens) return fields.wrong("tokens", "an array of token ids");
    TRY_ASSIGN(const auto ids, tokenIdsFromJson(*tokens, "tokens"));
    TRY_ASSIGN(const ServedModel model, servedModel(host, caller, name));
    if (!model.text->tokenizer)
        return fail(ErrorCode::Unsupported, "model " + model.record.name + " has no tokenizer", "model");
    TRY_ASSIGN(std::string text, model.text->tokenizer->decode(ids, false));
    return Json{{"prompt", std::move(text)}};
}

std::string metricsText(const OpenAiHost& host) {
    const auto snapshot = host.models.engine().snapshot();
    std::string text = host.metrics->text(*snapshot);
    printTenantMetrics(text, host.models.engine().tenants().counters(), snapshot->tenants);
    return text;
}

void answerWith(HttpExchange& exchange, Result<Json> result) {
    exchange.respond(result ? jsonResponse(*result) : openAiError(result.error()));
}

}  // namespace

std::vector<Route> openAiRoutes(const OpenAiHost& host) {
    using Exchange = std::shared_ptr<HttpExchange>;
    const auto get = [](const char* path, Access access, auto answer) {
        return Route{"GET", path, access, [answer](const Exchange& exchange, const Caller& caller) {
                         answerWith(*exchange, answer(caller, exchange->request().path));
                     }};
    };
    const auto post = [](const char* path, auto answer) {
        return Route{"POST", path, Access::Key, [answer](const Exchange& exchange, const Caller& caller) {
                         auto body = bodyOf(*exchange);
                         answerWith(*exchange, body ? answer(caller, *body, exchange->request().body)
                                                    : Result<Json>(std::move(body).error()));
                     }};
    };
    const auto admin = [host](const char* path, Result<std::string> (*act)(const OpenAiHost&, const Json&)) {
        return Route{"POST", path, Access::Admin,
                     [host, act](const Exchange& exchange, const Caller&) {
                         const auto body = bodyOf(*exchange);
                         auto done = body ? act(host, *body) : Result<std::string>(body.error());
                         exchange->respond(done ? HttpResponse{200, *done, "text/plain; charset=utf-8", {}}
                                                : openAiError(done.error()));
                     },
                     Lane::Long};
    };
    const auto start = [&host](const char* path, auto begin) {
        return Route{"POST", path, Access::Key, [begin, host](const Exchange& exchange, const Caller& caller) {
                         if (auto started = begin(exchange, caller); !started)
                             exchange->respond(withHeaders(openAiError(started.error()), rateHeaders(host, caller)));
                     }};
    };
    return {
        Route{"GET", "/health", Access::Open,
              [](const Exchange& exchange, const Caller&) {
                  exchange->respond(jsonResponse({{"status", "ok"}}));
              },
              Lane::Network},
        get("/version", Access::Key,
            [](const Caller&, const std::string&) {
                return Result<Json>(Json{{"version", kVersion}});
            }),
        get("/v1/models", Access::Key,
            [host](const Caller& caller, const std::string&) { return listModels(host, caller); }),
        get(kModelPath, Access::Key,
            [host](const Caller& caller, const std::string& path) { return oneModel(host, caller, path); }),
        // It tells of every tenant: the admin's alone.
        Route{"GET", "/metrics", Access::Admin,
              [host](const Exchange& exchange, const Caller&) {
                  exchange->respond({200, metricsText(host), "text/plain; version=0.0.4; charset=utf-8", {}});
              }},
        post("/tokenize", [host](const Caller& caller, const Json& body,
                                 std::string_view text) { return tokenize(host, caller, body, text); }),
        post("/detokenize", [host](const Caller& caller, const Json& body,
                                   std::string_view) { return detokenize(host, caller, body); }),
        admin("/v1/load_lora_adapter", loadAdapter),
        admin("/v1/unload_lora_adapter", unloadAdapter),
        start("/v1/chat/completions",
              [host](const Exchange& exchange, const Caller& caller) {
                  return startGeneration(host, exchange, caller, AnswerForm::Chat);
              }),
        start("/v1/completions",
              [host](const Exchange& exchange, const Caller& caller) {
                  return startGeneration(host, exchange, caller, AnswerForm::Completion);
              }),
        start("/v1/embeddings", [host](const Exchange& exchange,
                                       const Caller& caller) { return startEmbedding(host, exchange, caller); }),
    };
}

}  // namespace espalier
