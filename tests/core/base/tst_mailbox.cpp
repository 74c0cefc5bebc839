// SPDX-License-Identifier: GPL-3.0-or-later
#include <QTest>
#include <thread>

#include "core/base/mailbox.h"
#include "tests/support/test_main.h"

using namespace espalier;

class TestMailbox : public QObject {
    Q_OBJECT
private slots:
    void fullMeansBusyAndKeepsWhatIsThere() {
        Mailbox<int> box(2);
        QVERIFY(box.send(1));
        QVERIFY(box.send(2));
        QCOMPARE(box.send(3).error().code, ErrorCode::Busy);
        QCOMPARE(box.drain(), (std::vector<int>{1, 2}));
        QVERIFY(box.send(4));
    }
    void closedRefusesButStillGivesWhatCame() {
        Mailbox<int> box(4);
        QVERIFY(box.send(1));
        box.close();
        QCOMPARE(box.send(2).error().code, ErrorCode::Draining);
        QCOMPARE(box.waitAndDrain(std::chrono::hours(1)), std::vector<int>{1});
        QVERIFY(box.waitAndDrain(std::chrono::hours(1)).empty());  // comes back at once
    }
    void whoIsWokenComesBackWithNothing() {
        Mailbox<int> box(1);
        box.wake();
        QVERIFY(box.waitAndDrain(std::chrono::hours(1)).empty());
        QVERIFY(box.send(1));
        box.wake();  // full or not
        QCOMPARE(box.waitAndDrain(std::chrono::hours(1)), std::vector<int>{1});
        std::thread waker([&box] { box.wake(); });
        QVERIFY(box.waitAndDrain(std::chrono::hours(1)).empty());
        waker.join();
    }
    void everyMessageArrivesOnceAndInItsSendersOrder() {
        constexpr int kSenders = 4;
        constexpr int kEach = 2000;
        Mailbox<std::pair<int, int>> box(64);
        std::vector<std::thread> senders;
        for (int sender = 0; sender < kSenders; ++sender)
            senders.emplace_back([&box, sender] {
                for (int i = 0; i < kEach;)
                    if (box.send({sender, i}))
                        ++i;
                    else
                        std::this_thread::yield();
            });
        std::vector<int> next(kSenders, 0);
        for (int received = 0; received < kSenders * kEach;)
            for (const auto& [sender, i] : box.waitAndDrain(std::chrono::seconds(10))) {
                QCOMPARE(i, next[static_cast<std::size_t>(sender)]++);
                ++received;
            }
        for (auto& sender : senders) sender.join();
    }
};
ESPALIER_TEST(tst_mailbox, TestMailbox)
#include "tst_mailbox.moc"
