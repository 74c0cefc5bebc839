// SPDX-License-Identifier: GPL-3.0-or-later
// kill -9 of the real daemon while it serves adapters and brings another in: the next one opens a whole workspace,
// serves what was there with the same bits, and nothing of the unfinished is left.
#include <algorithm>
#include <chrono>
#include <thread>

#include "tests/core/cli/cli_bench.h"
#include "tests/support/adapter_data.h"
#include "tests/support/json_compare.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

namespace {

// A base whose adapters can be large enough for an import to take a while.
const TinyModelOptions kModel{.hidden = 192, .neurons = 512};
const std::vector<std::string> kAll = {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"};
constexpr int kServed = 4;

QStringList entriesOf(const QString& folder) {
    return QDir(folder).entryList(QDir::AllEntries | QDir::Hidden | QDir::NoDotAndDotDot, QDir::Name);
}

class Case {
public:
    Case() : m_bench(kModel) {
        m_bench.import();
        m_bench.write("prompt.json", "[5, 6, 7]");
        const ArchSpec spec = archSpecFromConfig(tinyConfig(kModel), "config.json").value();
        for (int i = 0; i < kServed; ++i) {
            tinyAdapter(spec, {.rank = 4 + i, .seed = 10u + static_cast<unsigned>(i)}).write(folder(nameOf(i)));
            m_bench.json({"adapter", "import", pathOf(nameOf(i)), "-m", "tiny"});
        }
        tinyAdapter(spec, {.rank = 256, .targets = kAll, .seed = 99}).write(folder("large"));
    }
    static std::string nameOf(int i) { return "a" + std::to_string(i); }
    const Bench& bench() const { return m_bench; }
    QString pathOf(const std::string& name) const { return m_bench.path(QString::fromStdString("lora/" + name)); }
    QString adapters() const { return m_bench.workspace() + "/adapters"; }
    QStringList call(const std::string& name, int tokens = 24) const {
        return {"generate",
                "-m",
                QString::fromStdString("tiny:" + name),
                "--prompt-ids",
                m_bench.path("prompt.json"),
                "--max-tokens",
                QString::number(tokens),
                "--ignore-eos",
                "--json"};
    }
    Json idsOf(const std::string& name) const { return m_bench.run(call(name)).json()["ids"]; }

private:
    std::string folder(const std::string& name) const { return pathOf(name).toStdString(); }
    Bench m_bench;
};

}  // namespace

class TestCrash : public QObject {
    Q_OBJECT
private slots:
    void killedWhileServingAndImporting_nothingIsLostOrLeftOver() {
        const Case crash;
        const Bench& bench = crash.bench();
        const Json imported = bench.json({"adapter", "import", crash.pathOf("large"), "-m", "tiny"});
        QVERIFY2(imported.contains("id"), imported.dump().c_str());
        const Json large = crash.idsOf("large");
        QCOMPARE(bench.run({"adapter", "remove", "tiny:large"}).exitCode, 0);
        const Json before = bench.json({"adapter", "list"});
        std::vector<Json> expected;
        for (int i = 0; i < kServed; ++i) expected.push_back(crash.idsOf(Case::nameOf(i)));
        const QStringList folders = entriesOf(crash.adapters());
        QCOMPARE(folders.size(), kServed);

        int unfinished = 0, finished = 0;
        constexpr int kRounds = 5;
        for (int round = 0; round < kRounds; ++round) {
            {
                Serving serving(bench, {"--model", "tiny", "--pool-mb", "8"});
                std::vector<std::unique_ptr<QProcess>> streams;
                for (int i = 0; i < kServed; ++i) streams.push_back(bench.start(crash.call(Case::nameOf(i), 400)));
                const auto importing =
                    bench.start({"adapter", "import", crash.pathOf("large"), "-m", "tiny", "--json"});
                // As soon as something of it lies there; a little later from round to round.
                const auto hasBegun = [&] { return entriesOf(crash.adapters()) != folders; };
                for (int i = 0; i < 60000 && !hasBegun(); ++i)
                    std::this_thread::sleep_for(std::chrono::milliseconds(1));
                QVERIFY(hasBegun());
                std::this_thread::sleep_for(std::chrono::milliseconds(round));
                serving.signal(SIGKILL);
                QVERIFY(serving.process().waitForFinished(kPatienceMs));
                for (const auto& stream : streams) {  // whole, or an error; never a hang
                    const Outcome outcome = Bench::end(*stream);
                    QVERIFY(outcome.exitCode == 0 || outcome.exitCode == 1);
                }
                Bench::end(*importing);
            }
            QVERIFY(QFile::exists(bench.workspace() + "/daemon.json"));
            Serving again(bench, {"--model", "tiny", "--pool-mb", "8"});
            QVERIFY2(again.facts().contains("url"), again.facts().dump().c_str());
            Json after = bench.json({"adapter", "list"});
            QStringList known;
            for (const Json& adapter : after) known << QString::fromStdString(adapter["id"].get<std::string>());
            known.sort();
            QCOMPARE(entriesOf(crash.adapters()), known);  // no folder of the unfinished, none without a row
            for (int i = 0; i < kServed; ++i)
                COMPARE_JSON(crash.idsOf(Case::nameOf(i)), expected[static_cast<std::size_t>(i)]);
            if (after.size() > before.size()) {
                ++finished;
                COMPARE_JSON(crash.idsOf("large"), large);
                QCOMPARE(bench.run({"adapter", "remove", "tiny:large"}).exitCode, 0);
                after = bench.json({"adapter", "list"});
            } else {
                ++unfinished;
            }
            COMPARE_JSON(after, before);
            QCOMPARE(entriesOf(crash.adapters()), folders);
            again.signal(SIGTERM);
            QCOMPARE(Bench::end(again.process()).exitCode, 0);
            QVERIFY(!QFile::exists(bench.workspace() + "/daemon.json"));
        }
        qInfo("killed %d times: the import had ended in %d, was undone in %d", kRounds, finished, unfinished);
        COMPARE_JSON(bench.json({"adapter", "import", crash.pathOf("large"), "-m", "tiny"})["digest"],
                     imported["digest"]);
        COMPARE_JSON(crash.idsOf("large"), large);
    }

