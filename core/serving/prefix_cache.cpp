// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/serving/prefix_cache.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>

namespace espalier {
namespace {

// Length before content, so that no two domains share their bytes.
void appendField(std::string& bytes, std::string_view field) {
    const std::uint64_t size = field.size();
    bytes.append(reinterpret_cast<const char*>(&size), sizeof size);
    bytes += field;
}

}  // namespace

Hash128 PrefixCache::rootKey(const CacheDomain& domain) const {
    std::string bytes;
    appendField(bytes, domain.modelDigest);
    appendField(bytes, domain.adapterDigest);
    appendField(bytes, {reinterpret_cast<const char*>(&domain.adapterScale), sizeof domain.adapterScale});
    appendField(bytes, domain.tenant);
    return keyedHash(m_key, std::as_bytes(std::span(bytes)));
}

Hash128 PrefixCache::blockKey(const Hash128& parent, Block tokens) const {
    std::array<std::byte, sizeof(Hash128) + kTokensPerPage * sizeof(TokenId)> bytes;
    std::memcpy(bytes.data(), parent.data(), sizeof(Hash128));
    std::memcpy(bytes.data() + sizeof(Hash128), tokens.data(), tokens.size_bytes());
    return keyedHash(m_key, bytes);
}

std::optional<PrefixCache::Hit> PrefixCache::find(const Hash128& key, const Hash128& parent, Block tokens) const {
    const auto found = m_blocks.find(key);
    if (found == m_blocks.end()) return std::nullopt;
    const Entry& entry = found->second;
    if (entry.parent != parent || !std::equal(tokens.begin(), tokens.end(), entry.tokens.begin())) return std::nullopt;
    return Hit{entry.page, entry.references == 0};
}

void PrefixCache::pin(PageId page) {
    auto& block = blockAt(page);
    withdraw(block);
    Entry& entry = block.second;
    if (entry.references++ == 0) m_pool.reassign(PageOwner::KvCached, PageOwner::Kv, page);
    entry.lastUse = ++m_useCount;
    entry.heat.use(m_clock.now());
    if (entry.family != m_families.end()) entry.family->second.heat.use(m_clock.now());
}

PrefixCache::Published PrefixCache::publish(const Hash128& key, const Hash128& parent, Block tokens, PageId page,
                                            std::string_view adapter) {
    if (m_blocks.contains(key)) {
        const auto known = find(key, parent, tokens);
        if (!known) return {page, false};
        pin(known->page);
        m_pool.release(PageOwner::Kv, page);
        return {known->page, true};
    }
    CHECK(m_pool.owner(page) == PageOwner::Kv && !m_byPage[static_cast<std::size_t>(page)]);
    Entry entry;
    entry.parent = parent;
    std::copy(tokens.begin(), tokens.end(), entry.tokens.begin());
    entry.page = page;
    entry.references = 1;
    entry.lastUse = ++m_useCount;
    entry.heat.use(m_clock.now());
    if (const auto above = m_blocks.find(parent); above != m_blocks.end()) {
        CHECK(above->second.references > 0);
        ++above->second.children;
        entry.hasParent = true;
    }
    entry.family = m_families.find(adapter);
    if (entry.family == m_families.end() && !adapter.empty())
        entry.family = m_families.try_emplace(std::string(adapter)).first;
    if (entry.family != m_families.end()) {
        ++entry.family->second.blocks;
        entry.family->second.heat.join(entry.heat);
    }
    m_byPage[static_cast<std::size_t>(page)] = &*m_blocks.emplace(key, entry).first;
    return {page, true};
}

void PrefixCache::unpin(std::span<const PageId> pages) {
    for (auto page = pages.rbegin(); page != pages.rend(); ++page) {  // the tail gets the oldest use, so it goes first
        auto& block = blockAt(*page);
        Entry& entry = block.second;
        CHECK(entry.references > 0);
        entry.lastUse = ++m_useCount;
        if (--entry.references > 0) continue;
        m_pool.reassign(PageOwner::Kv, PageOwner::KvCached, *page);
        offerForEviction(block);
    }
}

std::int32_t PrefixCache::evict(std::int32_t count) {
    std::int32_t evicted = 0;
    for (; evicted < count && !m_evictable.empty(); ++evicted) {
        const PageId page = std::get<PageId>(*m_evictable.begin());
        m_evictable.erase(m_evictable.begin());
        const auto block = m_blocks.find(blockAt(page).first);
        if (block->second.hasParent) {
            const auto above = m_blocks.find(block->second.parent);
            CHECK(above != m_blocks.end());
            --above->second.children;
            offerForEviction(*above);
        }
        leaveFamily(block->second);
        m_byPage[static_cast<std::size_t>(page)] = nullptr;
        m_blocks.erase(block);
        m_pool.release(PageOwner::KvCached, page);
    }
    m_evictedPages += evicted;
    return evicted;
}

std::optional<ReuseHeat> PrefixCache::leastHeat() const {
    if (m_evictable.empty()) return std::nullopt;
    return blockAt(std::get<PageId>(*m_evictable.begin())).second.heat;
}

void PrefixCache::leaveFamily(Entry& entry) {
    if (entry.family == m_families.end()) return;
    Family& family = entry.family->second;
    family.heat.part(entry.heat);
    if (--family.blocks == 0) m_families.erase(entry.family);
}

std::optional<ReuseHeat> PrefixCache::heatOf(std::string_view adapter) const {
    const auto found = m_families.find(adapter);
    return found == m_families.end() ? std::nullopt : std::optional(found->second.heat);
}

std::int32_t PrefixCache::sharedCount(std::span<const PageId> pages) const {
    const auto own = std::partition_point(pages.begin(), pages.end(),
                                          [&](PageId page) { return blockAt(page).second.references > 1; });
    return static_cast<std::int32_t>(own - pages.begin());
}

std::int32_t PrefixCache::references(PageId page) const {
    const auto* block = m_byPage[static_cast<std::size_t>(page)];
    return block ? block->second.references : 0;
}

PrefixCache::Blocks::value_type& PrefixCache::blockAt(PageId page) const {
    Blocks::value_type* block = m_byPage[static_cast<std::size_t>(page)];
    CHECK(block);
    return *block;
}

void PrefixCache::offerForEviction(const Blocks::value_type& block) {
    if (isEvictable(block.second)) m_evictable.insert(orderOf(block.second));
}

void PrefixCache::withdraw(const Blocks::value_type& block) {
    if (isEvictable(block.second)) m_evictable.erase(orderOf(block.second));
}

Result<void> PrefixCache::checkIntegrity() const {
    std::unordered_map<Hash128, std::int32_t, KeyHash> children;
    std::size_t evictable = 0;
    std::map<std::string_view, std::int32_t> families;
    for (const auto& [key, entry] : m_blocks) {
        if (entry.family != m_families.end()) ++families[entry.family->first];
        const std::string name = "cached block of page " + std::to_string(entry.page);
        const PageOwner expected = entry.references > 0 ? PageOwner::Kv : PageOwner::KvCached;
        if (m_pool.owner(entry.page) != expected) return fail(ErrorCode::Internal, name + " has the wrong owner");
        const auto* byPage = m_byPage[static_cast<std::size_t>(entry.page)];
        if (!byPage || byPage->first != key) return fail(ErrorCode::Internal, name + " is not found by its page");
        if (isEvictable(entry)) {
            ++evictable;
            if (!m_evictable.contains(orderOf(entry)))
                return fail(ErrorCode::Internal, name + " is idle but not offered for eviction");
        }
        if (!entry.hasParent) continue;
        const auto above = m_blocks.find(entry.parent);
        if (above == m_blocks.end()) return fail(ErrorCode::Internal, name + " lost its parent");
        if (above->second.references < entry.references)
            return fail(ErrorCode::Internal, name + " has more readers than its parent");
        ++children[entry.parent];
    }
    for (const auto& [key, entry] : m_blocks) {
        const auto counted = children.find(key);
        if (entry.children != (counted == children.end() ? 0 : counted->second))
            return fail(ErrorCode::Internal,
                        "cached block of page " + std::to_string(entry.page) + " counts its children wrongly");
    }
    for (const auto& [digest, family] : m_families)
        if (const auto counted = families.find(digest); counted == families.end() || counted->second != family.blocks)
            return fail(ErrorCode::Internal, "the blocks of adapter " + digest + " are counted wrongly");
    const auto absent = std::count(m_byPage.begin(), m_byPage.end(), nullptr);
    if (m_byPage.size() - static_cast<std::size_t>(absent) != m_blocks.size() || m_evictable.size() != evictable)
        return fail(ErrorCode::Internal, "the prefix cache's indexes differ in size");
    return {};
}

}  // namespace espalier
