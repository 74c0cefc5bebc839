// SPDX-License-Identifier: GPL-3.0-or-later
// Adapters changed by several at once, stopped on the way, or over what an earlier run left: no row without its files,
// no files without a row.
#include <atomic>
#include <fstream>
#include <thread>

#include "core/engine/adapter_shelf.h"
#include "tests/core/engine/adapter_fixture.h"
#include "tests/support/fault_injection.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

namespace {

// The shelf alone over the fixture's workspace, whose engine is closed meanwhile.
struct Shelf {
    AdapterFixture& fixture;
    std::unique_ptr<Workspace> workspace;
    std::optional<ModelShelf> models;
    std::optional<AdapterShelf> adapters;

    explicit Shelf(AdapterFixture& of) : fixture(of) {
        fixture.engine.reset();
        workspace = Workspace::open(fixture.workspace, Workspace::Access::Write, *fixture.files, fixture.clock).value();
        models.emplace(*workspace, *fixture.files);
        CHECK(models->reload());
        adapters.emplace(*workspace, *fixture.files, *models);
    }
    Result<AdapterBrought> bring(const Path& source, const std::string& name, bool isReload) {
        const AdapterArrival arrival{source, models->find("tiny").value(), name, {}, isReload};
        return std::move(adapters->bring({&arrival, 1}, 1).front());
    }
    void close() {
        adapters.reset();
        models.reset();
        workspace.reset();
        fixture.engine = fixture.open().value();
    }
};

void putFile(const Path& folder, const std::string& name) {
    std::filesystem::create_directories(folder);
    std::ofstream(folder / name) << "left over";
}

// Lines of the log, which is written a moment later.
int sentencesWith(const Engine& engine, const std::string& text) {
    int count = 0;
    for (const LogRecord& record : engine.newestLog(100)) count += record.text.find(text) != std::string::npos;
    return count;
}

}  // namespace

class TestAdapterShelf : public QObject {
    Q_OBJECT

private slots:
    void theSameReloadTwice_isOneVersionWithItsFiles() {
        AdapterFixture fixture;
        VERIFY_OK(fixture.start());
        VERIFY_OK(fixture.import("math"));
        const Path changed = fixture.makeAdapter("changed", {.seed = 9});
        Shelf shelf(fixture);
        VERIFY_OK(shelf.adapters->reload());
        const auto old = shelf.adapters->find("tiny:math").value();
        const auto first = shelf.bring(changed, "math", true), second = shelf.bring(changed, "math", true);
        VERIFY_OK(first);
        VERIFY_OK(second);
        QCOMPARE(first->replaced, old.digest);
        QCOMPARE(second->replaced, std::string());  // nothing is left to do
        QCOMPARE(second->record.id, first->record.id);
        QCOMPARE(second->record.version, 2);
        shelf.close();
        QCOMPARE(fixture.folders(), std::vector<std::string>{first->record.id});
        QCOMPARE(fixture.generate("tiny:math").size(), std::size_t{24});
    }

    // The others have looked the adapter up, or are about to, while the first is at work.
    void manyReloadAtOnce_andOneVersionComesOfIt() {
        AdapterFixture fixture;
        VERIFY_OK(fixture.start());
        VERIFY_OK(fixture.import("math"));
        const std::string changed = fixture.makeAdapter("changed", {.seed = 9}).string();
        fixture.reopenFaulty();
        const std::int64_t before = fixture.engine->lastSequence();
        constexpr int kOthers = 5;
        std::atomic<int> begun = 0;
        std::vector<std::thread> others;
        std::vector<Result<AdapterRecord>> answers(kOthers + 1, fail(ErrorCode::Internal, "no answer"));
        std::once_flag once;
        fixture.faulty.atEachCall([&](std::int64_t, const Path&) {
            std::call_once(once, [&] {
                for (int i = 1; i <= kOthers; ++i)
                    others.emplace_back([&, i] {
                        ++begun;
                        answers[static_cast<std::size_t>(i)] = fixture.engine->reloadAdapter("tiny:math", changed);
                    });
                while (begun < kOthers) std::this_thread::yield();
            });
        });
        answers[0] = fixture.engine->reloadAdapter("tiny:math", changed);
        for (std::thread& other : others) other.join();
        for (const auto& answer : answers) {
            VERIFY_OK(answer);
            QCOMPARE(answer->version, 2);
            QCOMPARE(answer->id, answers[0]->id);
        }
        int reloaded = 0;
        const auto events = fixture.engine->eventsAfter(before).value();
        for (const NumberedEvent& event : events) reloaded += std::holds_alternative<AdapterChanged>(event.event);
        QCOMPARE(reloaded, 1);
        QCOMPARE(fixture.folders(), std::vector<std::string>{answers[0]->id});
        QCOMPARE(fixture.generate("tiny:math").size(), std::size_t{24});
    }

