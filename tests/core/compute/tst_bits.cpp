// SPDX-License-Identifier: GPL-3.0-or-later
// One order of summation: a row's bits depend on that row alone. Every operation is run once per row by itself, and
// then again among other rows, in other chunks, on other pages, with other thread counts: not one bit may differ. On
// every backend and instruction set this machine has, for every stored type.
#include <QTest>
#include <bit>
#include <cmath>
#include <cstring>

#include "tests/support/backends.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

namespace {

constexpr int kRows = 70;
constexpr DType kStored[] = {DType::F32, DType::BF16, DType::F16};  // of weights and pages; blocks are weights alone

std::vector<DType> weightTypes() {
    std::vector<DType> types(std::begin(kStored), std::end(kStored));
    types.insert(types.end(), std::begin(kBlockTypes), std::end(kBlockTypes));
    return types;
}

// A width that is odd where it may be: block types get more than one step of their many-row way, the last one short.
std::int64_t widthFor(DType dtype, std::int64_t plain) {
    return !isBlock(dtype) ? plain : blockOf(dtype).values == 32 ? 352 : 512;
}

std::vector<float> rowsOf(const std::vector<float>& values, std::int64_t width, std::int64_t first,
                          std::int64_t count) {
    return {values.begin() + first * width, values.begin() + (first + count) * width};
}

// Equal bits; a comparison of nothing fails.
bool same(std::span<const float> a, std::span<const float> b) {
    return !a.empty() && a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

void rowsPerBackend() {
    QTest::addColumn<QByteArray>("device");
    QTest::addColumn<int>("threads");
    for (const char* device : backendNames())
        for (const int threads : {1, 2, 3, 4}) {
            if (QByteArray(device) == "reference" && threads > 1) continue;
            QTest::addRow("%s, %d threads", device, threads) << QByteArray(device) << threads;
        }
}

#define OPEN_BACKEND()                                   \
    QFETCH(QByteArray, device);                          \
    QFETCH(int, threads);                                \
    TestDevice opened = openTestDevice(device, threads); \
    Backend& backend = *opened.backend;                  \
    const auto stream = backend.makeStream()

// The prompt of one sequence, its pages, and its outputs however it is fed.
struct Sequence {
    Backend& backend;
    int heads, kvHeads, headDim, tokens, window;
    DType dtype;
    std::vector<float> q = normalValues(std::int64_t{tokens} * heads * headDim, 21);
    std::vector<float> k = normalValues(std::int64_t{tokens} * kvHeads * headDim, 22);
    std::vector<float> v = normalValues(std::int64_t{tokens} * kvHeads * headDim, 23);
    KvPages pages{};
    Buffer memory{};
    int poolPages = 0;
    bool causal = true;

    // A pool of `count` pages full of NaN.
    void makePool(int count) {
        poolPages = count;
        pages = {nullptr, backend.kvPageBytes(kvHeads, headDim, dtype), kvHeads, headDim, dtype};
        memory = backend.allocate(pages.pageBytes * count).value();
        pages.base = memory.data();
        const auto stream = backend.makeStream();
        backend.fill(*stream, memory.data(), 0xff, memory.bytes());
    }

    // Stores all tokens and attends from none.
    void storeAll(const std::vector<std::int32_t>& ids) {
        const std::int64_t width = std::int64_t{kvHeads} * headDim;
        const DeviceMatrix keys(backend, tokens, width, Layout::Contiguous, k);
        const DeviceMatrix values(backend, tokens, width, Layout::Contiguous, v);
        const auto stream = backend.makeStream();
        backend.storeKv(*stream, pages, keys.view(), values.view(), std::array{Segment{0, tokens, 0, ids}});
    }

    // Stores tokens [from, to) and attends from them, as rows after `before` foreign rows.
    std::vector<float> feed(int from, int to, const std::vector<std::int32_t>& ids, int before = 0, bool store = true) {
        const int rows = to - from;
        const auto place = [&](const std::vector<float>& values, std::int64_t width) {
            std::vector<float> all = normalValues(before * width, 24);
            const std::vector<float> own = rowsOf(values, width, from, rows);
            all.insert(all.end(), own.begin(), own.end());
            return DeviceMatrix(backend, before + rows, width, Layout::Strided, all);
        };
        const std::int64_t qWidth = std::int64_t{heads} * headDim;
        const std::int64_t kvWidth = std::int64_t{kvHeads} * headDim;
        const DeviceMatrix queries = place(q, qWidth), keys = place(k, kvWidth), values = place(v, kvWidth);
        const DeviceMatrix out(backend, before + rows, qWidth);
        // The foreign rows are a sequence of their own, on the last pages of the pool.
        std::vector<std::int32_t> foreign;
        for (int page = 0; page * kTokensPerPage < before; ++page) foreign.push_back(poolPages - 1 - page);
        const std::vector<Segment> segments = {{0, before, 0, foreign}, {before, rows, from, ids}};
        const std::vector<Segment> stored = {{0, before, 0, foreign}, {before, store ? rows : 0, from, ids}};
        const auto stream = backend.makeStream();
        backend.storeKv(*stream, pages, keys.view(), values.view(), stored);
        backend.attention(*stream, out.view(), queries.view(), pages, segments,
                          {heads, 1.0f / std::sqrt(static_cast<float>(headDim)), window, causal});
        return rowsOf(out.download(), qWidth, before, rows);
    }

    std::vector<float> feedInChunks(const std::vector<int>& chunks, const std::vector<std::int32_t>& ids,
                                    int before = 0) {
        std::vector<float> all;
        int from = 0;
        for (std::size_t i = 0; from < tokens; ++i) {
            const int to = std::min(tokens, from + chunks[i % chunks.size()]);
            const std::vector<float> part = feed(from, to, ids, before);
            all.insert(all.end(), part.begin(), part.end());
            from = to;
        }
        return all;
    }
};

}  // namespace

class TestBits : public QObject {
    Q_OBJECT
private slots:
    void gemm_data() { rowsPerBackend(); }
    void gemm() {
        OPEN_BACKEND();
        for (const DType dtype : weightTypes()) {
            const std::int64_t k = widthFor(dtype, 129), n = isBlock(dtype) ? 70 : 300;
            const std::vector<float> x = normalValues(kRows * k, 1);
            const std::vector<float> old = normalValues(kRows * n, 2);
            const std::vector<float> biasValues = normalValues(n, 3);
            const DeviceMatrix bias(backend, 1, n, Layout::Contiguous, biasValues);
            const WeightMatrix w = weightSample(dtype, n, k, 4).packed(backend);
            const auto run = [&](std::int64_t first, std::int64_t count, Layout layout) {
                const DeviceMatrix in(backend, count, k, layout, rowsOf(x, k, first, count));
                const DeviceMatrix out(backend, count, n, layout, rowsOf(old, n, first, count));
                backend.gemm(*stream, out.view(), in.view(), w, {bias.vector(), true});
                return out.download();
            };
            std::vector<float> alone;
            for (int t = 0; t < kRows; ++t) {
                const std::vector<float> row = run(t, 1, Layout::Contiguous);
                alone.insert(alone.end(), row.begin(), row.end());
            }
            for (int count = 1; count <= kRows; ++count) {
                QVERIFY2(same(run(0, count, Layout::Offset), rowsOf(alone, n, 0, count)),
                         qPrintable(QString::number(count)));
                QVERIFY(same(run(kRows - count, count, Layout::Contiguous), rowsOf(alone, n, kRows - count, count)));
            }
        }
    }

