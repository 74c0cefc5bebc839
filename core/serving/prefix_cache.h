// SPDX-License-Identifier: GPL-3.0-or-later
// PrefixCache: KV blocks that later sequences with the same beginning can read instead of computing them again. Full
// blocks of kTokensPerPage tokens only, so nothing is ever written to a shared page. A block's key is a keyed 128-bit
// hash over {its parent's key, its 16 token ids}; the root of a chain hashes {model digest, adapter digest, adapter
// scale, tenant}, so no block is found across models, adapters or tenants. The key of the hash is drawn per process,
// and token ids are compared on every hit: a tenant can neither construct a collision nor profit from one.
//
// Every block is either read by `references` running sequences (its page is PageOwner::Kv) or idle (KvCached) and may
// be evicted: leaves first, of them the one whose uses have faded most (reuse.h), the oldest among equals.
//
// Owner: ServingLoop. Thread: engine.
// Source: vLLM's automatic prefix caching (hash chain); SGLang, arXiv 2312.07104 (leaf-first eviction).
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <span>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "core/base/hash.h"
#include "core/compute/backend.h"
#include "core/serving/page_pool.h"
#include "core/serving/reuse.h"
#include "core/tokenizer/tokenizer.h"

namespace espalier {

// What besides the tokens decides the content of a KV block, and who may see it.
struct CacheDomain {
    std::string_view modelDigest = {};
    std::string_view adapterDigest = {};  // empty: no adapter
    float adapterScale = 1.0f;
    std::string_view tenant = {};
};

class PrefixCache {
public:
    // Requires: the pool and the clock outlive the cache.
    PrefixCache(PagePool& pool, const HashKey& key, const Clock& clock)
        : m_pool(pool), m_key(key), m_clock(clock), m_byPage(static_cast<std::size_t>(pool.pageCount()), nullptr) {}

    using Block = std::span<const TokenId, kTokensPerPage>;
    Hash128 rootKey(const CacheDomain& domain) const;
    Hash128 blockKey(const Hash128& parent, Block tokens) const;

    struct Hit {
        PageId page = 0;
        bool isIdle = false;  // taking it turns a reclaimable page into a used one
    };
    // Is the block there? Changes nothing, not even its age.
    std::optional<Hit> find(const Hash128& key, const Hash128& parent, Block tokens) const;

    // Adds a reference to a block that find() gave; its page is Kv until every reference is dropped.
    void pin(PageId page);

    // Makes a block known whose page the caller holds (Kv) and has filled; the caller's hold becomes a reference. When
    // the block is known already, the caller's page goes back to the pool and the known page, pinned, is returned
    // instead. Requires: parent is a rootKey, or the key of a block the caller has pinned or published.
    // `stored` is false when the key is taken by other tokens (a collision): the page stays the caller's own.
    struct Published {
        PageId page = 0;
        bool stored = true;
    };
    // adapter: digest of the one that its readers run with; empty: none.
    Published publish(const Hash128& key, const Hash128& parent, Block tokens, PageId page,
                      std::string_view adapter = {});

    // Drops one reference to each page. Requires: each is pinned or published; the order of a sequence, first block
    // first.
    void unpin(std::span<const PageId> pages);

    // Of a sequence's pinned pages, first block first: how many others read too. Those do not become evictable when
    // this sequence lets go. O(log pages): whoever reads a block reads all before it.
    std::int32_t sharedCount(std::span<const PageId> pages) const;

    // Evicts up to `count` idle blocks; their pages are free afterwards. Returns how many.
    std::int32_t evict(std::int32_t count);

    // Of the idle block that evict() would take next.
    std::optional<ReuseHeat> leastHeat() const;

    // Uses of all blocks that only requests of this adapter can read; none: there are no blocks.
    std::optional<ReuseHeat> heatOf(std::string_view adapter) const;

    std::int64_t evictedPages() const { return m_evictedPages; }
    std::int32_t references(PageId page) const;  // 0: idle, or no cached block
    std::size_t blocks() const { return m_blocks.size(); }
    Result<void> checkIntegrity() const;

private:
    struct Family {  // blocks of one adapter
        std::int32_t blocks = 0;
        ReuseHeat heat;  // of all of them
    };
    using Families = std::map<std::string, Family, std::less<>>;  // by digest
    struct Entry {
        Hash128 parent{};
        std::array<TokenId, kTokensPerPage> tokens{};
        PageId page = 0;
        std::int32_t references = 0;
        std::int32_t children = 0;  // cached blocks that continue this one
        ReuseHeat heat;
        std::int64_t lastUse = 0;
        bool hasParent = false;
        Families::iterator family;  // end(): of the base
    };
    struct KeyHash {  // the keys are uniform already
        std::size_t operator()(const Hash128& key) const { return static_cast<std::size_t>(key[0]); }
    };
    using Blocks = std::unordered_map<Hash128, Entry, KeyHash>;

    static bool isEvictable(const Entry& entry) { return entry.references == 0 && entry.children == 0; }
    static std::tuple<double, std::int64_t, PageId> orderOf(const Entry& entry) {
        return {entry.heat.key(), entry.lastUse, entry.page};
    }
    Blocks::value_type& blockAt(PageId page) const;
    void leaveFamily(Entry& entry);
    void offerForEviction(const Blocks::value_type& block);
    void withdraw(const Blocks::value_type& block);

    PagePool& m_pool;
    HashKey m_key;
    const Clock& m_clock;
    Blocks m_blocks;
    Families m_families;
    std::vector<Blocks::value_type*> m_byPage;                       // nullptr: the page is no cached block
    std::set<std::tuple<double, std::int64_t, PageId>> m_evictable;  // idle leaves by heat, then by their last use
    std::int64_t m_useCount = 0;
    std::int64_t m_evictedPages = 0;
};

}  // namespace espalier
