// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/compute/bench_ops.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <random>

#include "core/base/clock.h"
#include "core/compute/measure.h"
#include "core/tensor/quantized_block.h"

namespace espalier {
namespace {

struct Shape {
    const char* name;
    std::int64_t width, inner;
    int heads, kvHeads;
    int headDim() const { return static_cast<int>(width) / heads; }
};

constexpr Shape kShapes[] = {
    {"tiny", 64, 176, 4, 2},           {"160m", 768, 2048, 12, 12},      {"1b", 2048, 5632, 32, 4},
    {"llama-7b", 4096, 11008, 32, 32}, {"llama-8b", 4096, 14336, 32, 8},
};

// Cold work takes its weights from a ring of this many bytes: more than the caches of processors sold today.
constexpr std::int64_t kColdBytes = 1 << 30;
constexpr std::int64_t kQuickColdBytes = 384 << 20;

std::int64_t coldBytes(const BenchOptions& options) {
    if (options.coldBytes > 0) return options.coldBytes;
    return options.quick ? kQuickColdBytes : kColdBytes;
}

const char* text(DType dtype) {
    return dtypeName(dtype).data();
}

class Bench {
public:
    Bench(Backend& backend, const BenchOptions& options, const Shape& shape, BandwidthProbe probe)
        : m_backend(backend), m_options(options), m_shape(shape), m_probe(std::move(probe)) {}

    Result<std::vector<OpFigure>> run() {
        if (wanted("gemm"))
            for (const DType dtype : {DType::F32, DType::BF16, DType::F16, DType::Q8_0, DType::Q4_0}) TRY(gemms(dtype));
        if (wanted("attention"))
            for (const DType dtype : {DType::F32, DType::BF16, DType::F16}) {
                for (const std::int64_t keys : {1024, 8192})
                    if (keys == 1024 || !m_options.quick) TRY(attention(dtype, 1, keys));
                TRY(attention(dtype, m_options.quick ? 512 : 2048, m_options.quick ? 512 : 2048));
            }
        for (const std::int64_t rows : {1, 512}) {
            if (wanted("norm")) TRY(norm(rows));
            if (wanted("activation")) TRY(activation(rows));
        }
        return std::move(m_figures);
    }

private:
    Result<Buffer> floats(std::int64_t count) {
        TRY_ASSIGN(Buffer buffer, m_backend.allocate(count * static_cast<std::int64_t>(sizeof(float))));
        std::mt19937 random(1);
        std::uniform_real_distribution<float> uniform(-1.0f, 1.0f);
        auto* values = reinterpret_cast<float*>(buffer.data());
        for (std::int64_t i = 0; i < count; ++i) values[i] = uniform(random);
        return buffer;
    }

    static TensorView matrix(const Buffer& buffer, std::int64_t rows, std::int64_t cols) {
        return TensorView(buffer.data(), DType::F32, {rows, cols});
    }

    bool wanted(std::string_view op) const { return m_options.op.empty() || m_options.op == op; }

    Result<void> goesOn() const {
        if (m_options.stop.stop_requested()) return fail(ErrorCode::Cancelled, "cancelled");
        return {};
    }

    struct Probes {
        double bandwidth = 0.0, peak = 0.0;
    };
    Result<Probes> probe(ComputeMode mode) {
        TRY_ASSIGN(const double peak, peakGflops(m_backend, mode));
        return Probes{m_probe.gigabytesPerSecond(), peak};
    }

    struct Round {
        double seconds = 0.0;  // of the fastest call
        Probes best;
        bool steady = false;
    };

    static double medianOf(const std::vector<Round>& rounds, double (*value)(const Round&)) {
        std::vector<double> values;
        for (const Round& round : rounds) values.push_back(value(round));
        std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
        return values[values.size() / 2];
    }

