// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/serving/adapter_cache.h"

#include <algorithm>

namespace espalier {
namespace {

std::string pagesText(std::int64_t pages) { return std::to_string(pages) + (pages == 1 ? " page" : " pages"); }

}  // namespace

Result<void> AdapterCache::check(const LoraImage& image) const {
    bool fits = image.layers.size() == m_layers.size();
    for (std::size_t layer = 0; fits && layer < m_layers.size(); ++layer)
        fits = image.layers[layer].tileCount <= image.pages * (m_layers[layer].pageBytes / image.tileBytes());
    if (!fits) return fail(ErrorCode::InvalidArgument, "the adapter was made for another base model");
    if (image.pages >= m_pool.pageCount())
        return fail(ErrorCode::PoolExhausted,
                    "the adapter takes " + pagesText(image.pages) + ", the whole pool has " +
                        pagesText(m_pool.pageCount()) + ": start the server with a larger pool");
    return {};
}

Result<const ResidentAdapter*> AdapterCache::acquire(Stream& stream, const std::shared_ptr<const LoraImage>& image) {
    auto found = m_residents.find(image->digest);
    if (found == m_residents.end()) {
        TRY(reserveRanks(image->ranks));
        auto adapter = std::make_unique<ResidentAdapter>();
        adapter->image = image;
        TRY(m_pool.acquire(PageOwner::AdapterIdle, image->pages, adapter->pages));
        for (const LoraImage::Layer& layer : image->layers) {
            LoraLayer& modules = adapter->layers.emplace_back(layer.modules);
            for (auto& site : modules)
                for (LoraModule& module : site) module.pages = adapter->pages;
        }
        copyTiles(stream, *adapter);
        ++m_loads;
        m_loadedBytes += image->bytes();
        found = m_residents.emplace(image->digest, std::move(adapter)).first;
    } else {
        ++m_hits;
    }
    ResidentAdapter& adapter = *found->second;
    if (adapter.references++ == 0)
        for (const PageId page : adapter.pages) m_pool.reassign(PageOwner::AdapterIdle, PageOwner::Adapter, page);
    adapter.lastUse = ++m_useCount;
    return &adapter;
}

void AdapterCache::release(const ResidentAdapter& adapter) {
    const auto found = m_residents.find(adapter.image->digest);
    CHECK(found != m_residents.end() && found->second.get() == &adapter && adapter.references > 0);
    if (--found->second->references == 0)
        for (const PageId page : adapter.pages) m_pool.reassign(PageOwner::Adapter, PageOwner::AdapterIdle, page);
    found->second->lastUse = ++m_useCount;
}

std::int32_t AdapterCache::evict(std::int32_t pages) {
    std::int32_t freed = 0;
    while (freed < pages) {
        auto oldest = m_residents.end();
        for (auto one = m_residents.begin(); one != m_residents.end(); ++one)
            if (one->second->references == 0 &&
                (oldest == m_residents.end() || one->second->lastUse < oldest->second->lastUse))
                oldest = one;
        if (oldest == m_residents.end()) break;
        freed += static_cast<std::int32_t>(oldest->second->pages.size());
        ++m_evictions;
        drop(oldest);
    }
    return freed;
}

void AdapterCache::drop(Residents::iterator adapter) {
    for (const PageId page : adapter->second->pages) m_pool.release(PageOwner::AdapterIdle, page);
    m_residents.erase(adapter);
}

Result<void> AdapterCache::reserveRanks(std::int32_t ranks) {
    if (m_ranks.data && ranks <= m_ranks.cols()) return {};
    TRY_ASSIGN(Buffer memory, m_backend.allocate(std::int64_t{m_maxRows} * ranks * static_cast<std::int64_t>(sizeof(float))));
    m_ranks = TensorView(memory.data(), DType::F32, {m_maxRows, ranks});
    m_ranksMemory = std::move(memory);
    return {};
}

// Whole tiles, as many as a page of the layer holds, page by page.
void AdapterCache::copyTiles(Stream& stream, const ResidentAdapter& adapter) {
    const std::int64_t tileBytes = adapter.image->tileBytes();
    for (std::size_t layer = 0; layer < m_layers.size(); ++layer) {
        const std::vector<std::byte>& tiles = adapter.image->layers[layer].tiles;
        const auto all = static_cast<std::int64_t>(tiles.size());
        const std::int64_t each = m_layers[layer].pageBytes / tileBytes * tileBytes;
        for (std::int64_t at = 0, index = 0; at < all; at += each, ++index)
            m_backend.copy(stream,
                           m_layers[layer].base + adapter.pages[static_cast<std::size_t>(index)] * m_layers[layer].pageBytes,
                           tiles.data() + at, std::min(each, all - at));
    }
}

Result<void> AdapterCache::checkIntegrity() const {
    std::int32_t held = 0, idle = 0;
    std::vector<bool> seen(static_cast<std::size_t>(m_pool.pageCount()));
    for (const auto& [digest, adapter] : m_residents) {
        const PageOwner owner = adapter->references > 0 ? PageOwner::Adapter : PageOwner::AdapterIdle;
        for (const PageId page : adapter->pages) {
            if (m_pool.owner(page) != owner || seen[static_cast<std::size_t>(page)])
                return fail(ErrorCode::Internal, "page " + std::to_string(page) + " of adapter " + digest + " is " +
                                                     std::string(pageOwnerName(m_pool.owner(page))));
            seen[static_cast<std::size_t>(page)] = true;
        }
        (adapter->references > 0 ? held : idle) += static_cast<std::int32_t>(adapter->pages.size());
    }
    const PoolUsage& usage = m_pool.usage();
    if (held != usage.of(PageOwner::Adapter) || idle != usage.of(PageOwner::AdapterIdle))
        return fail(ErrorCode::Internal, "pages of adapters: " + std::to_string(held) + " in use and " +
                                             std::to_string(idle) + " idle, on record " +
                                             std::to_string(usage.of(PageOwner::Adapter)) + " and " +
                                             std::to_string(usage.of(PageOwner::AdapterIdle)));
    return {};
}

}  // namespace espalier
