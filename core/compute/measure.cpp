// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/compute/measure.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "core/base/clock.h"
#include "core/compute/cpu/cpu_backend.h"
#include "core/compute/cpu/cpu_machine.h"

namespace espalier {
namespace {

constexpr std::int64_t kProbeBytes = 128 << 20;

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

// Threads that wait for each other, spinning: a thread that sleeps wakes later than a slice is long.
class Rendezvous {
public:
    explicit Rendezvous(int threads) : m_threads(threads) {}
    void arrive() {
        const int target = (m_arrived.fetch_add(1, std::memory_order_acq_rel) / m_threads + 1) * m_threads;
        for (int spin = 0; m_arrived.load(std::memory_order_acquire) < target; ++spin)
            if (spin > 10000) std::this_thread::yield();  // one of us has lost its processor
    }

private:
    const int m_threads;
    std::atomic<int> m_arrived{0};
};

constexpr int kSlices = 12;

struct Rates {
    double together = 0.0;  // of the best slice, from the first thread that began it to the last that ended it
    double apart = 0.0;     // every thread's best slice by itself, in sum
};

// What work(thread, slice) returns, per second, over kSlices slices that all threads begin together.
template <class Work>
Rates ratesOf(ThreadPool& pool, const Work& work) {
    const int threads = pool.threads();
    struct Part {
        double amount = 0.0;
        TimePoint begin, end;
        double rate() const { return amount / std::max(seconds(end - begin), 1e-9); }
    };
    std::vector<Part> parts(static_cast<std::size_t>(threads) * kSlices);
    const auto at = [&](int thread, int slice) -> Part& {
        return parts[static_cast<std::size_t>(slice) * static_cast<std::size_t>(threads) +
                     static_cast<std::size_t>(thread)];
    };
    Rendezvous rendezvous(threads);
    const SystemClock clock;
    // As many tasks as threads, and none ends before all have begun: each thread has one.
    pool.parallelFor(threads, [&](std::int64_t task) {
        const auto thread = static_cast<int>(task);
        for (int slice = 0; slice < kSlices; ++slice) {
            rendezvous.arrive();
            Part& part = at(thread, slice);
            part.begin = clock.now();
            part.amount = work(thread, slice);
            part.end = clock.now();
        }
    });
    Rates rates;
    for (int slice = 0; slice < kSlices; ++slice) {
        Part all = at(0, slice);
        for (int thread = 1; thread < threads; ++thread) {
            all.amount += at(thread, slice).amount;
            all.begin = std::min(all.begin, at(thread, slice).begin);
            all.end = std::max(all.end, at(thread, slice).end);
        }
        rates.together = std::max(rates.together, all.rate());
    }
    for (int thread = 0; thread < threads; ++thread) {
        double best = 0.0;
        for (int slice = 0; slice < kSlices; ++slice) best = std::max(best, at(thread, slice).rate());
        rates.apart += best;
    }
    return rates;
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

double BandwidthProbe::gigabytesPerSecond() {
    CpuMachine& machine = *cpuMachineOf(*m_backend);
    constexpr std::int64_t kSliceBytes = 4 << 20;  // of one thread
    const int threads = machine.threads().threads();
    const std::int64_t each = std::min(kSliceBytes, m_block.bytes() / threads / 64 * 64);
    const std::int64_t places = m_block.bytes() / each;
    std::atomic<std::uint32_t> keep{0};  // so that the reads are not removed
    const Rates rates = ratesOf(machine.threads(), [&](int thread, int slice) {
        const std::int64_t place = (m_next + std::int64_t{slice} * threads + thread) % places;
        const auto* words = reinterpret_cast<const std::uint32_t*>(m_block.data() + place * each);
        keep.fetch_add(machine.kernels().sumWords(words, each / 4), std::memory_order_relaxed);
        return static_cast<double>(each);
    });
    m_next = (m_next + std::int64_t{kSlices} * threads) % places;
    return rates.together * 1e-9;  // threads share the memory
}

Result<double> peakGflops(Backend& backend, ComputeMode mode) {
    CpuMachine* machine = cpuMachineOf(backend);
    if (!machine) return notCpu();
    const auto kernel = machine->kernels().rounds[static_cast<int>(mode)];
    std::atomic<float> keep{0.0f};
    const auto run = [&](std::int64_t rounds) {
        std::int64_t flops = 0;
        keep.store(kernel(rounds, &flops), std::memory_order_relaxed);
        return static_cast<double>(flops);
    };
    constexpr double kSliceSeconds = 0.0005;
    constexpr std::int64_t kFirstRounds = 1 << 12;
    double least = 1.0;
    for (int i = 0; i < 3; ++i) least = std::min(least, secondsOf([&] { run(kFirstRounds); }));
    const auto rounds = std::max<std::int64_t>(
        kFirstRounds, static_cast<std::int64_t>(kFirstRounds * kSliceSeconds / std::max(least, 1e-6)));
    return ratesOf(machine->threads(), [&](int, int) { return run(rounds); }).apart * 1e-9;
}

Result<ComputeMode> fastestComputeMode(const CpuOptions& cpu) {
    constexpr std::int64_t kRows = 16, kWidth = 1024;
    const auto timeOf = [&](ComputeMode mode) -> Result<double> {
        CpuOptions options = cpu;
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
    TRY_ASSIGN(BandwidthProbe probe, BandwidthProbe::make(backend, kProbeBytes));
    MachineFigures figures;
    for (int i = 0; i < 3; ++i) {
        figures.readGigabytesPerSecond = std::max(figures.readGigabytesPerSecond, probe.gigabytesPerSecond());
        TRY_ASSIGN(const double peak, peakGflops(backend));
        figures.fmaGflops = std::max(figures.fmaGflops, peak);
    }
    const DeviceDesc device = backend.device();
    figures.threads = device.threads;
    figures.isa = device.isa;
    return figures;
}

}  // namespace espalier
