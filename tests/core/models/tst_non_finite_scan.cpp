// SPDX-License-Identifier: GPL-3.0-or-later
#include <QTest>
#include <cstring>
#include <random>

#include "core/models/non_finite_scan.h"
#include "core/tensor/quantized_block.h"
#include "tests/support/test_main.h"

using namespace espalier;

namespace {

template <class Bits>
std::vector<std::byte> bytesOfBits(const std::vector<Bits>& values) {
    std::vector<std::byte> bytes(values.size() * sizeof(Bits));
    std::memcpy(bytes.data(), values.data(), bytes.size());
    return bytes;
}

void expectCounts(DType dtype, const std::vector<std::byte>& bytes, std::int64_t nan, std::int64_t infinite) {
    NonFiniteScan scan(dtype);
    scan.add(bytes);
    QCOMPARE(scan.nan(), nan);
    QCOMPARE(scan.infinite(), infinite);
}

}  // namespace

class TestNonFiniteScan : public QObject {
    Q_OBJECT
private slots:
    void bothInfinitiesAndEveryNanAreFoundAndLargeFiniteValuesAreNot() {
        expectCounts(DType::F32,
                     bytesOfBits<std::uint32_t>(
                         {0x7f800000u, 0xff800000u, 0x7f7fffffu, 0xff7fffffu, 0x00000001u, 0xffffffffu, 0x7f800001u}),
                     2, 2);
        expectCounts(DType::F16, bytesOfBits<std::uint16_t>({0x7c00, 0xfc00, 0x7bff, 0xfbff, 0x7c01, 0xfe00, 0x8000}),
                     2, 2);
        expectCounts(DType::BF16, bytesOfBits<std::uint16_t>({0x7f80, 0xff80, 0x7f7f, 0xff7f, 0x7f81, 0xffff, 0x7c00}),
                     2, 2);
        expectCounts(DType::F64,
                     bytesOfBits<std::uint64_t>({0x7ff0000000000000u, 0xfff0000000000001u, 0x7fefffffffffffffu}), 1, 1);
        expectCounts(DType::I16, bytesOfBits<std::uint16_t>({0x7c00, 0x7f80, 0xffff}), 0, 0);
        expectCounts(DType::F32, {}, 0, 0);
    }
    void oneInAMillionIsFoundWhereverItIs() {
        std::vector<std::uint16_t> values(100'000, 0x3f80);
        for (const std::size_t at : {std::size_t{0}, std::size_t{2047}, std::size_t{2048}, values.size() - 1}) {
            auto bad = values;
            bad[at] = 0xffc0;
            expectCounts(DType::BF16, bytesOfBits(bad), 1, 0);
        }
    }
    // However the bytes are cut, also inside an element, the counts are those of the whole.
    void cutsChangeNothing() {
        std::mt19937 random(7);
        for (const DType dtype :
             {DType::F32, DType::F16, DType::BF16, DType::F64, DType::Q8_0, DType::Q5_1, DType::Q6_K}) {
            const auto each = static_cast<std::size_t>(blockOf(dtype).bytes);
            std::vector<std::byte> bytes(each * 300);
            for (std::byte& byte : bytes) byte = static_cast<std::byte>(random() % 4 == 0 ? 0xff : random());
            NonFiniteScan whole(dtype), cut(dtype);
            whole.add(bytes);
            QVERIFY(whole.nan() > 0);
            for (std::size_t at = 0; at < bytes.size();) {
                const std::size_t next = std::min<std::size_t>(random() % (2 * each + 1), bytes.size() - at);
                cut.add(std::span(bytes).subspan(at, next));
                at += next;
            }
            QCOMPARE(cut.nan(), whole.nan());
            QCOMPARE(cut.infinite(), whole.infinite());
        }
    }
    void aBlockWithABrokenScaleIsCountedWhole() {
        std::vector<std::byte> block(3 * 144);  // Q4_K: d, m
        const std::uint16_t nan = 0x7e00, infinite = 0xfc00;
        std::memcpy(&block[144], &nan, 2);
        std::memcpy(&block[288 + 2], &infinite, 2);
        expectCounts(DType::Q4_K, block, 256, 256);
    }
};

ESPALIER_TEST(tst_non_finite_scan, TestNonFiniteScan)
#include "tst_non_finite_scan.moc"
