// SPDX-License-Identifier: GPL-3.0-or-later
// Tiles: every element of A and of B where core/compute/lora.h draws it, zeros elsewhere, and the fewest pages.
#include <QTest>
#include <cstring>

#include "core/adapters/lora_image.h"
#include "tests/support/adapter_data.h"
#include "tests/support/memory_tensors.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

namespace {

ArchSpec base(std::int32_t hidden = 48, std::int32_t neurons = 80) {
    return archSpecFromConfig(tinyConfig({.hidden = hidden, .neurons = neurons}), "config.json").value();
}

float valueAt(const std::byte* data, std::int64_t index, DType dtype) {
    if (dtype == DType::F32) {
        float value;
        std::memcpy(&value, data + index * 4, 4);
        return value;
    }
    std::uint16_t bits;
    std::memcpy(&bits, data + index * 2, 2);
    return dtype == DType::BF16 ? bf16ToF32(bits) : f16ToF32(bits);
}

}  // namespace

class TestLoraImage : public QObject {
    Q_OBJECT

private slots:
    void everyElementIsInItsPlace_data() {
        QTest::addColumn<int>("dtype");
        QTest::addColumn<int>("rank");
        for (const DType dtype : {DType::F32, DType::BF16, DType::F16})
            for (const int rank : {1, 8, 11}) QTest::addRow("%s, rank %d", dtypeName(dtype).data(), rank) << static_cast<int>(dtype) << rank;
    }
    void everyElementIsInItsPlace() {
        QFETCH(int, dtype);
        QFETCH(int, rank);
        const auto type = static_cast<DType>(dtype);
        const ArchSpec spec = base(144, 300);  // more than one tile wide
        const TinyAdapter adapter = tinyAdapter(spec, {.rank = rank, .targets = {"q_proj", "v_proj", "up_proj", "down_proj"}, .dtype = type});
        const MemoryTensors tensors(adapter.tensors);
        const auto checked = checkAdapter(adapter.configText(), tensors, spec);
        const std::vector<std::int64_t> pageBytes(spec.layers.size(), 8192);
        const auto image = makeLoraImage(*checked, tensors, "d", pageBytes).value();
        QCOMPARE(image->dtype, type);
        std::size_t zeros = 0, expectedZeros = 0;
        for (std::size_t layer = 0; layer < image->layers.size(); ++layer) {
            const LoraImage::Layer& tiles = image->layers[layer];
            std::size_t pair = layer * 4;
            std::int64_t used = 0;
            for (const auto& site : tiles.modules)
                for (const LoraModule& module : site) {
                    const LoraPair& expected = checked->pairs[pair++];
                    const TensorEntry *a = tensors.find(expected.a), *b = tensors.find(expected.b);
                    const auto storedA = readTensor(tensors, *a).value(), storedB = readTensor(tensors, *b).value();
                    const auto tileValue = [&](std::int32_t first, std::int32_t width, std::int32_t j, std::int32_t c) {
                        const std::int64_t tile = first + j / 8 * loraTilesAcross(width, module.tileColumns) + c / module.tileColumns;
                        return valueAt(tiles.tiles.data() + tile * image->tileBytes(), j % 8 * module.tileColumns + c % module.tileColumns, type);
                    };
                    for (std::int32_t j = 0; j < rank; ++j) {
                        for (std::int32_t k = 0; k < module.inputs; ++k)
                            QCOMPARE(tileValue(module.firstTile, module.inputs, j, k), valueAt(storedA.data(), j * module.inputs + k, type));
                        for (std::int32_t n = 0; n < module.outputs; ++n)
                            QCOMPARE(tileValue(module.firstTileOfB(), module.outputs, j, n), valueAt(storedB.data(), n * rank + j, type));
                    }
                    used += std::int64_t{rank} * (module.inputs + module.outputs);
                }
            const auto all = static_cast<std::int64_t>(tiles.tiles.size() / bytesOf(type));
            for (std::int64_t i = 0; i < all; ++i) zeros += valueAt(tiles.tiles.data(), i, type) == 0.0f;
            expectedZeros += static_cast<std::size_t>(all - used);
        }
        QVERIFY(zeros >= expectedZeros && zeros <= expectedZeros + 40);  // a random value may be zero
    }

    void ranksOfOneSiteStandSideBySide() {
        const ArchSpec spec = base();
        const std::vector<std::int64_t> pageBytes(spec.layers.size(), 8192);
        const auto image = tinyImage(spec, pageBytes, {.rank = 11, .targets = {"q_proj", "k_proj", "v_proj", "gate_proj", "up_proj"}});
        const auto& qkv = image->layers[0].modules[static_cast<std::size_t>(LoraSite::Qkv)];
        QCOMPARE(qkv.size(), std::size_t{3});
        QCOMPARE(qkv[1].firstRank, 16);
        QCOMPARE(qkv[2].firstRank, 32);
        QCOMPARE(image->ranks, 48);
        QVERIFY(image->layers[0].modules[static_cast<std::size_t>(LoraSite::Down)].empty());
    }

    // Llama-3.1-8B, rank 16 on every projection, bf16: exactly 40 pages of 64 KiB, nothing wasted.
    void anEightBillionModelWastesNothing() {
        Json config = tinyConfig({.hidden = 4096, .layers = 1, .heads = 32, .kvHeads = 8, .neurons = 14336});
        const ArchSpec spec = archSpecFromConfig(config, "config.json").value();
        const std::int64_t pageBytes[] = {64 << 10};
        const auto image = tinyImage(spec, pageBytes, {.rank = 16, .targets = {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}, .dtype = DType::BF16});
        QCOMPARE(image->tileColumns, 512);
        QCOMPARE(image->pages, 40);
        QCOMPARE(image->bytes(), std::int64_t{40} * (64 << 10));
    }

    void tilesAreAsNarrowAsSavesPages() {
        // 896 wide, as Qwen2.5-0.5B: 512 wastes an eighth, 128 nothing.
        const ArchSpec spec = archSpecFromConfig(tinyConfig({.hidden = 896, .layers = 1, .heads = 14, .kvHeads = 2, .neurons = 4864}), "").value();
        const std::int64_t pageBytes[] = {8192};
        const auto image = tinyImage(spec, pageBytes, {.rank = 64, .targets = {"q_proj", "o_proj"}, .dtype = DType::BF16});
        QVERIFY(image->tileColumns < 512);
        QCOMPARE(image->bytes(), std::int64_t{2} * 64 * (896 + 896) * 2);
    }

    void pagesBelowATileAreAnError() {
        const ArchSpec spec = base();
        const TinyAdapter adapter = tinyAdapter(spec);
        const MemoryTensors tensors(adapter.tensors);
        const std::vector<std::int64_t> pageBytes(spec.layers.size(), 1024);
        const auto image = makeLoraImage(*checkAdapter(adapter.configText(), tensors, spec), tensors, "d", pageBytes);
        QCOMPARE(image.error().code, ErrorCode::PoolExhausted);
    }
};

ESPALIER_TEST(tst_lora_image, TestLoraImage)
#include "tst_lora_image.moc"
