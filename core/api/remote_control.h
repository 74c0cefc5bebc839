// SPDX-License-Identifier: GPL-3.0-or-later
// RemoteControl: the operations of a daemon, over its control routes.
#pragma once

#include <memory>

#include "core/api/control.h"
#include "core/api/daemon_file.h"
#include "core/api/http_client.h"

namespace espalier {

class RemoteControl final : public ControlPort {
public:
    // Reads the key file. Error io_error, unauthorized.
    static Result<std::unique_ptr<RemoteControl>> connect(FileSystem& files, const DaemonAddress& address);
    Result<Json> call(std::string_view operation, const Json& arguments, const CallOptions& options = {}) override;

    Result<bool> isThere() const;  // whether a daemon answers there, soon

private:
    HttpCall callOf(std::string_view operation, const Json& arguments) const;
    bool cancel(const std::string& callId) const;

    RemoteControl(DaemonAddress address, std::string key) : m_address(std::move(address)), m_key(std::move(key)) {}
    DaemonAddress m_address;
    std::string m_key;
};

// The workspace's daemon, when one runs and answers; null when none does.
Result<std::unique_ptr<ControlPort>> runningDaemon(FileSystem& files, const Path& workspace);

}  // namespace espalier
