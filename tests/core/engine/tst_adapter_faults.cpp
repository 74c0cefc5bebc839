// SPDX-License-Identifier: GPL-3.0-or-later
// Faults one by one around adapters: each read that fails while they are served, and the process killed at each single
// point where importing, reloading or removing one, or deleting its base, touches the disk. Others go on with the bits
// of before, no page stays taken, and the next start finds a whole workspace with nothing left over.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>

#include "tests/core/engine/adapter_fixture.h"
#include "tests/support/fault_injection.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

namespace {

// Pages of the model's pool that somebody holds: of answers, of adapters in use and on their way.
std::int64_t heldPages(const Engine& engine) {
    const auto snapshot = engine.snapshot();
    if (snapshot->models.empty()) return -1;
    const auto& model = snapshot->models[0];
    return model.poolPagesUsed + model.poolPagesAdapters + model.poolPagesStaging;
}

struct Change {
    const char* name;
    void (*run)(Engine& engine, const Path& root);
    int leastKills;
    bool whileServing = true;
};
const Change kChanges[] = {
    {"import",
     [](Engine& engine, const Path& root) {
         (void)engine.importAdapter({.path = (root / "new").string(), .base = "tiny"});
     },
     8},
    {"reload",
     [](Engine& engine, const Path& root) { (void)engine.reloadAdapter("tiny:math", (root / "new").string()); }, 8},
    {"remove", [](Engine& engine, const Path&) { (void)engine.removeAdapter("tiny:math"); }, 2},
    {"delete the base",
     [](Engine& engine, const Path&) {
         (void)engine.removeModel("tiny");
         (void)engine.emptyBin();
     },
     4, false},  // a base in use cannot be deleted
};

}  // namespace

class TestAdapterFaults : public QObject {
    Q_OBJECT

private slots:
    // A start, every adapter wanted twice at once beside the base, and the n-th read of a file fails: whoever waited
    // for that adapter is told so, everybody else gets the answer of before, and so does who asks again.
    void eachReadThatFails_failsItsUsersAlone() {
        AdapterFixture fixture;
        VERIFY_OK(fixture.start());
        const std::vector<std::string> names = {"tiny:a", "tiny:b", "tiny:c", "tiny"};
        std::vector<std::vector<TokenId>> expected;
        for (const std::string& name : names) {
            if (name != "tiny")
                VERIFY_OK(fixture.import(name.substr(5), {.rank = 3 + static_cast<std::int32_t>(expected.size()),
                                                          .targets = {"q_proj", "down_proj"},
                                                          .seed = 70 + expected.size()}));
            expected.push_back(fixture.generate(name));
        }
        fixture.engine.reset();
        int faults = 0, failed = 0;
        for (int n = 1;; ++n) {
            QVERIFY(n < 1000);
            FaultInjection faulty(*fixture.files);
            EngineOptions options = fixture.options();
            options.hostCacheBytes = 1;  // each leaves host memory for the next
            fixture.engine = fixture.open(options, faulty).value();
            QCOMPARE(fixture.generate("tiny"), expected.back());  // the base is there before anything fails
            faulty.failReading(n, ErrorCode::IoError);
            std::vector<std::unique_ptr<Collector>> collectors;
            for (std::size_t i = 0; i < 2 * names.size(); ++i)
                VERIFY_OK(fixture.engine->submit(
                    names[i % names.size()],
                    requestFor({5, 80, 81, 7}, 24, *collectors.emplace_back(std::make_unique<Collector>()))));
            std::set<std::string> whose;
            for (std::size_t i = 0; i < collectors.size(); ++i) {
                const auto chunks = collectors[i]->wait();
                QCOMPARE(collectors[i]->finishCount(), std::size_t{1});
                if (*chunks.back().finish != FinishReason::Failed) {
                    QCOMPARE(idsOf(chunks), expected[i % names.size()]);
                    continue;
                }
                ++failed;
                const std::string& name = *whose.insert(names[i % names.size()]).first;
                const Error& error = *chunks.back().error;
                QCOMPARE(error.code, ErrorCode::IoError);
                QVERIFY2(error.message.find("\"" + name.substr(5) + "\"") != std::string::npos, error.message.c_str());
                QVERIFY(idsOf(chunks).empty());
            }
            QVERIFY(faulty.readingFaults() <= 1 && whose.size() == static_cast<std::size_t>(faulty.readingFaults()));
            faults += static_cast<int>(faulty.readingFaults());
            QTRY_COMPARE_WITH_TIMEOUT(heldPages(*fixture.engine), std::int64_t{0}, 60000);
            for (const std::string& name : whose)
                QCOMPARE(fixture.generate(name),
                         expected[static_cast<std::size_t>(std::ranges::find(names, name) - names.begin())]);
            fixture.engine.reset();  // before what it reads through
            if (whose.empty()) break;
        }
        qInfo("%d reads failed, %d requests by them", faults, failed);
        QVERIFY(faults >= 15);
    }

