// SPDX-License-Identifier: GPL-3.0-or-later
// The registry of tenants with a clock that is moved by hand, in memory and over a real database.
#include <QFile>
#include <QTemporaryDir>
#include <QTest>
#include <atomic>
#include <cmath>
#include <map>
#include <thread>

#include "core/engine/tenants.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;
using Ms = std::chrono::milliseconds;
using Sec = std::chrono::seconds;

namespace {

AdapterLocation nowhere(const AdapterSource&) {
    return {};
}

struct Unread final : AdapterSource {
    Result<std::shared_ptr<const LoraImage>> read() const override {
        return fail(ErrorCode::NotFound, "not read here");
    }
};

struct Registry {
    ManualClock clock;
    std::vector<std::string> changes;
    std::vector<RequestId> cancelled;
    std::unique_ptr<Tenants> tenants;

    explicit Registry(TenantStore* store = nullptr) {
        clock.advance(std::chrono::hours(24 * 365) + std::chrono::hours(6));
        open(store);
    }
    void open(TenantStore* store) {
        auto opened =
            Tenants::open(store, clock,
                          {[this](TenantChanged change) { changes.push_back(change.name + " " + change.change); },
                           [](std::string) {}, [this](RequestId id) { cancelled.push_back(id); }});
        if (!opened) qFatal("%s", opened.error().message.c_str());
        tenants = std::move(*opened);
    }
    void create(const std::string& name, const TenantLimits& limits = {}) {
        if (const auto created = tenants->create(name, limits); !created) qFatal("%s", created.error().message.c_str());
    }
    Result<std::shared_ptr<TenantCall>> admit(const std::string& name, std::int64_t tokens = 1,
                                              std::string_view model = "tiny") {
        return tenants->admit({name, model, 1, tokens});
    }
};

// A request of an admitted call, whose chunks the test makes itself.
struct Running {
    std::vector<Chunk> chunks;
    Request request;

    Running(Tenants& tenants, std::shared_ptr<TenantCall> call, std::uint64_t id) {
        request.id = RequestId{id};
        request.prompt = {1};
        request.call = std::move(call);
        request.sink = [this](const Chunk& chunk) { chunks.push_back(chunk); };
        if (const auto begun = tenants.begin(request); !begun) qFatal("%s", begun.error().message.c_str());
    }
    void token() {
        Chunk chunk;
        chunk.id = request.id;
        chunk.ids = {7};
        request.sink(chunk);
    }
    void end(FinishReason reason, Usage usage) {
        Chunk last;
        last.id = request.id;
        last.finish = reason;
        last.usage = usage;
        request.sink(last);
    }
};

struct Disk {
    QTemporaryDir folder;
    std::unique_ptr<Writer> writer;
    std::unique_ptr<Readers> readers;
    std::unique_ptr<TenantStore> store;

    Disk() {
        const Path file = Path(folder.path().toStdString()) / "workspace.db";
        auto database = Database::open(file, Database::Access::Write);
        if (!database->migrate(workspaceMigrations(), 1)) qFatal("migrations");
        writer = std::make_unique<Writer>(std::move(*database));
        readers = std::make_unique<Readers>(file);
        store = std::make_unique<TenantStore>(*readers, writer.get());
    }
};

}  // namespace

