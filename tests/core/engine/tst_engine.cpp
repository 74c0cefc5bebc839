// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <fstream>

#include "core/engine/event_log.h"
#include "core/store/database.h"
#include "tests/core/engine/engine_fixture.h"
#include "tests/support/fault_injection.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

namespace {

constexpr std::int32_t kForever = 400;  // tokens: long enough to be interrupted

std::vector<TokenId> tokensOf(Engine& engine, const std::string& model) {
    Collector collector;
    const auto submitted = engine.submit(model, requestFor({5, 80}, 2, collector));
    return submitted ? idsOf(collector.wait()) : std::vector<TokenId>();
}

bool isLogged(Engine& engine, const std::string& text) {
    const auto log = engine.newestLog(1000);
    return std::ranges::any_of(log,
                               [&](const LogRecord& record) { return record.text.find(text) != std::string::npos; });
}

// The collector must outlive the engine, whose shutdown still calls sinks.
struct Served {
    EngineFixture fixture;
    Collector first, second, third;
    std::unique_ptr<Engine> engine;

    explicit Served(EngineOptions (*change)(EngineOptions) = nullptr) {
        const auto options = fixture.options();
        engine = std::move(fixture.open(change ? change(options) : options, *fixture.files)).value();
        add("tiny", 1);
    }
    void add(const std::string& name, std::uint64_t seed) {
        const auto job = importAndWait(*engine, {.path = fixture.makeModel(name, {.seed = seed}).string()});
        if (!job || job->state != JobState::Finished) qFatal("the tiny model did not import");
    }
};

}  // namespace

class TestEngine : public QObject {
    Q_OBJECT
private slots:
    void submit_loadsTheModelAndStreamsInOrderWithOneFinish() {
        Served served;
        const auto id = served.engine->submit("tiny", requestFor({5, 6, 7}, 12, served.first));
        VERIFY_OK(id);
        const auto chunks = served.first.wait();
        QCOMPARE(idsOf(chunks).size(), std::size_t{12});
        QCOMPARE(served.first.finishCount(), std::size_t{1});
        QVERIFY(chunks.back().finish.has_value());
        QCOMPARE(*chunks.back().finish, FinishReason::Length);
        QCOMPARE(chunks.back().usage.promptTokens, 3);
        QCOMPARE(chunks.back().usage.completionTokens, 12);
        for (const Chunk& chunk : chunks) QCOMPARE(chunk.id, *id);
    }

    void chunks_carryTheTextOfTheirIds() {
        Served served;
        VERIFY_OK(served.engine->submit("tiny", requestFor({50, 60, 70}, 30, served.first)));
        const auto chunks = served.first.wait();
        std::string text;
        for (const Chunk& chunk : chunks) text += chunk.text;
        const auto model = served.engine->text("tiny");
        VERIFY_OK(model);
        QCOMPARE(text, *(*model)->tokenizer->decode(idsOf(chunks), true));
        QVERIFY(!text.empty());
        QCOMPARE(served.engine->text("tiny")->get(), model->get());  // read once
    }

    void theSameRequest_givesTheSameTokensAloneAndInACrowd() {
        Served served;
        VERIFY_OK(served.engine->submit("tiny", requestFor({9, 8, 7, 6}, 20, served.first)));
        const auto alone = idsOf(served.first.wait());
        std::vector<Collector> crowd(12);
        for (std::size_t i = 0; i < crowd.size(); ++i) {
            const auto first = static_cast<TokenId>(i == 5 ? 9 : 20 + i);
            VERIFY_OK(served.engine->submit("tiny", requestFor({first, 8, 7, 6}, 20, crowd[i])));
        }
        for (Collector& one : crowd) (void)one.wait();
        QCOMPARE(idsOf(crowd[5].chunks()), alone);
        QVERIFY(idsOf(crowd[4].chunks()) != alone);
    }

