// SPDX-License-Identifier: GPL-3.0-or-later
// Per-tenant series of GET /metrics. Their number is bounded (kNamedTenants and "(others)", a name that no tenant can
// have): ten thousand tenants must not become ten thousand series. For the same reason no adapter is named.
#pragma once

#include <string>

#include "core/engine/tenants.h"

namespace espalier {

void printTenantMetrics(std::string& out, const Tenants::Counters& counters, const Snapshot& snapshot);

}  // namespace espalier
