// SPDX-License-Identifier: GPL-3.0-or-later
// HTTP as the routes see it: plain values and one exchange object. Only http_connection.h and http_client.cpp know
// Beast.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace espalier {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
    std::string method;                          // "GET"
    std::string path;                            // percent-decoded, without the query
    std::map<std::string, std::string> query;    // decoded
    std::map<std::string, std::string> headers;  // names in lower case; a repeated one keeps its first value
    std::string body;

    std::string_view header(std::string_view lowerCaseName) const;
};

struct HttpResponse {
    int status = 200;
    std::string body;
    std::string contentType = "application/json";
    HttpHeaders headers;
};

std::string_view httpStatusText(int status);
std::optional<std::string> percentDecoded(std::string_view text);  // none for a broken escape or a control character

// One request and its answer. Any thread may call; nothing here blocks. Either respond() once, or startStream(),
// write() as often as there is something, finish(). An exchange dropped without an answer answers 500.
class HttpExchange {
public:
    virtual ~HttpExchange() = default;
    virtual const HttpRequest& request() const = 0;

    virtual void respond(HttpResponse response) = 0;
    virtual void startStream(std::string contentType, HttpHeaders headers = {}) = 0;
    // A client that lets more than HttpServerOptions::maxQueuedBytes pile up is cut off, as one that hung up.
    virtual void write(std::string bytes) = 0;
    virtual void finish() = 0;

    virtual std::size_t queuedBytes() const = 0;  // written and not yet taken by the client's socket

    // Called once, on the network thread, when the client goes away before its answer is complete; at once when it has
    // gone already. Forgotten when the answer is complete.
    virtual void onClosed(std::function<void()> action) = 0;
};

// What the server serves. All calls come on the network thread and must not block.
class HttpService {
public:
    virtual ~HttpService() = default;
    // Sees the head before the body is read: who may not come in costs no memory. The answer ends the request.
    virtual std::optional<HttpResponse> refusal(const HttpRequest& head) = 0;
    // Bytes that the body of a request may have which was not refused, beside the server's bounds; none: the server's.
    virtual std::optional<std::uint64_t> bodyLimit(const HttpRequest&) const { return std::nullopt; }
    virtual void serve(std::shared_ptr<HttpExchange> exchange) = 0;
    // The answer to what is not HTTP, or is too large or too slow.
    virtual HttpResponse protocolError(int status, std::string_view sentence) = 0;
};

}  // namespace espalier