    void submit_refusesWhatCanNeverRun() {
        Served served;
        const auto code = [&](std::string_view model, std::vector<TokenId> prompt) {
            return served.engine->submit(model, requestFor(std::move(prompt), 4, served.first)).error().code;
        };
        QCOMPARE(code("none", {1}), ErrorCode::NotFound);
        QCOMPARE(code("tiny", {}), ErrorCode::InvalidArgument);
        QCOMPARE(code("tiny", {kTinyVocabulary}), ErrorCode::InvalidArgument);
        QCOMPARE(code("tiny", {-1}), ErrorCode::InvalidArgument);
        QCOMPARE(code("tiny", std::vector<TokenId>(512, 1)), ErrorCode::ContextOverflow);
        QVERIFY(served.first.chunks().empty());
    }

    void cancel_endsARunningRequestAndLeavesOthersAlone() {
        Served served;
        const auto id = served.engine->submit("tiny", requestFor({5}, kForever, served.first));
        VERIFY_OK(served.engine->submit("tiny", requestFor({6}, 30, served.second)));
        served.first.waitForFirst();
        served.engine->cancel(*id);
        QCOMPARE(*served.first.wait().back().finish, FinishReason::Cancelled);
        QCOMPARE(*served.second.wait().back().finish, FinishReason::Length);
        QCOMPARE(idsOf(served.second.chunks()).size(), std::size_t{30});
        served.engine->cancel(RequestId{123456});
        served.engine->cancel(*id);
    }

    // A refusal is told while the engine handles its commands: what is submitted and cancelled in that moment comes too
    // late for these commands, and the cancel must not overtake the request.
    void aCancelRightBehindItsRequest_isNotLost() {
        Served served;
        VERIFY_OK(served.engine->submit("tiny", requestFor({5}, 2, served.first)));
        (void)served.first.wait();
        Request refused = requestFor({6}, 4, served.third);
        refused.stop = {""};
        refused.sink = [&](const Chunk& chunk) {
            const auto id = served.engine->submit("tiny", requestFor({7}, kForever, served.second));
            if (id) served.engine->cancel(*id);
            served.third.sink()(chunk);
        };
        VERIFY_OK(served.engine->submit("tiny", std::move(refused)));
        QCOMPARE(*served.third.wait().back().finish, FinishReason::Failed);
        QCOMPARE(*served.second.wait().back().finish, FinishReason::Cancelled);
        QVERIFY(idsOf(served.second.chunks()).size() <= 1);
    }

    void requestsAndPages_showWhoHoldsWhat() {
        constexpr std::int32_t kSeconds = 4000;  // tokens: the requests are still there when they are looked at
        Served served;
        VERIFY_OK(
            importAndWait(*served.engine, {.path = served.fixture.makeModel("long", {.context = 8192}).string()}));
        QCOMPARE(served.engine->pageMap("long", 64).error().code, ErrorCode::NotFound);  // not loaded yet
        QCOMPARE(served.engine->pageMap("none", 64).error().code, ErrorCode::NotFound);
        QVERIFY(served.engine->requests(10)->requests.empty());
        const auto id = served.engine->submit("long", requestFor(std::vector<TokenId>(40, 5), kSeconds, served.first));
        VERIFY_OK(id);
        VERIFY_OK(served.engine->submit("long", requestFor({6}, kSeconds, served.second)));
        served.first.waitForFirst();
        served.second.waitForFirst();
        const auto list = served.engine->requests(10);
        VERIFY_OK(list);
        QCOMPARE(list->total, std::int64_t{2});
        const RequestRecord& first = list->requests.front();
        QCOMPARE(first.id, static_cast<std::int64_t>(id->value));
        QCOMPARE(first.model, std::string("long"));
        QCOMPARE(first.state, std::string("decode"));
        QCOMPARE(first.promptTokens, 40);
        QVERIFY(first.producedTokens >= 1 && first.producedTokens <= kSeconds);
        QVERIFY(first.pages >= 3);
        QCOMPARE(served.engine->requests(1)->requests.size(), std::size_t{1});
        QCOMPARE(served.engine->requests(1)->total, std::int64_t{2});
        const auto steps = served.engine->steps(5);
        VERIFY_OK(steps);
        QVERIFY(!steps->empty() && steps->size() <= 5);
        QCOMPARE(steps->back().model, std::string("long"));

        const auto map = served.engine->pageMap("long", 4096);
        VERIFY_OK(map);
        std::int64_t cells = 0, ofFirst = 0;
        for (const PageRun& run : map->runs) {
            cells += run.cells;
            if (run.request == first.id) ofFirst += run.cells;
            if (run.request != kNoReader) QCOMPARE(run.owner, PageOwner::Kv);
        }
        QCOMPARE(cells * map->pagesPerCell, std::int64_t{map->pages});
        QVERIFY(ofFirst * map->pagesPerCell >= 3);
        served.engine->cancel(*id);
        (void)served.first.wait();
        QTRY_COMPARE(served.engine->requests(10)->total, std::int64_t{1});
    }

