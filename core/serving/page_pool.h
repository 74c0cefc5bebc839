// SPDX-License-Identifier: GPL-3.0-or-later
// PagePool: one set of equal pages for everything a running model keeps on the device. KV blocks of sequences,
// running or cached, and the tiles of adapters; domain rows will take their ids from the same free list. Page id p
// names the same index in every layer's array (KvCache), so a block takes one id however many layers there are, and
// layers may differ in page size. Pages need not be adjacent, so nothing is ever moved.
//
// Owner: ServingLoop. Thread: engine. Hands out ids only; knows neither bytes nor addresses.
// Source: S-LoRA (arXiv 2311.03285) section 5.1, PagedAttention (arXiv 2309.06180) section 4.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace espalier {

using PageId = std::int32_t;

enum class PageOwner : std::uint8_t {
    Free,
    Kv,           // a KV block that at least one running sequence reads
    KvCached,     // a KV block only the prefix cache knows; may be reclaimed at any time
    Adapter,      // tiles of an adapter that at least one running sequence uses
    AdapterIdle,  // tiles of an adapter that stays for its next request; may be reclaimed at any time
    Staging,      // tiles on their way into the pool; used or idle when all have landed
};
constexpr std::size_t kPageOwners = 6;
std::string_view pageOwnerName(PageOwner owner);  // "free", "kv", "kv_cached", "adapter", "adapter_idle", "staging"

struct PoolUsage {
    std::array<std::int32_t, kPageOwners> pages{};
    std::int32_t of(PageOwner owner) const { return pages[static_cast<std::size_t>(owner)]; }
    std::int32_t total() const;
    // Free, or free as soon as somebody wants it.
    std::int32_t available() const {
        return of(PageOwner::Free) + of(PageOwner::KvCached) + of(PageOwner::AdapterIdle);
    }
};

class PagePool {
public:
    // Requires: pageCount > 0.
    explicit PagePool(std::int32_t pageCount);

    // Appends `count` pages to `pages`, or none. Error pool_exhausted changes nothing; the caller chooses what to
    // evict.
    Result<void> acquire(PageOwner owner, std::int32_t count, std::vector<PageId>& pages);

    // Requires: the page is held by `owner`.
    void release(PageOwner owner, PageId page);
    void reassign(PageOwner from, PageOwner to, PageId page);

    std::int32_t pageCount() const { return static_cast<std::int32_t>(m_owners.size()); }
    PageOwner owner(PageId page) const;
    PoolUsage usage() const { return m_usage; }                     // O(1)
    std::span<const PageOwner> owners() const { return m_owners; }  // by id, for the memory map

    Result<void> checkIntegrity() const;  // O(pages); when idle and in tests

private:
    std::vector<PageOwner> m_owners;
    std::vector<PageId> m_free;  // the last one is given next
    PoolUsage m_usage;
};

}  // namespace espalier