    // Reads that fail again and again while adapters leave a small pool and come back: whoever is not told so has the
    // answer of before.
    void readsThatFailNowAndThen_changeNobodysAnswer() {
        AdapterFixture fixture;
        VERIFY_OK(fixture.start());
        constexpr std::size_t kMany = 8;
        std::vector<std::vector<TokenId>> expected;
        for (std::size_t i = 0; i < kMany; ++i) {
            const std::string name = "a" + std::to_string(i);
            VERIFY_OK(fixture.import(name, {.rank = 2 + static_cast<std::int32_t>(i), .seed = 20 + i}));
            expected.push_back(fixture.generate("tiny:" + name));
        }
        fixture.engine.reset();
        FaultInjection faulty(*fixture.files);
        EngineOptions options = fixture.options();
        options.poolBytes = 32 * 16384;
        options.hostCacheBytes = 1;
        fixture.engine = fixture.open(options, faulty).value();
        QVERIFY(!fixture.generate("tiny").empty());
        int failed = 0;
        for (int round = 0; round < 12; ++round) {
            std::vector<std::unique_ptr<Collector>> collectors;
            faulty.failReading(1 + 7 * round % 40, round % 2 ? ErrorCode::IoError : ErrorCode::NotFound);
            for (std::size_t i = 0; i < 2 * kMany; ++i)
                VERIFY_OK(fixture.engine->submit(
                    "tiny:a" + std::to_string(i % kMany),
                    requestFor({5, 80, 81, 7}, 24, *collectors.emplace_back(std::make_unique<Collector>()))));
            for (std::size_t i = 0; i < collectors.size(); ++i) {
                const auto chunks = collectors[i]->wait();
                if (*chunks.back().finish == FinishReason::Failed)
                    ++failed;
                else
                    QCOMPARE(idsOf(chunks), expected[i % kMany]);
            }
        }
        QVERIFY2(failed > 0 && faulty.readingFaults() > 3, qPrintable(QString::number(failed)));
        QTRY_COMPARE_WITH_TIMEOUT(heldPages(*fixture.engine), std::int64_t{0}, 60000);
        for (std::size_t i = 0; i < kMany; ++i) QCOMPARE(fixture.generate("tiny:a" + std::to_string(i)), expected[i]);
        fixture.engine.reset();  // before what it reads through
    }