    void submit_isBusyWhenTooManyRequestsAreOpen() {
        Served served([](EngineOptions options) {
            options.maxSequences = 1;
            options.maxWaiting = 1;
            return options;
        });
        const auto one = served.engine->submit("tiny", requestFor({5}, kForever, served.first));
        const auto two = served.engine->submit("tiny", requestFor({6}, kForever, served.second));
        VERIFY_OK(one);
        VERIFY_OK(two);
        QCOMPARE(served.engine->submit("tiny", requestFor({7}, 4, served.third)).error().code, ErrorCode::Busy);
        served.engine->cancel(*one);
        served.engine->cancel(*two);
        (void)served.first.wait();
        (void)served.second.wait();
        VERIFY_OK(served.engine->submit("tiny", requestFor({7}, 4, served.third)));
        QCOMPARE(*served.third.wait().back().finish, FinishReason::Length);
    }

    void draining_finishesWhatRunsRefusesWhatComesAndEndsStopped() {
        Served served;
        VERIFY_OK(served.engine->submit("tiny", requestFor({5}, 60, served.first)));
        VERIFY_OK(served.engine->setServing(ServeState::Draining));
        QCOMPARE(served.engine->submit("tiny", requestFor({6}, 4, served.second)).error().code, ErrorCode::Draining);
        QCOMPARE(*served.first.wait().back().finish, FinishReason::Length);
        QCOMPARE(idsOf(served.first.chunks()).size(), std::size_t{60});
        QTRY_COMPARE(served.engine->serving(), ServeState::Stopped);
        QCOMPARE(served.engine->submit("tiny", requestFor({6}, 4, served.second)).error().code, ErrorCode::Draining);
        VERIFY_OK(served.engine->setServing(ServeState::Serving));
        VERIFY_OK(served.engine->submit("tiny", requestFor({6}, 4, served.second)));
        QCOMPARE(*served.second.wait().back().finish, FinishReason::Length);
    }

    void stopped_cancelsWhatRuns() {
        Served served;
        VERIFY_OK(served.engine->submit("tiny", requestFor({5}, kForever, served.first)));
        served.first.waitForFirst();
        VERIFY_OK(served.engine->setServing(ServeState::Stopped));
        QCOMPARE(*served.first.wait().back().finish, FinishReason::Cancelled);
    }

    void unload_whileRunningEndsRequestsAsCancelledAndTheModelComesBack() {
        Served served;
        VERIFY_OK(served.engine->submit("tiny", requestFor({5}, kForever, served.first)));
        served.first.waitForFirst();
        VERIFY_OK(served.engine->unloadModel("tiny"));
        QCOMPARE(*served.first.wait().back().finish, FinishReason::Cancelled);
        QCOMPARE(served.first.finishCount(), std::size_t{1});
        QTRY_VERIFY(served.engine->snapshot()->models.empty());
        VERIFY_OK(served.engine->submit("tiny", requestFor({5}, 4, served.second)));
        QCOMPARE(*served.second.wait().back().finish, FinishReason::Length);
    }

    void removeModel_isBusyWhileItAnswersAndLeavesTheDeviceWhenItMay() {
        Served served;
        const auto id = served.engine->submit("tiny", requestFor({5}, kForever, served.first));
        QCOMPARE(served.engine->removeModel("tiny").error().code, ErrorCode::Busy);
        served.engine->cancel(*id);
        (void)served.first.wait();
        VERIFY_OK(served.engine->removeModel("tiny"));
        QVERIFY(served.engine->models().empty());
        QCOMPARE(served.engine->bin().size(), std::size_t{1});
        QCOMPARE(served.engine->submit("tiny", requestFor({5}, 4, served.second)).error().code, ErrorCode::NotFound);
        QTRY_VERIFY(served.engine->snapshot()->models.empty());

        const std::string modelId = served.engine->bin()[0].id;
        VERIFY_OK(served.engine->restoreModel(modelId));
        VERIFY_OK(served.engine->submit("tiny", requestFor({5}, 4, served.second)));
        (void)served.second.wait();
        VERIFY_OK(served.engine->removeModel("tiny"));
        VERIFY_OK(served.engine->emptyBin());
        QVERIFY(served.engine->bin().empty());
        QVERIFY(!served.fixture.files->exists(served.fixture.workspace / "models" / modelId));
    }

