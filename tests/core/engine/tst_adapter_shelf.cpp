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
