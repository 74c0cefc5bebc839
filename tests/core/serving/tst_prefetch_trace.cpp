// SPDX-License-Identifier: GPL-3.0-or-later
// An overloaded trace against adapters that the pool holds a part of, on a clock that the test moves: what comes ahead
// of its turn is used, not thrown out before. Before it came just in time, 2,832 of 3,979 copies were thrown out.
#include <QTemporaryDir>
#include <QTest>
#include <chrono>

#include "core/serving/workload.h"
#include "tests/core/serving/adapter_world.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

namespace {

constexpr auto kStep = std::chrono::milliseconds(10);  // of computing
constexpr std::int32_t kDifferent = 40, kInPool = 8, kPlaces = 6;

struct Outcome {
    AdapterTraffic traffic;
    std::int64_t failed = 0, mostWaiting = 0;
    std::int64_t copies() const { return traffic.prefetchUsed + traffic.prefetchWasted; }
};

class Overload {
public:
    Overload(const Path& folder, DType kvType) : m_world(folder, kvType) {
        const auto pageBytes = layerPageBytes(m_world.backend, m_world.model.spec, kvType);
        for (std::int32_t i = 0; i < kDifferent; ++i)
            m_sources.push_back(std::make_shared<DiskSource>(tinyImage(
                m_world.model.spec, pageBytes, {.rank = 4 + i % 3 * 4, .seed = 200 + static_cast<std::uint64_t>(i)})));
    }

    // One request after the other as the trace says, a step and what disk and copier do meanwhile taking turns.
    Outcome serve(const WorkloadOptions& workload, bool prefetch) {
        const auto trace = makeWorkload(workload).value();
        const std::int32_t pages = kInPool * m_sources[2]->image->pages + kPlaces * 4;
        Held held(m_world, pages, INT64_MAX, prefetch, kPlaces);
        m_world.backend.onCopy = [&](std::int64_t) { held.clock.advance(std::chrono::microseconds(200)); };
        std::vector<Received> answers(trace.size());
        Outcome outcome;
        const TimePoint began = held.clock.now();
        std::size_t next = 0;
        while (next < trace.size() || !held.loop->idle()) {
            for (; next < trace.size() && trace[next].arrivalS <= seconds(held.clock.now() - began); ++next)
                held.submit(requestOf(trace[next], next), answers[next]);
            held.step();
            held.clock.advance(kStep);
            for (int i = 0; i < 2; ++i) {
                held.reader.runOne();
                held.copier.runOne();
            }
            const auto done = static_cast<std::int64_t>(
                std::ranges::count_if(answers, [](const Received& one) { return one.finish.has_value(); }));
            outcome.mostWaiting = std::max(outcome.mostWaiting, static_cast<std::int64_t>(next) - done - kPlaces);
        }
        m_world.backend.onCopy = {};
        CHECK(held.loop->checkIntegrity());
        for (const Received& answer : answers) outcome.failed += *answer.finish == FinishReason::Failed;
        outcome.traffic = held.tiers.trace.traffic();
        return outcome;
    }

private:
    Request requestOf(const WorkloadRequest& asked, std::size_t number) const {
        Request request;
        request.id = {number + 1};
        request.tenant = number % 3 ? "ada" : "bo";
        request.adapter = m_sources[static_cast<std::size_t>(asked.adapter)];
        request.prompt.push_back(static_cast<TokenId>(number % 200 + 4));
        while (std::ssize(request.prompt) < asked.promptTokens) request.prompt.push_back(7);
        request.maxTokens = asked.answerTokens;
        return request;
    }

    World m_world;
    std::vector<std::shared_ptr<DiskSource>> m_sources;
};

}  // namespace

class TestPrefetchTrace : public QObject {
    Q_OBJECT

    QTemporaryDir m_folder;

private slots:
    void ofAnOverloadedTraceLittleIsBroughtInVain_data() {
        QTest::addColumn<double>("alpha");
        QTest::addColumn<double>("cv");
        QTest::newRow("all alike") << 1.0 << 1.0;
        QTest::newRow("a few often") << 0.3 << 1.0;
        QTest::newRow("in bursts") << 1.0 << 4.0;
    }
    void ofAnOverloadedTraceLittleIsBroughtInVain() {
        QFETCH(double, alpha);
        QFETCH(double, cv);
        Overload overload(Path(m_folder.path().toStdString()) / "tiny", DType::F32);
        const WorkloadOptions workload{.adapters = kDifferent,
                                       .alpha = alpha,
                                       .rate = 90,
                                       .cv = cv,
                                       .durationS = 5,
                                       .leastTokens = 3,
                                       .mostTokens = 15};
        const Outcome ahead = overload.serve(workload, true), demand = overload.serve(workload, false);
        qInfo(
            "prefetch: %lld copies used, %lld thrown out; found in the pool %lld, on demand %lld; %lld waited at most",
            static_cast<long long>(ahead.traffic.prefetchUsed), static_cast<long long>(ahead.traffic.prefetchWasted),
            static_cast<long long>(ahead.traffic.foundInPool), static_cast<long long>(demand.traffic.foundInPool),
            static_cast<long long>(ahead.mostWaiting));
        QVERIFY(ahead.failed == 0 && demand.failed == 0);
        QVERIFY(ahead.mostWaiting > 10 * kPlaces);  // or it is no overload
        QVERIFY(ahead.copies() > 50 && demand.copies() == 0);
        QVERIFY(ahead.traffic.prefetchWasted * 100 <= 20 * ahead.copies());  // of 70 to 140; all three together 9
        QVERIFY(ahead.traffic.foundInPool > demand.traffic.foundInPool);
    }
};

ESPALIER_TEST(tst_prefetch_trace, TestPrefetchTrace)
#include "tst_prefetch_trace.moc"
