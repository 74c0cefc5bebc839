// SPDX-License-Identifier: GPL-3.0-or-later
// The compute modes below f32: products against an oracle that rounds x by the formula, one order of summation, on
// every instruction set with and without its dot instructions.
#include <QTest>
#include <cmath>
#include <cstring>

#include "core/compute/measure.h"
#include "tests/support/backends.h"
#include "tests/support/oracles.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

namespace {

constexpr double kUnit = 0x1p-24;

void rowsPerMachine() {
    QTest::addColumn<int>("isa");
    QTest::addColumn<bool>("dots");
    QTest::addColumn<int>("type");
    const DotInstructions has = availableDots();
    for (int isa = 0; isa <= static_cast<int>(bestIsa()); ++isa)
        for (const bool dots : {false, true}) {
            if (dots && (isa != static_cast<int>(bestIsa()) || !(has.bf16 || has.int8))) continue;
            std::vector<DType> types = {DType::BF16};
            types.insert(types.end(), std::begin(kBlockTypes), std::end(kBlockTypes));
            for (const DType type : types)
                QTest::addRow("%s%s %s", isaName(static_cast<IsaLevel>(isa)).data(), dots ? " with dots" : "",
                              dtypeName(type).data())
                    << isa << dots << static_cast<int>(type);
        }
}

std::unique_ptr<Backend> open(int isa, bool dots, ComputeMode mode, int threads = 2) {
    CpuOptions options;
    options.threads = threads;
    options.isa = static_cast<IsaLevel>(isa);
    options.dots = dots;
    options.compute = mode;
    return makeCpuBackend(options);
}

// x as a product with weights of this type counts it.
std::vector<float> rounded(DType weights, std::vector<float> x) {
    if (weights == DType::BF16) return roundedTo(DType::BF16, std::move(x));
    for (std::size_t run = 0; run < x.size(); run += 32) {
        float largest = 0.0f;
        for (std::size_t i = run; i < run + 32; ++i) largest = std::max(largest, std::fabs(x[i]));
        for (std::size_t i = run; i < run + 32; ++i)
            x[i] = largest > 0 ? std::nearbyint(x[i] * (127.0f / largest)) * (largest / 127.0f) : 0.0f;
    }
    return x;
}

std::vector<std::int64_t> widthsOf(DType dtype) {
    const std::int64_t block = blockOf(dtype).values;
    return block == 1    ? std::vector<std::int64_t>{1, 2, 7, 64, 257}
           : block == 32 ? std::vector<std::int64_t>{32, 64, 288}
                         : std::vector<std::int64_t>{256, 512};
}

bool same(std::span<const float> a, std::span<const float> b) {
    return !a.empty() && a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

}  // namespace

#define OPEN_BACKEND(name, threads)                                                        \
    QFETCH(int, isa);                                                                      \
    QFETCH(bool, dots);                                                                    \
    QFETCH(int, type);                                                                     \
    const auto dtype = static_cast<DType>(type);                                           \
    const ComputeMode mode = dtype == DType::BF16 ? ComputeMode::Bf16 : ComputeMode::Int8; \
    const auto name = open(isa, dots, mode, threads);                                      \
    const auto stream = name->makeStream()

class TestComputeModes : public QObject {
    Q_OBJECT
private slots:
    void products_areThoseOfTheRoundedRows_data() { rowsPerMachine(); }
    void products_areThoseOfTheRoundedRows() {
        OPEN_BACKEND(backend, 2);
        for (const std::int64_t n : {1, 31, 33, 161})
            for (const std::int64_t k : widthsOf(dtype)) {
                const WeightSample sample = weightSample(dtype, n, k, 1);
                const WeightMatrix weights = sample.packed(*backend);
                const std::vector<float> biasValues = normalValues(n, 2);
                const DeviceMatrix bias(*backend, 1, n, Layout::Contiguous, biasValues);
                for (const std::int64_t rows : {1, 2, 5, 6, 7, 13, 70})
                    for (const Layout layout : kLayouts) {
                        const std::vector<float> x = normalValues(rows * k, 3), old = normalValues(rows * n, 4);
                        const DeviceMatrix in(*backend, rows, k, layout, x), y(*backend, rows, n, layout, old);
                        const bool accumulate = layout == Layout::Offset;
                        backend->gemm(*stream, y.view(), in.view(), weights, {bias.vector(), accumulate});
                        const Expected expected =
                            oracleGemm(widened(rounded(dtype, x)), widened(sample.values), widened(biasValues),
                                       accumulate ? widened(old) : Doubles{}, rows, k, n);
                        // An i8 counts as a product of two rounded factors; with minima a group has two terms.
                        const std::string wrong =
                            difference(expected, y.download(), (static_cast<double>(k) + 12) * kUnit);
                        QVERIFY2(wrong.empty() && y.intact(), wrong.c_str());
                    }
            }
    }

