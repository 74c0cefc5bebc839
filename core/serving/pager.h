// SPDX-License-Identifier: GPL-3.0-or-later
// Pager: how sequences get, share and give back pages. Joins the pool, the prefix cache and the adapters: a sequence's
// first `cachedBlocks` pages are pinned in the prefix cache, the rest is its own; full blocks move from the second part
// to the first as soon as they are computed. Its adapter's pages it shares with everybody who runs with that adapter.
// When pages are wanted and none is free, what is worth least goes, prefix block or idle adapter: how likely it is used
// again x seconds to compute or bring it back, as measured / pages (reuse.h). An adapter is worth its cached blocks,
// too, which nobody can read without it. Adapters that waiting requests want go last, of these the one whose turn is
// furthest.
//
// Owner: ServingLoop. Thread: engine.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "core/serving/adapter_cache.h"
#include "core/serving/page_pool.h"
#include "core/serving/prefix_cache.h"
#include "core/serving/sequence.h"

namespace espalier {

class Pager {
public:
    // prefixCache false: nothing is looked up or published. layers: the arrays behind the page ids; maxRows: of a step.
    // pagesForAdapters: that adapters alone may have, KV the others alone; 0: whoever needs them.
    Pager(Backend& backend, std::span<const KvPages> layers, std::int32_t pages, std::int32_t maxRows, bool prefixCache,
          const HashKey& key, AdapterTiers& tiers, const Clock& clock, std::int32_t pagesForAdapters = 0)
        : m_pool(pages),
          m_cache(m_pool, key, clock),
          m_adapters(backend, m_pool, layers, maxRows, tiers, clock),
          m_pagesForAdapters(pagesForAdapters),
          m_usesCache(prefixCache) {}
    Pager(const Pager&) = delete;

    Hash128 rootKey(const CacheDomain& domain) const { return m_cache.rootKey(domain); }

    // What the prefix cache would give a sequence that holds nothing yet. Extends its block keys, changes nothing else.
    struct CachedPrefix {
        std::int32_t pages = 0;
        std::int32_t idlePages = 0;  // of these, reclaimable until they are taken
    };
    CachedPrefix cachedPrefix(Sequence& sequence) const;

    // Pins that prefix: the sequence starts with these pages computed. Returns the tokens looked up, 0 when the kind of
    // request cannot use a cached prefix. Requires: the sequence holds nothing.
    std::int32_t takeCachedPrefix(Sequence& sequence);

    // AdapterCache::bring(), evicting when too few pages are free; ahead of time nothing goes for it that is wanted
    // before its own turn.
    Result<void> bringAdapter(const std::shared_ptr<const AdapterSource>& source,
                              std::shared_ptr<const LoraImage> image, MoveCause cause, const std::string& tenant,
                              std::int32_t turn);

    // Holds its adapter, if it has one and does not hold it already. false: it is not ready.
    bool takeAdapter(Sequence& sequence);

    // Pages for its next `rows` tokens, evicting idle blocks when none are free. Error pool_exhausted changes nothing.
    Result<void> grow(Sequence& sequence, std::int32_t rows);

    // Makes its computed full blocks known. A block that another sequence published meanwhile replaces its own.
    void publish(Sequence& sequence);

    // Gives its pages back, to be computed again; of its adapter it lets go unless that was retired, which nobody could
    // bring back.
    void preempt(Sequence& sequence);
    // Gives everything back; nothing of the sequence counts as computed any more.
    void release(Sequence& sequence);

    // Pages that would not become free or reclaimable by release().
    std::int32_t sharedPages(const Sequence& sequence) const;

    // A step computed prompt tokens: what a block costs to compute again.
    void promptsMeasured(std::int32_t tokens, Duration took) { m_promptCost.add(tokens, seconds(took)); }

    void dropIdle() { m_cache.evict(m_pool.usage().of(PageOwner::KvCached)); }
    AdapterCache& adapters() { return m_adapters; }
    const AdapterCache& adapters() const { return m_adapters; }
    const PagePool& pool() const { return m_pool; }
    bool isSplit() const { return m_pagesForAdapters > 0; }
    // Pages that a sequence with an adapter of this size can have at most.
    std::int32_t pagesForKv(std::int32_t adapterPages) const {
        return m_pool.pageCount() - (isSplit() ? m_pagesForAdapters : adapterPages);
    }
    // The pool as the scheduler may spend it on KV.
    PoolUsage usageForKv() const;
    // Pages that are there for adapters to come, if nobody grows.
    std::int32_t availableForAdapters() const;
    std::int64_t evictedPages() const { return m_cache.evictedPages(); }
    Result<void> checkIntegrity(std::span<const std::unique_ptr<Sequence>> sequences) const;  // these are all there are

private:
    // Who may be thrown out for somebody's pages, and the pages that are missing for them.
    struct Room {
        std::int32_t missing = 0;
        bool ofBlocks = true, ofAdapters = true;
        std::int32_t sparedTurns = 0;  // adapters wanted by so many requests that are next stay
    };
    Room roomForKv(std::int32_t pages) const;
    Room roomForAdapter(std::int32_t pages) const;
    void makeRoom(const Room& room, const std::string& forWhom);
    std::int32_t evictLeast(const Room& room, const std::string& forWhom);
    std::int32_t pagesOfAdapters() const;
    double blockValue(const ReuseHeat& heat) const;
    bool canReuse(const Sequence& sequence) const;
    std::optional<PrefixCache::Hit> find(Sequence& sequence, std::int32_t block) const;
    const Hash128& blockKey(Sequence& sequence, std::size_t block) const;

    PagePool m_pool;
    PrefixCache m_cache;
    AdapterCache m_adapters;
    LearnedCost m_promptCost{1000.0, 1.0};  // by token
    std::int32_t m_pagesForAdapters;
    bool m_usesCache;
};

}  // namespace espalier
