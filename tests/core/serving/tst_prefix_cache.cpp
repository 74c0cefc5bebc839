// SPDX-License-Identifier: GPL-3.0-or-later
#include <QTest>
#include <cmath>

#include "core/serving/prefix_cache.h"
#include "tests/support/fake_transformer.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

namespace {

using Tokens = std::vector<TokenId>;

PrefixCache::Block blockAt(const Tokens& tokens, std::size_t block) {
    return PrefixCache::Block(tokens.data() + block * kTokensPerPage, kTokensPerPage);
}

// Finds, pins and then publishes the blocks of a chain; what a sequence would do.
std::vector<PageId> hold(PrefixCache& cache, PagePool& pool, const Hash128& root, const Tokens& tokens,
                         int* hits = nullptr, std::string_view adapter = {}) {
    std::vector<PageId> pages;
    Hash128 parent = root;
    bool isHit = true;
    for (std::size_t block = 0; block < tokens.size() / kTokensPerPage; ++block) {
        const Hash128 key = cache.blockKey(parent, blockAt(tokens, block));
        const auto hit = isHit ? cache.find(key, parent, blockAt(tokens, block)) : std::nullopt;
        if (hit) {
            cache.pin(hit->page);
            pages.push_back(hit->page);
            if (hits) ++*hits;
        } else {
            isHit = false;
            std::vector<PageId> own;
            if (pool.usage().of(PageOwner::Free) == 0) cache.evict(1);
            if (!pool.acquire(PageOwner::Kv, 1, own)) break;
            pages.push_back(cache.publish(key, parent, blockAt(tokens, block), own[0], adapter).page);
        }
        parent = key;
    }
    return pages;
}

Tokens tokensOf(int blocks, TokenId first) {
    Tokens tokens;
    for (int i = 0; i < blocks * kTokensPerPage; ++i) tokens.push_back(first + i);
    return tokens;
}

}  // namespace

class TestPrefixCache : public QObject {
    Q_OBJECT

