// SPDX-License-Identifier: GPL-3.0-or-later
// The parity grid: operation x stored type x shape x layout, every device against the fp64 oracles.
//
// Tolerances are bounds on rounding, in units of 2^-24 times the magnitude an oracle reports: a sum of n terms may be
// off by n units (Higham, Accuracy and Stability, 4.2), an elementary function by a few.
#include <QTest>
#include <cmath>

#include "tests/support/backends.h"
#include "tests/support/oracles.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

namespace {

constexpr double kUnit = 0x1p-24;
constexpr DType kStored[] = {DType::F32, DType::BF16, DType::F16};
constexpr DType kWeights[] = {DType::F32,  DType::BF16, DType::F16,  DType::Q8_0, DType::Q4_0, DType::Q4_1,
                              DType::Q5_0, DType::Q5_1, DType::Q4_K, DType::Q5_K, DType::Q6_K};

// Widths of a type: around the tiles, whole blocks for block types.
std::vector<std::int64_t> widthsOf(DType dtype, std::vector<std::int64_t> plain) {
    const std::int64_t block = blockOf(dtype).values;
    return block == 1    ? plain
           : block == 32 ? std::vector<std::int64_t>{32, 64, 288}
                         : std::vector<std::int64_t>{256, 512};
}

const char* name(Layout layout) {
    return layout == Layout::Contiguous ? "contiguous" : layout == Layout::Strided ? "strided" : "offset";
}

void rowsPerDevice() {
    QTest::addColumn<QByteArray>("device");
    for (const char* device : deviceNames()) QTest::newRow(device) << QByteArray(device);
}

void rowsPerDeviceAndType(std::span<const DType> types = kStored) {
    QTest::addColumn<QByteArray>("device");
    QTest::addColumn<int>("type");
    for (const char* device : deviceNames())
        for (const DType type : types)
            QTest::addRow("%s %s", device, dtypeName(type).data()) << QByteArray(device) << static_cast<int>(type);
}

// Compares and says where: shape and layout before the element.
bool agrees(const Expected& expected, const DeviceMatrix& got, double tolerance, const QByteArray& where) {
    const std::string wrong = difference(expected, got.download(), tolerance);
    const bool good = wrong.empty() && got.intact();
    if (!good) qWarning("%s: %s", where.data(), wrong.empty() ? "wrote beside the matrix" : wrong.data());
    return good;
}

QByteArray at(std::initializer_list<std::int64_t> shape, Layout layout) {
    QByteArray text;
    for (const std::int64_t size : shape) text += QByteArray::number(static_cast<qlonglong>(size)) + " ";
    return text + name(layout);
}

}  // namespace

#define OPEN_DEVICE()                                        \
    QFETCH(QByteArray, device);                              \
    TestDevice opened = openTestDevice(device);              \
    if (!opened.absent.empty()) QSKIP(opened.absent.data()); \
    DeviceOps& ops = *opened.ops;                            \
    const auto stream = ops.makeStream()

#define OPEN_BACKEND()                                                           \
    OPEN_DEVICE();                                                               \
    if (!opened.backend) QSKIP("this device offers dense algebra only, so far"); \
    Backend& backend = *opened.backend

class TestParity : public QObject {
    Q_OBJECT
private slots:
    void gemm_data() { rowsPerDeviceAndType(kWeights); }
    void gemm() {
        QFETCH(int, type);
        OPEN_DEVICE();
        const auto dtype = static_cast<DType>(type);
        for (const std::int64_t n : {1, 31, 32, 33, 100, 161})
            for (const std::int64_t k : widthsOf(dtype, {1, 2, 7, 64, 257})) {
                const WeightSample sample = weightSample(dtype, n, k, 1);
                const std::vector<float>& w = sample.values;
                const WeightMatrix weights = sample.packed(ops);
                const std::vector<float> biasValues = normalValues(n, 2);
                for (const std::int64_t rows : {1, 2, 3, 5, 11, 12, 13, 70})
                    for (const Layout layout : kLayouts) {
                        const bool accumulate = layout == Layout::Offset;
                        const bool biased = layout != Layout::Strided;
                        const std::vector<float> xValues = normalValues(rows * k, 3);
                        const std::vector<float> old = normalValues(rows * n, 4);
                        const DeviceMatrix x(ops, rows, k, layout, xValues);
                        const DeviceMatrix y(ops, rows, n, layout, old);
                        const DeviceMatrix bias(ops, 1, n, Layout::Contiguous, biasValues);
                        GemmDesc desc;
                        desc.accumulate = accumulate;
                        if (biased) desc.bias = bias.vector();
                        ops.gemm(*stream, y.view(), x.view(), weights, desc);
                        QVERIFY(ops.synchronize(*stream));
                        const Expected expected =
                            oracleGemm(widened(xValues), widened(w), biased ? widened(biasValues) : Doubles{},
                                       accumulate ? widened(old) : Doubles{}, rows, k, n);
                        const double tolerance = std::max((static_cast<double>(k) + 3) * kUnit, opened.gemmTolerance);
                        QVERIFY(agrees(expected, y, tolerance, at({rows, k, n}, layout)));
                    }
            }
    }

