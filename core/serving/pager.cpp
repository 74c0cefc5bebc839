// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/serving/pager.h"

#include <limits>
#include <map>

#include "core/serving/scheduler.h"

namespace espalier {
namespace {

PrefixCache::Block tokensOf(const Sequence& sequence, std::size_t block) {
    return PrefixCache::Block(sequence.tokens.data() + block * kTokensPerPage, kTokensPerPage);
}

const Hash128& parentKey(const Sequence& sequence, std::size_t block) {
    return block == 0 ? sequence.rootKey : sequence.blockKeys[block - 1];
}

}  // namespace

// A score and a mean need every row, so they cannot skip what the cache holds.
bool Pager::canReuse(const Sequence& sequence) const {
    const Request& request = sequence.request;
    return m_usesCache && (request.kind == RequestKind::Generate ||
                           (request.kind == RequestKind::Embed && request.pooling == Pooling::Last));
}

const Hash128& Pager::blockKey(Sequence& sequence, std::size_t block) const {
    while (sequence.blockKeys.size() <= block) {
        const std::size_t next = sequence.blockKeys.size();
        sequence.blockKeys.push_back(m_cache.blockKey(parentKey(sequence, next), tokensOf(sequence, next)));
    }
    return sequence.blockKeys[block];
}

std::optional<PrefixCache::Hit> Pager::find(Sequence& sequence, std::int32_t block) const {
    // The last token is always computed: its logits or hidden state are what the request is for.
    if ((block + 1) * kTokensPerPage >= sequence.target()) return std::nullopt;
    const auto index = static_cast<std::size_t>(block);
    const Hash128& key = blockKey(sequence, index);
    return m_cache.find(key, parentKey(sequence, index), tokensOf(sequence, index));
}

Pager::CachedPrefix Pager::cachedPrefix(Sequence& sequence) const {
    CachedPrefix prefix;
    if (!canReuse(sequence)) return prefix;
    while (const auto hit = find(sequence, prefix.pages)) {
        ++prefix.pages;
        prefix.idlePages += hit->isIdle;
    }
    return prefix;
}

std::int32_t Pager::takeCachedPrefix(Sequence& sequence) {
    CHECK(sequence.pages.empty() && sequence.computed == 0);
    sequence.mayPublish = m_usesCache;
    if (!canReuse(sequence)) return 0;
    while (const auto hit = find(sequence, sequence.cachedBlocks)) {
        m_cache.pin(hit->page);
        sequence.pages.push_back(hit->page);
        ++sequence.cachedBlocks;
    }
    sequence.computed = sequence.cachedBlocks * kTokensPerPage;
    return sequence.target();
}

Result<void> Pager::grow(Sequence& sequence, std::int32_t rows) {
    const std::int32_t needed =
        pagesForTokens(sequence.computed + rows) - static_cast<std::int32_t>(sequence.pages.size());
    if (needed <= 0) return {};
    const Room room = roomForKv(needed);
    makeRoom(room, "kv");
    if (isSplit() && roomForKv(needed).missing > 0) return fail(ErrorCode::PoolExhausted, "the pages for KV are taken");
    return m_pool.acquire(PageOwner::Kv, needed, sequence.pages);
}

std::int32_t Pager::pagesOfAdapters() const {
    const PoolUsage usage = m_pool.usage();
    return usage.of(PageOwner::Adapter) + usage.of(PageOwner::AdapterIdle) + usage.of(PageOwner::Staging);
}

PoolUsage Pager::usageForKv() const {
    PoolUsage usage = m_pool.usage();
    if (!isSplit()) return usage;
    const std::int32_t kv = usage.of(PageOwner::Kv) + usage.of(PageOwner::KvCached);
    usage = {};
    usage.pages[static_cast<std::size_t>(PageOwner::Free)] = pagesForKv(0) - kv;
    usage.pages[static_cast<std::size_t>(PageOwner::Kv)] = m_pool.usage().of(PageOwner::Kv);
    usage.pages[static_cast<std::size_t>(PageOwner::KvCached)] = m_pool.usage().of(PageOwner::KvCached);
    return usage;
}

std::int32_t Pager::availableForAdapters() const {
    const PoolUsage usage = m_pool.usage();
    return isSplit() ? m_pagesForAdapters - pagesOfAdapters() + usage.of(PageOwner::AdapterIdle) : usage.available();
}

Pager::Room Pager::roomForKv(std::int32_t pages) const {
    const PoolUsage usage = usageForKv();
    return {.missing = pages - usage.of(PageOwner::Free), .ofBlocks = true, .ofAdapters = !isSplit()};
}

Pager::Room Pager::roomForAdapter(std::int32_t pages) const {
    const std::int32_t free = isSplit() ? m_pagesForAdapters - pagesOfAdapters() : m_pool.usage().of(PageOwner::Free);
    return {.missing = pages - free, .ofBlocks = !isSplit(), .ofAdapters = true};
}

void Pager::makeRoom(const Room& room, const std::string& forWhom) {
    std::int32_t missing = room.missing;
    if (missing > 0) missing -= evictLeast(room, forWhom);
    while (missing > 0 && room.ofAdapters) {
        const auto digest = m_adapters.lastWanted(room.sparedTurns);
        if (!digest) return;
        missing -= m_adapters.evict(*digest, forWhom);
    }
}

double Pager::blockValue(const ReuseHeat& heat) const {
    return keepingValue(heat, m_promptCost.secondsFor(kTokensPerPage), 1.0);
}

// Of what nobody waits for. Gives the pages freed: fewer when nothing else may go.
std::int32_t Pager::evictLeast(const Room& room, const std::string& forWhom) {
    const auto worthOfBlocks = [this](std::string_view digest) {
        const auto heat = m_cache.heatOf(digest);
        return heat ? blockValue(*heat) : -std::numeric_limits<double>::infinity();
    };
    using Candidate = AdapterCache::Candidate;
    const auto leastAdapter = [&] {
        return room.ofAdapters ? m_adapters.leastValuable(worthOfBlocks) : std::optional<Candidate>();
    };
    std::int32_t freed = 0;
    auto adapter = leastAdapter();
    while (freed < room.missing) {
        const auto block = room.ofBlocks ? m_cache.leastHeat() : std::optional<ReuseHeat>();
        if (block && (!adapter || blockValue(*block) <= adapter->value)) {
            freed += m_cache.evict(1);
        } else if (adapter) {
            freed += m_adapters.evict(adapter->digest, forWhom);
            adapter = leastAdapter();
        } else {
            break;
        }
    }
    return freed;
}

Result<void> Pager::bringAdapter(const std::shared_ptr<const AdapterSource>& source,
                                 std::shared_ptr<const LoraImage> image, MoveCause cause, const std::string& tenant,
                                 std::int32_t turn) {
    Room room = roomForAdapter(image->pages);
    room.sparedTurns = cause == MoveCause::Miss ? 0 : turn + 1;
    makeRoom(room, source->name);
    if (isSplit() && roomForAdapter(image->pages).missing > 0)
        return fail(ErrorCode::PoolExhausted, "the pages for adapters are taken");
    return m_adapters.bring(source, std::move(image), cause, tenant);
}

bool Pager::takeAdapter(Sequence& sequence) {
    if (!sequence.request.adapter || sequence.adapter) return true;
    const std::string& digest = sequence.request.adapter->digest;
    const ResidentAdapter* resident = m_adapters.find(digest);
    if (!resident || !resident->isReady()) return false;
    sequence.adapter = m_adapters.acquire(digest);
    return true;
}

void Pager::publish(Sequence& sequence) {
    while (sequence.mayPublish && (sequence.cachedBlocks + 1) * kTokensPerPage <= sequence.computed) {
        const auto block = static_cast<std::size_t>(sequence.cachedBlocks);
        const Hash128 key = blockKey(sequence, block);
        const auto published = m_cache.publish(
            key, parentKey(sequence, block), tokensOf(sequence, block), sequence.pages[block],
            sequence.request.adapter ? std::string_view(sequence.request.adapter->digest) : std::string_view());
        sequence.mayPublish = published.stored;
        if (!published.stored) return;
        sequence.pages[block] = published.page;
        ++sequence.cachedBlocks;
    }
}

void Pager::release(Sequence& sequence) {
    if (sequence.adapter) m_adapters.release(*sequence.adapter);
    sequence.adapter = nullptr;
    preempt(sequence);
}

void Pager::preempt(Sequence& sequence) {
    const auto pages = std::span<const PageId>(sequence.pages);
    const auto cached = static_cast<std::size_t>(sequence.cachedBlocks);
    for (const PageId page : pages.subspan(cached)) m_pool.release(PageOwner::Kv, page);
    m_cache.unpin(pages.first(cached));
    if (sequence.adapter && !sequence.adapter->retired) {
        m_adapters.release(*sequence.adapter);
        sequence.adapter = nullptr;
    }
    sequence.pages.clear();
    sequence.cachedBlocks = 0;
    sequence.computed = 0;
}

std::int32_t Pager::sharedPages(const Sequence& sequence) const {
    return m_cache.sharedCount(std::span(sequence.pages).first(static_cast<std::size_t>(sequence.cachedBlocks)));
}

Result<void> Pager::checkIntegrity(std::span<const std::unique_ptr<Sequence>> sequences) const {
    TRY(m_pool.checkIntegrity());
    TRY(m_cache.checkIntegrity());
    TRY(m_adapters.checkIntegrity());
    std::map<const ResidentAdapter*, std::int32_t> users;
    for (const auto& sequence : sequences)
        if (sequence->adapter) ++users[sequence->adapter];
    for (const auto& [adapter, count] : users)
        if (adapter->references != count)
            return fail(ErrorCode::Internal, "adapter " + adapter->source->digest + " has " +
                                                 std::to_string(adapter->references) + " references and " +
                                                 std::to_string(count) + " users");
    std::vector<std::int32_t> owners(static_cast<std::size_t>(m_pool.pageCount()), 0);
    std::vector<std::int32_t> readers(owners);
    for (const auto& sequence : sequences)
        for (std::size_t i = 0; i < sequence->pages.size(); ++i)
            ++(i < static_cast<std::size_t>(sequence->cachedBlocks)
                   ? readers
                   : owners)[static_cast<std::size_t>(sequence->pages[i])];
    for (PageId page = 0; page < m_pool.pageCount(); ++page) {
        const auto index = static_cast<std::size_t>(page);
        const bool isKv = m_pool.owner(page) == PageOwner::Kv;
        const bool isHeld = owners[index] == 1 || readers[index] > 0;
        const bool isClear = owners[index] <= 1 && (owners[index] == 0 || readers[index] == 0);
        if (isKv != isHeld || !isClear || m_cache.references(page) != readers[index])
            return fail(ErrorCode::Internal,
                        "page " + std::to_string(page) + " is " + std::string(pageOwnerName(m_pool.owner(page))) +
                            ", has " + std::to_string(owners[index]) + " owners, " + std::to_string(readers[index]) +
                            " readers and " + std::to_string(m_cache.references(page)) + " references");
    }
    return {};
}

}  // namespace espalier
