// SPDX-License-Identifier: GPL-3.0-or-later
// ControlPort: the operations of core/api/protocol.h as one call, wherever the engine runs. LocalControl stands on an
// engine in this process, RemoteControl on a daemon's HTTP port; espalierctl does not know which it has.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "core/api/generation.h"

namespace espalier {

struct CallOptions {
    std::stop_token stop;                          // ends a long call early: error cancelled, or what there is by then
    std::function<void(std::string_view)> onText;  // `generate`: text as it comes
};

class ControlPort {
public:
    virtual ~ControlPort() = default;
    // arguments: an object. Errors: not_found for an unknown operation, invalid_argument naming the argument, those of
    // the operation; network when a daemon does not answer. Thread: any; may block for as long as the work takes.
    virtual Result<Json> call(std::string_view operation, const Json& arguments, const CallOptions& options = {}) = 0;
};

// Where the operations run.
struct ControlHost {
    std::string url;                 // empty: not a daemon
    std::int64_t startedAt = 0;      // Unix milliseconds
    std::function<void()> shutdown;  // may be empty
};

class LocalControl final : public ControlPort {
public:
    // Requires: models outlives the object.
    LocalControl(const ModelAccess& models, const Clock& clock, ControlHost host);
    Result<Json> call(std::string_view operation, const Json& arguments, const CallOptions& options) override;

private:
    using Operation = std::function<Result<Json>(const Json& arguments, const CallOptions& options)>;
    std::map<std::string, Operation, std::less<>> m_operations;
};

}  // namespace espalier
