// SPDX-License-Identifier: GPL-3.0-or-later
#include <QTest>
#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

#include "core/tensor/widen.h"
#include "tests/support/test_main.h"

using namespace espalier;

class TestWiden : public QObject {
    Q_OBJECT
private slots:
    void everyFiniteHalfIsExact() {
        std::vector<std::uint16_t> bits(65536);
        for (std::size_t i = 0; i < bits.size(); ++i) bits[i] = static_cast<std::uint16_t>(i);
        std::vector<float> f16(bits.size()), bf16(bits.size());
        widenFinite(DType::F16, std::as_bytes(std::span(bits)), f16);
        widenFinite(DType::BF16, std::as_bytes(std::span(bits)), bf16);
        for (const std::uint16_t one : bits) {
            // sign, exponent and mantissa as IEEE 754 has them
            const int sign = one & 0x8000 ? -1 : 1, exponent = one >> 10 & 31, mantissa = one & 1023;
            if (exponent < 31) {
                const double value =
                    sign * (exponent ? std::ldexp(1024 + mantissa, exponent - 25) : std::ldexp(mantissa, -24));
                QCOMPARE(std::bit_cast<std::uint32_t>(f16[one]),
                         std::bit_cast<std::uint32_t>(static_cast<float>(value)));
            }
            if ((one & 0x7f80) != 0x7f80)
                QCOMPARE(std::bit_cast<std::uint32_t>(bf16[one]), static_cast<std::uint32_t>(one) << 16);
        }
    }
    void valuesNeedNotBeAligned() {
        const std::vector<float> values = {1.5f, -2.0f, 3e-40f};
        std::vector<std::byte> stored(13);
        std::memcpy(stored.data() + 1, values.data(), 12);
        std::vector<float> out(3);
        widenFinite(DType::F32, std::span(stored).subspan(1), out);
        QCOMPARE(out, values);
        widenFinite(DType::F16, {}, {});
    }
};

ESPALIER_TEST(tst_widen, TestWiden)
#include "tst_widen.moc"
