// SPDX-License-Identifier: GPL-3.0-or-later
// Router: from method and path to a route, after the key was checked. Errors take the OpenAI shape, below /control/ the
// shape of core/api/protocol.h.
//
// Owner: Daemon. Thread: routes are added before the server starts; then the network thread calls.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/api/http.h"
#include "core/api/keys.h"
#include "core/api/workers.h"
#include "core/base/json.h"
#include "core/base/result.h"

namespace espalier {

// HTTP status of an error code: 404 for not_found, 429 for busy, ...
int httpStatus(ErrorCode code);
// {"error": {"message", "type", "param", "code"}} with its status, and Retry-After where waiting helps. `where` of an
// error that speaks of the request is the field it speaks of. A model's broken files are 500: the caller did not give
// them.
HttpResponse openAiError(const Error& error);
HttpResponse controlError(const Error& error);  // {"error": {"code", "message", "where"}}
HttpResponse jsonResponse(const Json& body, int status = 200);

enum class Access { Open, Key, Admin };

// Where a route runs. Network: at once, on the network thread, which it must not hold up. Long: on workers of their
// own, so that calls which wait for the engine never keep the short ones from theirs.
enum class Lane { Network, Short, Long };

using RouteAction = std::function<void(std::shared_ptr<HttpExchange> exchange, const Caller& caller)>;

struct Route {
    std::string method;
    std::string path;  // exact; one that ends with '/' also takes any single name after it
    Access access = Access::Key;
    RouteAction action;
    Lane lane = Lane::Short;
};

class Router final : public HttpService {
public:
    // corsOrigin: the one origin a browser page may call from; empty: none.
    Router(Keys keys, WorkQueue shortWork, WorkQueue longWork, std::string corsOrigin);
    void add(Route route);
    void add(std::vector<Route> routes);
    HttpHeaders commonHeaders() const;  // for HttpServerOptions

    std::optional<HttpResponse> refusal(const HttpRequest& head) override;
    std::optional<std::uint64_t> bodyLimit(const HttpRequest& head) const override;
    void serve(std::shared_ptr<HttpExchange> exchange) override;
    HttpResponse protocolError(int status, std::string_view sentence) override;

private:
    const Route* find(const HttpRequest& head) const;
    std::string allowedMethods(std::string_view path) const;
    std::optional<HttpResponse> preflight(const HttpRequest& head) const;

    const Keys m_keys;
    const WorkQueue m_shortWork, m_longWork;
    const std::string m_corsOrigin;
    std::vector<Route> m_routes;
};

}  // namespace espalier