    ManualClock clock;

private slots:
    void aSecondSequenceFindsTheBlocksOfTheFirst() {
        PagePool pool(8);
        PrefixCache cache(pool, {}, clock);
        const Hash128 root = cache.rootKey({.tenant = "ada"});
        const auto first = hold(cache, pool, root, tokensOf(3, 0));
        int hits = 0;
        Tokens longer = tokensOf(4, 0);
        longer[3 * kTokensPerPage] = 999;
        const auto second = hold(cache, pool, root, longer, &hits);
        QCOMPARE(hits, 3);
        QCOMPARE(std::vector(second.begin(), second.begin() + 3), first);
        QCOMPARE(cache.sharedCount(second), 3);
        QCOMPARE(pool.usage().of(PageOwner::Kv), 4);
        cache.unpin(second);
        QCOMPARE(pool.usage().of(PageOwner::KvCached), 1);
        QCOMPARE(cache.sharedCount(first), 0);
        cache.unpin(first);
        QCOMPARE(pool.usage().of(PageOwner::KvCached), 4);
        QVERIFY(cache.checkIntegrity());
    }
    void nothingIsFoundAcrossTenantsModelsAdaptersOrScales() {
        PagePool pool(8);
        PrefixCache cache(pool, {}, clock);
        const CacheDomain mine{.modelDigest = "m", .adapterDigest = "a", .adapterScale = 1.0f, .tenant = "ada"};
        const Tokens tokens = tokensOf(2, 0);
        hold(cache, pool, cache.rootKey(mine), tokens);
        CacheDomain others[] = {mine, mine, mine, mine, mine};
        others[0].tenant = "bo";
        others[1].modelDigest = "n";
        others[2].adapterDigest = "b";
        others[3].adapterScale = 2.0f;
        others[4] = {.modelDigest = "ma", .adapterDigest = "", .adapterScale = 1.0f, .tenant = "ada"};
        for (const CacheDomain& other : others) {
            const Hash128 root = cache.rootKey(other);
            QVERIFY(!cache.find(cache.blockKey(root, blockAt(tokens, 0)), root, blockAt(tokens, 0)));
        }
        const Hash128 root = cache.rootKey(mine);
        QVERIFY(cache.find(cache.blockKey(root, blockAt(tokens, 0)), root, blockAt(tokens, 0)));
    }
    void aHitIsVerifiedByItsTokens() {
        PagePool pool(4);
        PrefixCache cache(pool, {}, clock);
        const Hash128 root = cache.rootKey({});
        const Tokens mine = tokensOf(1, 0), other = tokensOf(1, 500);
        hold(cache, pool, root, mine);
        const Hash128 key = cache.blockKey(root, blockAt(mine, 0));
        QVERIFY(!cache.find(key, root, blockAt(other, 0)));  // as if the hash had collided
        std::vector<PageId> own;
        QVERIFY(pool.acquire(PageOwner::Kv, 1, own));
        const auto published = cache.publish(key, root, blockAt(other, 0), own[0]);
        QVERIFY(!published.stored);
        QCOMPARE(published.page, own[0]);
        QCOMPARE(pool.owner(own[0]), PageOwner::Kv);
    }
    void anotherKeyGivesOtherHashes() {
        PagePool pool(4);
        const PrefixCache one(pool, {1}, clock), two(pool, {2}, clock);
        QVERIFY(one.rootKey({}) != two.rootKey({}));
    }
    void publishingTheSameBlockTwiceKeepsOnePage() {
        PagePool pool(4);
        PrefixCache cache(pool, {}, clock);
        const Hash128 root = cache.rootKey({});
        const Tokens tokens = tokensOf(1, 0);
        const Hash128 key = cache.blockKey(root, blockAt(tokens, 0));
        std::vector<PageId> pages;
        QVERIFY(pool.acquire(PageOwner::Kv, 2, pages));
        QCOMPARE(cache.publish(key, root, blockAt(tokens, 0), pages[0]).page, pages[0]);
        QCOMPARE(cache.publish(key, root, blockAt(tokens, 0), pages[1]).page, pages[0]);
        QCOMPARE(pool.usage().of(PageOwner::Free), 3);
        QCOMPARE(cache.references(pages[0]), 2);
    }
    // What an adapter's blocks are worth is the sum over them, however they came and went.
    void usesAreAddedUpByAdapter() {
        PagePool pool(16);
        PrefixCache cache(pool, {}, clock);
        const CacheDomain ada{.adapterDigest = "a", .tenant = "ada"}, bo{.adapterDigest = "a", .tenant = "bo"};
        QVERIFY(!cache.heatOf("a"));
        const auto first = hold(cache, pool, cache.rootKey(ada), tokensOf(3, 0), nullptr, "a");
        const auto other = hold(cache, pool, cache.rootKey({.adapterDigest = "b"}), tokensOf(1, 0), nullptr, "b");
        const auto second = hold(cache, pool, cache.rootKey(bo), tokensOf(1, 0), nullptr, "a");
        (void)hold(cache, pool, cache.rootKey({}), tokensOf(2, 0));  // the base's are nobody's
        const auto uses = [&](std::string_view adapter) { return cache.heatOf(adapter)->usesLeft(clock.now()); };
        QVERIFY(std::abs(uses("a") - 4) < 1e-9 && std::abs(uses("b") - 1) < 1e-9);
        QVERIFY(!cache.heatOf("") && !cache.heatOf("c"));
        cache.unpin(hold(cache, pool, cache.rootKey(ada), tokensOf(3, 0), nullptr, "a"));  // found
        QVERIFY(std::abs(uses("a") - 7) < 1e-9);
        clock.advance(std::chrono::minutes(1));
        QVERIFY(std::abs(uses("a") - 3.5) < 1e-9);
        cache.unpin(hold(cache, pool, cache.rootKey(bo), tokensOf(1, 0), nullptr, "a"));
        QVERIFY(std::abs(uses("a") - 4.5) < 1e-9);
        cache.unpin(first);
        QCOMPARE(cache.evict(2), 2);  // two of its three, each used twice a minute ago
        QVERIFY(std::abs(uses("a") - 2.5) < 1e-9);
        QVERIFY(cache.checkIntegrity());
        cache.unpin(second);
        QCOMPARE(cache.evict(2), 2);
        QVERIFY(!cache.heatOf("a") && cache.heatOf("b"));
        cache.unpin(other);
        QVERIFY(cache.checkIntegrity());
    }
    void eviction_takesLeavesFirstAndTheOldestOfThem() {
        PagePool pool(6);
        PrefixCache cache(pool, {}, clock);
        const Hash128 root = cache.rootKey({});
        const auto older = hold(cache, pool, root, tokensOf(3, 0));
        const auto newer = hold(cache, pool, root, tokensOf(3, 1000));
        cache.unpin(older);
        cache.unpin(newer);
        QCOMPARE(cache.evict(2), 2);
        QCOMPARE(pool.owner(older[0]), PageOwner::KvCached);  // the beginning of the older chain is still there
        QCOMPARE(pool.owner(older[2]), PageOwner::Free);
        QCOMPARE(pool.owner(older[1]), PageOwner::Free);
        QCOMPARE(pool.usage().of(PageOwner::KvCached), 4);
        QCOMPARE(cache.evict(10), 4);
        QCOMPARE(cache.evictedPages(), std::int64_t{6});
        QCOMPARE(pool.usage().of(PageOwner::Free), 6);
    }
    void eviction_neverTakesWhatIsRead() {
        PagePool pool(4);
        PrefixCache cache(pool, {}, clock);
        hold(cache, pool, cache.rootKey({}), tokensOf(3, 0));
        QCOMPARE(cache.evict(4), 0);
        QCOMPARE(pool.usage().of(PageOwner::Kv), 3);
    }
    void randomChains_keepPoolAndCacheConsistent() {
        for (std::uint64_t seed = 1; seed <= 10; ++seed) {
            TestRandom random(seed);
            PagePool pool(1 + random.below(40));
            PrefixCache cache(pool, {}, clock);
            std::vector<std::vector<PageId>> held;
            for (int step = 0; step < 400; ++step) {
                const std::string history = "seed " + std::to_string(seed) + ", step " + std::to_string(step);
                switch (random.below(3)) {
                    case 0: {
                        Tokens tokens;  // a binary tree of chains
                        for (int block = random.below(6); block > 0; --block)
                            tokens.insert(tokens.end(), kTokensPerPage, random.below(2));
                        const char* tenants[] = {"ada", "bo"};
                        held.push_back(hold(cache, pool, cache.rootKey({.tenant = tenants[random.below(2)]}), tokens));
                        break;
                    }
                    case 1:
                        if (!held.empty()) {
                            std::swap(
                                held[static_cast<std::size_t>(random.below(static_cast<std::int32_t>(held.size())))],
                                held.back());
                            cache.unpin(held.back());
                            held.pop_back();
                        }
                        break;
                    case 2:
                        cache.evict(random.below(4));
                        break;
                }
                QVERIFY2(cache.checkIntegrity().has_value(), history.c_str());
                QVERIFY2(pool.checkIntegrity().has_value(), history.c_str());
            }
            for (const auto& pages : held) cache.unpin(pages);
            QCOMPARE(pool.usage().of(PageOwner::Kv), 0);
            cache.evict(pool.pageCount());
            QCOMPARE(pool.usage().of(PageOwner::Free), pool.pageCount());
        }
    }
};
ESPALIER_TEST(tst_prefix_cache, TestPrefixCache)
#include "tst_prefix_cache.moc"