    void norm_data() { rowsPerDevice(); }
    void norm() {
        OPEN_DEVICE();
        for (const NormKind kind : {NormKind::RmsNorm, NormKind::LayerNorm})
            for (const std::int64_t dim : {1, 3, 15, 16, 17, 63, 64, 65, 130, 4097})
                for (const int groups : {1, 3})  // the heads of q or k side by side
                    for (const std::int64_t rows : {1, 9})
                        for (const Layout layout : kLayouts) {
                            const std::int64_t width = groups * dim;
                            const std::vector<float> values = normalValues(rows * width, 5, 3.0f);
                            const std::vector<float> w = normalValues(dim, 6);
                            const std::vector<float> b = normalValues(dim, 7);
                            const DeviceMatrix x(ops, rows, width, layout, values);
                            const DeviceMatrix y(ops, rows, width, layout);
                            const DeviceMatrix weight(ops, 1, dim, Layout::Contiguous, w);
                            const DeviceMatrix bias(ops, 1, dim, Layout::Contiguous, b);
                            NormDesc desc{kind, 1e-5f, {}, groups};
                            if (kind == NormKind::LayerNorm) desc.bias = bias.vector();
                            const bool inPlace = layout == Layout::Strided;
                            ops.norm(*stream, inPlace ? x.view() : y.view(), x.view(), weight.vector(), desc);
                            QVERIFY(ops.synchronize(*stream));
                            const Expected expected =
                                oracleNorm(kind, widened(values), widened(w), desc.bias.data ? widened(b) : Doubles{},
                                           desc.eps, rows * groups, dim);
                            // Half the error of the sum of squares passes the root; the mean of LayerNorm cancels.
                            const double tolerance = (static_cast<double>(dim) + 8) * kUnit;
                            QVERIFY(agrees(expected, inPlace ? x : y, tolerance, at({rows, groups, dim}, layout)));
                        }
    }

    void gather_data() { rowsPerDeviceAndType(kWeights); }
    void gather() {
        QFETCH(int, type);
        OPEN_BACKEND();
        const auto dtype = static_cast<DType>(type);
        for (const std::int64_t n : {1, 33, 70})
            for (const std::int64_t k : widthsOf(dtype, {1, 15, 16, 17, 130}))
                for (const Layout layout : kLayouts) {
                    const WeightSample sample = weightSample(dtype, n, k, 8);
                    const std::vector<float>& w = sample.values;
                    const WeightMatrix table = sample.packed(ops);
                    std::vector<std::int32_t> ids;
                    for (std::int64_t t = 0; t < 2 * n + 3; ++t)
                        ids.push_back(static_cast<std::int32_t>((t * 7 + 3) % n));
                    const auto rows = static_cast<std::int64_t>(ids.size());
                    const DeviceMatrix out(ops, rows, k, layout);
                    backend.gather(*stream, out.view(), table,
                                   ConstTensorView(reinterpret_cast<const std::byte*>(ids.data()), DType::I32, {rows}));
                    std::vector<float> expected;
                    for (const std::int32_t id : ids)
                        expected.insert(expected.end(), w.begin() + id * k, w.begin() + (id + 1) * k);
                    QCOMPARE(out.download(), expected);  // widening is exact
                    QVERIFY(out.intact());
                }
    }