    // A block type gives the bits of its dequantised f32 matrix, on both ways and past the rows that one pass takes.
    void gemm_ofBlocksIsThatOfTheirValues_data() { rowsPerBackend(); }
    void gemm_ofBlocksIsThatOfTheirValues() {
        OPEN_BACKEND();
        for (const DType dtype : kBlockTypes) {
            const std::int64_t k = widthFor(dtype, 0), n = 70;
            const WeightSample sample = weightSample(dtype, n, k, 5);
            const WeightMatrix blocks = sample.packed(backend);
            const WeightMatrix wide = packed(backend, DType::F32, sample.values, n, k);
            QVERIFY(blocks.panels.bytes() <= backend.packedBytes(96, k, DType::F32) / 3);
            for (const std::int64_t rows : {1, 2, 3, 4, 5, 11, 12, 13, 95, 96, 97, 200}) {
                const DeviceMatrix x(backend, rows, k, Layout::Strided, normalValues(rows * k, 6));
                const DeviceMatrix y(backend, rows, n), expected(backend, rows, n);
                backend.gemm(*stream, y.view(), x.view(), blocks, {});
                backend.gemm(*stream, expected.view(), x.view(), wide, {});
                QVERIFY2(same(y.download(), expected.download()), dtypeName(dtype).data());
            }
        }
    }

