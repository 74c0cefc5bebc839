// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/api/router.h"

#include <algorithm>
#include <cctype>

#include "core/api/protocol.h"
#include "core/base/caught.h"

namespace espalier {
namespace {

constexpr std::string_view kControl = "/control/";
constexpr std::uint64_t kMaxControlBytes = 2ull << 30;  // espalierctl reads files of up to 1 GiB; JSON adds escapes
constexpr std::size_t kMaxAllowedHeaders = 1024;        // bytes of the list that a preflight may ask for

bool isControl(std::string_view path) {
    return path.substr(0, kControl.size()) == kControl;
}

HttpResponse errorFor(std::string_view path, const Error& error) {
    return isControl(path) ? controlError(error) : openAiError(error);
}

bool matches(const Route& route, std::string_view path) {
    if (route.path.back() != '/') return path == route.path;
    return path.size() > route.path.size() && path.substr(0, route.path.size()) == route.path;
}

std::string_view openAiType(int status) {
    switch (status) {
        case 401:
            return "authentication_error";
        case 403:
            return "permission_error";
        case 429:
            return "rate_limit_error";
        case 503:
            return "service_unavailable";
        default:
            return status >= 500 ? "server_error" : "invalid_request_error";
    }
}

// The names that OpenAI's clients look at; everything else keeps ours.
std::string openAiCode(ErrorCode code) {
    if (code == ErrorCode::ContextOverflow) return "context_length_exceeded";
    if (code == ErrorCode::Unauthorized) return "invalid_api_key";
    if (code == ErrorCode::Busy) return "rate_limit_exceeded";
    return std::string(codeName(code));
}

// Found in the files of a model, which the callers of /v1 neither gave nor can mend.
bool isModelsFault(ErrorCode code) {
    return code == ErrorCode::CorruptFile || code == ErrorCode::ShapeMismatch || code == ErrorCode::MissingTensor ||
           code == ErrorCode::NonFinite;
}

// What a browser page may send: what its preflight asks for when that is a list of header names (RFC 9110 section
// 5.6.2), so that clients with headers of their own work; else what every call needs.
std::string allowedHeaders(std::string_view asked) {
    constexpr std::string_view kTokenMarks = "!#$%&'*+-.^_`|~";
    const auto isListChar = [&](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || kTokenMarks.find(c) != std::string_view::npos ||
               c == ',' || c == ' ';
    };
    const bool isList = !asked.empty() && asked.size() <= kMaxAllowedHeaders && std::ranges::all_of(asked, isListChar);
    return isList ? std::string(asked) : "Authorization, Content-Type";
}

}  // namespace

int httpStatus(ErrorCode code) {
    switch (code) {
        case ErrorCode::InvalidArgument:
        case ErrorCode::Unsupported:
        case ErrorCode::ContextOverflow:
        case ErrorCode::CorruptFile:
        case ErrorCode::ShapeMismatch:
        case ErrorCode::MissingTensor:
        case ErrorCode::NonFinite:
            return 400;
        case ErrorCode::Unauthorized:
            return 401;
        case ErrorCode::NotFound:
            return 404;
        case ErrorCode::AlreadyExists:
        case ErrorCode::Locked:
            return 409;
        case ErrorCode::TooLarge:
            return 413;
        case ErrorCode::Busy:
            return 429;
        case ErrorCode::Cancelled:
            return 499;
        case ErrorCode::Draining:
        case ErrorCode::PoolExhausted:
            return 503;
        case ErrorCode::DiskFull:
            return 507;
        case ErrorCode::IoError:
        case ErrorCode::DeviceError:
        case ErrorCode::Database:
        case ErrorCode::Network:
        case ErrorCode::Internal:
            return 500;
    }
    return 500;
}

HttpResponse jsonResponse(const Json& body, int status) {
    return {status, dumpJson(body), "application/json", {}};
}

HttpResponse openAiError(const Error& error) {
    const int status = isModelsFault(error.code) ? 500 : httpStatus(error.code);
    const bool isField = status == 400 && !error.where.empty() && error.where.find('/') == std::string::npos;
    const Json param = isField ? Json(error.where) : Json();
    auto response = jsonResponse({{"error",
                                   {{"message", error.message},
                                    {"type", openAiType(status)},
                                    {"param", param},
                                    {"code", openAiCode(error.code)}}}},
                                 status);
    if (status == 429) response.headers.emplace_back("Retry-After", std::to_string(std::max(1, error.retryAfterS)));
    if (status == 503) response.headers.emplace_back("Retry-After", "5");
    if (status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
    return response;
}

HttpResponse controlError(const Error& error) {
    return jsonResponse({{"error", toJson(error)}}, httpStatus(error.code));
}

Router::Router(Keys keys, WorkQueue shortWork, WorkQueue longWork, std::string corsOrigin)
    : m_keys(std::move(keys)),
      m_shortWork(std::move(shortWork)),
      m_longWork(std::move(longWork)),
      m_corsOrigin(std::move(corsOrigin)) {}

void Router::add(Route route) {
    m_routes.push_back(std::move(route));
}
void Router::add(std::vector<Route> routes) {
    for (Route& route : routes) add(std::move(route));
}

HttpHeaders Router::commonHeaders() const {
    HttpHeaders headers{{"X-Content-Type-Options", "nosniff"}};
    if (m_corsOrigin.empty()) return headers;
    headers.emplace_back("Access-Control-Allow-Origin", m_corsOrigin);
    if (m_corsOrigin != "*") headers.emplace_back("Vary", "Origin");
    return headers;
}

const Route* Router::find(const HttpRequest& head) const {
    const std::string_view method = head.method == "HEAD" ? "GET" : std::string_view(head.method);
    for (const Route& route : m_routes)
        if (route.method == method && matches(route, head.path)) return &route;
    return nullptr;
}

std::string Router::allowedMethods(std::string_view path) const {
    std::string methods;
    for (const Route& route : m_routes)
        if (matches(route, path) && methods.find(route.method) == std::string::npos)
            methods += (methods.empty() ? "" : ", ") + route.method;
    return methods;
}

std::optional<HttpResponse> Router::preflight(const HttpRequest& head) const {
    if (head.method != "OPTIONS" || m_corsOrigin.empty()) return std::nullopt;
    const std::string methods = allowedMethods(head.path);
    if (methods.empty()) return std::nullopt;
    return HttpResponse{
        204,
        "",
        "",
        {{"Access-Control-Allow-Methods", methods},
         {"Access-Control-Allow-Headers", allowedHeaders(head.header("access-control-request-headers"))},
         {"Access-Control-Max-Age", "600"}}};
}

std::optional<HttpResponse> Router::refusal(const HttpRequest& head) {
    if (auto allowed = preflight(head)) return allowed;
    const Route* route = find(head);
    // Without a key nothing is told, not even which paths there are.
    if (!route || route->access != Access::Open) {
        const auto caller = m_keys.caller(head.header("authorization"));
        if (!caller) return errorFor(head.path, caller.error());
        if (route && route->access == Access::Admin && !caller->admin) {
            auto response = errorFor(head.path, fail(ErrorCode::Unauthorized, "this route needs the admin key"));
            response.status = 403;
            return response;
        }
    }
    if (route) return std::nullopt;
    if (const std::string methods = allowedMethods(head.path); !methods.empty()) {
        auto response = errorFor(
            head.path, fail(ErrorCode::InvalidArgument, head.path + " takes " + methods + ", not " + head.method));
        response.status = 405;
        response.headers.emplace_back("Allow", methods);
        return response;
    }
    return errorFor(head.path, fail(ErrorCode::NotFound, "there is no route " + head.path));
}

std::optional<std::uint64_t> Router::bodyLimit(const HttpRequest& head) const {
    if (!isControl(head.path)) return std::nullopt;  // below /control/ only the admin was not refused
    return kMaxControlBytes;
}

void Router::serve(std::shared_ptr<HttpExchange> exchange) {
    const Route* route = find(exchange->request());
    auto known = m_keys.caller(exchange->request().header("authorization"));
    // Revoked while the body was on its way.
    if (!known && route->access != Access::Open)
        return exchange->respond(errorFor(exchange->request().path, known.error()));
    auto answer = [exchange, route, caller = std::move(known).value_or(Caller{})] {
        try {
            route->action(exchange, caller);
        } catch (...) {
            exchange->respond(errorFor(exchange->request().path, caughtError("the server")));
        }
    };
    if (route->lane == Lane::Network) return answer();
    const auto started = (route->lane == Lane::Long ? m_longWork : m_shortWork).run(std::move(answer));
    if (!started) exchange->respond(errorFor(exchange->request().path, started.error()));
}

HttpResponse Router::protocolError(int status, std::string_view sentence) {
    ErrorCode code = ErrorCode::InvalidArgument;
    if (status == 413 || status == 431) code = ErrorCode::TooLarge;
    if (status == 503) code = ErrorCode::Busy;
    if (status == 500) code = ErrorCode::Internal;
    auto response = openAiError(fail(code, std::string(sentence)));
    response.status = status;
    return response;
}

}  // namespace espalier
