// SPDX-License-Identifier: GPL-3.0-or-later
// FakeTenants: the operations about tenants for FakeDaemon, over the real registry kept in memory.
#pragma once

#include <QString>
#include <map>
#include <memory>
#include <optional>

#include "core/base/json.h"
#include "core/engine/tenants.h"

namespace espalier::test {

class FakeTenants {
public:
    FakeTenants();
    Tenants& registry() { return *m_tenants; }
    std::vector<UsageRow> usage;               // what `usage` answers
    std::map<std::string, TenantUsage> today;  // by tenant, what they used
    // None: the operation is about something else.
    std::optional<Result<Json>> answer(const QString& operation, const Json& arguments);

private:
    SystemClock m_clock;
    std::unique_ptr<Tenants> m_tenants;
};

}  // namespace espalier::test