    // Reloads and removals under the same roof: whatever version or absence the next start finds is whole.
    void killedWhileReloading_oneVersionIsServed() {
        const Case crash;
        const Bench& bench = crash.bench();
        const ArchSpec spec = archSpecFromConfig(tinyConfig(kModel), "config.json").value();
        std::vector<Json> answers{crash.idsOf("a0")};
        tinyAdapter(spec, {.rank = 128, .targets = kAll, .seed = 31}).write(crash.pathOf("next").toStdString());
        const QStringList reload{"adapter", "reload", "tiny:a0", "--path", crash.pathOf("next"), "--json"};
        const QStringList folders = entriesOf(crash.adapters());
        for (int round = 0; round < 3; ++round) {
            {
                Serving serving(bench, {"--model", "tiny"});
                auto stream = bench.start(crash.call("a0", 400));
                auto reloading = bench.start(reload);
                const auto hasBegun = [&] { return entriesOf(crash.adapters()) != folders; };
                for (int i = 0; i < 60000 && !hasBegun() && reloading->state() != QProcess::NotRunning; ++i) {
                    std::this_thread::sleep_for(std::chrono::milliseconds(1));
                    reloading->waitForFinished(0);
                }
                serving.signal(SIGKILL);
                QVERIFY(serving.process().waitForFinished(kPatienceMs));
                Bench::end(*stream);
                Bench::end(*reloading);
            }
            Serving again(bench, {"--model", "tiny"});
            const Json list = bench.json({"adapter", "list"});
            QCOMPARE(list.size(), std::size_t{kServed});
            QStringList known;
            for (const Json& adapter : list) known << QString::fromStdString(adapter["id"].get<std::string>());
            known.sort();
            QCOMPARE(entriesOf(crash.adapters()), known);
            const Json now = crash.idsOf("a0");
            if (bench.json({"adapter", "show", "tiny:a0"})["version"] == 1)
                COMPARE_JSON(now, answers[0]);
            else
                answers.push_back(now);
            again.signal(SIGTERM);
            QCOMPARE(Bench::end(again.process()).exitCode, 0);
            if (answers.size() > 1) break;
        }
        const Outcome last = bench.run(reload);
        QVERIFY2(last.exitCode == 0, last.err.constData());
        const Json next = crash.idsOf("a0");
        QVERIFY(next != answers[0]);
        if (answers.size() > 1) COMPARE_JSON(next, answers[1]);
        QCOMPARE(entriesOf(crash.adapters()).size(), kServed);
    }
};
ESPALIER_TEST(tst_crash, TestCrash)
#include "tst_crash.moc"
