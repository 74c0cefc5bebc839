// SPDX-License-Identifier: GPL-3.0-or-later
// CpuMachine: the threads and kernels of a CPU backend, for code that measures the machine with exactly what the
// backend computes with. Not part of the seam.
#pragma once

#include "core/base/thread_pool.h"
#include "core/compute/cpu/cpu_backend.h"
#include "core/compute/cpu/kernels.h"

namespace espalier {

class CpuMachine {
public:
    virtual ThreadPool& threads() = 0;
    virtual const cpu::CpuKernels& kernels() const = 0;

protected:
    ~CpuMachine() = default;
};

// The machine behind a CPU backend; nullptr for another kind.
CpuMachine* cpuMachineOf(Backend& backend);

}  // namespace espalier