    void killedAnywhere_theWorkspaceIsWhole_data() {
        QTest::addColumn<int>("change");
        for (int i = 0; i < static_cast<int>(std::size(kChanges)); ++i)
            QTest::newRow(kChanges[static_cast<std::size_t>(i)].name) << i;
    }
    // The process dies at each changing call of the operation, where it can while it serves another adapter, and what
    // it had not synced is lost.
    void killedAnywhere_theWorkspaceIsWhole() {
        QFETCH(int, change);
        const Change& changed = kChanges[static_cast<std::size_t>(change)];
        AdapterFixture fixture;
        VERIFY_OK(fixture.start());
        VERIFY_OK(fixture.import("law", {.seed = 5}));
        VERIFY_OK(fixture.import("math", {.seed = 6}));
        const Path added = fixture.makeAdapter("new", {.rank = 7, .seed = 7});
        const auto base = fixture.generate("tiny"), law = fixture.generate("tiny:law"),
                   math = fixture.generate("tiny:math");
        VERIFY_OK(fixture.engine->importAdapter({.path = added.string(), .base = "tiny"}));
        const auto fresh = fixture.generate("tiny:new");
        VERIFY_OK(fixture.engine->removeAdapter("tiny:new"));
        fixture.engine.reset();
        const Path kept = fixture.root / "kept";
        std::filesystem::copy(fixture.workspace, kept, std::filesystem::copy_options::recursive);

        int kills = 0;
        for (std::int64_t call = 1;; ++call) {
            QVERIFY(call < 200);
            fixture.engine.reset();
            std::filesystem::remove_all(fixture.workspace);
            std::filesystem::copy(kept, fixture.workspace, std::filesystem::copy_options::recursive);
            const pid_t child = ::fork();
            if (child == 0) {
                FaultInjection faults(*fixture.files);
                auto engine = std::move(fixture.open(fixture.options(), faults)).value();
                Collector serving;
                if (changed.whileServing) {
                    (void)engine->submit("tiny:law", requestFor({5, 80, 81, 7}, 400, serving));
                    serving.waitForFirst();
                }
                const std::int64_t before = faults.changingCalls();
                faults.atEachCall([&](std::int64_t number, const Path&) {
                    if (number - before != call) return;
                    faults.loseUnsyncedWrites();
                    ::kill(::getpid(), SIGKILL);
                });
                changed.run(*engine, fixture.root);
                ::_exit(0);
            }
            int status = 0;
            QCOMPARE(::waitpid(child, &status, 0), child);
            const bool wasKilled = WIFSIGNALED(status);
            kills += wasKilled;
            fixture.engine = fixture.open().value();
            const std::string where = std::string(changed.name) + ", call " + std::to_string(call);
            std::vector<std::string> ids;
            for (const AdapterRecord& record : fixture.engine->adapters()) ids.push_back(record.id);
            std::ranges::sort(ids);
            if (!fixture.engine->findModel("tiny")) {
                QVERIFY2(ids.empty(), where.c_str());
                for (const ModelRecord& model : fixture.engine->bin())
                    VERIFY_OK(fixture.engine->restoreModel(model.id));  // whole, while it is there
            }
            if (fixture.engine->findModel("tiny")) {
                if (ids.empty())
                    for (const AdapterRecord& record : fixture.engine->adapters()) ids.push_back(record.id);
                std::ranges::sort(ids);
                QVERIFY2(fixture.generate("tiny") == base && fixture.generate("tiny:law") == law, where.c_str());
                for (const AdapterRecord& record : fixture.engine->adapters()) {
                    const auto answer = fixture.generate("tiny:" + record.name);
                    QVERIFY2(record.name == "law"   ? answer == law
                             : record.name == "new" ? answer == fresh
                                                    : answer == (record.version == 1 ? math : fresh),
                             where.c_str());
                }
            } else {
                QVERIFY2(!std::filesystem::exists(fixture.workspace / "models" / "tiny"), where.c_str());
            }
            QVERIFY2(fixture.folders() == ids, (where + ": " + std::to_string(fixture.folders().size()) +
                                                " folders for " + std::to_string(ids.size()) + " adapters")
                                                   .c_str());
            if (!wasKilled) break;
        }
        qInfo("%d kills", kills);
        QVERIFY(kills >= changed.leastKills);
    }
};

ESPALIER_TEST(tst_adapter_faults, TestAdapterFaults)
#include "tst_adapter_faults.moc"