    void twoModels_answerAtTheSameTimeEachAsItself() {
        Served served;
        served.add("other", 2);
        VERIFY_OK(served.engine->submit("tiny", requestFor({5, 6}, 40, served.first)));
        VERIFY_OK(served.engine->submit("other", requestFor({5, 6}, 40, served.second)));
        VERIFY_OK(served.engine->submit("tiny", requestFor({5, 6}, 40, served.third)));
        const auto one = idsOf(served.first.wait());
        QCOMPARE(idsOf(served.third.wait()), one);
        QVERIFY(idsOf(served.second.wait()) != one);
        QTRY_COMPARE(served.engine->snapshot()->models.size(), std::size_t{2});
    }

    void aModelThatDoesNotFit_evictsTheIdleOneUsedLongestAgo() {
        Served measured;
        VERIFY_OK(measured.engine->submit("tiny", requestFor({5}, 2, measured.first)));
        (void)measured.first.wait();
        QTRY_VERIFY(measured.engine->snapshot()->memory.weights > 0);
        static std::int64_t budget;
        const MemoryByOwner memory = measured.engine->snapshot()->memory;
        // Room for two models with a full pool each, not for three.
        const std::int64_t pool = 512 / kTokensPerPage * 8 * 2 * 8192;
        budget = (memory.weights + memory.workspace + pool) * 5 / 2;

        Served served([](EngineOptions options) {
            options.memoryBudget = budget;
            return options;
        });
        served.add("b", 2);
        served.add("c", 3);
        for (const char* name : {"tiny", "b", "tiny", "c"}) {
            Collector collector;
            VERIFY_OK(served.engine->submit(name, requestFor({5}, 2, collector)));
            QCOMPARE(*collector.wait().back().finish, FinishReason::Length);
        }
        const auto names = [&] {
            std::vector<std::string> found;
            for (const LoadedModel& model : served.engine->snapshot()->models) found.push_back(model.name);
            std::ranges::sort(found);
            return found;
        };
        QTRY_COMPARE(names(), (std::vector<std::string>{"c", "tiny"}));
    }

    void aModelBeyondTheBudget_failsItsRequestsWithTheNumbers() {
        Served served([](EngineOptions options) {
            options.memoryBudget = 1 << 16;
            return options;
        });
        VERIFY_OK(served.engine->submit("tiny", requestFor({5}, 2, served.first)));
        const auto chunks = served.first.wait();
        QCOMPARE(*chunks.back().finish, FinishReason::Failed);
        QCOMPARE(chunks.back().error->code, ErrorCode::PoolExhausted);
        QVERIFY(chunks.back().error->message.find("budget") != std::string::npos);
    }

    void aModelWhoseFilesAreGone_failsItsRequestsAndOthersGoOn() {
        Served served;
        served.add("other", 2);
        const auto record = served.engine->findModel("other");
        std::filesystem::remove(Path(record->folder) / "model.safetensors");
        VERIFY_OK(served.engine->submit("other", requestFor({5}, 2, served.first)));
        QCOMPARE(*served.first.wait().back().finish, FinishReason::Failed);
        VERIFY_OK(served.engine->submit("tiny", requestFor({5}, 2, served.second)));
        QCOMPARE(*served.second.wait().back().finish, FinishReason::Length);
    }

    void shutdown_givesEveryOpenRequestItsLastChunk() {
        Served served;
        VERIFY_OK(served.engine->submit("tiny", requestFor({5}, kForever, served.first)));
        VERIFY_OK(served.engine->submit("tiny", requestFor({6}, kForever, served.second)));
        served.engine.reset();
        QCOMPARE(served.first.finishCount(), std::size_t{1});
        QCOMPARE(served.second.finishCount(), std::size_t{1});
    }

