// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/api/openai_routes.h"

#include "core/api/json_fields.h"
#include "core/api/openai_call.h"
#include "core/api/tenant_metrics.h"
#include "core/api/version.h"

namespace espalier {
namespace {

constexpr const char* kModelPath = "/v1/models/";

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
    printTenantMetrics(text, host.models.engine().tenants().counters(), *snapshot);
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
