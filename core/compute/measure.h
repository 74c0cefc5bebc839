// SPDX-License-Identifier: GPL-3.0-or-later
// What this machine can do with the backend's own threads and instruction set: the limits that every figure of speed is
// given as a share of. Machines are shared and what they give swings; measure beside the work, never once for all.
//
// Both probes take the best of several slices of less than a millisecond that all threads, waiting for each other,
// begin together. A slice is shorter than a turn of the scheduler: where other programs run, a long probe measures how
// much of the processors they left, a short one what the machine does while it is ours.
//
// Thread: the one that owns the backend (it must be idle otherwise).
#pragma once

#include <memory>

#include "core/compute/cpu/cpu_backend.h"

namespace espalier {

// Reads a block that no cache holds. Keeps the block, so that repeated probes cost one pass each.
class BandwidthProbe {
public:
    // Errors: unsupported (not a CPU backend), pool_exhausted. Requires: bytes > 0; more than twice the last-level
    // cache.
    static Result<BandwidthProbe> make(Backend& backend, std::int64_t bytes);

    double gigabytesPerSecond();  // 1e9 bytes; goes on in the block where the last probe ended

private:
    BandwidthProbe(Backend& backend, Buffer block) : m_backend(&backend), m_block(std::move(block)) {}

    Backend* m_backend;
    Buffer m_block;
    std::int64_t m_next = 0;  // the first byte of the next slice
};

// Multiply-adds of a compute mode from registers, all threads, in 1e9 operations per second (a multiply-add counts
// two). Error unsupported when this is not a CPU backend.
Result<double> peakGflops(Backend& backend, ComputeMode mode = ComputeMode::F32);

// The mode in which products of 16 rows with bf16 and with Q8_0 weights together take the least time here. Makes CPU
// backends of its own, as `cpu` says but for the mode; about 0.1 s.
Result<ComputeMode> fastestComputeMode(const CpuOptions& cpu = {});

struct MachineFigures {
    double readGigabytesPerSecond = 0.0;
    double fmaGflops = 0.0;
    int threads = 0;
    std::string isa;
};

// Both, for `espalierctl doctor`. Takes about 0.2 s.
Result<MachineFigures> measureMachine(Backend& backend);

}  // namespace espalier