    void restart_keepsTheCatalogTheJobsAndTheLog() {
        Served served;
        VERIFY_OK(served.engine->renameModel("tiny", "renamed"));
        const auto before = served.engine->findModel("renamed");
        served.engine.reset();
        served.engine = std::move(served.fixture.open()).value();
        const auto after = served.engine->findModel("renamed");
        VERIFY_OK(after);
        QCOMPARE(after->digest, before->digest);
        QVERIFY(after->spec == before->spec);
        QCOMPARE(served.engine->jobs().size(), std::size_t{1});
        QCOMPARE(served.engine->jobs()[0].state, JobState::Finished);
        const auto log = served.engine->newestLog(100);
        QVERIFY(std::ranges::any_of(
            log, [](const LogRecord& record) { return record.text.find("renamed") != std::string::npos; }));
    }

    // Whatever of models/ resists the start's tidying: the start names it, everybody is served, the next one is done.
    void aModelFolderThatResists_stopsNoStart() {
        Served served;
        served.add("other", 2);
        const Path models = served.fixture.workspace / "models";
        const std::string other = served.engine->findModel("other")->id;
        std::set<std::string> resisted;
        for (int call = 1;; ++call) {
            QVERIFY(call < 30);
            served.engine.reset();
            for (const char* name : {".partial-77", ".removed-m-gone"})
                std::filesystem::create_directories(models / name / "inner");
            std::filesystem::rename(models / other, models / (".removed-" + other));
            FaultInjection faulty(*served.fixture.files);
            Path failed;
            faulty.atEachCall([&](std::int64_t number, const Path& path) {
                if (number == call) failed = path;
            });
            faulty.failCall(call, ErrorCode::IoError);
            auto opened = served.fixture.open(served.fixture.options(), faulty);
            const bool isBelow = failed.parent_path() == models;
            QVERIFY2(opened || !isBelow, failed.c_str());
            if (isBelow) {
                resisted.insert(failed.filename().string());
                QVERIFY(!tokensOf(**opened, "tiny").empty());
                QTRY_VERIFY_WITH_TIMEOUT(isLogged(**opened, failed.filename().string()), 60000);
            }
            const bool isOver = faulty.changingCalls() < call;
            opened = fail(ErrorCode::Internal, "closed");
            served.engine = served.fixture.open().value();
            QVERIFY(!tokensOf(*served.engine, "tiny").empty() && !tokensOf(*served.engine, "other").empty());
            QCOMPARE(std::distance(std::filesystem::directory_iterator(models), {}), 2);
            if (isOver) break;
        }
        QCOMPARE(resisted, (std::set<std::string>{".partial-77", ".removed-m-gone", ".removed-" + other, other}));
    }

    // Also when it was to be loaded at once, and whichever reading of its files fails.
    void aModelFolderThatCannotBeRead_isListedAsDamagedAndTheOthersWork() {
        Served served;
        served.add("other", 2);
        const std::string other = served.engine->findModel("other")->id;
        const Path folder = served.fixture.workspace / "models" / other, aside = served.fixture.root / "aside";
        EngineOptions options = served.fixture.options();
        options.preload = {"other", "tiny"};
        served.engine.reset();
        std::filesystem::rename(folder, aside);
        served.engine = served.fixture.open(options, *served.fixture.files).value();
        const auto damaged = served.engine->findModel("other");
        VERIFY_OK(damaged);
        QVERIFY(damaged->warnings.back().starts_with("damaged: "));
        QVERIFY2(damaged->warnings.back().find(folder.string()) != std::string::npos, damaged->warnings.back().c_str());
        QTRY_VERIFY_WITH_TIMEOUT(isLogged(*served.engine, "\"other\" is damaged"), 60000);
        QTRY_VERIFY_WITH_TIMEOUT(isLogged(*served.engine, "\"other\" is not loaded"), 60000);
        QVERIFY(!served.engine->submit("other", requestFor({5}, 1, served.first)));
        QVERIFY(!tokensOf(*served.engine, "tiny").empty());
        std::filesystem::rename(aside, folder);
        int failed = 0;
        for (int reading = 1;; ++reading) {
            QVERIFY(reading < 2000);
            served.engine.reset();
            FaultInjection faulty(*served.fixture.files);
            std::atomic<bool> isOfOther = false;
            faulty.atEachReading([&](std::int64_t number, const Path& path) {
                if (number == reading && path.string().starts_with(folder.string())) isOfOther = true;
            });
            faulty.failReading(reading, ErrorCode::IoError);
            auto opened = served.fixture.open(options, faulty);
            const bool hasFailed = faulty.readingFaults() > 0;
            QVERIFY2(opened || !isOfOther, opened ? "" : opened.error().message.c_str());
            failed += isOfOther;
            if (opened && isOfOther) QVERIFY(!tokensOf(**opened, "tiny").empty());
            if (!hasFailed) break;  // all that the start reads is read; the engine's thread goes on
        }
        QVERIFY2(failed >= 3, std::to_string(failed).c_str());
        options.preload = {"nobody"};
        QCOMPARE(served.fixture.open(options, *served.fixture.files).error().code, ErrorCode::NotFound);
    }

