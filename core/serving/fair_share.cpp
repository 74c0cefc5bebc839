// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/serving/fair_share.h"

#include <algorithm>
#include <limits>

#include "core/base/check.h"

namespace espalier {

double FairShare::least() const {
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < m_tenants.size(); ++i)
        if (m_tenants[i].requests > 0) least = std::min(least, m_served[i]);
    return least == std::numeric_limits<double>::infinity() ? m_lastLeft : least;
}

FairShare::Slot FairShare::findSlot(std::string_view name, double floor) {
    if (const auto found = m_slots.find(std::string(name)); found != m_slots.end()) return found->second;
    // A tenant that left and is at or below the floor would be lifted to it anyway: its slot may be given away.
    for (std::size_t i = 0; i < m_tenants.size(); ++i) {
        if (m_tenants[i].requests > 0 || m_served[i] > floor) continue;
        m_slots.erase(m_tenants[i].name);
        m_tenants[i].name = name;
        m_weights[i] = 1.0;
        return m_slots[std::string(name)] = static_cast<Slot>(i);
    }
    m_tenants.push_back({std::string(name), 0});
    m_served.push_back(0.0);
    m_weights.push_back(1.0);
    return m_slots[std::string(name)] = static_cast<Slot>(m_tenants.size()) - 1;
}

FairShare::Slot FairShare::enter(std::string_view tenant) {
    const double floor = least();
    const Slot slot = findSlot(tenant, floor);
    const auto index = static_cast<std::size_t>(slot);
    if (m_tenants[index].requests++ == 0) m_served[index] = std::max(m_served[index], floor);
    return slot;
}

void FairShare::leave(Slot slot) {
    const auto index = static_cast<std::size_t>(slot);
    CHECK(m_tenants[index].requests > 0);
    if (--m_tenants[index].requests == 0) m_lastLeft = m_served[index];
}

}  // namespace espalier
