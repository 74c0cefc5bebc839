// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/compute/measure.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <vector>

#include "core/base/clock.h"
#include "core/compute/cpu/cpu_backend.h"
#include "core/compute/cpu/cpu_machine.h"

namespace espalier {
namespace {

constexpr std::int64_t kProbeBytes = 256 << 20;

Error notCpu() {
    return fail(ErrorCode::Unsupported, "bandwidth and multiply-add rate are measured on the CPU backend only");
}

template <class Work>
double secondsOf(const Work& work) {
    const SystemClock clock;
    const TimePoint start = clock.now();
    work();
    return seconds(clock.now() - start);
}

}  // namespace

Result<BandwidthProbe> BandwidthProbe::make(Backend& backend, std::int64_t bytes) {
    CHECK(bytes > 0);
    if (!cpuMachineOf(backend)) return notCpu();
    TRY_ASSIGN(Buffer block, backend.allocate(bytes));
    // Untouched pages would all be the kernel's one page of zeros.
    backend.fill(*backend.makeStream(), block.data(), 1, bytes);
    return BandwidthProbe(backend, std::move(block));
}

double BandwidthProbe::gigabytesPerSecond() const {
    CpuMachine& machine = *cpuMachineOf(*m_backend);
    constexpr std::int64_t kPiece = 4 << 20;
    const std::int64_t pieces = (m_block.bytes() + kPiece - 1) / kPiece;
    std::atomic<std::uint32_t> keep{0};  // so that the reads are not removed
    std::array<double, 3> passes{};
    for (double& pass : passes)
        pass = secondsOf([&] {
            machine.threads().parallelFor(pieces, [&](std::int64_t piece) {
                const std::int64_t bytes = std::min(kPiece, m_block.bytes() - piece * kPiece);
                const auto* words = reinterpret_cast<const std::uint32_t*>(m_block.data() + piece * kPiece);
                keep.fetch_add(machine.kernels().sumWords(words, bytes / 4), std::memory_order_relaxed);
            });
        });
    std::sort(passes.begin(), passes.end());
    return static_cast<double>(m_block.bytes()) / passes[1] / 1e9;
}

Result<double> peakGflops(Backend& backend, ComputeMode mode) {
    CpuMachine* machine = cpuMachineOf(backend);
    if (!machine) return notCpu();
    const std::int64_t threads = machine->threads().threads();
    std::atomic<float> keep{0.0f};
    const auto run = [&](std::int64_t rounds) {
        std::atomic<std::int64_t> total{0};
        const double time = secondsOf([&] {
            machine->threads().parallelFor(threads, [&](std::int64_t) {
                std::int64_t flops = 0;
                keep.store(machine->kernels().rounds[static_cast<int>(mode)](rounds, &flops), std::memory_order_relaxed);
                total.fetch_add(flops, std::memory_order_relaxed);
            });
        });
        return std::pair(static_cast<double>(total.load()) / time / 1e9, time);
    };
    constexpr double kSecondsPerRun = 0.02;
    std::int64_t rounds = 1 << 16;
    rounds = std::max<std::int64_t>(rounds, static_cast<std::int64_t>(static_cast<double>(rounds) * kSecondsPerRun /
                                                                      std::max(run(rounds).second, 1e-6)));
    double best = 0.0;
    for (int i = 0; i < 5; ++i) best = std::max(best, run(rounds).first);
    return best;
}

Result<ComputeMode> fastestComputeMode(int threads) {
    constexpr std::int64_t kRows = 16, kWidth = 1024;
    const auto timeOf = [&](ComputeMode mode) -> Result<double> {
        CpuOptions options;
        options.threads = threads;
        options.compute = mode;
        const auto backend = makeCpuBackend(options);
        const auto stream = backend->makeStream();
        double total = 0;
        for (const DType dtype : {DType::BF16, DType::Q8_0}) {
            TRY_ASSIGN(const Buffer x, backend->allocate(kRows * kWidth * 4));
            TRY_ASSIGN(const Buffer y, backend->allocate(kRows * kWidth * 4));
            const std::vector<std::byte> zeros(static_cast<std::size_t>(storedBytes(dtype, kWidth * kWidth)));
            TRY_ASSIGN(const WeightMatrix w,
                       backend->packWeight(ConstTensorView(zeros.data(), dtype, {kWidth, kWidth})));
            double best = 1e9;
            for (int i = 0; i < 20; ++i)
                best = std::min(best, secondsOf([&] {
                                    backend->gemm(*stream, TensorView(y.data(), DType::F32, {kRows, kWidth}),
                                                  ConstTensorView(x.data(), DType::F32, {kRows, kWidth}), w, {});
                                }));
            total += best;
        }
        return total;
    };
    ComputeMode fastest = ComputeMode::F32;
    double least = 1e9;
    for (const ComputeMode mode : {ComputeMode::F32, ComputeMode::Bf16, ComputeMode::Int8}) {
        TRY_ASSIGN(const double time, timeOf(mode));
        if (time < least) fastest = mode;
        least = std::min(least, time);
    }
    return fastest;
}

Result<MachineFigures> measureMachine(Backend& backend) {
    TRY_ASSIGN(const BandwidthProbe probe, BandwidthProbe::make(backend, kProbeBytes));
    MachineFigures figures;
    figures.readGigabytesPerSecond = probe.gigabytesPerSecond();
    TRY_ASSIGN(figures.fmaGflops, peakGflops(backend));
    const DeviceDesc device = backend.device();
    figures.threads = device.threads;
    figures.isa = device.isa;
    return figures;
}

}  // namespace espalier
