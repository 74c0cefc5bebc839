// SPDX-License-Identifier: GPL-3.0-or-later
// AdapterCache: the adapters that lie in the page pool, beside the KV blocks. An adapter takes a few page ids, anywhere;
// each id is one page in every layer's array, filled with that layer's tiles. Whoever runs with an adapter holds a
// reference (its pages are PageOwner::Adapter); without one it stays, idle (AdapterIdle), until its pages are wanted:
// then the one used longest ago goes, whole.
//
// Owner: Pager. Thread: engine. Source: S-LoRA (arXiv 2311.03285) section 5, with a cache that survives the last request.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/adapters/lora_image.h"
#include "core/compute/backend.h"
#include "core/serving/page_pool.h"

namespace espalier {

// An adapter in its pages: what the Transformer reads.
struct ResidentAdapter {
    std::shared_ptr<const LoraImage> image;
    std::vector<PageId> pages;
    std::vector<LoraLayer> layers;
    std::int32_t references = 0;  // running sequences
    std::int64_t lastUse = 0;
};

class AdapterCache {
public:
    // layers: the arrays behind the pool's ids. maxRows: of a step. The references outlive the cache.
    AdapterCache(Backend& backend, PagePool& pool, std::span<const KvPages> layers, std::int32_t maxRows)
        : m_backend(backend), m_pool(pool), m_layers(layers), m_maxRows(maxRows) {}

    // Whether it can ever be served here. Errors: invalid_argument (made for another base), pool_exhausted (larger than
    // the whole pool).
    Result<void> check(const LoraImage& image) const;

    bool isResident(const LoraImage& image) const { return m_residents.contains(image.digest); }

    // A reference; what is not in the pool is copied there first. Requires: check() passed. Errors, which change nothing:
    // pool_exhausted when so many pages are not free, or memory for the ranks of a step is not there.
    Result<const ResidentAdapter*> acquire(Stream& stream, const std::shared_ptr<const LoraImage>& image);
    void release(const ResidentAdapter& adapter);

    // Takes idle adapters out until `pages` more are free, or none is idle. Returns the pages freed.
    std::int32_t evict(std::int32_t pages);

    // [maxRows, ranks of the widest adapter seen] f32 on the device; no data before the first acquire().
    TensorView ranks() const { return m_ranks; }
    std::int64_t ranksBytes() const { return m_ranksMemory.bytes(); }

    std::int32_t residents() const { return static_cast<std::int32_t>(m_residents.size()); }
    std::int64_t loads() const { return m_loads; }
    std::int64_t hits() const { return m_hits; }
    std::int64_t evictions() const { return m_evictions; }
    std::int64_t loadedBytes() const { return m_loadedBytes; }

    // Every page of every resident is the right owner's, no page twice, and no other page claims to be an adapter's.
    Result<void> checkIntegrity() const;

private:
    using Residents = std::map<std::string, std::unique_ptr<ResidentAdapter>, std::less<>>;  // by digest

    Result<void> reserveRanks(std::int32_t ranks);
    void copyTiles(Stream& stream, const ResidentAdapter& adapter);
    void drop(Residents::iterator adapter);

    Backend& m_backend;
    PagePool& m_pool;
    std::span<const KvPages> m_layers;
    std::int32_t m_maxRows;
    Residents m_residents;
    Buffer m_ranksMemory;
    TensorView m_ranks;
    std::int64_t m_useCount = 0;
    std::int64_t m_loads = 0, m_hits = 0, m_evictions = 0, m_loadedBytes = 0;
};

}  // namespace espalier
