// SPDX-License-Identifier: GPL-3.0-or-later
// Memory that is not there, once at each point in turn: of the device while a model is loaded and an adapter comes, of
// the thread that reads an adapter, of the engine thread while it serves. Whom it concerns is told so, everybody else
// has the bits of before, no page stays taken, and the engine goes on.
#include <thread>

#include "tests/core/engine/adapter_fixture.h"
#include "tests/support/allocations.h"
#include "tests/support/faulty_backend.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

namespace {

const std::vector<std::string> kNames = {"tiny:a", "tiny:b", "tiny", "other"};
using Answers = std::vector<std::vector<TokenId>>;

// Two models, the first with two adapters, on a device that fails on command.
struct MemoryShort : AdapterFixture {
    FaultyBackend device{*backend};
    Answers expected;  // of kNames

    Result<void> prepare() {
        TRY(start());
        makeModel("other", {.seed = 9});
        TRY_ASSIGN(const JobRecord job, importAndWait(*engine, {.path = (root / "other").string()}));
        if (job.error) return *job.error;
        TRY(import("a", {.rank = 3, .targets = {"q_proj", "down_proj"}, .seed = 71}));
        TRY(import("b", {.rank = 9, .seed = 72}));
        for (const std::string& name : kNames) expected.push_back(generate(name, kTokens));
        return {};
    }
    void reopen() {
        engine.reset();
        EngineOptions engineOptions = options();
        engineOptions.hostCacheBytes = 1;  // each adapter leaves host memory for the next
        engine = Engine::open(engineOptions, device, faulty, clock).value();
    }
    // Everyone asks at once.
    std::vector<std::unique_ptr<Collector>> askAll(int times) {
        std::vector<std::unique_ptr<Collector>> collectors;
        for (std::size_t i = 0; i < static_cast<std::size_t>(times) * kNames.size(); ++i)
            CHECK(engine->submit(
                kNames[i % kNames.size()],
                requestFor({5, 80, 81, 7}, kTokens, *collectors.emplace_back(std::make_unique<Collector>()))));
        return collectors;
    }
    std::int64_t heldPages() const {
        std::int64_t pages = 0;
        for (const LoadedModel& model : engine->snapshot()->models)
            pages += model.poolPagesUsed + model.poolPagesAdapters + model.poolPagesStaging;
        return pages;
    }

    static constexpr std::int32_t kTokens = 6;
};

}  // namespace

class TestMemoryFaults : public QObject {
    Q_OBJECT

private slots:
    void eachBlockThatTheDeviceLacks_failsWhoNeededItAlone() {
        MemoryShort served;
        VERIFY_OK(served.prepare());
        int faults = 0, failed = 0;
        for (int n = 1;; ++n) {
            QVERIFY(n < 1000);
            served.reopen();
            QCOMPARE(served.generate("other", MemoryShort::kTokens), served.expected[3]);  // it is there before
            served.device.failAllocateAt(n);
            const auto collectors = served.askAll(2);
            for (std::size_t i = 0; i < collectors.size(); ++i) {
                const auto chunks = collectors[i]->wait();
                QCOMPARE(collectors[i]->finishCount(), std::size_t{1});
                const std::size_t who = i % kNames.size();
                if (*chunks.back().finish != FinishReason::Failed) {
                    QCOMPARE(idsOf(chunks), served.expected[who]);
                    continue;
                }
                ++failed;
                QVERIFY(kNames[who] != "other" && served.device.memoryFaults() > faults);
                QCOMPARE(chunks.back().error->code, ErrorCode::PoolExhausted);
                QVERIFY2(chunks.back().error->message.find("no memory") != std::string::npos,
                         chunks.back().error->message.c_str());
            }
            const bool came = served.device.memoryFaults() > faults;
            served.device.failAllocateAt(0);
            QTRY_COMPARE_WITH_TIMEOUT(served.heldPages(), std::int64_t{0}, 60000);
            for (std::size_t i = 0; i < kNames.size(); ++i)
                QCOMPARE(served.generate(kNames[i], MemoryShort::kTokens), served.expected[i]);
            if (!came) break;
            ++faults;
        }
        qInfo("%d blocks were not there, %d requests failed by them", faults, failed);
        QVERIFY(faults >= 10 && failed >= faults);
    }

    // From the first byte of its weights on: before that a JSON document is read, whose library allocates also to
    // destroy one.
    void eachAllocationThatFailsWhileAnAdapterIsRead_failsItsUsersAlone() {
        MemoryShort served;
        VERIFY_OK(served.prepare());
        int faults = 0, failed = 0;
        for (int n = 1;; ++n) {
            QVERIFY(n < 2000);
            served.reopen();
            QCOMPARE(served.generate("tiny", MemoryShort::kTokens), served.expected[2]);
            QCOMPARE(served.generate("other", MemoryShort::kTokens), served.expected[3]);
            const std::int64_t before = failedAllocations();
            std::atomic<int> reads = 0;
            served.faulty.atEachReading([&](std::int64_t, const Path& path) {     // on the reader's thread
                if (path.filename() == "adapter_config.json") failAllocation(0);  // of the next adapter
                if (path.filename() == "adapter_model.safetensors" && ++reads == kReadsBeforeWeights + 1)
                    failAllocation(n);
            });
            const auto collectors = served.askAll(2);
            for (std::size_t i = 0; i < collectors.size(); ++i) {
                const auto chunks = collectors[i]->wait();
                QCOMPARE(collectors[i]->finishCount(), std::size_t{1});
                const std::size_t who = i % kNames.size();
                if (*chunks.back().finish != FinishReason::Failed) {
                    QCOMPARE(idsOf(chunks), served.expected[who]);
                    continue;
                }
                ++failed;
                QVERIFY(who < 2 && failedAllocations() > before);
                const Error& error = *chunks.back().error;
                QCOMPARE(error.code, ErrorCode::PoolExhausted);
                QVERIFY2(error.message.find("\"" + kNames[who].substr(5) + "\"") != std::string::npos,
                         error.message.c_str());
            }
            served.faulty.atEachReading(nullptr);
            const bool came = failedAllocations() > before;
            faults += came;
            QTRY_COMPARE_WITH_TIMEOUT(served.heldPages(), std::int64_t{0}, 60000);
            for (std::size_t i = 0; came && i < kNames.size(); ++i)
                QCOMPARE(served.generate(kNames[i], MemoryShort::kTokens), served.expected[i]);
            if (!came) break;
        }
        qInfo("%d allocations failed, %d requests by them", faults, failed);
        QVERIFY(faults >= 20 && failed >= faults);
    }