    // A column's bits do not depend on which other columns the matrix has (its place in a panel, its panel's place).
    void gemm_columnsStandAlone_data() { rowsPerBackend(); }
    void gemm_columnsStandAlone() {
        OPEN_BACKEND();
        const std::int64_t n = 200, rows = 14;
        for (const DType dtype : weightTypes()) {
            const std::int64_t k = widthFor(dtype, 65);
            const DeviceMatrix in(backend, rows, k, Layout::Contiguous, normalValues(rows * k, 1));
            const WeightSample sample = weightSample(dtype, n, k, 4);
            const auto run = [&](std::int64_t first, std::int64_t count) {
                const WeightMatrix part = sample.packed(backend, first, count);
                const DeviceMatrix out(backend, rows, count);
                backend.gemm(*stream, out.view(), in.view(), part, {});
                return out.download();
            };
            const std::vector<float> whole = run(0, n);
            for (const std::int64_t first : {1, 17, 31, 100, 199}) {
                const std::vector<float> part = run(first, n - first);
                for (std::int64_t t = 0; t < rows; ++t)
                    QVERIFY(same(rowsOf(part, n - first, t, 1), std::span(whole).subspan(t * n + first, n - first)));
            }
        }
    }

    void rowOperations_data() { rowsPerBackend(); }
    void rowOperations() {
        OPEN_BACKEND();
        const std::int64_t dim = 6 * 50;
        const RopeDesc rope{6, 50, 34};
        const std::vector<float> x = normalValues(kRows * dim, 5), other = normalValues(kRows * dim, 6);
        const std::vector<float> angles = normalValues(kRows * rope.rotaryDim / 2, 7);
        const DeviceMatrix weight(backend, 1, dim, Layout::Contiguous, normalValues(dim, 8));
        const DeviceMatrix groupWeight(backend, 1, 50, Layout::Contiguous, normalValues(50, 8));
        using Operation = std::function<void(const DeviceMatrix& y, const DeviceMatrix& with, std::int64_t first,
                                             std::int64_t count)>;
        const Operation operations[] = {
            [&](const DeviceMatrix& y, const DeviceMatrix&, std::int64_t, std::int64_t) {
                backend.norm(*stream, y.view(), y.view(), weight.vector(), {NormKind::RmsNorm, 1e-5f, {}});
            },
            [&](const DeviceMatrix& y, const DeviceMatrix&, std::int64_t, std::int64_t) {
                backend.norm(*stream, y.view(), y.view(), weight.vector(),
                             {NormKind::LayerNorm, 1e-5f, weight.vector()});
            },
            [&](const DeviceMatrix& y, const DeviceMatrix&, std::int64_t, std::int64_t) {
                backend.norm(*stream, y.view(), y.view(), groupWeight.vector(), {NormKind::RmsNorm, 1e-5f, {}, 6});
            },
            [&](const DeviceMatrix& y, const DeviceMatrix&, std::int64_t first, std::int64_t count) {
                const DeviceMatrix turn(backend, count, rope.rotaryDim / 2, Layout::Strided,
                                        rowsOf(angles, rope.rotaryDim / 2, first, count));
                backend.rope(*stream, y.view(), turn.view(), turn.view(), rope);
            },
            [&](const DeviceMatrix& y, const DeviceMatrix& with, std::int64_t, std::int64_t) {
                backend.activation(*stream, y.view(), y.view(), with.view(), ActivationKind::Silu);
            },
            [&](const DeviceMatrix& y, const DeviceMatrix& with, std::int64_t, std::int64_t) {
                backend.activation(*stream, y.view(), y.view(), with.view(), ActivationKind::Gelu);
            },
            [&](const DeviceMatrix& y, const DeviceMatrix&, std::int64_t, std::int64_t) {
                backend.activation(*stream, y.view(), y.view(), {}, ActivationKind::GeluTanh);
            },
            [&](const DeviceMatrix& y, const DeviceMatrix& with, std::int64_t, std::int64_t) {
                backend.add(*stream, y.view(), with.view());
            },
        };
        for (const Operation& operation : operations) {
            const auto run = [&](std::int64_t first, std::int64_t count, Layout layout) {
                const DeviceMatrix y(backend, count, dim, layout, rowsOf(x, dim, first, count));
                const DeviceMatrix with(backend, count, dim, layout, rowsOf(other, dim, first, count));
                operation(y, with, first, count);
                return y.download();
            };
            std::vector<float> alone;
            for (int t = 0; t < kRows; ++t) {
                const std::vector<float> row = run(t, 1, Layout::Contiguous);
                alone.insert(alone.end(), row.begin(), row.end());
            }
            for (int count = 1; count <= kRows; ++count)
                QVERIFY(same(run(kRows - count, count, Layout::Offset), rowsOf(alone, dim, kRows - count, count)));
        }
    }

