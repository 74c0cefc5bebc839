// SPDX-License-Identifier: GPL-3.0-or-later
// One HTTP/1.1 call, waited for: what espalierctl needs to speak with a daemon.
#pragma once

#include <chrono>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

#include "core/api/http.h"
#include "core/base/file_system.h"
#include "core/base/result.h"

namespace espalier {

struct HttpCall {
    std::string method = "POST";
    std::string url;   // "http://host:port" or "https://..."
    std::string path;  // "/control/hello"
    std::string key;   // Bearer; may be empty
    std::string body;
    Path certificate;  // https: the PEM certificate to trust
    std::chrono::milliseconds connectTimeout{3'000};
    std::chrono::milliseconds answerTimeout{
        0};                // for the whole answer once the request is sent; 0: as long as it takes
    std::stop_token stop;  // hangs up: error cancelled
    // Asks the other side to end the call early, instead of hanging up; true: it knows. Called again until it does.
    // When the answer has not come some seconds after the stop, the call hangs up after all.
    std::function<bool()> onStop;
    std::function<void(std::string_view)> onBody;  // pieces as they come; the response's body stays empty then
};

// Errors: invalid_argument (url), network (cannot connect, connection lost, no answer in time), cancelled.
Result<HttpResponse> httpCall(const HttpCall& call);

}  // namespace espalier