    void renameModel_refusesBadAndTakenNames() {
        Served served;
        served.add("other", 2);
        for (const char* name : {"", "a/b", "a:b", "..", "-x", "a b"})
            QCOMPARE(served.engine->renameModel("tiny", name).error().code, ErrorCode::InvalidArgument);
        QCOMPARE(served.engine->renameModel("tiny", std::string(200, 'x')).error().code, ErrorCode::InvalidArgument);
        QCOMPARE(served.engine->renameModel("tiny", "other").error().code, ErrorCode::AlreadyExists);
        QCOMPARE(served.engine->renameModel("none", "x").error().code, ErrorCode::NotFound);
    }

    void snapshot_countsTokensAndMemoryThatSumsUp() {
        Served served;
        VERIFY_OK(served.engine->submit("tiny", requestFor({5, 6, 7}, 12, served.first)));
        (void)served.first.wait();
        QTRY_COMPARE(served.engine->snapshot()->counters.at("generation_tokens_total"), 12.0);
        const auto snapshot = served.engine->snapshot();
        QCOMPARE(snapshot->counters.at("prompt_tokens_total"), 3.0);
        QCOMPARE(snapshot->counters.at("request_success_total_length"), 1.0);
        QCOMPARE(snapshot->ttftMs.samples, 1);
        const MemoryByOwner& memory = snapshot->memory;
        QVERIFY(memory.weights > 0);
        QCOMPARE(memory.weights + memory.training + memory.kvRunning + memory.kvCached + memory.adapters +
                     memory.domainRows + memory.workspace + memory.free,
                 memory.total);
        QVERIFY(snapshot->residentBytes > 0);
        QVERIFY(!served.engine->history(3600).empty());
        // Counters outlive the model.
        VERIFY_OK(served.engine->unloadModel("tiny"));
        QTRY_VERIFY(served.engine->snapshot()->models.empty());
        QCOMPARE(served.engine->snapshot()->counters.at("generation_tokens_total"), 12.0);
    }

    void events_areNumberedWithoutGapsAndCanBeReadAgain() {
        EngineFixture fixture;
        auto engine = std::move(fixture.open()).value();
        std::mutex mutex;
        std::vector<std::int64_t> numbers;
        auto subscription = engine->subscribe([&](const NumberedEvent& event) {
            const std::lock_guard lock(mutex);
            numbers.push_back(event.sequence);
        });
        const std::int64_t before = engine->lastSequence();
        VERIFY_OK(importAndWait(*engine, {.path = fixture.makeModel("tiny").string()}));
        subscription.reset();
        const auto events = engine->eventsAfter(before);
        VERIFY_OK(events);
        QVERIFY(std::ranges::any_of(*events, [](const NumberedEvent& event) {
            const auto* changed = std::get_if<ModelChanged>(&event.event);
            return changed && changed->change == "imported";
        }));
        const std::lock_guard lock(mutex);
        QVERIFY(!numbers.empty());
        for (std::size_t i = 1; i < numbers.size(); ++i) QCOMPARE(numbers[i], numbers[i - 1] + 1);
    }

