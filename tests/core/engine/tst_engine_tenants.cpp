// SPDX-License-Identifier: GPL-3.0-or-later
// Tenants through the engine's one door, with a real model: limits, revocation, shares, isolation of the prefix cache.
#include "core/serving/scheduler.h"
#include "tests/core/engine/engine_fixture.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

namespace {

constexpr std::int32_t kForever = 190000;

struct Served {
    EngineFixture fixture;
    Collector first, second, third;
    std::unique_ptr<Engine> engine;

    Served() {
        engine = std::move(fixture.open()).value();
        TinyModelOptions options;
        options.seed = 1;
        options.context = 200000;  // no answer ends before a test has looked at it
        const auto job = importAndWait(*engine, {.path = fixture.makeModel("tiny", options).string()});
        if (!job || job->state != JobState::Finished) qFatal("the tiny model did not import");
    }
    void create(const std::string& name, const TenantLimits& limits = {}) {
        if (const auto created = engine->tenants().create(name, limits); !created)
            qFatal("%s", created.error().message.c_str());
    }
    Result<RequestId> submit(const std::string& tenant, std::vector<TokenId> prompt, std::int32_t tokens,
                             Collector& collector) {
        Request request = requestFor(std::move(prompt), tokens, collector);
        request.tenant = tenant;
        return engine->submit("tiny", std::move(request));
    }
    double counter(const std::string& name) const {
        // The snapshot is made anew at least once a second.
        const auto after = engine->snapshot()->at;
        while (engine->snapshot()->at <= after) std::this_thread::sleep_for(std::chrono::milliseconds(5));
        return engine->snapshot()->counters.at(name);
    }
};

std::vector<TokenId> prompt(std::int32_t tokens) {
    std::vector<TokenId> ids;
    for (std::int32_t i = 0; i < tokens; ++i) ids.push_back(5 + i % 40);
    return ids;
}

}  // namespace

