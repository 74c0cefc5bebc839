// SPDX-License-Identifier: GPL-3.0-or-later
// The two LoRA operations: against the formula in fp64, for every stored type, odd shapes and several adapters of mixed
// rank in one batch; and bit for bit, alone and among others, whatever the tiles, pages and threads.
#include <QTest>
#include <cstring>

#include "tests/support/backends.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

namespace {

constexpr DType kStored[] = {DType::F32, DType::BF16, DType::F16};

// A and B of one module as matrices, in values that its type can store.
struct Matrices {
    std::int32_t rank, inputs, outputs;
    DType dtype;
    float scale;
    std::vector<float> a, b;  // [rank, inputs], [outputs, rank]

    Matrices(std::int32_t r, std::int32_t in, std::int32_t out, DType type, unsigned seed)
        : rank(r),
          inputs(in),
          outputs(out),
          dtype(type),
          scale(0.25f * static_cast<float>(1 + seed % 5)),
          a(roundedTo(type, normalValues(std::int64_t{r} * in, seed))),
          b(roundedTo(type, normalValues(std::int64_t{out} * r, seed + 1))) {}
};

// Pages with the tiles of one or several modules, drawn from the layout in lora.h, in a pool filled with NaN.
struct Pages {
    Backend& backend;
    std::int64_t pageBytes;
    Buffer memory;
    std::vector<std::int32_t> free;  // the last is taken next
    std::vector<std::vector<const std::byte*>> taken;

    Pages(Backend& device, std::int64_t bytes, int count, unsigned seed) : backend(device), pageBytes(bytes) {
        memory = backend.allocate(bytes * count).value();
        const auto stream = backend.makeStream();
        backend.fill(*stream, memory.data(), 0xff, memory.bytes());
        std::mt19937 random(seed);
        for (int i = 0; i < count; ++i) free.push_back(i);
        for (std::size_t i = free.size(); i > 1; --i) std::swap(free[i - 1], free[random() % i]);
        taken.reserve(256);
    }

    // `gap` tiles before A belong to somebody else.
    LoraModule place(const Matrices& m, std::int32_t tileColumns, std::int32_t gap = 0,
                     std::optional<ActivationKind> activation = {}, const std::vector<float>& bias = {}) {
        LoraModule module{.rank = m.rank,
                          .inputs = m.inputs,
                          .outputs = m.outputs,
                          .firstTile = gap,
                          .tileColumns = tileColumns,
                          .dtype = m.dtype,
                          .scale = m.scale,
                          .activation = activation};
        const std::int64_t tileBytes = loraTileBytes(tileColumns, m.dtype), perPage = pageBytes / tileBytes;
        const std::int64_t pages = (gap + module.tiles() + perPage - 1) / perPage;
        auto& places = taken.emplace_back();
        for (std::int64_t i = 0; i < pages; ++i) {
            places.push_back(memory.data() + free.back() * pageBytes);
            free.pop_back();
        }
        module.pages = places;
        module.tilesPerPage = static_cast<std::int32_t>(perPage);
        const auto put = [&](std::int32_t firstTile, std::int32_t width, auto value, std::int32_t rows = 0) {
            const std::int32_t across = loraTilesAcross(width, tileColumns), ranks = rows > 0 ? rows : m.rank;
            for (std::int32_t tile = 0; tile < loraSlabs(ranks) * across; ++tile) {
                std::vector<float> values(static_cast<std::size_t>(kLoraSlab) * static_cast<std::size_t>(tileColumns));
                for (std::int32_t i = 0; i < kLoraSlab * tileColumns; ++i) {
                    const std::int32_t j = tile / across * kLoraSlab + i / tileColumns;
                    const std::int32_t c = tile % across * tileColumns + i % tileColumns;
                    if (j < ranks && c < width) values[static_cast<std::size_t>(i)] = value(j, c);
                }
                const auto bytes = storedAs(m.dtype, values);
                const std::int64_t at = firstTile + tile;
                std::memcpy(
                    const_cast<std::byte*>(places[static_cast<std::size_t>(at / perPage)]) + at % perPage * tileBytes,
                    bytes.data(), bytes.size());
            }
        };
        put(module.firstTile, m.inputs,
            [&](auto j, auto c) { return m.a[static_cast<std::size_t>(j * m.inputs + c)]; });
        put(module.firstTileOfB(), m.outputs,
            [&](auto j, auto c) { return m.b[static_cast<std::size_t>(c * m.rank + j)]; });
        if (activation)
            put(
                module.firstTileOfBias(), m.rank, [&](auto, auto c) { return bias[static_cast<std::size_t>(c)]; }, 1);
        return module;
    }
};

void devicesAndTypes() {
    QTest::addColumn<QByteArray>("device");
    QTest::addColumn<int>("dtype");
    for (const char* device : backendNames())
        for (const DType dtype : kStored)
            QTest::addRow("%s, %s", device, dtypeName(dtype).data()) << QByteArray(device) << static_cast<int>(dtype);
}

struct Pair {
    std::vector<float> v, y;
};

// Both steps on x [rows, inputs] and y as given, with v `width` wide.
Pair run(Backend& backend, LoraBatch parts, const std::vector<float>& x, const std::vector<float>& y, std::int64_t rows,
         std::int64_t inputs, std::int64_t outputs, std::int64_t width, Layout layout = Layout::Contiguous) {
    const DeviceMatrix dx(backend, rows, inputs, layout, x), dy(backend, rows, outputs, layout, y);
    const DeviceMatrix dv(backend, rows, width, layout);
    const auto stream = backend.makeStream();
    backend.loraShrink(*stream, dv.view(), dx.view(), parts);
    backend.loraExpand(*stream, dy.view(), dv.view(), parts);
    CHECK(backend.synchronize(*stream) && dx.intact() && dy.intact() && dv.intact());
    return {dv.download(), dy.download()};
}

}  // namespace

