// SPDX-License-Identifier: GPL-3.0-or-later
// Chat completions and completions.
#include "core/api/openai_call.h"

namespace espalier {
namespace {

constexpr std::int32_t kCompletionTokens = 16;  // what /v1/completions gives who asks for no number

std::string sse(const Json& data) {
    return "data: " + dumpJson(data) + "\n\n";
}

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

}  // namespace

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

}  // namespace espalier