class TestEngineTenants : public QObject {
    Q_OBJECT
private slots:
    void whoIsNotATenant_isRefusedAtTheDoor() {
        Served served;
        QCOMPARE(served.submit("nobody", {5}, 4, served.first).error().code, ErrorCode::Unauthorized);
        QVERIFY(served.first.chunks().empty());
        VERIFY_OK(served.submit("", {5}, 4, served.first));  // the owner
        (void)served.first.wait();
        QCOMPARE(served.engine->tenants().find("owner")->today.generatedTokens, std::int64_t{4});
    }
    void use_isCountedAndSurvivesARestart() {
        Served served;
        served.create("ada");
        VERIFY_OK(served.submit("ada", prompt(40), 6, served.first));
        (void)served.first.wait();
        VERIFY_OK(served.submit("ada", prompt(40), 6, served.second));
        (void)served.second.wait();
        const auto expect = [&] {
            const auto today = served.engine->tenants().find("ada")->today;
            QCOMPARE(today.requests, std::int64_t{2});
            QCOMPARE(today.promptTokens, std::int64_t{80});
            QCOMPARE(today.cachedTokens, std::int64_t{32});
            QCOMPARE(today.generatedTokens, std::int64_t{12});
        };
        const auto day = served.fixture.clock.unixMilliseconds() / kDayMs;
        expect();
        served.engine.reset();
        served.engine = std::move(served.fixture.open()).value();
        if (served.fixture.clock.unixMilliseconds() / kDayMs == day) expect();
        const auto usage = served.engine->tenants().usage({});
        VERIFY_OK(usage);
        std::int64_t generated = 0;
        for (const UsageRow& row : *usage) generated += row.generatedTokens;
        QCOMPARE(generated, std::int64_t{12});
    }
    void aRefusedRequest_takesNothing() {
        Served served;
        served.create("ada", {.maxConcurrency = 1});
        // The engine refuses what the tenant was admitted for: its place is free again.
        QCOMPARE(served.submit("ada", {kTinyVocabulary}, 4, served.first).error().code, ErrorCode::InvalidArgument);
        VERIFY_OK(served.submit("ada", {5}, kForever, served.first));
        const auto busy = served.submit("ada", {5}, 4, served.second);
        QCOMPARE(busy.error().code, ErrorCode::Busy);
        QVERIFY(busy.error().retryAfterS >= 1);
        QVERIFY(served.second.chunks().empty());
        VERIFY_OK(served.submit("", {5}, 4, served.second));
        (void)served.second.wait();
    }
    void revoking_endsWhatRunsAndTheOthersGoOn() {
        Served served;
        served.create("ada");
        served.create("bo");
        VERIFY_OK(served.submit("ada", {5}, kForever, served.first));
        VERIFY_OK(served.submit("bo", {6}, 60, served.second));
        served.first.waitForFirst();
        VERIFY_OK(served.engine->tenants().revoke("ada"));
        const Chunk last = served.first.wait().back();
        QCOMPARE(*last.finish, FinishReason::Failed);
        QCOMPARE(last.error->code, ErrorCode::Unauthorized);
        QCOMPARE(*served.second.wait().back().finish, FinishReason::Length);
        QCOMPARE(idsOf(served.second.chunks()).size(), std::size_t{60});
        QCOMPARE(served.submit("ada", {5}, 4, served.third).error().code, ErrorCode::Unauthorized);
        VERIFY_OK(served.engine->tenants().restore("ada"));
        VERIFY_OK(served.submit("ada", {5}, 4, served.third));
        QCOMPARE(idsOf(served.third.wait()).size(), std::size_t{4});
    }
    void noPrefixHitCrossesTenants() {
        Served served;
        served.create("ada");
        served.create("bo");
        VERIFY_OK(served.submit("ada", prompt(100), 2, served.first));
        (void)served.first.wait();
        const double before = served.counter("prefix_cache_hits_total");
        VERIFY_OK(served.submit("bo", prompt(100), 2, served.second));
        QCOMPARE(served.second.wait().back().usage.cachedTokens, 0);
        QCOMPARE(served.counter("prefix_cache_hits_total"), before);
        VERIFY_OK(served.submit("ada", prompt(100), 2, served.third));  // its own it does find
        QCOMPARE(served.third.wait().back().usage.cachedTokens, 96);
        QCOMPARE(served.counter("prefix_cache_hits_total"), before + 96);
        QCOMPARE(idsOf(served.first.chunks()), idsOf(served.second.chunks()));
    }
    void aCapOnPages_cutsAnAnswerAndRefusesAPrompt() {
        Served served;
        served.create("ada", {.kvPages = 2});
        VERIFY_OK(served.submit("ada", prompt(20), kForever, served.first));
        const Chunk last = served.first.wait().back();
        QCOMPARE(*last.finish, FinishReason::Length);
        QCOMPARE(last.usage.completionTokens, 12);  // 32 tokens are two pages
        VERIFY_OK(served.submit("ada", prompt(32), 1, served.second));
        QCOMPARE(served.second.wait().back().error->code, ErrorCode::TooLarge);
        VERIFY_OK(served.engine->tenants().limit("ada", {}));
        VERIFY_OK(served.submit("ada", prompt(32), 1, served.third));
        QCOMPARE(*served.third.wait().back().finish, FinishReason::Length);
    }
    void snapshots_nameTenantsWithWork() {
        Served served;
        served.create("ada");
        VERIFY_OK(served.submit("ada", {5}, kForever, served.first));
        served.first.waitForFirst();
        const auto shows = [&] {
            for (const TenantLoad& row : served.engine->snapshot()->tenants)
                if (row.name == "ada" && row.running == 1 && row.kvPages > 0 && row.kvBytes > 0) return true;
            return false;
        };
        QTRY_VERIFY_WITH_TIMEOUT(shows() || served.first.finishCount() > 0, 60000);
        QCOMPARE(served.first.finishCount(), std::size_t{0});  // it was seen while it ran
    }
};
ESPALIER_TEST(tst_engine_tenants, TestEngineTenants)
#include "tst_engine_tenants.moc"