    // Times work(i) for i = 0, 1, ... between probes and completes the figure. `bytes` and `flops` are of one call.
    template <class Work>
    Result<void> time(OpFigure figure, double bytes, double flops, const Work& work) {
        const SystemClock clock;
        const int count = m_options.quick ? 5 : 9;
        const double target = m_options.quick ? 0.02 : 0.05;
        std::vector<Round> rounds;
        std::int64_t calls = 0;
        TRY_ASSIGN(Probes before, probe(figure.mode));
        for (int i = 0; i < count; ++i) {
            Round round;
            round.seconds = 1e9;
            work(calls++);  // what is hot has been driven out by the probe
            const TimePoint start = clock.now();
            for (int timed = 0; timed < 2 || seconds(clock.now() - start) < target; ++timed) {
                TRY(goesOn());
                const TimePoint begin = clock.now();
                work(calls++);
                round.seconds = std::min(round.seconds, std::max(seconds(clock.now() - begin), 1e-9));
            }
            TRY_ASSIGN(const Probes after, probe(figure.mode));
            round.best = {std::max(before.bandwidth, after.bandwidth), std::max(before.peak, after.peak)};
            const bool isBandwidth = figure.cold || flops == 0.0;  // which of the limits the figure is held against
            const double low =
                isBandwidth ? std::min(before.bandwidth, after.bandwidth) : std::min(before.peak, after.peak);
            round.steady = low > 0.9 * (isBandwidth ? round.best.bandwidth : round.best.peak);
            rounds.push_back(round);
            before = after;
        }
        std::vector<Round> steady;
        for (const Round& round : rounds)
            if (round.steady) steady.push_back(round);
        figure.steady = 2 * std::ssize(steady) >= count;
        if (figure.steady) rounds = std::move(steady);
        const double median = medianOf(rounds, [](const Round& r) { return r.seconds; });
        figure.microseconds = median * 1e6;
        figure.gigabytesPerSecond = bytes / median / 1e9;
        figure.gflops = flops / median / 1e9;
        figure.bandwidth = medianOf(rounds, [](const Round& r) { return r.best.bandwidth; });
        figure.peak = medianOf(rounds, [](const Round& r) { return r.best.peak; });
        figure.shareOfBandwidth =
            bytes * 1e-9 / medianOf(rounds, [](const Round& r) { return r.seconds * r.best.bandwidth; });
        figure.shareOfPeak = flops * 1e-9 / medianOf(rounds, [](const Round& r) { return r.seconds * r.best.peak; });
        if (m_options.onFigure) m_options.onFigure(figure);
        m_figures.push_back(std::move(figure));
        return {};
    }

    static std::vector<std::byte> storedAs(DType dtype, const Buffer& values, std::int64_t count) {
        std::vector<std::byte> stored(static_cast<std::size_t>(storedBytes(dtype, count)));
        const std::span<const float> f(reinterpret_cast<const float*>(values.data()), static_cast<std::size_t>(count));
        if (isBlock(dtype)) quantize(dtype, f, stored.data());
        if (dtype == DType::F32) std::memcpy(stored.data(), f.data(), f.size_bytes());
        if (dtype != DType::BF16 && dtype != DType::F16) return stored;
        for (std::size_t i = 0; i < f.size(); ++i) {
            const std::uint16_t half = dtype == DType::BF16 ? f32ToBf16(f[i]) : f32ToF16(f[i]);
            std::memcpy(&stored[2 * i], &half, sizeof half);
        }
        return stored;
    }

    Result<void> gemms(DType dtype) {
        const std::int64_t n = m_shape.inner, k = m_shape.width;
        const std::int64_t elements = n * k;
        TRY_ASSIGN(const Buffer values, floats(elements));
        const std::vector<std::byte> stored = storedAs(dtype, values, elements);
        const ConstTensorView source(stored.data(), dtype, {n, k});
        const std::int64_t each = m_backend.packedBytes(n, k, dtype);
        const std::int64_t copies = std::clamp<std::int64_t>(coldBytes(m_options) / each, 1, 4096);
        std::vector<WeightMatrix> ring;
        for (std::int64_t i = 0; i < copies; ++i) {
            TRY(goesOn());
            TRY_ASSIGN(WeightMatrix w, m_backend.packWeight(source));
            ring.push_back(std::move(w));
        }
        const ComputeMode mode = computeModeFor(dtype, m_backend.device().compute);
        const std::string shape = "N=" + std::to_string(n) + " K=" + std::to_string(k);
        for (const std::int64_t rows : {1, 8, 64, 512}) {
            if (m_options.quick && rows == 64) continue;
            TRY_ASSIGN(const Buffer x, floats(rows * k));
            TRY_ASSIGN(const Buffer y, floats(rows * n));
            const bool cold = rows < 64;
            const auto flops = 2.0 * static_cast<double>(rows * elements);
            TRY(time({"gemm", shape, text(dtype), mode, rows, cold}, static_cast<double>(each), flops,
                     [&](std::int64_t i) {
                         const WeightMatrix& w = ring[static_cast<std::size_t>(cold ? i % copies : 0)];
                         m_backend.gemm(*m_stream, matrix(y, rows, n), matrix(x, rows, k), w, {});
                     }));
        }
        return {};
    }

