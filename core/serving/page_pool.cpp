// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/serving/page_pool.h"

#include <numeric>

namespace espalier {

std::string_view pageOwnerName(PageOwner owner) {
    switch (owner) {
        case PageOwner::Free:
            return "free";
        case PageOwner::Kv:
            return "kv";
        case PageOwner::KvCached:
            return "kv_cached";
        case PageOwner::Adapter:
            return "adapter";
        case PageOwner::AdapterIdle:
            return "adapter_idle";
        case PageOwner::Staging:
            return "staging";
    }
    return "unknown";
}

std::int32_t PoolUsage::total() const {
    return std::accumulate(pages.begin(), pages.end(), 0);
}

PagePool::PagePool(std::int32_t pageCount) {
    CHECK(pageCount > 0);
    m_owners.assign(static_cast<std::size_t>(pageCount), PageOwner::Free);
    m_free.resize(m_owners.size());
    std::iota(m_free.rbegin(), m_free.rend(), 0);  // the lowest id goes first
    m_usage.pages[static_cast<std::size_t>(PageOwner::Free)] = pageCount;
}

Result<void> PagePool::acquire(PageOwner owner, std::int32_t count, std::vector<PageId>& pages) {
    CHECK(owner != PageOwner::Free && count >= 0);
    if (count > m_usage.of(PageOwner::Free))
        return fail(ErrorCode::PoolExhausted, std::to_string(count) + " pages were asked for, " +
                                                  std::to_string(m_usage.of(PageOwner::Free)) + " of " +
                                                  std::to_string(pageCount()) + " are free");
    const auto taken = m_free.end() - count;
    for (auto page = m_free.end(); page != taken;) {
        --page;
        m_owners[static_cast<std::size_t>(*page)] = owner;
        pages.push_back(*page);
    }
    m_free.erase(taken, m_free.end());
    m_usage.pages[static_cast<std::size_t>(PageOwner::Free)] -= count;
    m_usage.pages[static_cast<std::size_t>(owner)] += count;
    return {};
}

void PagePool::release(PageOwner owner, PageId page) {
    reassign(owner, PageOwner::Free, page);
    m_free.push_back(page);
}

void PagePool::reassign(PageOwner from, PageOwner to, PageId page) {
    CHECK(from != PageOwner::Free && this->owner(page) == from);
    m_owners[static_cast<std::size_t>(page)] = to;
    --m_usage.pages[static_cast<std::size_t>(from)];
    ++m_usage.pages[static_cast<std::size_t>(to)];
}

PageOwner PagePool::owner(PageId page) const {
    CHECK(page >= 0 && page < pageCount());
    return m_owners[static_cast<std::size_t>(page)];
}

Result<void> PagePool::checkIntegrity() const {
    PoolUsage counted;
    for (const PageOwner owner : m_owners) ++counted.pages[static_cast<std::size_t>(owner)];
    for (std::size_t i = 0; i < kPageOwners; ++i)
        if (counted.pages[i] != m_usage.pages[i])
            return fail(ErrorCode::Internal, "pages owned by " + std::string(pageOwnerName(static_cast<PageOwner>(i))) +
                                                 ": counted " + std::to_string(counted.pages[i]) + ", on record " +
                                                 std::to_string(m_usage.pages[i]));
    std::vector<bool> listed(m_owners.size());
    for (const PageId page : m_free) {
        const auto index = static_cast<std::size_t>(page);
        if (listed[index] || m_owners[index] != PageOwner::Free)
            return fail(ErrorCode::Internal, "page " + std::to_string(page) + " is in the free list wrongly");
        listed[index] = true;
    }
    if (static_cast<std::int32_t>(m_free.size()) != counted.of(PageOwner::Free))
        return fail(ErrorCode::Internal, "the free list lacks pages");
    return {};
}

}  // namespace espalier
