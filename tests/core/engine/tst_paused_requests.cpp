// SPDX-License-Identifier: GPL-3.0-or-later
// What happens to a request whose answer pauses, for somebody else's, from outside: cancelled, its tenant revoked, the
// server drained, stopped, closed. The device stands still while the test acts, so that nothing depends on how fast.
#include <condition_variable>
#include <mutex>

#include "tests/core/engine/engine_fixture.h"
#include "tests/support/faulty_backend.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

namespace {

class Gate {
public:
    void close() {
        const std::lock_guard lock(m_mutex);
        m_isClosed = true;
        m_changed.notify_all();
    }
    void open() {
        const std::lock_guard lock(m_mutex);
        m_isClosed = false;
        m_changed.notify_all();
    }
    void pass() {
        std::unique_lock lock(m_mutex);
        m_changed.wait(lock, [this] { return !m_isClosed; });
    }
    void waitUntilClosed() {
        std::unique_lock lock(m_mutex);
        m_changed.wait(lock, [this] { return m_isClosed; });
    }

private:
    std::mutex m_mutex;
    std::condition_variable m_changed;
    bool m_isClosed = false;
};

// Two places; ada's two answers have them when bo comes (at the newer one's second token), so that this one pauses. At
// bo's fifth token the device stands still.
struct Paused {
    static constexpr std::int32_t kAnswer = 60;
    EngineFixture fixture;
    FaultyBackend device{*fixture.backend};
    Gate gate;
    Collector older, newer, other;
    std::vector<TokenId> expected;  // what each says
    RequestId newerId;
    std::unique_ptr<Engine> engine;

    Paused() {
        device.onSynchronize = [this] { gate.pass(); };
        EngineOptions options = fixture.options();
        options.maxSequences = 2;
        engine = std::move(Engine::open(options, device, *fixture.files, fixture.clock)).value();
        const Path model = fixture.makeModel("tiny");
        if (importAndWait(*engine, {.path = model.string()})->state != JobState::Finished) qFatal("no model");
        for (const char* tenant : {"ada", "bo"})
            if (!engine->tenants().create(tenant, {})) qFatal("no tenant");
        Collector alone;
        (void)ask("bo", alone);
        expected = idsOf(alone.wait());
        (void)ask("ada", older);
        newerId = ask("ada", newer, 2);
        gate.waitUntilClosed();
        (void)ask("bo", other, 5);
        gate.open();
        gate.waitUntilClosed();
    }
    ~Paused() { gate.open(); }

    // holdsAt: its token at which the device stands still, 0: none.
    RequestId ask(const char* tenant, Collector& collector, int holdsAt = 0) {
        Request request = requestFor({5, 80, 81, 7}, kAnswer, collector);
        request.tenant = tenant;
        request.sink = [this, sink = request.sink, holdsAt, tokens = 0](const Chunk& chunk) mutable {
            sink(chunk);
            tokens += static_cast<int>(chunk.ids.size());
            if (tokens == holdsAt && !chunk.ids.empty()) gate.close();
        };
        return engine->submit("tiny", std::move(request)).value();
    }
    // It began, its neighbours are ahead of it, and it has not ended.
    bool isPaused() const {
        const auto said = [](const Collector& collector) { return idsOf(collector.chunks()).size(); };
        return said(newer) > 0 && said(other) == 5 && said(older) >= said(newer) + 3 && newer.finishCount() == 0;
    }
    FinishReason endOf(Collector& collector) { return *collector.wait().back().finish; }
    bool nothingIsHeld() const {
        const auto snapshot = engine->snapshot();
        return snapshot->running == 0 && snapshot->waiting == 0 && snapshot->models.size() == 1 &&
               snapshot->models[0].poolPagesUsed == 0;
    }
};

}  // namespace

class TestPausedRequests : public QObject {
    Q_OBJECT
private slots:
    void cancelled_itEndsAndTheOthersSayTheSame() {
        Paused paused;
        QVERIFY(paused.isPaused());
        paused.engine->cancel(paused.newerId);
        paused.gate.open();
        QCOMPARE(paused.endOf(paused.newer), FinishReason::Cancelled);
        QCOMPARE(idsOf(paused.older.wait()), paused.expected);
        QCOMPARE(idsOf(paused.other.wait()), paused.expected);
        QTRY_VERIFY_WITH_TIMEOUT(paused.nothingIsHeld(), 60000);
    }
    void itsTenantRevoked_itEndsInWords() {
        Paused paused;
        QVERIFY(paused.isPaused());
        VERIFY_OK(paused.engine->tenants().revoke("ada"));
        paused.gate.open();
        for (Collector* collector : {&paused.older, &paused.newer}) {
            QCOMPARE(paused.endOf(*collector), FinishReason::Failed);
            QCOMPARE(collector->wait().back().error->code, ErrorCode::Unauthorized);
            QCOMPARE(collector->finishCount(), std::size_t{1});
        }
        QCOMPARE(idsOf(paused.other.wait()), paused.expected);
        QTRY_VERIFY_WITH_TIMEOUT(paused.nothingIsHeld(), 60000);
    }
    void drained_itGoesOnToItsEnd() {
        Paused paused;
        QVERIFY(paused.isPaused());
        VERIFY_OK(paused.engine->setServing(ServeState::Draining));
        paused.gate.open();
        for (Collector* collector : {&paused.older, &paused.newer, &paused.other}) {
            QCOMPARE(paused.endOf(*collector), FinishReason::Length);
            QCOMPARE(idsOf(collector->wait()), paused.expected);
        }
        QTRY_COMPARE_WITH_TIMEOUT(paused.engine->serving(), ServeState::Stopped, 60000);
        QTRY_VERIFY_WITH_TIMEOUT(paused.nothingIsHeld(), 60000);
    }
    void stopped_itIsCancelledLikeTheOthers() {
        Paused paused;
        QVERIFY(paused.isPaused());
        VERIFY_OK(paused.engine->setServing(ServeState::Stopped));
        paused.gate.open();
        for (Collector* collector : {&paused.older, &paused.newer, &paused.other})
            QCOMPARE(paused.endOf(*collector), FinishReason::Cancelled);
        QTRY_VERIFY_WITH_TIMEOUT(paused.nothingIsHeld(), 60000);
    }
    void theEngineClosed_itHasItsLastChunk() {
        Paused paused;
        QVERIFY(paused.isPaused());
        paused.gate.open();
        paused.engine.reset();
        for (const Collector* collector : {&paused.older, &paused.newer, &paused.other})
            QCOMPARE(collector->finishCount(), std::size_t{1});
    }
};
ESPALIER_TEST(tst_paused_requests, TestPausedRequests)
#include "tst_paused_requests.moc"
