// SPDX-License-Identifier: GPL-3.0-or-later
#include <QTest>

#include "core/serving/stop_matcher.h"
#include "tests/support/fake_transformer.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

namespace {

// What is visible after `full` arrived, from the definition: up to the stop that is complete first; without one, all
// but the longest end that begins a stop.
std::string visible(const std::string& full, const std::vector<std::string>& stops, bool& stopped) {
    for (std::size_t end = 1; end <= full.size(); ++end) {
        std::size_t longest = 0;
        for (const std::string& stop : stops)
            if (end >= stop.size() && full.compare(end - stop.size(), stop.size(), stop) == 0)
                longest = std::max(longest, stop.size());
        if (longest > 0) {
            stopped = true;
            return full.substr(0, end - longest);
        }
    }
    std::size_t held = 0;
    for (const std::string& stop : stops)
        for (std::size_t n = 1; n < stop.size() && n <= full.size(); ++n)
            if (full.compare(full.size() - n, n, stop, 0, n) == 0) held = std::max(held, n);
    return full.substr(0, full.size() - held);
}

}  // namespace

class TestStopMatcher : public QObject {
    Q_OBJECT
private slots:
    void aStopAcrossPiecesIsFoundAndDropped() {
        StopMatcher matcher({"\nUser:"});
        std::string text;
        QVERIFY(!matcher.push("Hello", text));
        QVERIFY(!matcher.push("\nUs", text));
        QCOMPARE(text, std::string("Hello"));
        QVERIFY(matcher.push("er: more", text));
        QCOMPARE(text, std::string("Hello"));
        QVERIFY(matcher.push("later", text));
        matcher.flush(text);
        QCOMPARE(text, std::string("Hello"));
    }
    void whatWasNoStopAfterAllIsShown() {
        StopMatcher matcher({"abab!"});
        std::string text;
        QVERIFY(!matcher.push("xabab", text));
        QCOMPARE(text, std::string("x"));
        QVERIFY(!matcher.push("ab", text));
        QCOMPARE(text, std::string("xab"));  // "abab" may still begin the stop
        matcher.flush(text);
        QCOMPARE(text, std::string("xababab"));
    }
    void randomTexts_equalTheDefinitionAfterEveryPiece() {
        int stoppedRuns = 0;
        for (std::uint64_t seed = 1; seed <= 3000; ++seed) {
            TestRandom random(seed);
            const auto word = [&](std::int32_t longest) {
                std::string text(static_cast<std::size_t>(1 + random.below(longest)), 'a');
                for (char& c : text) c = static_cast<char>('a' + random.below(2));
                return text;
            };
            std::vector<std::string> stops;
            for (int i = random.below(4); i >= 0; --i) stops.push_back(word(7));
            StopMatcher matcher(stops);
            std::string full, shown;
            bool stopped = false;
            for (int piece = 0; piece < 8 && !stopped; ++piece) {
                const std::string next = word(4);
                full += next;
                const std::string expected = visible(full, stops, stopped);
                QVERIFY2(matcher.push(next, shown) == stopped && shown == expected,
                         qPrintable(QString("seed %1").arg(seed)));
            }
            stoppedRuns += stopped;
            matcher.flush(shown);
            if (!stopped) QCOMPARE(shown, full);
        }
        QVERIFY(stoppedRuns > 500 && stoppedRuns < 2990);
    }
};
ESPALIER_TEST(tst_stop_matcher, TestStopMatcher)
#include "tst_stop_matcher.moc"