    void eventLog_saysSoWhenTheGapIsGone() {
        EventLog log(3);
        for (int i = 0; i < 5; ++i) log.publish(ServeChanged{ServeState::Serving});
        QCOMPARE(log.after(5)->size(), std::size_t{0});
        QCOMPARE(log.after(2)->size(), std::size_t{3});
        QCOMPARE(log.after(2)->front().sequence, 3);
        QCOMPARE(log.after(1).error().code, ErrorCode::NotFound);
        QCOMPARE(log.after(6).error().code, ErrorCode::NotFound);
    }

    void aSecondEngine_isLockedOutAndReadersShareWithReaders() {
        EngineFixture fixture;
        {
            const auto writer = fixture.open();
            VERIFY_OK(writer);
            const auto second = fixture.open();
            QCOMPARE(second.error().code, ErrorCode::Locked);
            QVERIFY(second.error().message.find("process " + std::to_string(::getpid())) != std::string::npos);
            auto reading = fixture.options();
            reading.readOnly = true;
            QCOMPARE(fixture.open(reading, *fixture.files).error().code, ErrorCode::Locked);
        }
        std::ofstream(fixture.options().workspace / "lock") << "process 12345678";  // as one that was killed leaves it
        auto reading = fixture.options();
        reading.readOnly = true;
        const auto one = fixture.open(reading, *fixture.files);
        const auto two = fixture.open(reading, *fixture.files);
        VERIFY_OK(one);
        VERIFY_OK(two);
        const auto writer = fixture.open();
        QCOMPARE(writer.error().code, ErrorCode::Locked);
        QVERIFY2(writer.error().message.find("being read by another command") != std::string::npos,
                 writer.error().message.c_str());
        QCOMPARE((*one)->startImport({.path = fixture.makeModel("tiny").string()}).error().code, ErrorCode::Locked);
    }

    void aReader_opensAWorkspaceThatIsNotThereYet() {
        EngineFixture fixture;
        auto reading = fixture.options();
        reading.readOnly = true;
        const auto engine = fixture.open(reading, *fixture.files);
        VERIFY_OK(engine);
        QVERIFY((*engine)->models().empty());
    }

    void readOnlyEngine_servesWhatIsThere() {
        Served served;
        served.engine.reset();
        auto reading = served.fixture.options();
        reading.readOnly = true;
        served.engine = std::move(served.fixture.open(reading, *served.fixture.files)).value();
        VERIFY_OK(served.engine->submit("tiny", requestFor({5}, 4, served.first)));
        QCOMPARE(*served.first.wait().back().finish, FinishReason::Length);
    }

    void aDamagedDatabase_isRefusedAndStays() {
        EngineFixture fixture;
        std::filesystem::create_directories(fixture.workspace);
        writeFile(fixture.workspace / "workspace.db", std::string(4096, 'x'));
        const auto engine = fixture.open();
        QCOMPARE(engine.error().code, ErrorCode::Database);
        QCOMPARE(*fixture.files->readText(fixture.workspace / "workspace.db", 1 << 20), std::string(4096, 'x'));
    }

    void aLogThatTheDatabaseDoesNotTake_isSaidToThoseWhoWatch() {
        EngineFixture fixture;
        auto engine = fixture.open().value();
        auto database = Database::open(fixture.workspace / "workspace.db", Database::Access::Write).value();
        VERIFY_OK(database.execute("DROP TABLE run_log"));
        engine->log("info", "test", "nobody will keep this");
        const auto isTold = [&] {
            const auto events = engine->eventsAfter(0);
            return std::ranges::any_of(*events, [](const NumberedEvent& numbered) {
                const auto* record = std::get_if<LogRecord>(&numbered.event);
                return record && record->level == "error" && record->source == "store" &&
                       record->text.find(" lost: ") != std::string::npos;
            });
        };
        QTRY_VERIFY_WITH_TIMEOUT(isTold(), 60000);
    }

    void theWorkspaceFolder_isItsOwnersAlone() {
        EngineFixture fixture;
        const auto engine = fixture.open();
        VERIFY_OK(engine);
        using std::filesystem::perms;
        for (const char* name : {".", "models", "runs"})
            QCOMPARE(std::filesystem::status(fixture.workspace / name).permissions() & perms::mask, perms::owner_all);
    }
};
ESPALIER_TEST(tst_engine, TestEngine)
#include "tst_engine.moc"