class TestLora : public QObject {
    Q_OBJECT

private slots:
    void agreesWithTheFormula_data() { devicesAndTypes(); }
    void agreesWithTheFormula() {
        QFETCH(QByteArray, device);
        QFETCH(int, dtype);
        const TestDevice opened = openTestDevice(device);
        const auto type = static_cast<DType>(dtype);
        unsigned seed = 1;
        for (const std::int32_t inputs : {1, 17, 128, 300})
            for (const std::int32_t outputs : {1, 33, 256, 515})
                for (const std::int32_t rank : {1, 7, 8, 9, 64}) {
                    seed += 10;
                    const Matrices m(rank, inputs, outputs, type, seed);
                    Pages pages(*opened.backend, 8192, 256, seed);
                    LoraModule module = pages.place(m, 128, static_cast<std::int32_t>(seed % 3));
                    module.firstRank = 16;
                    module.firstOutput = 3;
                    constexpr std::int64_t kRows = 9;
                    const std::int64_t width = 16 + loraSlabs(rank) * 8 + 1, all = outputs + 5;
                    const auto x = normalValues(kRows * inputs, seed + 2), y = normalValues(kRows * all, seed + 3);
                    const LoraRows part[] = {{2, 6, std::span(&module, 1)}};
                    const Layout layout = kLayouts[seed / 10 % 3];
                    const Pair got = run(*opened.backend, part, x, y, kRows, inputs, all, width, layout);
                    for (std::int64_t t = 0; t < kRows; ++t)
                        for (std::int64_t n = 0; n < all; ++n) {
                            const auto at = static_cast<std::size_t>(t * all + n);
                            const bool isTouched = t >= 2 && t < 8 && n >= 3 && n < 3 + outputs;
                            double expected = y[at], size = std::abs(expected);
                            for (std::int32_t j = 0; isTouched && j < rank; ++j) {
                                double inner = 0, innerSize = 0;
                                for (std::int32_t k = 0; k < inputs; ++k) {
                                    const double product = double{x[static_cast<std::size_t>(t * inputs + k)]} *
                                                           m.a[static_cast<std::size_t>(j * inputs + k)];
                                    inner += product;
                                    innerSize += std::abs(product);
                                }
                                const double b = m.b[static_cast<std::size_t>((n - 3) * rank + j)] * double{m.scale};
                                expected += inner * b;
                                size += innerSize * std::abs(b);
                            }
                            if (!isTouched) QCOMPARE(got.y[at], y[at]);
                            QVERIFY2(std::abs(got.y[at] - expected) <= 4e-6 * size + 1e-30,
                                     qPrintable(QString("rank %1, %2 -> %3, row %4, column %5: %6 for %7")
                                                    .arg(rank)
                                                    .arg(inputs)
                                                    .arg(outputs)
                                                    .arg(t)
                                                    .arg(n)
                                                    .arg(got.y[at])
                                                    .arg(expected)));
                        }
                }
    }

