// SPDX-License-Identifier: GPL-3.0-or-later
// Pager: how sequences get, share and give back KV pages. Joins the pool and the prefix cache: a sequence's first
// `cachedBlocks` pages are pinned in the cache, the rest is its own; full blocks move from the second part to the first
// as soon as they are computed.
//
// Owner: ServingLoop. Thread: engine.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "core/serving/page_pool.h"
#include "core/serving/prefix_cache.h"
#include "core/serving/sequence.h"

namespace espalier {

class Pager {
public:
    // prefixCache false: nothing is looked up or published.
    Pager(std::int32_t pages, bool prefixCache, const HashKey& key)
        : m_pool(pages), m_cache(m_pool, key), m_usesCache(prefixCache) {}

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

    // Pages for its next `rows` tokens, evicting idle blocks when none are free. Error pool_exhausted changes nothing.
    Result<void> grow(Sequence& sequence, std::int32_t rows);

    // Makes its computed full blocks known. A block that another sequence published meanwhile replaces its own.
    void publish(Sequence& sequence);

    // Gives everything back; nothing of the sequence counts as computed any more.
    void release(Sequence& sequence);

    // Pages that would not become free or reclaimable by release().
    std::int32_t sharedPages(const Sequence& sequence) const;

    void dropIdle() { m_cache.evict(m_pool.usage().of(PageOwner::KvCached)); }
    const PagePool& pool() const { return m_pool; }
    std::int64_t evictedPages() const { return m_cache.evictedPages(); }
    Result<void> checkIntegrity(std::span<const std::unique_ptr<Sequence>> sequences) const;  // these are all there are

private:
    bool canReuse(const Sequence& sequence) const;
    std::optional<PrefixCache::Hit> find(Sequence& sequence, std::int32_t block) const;
    const Hash128& blockKey(Sequence& sequence, std::size_t block) const;

    PagePool m_pool;
    PrefixCache m_cache;
    bool m_usesCache;
};

}  // namespace espalier