    // An element's bits do not depend on which lane of a vector it meets.
    void activation_elementsStandAlone_data() { rowsPerBackend(); }
    void activation_elementsStandAlone() {
        OPEN_BACKEND();
        const std::vector<float> x = normalValues(200, 9, 5.0f);
        for (const ActivationKind kind : {ActivationKind::Silu, ActivationKind::Gelu, ActivationKind::GeluTanh}) {
            const auto run = [&](std::int64_t first) {
                const std::int64_t count = 200 - first;
                const DeviceMatrix gate(backend, 1, count, Layout::Contiguous, rowsOf(x, 1, first, count));
                const DeviceMatrix out(backend, 1, count);
                backend.activation(*stream, out.view(), gate.view(), {}, kind);
                return out.download();
            };
            const std::vector<float> whole = run(0);
            for (int first = 1; first < 200; ++first) QVERIFY(same(run(first), rowsOf(whole, 1, first, 200 - first)));
        }
    }

    void gather_data() { rowsPerBackend(); }
    void gather() {
        OPEN_BACKEND();
        const std::int64_t n = 90;
        for (const DType dtype : weightTypes()) {
            const std::int64_t k = widthFor(dtype, 257);
            const WeightSample sample = weightSample(dtype, n, k, 10);
            const std::vector<float>& w = sample.values;
            const WeightMatrix table = sample.packed(backend);
            for (int count = 1; count <= kRows; ++count) {
                std::vector<std::int32_t> ids;
                for (int t = 0; t < count; ++t) ids.push_back(static_cast<std::int32_t>((t * 31 + count) % n));
                const DeviceMatrix out(backend, count, k, Layout::Strided);
                backend.gather(*stream, out.view(), table,
                               ConstTensorView(reinterpret_cast<const std::byte*>(ids.data()), DType::I32, {count}));
                const std::vector<float> got = out.download();
                // Equal numbers: a zero of a block may have the other sign.
                for (int t = 0; t < count; ++t)
                    QVERIFY(rowsOf(got, k, t, 1) == rowsOf(w, k, ids[static_cast<std::size_t>(t)], 1));
            }
        }
    }

