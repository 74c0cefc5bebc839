// SPDX-License-Identifier: GPL-3.0-or-later
// Block types against the gguf package: values and roundings, bit for bit (tests/data/gguf/make_blocks.py).
#include <QTest>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "core/tensor/quantized_block.h"
#include "tests/support/test_main.h"

using namespace espalier;

namespace {

constexpr DType kBlockTypes[] = {DType::Q8_0, DType::Q4_0, DType::Q4_1, DType::Q5_0,
                                 DType::Q5_1, DType::Q4_K, DType::Q5_K, DType::Q6_K};

std::string contentOf(const std::string& name) {
    std::ifstream in(ESPALIER_TEST_DATA "/gguf/blocks/" + name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<float> floatsOf(const std::string& name) {
    const std::string bytes = contentOf(name);
    std::vector<float> values(bytes.size() / sizeof(float));
    std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
    return values;
}

const std::byte* blocksOf(const std::string& bytes) {
    return reinterpret_cast<const std::byte*>(bytes.data());
}

}  // namespace

class TestQuantizedBlock : public QObject {
    Q_OBJECT
private slots:
    void valuesAreThoseOfTheGgufPackage_data() {
        QTest::addColumn<int>("type");
        for (const DType type : kBlockTypes) QTest::newRow(dtypeName(type).data()) << static_cast<int>(type);
    }
    void valuesAreThoseOfTheGgufPackage() {
        QFETCH(int, type);
        const auto dtype = static_cast<DType>(type);
        const std::string name(dtypeName(dtype));
        const std::string blocks = contentOf(name + ".blocks");
        const std::vector<float> expected = floatsOf(name + ".f32");
        QCOMPARE(expected.size(), std::size_t{2048});
        QCOMPARE(static_cast<std::int64_t>(blocks.size()), storedBytes(dtype, 2048));
        std::vector<float> found(expected.size());
        dequantize(dtype, blocksOf(blocks), found);
        for (std::size_t i = 0; i < found.size(); ++i)
            if (std::memcmp(&found[i], &expected[i], sizeof(float)) != 0)
                QFAIL(qPrintable(QString("value %1: expected %2, found %3").arg(i).arg(expected[i]).arg(found[i])));
    }

    void roundingIsThatOfTheGgufPackage() {
        const std::vector<float> values = floatsOf("rounding.f32");
        QVERIFY(values.size() > 4000);
        for (const DType type : {DType::Q8_0, DType::Q4_0}) {
            const std::string expected = contentOf("rounding." + std::string(dtypeName(type)));
            std::string found(expected.size(), '\0');
            QCOMPARE(static_cast<std::int64_t>(found.size()),
                     storedBytes(type, static_cast<std::int64_t>(values.size())));
            quantize(type, values, reinterpret_cast<std::byte*>(found.data()));
            const auto block = static_cast<std::size_t>(blockOf(type).bytes);
            for (std::size_t i = 0; i < found.size(); ++i)
                if (found[i] != expected[i])
                    QFAIL(qPrintable(
                        QString("%1 block %2, byte %3").arg(dtypeName(type).data()).arg(i / block).arg(i % block)));
        }
    }

    // Within a step, or the coarseness of the smallest f16 scales.
    void roundedValuesAreNear() {
        const std::vector<float> values = floatsOf("rounding.f32");
        for (const DType type : {DType::Q8_0, DType::Q4_0}) {
            std::vector<std::byte> blocks(
                static_cast<std::size_t>(storedBytes(type, static_cast<std::int64_t>(values.size()))));
            quantize(type, values, blocks.data());
            std::vector<float> back(values.size());
            dequantize(type, blocks.data(), back);
            for (std::size_t block = 0; block < values.size(); block += 32) {
                float largest = 0;
                for (std::size_t i = block; i < block + 32; ++i) largest = std::max(largest, std::abs(values[i]));
                const float step = type == DType::Q8_0 ? largest / 127 : largest / 8;
                for (std::size_t i = block; i < block + 32; ++i)
                    QVERIFY(std::abs(values[i] - back[i]) <= 1.01f * step + 4e-6f);
            }
        }
    }

    void sizesNamesAndScaleFieldsBelongTogether() {
        for (const DType type : kBlockTypes) {
            QVERIFY(isBlock(type));
            QCOMPARE(bytesOf(type), std::size_t{0});
            QCOMPARE(dtypeFromName(dtypeName(type)).value(), type);
            for (const int offset : scaleOffsets(type)) QVERIFY(offset + 2 <= blockOf(type).bytes);
        }
        QVERIFY(!isBlock(DType::Bool));
        QCOMPARE(blockOf(DType::BF16).bytes, std::int64_t{2});
        QCOMPARE(storedBytes(DType::Q4_K, 512), std::int64_t{288});
    }
};
ESPALIER_TEST(tst_quantized_block, TestQuantizedBlock)
#include "tst_quantized_block.moc"
