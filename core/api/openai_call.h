// SPDX-License-Identifier: GPL-3.0-or-later
// What the calls of OpenAI's API are made of: reading the body, naming the model, being admitted, reaching the engine,
// and the errors of each. The calls that need more than a few lines stand in files of their own: openai_generation.cpp,
// openai_embeddings.cpp, openai_adapters.cpp.
//
// Thread: API workers.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/api/chunk_relay.h"
#include "core/api/openai_answer.h"
#include "core/api/openai_routes.h"

namespace espalier {

Result<Json> bodyOf(const HttpExchange& exchange);

// Requests that the engine takes for one model before it is busy.
std::int32_t mostAtOnce(const Engine& engine);

// A model whose own files are wrong is the server's fault, whatever the code says of files that a caller names.
Error serverFault(Error error);

// The full name of what the caller means, a model or "base:adapter", where the caller may know of it.
Result<std::string> shownName(const OpenAiHost& host, const Caller& caller, const std::string& name);
Result<ServedModel> servedModel(const OpenAiHost& host, const Caller& caller, const std::string& name);

// Why a request did not end as its caller asked; none while it may still.
std::optional<Error> failureOf(const Chunk& chunk);

// Admits the requests as one call of their tenant.
Result<void> admitAll(const OpenAiHost& host, const std::string& model, std::vector<Request>& requests);
// Submits the requests; their chunks come to `take` on the workers of the answers.
Result<void> submitAll(const OpenAiHost& host, const std::string& model, std::vector<Request> requests,
                       Cancellation& cancellation, RequestGroup::Take take);

// What is left of the tenant's limits a minute, under the names that OpenAI's clients read; nothing without limits.
HttpHeaders rateHeaders(const OpenAiHost& host, const Caller& caller);
HttpResponse withHeaders(HttpResponse response, const HttpHeaders& more);

// The exchange is answered later, unless an error comes back.
Result<void> startGeneration(const OpenAiHost& host, const std::shared_ptr<HttpExchange>& exchange,
                             const Caller& caller, AnswerForm form);
Result<void> startEmbedding(const OpenAiHost& host, const std::shared_ptr<HttpExchange>& exchange,
                            const Caller& caller);

// The text of the answer, as vLLM gives it.
Result<std::string> loadAdapter(const OpenAiHost& host, const Json& body);
Result<std::string> unloadAdapter(const OpenAiHost& host, const Json& body);

}  // namespace espalier
