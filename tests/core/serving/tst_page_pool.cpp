// SPDX-License-Identifier: GPL-3.0-or-later
#include <QTest>
#include <set>

#include "core/compute/reference/reference_backend.h"
#include "core/serving/kv_cache.h"
#include "core/serving/page_pool.h"
#include "tests/support/fake_transformer.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

class TestPagePool : public QObject {
    Q_OBJECT
private slots:
    void acquire_givesNothingWhenOnePageIsMissing() {
        PagePool pool(7);
        std::vector<PageId> pages;
        QVERIFY(pool.acquire(PageOwner::Kv, 5, pages));
        const auto more = pool.acquire(PageOwner::Kv, 3, pages);
        QCOMPARE(more.error().code, ErrorCode::PoolExhausted);
        QCOMPARE(more.error().message, std::string("3 pages were asked for, 2 of 7 are free"));
        QCOMPARE(pages.size(), std::size_t{5});
        QCOMPARE(pool.usage().of(PageOwner::Free), 2);
    }
    void reassign_movesAPageBetweenOwners() {
        PagePool pool(3);
        std::vector<PageId> pages;
        QVERIFY(pool.acquire(PageOwner::Kv, 2, pages));
        pool.reassign(PageOwner::Kv, PageOwner::KvCached, pages[1]);
        QCOMPARE(pool.usage().of(PageOwner::Kv), 1);
        QCOMPARE(pool.usage().of(PageOwner::KvCached), 1);
        QCOMPARE(pool.owner(pages[1]), PageOwner::KvCached);
        pool.release(PageOwner::KvCached, pages[1]);
        QCOMPARE(pool.usage().of(PageOwner::Free), 2);
        QVERIFY(pool.checkIntegrity());
    }
    void randomOperations_neverGiveAPageTwiceAndLoseNone() {
        for (std::uint64_t seed = 1; seed <= 20; ++seed) {
            TestRandom random(seed);
            const std::int32_t total = 1 + random.below(90);
            PagePool pool(total);
            std::vector<std::pair<PageId, PageOwner>> held;
            for (int step = 0; step < 1000; ++step) {
                const std::string history = "seed " + std::to_string(seed) + ", step " + std::to_string(step);
                if (random.below(2) == 0) {
                    const std::int32_t count = random.below(8);
                    const PageOwner owner = random.below(2) ? PageOwner::Kv : PageOwner::KvCached;
                    std::vector<PageId> pages;
                    const bool given = pool.acquire(owner, count, pages).has_value();
                    QVERIFY2(given == (count <= total - static_cast<std::int32_t>(held.size())), history.c_str());
                    QVERIFY2(given || pages.empty(), history.c_str());
                    for (const PageId page : pages) held.emplace_back(page, owner);
                } else if (!held.empty()) {
                    std::swap(held[static_cast<std::size_t>(random.below(static_cast<std::int32_t>(held.size())))],
                              held.back());
                    pool.release(held.back().second, held.back().first);
                    held.pop_back();
                }
                std::set<PageId> distinct;
                for (const auto& [page, owner] : held) {
                    distinct.insert(page);
                    QVERIFY2(pool.owner(page) == owner, history.c_str());
                }
                QVERIFY2(distinct.size() == held.size(), history.c_str());
                QVERIFY2(pool.usage().of(PageOwner::Free) == total - static_cast<std::int32_t>(held.size()),
                         history.c_str());
                QVERIFY2(pool.checkIntegrity().has_value(), history.c_str());
            }
        }
    }
    void kvCache_givesEachLayerPagesOfItsOwnSize() {
        const auto backend = makeReferenceBackend();
        ArchSpec spec;
        spec.headDim = 64;
        spec.layers = {{8, 8, 1}, {8, 1, 1}, {8, 5, 1}};
        auto cache = KvCache::create(*backend, spec, DType::F32, 3);
        QVERIFY(cache);
        QCOMPARE(cache->layers().size(), std::size_t{3});
        std::int64_t bytes = 0;
        for (std::size_t i = 0; i < 3; ++i) {
            const KvPages& pages = cache->layers()[i];
            QCOMPARE(pages.kvHeads, spec.layers[i].kvHeads);
            QVERIFY(pages.pageBytes >= 8192 && pages.pageBytes % 4096 == 0);
            QVERIFY(pages.pageBytes >= backend->kvPageBytes(pages.kvHeads, 64, DType::F32));
            bytes += pages.pageBytes;
        }
        QVERIFY(cache->layers()[0].pageBytes > cache->layers()[1].pageBytes);
        QCOMPARE(cache->bytesPerPage(), bytes);
        QCOMPARE(cache->bytes(), 3 * bytes);
        QCOMPARE(kvBytesPerPage(*backend, spec, DType::F32), bytes);
        QVERIFY(kvBytesPerPage(*backend, spec, DType::BF16) < bytes);
        QCOMPARE(KvCache::create(*backend, spec, DType::F32, 0).error().code, ErrorCode::InvalidArgument);
    }
};
ESPALIER_TEST(tst_page_pool, TestPagePool)
#include "tst_page_pool.moc"