    void whatWasRemovedMeanwhile_isNotReloaded() {
        AdapterFixture fixture;
        VERIFY_OK(fixture.start());
        const auto math = fixture.import("math");
        VERIFY_OK(math);
        Shelf shelf(fixture);
        VERIFY_OK(shelf.adapters->reload());
        VERIFY_OK(shelf.adapters->remove(*math, [&] { return shelf.workspace->adapters().erase(math->id); }));
        QCOMPARE(shelf.bring(fixture.root / "math", "math", true).error().code, ErrorCode::NotFound);
        shelf.close();
        QVERIFY(fixture.folders().empty());
    }

    // A base that comes out of the bin is on its shelf a moment before its adapters are on theirs.
    void whatARowNames_isNotWrittenOver() {
        AdapterFixture fixture;
        VERIFY_OK(fixture.start());
        const auto math = fixture.import("math");
        VERIFY_OK(math);
        const auto answer = fixture.generate("tiny:math");
        Shelf shelf(fixture);  // whose records are not read yet
        QCOMPARE(shelf.bring(fixture.root / "math", "math", false).error().code, ErrorCode::AlreadyExists);
        shelf.close();
        QCOMPARE(fixture.folders(), std::vector<std::string>{math->id});
        QCOMPARE(fixture.generate("tiny:math"), answer);
    }

    void aReloadThatFailsAnywhere_leavesOneWholeVersion() {
        AdapterFixture fixture;
        VERIFY_OK(fixture.start());
        VERIFY_OK(fixture.import("math"));
        fixture.reopenFaulty();
        int failures = 0;
        for (int call = 1; call < 100; ++call) {
            fixture.makeAdapter("math", {.seed = 100 + static_cast<std::uint64_t>(call)});
            fixture.faulty.failCall(call, ErrorCode::IoError);
            const std::int64_t before = fixture.faulty.changingCalls();
            const auto reloaded = fixture.engine->reloadAdapter("tiny:math");
            const bool hasFailed = fixture.faulty.changingCalls() - before >= call;
            fixture.faulty.failCall(1 << 20, ErrorCode::IoError);  // no more
            const auto there = fixture.engine->findAdapter("tiny:math");
            VERIFY_OK(there);
            if (reloaded) QCOMPARE(there->id, reloaded->id);
            auto left = fixture.folders();
            // What says of itself that it goes, goes at the next start.
            std::erase_if(left, [](const std::string& name) { return name.starts_with("."); });
            QVERIFY2(left == std::vector<std::string>{there->id}, std::to_string(call).c_str());
            QCOMPARE(fixture.generate("tiny:math", 4).size(), std::size_t{4});
            if (!hasFailed) break;
            ++failures;
        }
        QVERIFY(failures > 10);
        fixture.reopenFaulty();
        QCOMPARE(fixture.folders(), fixture.ids());
    }

    // Others see the first hundreds while the rest is read, and who stops keeps those.
    void aStoppedImport_keepsWhatCameInAndCancelsTheRest() {
        AdapterFixture fixture;
        VERIFY_OK(fixture.start());
        fixture.reopenFaulty();
        const auto requests = fixture.requests(300);
        std::stop_source stop;
        std::size_t seen = 0;
        fixture.faulty.atEachCall([&](std::int64_t, const Path&) {
            if (seen > 0) return;
            seen = fixture.engine->adapters().size();
            if (seen > 0) stop.request_stop();
        });
        const auto answers = fixture.engine->importAdapters(requests, stop.get_token());
        QCOMPARE(seen, std::size_t{256});
        QCOMPARE(answers.size(), requests.size());
        for (std::size_t i = 0; i < answers.size(); ++i) {
            if (i < seen)
                VERIFY_OK(answers[i]);
            else
                QCOMPARE(answers[i].error().code, ErrorCode::Cancelled);
        }
        QCOMPARE(fixture.folders(), fixture.ids());
        QCOMPARE(fixture.folders().size(), seen);
        fixture.makeAdapter("v0", {.seed = 1000});
        QCOMPARE(fixture.engine->reloadAdapter("tiny:v0", {}, stop.get_token()).error().code, ErrorCode::Cancelled);
    }

