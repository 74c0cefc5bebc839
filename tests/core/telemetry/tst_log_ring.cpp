// SPDX-License-Identifier: GPL-3.0-or-later
#include <QTest>
#include <thread>

#include "core/telemetry/log_ring.h"
#include "tests/support/test_main.h"

using namespace espalier;

class TestLogRing : public QObject {
    Q_OBJECT
private slots:
    void theNewestLinesAreKeptInOrder() {
        ManualClock clock;
        LogRing ring(clock, LogLevel::Silent, 3);
        for (int i = 1; i <= 5; ++i) {
            clock.advance(std::chrono::milliseconds(10));
            ring.append(LogLevel::Info, "serve", "line " + std::to_string(i));
        }
        const auto lines = ring.newest(10);
        QCOMPARE(lines.size(), std::size_t{3});
        QCOMPARE(lines[0].text, std::string("line 3"));
        QCOMPARE(lines[2].text, std::string("line 5"));
        QCOMPARE(lines[2].at, std::int64_t{50});
        QCOMPARE(lines[2].level, std::string("info"));
        QCOMPARE(ring.newest(1)[0].text, std::string("line 5"));
        QVERIFY(ring.newest(0).empty());
    }
    void aLineStaysALine() {
        ManualClock clock;
        LogRing ring(clock, LogLevel::Silent);
        QCOMPARE(ring.append(LogLevel::Warning, "api", "a\nb\x1b[31mc\r").text, std::string("a b [31mc "));
        QCOMPARE(ring.append(LogLevel::Error, "api", "{} %s {0}").text, std::string("{} %s {0}"));
        const std::string longText = std::string(4095, 'x') + "\xC3\xA9" + "y";
        QCOMPARE(ring.append(LogLevel::Info, "api", longText).text, std::string(4095, 'x'));  // no half character
    }
    void levelsReadBack() {
        for (const LogLevel level :
             {LogLevel::Debug, LogLevel::Info, LogLevel::Warning, LogLevel::Error, LogLevel::Silent})
            QCOMPARE(logLevelFromName(logLevelName(level)), level);
        QCOMPARE(logLevelFromName("loud"), LogLevel::Info);
    }
    void manyThreadsLoseNoLine() {
        SystemClock clock;
        LogRing ring(clock, LogLevel::Silent, 10000);
        std::vector<std::thread> threads;
        for (int t = 0; t < 4; ++t)
            threads.emplace_back([&] {
                for (int i = 0; i < 500; ++i) ring.append(LogLevel::Info, "test", "x");
            });
        for (std::thread& thread : threads) thread.join();
        QCOMPARE(ring.newest(10000).size(), std::size_t{2000});
    }
};
ESPALIER_TEST(tst_log_ring, TestLogRing)
#include "tst_log_ring.moc"
