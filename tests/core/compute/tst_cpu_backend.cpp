// SPDX-License-Identifier: GPL-3.0-or-later
#include <QTest>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <thread>
#include <vector>

#include "core/compute/cpu/cpu_backend.h"
#include "core/compute/cpu/cpu_machine.h"
#include "tests/support/test_main.h"

using namespace espalier;

namespace {

// How far `value` lies from the exact e^x, in units of the last place of a float of that size.
double unitsFrom(double exact, float value) {
    const int exponent = std::max(std::ilogb(exact), -126);
    return std::fabs(static_cast<double>(value) - exact) / std::ldexp(1.0, exponent - 23);
}
double unitsOff(float value, float x) {
    return unitsFrom(std::exp(static_cast<double>(x)), value);
}

void rowsPerIsa() {
    QTest::addColumn<int>("level");
    for (const IsaLevel level : {IsaLevel::Plain, IsaLevel::Avx2, IsaLevel::Avx512})
        if (level <= bestIsa()) QTest::newRow(isaName(level).data()) << static_cast<int>(level);
}

std::vector<float> exponentialsOf(std::vector<float> values) {
    QFETCH(int, level);
    const auto backend = makeCpuBackend({.threads = 1, .isa = static_cast<IsaLevel>(level)});
    cpuMachineOf(*backend)->kernels().exponential(values.data(), std::ssize(values));
    return values;
}

std::vector<float> powersOfTwo(std::vector<float> values) {
    QFETCH(int, level);
    const auto backend = makeCpuBackend({.threads = 1, .isa = static_cast<IsaLevel>(level)});
    cpuMachineOf(*backend)->kernels().powerOfTwo(values.data(), std::ssize(values));
    return values;
}

}  // namespace

