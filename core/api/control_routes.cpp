// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/api/control_routes.h"

#include <charconv>
#include <map>
#include <mutex>

#include "core/api/json_fields.h"
#include "core/api/protocol.h"

namespace espalier {
namespace {

constexpr std::string_view kPrefix = "/control/";
// They wait for the engine, or for the disk.
constexpr const char* kLongOperations[]{"generate",        "perplexity",     "embed",           "job-wait",
                                        "isolation-check", "adapter-import", "adapters-import", "adapter-reload"};

// Calls whose arguments name them ("call_id"), while they run: `cancel` ends one of them early.
class NamedCalls {
public:
    bool add(const std::string& id, std::stop_source stop) {
        const std::lock_guard lock(m_mutex);
        return m_calls.emplace(id, std::move(stop)).second;
    }
    void remove(const std::string& id) {
        const std::lock_guard lock(m_mutex);
        m_calls.erase(id);
    }
    bool cancel(const std::string& id) {
        std::optional<std::stop_source> stop;
        {
            const std::lock_guard lock(m_mutex);
            if (const auto found = m_calls.find(id); found != m_calls.end()) stop = found->second;
        }
        return stop && stop->request_stop();  // runs what waits for it: not under the lock
    }

private:
    std::mutex m_mutex;
    std::map<std::string, std::stop_source> m_calls;
};

std::string sse(std::string_view event, const Json& data) {
    return "event: " + std::string(event) + "\ndata: " + dumpJson(data) + "\n\n";
}

Result<Json> argumentsOf(const HttpRequest& request) {
    if (request.body.empty()) return Json::object();
    auto body = parseJson(request.body, "the request body", JsonLimits{64, UINT64_MAX});  // the server bounds it
    if (!body) return fail(ErrorCode::InvalidArgument, body.error().message);
    if (!body->is_object()) return fail(ErrorCode::InvalidArgument, "the arguments must be a JSON object");
    return body;
}

void callStreamed(ControlPort& control, HttpExchange& exchange, const std::string& operation, const Json& arguments,
                  std::stop_token stop) {
    bool started = false;
    const auto start = [&] {
        if (!std::exchange(started, true)) exchange.startStream("text/event-stream");
    };
    CallOptions options{stop, [&](std::string_view text) {
                            start();
                            exchange.write(sse("text", {{"text", text}}));
                        }};
    const auto result = control.call(operation, arguments, options);
    if (!result && !started) return exchange.respond(controlError(result.error()));
    start();
    exchange.write(result ? sse("result", *result) : sse("error", toJson(result.error())));
    exchange.finish();
}

void callWhole(ControlPort& control, HttpExchange& exchange, const std::string& operation, const Json& arguments,
               std::stop_token stop) {
    const auto result = control.call(operation, arguments, CallOptions{stop, nullptr});
    exchange.respond(result ? jsonResponse(*result) : controlError(result.error()));
}

Result<void> callOperation(ControlPort& control, NamedCalls& calls, const std::shared_ptr<HttpExchange>& exchange) {
    const std::string operation = exchange->request().path.substr(kPrefix.size());
    TRY_ASSIGN(const Json arguments, argumentsOf(exchange->request()));
    TRY_ASSIGN(const bool stream, JsonFields(arguments).boolean("stream", false));
    TRY_ASSIGN(const auto id, JsonFields(arguments).string("call_id"));
    std::stop_source stop;
    if (id && !calls.add(*id, stop))
        return fail(ErrorCode::AlreadyExists, "a call with this \"call_id\" is running", "call_id");
    struct Registered {
        NamedCalls& calls;
        const std::optional<std::string>& id;
        ~Registered() {
            if (id) calls.remove(*id);
        }
    } const registered{calls, id};
    exchange->onClosed([stop]() mutable { stop.request_stop(); });  // who hangs up ends what was asked for
    (stream ? callStreamed : callWhole)(control, *exchange, operation, arguments, stop.get_token());
    return {};
}

Result<Json> cancelCall(NamedCalls& calls, const HttpRequest& request) {
    TRY_ASSIGN(const Json arguments, argumentsOf(request));
    TRY_ASSIGN(const std::string id, JsonFields(arguments).requiredString("call"));
    return Json{{"cancelled", calls.cancel(id)}};
}

std::optional<std::int64_t> sequenceFrom(std::string_view text) {
    std::int64_t sequence = 0;
    const auto [end, cause] = std::from_chars(text.data(), text.data() + text.size(), sequence);
    if (text.empty() || cause != std::errc() || end != text.data() + text.size() || sequence < 0) return std::nullopt;
    return sequence;
}

void openEvents(EventStreams& events, std::shared_ptr<HttpExchange> exchange) {
    const HttpRequest& request = exchange->request();
    const auto given = request.query.find("after");
    const std::string_view text =
        given != request.query.end() ? std::string_view(given->second) : request.header("last-event-id");
    const auto after = sequenceFrom(text);
    if (!text.empty() && !after)
        return exchange->respond(
            controlError(fail(ErrorCode::InvalidArgument, "\"after\" must be a sequence number, 0 or more", "after")));
    events.add(std::move(exchange), after);
}

}  // namespace

std::vector<Route> controlRoutes(ControlPort& control, EventStreams& events) {
    using Exchange = std::shared_ptr<HttpExchange>;
    const auto calls = std::make_shared<NamedCalls>();
    const RouteAction call = [&control, calls](const Exchange& exchange, const Caller&) {
        if (const auto called = callOperation(control, *calls, exchange); !called)
            exchange->respond(controlError(called.error()));
    };
    const RouteAction cancel = [calls](const Exchange& exchange, const Caller&) {
        const auto result = cancelCall(*calls, exchange->request());
        exchange->respond(result ? jsonResponse(*result) : controlError(result.error()));
    };
    std::vector<Route> routes{
        Route{"GET", "/control/events", Access::Admin,
              [&events](const Exchange& exchange, const Caller&) { openEvents(events, exchange); }},
        Route{"POST", "/control/cancel", Access::Admin, cancel}};
    for (const char* operation : kLongOperations)
        routes.push_back({"POST", std::string(kPrefix) + operation, Access::Admin, call, Lane::Long});
    routes.push_back({"POST", std::string(kPrefix), Access::Admin, call});
    return routes;
}

}  // namespace espalier
