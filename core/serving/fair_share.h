// SPDX-License-Identifier: GPL-3.0-or-later
// FairShare: how much service each tenant has had. The scheduler serves the least served first, so a tenant that floods
// the queue delays itself, not others. A tenant that comes back after a pause is lifted to the least served active one:
// idle time earns no credit.
//
// Owner: ServingLoop. Thread: engine. Source: Virtual Token Counter, Sheng et al., arXiv 2401.00588, charged per chunk.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace espalier {

// Service of one computed prompt token and of one generated token.
constexpr double kPromptTokenCost = 1.0;
constexpr double kGeneratedTokenCost = 2.0;

class FairShare {
public:
    using Slot = std::int32_t;

    // A request of the tenant arrived or ended. The slot stays the tenant's while it has requests.
    Slot enter(std::string_view tenant);
    void leave(Slot slot);

    void charge(Slot slot, double service) { m_served[static_cast<std::size_t>(slot)] += service; }
    std::span<const double> served() const { return m_served; }  // by slot

private:
    struct Tenant {
        std::string name;
        std::int32_t requests = 0;
    };
    double floor() const;  // where a tenant that (re)enters starts at least
    Slot findSlot(std::string_view name, double floor);

    std::vector<Tenant> m_tenants;
    std::vector<double> m_served;
    std::unordered_map<std::string, Slot> m_slots;
    double m_lastLeft = 0.0;  // service of the tenant that left last
};

}  // namespace espalier
