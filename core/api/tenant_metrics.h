// SPDX-License-Identifier: GPL-3.0-or-later
// Per-tenant series of GET /metrics. Their number is bounded (kNamedTenants and "(others)", a name that no tenant can
// have): ten thousand tenants must not become ten thousand series.
#pragma once

#include <string>
#include <vector>

#include "core/engine/tenants.h"

namespace espalier {

// loads: of the snapshot, the busiest first.
void printTenantMetrics(std::string& out, const Tenants::Counters& counters, const std::vector<TenantLoad>& loads);

}  // namespace espalier
