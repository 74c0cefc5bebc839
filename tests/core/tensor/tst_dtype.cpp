// SPDX-License-Identifier: GPL-3.0-or-later
// bf16 and f16 against fp64: every one of the 65536 patterns, and roundings around every border between two of them.
#include <QTest>
#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "core/tensor/dtype.h"
#include "tests/support/test_main.h"

using namespace espalier;

namespace {

struct Format {
    int exponentBits, mantissaBits;
    float (*widen)(std::uint16_t);
    std::uint16_t (*round)(float);

    int bias() const { return (1 << (exponentBits - 1)) - 1; }
    int exponentOf(std::uint16_t bits) const { return (bits >> mantissaBits) & ((1 << exponentBits) - 1); }
    int mantissaOf(std::uint16_t bits) const { return bits & ((1 << mantissaBits) - 1); }
    bool isSpecial(std::uint16_t bits) const { return exponentOf(bits) == (1 << exponentBits) - 1; }
    bool isNan(std::uint16_t bits) const { return isSpecial(bits) && mantissaOf(bits) != 0; }

    // The value from the definition; not for infinity and NaN.
    double value(std::uint16_t bits) const {
        const int e = exponentOf(bits);
        const double m = std::ldexp(mantissaOf(bits), -mantissaBits);
        const double size = e == 0 ? std::ldexp(m, 1 - bias()) : std::ldexp(1.0 + m, e - bias());
        return bits & 0x8000u ? -size : size;
    }
};

const Format kBf16 = {8, 7, bf16ToF32, f32ToBf16};
const Format kF16 = {5, 10, f16ToF32, f32ToF16};

}  // namespace

class TestDType : public QObject {
    Q_OBJECT
private slots:
    void namesReadBack() {
        for (const DType type : {DType::F32, DType::BF16, DType::F16, DType::I32, DType::U8})
            QCOMPARE(dtypeFromName(dtypeName(type)), std::optional(type));
        QVERIFY(!dtypeFromName("f8"));
        QCOMPARE(bytesOf(DType::BF16), std::size_t{2});
    }
    void everyPatternWidensToItsValueAndBack() {
        for (const Format& format : {kBf16, kF16})
            for (unsigned i = 0; i < 65536; ++i) {
                const auto bits = static_cast<std::uint16_t>(i);
                const float wide = format.widen(bits);
                if (format.isNan(bits)) {
                    QVERIFY(std::isnan(wide));
                    QVERIFY(format.isNan(format.round(wide)));
                    continue;
                }
                if (format.isSpecial(bits))
                    QCOMPARE(wide, bits & 0x8000u ? -INFINITY : INFINITY);
                else
                    QVERIFY(static_cast<double>(wide) == format.value(bits) && std::signbit(wide) == (i >= 0x8000u));
                QCOMPARE(format.round(wide), bits);
            }
    }
    // Between neighbours a < b: just below the middle goes to a, just above to b, the middle to the even one.
    void roundingIsToNearestEven() {
        for (const Format& format : {kBf16, kF16})
            for (unsigned i = 0; i < 0x7fffu; ++i) {
                const auto a = static_cast<std::uint16_t>(i);
                const auto b = static_cast<std::uint16_t>(i + 1);
                if (format.isSpecial(a)) break;
                const double low = format.value(a);
                const double high = format.isSpecial(b) ? std::ldexp(1.0, format.bias() + 1) : format.value(b);
                const auto middle = static_cast<float>((low + high) / 2);
                if (static_cast<double>(middle) != (low + high) / 2) continue;  // below the f32 subnormals' last step
                QCOMPARE(format.round(middle), i % 2 == 0 ? a : b);
                QCOMPARE(format.round(-middle), static_cast<std::uint16_t>((i % 2 == 0 ? a : b) | 0x8000u));
                QCOMPARE(format.round(std::nextafter(middle, 0.0f)), a);
                QCOMPARE(format.round(std::nextafter(middle, INFINITY)), b);
            }
    }
    void randomFloatsRoundToTheNearest() {
        std::mt19937 random(7);
        for (const Format& format : {kBf16, kF16}) {
            std::vector<double> values;  // ascending, index = pattern; the first infinity counts as 2^(bias + 1)
            for (unsigned i = 0; i < 0x8000u && !format.isSpecial(static_cast<std::uint16_t>(i)); ++i)
                values.push_back(format.value(static_cast<std::uint16_t>(i)));
            values.push_back(std::ldexp(1.0, format.bias() + 1));
            for (int i = 0; i < 200000; ++i) {
                const float x = std::abs(std::bit_cast<float>(static_cast<std::uint32_t>(random())));
                if (std::isnan(x)) continue;
                const std::uint16_t bits = format.round(x);
                if (x >= values.back()) {
                    QVERIFY(format.isSpecial(bits) && !format.isNan(bits));
                    continue;
                }
                const auto above = std::upper_bound(values.begin(), values.end(), static_cast<double>(x));
                const double nearest = std::min(*above - x, x - *(above - 1));
                QVERIFY(std::abs(values[bits] - x) == nearest);
            }
        }
    }
};
ESPALIER_TEST(tst_dtype, TestDType)
#include "tst_dtype.moc"
