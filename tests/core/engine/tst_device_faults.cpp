// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>

#include "tests/core/engine/engine_fixture.h"
#include "tests/support/faulty_backend.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

namespace {

struct Faulty {
    EngineFixture fixture;
    FaultyBackend backend{*fixture.backend};
    Collector first, second, third;
    std::unique_ptr<Engine> engine;

    Faulty() {
        engine = std::move(Engine::open(fixture.options(), backend, *fixture.files, fixture.clock)).value();
        for (const auto& [name, seed] : {std::pair("a", 1), std::pair("b", 2)}) {
            const Path path = fixture.makeModel(name, {.seed = static_cast<std::uint64_t>(seed)});
            if (importAndWait(*engine, {.path = path.string()})->state != JobState::Finished) qFatal("no model");
        }
    }
};

}  // namespace

class TestDeviceFaults : public QObject {
    Q_OBJECT
private slots:
    void aDeviceError_failsTheRequestsUnloadsTheModelAndOthersGoOn() {
        Faulty faulty;
        VERIFY_OK(faulty.engine->submit("a", requestFor({5}, 400, faulty.first)));
        faulty.first.waitForFirst();
        faulty.backend.failSynchronize(1);
        const auto chunks = faulty.first.wait();
        QCOMPARE(*chunks.back().finish, FinishReason::Failed);
        QCOMPARE(chunks.back().error->code, ErrorCode::DeviceError);
        QTRY_VERIFY(faulty.engine->snapshot()->models.empty());
        VERIFY_OK(faulty.engine->submit("b", requestFor({5}, 5, faulty.second)));
        QCOMPARE(*faulty.second.wait().back().finish, FinishReason::Length);
        VERIFY_OK(faulty.engine->submit("a", requestFor({5}, 5, faulty.third)));
        QCOMPARE(*faulty.third.wait().back().finish, FinishReason::Length);
        const auto log = faulty.engine->newestLog(20);
        QVERIFY(std::ranges::any_of(log, [](const LogRecord& record) {
            return record.level == "error" && record.text.find("device error") != std::string::npos;
        }));
    }

    void memoryThatIsNotThere_failsTheLoadAndTheNextTryWorks() {
        Faulty faulty;
        faulty.backend.failAllocate(true);
        VERIFY_OK(faulty.engine->submit("a", requestFor({5}, 5, faulty.first)));
        const auto chunks = faulty.first.wait();
        QCOMPARE(*chunks.back().finish, FinishReason::Failed);
        QCOMPARE(chunks.back().error->code, ErrorCode::PoolExhausted);
        faulty.backend.failAllocate(false);
        VERIFY_OK(faulty.engine->submit("a", requestFor({5}, 5, faulty.second)));
        QCOMPARE(*faulty.second.wait().back().finish, FinishReason::Length);
    }

    void loadingAModel_doesNotStopTheOthersFromDecoding() {
        Faulty faulty;
        VERIFY_OK(faulty.engine->submit("a", requestFor({5}, 400, faulty.first)));
        faulty.first.waitForFirst();
        // Both run on the engine thread: what arrives between two weights was decoded while loading.
        std::vector<std::size_t> seen;
        faulty.backend.onPackWeight = [&] { seen.push_back(faulty.first.chunks().size()); };
        VERIFY_OK(faulty.engine->submit("b", requestFor({5}, 1, faulty.second)));
        QCOMPARE(*faulty.second.wait().back().finish, FinishReason::Length);
        QVERIFY(seen.size() > 4);
        QVERIFY(seen.back() >= seen.front() + 2);
    }

    void unloadingAModelOnItsWay_cancelsWhatWaitsForIt() {
        Faulty faulty;
        bool asked = false;
        faulty.backend.onPackWeight = [&] {
            if (!std::exchange(asked, true)) (void)faulty.engine->unloadModel("a");
        };
        VERIFY_OK(faulty.engine->submit("a", requestFor({5}, 5, faulty.first)));
        QCOMPARE(*faulty.first.wait().back().finish, FinishReason::Cancelled);
        QTRY_VERIFY(faulty.engine->snapshot()->models.empty());
        VERIFY_OK(faulty.engine->submit("a", requestFor({5}, 5, faulty.second)));
        QCOMPARE(*faulty.second.wait().back().finish, FinishReason::Length);
    }

    void cancellingWhileItsModelLoads_endsTheRequestAtOnce() {
        Faulty faulty;
        std::atomic<std::uint64_t> id = 0;
        faulty.backend.onPackWeight = [&] {
            while (id == 0) std::this_thread::yield();
            faulty.engine->cancel(RequestId{id});
        };
        id = faulty.engine->submit("a", requestFor({5}, 5, faulty.first))->value;
        QCOMPARE(*faulty.first.wait().back().finish, FinishReason::Cancelled);
    }

    void closingTheEngineWhileAModelLoads_endsWhatWaits() {
        Faulty faulty;
        std::atomic<bool> loading = false, closing = false;
        faulty.backend.onPackWeight = [&] {
            loading = true;
            while (!closing) std::this_thread::yield();
        };
        VERIFY_OK(faulty.engine->submit("a", requestFor({5}, 5, faulty.first)));
        while (!loading) std::this_thread::yield();
        closing = true;
        faulty.engine.reset();
        QCOMPARE(faulty.first.finishCount(), std::size_t{1});
    }
};
ESPALIER_TEST(tst_device_faults, TestDeviceFaults)
#include "tst_device_faults.moc"
