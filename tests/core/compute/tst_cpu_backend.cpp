// SPDX-License-Identifier: GPL-3.0-or-later
#include <QTest>
#include <atomic>
#include <cstring>
#include <thread>
#include <vector>

#include "core/compute/cpu/cpu_backend.h"
#include "tests/support/test_main.h"

using namespace espalier;

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
