// SPDX-License-Identifier: GPL-3.0-or-later
// FairShare: how much service each tenant has had, over its weight. The scheduler serves the least served first, so a
// tenant that floods the queue delays itself, not others, and one of weight 2 gets twice what one of weight 1 gets. A
// tenant that comes back after a pause is lifted to the least served active one: idleness earns nothing.
//
// Owner: ServingLoop. Thread: engine. Source: Virtual Token Counter, Sheng et al., arXiv 2401.00588, with weights,
// charged per chunk.
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

    // From here on; what was charged stays. Requires: weight > 0.
    void setWeight(Slot slot, double weight) { m_weights[static_cast<std::size_t>(slot)] = weight; }
    void charge(Slot slot, double service) {
        const auto index = static_cast<std::size_t>(slot);
        m_served[index] += service / m_weights[index];
    }
    // By slot.
    std::span<const double> served() const { return m_served; }
    std::span<const double> weights() const { return m_weights; }

private:
    struct Tenant {
        std::string name;
        std::int32_t requests = 0;
    };
    double least() const;  // of the active ones; without any, of the one that left last
    Slot findSlot(std::string_view name, double floor);

    std::vector<Tenant> m_tenants;
    std::vector<double> m_served, m_weights;
    std::unordered_map<std::string, Slot> m_slots;
    double m_lastLeft = 0.0;  // service of the tenant that left last
};

}  // namespace espalier
