// SPDX-License-Identifier: GPL-3.0-or-later
// Adapters in the page pool: all or nothing, shared by their users, evicted when idle and oldest, and their tiles
// intact whatever happens around them.
#include <QTest>
#include <cstring>
#include <limits>
#include <set>

#include "core/compute/reference/reference_backend.h"
#include "core/serving/adapter_cache.h"
#include "core/serving/kv_cache.h"
#include "tests/support/adapter_data.h"
#include "tests/support/fake_transformer.h"
#include "tests/support/faulty_backend.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

namespace {

ArchSpec spec() {
    return archSpecFromConfig(tinyConfig({}), "config.json").value();
}

struct Bench {
    explicit Bench(std::int32_t pages)
        : pool(pages),
          kv(KvCache::create(backend, spec(), DType::F32, pages).value()),
          adapters(backend, pool, kv.layers(), 16, tiers, clock) {}

    std::shared_ptr<const LoraImage> image(std::uint64_t seed, std::int32_t rank = 8) const {
        std::vector<std::int64_t> pageBytes;
        for (const KvPages& layer : kv.layers()) pageBytes.push_back(layer.pageBytes);
        std::vector<std::string> targets = {"q_proj", "v_proj", "down_proj"};
        if (seed % 3 == 0) targets.insert(targets.end(), {"embed_tokens", "lm_head"});
        return tinyImage(
            spec(), pageBytes,
            {.rank = rank, .targets = targets, .dtype = seed % 2 ? DType::F32 : DType::BF16, .seed = seed});
    }
    // Brought when it is not there, with what is free.
    Result<const ResidentAdapter*> acquire(const std::shared_ptr<const LoraImage>& image) {
        if (!adapters.find(image->digest)) TRY(adapters.bring(image, image, MoveCause::Miss, "ada"));
        CHECK(adapters.collect().empty());
        return adapters.acquire(image->digest);
    }
    bool isResident(const LoraImage& image) const { return adapters.find(image.digest) != nullptr; }
    // The least valuable ones, until so many pages are free or none is idle.
    std::int32_t evict(std::int32_t pages) {
        std::int32_t freed = 0;
        while (freed < pages) {
            const auto least = adapters.leastValuable();
            if (!least) break;
            freed += adapters.evict(least->digest, "kv");
        }
        return freed;
    }
    // The tiles in the pool are those of the image.
    bool isIntact(const ResidentAdapter& adapter) const {
        const auto image = adapter.source->inMemory();
        for (const LoraImage::Part& part : image->parts) {
            const auto each = static_cast<std::size_t>(part.tilesPerPage * image->tileBytes());
            for (std::size_t at = 0; at < part.tiles.size(); at += each) {
                const LoraImage::Place place = part.places[at / each];
                const KvPages& array = kv.layers()[static_cast<std::size_t>(place.array)];
                const PageId page = adapter.pages[static_cast<std::size_t>(place.ordinal)];
                const std::size_t size = std::min(part.tiles.size() - at, each);
                if (std::memcmp(array.base + page * array.pageBytes, part.tiles.data() + at, size) != 0) return false;
            }
        }
        return true;
    }

    std::unique_ptr<Backend> reference = makeReferenceBackend();
    FaultyBackend backend{*reference};
    ManualClock clock;
    InlineLane lane;
    AdapterTiers tiers{lane, lane, clock, INT64_MAX};
    PagePool pool;
    KvCache kv;
    AdapterCache adapters;
};

}  // namespace

class TestAdapterCache : public QObject {
    Q_OBJECT

private slots:
    void twoUsersShareOneCopy() {
        Bench bench(32);
        const auto image = bench.image(1);
        const ResidentAdapter* first = bench.acquire(image).value();
        const std::int32_t taken = bench.pool.usage().of(PageOwner::Adapter);
        QCOMPARE(taken, image->pages);
        const ResidentAdapter* second = bench.acquire(bench.image(1)).value();  // another image of the same digest
        QCOMPARE(second, first);
        QCOMPARE(bench.pool.usage().of(PageOwner::Adapter), taken);
        bench.adapters.release(*first);
        QCOMPARE(bench.pool.usage().of(PageOwner::Adapter), taken);
        bench.adapters.release(*second);
        QCOMPARE(bench.pool.usage().of(PageOwner::AdapterIdle), taken);
        QCOMPARE(bench.adapters.loads(), 1);
        QVERIFY(bench.adapters.checkIntegrity());
    }

