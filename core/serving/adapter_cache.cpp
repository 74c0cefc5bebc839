// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/serving/adapter_cache.h"

#include <algorithm>

#include "core/base/caught.h"

namespace espalier {
namespace {

std::string pagesText(std::int64_t pages) {
    return std::to_string(pages) + (pages == 1 ? " page" : " pages");
}

std::byte* addressOf(const LoraImage::Place& place, std::span<const KvPages> arrays, std::span<const PageId> pages) {
    const KvPages& array = arrays[static_cast<std::size_t>(place.array)];
    return array.base + pages[static_cast<std::size_t>(place.ordinal)] * array.pageBytes;
}

// Whole tiles, as many as its pages hold, page by page.
void copyPart(Backend& backend, Stream& stream, std::span<const KvPages> arrays, std::span<const PageId> pages,
              const LoraImage::Part& part, std::int64_t tileBytes) {
    const auto all = static_cast<std::int64_t>(part.tiles.size());
    const std::int64_t each = part.tilesPerPage * tileBytes;
    std::int64_t at = 0;
    for (const LoraImage::Place& place : part.places) {
        backend.copy(stream, addressOf(place, arrays, pages), part.tiles.data() + at, std::min(each, all - at));
        at += each;
    }
}

// Modules that lie in these pages.
void pointTo(std::vector<LoraModule>& modules, std::span<const std::byte* const> pages) {
    for (LoraModule& module : modules) module.pages = pages;
}

}  // namespace

AdapterCache::~AdapterCache() {
    for (ResidentAdapter* adapter : m_landing) adapter->landing->cancel();
}

Result<void> AdapterCache::check(const LoraImage& image) const {
    bool fits = image.modules.layers.size() == m_layers.size();
    for (const LoraImage::Part& part : image.parts)
        for (const LoraImage::Place& place : part.places)
            fits = fits &&
                   part.tilesPerPage * image.tileBytes() <= m_layers[static_cast<std::size_t>(place.array)].pageBytes;
    if (!fits) return fail(ErrorCode::InvalidArgument, "the adapter was made for another base model");
    if (image.pages >= m_pool.pageCount())
        return fail(ErrorCode::PoolExhausted, "the adapter takes " + pagesText(image.pages) + ", the whole pool has " +
                                                  pagesText(m_pool.pageCount()) +
                                                  ": start the server with a larger pool");
    return {};
}

const ResidentAdapter* AdapterCache::find(std::string_view digest) const {
    const auto found = m_residents.find(digest);
    return found == m_residents.end() ? nullptr : found->second.get();
}

Result<void> AdapterCache::bring(const std::shared_ptr<const AdapterSource>& source,
                                 std::shared_ptr<const LoraImage> image, MoveCause cause, const std::string& tenant) {
    CHECK(!m_residents.contains(source->digest));
    TRY(reserveRanks(image->ranks));
    auto adapter = std::make_unique<ResidentAdapter>();
    TRY(m_pool.acquire(PageOwner::Staging, image->pages, adapter->pages));
    adapter->source = source;
    adapter->bytes = image->bytes();
    adapter->cause = cause;
    adapter->tenant = tenant;
    adapter->landing = std::make_shared<Landing>();
    adapter->heat.use(m_clock.now());
    for (const LoraImage::Part& part : image->parts) {
        auto& addresses = adapter->addresses.emplace_back();
        for (const LoraImage::Place& place : part.places)
            addresses.push_back(addressOf(place, m_layers, adapter->pages));
    }
    adapter->modules = image->modules;
    pointTo(adapter->modules.embedding, adapter->addresses.front());
    for (std::size_t layer = 0; layer < m_layers.size(); ++layer)
        for (auto& site : adapter->modules.layers[layer]) pointTo(site, adapter->addresses[layer + 1]);
    pointTo(adapter->modules.lmHead, adapter->addresses.back());
    ++m_loads;
    m_loadedBytes += adapter->bytes;
    m_landing.push_back(adapter.get());
    ResidentAdapter& kept = *m_residents.emplace(source->digest, std::move(adapter)).first->second;
    post(kept, std::move(image));
    return {};
}

// What the copier touches belongs to it until the landing is over: the pages, and the tiles, which never change.
void AdapterCache::post(const ResidentAdapter& adapter, std::shared_ptr<const LoraImage> image) {
    m_tiers.copier.post([landing = adapter.landing, image = std::move(image), pages = adapter.pages, layers = m_layers,
                         wake = m_tiers.wake, &backend = m_backend, &stream = *m_copies, &clock = m_clock]() mutable {
        if (!landing->begin()) return;
        const TimePoint began = clock.now();
        Result<void> result = caught("the copier", [&]() -> Result<void> {
            for (std::size_t part = 0; part < image->parts.size(); ++part) {
                copyPart(backend, stream, layers, pages, image->parts[part], image->tileBytes());
                if (part == 0) continue;  // the embedding lands with the first layer
                TRY(backend.synchronize(stream));
                if (!landing->layerLanded()) return {};
                if (part == 1 && wake) wake();  // who waits for it may begin
            }
            return {};
        });
        image = nullptr;  // before anybody sees that nobody copies from it any more
        landing->end(std::move(result), seconds(clock.now() - began));
        if (wake) wake();
    });
}

std::vector<AdapterCache::Failed> AdapterCache::collect() {
    std::vector<Failed> failed;
    std::vector<std::string> leaving;
    std::erase_if(m_landing, [&](ResidentAdapter* adapter) {
        if (!adapter->landing->isOver()) return false;
        if (adapter->landing->error()) {
            failed.push_back({adapter->source->digest, *adapter->landing->error()});
            return adapter->references == 0;
        }
        const double took = adapter->landing->seconds();
        m_tiers.copyCost.add(static_cast<double>(adapter->bytes), took);
        if (!adapter->wasUsed) adapter->wait.note(0, m_clock.now());
        m_tiers.trace.add({.at = m_clock.unixMilliseconds(),
                           .adapter = adapter->source->name,
                           .tenant = adapter->tenant,
                           .from = AdapterTier::Host,
                           .to = AdapterTier::Pool,
                           .bytes = adapter->bytes,
                           .seconds = took,
                           .cause = adapter->cause,
                           .base = adapter->source->base,
                           .waiters = adapter->wait.requests,
                           .waitedSeconds = adapter->wait.seconds});
        adapter->landing = nullptr;
        for (const PageId page : adapter->pages) m_pool.reassign(PageOwner::Staging, ownerOf(*adapter), page);
        if (adapter->retired && adapter->references == 0) leaving.push_back(adapter->source->digest);
        return true;
    });
    for (const Failed& one : failed) {
        const auto found = m_residents.find(one.digest);
        if (found->second->references > 0) continue;
        for (const PageId page : found->second->pages) m_pool.release(PageOwner::Staging, page);
        m_residents.erase(found);
    }
    for (const std::string& digest : leaving) {
        const auto found = m_residents.find(digest);
        drop(found, *found->second->retired, {});
    }
    return failed;
}

const ResidentAdapter* AdapterCache::acquire(std::string_view digest) {
    const auto found = m_residents.find(digest);
    CHECK(found != m_residents.end() && found->second->isReady());
    ResidentAdapter& adapter = *found->second;
    if (adapter.references++ == 0 && adapter.isWhole())
        for (const PageId page : adapter.pages) m_pool.reassign(PageOwner::AdapterIdle, PageOwner::Adapter, page);
    adapter.heat.use(m_clock.now());
    if (!adapter.wasUsed && adapter.cause == MoveCause::Prefetch) {
        ++m_prefetched.used;
        ++m_tiers.trace.traffic().prefetchUsed;
    }
    if (!adapter.wasUsed && !adapter.isWhole()) adapter.wait.note(0, m_clock.now());
    adapter.wasUsed = true;
    return &adapter;
}

void AdapterCache::release(const ResidentAdapter& adapter) {
    const auto found = m_residents.find(adapter.source->digest);
    CHECK(found != m_residents.end() && found->second.get() == &adapter && adapter.references > 0);
    if (--found->second->references > 0 || !adapter.isWhole()) return;
    for (const PageId page : adapter.pages) m_pool.reassign(PageOwner::Adapter, PageOwner::AdapterIdle, page);
    if (adapter.retired) drop(found, *adapter.retired, {});
}

void AdapterCache::wanted(std::string_view digest, std::int32_t turn) {
    if (const auto found = m_residents.find(digest); found != m_residents.end()) found->second->wantedTurn = turn;
}

void AdapterCache::forgetWanted() {
    for (auto& [digest, adapter] : m_residents) adapter->wantedTurn.reset();
}

void AdapterCache::noteWaiting(std::string_view digest, std::int32_t requests) {
    const auto found = m_residents.find(digest);
    if (found != m_residents.end() && !found->second->isReady()) found->second->wait.note(requests, m_clock.now());
}

double AdapterCache::valueOf(const ResidentAdapter& adapter, const ChildrenWorth& ofBlocks) const {
    const double back =
        m_tiers.copyCost.secondsFor(static_cast<double>(adapter.bytes)) + m_tiers.arena.secondsToRead(*adapter.source);
    const auto pages = static_cast<double>(adapter.pages.size());
    const double own = keepingValue(adapter.heat, back, pages);
    return ofBlocks ? sumOfValues(own, ofBlocks(adapter.source->digest) - std::log2(pages)) : own;
}

std::optional<AdapterCache::Candidate> AdapterCache::leastValuable(const ChildrenWorth& ofBlocks) const {
    std::optional<Candidate> least;
    for (const auto& [digest, adapter] : m_residents) {
        if (ownerOf(*adapter) != PageOwner::AdapterIdle || adapter->wantedTurn) continue;
        const double value = valueOf(*adapter, ofBlocks);
        if (!least || value < least->value) least = {digest, value};
    }
    return least;
}

std::optional<std::string_view> AdapterCache::lastWanted(std::int32_t sparedTurns) const {
    const ResidentAdapter* last = nullptr;
    for (const auto& [digest, adapter] : m_residents) {
        if (ownerOf(*adapter) != PageOwner::AdapterIdle || !adapter->wantedTurn) continue;
        if (*adapter->wantedTurn < sparedTurns) continue;
        if (!last || *adapter->wantedTurn > *last->wantedTurn) last = adapter.get();
    }
    return last ? std::optional<std::string_view>(last->source->digest) : std::nullopt;
}

std::int32_t AdapterCache::evict(std::string_view digest, const std::string& forWhom) {
    const auto found = m_residents.find(digest);
    CHECK(found != m_residents.end() && ownerOf(*found->second) == PageOwner::AdapterIdle);
    const auto freed = static_cast<std::int32_t>(found->second->pages.size());
    ++m_evictions;
    drop(found, MoveCause::Evicted, forWhom);
    return freed;
}

void AdapterCache::retire(std::string_view digest, MoveCause cause) {
    const auto found = m_residents.find(digest);
    if (found == m_residents.end()) return;
    found->second->retired = cause;
    if (ownerOf(*found->second) == PageOwner::AdapterIdle) drop(found, cause, {});
}

// What leaves the pool is written nowhere: it is still on disk, often in host memory.
void AdapterCache::drop(Residents::iterator adapter, MoveCause cause, const std::string& forWhom) {
    const ResidentAdapter& gone = *adapter->second;
    const bool isWaste = !gone.wasUsed && gone.cause == MoveCause::Prefetch;
    m_prefetched.wasted += isWaste;
    m_tiers.trace.traffic().prefetchWasted += isWaste;
    const bool isOnHost = m_tiers.arena.state(*gone.source) == HostArena::State::Ready;
    m_tiers.trace.add({.at = m_clock.unixMilliseconds(),
                       .adapter = gone.source->name,
                       .from = AdapterTier::Pool,
                       .to = isOnHost ? AdapterTier::Host : AdapterTier::Disk,
                       .bytes = gone.bytes,
                       .cause = cause,
                       .evictedFor = forWhom,
                       .wasWaste = isWaste,
                       .base = gone.source->base});
    m_droppedBytes += gone.bytes;
    for (const PageId page : gone.pages) m_pool.release(PageOwner::AdapterIdle, page);
    m_residents.erase(adapter);
}

Result<void> AdapterCache::Gate::await(std::size_t layer) {
    for (const auto& landing : landings) TRY(landing->await(layer));
    return {};
}

LayerGate* AdapterCache::gate(std::span<const ResidentAdapter* const> adapters) {
    m_gate.landings.clear();
    for (const ResidentAdapter* adapter : adapters)
        if (!adapter->isWhole()) m_gate.landings.push_back(adapter->landing);
    return m_gate.landings.empty() ? nullptr : &m_gate;
}

Result<void> AdapterCache::reserveRanks(std::int32_t ranks) {
    if (m_ranks.data && ranks <= m_ranks.cols()) return {};
    TRY_ASSIGN(Buffer memory,
               m_backend.allocate(std::int64_t{m_maxRows} * ranks * static_cast<std::int64_t>(sizeof(float))));
    m_ranks = TensorView(memory.data(), DType::F32, {m_maxRows, ranks});
    m_ranksMemory = std::move(memory);
    return {};
}

Result<void> AdapterCache::checkIntegrity() const {
    PoolUsage counted;
    std::vector<bool> seen(static_cast<std::size_t>(m_pool.pageCount()));
    std::size_t landing = 0;
    for (const auto& [digest, adapter] : m_residents) {
        landing += !adapter->isWhole();
        const PageOwner owner = ownerOf(*adapter);
        for (const PageId page : adapter->pages) {
            if (m_pool.owner(page) != owner || seen[static_cast<std::size_t>(page)])
                return fail(ErrorCode::Internal, "page " + std::to_string(page) + " of adapter " + digest + " is " +
                                                     std::string(pageOwnerName(m_pool.owner(page))));
            seen[static_cast<std::size_t>(page)] = true;
        }
        counted.pages[static_cast<std::size_t>(owner)] += static_cast<std::int32_t>(adapter->pages.size());
    }
    for (const PageOwner owner : {PageOwner::Adapter, PageOwner::AdapterIdle, PageOwner::Staging})
        if (counted.of(owner) != m_pool.usage().of(owner))
            return fail(ErrorCode::Internal, std::string(pageOwnerName(owner)) + " pages: counted " +
                                                 std::to_string(counted.of(owner)) + ", on record " +
                                                 std::to_string(m_pool.usage().of(owner)));
    if (landing != m_landing.size())
        return fail(ErrorCode::Internal, std::to_string(landing) + " adapters are on their way, on record " +
                                             std::to_string(m_landing.size()));
    return {};
}

}  // namespace espalier
