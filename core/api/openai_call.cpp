// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/api/openai_call.h"

namespace espalier {
namespace {

constexpr JsonLimits kBodyLimits{64, 64ull << 20};

}  // namespace

Result<Json> bodyOf(const HttpExchange& exchange) {
    auto body = parseJson(exchange.request().body, "the request body", kBodyLimits);
    if (!body) return fail(ErrorCode::InvalidArgument, body.error().message);
    if (!body->is_object()) return fail(ErrorCode::InvalidArgument, "the request body must be a JSON object");
    return body;
}

std::int32_t mostAtOnce(const Engine& engine) {
    return engine.options().maxSequences + engine.options().maxWaiting;
}

Error serverFault(Error error) {
    if (error.code == ErrorCode::NotFound) error.code = ErrorCode::IoError;
    return error;
}

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

std::optional<Error> failureOf(const Chunk& chunk) {
    if (chunk.error) return serverFault(*chunk.error);
    if (chunk.finish == FinishReason::Failed) return fail(ErrorCode::Internal, "the request failed");
    if (chunk.finish == FinishReason::Cancelled)
        return fail(ErrorCode::Draining, "the server stopped this answer before it was whole");
    return std::nullopt;
}

Result<void> submitAll(const OpenAiHost& host, const std::string& model, std::vector<Request> requests,
                       Cancellation& cancellation, RequestGroup::Take take) {
    const auto relay = std::make_shared<ChunkRelay>(host.answers, std::move(take));
    TRY_ASSIGN(const auto group,
               RequestGroup::start(host.models.engine(), model, std::move(requests),
                                   [relay](std::size_t index, const Chunk& chunk) { relay->push(index, chunk); }));
    cancellation.attach(group);
    return {};
}

Result<void> admitAll(const OpenAiHost& host, const std::string& model, std::vector<Request>& requests) {
    TRY_ASSIGN(const auto call, host.models.engine().tenants().admit(factsOf(model, requests)));
    for (Request& request : requests) request.call = call;
    return {};
}

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

}  // namespace espalier