    void attention_data() { rowsPerBackend(); }
    void attention() {
        OPEN_BACKEND();
        struct Shape {
            int heads, kvHeads, headDim, window;
        };
        for (const Shape& s : {Shape{4, 2, 40, 0}, Shape{8, 1, 16, 0}, Shape{3, 3, 33, 0}, Shape{4, 1, 32, 21}})
            for (const DType dtype : kStored) {
                Sequence sequence{backend, s.heads, s.kvHeads, s.headDim, 100, s.window, dtype};
                sequence.makePool(20);
                const std::vector<std::int32_t> ascending = {0, 1, 2, 3, 4, 5, 6};
                const std::vector<float> alone = sequence.feedInChunks({1}, ascending);
                for (const std::vector<int>& chunks :
                     std::vector<std::vector<int>>{{100}, {16}, {15}, {17}, {33}, {7, 1, 1, 30}, {64, 1}, {50, 50}})
                    QVERIFY(same(sequence.feedInChunks(chunks, ascending), alone));
                sequence.makePool(20);
                QVERIFY(same(sequence.feedInChunks({40}, {9, 2, 6, 0, 5, 1, 3}), alone));  // pages anywhere
                QVERIFY(same(sequence.feedInChunks({27}, ascending, 1), alone));           // behind other sequences
                QVERIFY(same(sequence.feedInChunks({100}, {6, 5, 4, 3, 2, 1, 0}, 37), alone));
            }
    }

    // Every token sees the whole text: the same bits on one thread, on other pages and behind other texts.
    void attention_ofWholeTexts_data() { rowsPerBackend(); }
    void attention_ofWholeTexts() {
        OPEN_BACKEND();
        TestDevice single = openTestDevice(device, 1);
        struct Shape {
            int heads, kvHeads, headDim, tokens;
        };
        for (const Shape& s : {Shape{2, 2, 40, 1}, Shape{4, 2, 24, 16}, Shape{3, 3, 33, 17}, Shape{12, 12, 32, 77}})
            for (const DType dtype : kStored) {
                Sequence alone{*single.backend, s.heads, s.kvHeads, s.headDim, s.tokens, 0, dtype};
                alone.causal = false;
                alone.makePool(20);
                const std::vector<float> expected = alone.feed(0, s.tokens, {0, 1, 2, 3, 4});
                Sequence sequence{backend, s.heads, s.kvHeads, s.headDim, s.tokens, 0, dtype};
                sequence.causal = false;
                sequence.makePool(20);
                QVERIFY(same(sequence.feed(0, s.tokens, {0, 1, 2, 3, 4}), expected));
                QVERIFY(same(sequence.feed(0, s.tokens, {7, 2, 9, 0, 5}), expected));
                QVERIFY(same(sequence.feed(0, s.tokens, {4, 3, 2, 1, 0}, 1), expected));
                QVERIFY(same(sequence.feed(0, s.tokens, {1, 0, 3, 2, 4}, 53), expected));
                sequence.causal = true;  // and it is another operation
                QVERIFY(s.tokens == 1 || !same(sequence.feed(0, s.tokens, {0, 1, 2, 3, 4}), expected));
            }
    }

    // Texts of several spans, which threads share out where there is little else to do: the last rows one by one, in
    // chunks over the border of a span and among others have the bits that they have in one chunk on one thread.
    void attention_ofLongTexts_data() { rowsPerBackend(); }
    void attention_ofLongTexts() {
        OPEN_BACKEND();
        TestDevice single = openTestDevice(device, 1);
        struct Shape {
            int heads, kvHeads, headDim, window;
            DType dtype;
        };
        for (const Shape& s :
             {Shape{4, 1, 12, 0, DType::F32}, Shape{2, 1, 33, 0, DType::BF16}, Shape{8, 1, 16, 1100, DType::F16}}) {
            const int tokens = 2100;
            const std::int64_t width = std::int64_t{s.heads} * s.headDim;
            std::vector<std::int32_t> ascending, mixed;
            for (int page = 0; page * kTokensPerPage < tokens; ++page) {
                ascending.push_back(page);
                mixed.push_back((page * 61 + 7) % 132);  // 61 and 132 have no common divisor
            }
            Sequence alone{*single.backend, s.heads, s.kvHeads, s.headDim, tokens, s.window, s.dtype};
            alone.makePool(132);
            alone.storeAll(ascending);
            Sequence sequence{backend, s.heads, s.kvHeads, s.headDim, tokens, s.window, s.dtype};
            sequence.makePool(150);
            sequence.storeAll(mixed);
            for (const int first : {1000, 2040}) {  // each over the border of a span
                const std::vector<float> whole = alone.feed(first, first + 60, ascending, 0, false);
                QVERIFY(same(sequence.feed(first, first + 60, mixed, 3, false), whole));
                QVERIFY(same(sequence.feed(first + 20, first + 29, mixed, 0, false), rowsOf(whole, width, 20, 9)));
                for (const int row : {0, 7, 8, 9, 23, 24, 25, 59})
                    QVERIFY(same(sequence.feed(first + row, first + row + 1, mixed, row % 2 * 20, false),
                                 rowsOf(whole, width, row, 1)));
            }
        }
    }