    void rope_data() { rowsPerDevice(); }
    void rope() {
        OPEN_BACKEND();
        const std::array<RopeDesc, 6> shapes = {
            {{1, 2, 2}, {3, 6, 6}, {2, 34, 34}, {4, 64, 64}, {2, 40, 16}, {2, 8, 0}}};
        for (const RopeDesc& desc : shapes)
            for (const std::int64_t rows : {1, 70})
                for (const Layout layout : kLayouts) {
                    const std::int64_t width = std::int64_t{desc.heads} * desc.headDim;
                    const std::int64_t half = desc.rotaryDim / 2;
                    const std::vector<float> values = normalValues(rows * width, 9);
                    std::vector<float> cosValues = normalValues(rows * half, 10);
                    std::vector<float> sinValues = cosValues;
                    for (float& angle : cosValues) angle = std::cos(angle);
                    for (float& angle : sinValues) angle = std::sin(angle);
                    const DeviceMatrix x(ops, rows, width, layout, values);
                    const DeviceMatrix cos(ops, rows, half, layout, cosValues);
                    const DeviceMatrix sin(ops, rows, half, layout, sinValues);
                    backend.rope(*stream, x.view(), cos.view(), sin.view(), desc);
                    const Expected expected =
                        oracleRope(widened(values), widened(cosValues), widened(sinValues), rows, desc);
                    QVERIFY(
                        agrees(expected, x, 3 * kUnit, at({rows, desc.heads, desc.headDim, desc.rotaryDim}, layout)));
                }
    }

    void activation_data() { rowsPerDevice(); }
    void activation() {
        OPEN_BACKEND();
        for (const ActivationKind kind :
             {ActivationKind::Silu, ActivationKind::Gelu, ActivationKind::GeluTanh, ActivationKind::Relu})
            for (const std::int64_t cols : {1, 7, 15, 16, 17, 1030})
                for (const std::int64_t rows : {1, 33})
                    for (const Layout layout : kLayouts) {
                        const bool gated = layout != Layout::Strided;
                        const std::vector<float> gateValues = normalValues(rows * cols, 11, 4.0f);
                        const std::vector<float> upValues = normalValues(rows * cols, 12);
                        const DeviceMatrix gate(ops, rows, cols, layout, gateValues);
                        const DeviceMatrix up(ops, rows, cols, layout, upValues);
                        const DeviceMatrix out(ops, rows, cols, layout);
                        backend.activation(*stream, out.view(), gate.view(), gated ? up.view() : TensorView{}, kind);
                        const Expected expected =
                            oracleActivation(kind, widened(gateValues), gated ? widened(upValues) : Doubles{});
                        QVERIFY(agrees(expected, out, 16 * kUnit, at({rows, cols, static_cast<int>(kind)}, layout)));
                    }
    }

    // Left of zero SiLU is x e^x / (1 + e^x): its relative error shows that of the exponential, over the whole range
    // down to the subnormals.
    void silu_keepsRelativePrecisionFarLeft_data() { rowsPerDevice(); }
    void silu_keepsRelativePrecisionFarLeft() {
        OPEN_BACKEND();
        std::vector<float> values;
        for (float x = -86.0f; x < 20.0f; x += 0.00731f) values.push_back(x);
        const auto count = static_cast<std::int64_t>(values.size());
        const DeviceMatrix gate(ops, 1, count, Layout::Contiguous, values);
        const DeviceMatrix out(ops, 1, count);
        backend.activation(*stream, out.view(), gate.view(), {}, ActivationKind::Silu);
        Expected expected = oracleActivation(ActivationKind::Silu, widened(values), {});
        for (std::size_t i = 0; i < values.size(); ++i) expected.magnitude[i] = std::abs(expected.value[i]);
        QVERIFY(agrees(expected, out, 6 * kUnit, "silu"));  // 2 ulp (4 units) of e^x, the sum and the quotient
    }

