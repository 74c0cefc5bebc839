// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cstring>
#include <iterator>

#include "core/api/embedding.h"
#include "core/api/json_fields.h"
#include "core/api/openai_call.h"
#include "core/base/hash.h"

namespace espalier {
namespace {

constexpr std::size_t kMaxInputs = 2048;  // of one call, as the published API has it
constexpr std::size_t kEmbeddingsAtOnce = 64;

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

}  // namespace

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

}  // namespace espalier
