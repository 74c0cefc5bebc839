// SPDX-License-Identifier: GPL-3.0-or-later
// Memory that is not there, allocation by allocation, on the two lanes that bring adapters: reading one into host
// memory fails those who wait for it and nobody else, and copying one into the pool asks for no memory at all.
#include <QTemporaryDir>
#include <QTest>

#include "tests/core/serving/adapter_world.h"
#include "tests/support/allocations.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

class TestAdapterMemory : public QObject {
    Q_OBJECT

    QTemporaryDir m_temporary;

    // One job of the lane. The `left`-th allocation fails, counted over all its jobs; 0: none.
    static bool runOne(HeldLane& lane, std::int64_t& left) {
        failAllocation(left);
        const bool ran = lane.runOne();
        left = failAllocation(0);
        return ran;
    }

private slots:
    void eachAllocationThatFails_failsItsUsersAlone_data() {
        QTest::addColumn<bool>("isReading");
        QTest::newRow("reading") << true;
        QTest::newRow("copying") << false;
    }
    void eachAllocationThatFails_failsItsUsersAlone() {
        QFETCH(bool, isReading);
        constexpr std::uint64_t kRequests = 8;
        World world(Path(m_temporary.path().toStdString()) / "model");
        const std::vector<Received> expected = world.alone(kRequests);
        const std::int32_t pages = world.pagesOf(4) + 24;
        int faults = 0, failed = 0;
        for (std::int64_t n = 1; n < 5000; ++n) {
            Held held(world, pages, world.bytesOf(4) + world.bytesOf(2));
            std::vector<Received> answers(kRequests);
            for (std::uint64_t i = 0; i < kRequests; ++i) held.submit(world.request(i), answers[i]);
            const std::int64_t before = failedAllocations();
            std::int64_t left = n, none = 0;
            for (bool moves = true; moves;) {
                moves = held.step();
                moves = runOne(held.reader, isReading ? left : none) || moves;
                moves = runOne(held.copier, isReading ? none : left) || moves;
                const auto whole = held.loop->checkIntegrity();
                QVERIFY2(whole, whole ? "" : whole.error().message.c_str());
            }
            QVERIFY2(held.loop->idle(), std::to_string(n).c_str());
            const bool came = failedAllocations() > before;
            faults += came;
            for (std::uint64_t i = 0; i < kRequests; ++i) {
                QCOMPARE(answers[i].lastChunks, 1);
                if (*answers[i].finish != FinishReason::Failed) {
                    QVERIFY2(sameBits(answers[i], expected[i]), qPrintable(QString("%1 %2").arg(n).arg(i)));
                    continue;
                }
                ++failed;
                const Request asked = world.request(i);
                QVERIFY(came && asked.adapter);
                const Error& error = *answers[i].error;
                QCOMPARE(error.code, ErrorCode::PoolExhausted);
                QVERIFY2(error.message.find(asked.adapter->name) != std::string::npos &&
                             error.message.find("out of memory") != std::string::npos,
                         error.message.c_str());
            }
            const ServingStats stats = held.loop->stats();
            for (const PageOwner owner : {PageOwner::Kv, PageOwner::Adapter, PageOwner::Staging})
                QCOMPARE(stats.pages.of(owner), 0);
            for (std::uint64_t i = 0; came && i < kRequests;
                 ++i) {  // and the same adapter comes when it is asked again
                if (*answers[i].finish != FinishReason::Failed) continue;
                Received again;
                held.submit(world.request(i), again);
                held.settle();
                QVERIFY(sameBits(again, expected[i]));
            }
            if (!came) break;
        }
        qInfo("%d allocations failed, %d requests by them", faults, failed);
        if (isReading)
            QVERIFY(faults >= 20 && failed >= faults);
        else
            QCOMPARE(faults, 0);
    }
};

ESPALIER_TEST(tst_adapter_memory, TestAdapterMemory)
#include "tst_adapter_memory.moc"
