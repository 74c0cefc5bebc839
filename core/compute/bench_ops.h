// SPDX-License-Identifier: GPL-3.0-or-later
// The speed of single operations at the shapes of a model, beside what the machine can do at that moment. Weights are
// random: speed does not depend on the values.
//
// Thread: the one that owns the backend (it must be idle otherwise).
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/compute/backend.h"

namespace espalier {

// One row of `espalierctl bench ops`.
struct OpFigure {
    std::string op;                       // "gemm", "attention", "norm", "activation"
    std::string shape;                    // "N=5632 K=2048", "32/4 heads of 64, 1024 keys", ...
    std::string dtype;                    // of the weights or the KV pages
    ComputeMode mode = ComputeMode::F32;  // in which a product was made; F32 for the rest
    std::int64_t rows = 0;
    bool cold = false;  // weights or pages come from memory, not from a cache
    // A figure is measured in rounds, each between two probes. Of a round counts the fastest call, as of a probe the
    // fastest slice; of the rounds the median.
    double microseconds = 0.0;
    double gigabytesPerSecond = 0.0;  // weights, K and V, or rows read and written; 1e9 bytes
    double gflops = 0.0;              // a multiply-add counts two
    double shareOfBandwidth = 0.0;    // of what the better of the two probes beside the round read
    double shareOfPeak = 0.0;         // of the multiply-adds that the better of them made in this mode
    double bandwidth = 0.0;           // GB/s read and GFLOP/s: medians of the rounds' probes
    double peak = 0.0;
    bool steady = false;  // in half of the rounds the probes differ by less than 10 %, and only those count
};

struct BenchOptions {
    std::string shape = "1b";    // see benchShapes()
    bool quick = false;          // less memory, fewer row counts, shorter runs
    std::string op = "";         // "gemm", "attention", "norm", "activation" alone; empty: all
    std::int64_t coldBytes = 0;  // what cold work cycles through and probes read; 0: 1 GiB, quick 384 MiB
    std::function<void(const OpFigure&)> onFigure = {};  // called as each is ready; may be empty
    std::stop_token stop = {};                           // error cancelled, within a figure
};

// "tiny", "160m", "1b", "llama-7b", "llama-8b".
std::vector<std::string> benchShapes();

// Errors: invalid_argument (unknown shape), unsupported (not a CPU backend), pool_exhausted, cancelled.
Result<std::vector<OpFigure>> benchOps(Backend& backend, const BenchOptions& options);

}  // namespace espalier