    void activation_ofInfinityAndNan_data() { rowsPerDevice(); }
    void activation_ofInfinityAndNan() {
        OPEN_BACKEND();
        const std::vector<float> values = {INFINITY, NAN, 1e30f, -1e30f};
        const DeviceMatrix gate(ops, 1, 4, Layout::Contiguous, values);
        const DeviceMatrix out(ops, 1, 4);
        for (const ActivationKind kind : {ActivationKind::Silu, ActivationKind::Gelu, ActivationKind::Relu}) {
            backend.activation(*stream, out.view(), gate.view(), {}, kind);
            const std::vector<float> got = out.download();
            QCOMPARE(got[0], INFINITY);
            QVERIFY(std::isnan(got[1]) || kind == ActivationKind::Relu);
            QCOMPARE(got[2], 1e30f);
            QVERIFY(got[3] == 0.0f);
        }
    }

    void add_data() { rowsPerDevice(); }
    void add() {
        OPEN_BACKEND();
        for (const std::int64_t cols : {1, 17, 300})
            for (const std::int64_t rows : {1, 70})
                for (const Layout layout : kLayouts) {
                    const std::vector<float> a = normalValues(rows * cols, 13);
                    const std::vector<float> b = normalValues(rows * cols, 14);
                    const DeviceMatrix y(ops, rows, cols, layout, a);
                    const DeviceMatrix x(ops, rows, cols, layout, b);
                    backend.add(*stream, y.view(), x.view());
                    std::vector<float> expected = a;
                    for (std::size_t i = 0; i < expected.size(); ++i) expected[i] += b[i];
                    QCOMPARE(y.download(), expected);  // one correctly rounded sum
                    QVERIFY(y.intact());
                }
    }

    void attention_data() { rowsPerDeviceAndType(); }
    void attention() {
        QFETCH(int, type);
        OPEN_BACKEND();
        struct Shape {
            int heads, kvHeads, headDim, rows, position0, window;
            bool causal = true;
        };
        const Shape shapes[] = {
            {1, 1, 1, 1, 0, 0},           {4, 2, 20, 1, 15, 0},        {4, 1, 64, 16, 0, 0},
            {8, 8, 32, 17, 16, 0},        {6, 2, 48, 33, 5, 0},        {8, 1, 128, 40, 100, 0},
            {2, 1, 33, 70, 3, 20},        {4, 4, 16, 1, 300, 16},      {4, 2, 24, 50, 31, 1},
            {40, 1, 16, 3, 17, 0},        {14, 2, 40, 2, 62, 0},       {5, 1, 80, 9, 120, 70},
            {8, 1, 20, 2, 2046, 0},       {3, 3, 12, 1, 1024, 0},      {2, 1, 16, 3, 2200, 1300},
            {1, 1, 3, 1030, 0, 0, false}, {1, 1, 1, 1, 0, 0, false},   {3, 3, 12, 16, 0, 0, false},
            {4, 4, 32, 17, 0, 0, false},  {6, 2, 21, 77, 0, 0, false}, {12, 12, 64, 33, 0, 0, false}};
        const auto dtype = static_cast<DType>(type);
        for (const Shape& s : shapes)
            for (const Layout layout : kLayouts) {
                const int tokens = s.position0 + s.rows;
                const int pageCount = (tokens + kTokensPerPage - 1) / kTokensPerPage;
                const std::int64_t kvWidth = std::int64_t{s.kvHeads} * s.headDim;
                const std::int64_t qWidth = std::int64_t{s.heads} * s.headDim;
                const std::vector<float> kValues = roundedTo(dtype, normalValues(tokens * kvWidth, 15));
                const std::vector<float> vValues = roundedTo(dtype, normalValues(tokens * kvWidth, 16));
                const std::vector<float> qValues = normalValues(s.rows * qWidth, 17);
                KvPages pages{nullptr, backend.kvPageBytes(s.kvHeads, s.headDim, dtype) + 64, s.kvHeads, s.headDim,
                              dtype};
                const Buffer memory = ops.allocate(pages.pageBytes * pageCount).value();
                ops.fill(*stream, memory.data(), 0xff, memory.bytes());  // NaN wherever no key was stored
                pages.base = memory.data();
                std::vector<std::int32_t> ids;
                for (int page = 0; page < pageCount; ++page) ids.push_back(pageCount - 1 - page);

                const DeviceMatrix k(ops, tokens, kvWidth, layout, kValues);
                const DeviceMatrix v(ops, tokens, kvWidth, layout, vValues);
                const DeviceMatrix q(ops, s.rows, qWidth, layout, qValues);
                const DeviceMatrix out(ops, s.rows, qWidth, layout);
                const AttentionDesc desc{s.heads, 1.0f / std::sqrt(static_cast<float>(s.headDim)), s.window, s.causal};
                const std::array stored = {Segment{0, tokens, 0, ids}};
                const std::array asked = {Segment{0, s.rows, s.position0, ids}};
                backend.storeKv(*stream, pages, k.view(), v.view(), stored);
                backend.attention(*stream, out.view(), q.view(), pages, asked, desc);
                QVERIFY(ops.synchronize(*stream));
                const Expected expected = oracleAttention(widened(qValues), widened(kValues), widened(vValues), s.rows,
                                                          s.position0, s.kvHeads, s.headDim, desc);
                // Scores of normal q, k stay below 5 sqrt(headDim) before scaling; their absolute error becomes a
                // relative one of the weights. Then come a sum over the keys, the rescalings and the exponentials.
                const double tolerance = (10 * std::sqrt(s.headDim) + tokens + 64) * kUnit;
                QVERIFY(
                    agrees(expected, out, tolerance, at({s.heads, s.kvHeads, s.headDim, s.rows, s.position0}, layout)));
            }
    }