    // The last `rows` of `keys` tokens attend to all before them. Decode (one row) goes through a ring of sequences.
    Result<void> attention(DType dtype, std::int64_t rows, std::int64_t keys) {
        const int headDim = m_shape.headDim();
        const std::int64_t qWidth = m_shape.width;
        const std::int64_t kvWidth = std::int64_t{m_shape.kvHeads} * headDim;
        const std::int64_t perSequence = (keys + kTokensPerPage - 1) / kTokensPerPage;
        const std::int64_t pageBytes = m_backend.kvPageBytes(m_shape.kvHeads, headDim, dtype);
        const std::int64_t wanted = coldBytes(m_options) / (perSequence * pageBytes);
        const std::int64_t sequences = rows == 1 ? std::clamp<std::int64_t>(wanted, 1, 4096) : 1;
        TRY_ASSIGN(const Buffer memory, m_backend.allocate(pageBytes * perSequence * sequences));
        TRY_ASSIGN(const Buffer kv, floats(keys * kvWidth));
        TRY_ASSIGN(const Buffer q, floats(rows * qWidth));
        TRY_ASSIGN(const Buffer out, floats(rows * qWidth));
        const KvPages pages{memory.data(), pageBytes, m_shape.kvHeads, headDim, dtype};
        std::vector<std::int32_t> ids(static_cast<std::size_t>(perSequence * sequences));
        for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<std::int32_t>(i);
        const auto segment = [&](std::int64_t sequence, std::int64_t count) {
            const std::int64_t which = sequence % sequences;
            return std::array{Segment{0, static_cast<std::int32_t>(count), static_cast<std::int32_t>(keys - count),
                                      std::span(ids).subspan(static_cast<std::size_t>(which * perSequence),
                                                             static_cast<std::size_t>(perSequence))}};
        };
        for (std::int64_t i = 0; i < sequences; ++i)
            m_backend.storeKv(*m_stream, pages, matrix(kv, keys, kvWidth), matrix(kv, keys, kvWidth), segment(i, keys));
        const AttentionDesc desc{m_shape.heads, 1.0f / std::sqrt(static_cast<float>(headDim)), 0};
        const double seen = static_cast<double>(rows) * static_cast<double>(2 * keys - rows + 1) / 2;  // causal pairs
        const std::string shape = std::to_string(m_shape.heads) + "/" + std::to_string(m_shape.kvHeads) + " heads of " +
                                  std::to_string(headDim) + ", " + std::to_string(keys) + " keys";
        const double bytes = 2.0 * static_cast<double>(keys * kvWidth) * static_cast<double>(bytesOf(dtype));
        return time({"attention", shape, text(dtype), ComputeMode::F32, rows, sequences > 1}, bytes,
                    4.0 * seen * static_cast<double>(qWidth), [&](std::int64_t i) {
                        m_backend.attention(*m_stream, matrix(out, rows, qWidth), matrix(q, rows, qWidth), pages,
                                            segment(i, rows), desc);
                    });
    }

    Result<void> norm(std::int64_t rows) {
        const std::int64_t dim = m_shape.width;
        TRY_ASSIGN(const Buffer x, floats(rows * dim));
        TRY_ASSIGN(const Buffer y, floats(rows * dim));
        TRY_ASSIGN(const Buffer w, floats(dim));
        const ConstTensorView weight(w.data(), DType::F32, {dim});
        return time({"norm", "D=" + std::to_string(dim), "f32", ComputeMode::F32, rows, false},
                    8.0 * static_cast<double>(rows * dim), 5.0 * static_cast<double>(rows * dim), [&](std::int64_t) {
                        m_backend.norm(*m_stream, matrix(y, rows, dim), matrix(x, rows, dim), weight, {});
                    });
    }

    Result<void> activation(std::int64_t rows) {
        const std::int64_t cols = m_shape.inner;
        TRY_ASSIGN(const Buffer gate, floats(rows * cols));
        TRY_ASSIGN(const Buffer up, floats(rows * cols));
        return time({"activation", "silu F=" + std::to_string(cols), "f32", ComputeMode::F32, rows, false},
                    12.0 * static_cast<double>(rows * cols), 0.0, [&](std::int64_t) {
                        m_backend.activation(*m_stream, matrix(gate, rows, cols), matrix(gate, rows, cols),
                                             matrix(up, rows, cols), ActivationKind::Silu);
                    });
    }

    Backend& m_backend;
    const BenchOptions& m_options;
    Shape m_shape;
    BandwidthProbe m_probe;
    std::unique_ptr<Stream> m_stream = m_backend.makeStream();
    std::vector<OpFigure> m_figures;
};

}  // namespace

std::vector<std::string> benchShapes() {
    std::vector<std::string> names;
    for (const Shape& shape : kShapes) names.emplace_back(shape.name);
    return names;
}

Result<std::vector<OpFigure>> benchOps(Backend& backend, const BenchOptions& options) {
    const Shape* shape =
        std::find_if(std::begin(kShapes), std::end(kShapes), [&](const Shape& s) { return options.shape == s.name; });
    if (shape == std::end(kShapes)) {
        std::string known;
        for (const std::string& name : benchShapes()) known += (known.empty() ? "" : ", ") + name;
        return fail(ErrorCode::InvalidArgument, "there is no shape \"" + options.shape + "\"; choose one of " + known);
    }
    TRY_ASSIGN(BandwidthProbe probe, BandwidthProbe::make(backend, coldBytes(options) / 2));
    return Bench(backend, options, *shape, std::move(probe)).run();
}

}  // namespace espalier
