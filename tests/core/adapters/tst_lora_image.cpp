// SPDX-License-Identifier: GPL-3.0-or-later
// Tiles: every element of A and of B where core/compute/lora.h draws it, zeros elsewhere, and the fewest pages.
#include <QTest>
#include <cstring>
#include <set>

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

// The modules whose tiles are in a part.
std::vector<std::vector<LoraModule>> sitesOf(const LoraStack& modules, std::size_t part) {
    if (part == 0) return {modules.embedding};
    if (part == modules.layers.size() + 1) return {modules.lmHead};
    const LoraLayer& layer = modules.layers[part - 1];
    return {layer.begin(), layer.end()};
}

}  // namespace

class TestLoraImage : public QObject {
    Q_OBJECT

private slots:
    void everyElementIsInItsPlace_data() {
        QTest::addColumn<int>("dtype");
        QTest::addColumn<int>("rank");
        for (const DType dtype : {DType::F32, DType::BF16, DType::F16})
            for (const int rank : {1, 8, 11})
                QTest::addRow("%s, rank %d", dtypeName(dtype).data(), rank) << static_cast<int>(dtype) << rank;
    }
    void everyElementIsInItsPlace() {
        QFETCH(int, dtype);
        QFETCH(int, rank);
        const auto type = static_cast<DType>(dtype);
        const ArchSpec spec = base(144, 300);  // more than one tile wide
        const TinyAdapter adapter =
            tinyAdapter(spec, {.rank = rank,
                               .targets = {"embed_tokens", "q_proj", "v_proj", "up_proj", "down_proj", "lm_head"},
                               .dtype = type});
        const MemoryTensors tensors(adapter.tensors);
        const auto checked = checkAdapter(adapter.configText(), tensors, spec);
        const std::vector<std::int64_t> pageBytes(spec.layers.size(), 8192);
        const auto image = makeLoraImage(*checked, tensors, "d", pageBytes).value();
        QCOMPARE(image->dtype, type);
        std::size_t zeros = 0, expectedZeros = 0;
        QCOMPARE(image->parts.size(), spec.layers.size() + 2);
        std::size_t pair = 0;
        for (std::size_t part = 0; part < image->parts.size(); ++part) {
            const LoraImage::Part& tiles = image->parts[part];
            std::int64_t used = 0;
            for (const auto& site : sitesOf(image->modules, part))
                for (const LoraModule& module : site) {
                    const LoraPair& expected = checked->pairs[pair++];
                    const TensorEntry *a = tensors.find(expected.a), *b = tensors.find(expected.b);
                    const auto storedA = readTensor(tensors, *a).value(), storedB = readTensor(tensors, *b).value();
                    const auto tileValue = [&](std::int32_t first, std::int32_t width, std::int32_t j, std::int32_t c) {
                        const std::int64_t tile =
                            first + j / 8 * loraTilesAcross(width, module.tileColumns) + c / module.tileColumns;
                        return valueAt(tiles.tiles.data() + tile * image->tileBytes(),
                                       j % 8 * module.tileColumns + c % module.tileColumns, type);
                    };
                    for (std::int32_t j = 0; j < rank; ++j) {
                        for (std::int32_t k = 0; k < module.inputs; ++k)
                            QCOMPARE(tileValue(module.firstTile, module.inputs, j, k),
                                     valueAt(storedA.data(), j * module.inputs + k, type));
                        for (std::int32_t n = 0; n < module.outputs; ++n)
                            QCOMPARE(tileValue(module.firstTileOfB(), module.outputs, j, n),
                                     valueAt(storedB.data(), n * rank + j, type));
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
        const auto image =
            tinyImage(spec, pageBytes, {.rank = 11, .targets = {"q_proj", "k_proj", "v_proj", "gate_proj", "up_proj"}});
        const auto& qkv = image->modules.layers[0][static_cast<std::size_t>(LoraSite::Qkv)];
        QCOMPARE(qkv.size(), std::size_t{3});
        QCOMPARE(qkv[1].firstRank, 16);
        QCOMPARE(qkv[2].firstRank, 32);
        QCOMPARE(image->ranks, 48);
        QVERIFY(image->modules.layers[0][static_cast<std::size_t>(LoraSite::Down)].empty());
    }

    // Llama-3.1-8B, rank 16 on every projection, bf16: exactly 40 pages of 64 KiB, nothing wasted.
    void anEightBillionModelWastesNothing() {
        Json config = tinyConfig({.hidden = 4096, .layers = 1, .heads = 32, .kvHeads = 8, .neurons = 14336});
        const ArchSpec spec = archSpecFromConfig(config, "config.json").value();
        const std::int64_t pageBytes[] = {64 << 10};
        const auto image =
            tinyImage(spec, pageBytes,
                      {.rank = 16,
                       .targets = {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"},
                       .dtype = DType::BF16});
        QCOMPARE(image->tileColumns, 512);
        QCOMPARE(image->pages, 40);
        QCOMPARE(image->bytes(), std::int64_t{40} * (64 << 10));
    }

    // What the embedding and the head take besides is spread over the arrays of all layers: no page twice, and no more
    // ids than their bytes need, also where layers differ.
    void theEndsTakeWhatIsLeftInAnyArray() {
        const ArchSpec spec =
            archSpecFromConfig(tinyConfig({.vocabulary = 6000, .hidden = 96, .layers = 4, .neurons = 200}), "").value();
        for (const std::vector<std::int64_t>& pageBytes :
             {std::vector<std::int64_t>(4, 8192), std::vector<std::int64_t>{8192, 20480, 8192, 12288}}) {
            const auto image =
                tinyImage(spec, pageBytes, {.rank = 16, .targets = {"embed_tokens", "q_proj", "lm_head"}});
            std::set<std::pair<std::int32_t, std::int32_t>> taken;
            std::int64_t pages = 0;
            for (std::size_t part = 0; part < image->parts.size(); ++part) {
                const LoraImage::Part& one = image->parts[part];
                QCOMPARE(static_cast<std::int64_t>(one.tiles.size()), one.tileCount * image->tileBytes());
                QCOMPARE(static_cast<std::int32_t>(one.places.size()),
                         (one.tileCount + one.tilesPerPage - 1) / one.tilesPerPage);
                for (const LoraImage::Place place : one.places) {
                    QVERIFY(place.ordinal < image->pages && taken.emplace(place.array, place.ordinal).second);
                    if (part != 0 && part <= 4) QCOMPARE(place.array, static_cast<std::int32_t>(part) - 1);
                    QVERIFY(one.tilesPerPage * image->tileBytes() <= pageBytes[static_cast<std::size_t>(place.array)]);
                }
                pages += static_cast<std::int64_t>(one.places.size());
            }
            QCOMPARE(std::int64_t{image->pages}, (pages + 3) / 4);
            QVERIFY(image->pages > 12);  // 16 x 6000 f32 twice are 94 pages of 8 KiB
        }
        const std::vector<std::int64_t> pageBytes(4, 8192);
        QCOMPARE(tinyImage(spec, pageBytes, {.targets = {"q_proj"}})->pages, 1);
    }

    void tilesAreAsNarrowAsSavesPages() {
        // 896 wide, as Qwen2.5-0.5B: 512 wastes an eighth, 128 nothing.
        const ArchSpec spec =
            archSpecFromConfig(tinyConfig({.hidden = 896, .layers = 1, .heads = 14, .kvHeads = 2, .neurons = 4864}), "")
                .value();
        const std::int64_t pageBytes[] = {8192};
        const auto image =
            tinyImage(spec, pageBytes, {.rank = 64, .targets = {"q_proj", "o_proj"}, .dtype = DType::BF16});
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
