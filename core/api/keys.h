// SPDX-License-Identifier: GPL-3.0-or-later
// Who may call: the admin key of the workspace, one line in a file that only its owner reads, and the keys of tenants
// (core/engine/tenants.h). The admin key is made at the first start and stays, so that clients keep working across
// restarts.
#pragma once

#include <string>
#include <string_view>

#include "core/base/file_system.h"
#include "core/base/result.h"
#include "core/engine/tenants.h"

namespace espalier {

constexpr std::string_view kAdminKeyFile = "admin.key";

struct Caller {
    std::string tenant;  // fair share and prefix-cache domain
    bool admin = false;  // may use /control
};

// The key in `file`, made with mode 0600 when there is none. Errors: io_error; unauthorized when the file is readable
// by others; corrupt_file when it holds no key.
Result<std::string> loadOrMakeAdminKey(FileSystem& files, const Path& file);

// Writes a file that only this user can read, from its first byte on.
Result<void> writePrivateFile(FileSystem& files, const Path& file, std::string_view content);

class Keys {
public:
    // Requires: tenants outlives the object.
    Keys(std::string adminKey, Tenants& tenants) : m_adminKey(std::move(adminKey)), m_tenants(tenants) {}
    // `authorization` is the header: "Bearer <key>". Compared in constant time, a tenant's by its digest. Error
    // unauthorized: there is no key, nobody's, a revoked one, or its tenant is revoked or expired.
    Result<Caller> caller(std::string_view authorization) const;

private:
    std::string m_adminKey;
    Tenants& m_tenants;
};

}  // namespace espalier
