// SPDX-License-Identifier: GPL-3.0-or-later
// Daemon: the services of one workspace wired together: engine, routes, HTTP port, daemon.json. The order in which they
// end is the reverse of the order in which they were made.
//
// Owner: `espalierctl serve`. Thread: made, waited for and destroyed on one.
#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>

#include "core/api/http_server.h"
#include "core/engine/engine.h"

namespace espalier {

struct DaemonOptions {
    HttpServerOptions http;
    std::string corsOrigin;    // empty: no browser page may call
    std::string chatTemplate;  // Jinja source for models without a template; empty: their chats are refused
    // Folders in which /v1/load_lora_adapter may read adapters. None: everywhere while only this machine reaches the
    // server, nowhere when the network does.
    std::vector<std::string> adapterFolders = {};
    std::chrono::milliseconds drainTimeout{30'000};
};

class Daemon {
public:
    // Listens and serves when it returns. Requires: everything passed outlives the daemon. Errors: network (port in
    // use), io_error (key file), invalid_argument, those of the chat template.
    static Result<std::unique_ptr<Daemon>> start(const DaemonOptions& options, Engine& engine, FileSystem& files,
                                                 const Clock& clock);
    virtual ~Daemon() = default;  // drains first

    virtual std::string url() const = 0;
    virtual std::string keyFile() const = 0;
    virtual void waitForShutdown(std::stop_token stop) = 0;  // a stop, or the operation `shutdown`
    // Refuses what is new, waits for what runs (bounded), closes every connection, removes daemon.json.
    virtual void drain() = 0;
};

}  // namespace espalier