    // Columns of A by id, scaled: every value exactly, and nothing of other rows; then expanded like any v.
    void gatherTakesTheColumnsOfItsIds_data() { devicesAndTypes(); }
    void gatherTakesTheColumnsOfItsIds() {
        QFETCH(QByteArray, device);
        QFETCH(int, dtype);
        const TestDevice opened = openTestDevice(device);
        const auto type = static_cast<DType>(dtype);
        unsigned seed = 3;
        for (const std::int32_t vocabulary : {1, 17, 128, 700})
            for (const std::int32_t rank : {1, 8, 11}) {
                seed += 10;
                const Matrices m(rank, vocabulary, 33, type, seed);
                Pages pages(*opened.backend, 8192, 64, seed);
                LoraModule module = pages.place(m, 128, static_cast<std::int32_t>(seed % 3));
                module.firstRank = 8;
                constexpr std::int64_t kRows = 7;
                const std::int64_t width = 8 + loraSlabs(rank) * 8 + 1;
                std::mt19937 random(seed);
                std::vector<std::int32_t> ids{0, vocabulary - 1};
                while (static_cast<std::int64_t>(ids.size()) < kRows)
                    ids.push_back(static_cast<std::int32_t>(random() % static_cast<unsigned>(vocabulary)));
                const DeviceMatrix v(*opened.backend, kRows, width, Layout::Strided,
                                     std::vector<float>(static_cast<std::size_t>(kRows * width), 5.0f));
                const auto stream = opened.backend->makeStream();
                const LoraRows part[] = {{1, 5, std::span(&module, 1)}};
                opened.backend->loraGather(
                    *stream, v.view(),
                    ConstTensorView(reinterpret_cast<const std::byte*>(ids.data()), DType::I32, {kRows}), part);
                QVERIFY(opened.backend->synchronize(*stream) && v.intact());
                const auto got = v.download();
                for (std::int64_t t = 0; t < kRows; ++t)
                    for (std::int64_t column = 0; column < width; ++column) {
                        const std::int64_t j = column - 8;
                        float expected = 5.0f;
                        if (t >= 1 && t < 6 && j >= 0 && j < loraSlabs(rank) * 8)
                            expected = j < rank ? m.scale * m.a[static_cast<std::size_t>(
                                                                j * vocabulary + ids[static_cast<std::size_t>(t)])]
                                                : 0.0f;
                        QCOMPARE(got[static_cast<std::size_t>(t * width + column)], expected);
                    }
            }
    }

