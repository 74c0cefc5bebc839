// SPDX-License-Identifier: GPL-3.0-or-later
// AdapterCache: the adapters that lie in the page pool, beside the KV blocks. An adapter takes a few page ids,
// anywhere; each id is one page in every layer's array, filled with tiles (LoraImage says which) by the copier's lane
// in the order of computing, layer by layer, while the engine thread computes. Until all have landed its pages are
// PageOwner::Staging; it may be used as soon as the first layer has, and gate() makes a step wait for the others.
// Whoever runs with an adapter holds a reference (its pages are PageOwner::Adapter); without one it stays, idle
// (AdapterIdle), until its pages are wanted: then the one of least value goes, whole. One that was retired goes with
// its last reference.
//
// Owner: Pager. Thread: engine. Source: S-LoRA (arXiv 2311.03285) section 5, with a cache that survives the last
// request.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/adapters/lora_image.h"
#include "core/compute/backend.h"
#include "core/serving/adapter_tiers.h"
#include "core/serving/landing.h"
#include "core/serving/page_pool.h"

namespace espalier {

// An adapter in its pages: what the Transformer reads.
struct ResidentAdapter {
    std::shared_ptr<const AdapterSource> source;
    std::int64_t bytes = 0;  // of its tiles
    std::vector<PageId> pages;
    std::vector<std::vector<const std::byte*>> addresses;  // of its pages, by part of the image
    LoraStack modules;
    std::shared_ptr<Landing> landing;  // null: whole
    std::int32_t references = 0;       // running sequences
    ReuseHeat heat;
    MoveCause cause = MoveCause::Miss;  // of its coming
    std::string tenant;                 // for whose request it came
    bool wasUsed = false;
    std::optional<std::int32_t> wantedTurn;  // of the first waiting request that wants it: goes last
    AdapterWait wait;                        // of those that could begin, until it could be used
    std::optional<MoveCause> retired;

    bool isWhole() const { return !landing; }
    bool isReady() const { return !landing || (landing->landed() > 0 && !(landing->isOver() && landing->error())); }
};

class AdapterCache {
public:
    // layers: the arrays behind the pool's ids. maxRows: of a step. The references outlive the cache.
    AdapterCache(Backend& backend, PagePool& pool, std::span<const KvPages> layers, std::int32_t maxRows,
                 AdapterTiers& tiers, const Clock& clock)
        : m_backend(backend),
          m_pool(pool),
          m_layers(layers),
          m_maxRows(maxRows),
          m_tiers(tiers),
          m_clock(clock),
          m_copies(backend.makeStream()) {}
    ~AdapterCache();  // no copy writes into the pool any more
    AdapterCache(const AdapterCache&) = delete;

    // Whether it can ever be served here. Errors: invalid_argument (made for another base), pool_exhausted (larger than
    // the whole pool).
    Result<void> check(const LoraImage& image) const;

    const ResidentAdapter* find(std::string_view digest) const;

    // Starts copying one that is not here. Requires: check() passed; image is the source's. Errors, which change
    // nothing: pool_exhausted when so many pages are not free, or memory for the ranks of a step is not there.
    Result<void> bring(const std::shared_ptr<const AdapterSource>& source, std::shared_ptr<const LoraImage> image,
                       MoveCause cause, const std::string& tenant);
    // Takes in the copies that have ended; the digests and errors of those that failed, whose users must let go of
    // them.
    struct Failed {
        std::string digest;
        Error error;
    };
    std::vector<Failed> collect();

    // A reference. Requires: it is ready.
    const ResidentAdapter* acquire(std::string_view digest);
    void release(const ResidentAdapter& adapter);

    // Those that waiting requests want are the last to go; says so of the adapters, until the next forgetWanted().
    // turn: requests that come before the first that wants it.
    void wanted(std::string_view digest, std::int32_t turn);
    void forgetWanted();
    // So many requests could begin now but for this one; no effect when it is not on its way.
    void noteWaiting(std::string_view digest, std::int32_t requests);

    // Of the idle ones that nobody wants, the one that is worth least by keepingValue() with its children: cached
    // blocks that only its requests can read, whose worth per page `ofBlocks` gives, as a logarithm.
    struct Candidate {
        std::string_view digest;
        double value = 0;
    };
    using ChildrenWorth = std::function<double(std::string_view digest)>;
    std::optional<Candidate> leastValuable(const ChildrenWorth& ofBlocks = {}) const;
    // Of the idle ones that are wanted, but not by the next `sparedTurns` requests, the one that is wanted last.
    std::optional<std::string_view> lastWanted(std::int32_t sparedTurns) const;
    // Takes an idle one out; gives the pages freed. forWhom: whoever takes its room.
    std::int32_t evict(std::string_view digest, const std::string& forWhom);
    void retire(std::string_view digest, MoveCause cause);

    // For a step with these: null when all are whole. Valid until the next call.
    LayerGate* gate(std::span<const ResidentAdapter* const> adapters);

    // [maxRows, ranks of the widest adapter seen] f32 on the device; no data before the first bring().
    TensorView ranks() const { return m_ranks; }
    std::int64_t ranksBytes() const { return m_ranksMemory.bytes(); }

    void eachResident(const std::function<void(const ResidentAdapter&)>& look) const {
        for (const auto& [digest, adapter] : m_residents) look(*adapter);
    }
    std::int32_t residents() const { return static_cast<std::int32_t>(m_residents.size()); }
    // What became of adapters that came ahead of their turn, since the last call.
    struct PrefetchOutcome {
        std::int64_t used = 0, wasted = 0;
    };
    PrefetchOutcome takePrefetchOutcome() { return std::exchange(m_prefetched, {}); }
    std::int64_t loads() const { return m_loads; }
    std::int64_t evictions() const { return m_evictions; }
    std::int64_t loadedBytes() const { return m_loadedBytes; }
    std::int64_t droppedBytes() const { return m_droppedBytes; }

    // Every page of every resident is the right owner's, no page twice, and no other page claims to be an adapter's.
    Result<void> checkIntegrity() const;

private:
    using Residents = std::map<std::string, std::unique_ptr<ResidentAdapter>, std::less<>>;  // by digest
    class Gate final : public LayerGate {
    public:
        Result<void> await(std::size_t layer) override;
        std::vector<std::shared_ptr<Landing>> landings;
    };

    static PageOwner ownerOf(const ResidentAdapter& adapter) {
        return !adapter.isWhole()       ? PageOwner::Staging
               : adapter.references > 0 ? PageOwner::Adapter
                                        : PageOwner::AdapterIdle;
    }
    Result<void> reserveRanks(std::int32_t ranks);
    void post(const ResidentAdapter& adapter, std::shared_ptr<const LoraImage> image);
    double valueOf(const ResidentAdapter& adapter, const ChildrenWorth& ofBlocks) const;
    void drop(Residents::iterator adapter, MoveCause cause, const std::string& forWhom);

    Backend& m_backend;
    PagePool& m_pool;
    std::span<const KvPages> m_layers;
    std::int32_t m_maxRows;
    AdapterTiers& m_tiers;
    const Clock& m_clock;
    std::unique_ptr<Stream> m_copies;  // the copier's
    Residents m_residents;
    std::vector<ResidentAdapter*> m_landing;
    Gate m_gate;
    Buffer m_ranksMemory;
    TensorView m_ranks;
    PrefetchOutcome m_prefetched;
    std::int64_t m_loads = 0, m_evictions = 0, m_loadedBytes = 0, m_droppedBytes = 0;
};

}  // namespace espalier