    void acquire_takesNothingWhenOnePageIsMissing() {
        Bench probe(64);
        const std::int32_t pages = probe.image(1, 64)->pages;
        QVERIFY(pages > 1);
        Bench bench(pages + 1);
        std::vector<PageId> held;
        QVERIFY(bench.pool.acquire(PageOwner::Kv, 2, held));
        const auto refused = bench.acquire(bench.image(1, 64));
        QCOMPARE(refused.error().code, ErrorCode::PoolExhausted);
        QCOMPARE(bench.pool.usage().of(PageOwner::Free), pages - 1);
        QCOMPARE(bench.adapters.residents(), 0);
        QVERIFY(bench.adapters.checkIntegrity() && bench.pool.checkIntegrity());
    }

    void acquire_takesNothingWhenTheDeviceHasNoMemory() {
        Bench bench(32);
        bench.backend.failAllocate(true);
        QCOMPARE(bench.acquire(bench.image(1)).error().code, ErrorCode::PoolExhausted);
        QCOMPARE(bench.pool.usage().of(PageOwner::Free), 32);
        bench.backend.failAllocate(false);
        QVERIFY(bench.acquire(bench.image(1)));
    }

    void evict_takesTheIdleOnesOfLeastValueWhole() {
        Bench bench(64);
        const auto a = bench.image(1), b = bench.image(2), c = bench.image(3);
        for (const auto& image : {a, b, c}) bench.adapters.release(*bench.acquire(image).value());
        bench.adapters.release(*bench.acquire(a).value());  // now b was used least
        const ResidentAdapter* used = bench.acquire(c).value();
        QCOMPARE(bench.evict(1), b->pages);
        QVERIFY(bench.isResident(*a) && !bench.isResident(*b));
        QCOMPARE(bench.evict(1000), a->pages);
        QVERIFY(bench.isResident(*c));  // in use
        QVERIFY(bench.isIntact(*used));
        QCOMPARE(bench.pool.usage().of(PageOwner::Free), 64 - c->pages);
        QCOMPARE(bench.adapters.evictions(), 2);
    }

    void whatWaitingRequestsWantGoesLastAndTheLatestTurnFirst() {
        Bench bench(64);
        const auto a = bench.image(1), b = bench.image(2), c = bench.image(3);
        for (const auto& image : {a, b, c}) bench.adapters.release(*bench.acquire(image).value());
        bench.adapters.wanted(a->digest, 5);
        bench.adapters.wanted(b->digest, 2);
        QCOMPARE(bench.adapters.leastValuable()->digest, std::string_view(c->digest));
        QCOMPARE(bench.adapters.lastWanted(0).value(), std::string_view(a->digest));
        bench.adapters.evict(a->digest, "kv");
        QCOMPARE(bench.adapters.lastWanted(2).value(), std::string_view(b->digest));
        QVERIFY(!bench.adapters.lastWanted(3));  // wanted too soon
        bench.adapters.evict(c->digest, "kv");
        QVERIFY(!bench.adapters.leastValuable());
        bench.adapters.forgetWanted();
        QVERIFY(bench.adapters.leastValuable() && !bench.adapters.lastWanted(0));
    }

    void anAdapterIsWorthItsCachedBlocksToo() {
        Bench bench(64);
        const auto a = bench.image(1), b = bench.image(2);
        for (const auto& image : {a, b}) bench.adapters.release(*bench.acquire(image).value());
        bench.adapters.release(*bench.acquire(b).value());  // used more often than a
        QCOMPARE(bench.adapters.leastValuable()->digest, std::string_view(a->digest));
        const double nothing = -std::numeric_limits<double>::infinity();
        const auto ofA = [&](std::string_view digest) { return digest == a->digest ? 0.0 : nothing; };
        QCOMPARE(bench.adapters.leastValuable(ofA)->digest, std::string_view(b->digest));
    }

    void whatCameAheadOfItsTurnIsCountedByWhatBecameOfIt() {
        Bench bench(64);
        const auto a = bench.image(1), b = bench.image(2), c = bench.image(3);
        for (const auto& image : {a, b}) QVERIFY(bench.adapters.bring(image, image, MoveCause::Prefetch, "ada"));
        QVERIFY(bench.adapters.bring(c, c, MoveCause::Miss, "ada"));
        QVERIFY(bench.adapters.collect().empty());
        bench.adapters.release(*bench.adapters.acquire(a->digest));
        bench.evict(64);
        const auto outcome = bench.adapters.takePrefetchOutcome();
        QCOMPARE(outcome.used, 1);
        QCOMPARE(outcome.wasted, 1);
        QCOMPARE(bench.adapters.takePrefetchOutcome().wasted, 0);
        int wasted = 0;
        for (const AdapterMove& move : bench.tiers.trace.newest(16)) {
            wasted += move.wasWaste;
            if (move.wasWaste) QCOMPARE(move.cause, MoveCause::Evicted);
        }
        QCOMPARE(wasted, 1);
        QCOMPARE(bench.tiers.trace.traffic().prefetchWasted, 1);
    }