    // A bottleneck: act(A x + a) and scale, then B and b, against the formula in fp64; other rows and ranks are left
    // alone.
    void bottlenecksAgreeWithTheFormula_data() { devicesAndTypes(); }
    void bottlenecksAgreeWithTheFormula() {
        QFETCH(QByteArray, device);
        QFETCH(int, dtype);
        const TestDevice opened = openTestDevice(device);
        const auto type = static_cast<DType>(dtype);
        constexpr std::int32_t kHidden = 150;
        constexpr std::int64_t kRows = 7;
        unsigned seed = 5;
        for (const ActivationKind kind :
             {ActivationKind::Relu, ActivationKind::Silu, ActivationKind::Gelu, ActivationKind::GeluTanh})
            for (const std::int32_t width : {1, 7, 8, 130, 390}) {
                seed += 10;
                Matrices m(width + 1, kHidden, kHidden, type, seed);
                const auto bias = roundedTo(type, normalValues(width + 1, seed + 2));
                for (std::int32_t k = 0; k < kHidden; ++k)
                    m.a[static_cast<std::size_t>(width * kHidden + k)] = 0;  // of the row that b takes
                Pages pages(*opened.backend, 8192, 128, seed);
                const LoraModule module = pages.place(m, 128, static_cast<std::int32_t>(seed % 3), kind, bias);
                const auto x = normalValues(kRows * kHidden, seed + 3), y = normalValues(kRows * kHidden, seed + 4);
                const std::int64_t ranks = loraSlabs(width + 1) * 8;
                const DeviceMatrix dx(*opened.backend, kRows, kHidden, Layout::Strided, x),
                    dy(*opened.backend, kRows, kHidden, Layout::Strided, y);
                const DeviceMatrix dv(*opened.backend, kRows, ranks, Layout::Strided);
                const auto stream = opened.backend->makeStream();
                const LoraRows part[] = {{1, 5, std::span(&module, 1)}};
                opened.backend->loraShrink(*stream, dv.view(), dx.view(), part);
                opened.backend->loraActivate(*stream, dv.view(), part);
                opened.backend->loraExpand(*stream, dy.view(), dv.view(), part);
                QVERIFY(opened.backend->synchronize(*stream) && dv.intact() && dy.intact());
                const auto got = dy.download();
                for (std::int64_t t = 0; t < kRows; ++t)
                    for (std::int32_t n = 0; n < kHidden; ++n) {
                        const auto at = static_cast<std::size_t>(t * kHidden + n);
                        double expected = 0;
                        for (std::int32_t j = 0; j < width; ++j) {
                            double sum = bias[static_cast<std::size_t>(j)];
                            for (std::int32_t k = 0; k < kHidden; ++k)
                                sum += double{x[static_cast<std::size_t>(t * kHidden + k)]} *
                                       m.a[static_cast<std::size_t>(j * kHidden + k)];
                            const double act =
                                kind == ActivationKind::Relu   ? std::max(sum, 0.0)
                                : kind == ActivationKind::Silu ? sum / (1 + std::exp(-sum))
                                : kind == ActivationKind::Gelu
                                    ? 0.5 * sum * (1 + std::erf(sum / std::sqrt(2.0)))
                                    : 0.5 * sum *
                                          (1 + std::tanh(0.79788456080286536 * (sum + 0.044715 * sum * sum * sum)));
                            expected += act * m.b[static_cast<std::size_t>(n * (width + 1) + j)];
                        }
                        expected =
                            (expected + m.b[static_cast<std::size_t>(n * (width + 1) + width)]) * m.scale + y[at];
                        if (t < 1 || t >= 6) expected = y[at];
                        QVERIFY2(std::abs(got[at] - expected) <= 1e-3 * (1 + std::abs(expected)),
                                 qPrintable(QString("%1 wide, row %2, column %3: %4 for %5")
                                                .arg(width)
                                                .arg(t)
                                                .arg(n)
                                                .arg(got[at])
                                                .arg(expected)));
                    }
            }
    }