    void whatARemovalLeft_stopsNeitherTheStartNorTheNextRemoval() {
        AdapterFixture fixture;
        VERIFY_OK(fixture.start());
        const auto math = fixture.import("math");
        VERIFY_OK(math);
        const auto answer = fixture.generate("tiny:math");
        const Path left = fixture.workspace / "adapters" / (".removed-" + math->id);
        fixture.engine.reset();
        putFile(left, "adapter_config.json");  // of the same content, imported once before
        auto opened = fixture.open();
        VERIFY_OK(opened);
        fixture.engine = std::move(*opened);
        QCOMPARE(fixture.folders(), std::vector<std::string>{math->id});
        QCOMPARE(fixture.generate("tiny:math"), answer);
        putFile(left, "adapter_config.json");
        VERIFY_OK(fixture.engine->removeAdapter("tiny:math"));
        QVERIFY(fixture.folders().empty());
        VERIFY_OK(fixture.import("math"));
        putFile(left, "adapter_config.json");
        fixture.makeAdapter("math", {.seed = 9});
        VERIFY_OK(fixture.engine->reloadAdapter("tiny:math"));
        QCOMPARE(fixture.folders(), fixture.ids());
    }

    void aFolderThatResists_isLoggedAndTheStartGoesOn() {
        AdapterFixture fixture;
        VERIFY_OK(fixture.start());
        const auto math = fixture.import("math"), law = fixture.import("law", {.seed = 2});
        VERIFY_OK(math);
        VERIFY_OK(law);
        const Path adapters = fixture.workspace / "adapters";
        std::set<std::string> resisted;
        for (std::int64_t call = 1;; ++call) {
            QVERIFY(call < 100);
            fixture.engine.reset();
            putFile(adapters / ".partial-a-1", "adapter_config.json");
            putFile(adapters / ".removed-a-2", "adapter_config.json");
            putFile(adapters / "a-3", "adapter_config.json");
            std::ofstream(adapters / ".unlisted-arriving") << "a-3\n";
            std::filesystem::rename(adapters / math->id, adapters / (".removed-" + math->id));
            putFile(adapters / (".removed-" + law->id), "adapter_config.json");
            FaultInjection faulty(*fixture.files);
            Path failed;
            faulty.atEachCall([&](std::int64_t number, const Path& path) {
                if (number == call) failed = path;
            });
            faulty.failCall(call, ErrorCode::IoError);
            auto opened = fixture.open(fixture.options(), faulty);
            const bool isBelow = failed.parent_path() == adapters;
            QVERIFY2(opened || !isBelow, failed.c_str());
            if (isBelow) {
                resisted.insert(failed.filename().string());
                QTRY_VERIFY_WITH_TIMEOUT(sentencesWith(**opened, failed.filename().string()) > 0, 60000);
            }
            const bool isOver = faulty.changingCalls() < call;
            opened = fail(ErrorCode::Internal, "closed");
            fixture.engine = fixture.open().value();
            QCOMPARE(fixture.folders(), fixture.ids());
            QCOMPARE(fixture.folders().size(), std::size_t{2});
            QVERIFY(!fixture.generate("tiny:math", 4).empty() && !fixture.generate("tiny:law", 4).empty());
            if (isOver) break;
        }
        QCOMPARE(resisted, (std::set<std::string>{".partial-a-1", ".removed-a-2", "a-3", ".unlisted-arriving",
                                                  ".removed-" + math->id, math->id, ".removed-" + law->id}));
    }

    void aNoteThatCannotBeRead_isLoggedAndTheStartGoesOn() {
        AdapterFixture fixture;
        VERIFY_OK(fixture.start());
        VERIFY_OK(fixture.import("math"));
        fixture.engine.reset();
        const Path note = fixture.workspace / "adapters" / ".unlisted-arriving";
        std::ofstream(note) << "x";
        std::filesystem::resize_file(note, 64ull << 20);
        std::filesystem::create_directory(fixture.workspace / "adapters" / ".unlisted-folder");
        auto opened = fixture.open();
        VERIFY_OK(opened);
        fixture.engine = std::move(*opened);
        QVERIFY(!fixture.generate("tiny:math").empty());
        QTRY_COMPARE_WITH_TIMEOUT(sentencesWith(*fixture.engine, ".unlisted-"), 2, 60000);
        VERIFY_OK(fixture.import("law"));  // writes that note anew
    }

    // A rename that was made but could not be made durable, too.
    void aRemovalThatFails_leavesTheAdapterAsItWas() {
        AdapterFixture fixture;
        VERIFY_OK(fixture.start());
        VERIFY_OK(fixture.import("math"));
        fixture.reopenFaulty();
        int failed = 0;
        for (int call = 1; call < 20; ++call) {
            fixture.faulty.failCall(call, ErrorCode::IoError);
            const auto removed = fixture.engine->removeAdapter("tiny:math");
            fixture.faulty.failCall(1 << 20, ErrorCode::IoError);
            if (removed) break;
            ++failed;
            QCOMPARE(fixture.folders(), fixture.ids());
            QCOMPARE(fixture.generate("tiny:math", 4).size(), std::size_t{4});
        }
        QVERIFY(failed >= 2);
        QVERIFY(fixture.engine->adapters().empty());
    }
};

ESPALIER_TEST(tst_adapter_shelf, TestAdapterShelf)
#include "tst_adapter_shelf.moc"
