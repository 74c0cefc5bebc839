// SPDX-License-Identifier: GPL-3.0-or-later
// What this process costs the machine. Thread: the owner's.
#pragma once

#include <cstdint>

#include "core/base/clock.h"

namespace espalier {

class ProcessStats {
public:
    // Processor time per wall time between the two last calls at least 0.5 s apart; 1 = one core busy.
    double processorShare(TimePoint now);
    static std::int64_t residentBytes();

private:
    TimePoint m_from{};
    double m_processorSeconds = 0.0;
    double m_share = 0.0;
    bool m_started = false;
};

}  // namespace espalier