    // Rows of three adapters and of none in a batch of 1 to 70 rows: each row as when it is alone, with other tiles and
    // other pages.
    void bitsDependOnTheRowAlone_data() {
        QTest::addColumn<QByteArray>("device");
        QTest::addColumn<int>("dtype");
        QTest::addColumn<int>("threads");
        for (const char* device : backendNames())
            for (const DType dtype : kStored)
                for (const int threads : {1, 2, 3})
                    if (threads == 1 || QByteArray(device) != "reference")
                        QTest::addRow("%s, %s, %d threads", device, dtypeName(dtype).data(), threads)
                            << QByteArray(device) << static_cast<int>(dtype) << threads;
    }
    void bitsDependOnTheRowAlone() {
        QFETCH(QByteArray, device);
        QFETCH(int, dtype);
        QFETCH(int, threads);
        const TestDevice opened = openTestDevice(device, threads), single = openTestDevice(device, 1);
        constexpr std::int32_t kInputs = 421, kOutputs = 333, kRows = 70;
        constexpr std::int64_t kWidth = 192;
        const auto type = static_cast<DType>(dtype);
        std::vector<Matrices> adapters;
        for (const std::int32_t rank : {3, 16, 64})
            adapters.emplace_back(rank, kInputs, kOutputs, type, 7u + static_cast<unsigned>(rank));
        const auto x = normalValues(std::int64_t{kRows} * kInputs, 5),
                   y = normalValues(std::int64_t{kRows} * kOutputs, 6);
        const auto rowsOf = [](const std::vector<float>& all, std::int64_t width, std::int64_t first,
                               std::int64_t count) {
            return std::vector<float>(all.begin() + first * width, all.begin() + (first + count) * width);
        };

        // each row alone, on one thread, for each adapter
        std::vector<std::vector<float>> alone;
        for (const Matrices& m : adapters) {
            Pages pages(*single.backend, 8192, 128, 1);
            const LoraModule module = pages.place(m, 128);
            auto& rows = alone.emplace_back();
            for (std::int64_t t = 0; t < kRows; ++t) {
                const LoraRows part[] = {{0, 1, std::span(&module, 1)}};
                const Pair one = run(*single.backend, part, rowsOf(x, kInputs, t, 1), rowsOf(y, kOutputs, t, 1), 1,
                                     kInputs, kOutputs, kWidth);
                rows.insert(rows.end(), one.y.begin(), one.y.end());
            }
        }

        std::mt19937 random(11);
        int compared = 0;
        for (const std::int32_t tileColumns : {64, 128, 256, 512}) {
            Pages pages(*opened.backend, 16384, 400, 3u + static_cast<unsigned>(tileColumns));
            std::vector<LoraModule> modules;
            for (const Matrices& m : adapters) modules.push_back(pages.place(m, tileColumns, tileColumns % 3));
            for (const std::int32_t count : {1, 2, 3, 5, 24, 25, 49, 70}) {
                std::vector<LoraRows> parts;
                std::vector<int> owner(static_cast<std::size_t>(count), -1);
                for (std::int32_t row = 0; row < count;) {
                    const auto here = std::min<std::int32_t>(count - row, 1 + static_cast<std::int32_t>(random() % 30));
                    const int who = static_cast<int>(random() % 4) - 1;
                    if (who >= 0) parts.push_back({row, here, std::span(&modules[static_cast<std::size_t>(who)], 1)});
                    for (std::int32_t i = 0; i < here; ++i) owner[static_cast<std::size_t>(row + i)] = who;
                    row += here;
                }
                if (parts.empty()) continue;
                const std::int64_t first = random() % static_cast<unsigned>(kRows - count + 1);
                const Pair got =
                    run(*opened.backend, parts, rowsOf(x, kInputs, first, count), rowsOf(y, kOutputs, first, count),
                        count, kInputs, kOutputs, kWidth, Layout::Strided);
                for (std::int64_t t = 0; t < count; ++t) {
                    const int who = owner[static_cast<std::size_t>(t)];
                    const auto expected = who < 0
                                              ? rowsOf(y, kOutputs, first + t, 1)
                                              : rowsOf(alone[static_cast<std::size_t>(who)], kOutputs, first + t, 1);
                    QVERIFY(std::memcmp(expected.data(), got.y.data() + t * kOutputs, kOutputs * sizeof(float)) == 0);
                    compared += who >= 0;
                }
            }
        }
        QVERIFY(compared > 100);
    }
};

ESPALIER_TEST(tst_lora, TestLora)
#include "tst_lora.moc"