class TestTenants : public QObject {
    Q_OBJECT
private slots:
    void aNewTenantIsActiveAndKnownByItsKeyAlone() {
        Registry registry;
        registry.create("ada", {.weight = 2.0, .maxConcurrency = 3});
        const auto issued = registry.tenants->createKey("ada");
        QVERIFY(issued);
        QCOMPARE(issued->secret.substr(0, 4), std::string("esp_"));
        QVERIFY(issued->secret.size() >= 40);
        QCOMPARE(issued->key.prefix, issued->secret.substr(0, 8));
        QCOMPARE(*registry.tenants->tenantOf(issued->secret), std::string("ada"));
        QCOMPARE(registry.tenants->tenantOf(issued->secret + "x").error().code, ErrorCode::Unauthorized);
        QCOMPARE(registry.tenants->tenantOf("").error().code, ErrorCode::Unauthorized);
        QCOMPARE(registry.changes, (std::vector<std::string>{"ada created", "ada keys"}));
        const auto record = registry.tenants->find("ada");
        QCOMPARE(record->state, std::string("active"));
        QCOMPARE(record->keys.size(), std::size_t{1});
        QCOMPARE(*record->keys[0].lastUsedAt, registry.clock.unixMilliseconds());
    }
    void namesAndLimitsAreChecked() {
        Registry registry;
        registry.create("ada");
        QCOMPARE(registry.tenants->create("ada", {}).error().code, ErrorCode::AlreadyExists);
        QCOMPARE(registry.tenants->create("owner", {}).error().code, ErrorCode::AlreadyExists);
        for (const char* name : {"", "a b", ".a", "-a", "a/b", "(others)", "a\nb"})
            QCOMPARE(registry.tenants->create(name, {}).error().code, ErrorCode::InvalidArgument);
        for (const double weight : {0.0, -1.0, 0.001, 1e9, std::nan("")})
            QCOMPARE(registry.tenants->limit("ada", {.weight = weight}).error().where, std::string("weight"));
        QCOMPARE(registry.tenants->limit("ada", {.tokensPerDay = -1}).error().where, std::string("tokens_per_day"));
        QCOMPARE(registry.tenants->limit("bo", {}).error().code, ErrorCode::NotFound);
        QCOMPARE(registry.tenants->createKey("owner").error().code, ErrorCode::InvalidArgument);
        QCOMPARE(registry.tenants->revoke("owner").error().code, ErrorCode::InvalidArgument);
    }
    void whoIsUnknownRevokedOrExpiredIsUnauthorized() {
        Registry registry;
        registry.create("ada", {.expiresAt = registry.clock.unixMilliseconds() + 1000});
        const std::string key = registry.tenants->createKey("ada")->secret;
        QCOMPARE(registry.admit("nobody").error().code, ErrorCode::Unauthorized);
        QVERIFY(registry.admit("ada"));
        registry.clock.advance(Ms(999));
        QVERIFY(registry.admit("ada"));
        registry.clock.advance(Ms(1));
        QCOMPARE(registry.admit("ada").error().code, ErrorCode::Unauthorized);
        QCOMPARE(registry.tenants->tenantOf(key).error().code, ErrorCode::Unauthorized);
        QCOMPARE(registry.tenants->find("ada")->state, std::string("expired"));
        QVERIFY(registry.tenants->limit("ada", {}));
        QVERIFY(registry.admit("ada"));
        QVERIFY(registry.tenants->revoke("ada"));
        QCOMPARE(registry.admit("ada").error().code, ErrorCode::Unauthorized);
        QCOMPARE(registry.tenants->tenantOf(key).error().code, ErrorCode::Unauthorized);
        QCOMPARE(registry.tenants->createKey("ada").error().code, ErrorCode::InvalidArgument);
        QVERIFY(registry.tenants->restore("ada"));
        QVERIFY(registry.admit("ada"));
        QCOMPARE(*registry.tenants->tenantOf(key), std::string("ada"));
    }
    void requestsAMinute_areExactAndSayWhenToComeBack() {
        Registry registry;
        registry.create("ada", {.requestsPerMinute = 3});
        for (int i = 0; i < 3; ++i) {
            QVERIFY(registry.admit("ada"));
            registry.clock.advance(Sec(10));
        }
        const auto refused = registry.admit("ada");  // the first leaves the window 30 s from now
        QCOMPARE(refused.error().code, ErrorCode::Busy);
        QCOMPARE(refused.error().retryAfterS, 30);
        registry.clock.advance(Sec(29) + Ms(990));
        QCOMPARE(registry.admit("ada").error().retryAfterS, 1);
        registry.clock.advance(Ms(10));
        QVERIFY(registry.admit("ada"));
        QVERIFY(!registry.admit("ada"));
        QCOMPARE(registry.tenants->find("ada")->today.refused, std::int64_t{3});
        QCOMPARE(registry.tenants->find("ada")->today.requests, std::int64_t{4});
    }
    void tokensAMinute_countPromptsAndWhatIsGenerated() {
        Registry registry;
        registry.create("ada", {.tokensPerMinute = 100});
        const auto call = registry.admit("ada", 60);
        Running running(*registry.tenants, *call, 1);
        registry.clock.advance(Sec(20));
        for (int i = 0; i < 30; ++i) running.token();
        QVERIFY(registry.admit("ada", 10));  // 60 + 30 + 10
        const auto refused = registry.admit("ada", 5);
        QCOMPARE(refused.error().code, ErrorCode::Busy);
        QCOMPARE(refused.error().retryAfterS, 40);                               // when the 60 leave
        QCOMPARE(registry.admit("ada", 101).error().code, ErrorCode::TooLarge);  // never
        running.end(FinishReason::Length, {60, 0, 30});
        registry.clock.advance(Sec(40));
        QVERIFY(registry.admit("ada", 60));
    }
    void tokensADay_endAtMidnightUtcAndNotBefore() {
        Registry registry;
        registry.create("ada", {.tokensPerDay = 1000});
        Running first(*registry.tenants, *registry.admit("ada", 600), 1);
        QVERIFY(registry.admit("ada", 401).error().code == ErrorCode::Busy);  // what runs counts with its prompt
        first.end(FinishReason::Stop, {600, 100, 300});
        const auto today = registry.tenants->find("ada")->today;
        QCOMPARE(today.promptTokens, std::int64_t{600});
        QCOMPARE(today.cachedTokens, std::int64_t{100});
        QCOMPARE(today.generatedTokens, std::int64_t{300});
        const auto refused = registry.admit("ada", 101);
        QCOMPARE(refused.error().code, ErrorCode::Busy);
        QCOMPARE(refused.error().retryAfterS, 18 * 3600);  // it is six in the morning
        registry.clock.advance(std::chrono::hours(18) - Ms(1));
        QVERIFY(!registry.admit("ada", 101));
        registry.clock.advance(Ms(1));
        QVERIFY(registry.admit("ada", 1000));
    }
    void callsAtOnce_areGivenBackBeforeTheLastChunkIsTold() {
        Registry registry;
        registry.create("ada", {.maxConcurrency = 1});
        Running first(*registry.tenants, *registry.admit("ada"), 1);
        QCOMPARE(registry.admit("ada").error().code, ErrorCode::Busy);
        QVERIFY(registry.admit("ada").error().retryAfterS >= 1);
        bool mayComeBack = false;
        Request second;
        second.id = RequestId{2};
        second.prompt = {1};
        first.end(FinishReason::Stop, {1, 0, 1});
        second.call = *registry.admit("ada");
        second.sink = [&](const Chunk& chunk) { mayComeBack = chunk.finish && registry.admit("ada").has_value(); };
        QVERIFY(registry.tenants->begin(second));
        Chunk last;
        last.id = second.id;
        last.finish = FinishReason::Stop;
        second.sink(last);
        QVERIFY(mayComeBack);
    }
    void aCallOfSeveralRequests_holdsOnePlaceUntilTheLastHasEnded() {
        Registry registry;
        registry.create("ada", {.maxConcurrency = 1, .requestsPerMinute = 2});
        auto call = *registry.tenants->admit({"ada", "tiny", 2, 20});
        Running one(*registry.tenants, call, 1), two(*registry.tenants, call, 2);
        call.reset();
        one.end(FinishReason::Stop, {10, 0, 5});
        QVERIFY(!registry.admit("ada"));
        two.end(FinishReason::Stop, {10, 0, 5});
        QVERIFY(registry.admit("ada"));
        QCOMPARE(registry.tenants->find("ada")->today.requests, std::int64_t{2});  // calls, not choices
    }
    void aCallThatNobodyHolds_givesItsPlaceBack() {
        Registry registry;
        registry.create("ada", {.maxConcurrency = 1});
        { const auto call = registry.admit("ada"); }
        auto call = *registry.admit("ada");
        QVERIFY(!registry.admit("ada"));
        Tenants::abandon(call, RequestId{5});
        QVERIFY(registry.admit("ada"));
    }
    void ofSeveralLimits_theLongestWaitIsTold() {
        Registry registry;
        registry.create("ada", {.requestsPerMinute = 1, .tokensPerDay = 10});
        Running running(*registry.tenants, *registry.admit("ada", 5), 1);
        running.end(FinishReason::Stop, {5, 0, 5});
        QCOMPARE(registry.admit("ada").error().retryAfterS, 18 * 3600);
    }
    void whatFailedBeforeItGaveAnything_costsNoTokens() {
        Registry registry;
        registry.create("ada", {.tokensPerDay = 100});
        Running running(*registry.tenants, *registry.admit("ada", 80), 1);
        running.end(FinishReason::Failed, {80, 0, 0});
        QCOMPARE(registry.tenants->find("ada")->today.tokens(), std::int64_t{0});
        QVERIFY(registry.admit("ada", 100));
    }
    void revoking_endsWhatRunsWithAClearErrorAndNobodyElses() {
        Registry registry;
        registry.create("ada");
        registry.create("bo");
        Running ada(*registry.tenants, *registry.admit("ada"), 1), bo(*registry.tenants, *registry.admit("bo"), 2);
        const auto late = registry.admit("ada");
        QVERIFY(registry.tenants->revoke("ada"));
        QCOMPARE(registry.cancelled, std::vector<RequestId>{RequestId{1}});
        ada.end(FinishReason::Cancelled, {1, 0, 0});  // what the engine answers a cancel with
        QCOMPARE(*ada.chunks.back().finish, FinishReason::Failed);
        QCOMPARE(ada.chunks.back().error->code, ErrorCode::Unauthorized);
        bo.end(FinishReason::Cancelled, {1, 0, 0});
        QCOMPARE(*bo.chunks.back().finish, FinishReason::Cancelled);
        Request request;
        request.id = RequestId{3};
        request.call = *late;
        request.sink = [](const Chunk&) {};
        QCOMPARE(registry.tenants->begin(request).error().code, ErrorCode::Unauthorized);
    }
    void limitsChangeWhatRunsAlready() {
        Registry registry;
        registry.create("ada", {.weight = 1.0});
        Running running(*registry.tenants, *registry.admit("ada"), 1);
        QVERIFY(running.request.share);
        QVERIFY(registry.tenants->limit("ada", {.weight = 4.0, .kvPages = 9}));
        QCOMPARE(running.request.share->weight.load(), 4.0);
        QCOMPARE(running.request.share->kvPages.load(), 9);
    }
    void modelsOutsideTheList_areNotThere() {
        Registry registry;
        registry.create("ada", {.models = {"tiny", "base:law", "big:*"}});
        QVERIFY(registry.admit("ada", 1, "tiny"));
        QVERIFY(registry.admit("ada", 1, "base:law"));
        QVERIFY(registry.admit("ada", 1, "big:anything"));
        for (const char* model : {"base", "big", "base:tax", "tin", "tiny:x"})
            QCOMPARE(registry.admit("ada", 1, model).error().code, ErrorCode::NotFound);
        QCOMPARE(registry.tenants->find("ada")->today.refused, std::int64_t{0});
    }
    void theOwnerHasNoLimitsUnlessSome() {
        Registry registry;
        for (int i = 0; i < 50; ++i) QVERIFY(registry.tenants->admit({"", "tiny", 1, 1000}));
        QVERIFY(registry.tenants->list().empty());
        QVERIFY(registry.tenants->limit("owner", {.requestsPerMinute = 60}));
        QCOMPARE(registry.tenants->list().size(), std::size_t{1});
        for (int i = 0; i < 10; ++i) QVERIFY(registry.admit("owner"));
        QVERIFY(!registry.admit(""));
    }
    void keysAreRotatedAndRevokedByIdOrPrefix() {
        Registry registry;
        registry.create("ada");
        const auto old = *registry.tenants->createKey("ada");
        const auto fresh = registry.tenants->rotateKey(old.key.prefix);
        QVERIFY(fresh);
        QCOMPARE(registry.tenants->tenantOf(old.secret).error().code, ErrorCode::Unauthorized);
        QCOMPARE(*registry.tenants->tenantOf(fresh->secret), std::string("ada"));
        QCOMPARE(registry.tenants->rotateKey(old.key.id).error().code, ErrorCode::InvalidArgument);
        QVERIFY(registry.tenants->setKeyRevoked(fresh->key.id, true));
        QVERIFY(!registry.tenants->tenantOf(fresh->secret));
        QVERIFY(registry.tenants->setKeyRevoked(fresh->key.id, false));
        QVERIFY(registry.tenants->tenantOf(fresh->secret));
        QCOMPARE(registry.tenants->rotateKey("esp_none").error().code, ErrorCode::NotFound);
    }
    void everythingSurvivesAndNoKeyIsInTheFile() {
        Disk disk;
        std::string secret;
        {
            Registry registry(disk.store.get());
            registry.create("ada", {.weight = 3.0, .tokensPerDay = 1000, .models = {"a", "b:*"}});
            registry.create("bo");
            secret = registry.tenants->createKey("ada")->secret;
            QVERIFY(registry.tenants->tenantOf(secret));
            QVERIFY(registry.tenants->revoke("bo"));
            Running running(*registry.tenants, *registry.admit("ada", 300, "a"), 1);
            running.token();
            running.end(FinishReason::Stop, {300, 16, 2});
        }
        disk.writer->flush();
        QFile file(disk.folder.filePath("workspace.db-wal"));
        QVERIFY(file.open(QIODevice::ReadOnly));
        QVERIFY(!file.readAll().contains(secret.c_str()));
        Registry again(disk.store.get());
        const auto ada = again.tenants->find("ada");
        QCOMPARE(ada->limits.weight, 3.0);
        QCOMPARE(ada->limits.models, (std::vector<std::string>{"a", "b:*"}));
        QCOMPARE(ada->today.promptTokens, std::int64_t{300});
        QCOMPARE(ada->today.generatedTokens, std::int64_t{2});
        QCOMPARE(*ada->keys[0].lastUsedAt, again.clock.unixMilliseconds());
        QCOMPARE(*again.tenants->tenantOf(secret), std::string("ada"));
        QCOMPARE(again.tenants->find("bo")->state, std::string("revoked"));
        QCOMPARE(again.admit("ada", 699, "a").error().code, ErrorCode::Busy);  // 302 of the 1,000 are used
        QVERIFY(again.admit("ada", 698, "a"));
    }
    void usage_isByHourOrDayAndCountsWhatWaitsForTheStore() {
        Disk disk;
        Registry registry(disk.store.get());
        registry.create("ada", {.requestsPerMinute = 1});
        for (int hour = 0; hour < 3; ++hour) {
            Running running(*registry.tenants, *registry.admit("ada", 10), 1);
            running.end(FinishReason::Stop, {10, 0, 5});
            QVERIFY(!registry.admit("ada"));
            registry.clock.advance(std::chrono::hours(10));
        }
        const auto hours = *registry.tenants->usage({});
        QCOMPARE(hours.size(), std::size_t{3});
        QCOMPARE(hours[0].requests, std::int64_t{1});
        QCOMPARE(hours[0].refused, std::int64_t{1});
        const auto days = *registry.tenants->usage({.from = 0, .tenant = "ada", .bucketMs = kDayMs});
        QCOMPARE(days.size(), std::size_t{2});  // at 6, at 16, and at 2 in the night
        QCOMPARE(days[0].promptTokens, std::int64_t{20});
        QCOMPARE(days[1].generatedTokens, std::int64_t{5});
        QVERIFY(registry.tenants->usage({.from = 0, .tenant = "bo"})->empty());
    }
    void counters_areBoundedAndNeverFall() {
        Registry registry;
        const int many = static_cast<int>(kNamedTenants) + 30;
        for (int i = 0; i < many; ++i) registry.create("t" + std::to_string(i));
        const auto use = [&](int tenant, int tokens) {
            Running running(*registry.tenants, *registry.admit("t" + std::to_string(tenant), tokens), 1);
            running.end(FinishReason::Stop, {tokens, 0, 0});
        };
        std::map<std::string, std::int64_t> before;
        std::int64_t all = 0;
        for (int round = 1; round <= 4; ++round) {
            for (int i = 0; i < many; ++i) {
                const int tokens = 1 + (i * 7 * round) % 97;  // another order of use in every round
                use(i, tokens);
                all += tokens;
            }
            const auto counters = registry.tenants->counters();
            QVERIFY(counters.named.size() <= kNamedTenants);
            QVERIFY(counters.others.promptTokens >= before["(others)"]);
            before["(others)"] = counters.others.promptTokens;
            for (const auto& [name, usage] : counters.named) {
                QVERIFY(usage.promptTokens >= before[name]);
                before[name] = usage.promptTokens;
            }
            std::int64_t told = 0;
            for (const auto& [name, tokens] : before) told += tokens;
            QCOMPARE(told, all);  // nothing is counted twice or not at all
            QVERIFY(counters.others.promptTokens > 0);
        }
    }
    void fill_addsRatesRefusalsAndTenantsThatHaveOnlyThese() {
        Registry registry;
        registry.create("ada");
        registry.create("bo", {.requestsPerMinute = 1});
        registry.create("quiet");
        Running running(*registry.tenants, *registry.admit("ada"), 1);
        for (int i = 0; i < 8; ++i) running.token();
        QVERIFY(registry.admit("bo"));
        QVERIFY(!registry.admit("bo"));
        std::vector<TenantLoad> rows{{.name = "ada", .running = 1}};
        registry.tenants->fill(rows, nowhere);
        QCOMPARE(rows.size(), std::size_t{2});
        QCOMPARE(rows[0].name, std::string("ada"));
        QCOMPARE(rows[0].tokensPerS, 8.0);
        QCOMPARE(rows[1].name, std::string("bo"));
        QCOMPARE(rows[1].refused, std::int64_t{1});
    }
    void fill_saysHowFastATenantsAnswersCame() {
        Registry registry;
        registry.create("ada");
        Running running(*registry.tenants, *registry.admit("ada"), 1);
        registry.clock.advance(Ms(40));
        running.token();
        for (int i = 0; i < 9; ++i) {
            registry.clock.advance(Ms(i == 8 ? 30 : 10));
            running.token();
        }
        const auto row = [&] {
            std::vector<TenantLoad> rows;
            registry.tenants->fill(rows, nowhere);
            return rows.empty() ? TenantLoad() : rows[0];
        };
        QCOMPARE(row().ttftMs.p50, 40.0);
        QCOMPARE(row().ttftMs.samples, std::int64_t{1});
        QCOMPARE(row().tpotMs.p50, 10.0);
        QCOMPARE(row().tpotMs.p95, 30.0);
        QCOMPARE(row().tpotMs.samples, std::int64_t{9});
        running.end(FinishReason::Stop, {.promptTokens = 1, .completionTokens = 10});
        QCOMPARE(row().tpotMs.samples, std::int64_t{9});  // the end is no token
        registry.clock.advance(std::chrono::minutes(1));
        QCOMPARE(row().name, std::string());  // and a minute later nothing is kept
    }
    void fill_saysWhereTheAdapterOfATenantIs() {
        Registry registry;
        registry.create("ada");
        auto adapter = std::make_shared<Unread>();
        adapter->name = "letters";
        Request request;
        request.id = RequestId{1};
        request.prompt = {1};
        request.adapter = adapter;
        request.call = *registry.admit("ada");
        request.sink = [](const Chunk&) {};
        QVERIFY(registry.tenants->begin(request));
        const auto row = [&](AdapterLocation place) {
            std::vector<TenantLoad> rows{{.name = "ada", .running = 1}};
            registry.tenants->fill(rows, [place](const AdapterSource&) { return place; });
            return rows.at(0);
        };
        QCOMPARE(row({AdapterTier::Pool, false}).adapter, std::string("letters"));
        QCOMPARE(row({AdapterTier::Pool, false}).adapterTier, AdapterTier::Pool);
        QVERIFY(row({AdapterTier::Host, true}).isAdapterMoving);
        Chunk last;
        last.id = request.id;
        last.finish = FinishReason::Stop;
        request.sink(last);
        QCOMPARE(row({AdapterTier::Pool, false}).adapter, std::string());  // nothing was generated lately
    }
    void callsMayOutliveTheRegistry() {
        Registry registry;
        registry.create("ada");
        auto call = *registry.admit("ada");
        Running running(*registry.tenants, call, 1);
        registry.tenants.reset();
        running.token();
        running.end(FinishReason::Cancelled, {1, 0, 1});
        QCOMPARE(running.chunks.size(), std::size_t{2});
    }
    void manyThreads_passNoMoreThanTheLimit() {
        Registry registry;
        registry.create("ada", {.requestsPerMinute = 500});
        std::atomic<int> admitted = 0;
        std::vector<std::thread> threads;
        for (int i = 0; i < 4; ++i)
            threads.emplace_back([&] {
                for (int k = 0; k < 400; ++k) admitted += registry.admit("ada").has_value();
            });
        for (std::thread& thread : threads) thread.join();
        QCOMPARE(admitted.load(), 500);
        QCOMPARE(registry.tenants->find("ada")->callsOpen, std::int64_t{0});
    }
};
ESPALIER_TEST(tst_tenants, TestTenants)
#include "tst_tenants.moc"