    void check_refusesWhatCannotBeServedHere() {
        Bench bench(2);
        const auto big = bench.image(1, 256);
        QVERIFY(big->pages >= 2);
        QCOMPARE(bench.adapters.check(*big).error().code, ErrorCode::PoolExhausted);
        const ArchSpec deeper = archSpecFromConfig(tinyConfig({.layers = 3}), "config.json").value();
        const std::vector<std::int64_t> pageBytes(3, 8192);
        QCOMPARE(bench.adapters.check(*tinyImage(deeper, pageBytes)).error().code, ErrorCode::InvalidArgument);
    }

    // KV blocks and adapters come and go at random in one small pool; KV pages are scribbled over. Nothing is lost, no
    // page has two owners, and the tiles of whatever is resident stay what they were.
    void randomUseKeepsPoolAndTilesWhole_data() {
        QTest::addColumn<quint64>("seed");
        for (quint64 seed = 1; seed <= 8; ++seed) QTest::addRow("seed %llu", seed) << seed;
    }
    void randomUseKeepsPoolAndTilesWhole() {
        QFETCH(quint64, seed);
        TestRandom random(seed);
        Bench bench(40);
        std::vector<std::shared_ptr<const LoraImage>> images;
        for (std::uint64_t i = 0; i < 12; ++i) images.push_back(bench.image(i, 1 + random.below(40)));
        std::vector<const ResidentAdapter*> held;
        std::vector<PageId> kv;
        int acquired = 0, evicted = 0, refused = 0;
        for (int round = 0; round < 1500; ++round) {
            switch (random.below(6)) {
                case 0:
                case 1: {
                    const auto& image = images[static_cast<std::size_t>(random.below(12))];
                    const bool wasThere = bench.isResident(*image);
                    const std::int32_t free = bench.pool.usage().of(PageOwner::Free);
                    const auto adapter = bench.acquire(image);
                    QCOMPARE(static_cast<bool>(adapter), wasThere || image->pages <= free);
                    if (adapter) held.push_back(*adapter);
                    ++(adapter ? acquired : refused);
                    break;
                }
                case 2: {
                    if (held.empty()) break;
                    const auto at = held.begin() + random.below(static_cast<std::int32_t>(held.size()));
                    bench.adapters.release(**at);
                    held.erase(at);
                    break;
                }
                case 3:
                    evicted += bench.evict(random.below(4));
                    break;
                case 4: {
                    std::vector<PageId> more;
                    if (!bench.pool.acquire(PageOwner::Kv, random.below(3), more)) break;
                    for (const PageId page : more)
                        for (const KvPages& layer : bench.kv.layers())
                            std::memset(layer.base + page * layer.pageBytes, random.below(256),
                                        static_cast<std::size_t>(layer.pageBytes));
                    kv.insert(kv.end(), more.begin(), more.end());
                    break;
                }
                case 5: {
                    if (kv.empty()) break;
                    const auto at = kv.begin() + random.below(static_cast<std::int32_t>(kv.size()));
                    bench.pool.release(PageOwner::Kv, *at);
                    kv.erase(at);
                    break;
                }
            }
            QVERIFY(bench.pool.checkIntegrity());
            QVERIFY(bench.adapters.checkIntegrity());
            QCOMPARE(bench.pool.usage().total(), 40);
            std::set<PageId> seen(kv.begin(), kv.end());
            QCOMPARE(seen.size(), kv.size());
            for (const ResidentAdapter* adapter : std::set(held.begin(), held.end())) {
                for (const PageId page : adapter->pages) QVERIFY(seen.insert(page).second);
                if (round % 25 == 0) QVERIFY(bench.isIntact(*adapter));
            }
        }
        QVERIFY(acquired > 50 && evicted > 10 && refused > 5);
        for (const ResidentAdapter* adapter : held) bench.adapters.release(*adapter);
        for (const PageId page : kv) bench.pool.release(PageOwner::Kv, page);
        bench.evict(40);
        QCOMPARE(bench.pool.usage().of(PageOwner::Free), 40);
    }
};

ESPALIER_TEST(tst_adapter_cache, TestAdapterCache)
#include "tst_adapter_cache.moc"