    // Where all files are in place the row comes, and nothing may take the files from under it.
    void eachAllocationThatFailsWhileAnAdapterComesIn_leavesNoRowWithoutItsFiles() {
        AdapterFixture fixture;
        VERIFY_OK(fixture.start());
        const Path first = fixture.makeAdapter("a"), second = fixture.makeAdapter("b", {.seed = 2});
        fixture.reopenFaulty();
        int failed = 0, entered = 0;
        for (int n = 1;; ++n) {
            QVERIFY(n < 2000);
            const std::int64_t before = failedAllocations();
            VERIFY_OK(fixture.engine->importAdapter({.path = first.string(), .base = "tiny", .name = "math"}));
            // After the sync that ends the placing, until the files of the old version begin to go.
            fixture.faulty.atEachCall([&](std::int64_t, const Path& path) {
                failAllocation(path == fixture.workspace / "adapters" ? n : 0);
            });
            try {
                (void)fixture.engine->reloadAdapter("tiny:math", second.string());
            } catch (const std::bad_alloc&) {
                ++failed;
            }
            failAllocation(0);
            fixture.faulty.atEachCall({});
            const std::string digest = fixture.engine->findAdapter("tiny:math")->digest;
            QCOMPARE(fixture.generate("tiny:math", 4).size(), std::size_t{4});
            fixture.engine.reset();  // another start finds the same adapter, and no folder too many
            fixture.reopenFaulty();
            QCOMPARE(fixture.folders(), fixture.ids());
            QCOMPARE(fixture.engine->findAdapter("tiny:math")->digest, digest);
            QCOMPARE(fixture.generate("tiny:math", 4).size(), std::size_t{4});
            entered += fixture.engine->findAdapter("tiny:math")->version == 2;
            VERIFY_OK(fixture.engine->removeAdapter("tiny:math"));
            if (failedAllocations() == before) break;
        }
        qInfo("%d allocations failed, %d versions came in", failed, entered);
        QVERIFY(failed >= 5 && entered >= 1);
    }

    // What runs is in doubt then, so everything that runs is concerned: each request ends, with its answer or in words.
    void eachAllocationThatFailsWhileServing_endsEveryRequestAndTheEngineGoesOn() {
        MemoryShort served;
        std::atomic<int> toPlant = 0;
        served.device.onLora = [&](LoraBatch&) {  // on the engine thread, in a step
            if (const int n = toPlant.exchange(0)) failAllocation(n);
        };
        VERIFY_OK(served.prepare());
        served.reopen();
        int faults = 0, failed = 0;
        for (int n = 1;; n += 1 + n / 64) {
            QVERIFY(n < 20000);
            for (std::size_t i = 0; i < kNames.size(); ++i)
                QCOMPARE(served.generate(kNames[i], MemoryShort::kTokens), served.expected[i]);
            const std::int64_t before = failedAllocations();
            toPlant = n;
            const auto collectors = served.askAll(1);
            bool anyFailed = false;
            for (std::size_t i = 0; i < collectors.size(); ++i) {
                const auto chunks = collectors[i]->wait();
                QCOMPARE(collectors[i]->finishCount(), std::size_t{1});
                if (*chunks.back().finish != FinishReason::Failed) {
                    QCOMPARE(idsOf(chunks), served.expected[i]);
                    continue;
                }
                anyFailed = true;
                ++failed;
                const Error& error = *chunks.back().error;
                QVERIFY2(error.code == ErrorCode::PoolExhausted || error.code == ErrorCode::Internal,
                         error.message.c_str());
                QVERIFY2(error.message.find("ask again") != std::string::npos, error.message.c_str());
            }
            if (!anyFailed && failedAllocations() == before) break;
            ++faults;
        }
        qInfo("%d allocations failed, %d requests by them", faults, failed);
        QVERIFY(faults >= 40 && failed >= faults);
        // Every place was given back: else draining would never end.
        VERIFY_OK(served.engine->setServing(ServeState::Draining));
        QTRY_COMPARE_WITH_TIMEOUT(served.engine->serving(), ServeState::Stopped, 60000);
    }

private:
    static constexpr int kReadsBeforeWeights = 4;  // opened, its size, its header in two reads
};

ESPALIER_TEST(tst_memory_faults, TestMemoryFaults)
#include "tst_memory_faults.moc"
