// SPDX-License-Identifier: GPL-3.0-or-later
// The CPU backend: weight panels, SIMD kernels chosen at run time, its own thread pool. A real backend, not a mock: the
// product runs whole on a machine without a GPU.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "core/compute/backend.h"

namespace espalier {

enum class IsaLevel : std::uint8_t { Plain, Avx2, Avx512 };
std::string_view isaName(IsaLevel level);
IsaLevel bestIsa();  // what this processor and operating system offer

// Dot products that some processors with AVX-512 have besides. Without them the modes below f32 give what they promise,
// but no speed.
struct DotInstructions {
    bool bf16 = false;
    bool int8 = false;
};
DotInstructions availableDots();

struct CpuOptions {
    int threads = 0;                   // 0: every processor this process may use
    std::optional<IsaLevel> isa = {};  // forced level, for tests; must not exceed bestIsa()
    std::int64_t memoryLimit = 0;      // bytes allocate() may hand out in all; 0: what the machine has
    ComputeMode compute = ComputeMode::F32;
    bool dots = true;       // use availableDots(); false for tests
    bool ownCores = false;  // ThreadPool::Placement::OwnCores
};

std::unique_ptr<Backend> makeCpuBackend(const CpuOptions& options = {});

}  // namespace espalier