class TestCpuBackend : public QObject {
    Q_OBJECT
private slots:
    void memory_isZeroedAndAligned() {
        const auto backend = makeCpuBackend({.threads = 1});
        for (const std::int64_t bytes : {1, 4096, 4097, 9 << 20}) {
            const Buffer buffer = backend->allocate(bytes).value();
            QCOMPARE(reinterpret_cast<std::uintptr_t>(buffer.data()) % 4096, std::uintptr_t{0});
            QCOMPARE(buffer.bytes(), bytes);
            for (std::int64_t i = 0; i < bytes; i += 997) QCOMPARE(buffer.data()[i], std::byte{0});
            buffer.data()[bytes - 1] = std::byte{1};
        }
    }
    void memoryLimit_refusesAndRecovers() {
        const auto backend = makeCpuBackend({.threads = 1, .memoryLimit = 64 << 10});
        QCOMPARE(backend->device().memoryBytes, std::int64_t{64 << 10});
        Buffer first = backend->allocate(40 << 10).value();
        const auto second = backend->allocate(40 << 10);
        QCOMPARE(second.error().code, ErrorCode::PoolExhausted);
        QVERIFY(second.error().message.find("40960") != std::string::npos);
        QVERIFY(backend->allocate(24 << 10));
        first = Buffer();
        QVERIFY(backend->allocate(64 << 10));
        QVERIFY(!backend->allocate(std::int64_t{1} << 62));
        QCOMPARE(backend->device().freeBytes, std::int64_t{64 << 10});
    }
    void movedBuffers_areReleasedOnce() {
        const auto backend = makeCpuBackend({.threads = 1, .memoryLimit = 8 << 10});
        Buffer a = backend->allocate(4096).value();
        Buffer b = std::move(a);
        std::vector<Buffer> many;
        many.push_back(std::move(b));
        many.clear();
        QCOMPARE(backend->device().freeBytes, std::int64_t{8 << 10});
    }
    void packWeight_saysWhenMemoryIsShort() {
        const auto backend = makeCpuBackend({.threads = 1, .memoryLimit = 4096});
        const std::vector<float> values(100 * 100);
        const auto weight = backend->packWeight(
            ConstTensorView(reinterpret_cast<const std::byte*>(values.data()), DType::F32, {100, 100}));
        QCOMPARE(weight.error().code, ErrorCode::PoolExhausted);
    }
    void allocateAndRelease_fromManyThreads() {
        const auto backend = makeCpuBackend({.threads = 1, .memoryLimit = 1 << 20});
        std::vector<std::thread> threads;
        std::atomic<int> given{0};
        for (int t = 0; t < 4; ++t)
            threads.emplace_back([&] {
                for (int i = 0; i < 300; ++i) {
                    auto buffer = backend->allocate(100 << 10);
                    if (buffer) std::memset(buffer->data(), i, 100 << 10);
                    given += buffer ? 1 : 0;
                }
            });
        for (std::thread& thread : threads) thread.join();
        QVERIFY(given > 0);
        QCOMPARE(backend->device().freeBytes, std::int64_t{1 << 20});
    }
    void exponential_isWithinTwoUnits_overItsWholeRange_data() { rowsPerIsa(); }
    // Every 499th float whose power is neither zero nor infinite, of both signs, and both ends themselves.
    void exponential_isWithinTwoUnits_overItsWholeRange() {
        constexpr float kLargest = 88.7228317f;
        std::vector<float> x = {-103.972076f, -87.3365479f, -87.3365402f, -0.0f, 0.0f, kLargest};
        for (const float end : {-103.972076f, kLargest}) {
            const auto sign = std::bit_cast<std::uint32_t>(end) & 0x80000000u;
            const auto last = std::bit_cast<std::uint32_t>(end) & 0x7fffffffu;
            for (std::uint32_t bits = 0; bits <= last; bits += 499) x.push_back(std::bit_cast<float>(bits | sign));
        }
        QVERIFY(x.size() > 4'000'000);
        const std::vector<float> power = exponentialsOf(x);
        double worst = 0.0;
        std::size_t where = 0;
        for (std::size_t i = 0; i < x.size(); ++i) {
            const double off = unitsOff(power[i], x[i]);
            if (!(off > worst) && !std::isnan(off)) continue;
            worst = off;
            where = i;
        }
        QVERIFY2(
            worst <= 2.0,
            qPrintable(
                QString("e^%1 is %2, %3 units off").arg(x[where], 0, 'g', 9).arg(power[where], 0, 'g', 9).arg(worst)));
    }
    void exponential_ofTheExtremes_data() { rowsPerIsa(); }
    void exponential_ofTheExtremes() {
        constexpr float kInfinity = std::numeric_limits<float>::infinity();
        const std::vector<float> power =
            exponentialsOf({-kInfinity, -1e30f, -104.1f, 0.0f, 88.73f, 1e30f, kInfinity, std::nanf("")});
        for (std::size_t i = 0; i < 3; ++i) QCOMPARE(power[i], 0.0f);
        QCOMPARE(power[3], 1.0f);
        for (std::size_t i = 4; i < 7; ++i) QCOMPARE(power[i], kInfinity);
        QVERIFY(std::isnan(power[7]));
    }
    void powerOfTwo_isWithinOneAndAHalfUnits_ofEverythingNotPositive_data() { rowsPerIsa(); }
    // Every 499th float from -149, below which the power is zero.
    void powerOfTwo_isWithinOneAndAHalfUnits_ofEverythingNotPositive() {
        std::vector<float> x = {-0.0f, 0.0f, -126.0f, -149.0f};
        for (std::uint32_t bits = 0; bits <= std::bit_cast<std::uint32_t>(149.0f); bits += 499)
            x.push_back(std::bit_cast<float>(bits | 0x80000000u));
        QVERIFY(x.size() > 2'000'000);
        const std::vector<float> power = powersOfTwo(x);
        double worst = 0.0;
        std::size_t where = 0;
        for (std::size_t i = 0; i < x.size(); ++i) {
            const double off = unitsFrom(std::exp2(static_cast<double>(x[i])), power[i]);
            if (!(off > worst) && !std::isnan(off)) continue;
            worst = off;
            where = i;
        }
        QVERIFY2(
            worst <= 1.5,
            qPrintable(
                QString("2^%1 is %2, %3 units off").arg(x[where], 0, 'g', 9).arg(power[where], 0, 'g', 9).arg(worst)));
    }
    void powerOfTwo_ofTheExtremes_data() { rowsPerIsa(); }
    void powerOfTwo_ofTheExtremes() {
        constexpr float kInfinity = std::numeric_limits<float>::infinity();
        const std::vector<float> power = powersOfTwo({-kInfinity, -1e30f, -151.0f, 0.0f, -1.0f, std::nanf("")});
        for (std::size_t i = 0; i < 3; ++i) QCOMPARE(power[i], 0.0f);
        QCOMPARE(power[3], 1.0f);  // the weight of a lone key
        QCOMPARE(power[4], 0.5f);
        QVERIFY(std::isnan(power[5]));
    }
    void unitsOff_seesAWrongLastPlace() {
        QVERIFY(unitsOff(std::nextafter(std::exp(1.0f), 9.0f), 1.0f) > 0.5);
        QVERIFY(unitsOff(0.0f, -102.0f) > 2.0);  // 3.6 units of the smallest subnormal
    }
    void device_namesItself() {
        for (const IsaLevel level : {IsaLevel::Plain, IsaLevel::Avx2, IsaLevel::Avx512}) {
            if (level > bestIsa()) continue;
            const DeviceDesc device = makeCpuBackend({.threads = 2, .isa = level})->device();
            QCOMPARE(device.isa, std::string(isaName(level)));
            QCOMPARE(device.threads, 2);
            QVERIFY(device.name.find(isaName(level)) != std::string::npos);
        }
    }
};
ESPALIER_TEST(tst_cpu_backend, TestCpuBackend)
#include "tst_cpu_backend.moc"
