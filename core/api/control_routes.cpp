// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/api/control_routes.h"

#include <charconv>

#include "core/api/json_fields.h"
#include "core/api/protocol.h"

namespace espalier {
namespace {

constexpr std::string_view kPrefix = "/control/";

std::string sse(std::string_view event, const Json& data) {
    return "event: " + std::string(event) + "\ndata: " + dumpJson(data) + "\n\n";
}

Result<Json> argumentsOf(const HttpRequest& request) {
    if (request.body.empty()) return Json::object();
    auto body = parseJson(request.body, "the request body");
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

void callOperation(ControlPort& control, const std::shared_ptr<HttpExchange>& exchange) {
    const std::string operation = exchange->request().path.substr(kPrefix.size());
    const auto arguments = argumentsOf(exchange->request());
    if (!arguments) return exchange->respond(controlError(arguments.error()));
    const auto stream = JsonFields(*arguments).boolean("stream", false);
    if (!stream) return exchange->respond(controlError(stream.error()));
    // A caller that hangs up ends what it asked for.
    const auto stop = std::make_shared<std::stop_source>();
    exchange->onClosed([stop] { stop->request_stop(); });
    if (*stream) return callStreamed(control, *exchange, operation, *arguments, stop->get_token());
    const auto result = control.call(operation, *arguments, CallOptions{stop->get_token(), nullptr});
    exchange->respond(result ? jsonResponse(*result) : controlError(result.error()));
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
    return {
        Route{
            "GET", "/control/events", Access::Admin,
            [&events](const std::shared_ptr<HttpExchange>& exchange, const Caller&) { openEvents(events, exchange); }},
        Route{"POST", "/control/", Access::Admin,
              [&control](const std::shared_ptr<HttpExchange>& exchange, const Caller&) {
                  callOperation(control, exchange);
              }},
    };
}

}  // namespace espalier