    void aRowsBits_areItsOwn_data() { rowsPerMachine(); }
    void aRowsBits_areItsOwn() {
        OPEN_BACKEND(backend, 3);
        constexpr std::int64_t kRows = 110, kColumns = 150;
        const std::int64_t k = widthsOf(dtype).back();
        const std::vector<float> x = normalValues(kRows * k, 5);
        const WeightMatrix w = weightSample(dtype, kColumns, k, 6).packed(*backend);
        const auto run = [&](Backend& on, std::int64_t first, std::int64_t count) {
            const DeviceMatrix in(on, count, k, Layout::Strided,
                                  {x.begin() + first * k, x.begin() + (first + count) * k});
            const DeviceMatrix out(on, count, kColumns);
            on.gemm(*stream, out.view(), in.view(), w, {});
            return out.download();
        };
        std::vector<float> alone;
        for (std::int64_t t = 0; t < kRows; ++t) {
            const std::vector<float> row = run(*backend, t, 1);
            alone.insert(alone.end(), row.begin(), row.end());
        }
        for (std::int64_t count = 2; count <= kRows; count += count < 40 ? 1 : 14)  // 96 and 110 at the end
            QVERIFY(same(run(*backend, kRows - count, count),
                         std::span(alone).subspan(static_cast<std::size_t>((kRows - count) * kColumns))));
        const auto lone = open(isa, dots, mode, 1);
        QVERIFY(same(run(*lone, 0, kRows), alone));
    }

    // Whole sums are exact, so the instruction makes no difference to a group's; bf16 dots may round otherwise.
    void modesAboveStayAsTheyAre() {
        const int isa = static_cast<int>(bestIsa());
        const auto plain = open(isa, true, ComputeMode::F32), below = open(isa, true, ComputeMode::Bf16);
        const auto stream = plain->makeStream();
        for (const DType dtype : {DType::F32, DType::F16, DType::Q8_0, DType::Q4_K}) {
            const WeightSample sample = weightSample(dtype, 40, 256, 7);
            const WeightMatrix w = sample.packed(*plain);
            const DeviceMatrix x(*plain, 9, 256, Layout::Contiguous, normalValues(9 * 256, 8));
            const DeviceMatrix a(*plain, 9, 40), b(*below, 9, 40);
            plain->gemm(*stream, a.view(), x.view(), w, {});
            below->gemm(*stream, b.view(), x.view(), w, {});
            QVERIFY(same(a.download(), b.download()));
        }
    }

    void rowsThatAreNotFinite_saySo_data() { rowsPerMachine(); }
    void rowsThatAreNotFinite_saySo() {
        OPEN_BACKEND(backend, 1);
        const std::int64_t k = widthsOf(dtype).back();
        const WeightMatrix w = weightSample(dtype, 40, k, 9).packed(*backend);
        for (const float odd : {std::nanf(""), INFINITY, -INFINITY}) {
            std::vector<float> x = normalValues(3 * k, 10);
            x[static_cast<std::size_t>(k + 5)] = odd;
            const DeviceMatrix in(*backend, 3, k, Layout::Contiguous, x), out(*backend, 3, 40);
            backend->gemm(*stream, out.view(), in.view(), w, {});
            const std::vector<float> y = out.download();
            for (std::size_t i = 0; i < y.size(); ++i) QCOMPARE(std::isfinite(y[i]), i / 40 != 1);
        }
        const DeviceMatrix zeros(*backend, 1, k, Layout::Contiguous, std::vector<float>(static_cast<std::size_t>(k)));
        const DeviceMatrix out(*backend, 1, 40);
        backend->gemm(*stream, out.view(), zeros.view(), w, {});
        for (const float y : out.download()) QCOMPARE(y, 0.0f);
    }

    void theFastestModeIsOneOfThem() {
        const auto mode = fastestComputeMode({.threads = 1});
        QVERIFY(mode);
        QVERIFY(*mode == ComputeMode::F32 || *mode == ComputeMode::Bf16 || *mode == ComputeMode::Int8);
        const auto backend = open(0, false, ComputeMode::F32, 1);
        for (const ComputeMode each : {ComputeMode::F32, ComputeMode::Bf16, ComputeMode::Int8})
            QVERIFY(peakGflops(*backend, each).value() > 0);
    }
};
ESPALIER_TEST(tst_compute_modes, TestComputeModes)
#include "tst_compute_modes.moc"