    void kvIsRoundedOnceWhenStored_data() { rowsPerDeviceAndType(); }
    void kvIsRoundedOnceWhenStored() {
        QFETCH(int, type);
        OPEN_BACKEND();
        const auto dtype = static_cast<DType>(type);
        // A lone key has weight one: attention gives its value back, as stored.
        const std::vector<float> values = normalValues(40, 18);
        const DeviceMatrix v(ops, 1, 40, Layout::Contiguous, values);
        const DeviceMatrix out(ops, 1, 40);
        KvPages pages{nullptr, backend.kvPageBytes(1, 40, dtype), 1, 40, dtype};
        const Buffer memory = ops.allocate(pages.pageBytes).value();
        pages.base = memory.data();
        const std::array<std::int32_t, 1> ids = {0};
        const std::array segment = {Segment{0, 1, 0, ids}};
        backend.storeKv(*stream, pages, v.view(), v.view(), segment);
        backend.attention(*stream, out.view(), v.view(), pages, segment, {1, 1.0f, 0});
        QCOMPARE(out.download(), roundedTo(dtype, values));
    }

    // The grid must be able to fail: the same comparison, fed with broken results.
    void comparer_findsBrokenResults() {
        const std::int64_t rows = 3, k = 64, n = 5;
        const Doubles x = widened(normalValues(rows * k, 1)), w = widened(normalValues(n * k, 2));
        const Expected right = oracleGemm(x, w, {}, {}, rows, k, n);
        const double tolerance = (static_cast<double>(k) + 3) * kUnit;
        std::vector<float> good(right.value.begin(), right.value.end());
        QVERIFY(difference(right, good, tolerance).empty());

        Doubles shorter = w;  // an operation that forgets the last k of one output
        shorter[static_cast<std::size_t>(2 * k + k - 1)] = 0.0;
        const Expected forgetful = oracleGemm(x, shorter, {}, {}, rows, k, n);
        const std::vector<float> dropped(forgetful.value.begin(), forgetful.value.end());
        QVERIFY(!difference(right, dropped, tolerance).empty());

        std::vector<float> swapped = good;
        std::swap(swapped[0], swapped[1]);
        QVERIFY(!difference(right, swapped, tolerance).empty());
        std::vector<float> nan = good;
        nan[7] = NAN;
        QVERIFY(!difference(right, nan, tolerance).empty());
        QVERIFY(!difference(right, std::span(good).first(14), tolerance).empty());
        QVERIFY(!difference({}, {}, tolerance).empty());
    }
    void deviceMatrix_noticesWritesBesideIt() {
        TestDevice device = openTestDevice("reference");
        const DeviceMatrix matrix(*device.ops, 3, 4, Layout::Strided, normalValues(12, 1));
        QVERIFY(matrix.intact());
        TensorView view = matrix.view();
        view.as<float>()[4] = 0.0f;
        QVERIFY(!matrix.intact());
    }
};
ESPALIER_TEST(tst_parity, TestParity)
#include "tst_parity.moc"