    // A second sequence with the same beginning uses the first one's pages; then the K and V of its rest are stored
    // before, or in the same batch: no difference.
    void attention_withReusedPrefix_data() { rowsPerBackend(); }
    void attention_withReusedPrefix() {
        OPEN_BACKEND();
        for (const DType dtype : kStored) {
            Sequence sequence{backend, 4, 2, 24, 90, 0, dtype};
            sequence.makePool(20);
            const std::vector<float> whole = sequence.feed(0, 90, {0, 1, 2, 3, 4, 5});
            const std::int64_t width = 4 * 24;
            for (const int cached : {16, 48, 80}) {
                std::vector<std::int32_t> pages;
                for (int page = 0; page < 6; ++page) pages.push_back(page < cached / kTokensPerPage ? page : 14 - page);
                QVERIFY(same(sequence.feed(cached, 90, pages), rowsOf(whole, width, cached, 90 - cached)));
                QVERIFY(same(sequence.feed(cached, 90, pages, 5, false), rowsOf(whole, width, cached, 90 - cached)));
            }
        }
    }

    // Thread counts give the same bits as each other, not only as themselves.
    void threadCountsAgree() {
        for (const char* name : backendNames()) {
            std::vector<float> first;
            for (const int threads : {1, 2, 3, 4}) {
                TestDevice opened = openTestDevice(name, threads);
                Backend& backend = *opened.backend;
                const auto stream = backend.makeStream();
                const WeightMatrix w =
                    packed(backend, DType::BF16, roundedTo(DType::BF16, normalValues(500 * 300, 1)), 500, 300);
                const DeviceMatrix x(backend, 40, 300, Layout::Contiguous, normalValues(40 * 300, 2));
                const DeviceMatrix y(backend, 40, 500);
                backend.gemm(*stream, y.view(), x.view(), w, {});
                Sequence sequence{backend, 4, 2, 32, 200, 0, DType::BF16};
                sequence.makePool(16);
                std::vector<float> all = sequence.feed(0, 200, {3, 1, 2, 0, 4, 5, 6, 7, 8, 9, 10, 11, 12});
                Sequence longer{backend, 2, 1, 24, 3000, 0, DType::BF16};
                longer.makePool(190);
                std::vector<std::int32_t> pages;
                for (int page = 0; page < 188; ++page) pages.push_back(187 - page);
                longer.storeAll(pages);
                const std::vector<float> last = longer.feed(2999, 3000, pages, 0, false);
                all.insert(all.end(), last.begin(), last.end());
                const std::vector<float> product = y.download();
                all.insert(all.end(), product.begin(), product.end());
                if (first.empty()) first = all;
                QVERIFY2(same(all, first), name);
            }
        }
    }

    void comparison_seesOneBit() {
        std::vector<float> a = normalValues(10, 1), b = a;
        QVERIFY(same(a, b));
        b[9] = std::bit_cast<float>(std::bit_cast<std::uint32_t>(b[9]) ^ 1u);
        QVERIFY(!same(a, b));
        QVERIFY(!same({}, {}));
    }
};
ESPALIER_TEST(tst_bits, TestBits)
#include "tst_bits.moc"
