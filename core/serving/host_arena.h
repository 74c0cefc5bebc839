// SPDX-License-Identifier: GPL-3.0-or-later
// HostArena: adapters in host memory, in the layout of the pool, within a budget. They come from their folders by a
// lane of their own, so that no thread that serves waits for the disk, and stay until their room is wanted; then the
// one that is least likely to be used again goes. What is being copied into a pool stays until the copy is over.
//
// An adapter is registered (on disk alone), loading, ready, or failed until the next collect(). Two names for the same
// content share an image, whoever's files it was read from; a failure is that name's alone whose files were read.
//
// Owner: AdapterTiers. Thread: engine; what the reader's lane has read comes back through a queue.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/adapters/lora_image.h"
#include "core/base/clock.h"
#include "core/base/lane.h"
#include "core/serving/adapter_trace.h"
#include "core/serving/reuse.h"

namespace espalier {

class HostArena {
public:
    // wake: called on the reader's lane when something has been read. The references outlive the arena; the reader may
    // still be reading when it goes.
    HostArena(std::int64_t budget, Lane& reader, const Clock& clock, AdapterTrace& trace, std::function<void()> wake);
    HostArena(const HostArena&) = delete;

    // Takes in what was read since the last call, and forgets what had failed then.
    void collect();

    enum class State : std::uint8_t { Registered, Loading, Ready, Failed };
    State state(const AdapterSource& source) const;
    std::shared_ptr<const LoraImage> image(const AdapterSource& source) const;  // null unless ready
    const Error* failure(const AdapterSource& source) const;                    // null unless failed

    // A request names it.
    void use(const AdapterSource& source);
    // A request waits for it: until the tick after next, only one whose turn has come may take its room.
    void keep(const AdapterSource& source);
    // Starts reading what is registered or failed. false: not now (enough is being read, or all that is here is
    // wanted); wishes are not remembered, ask again after the next collect().
    bool want(const std::shared_ptr<const AdapterSource>& source, MoveCause cause, const std::string& tenant);
    // So many requests could begin now but for this one; no effect when it is not being read.
    void noteWaiting(const AdapterSource& source, std::int32_t requests);
    // Its room is free as soon as nobody copies from it.
    void retire(std::string_view base, std::string_view digest, MoveCause cause);

    double secondsToRead(const AdapterSource& source) const;  // as learned; 0 when it is ready
    std::int64_t bytes() const { return m_bytes; }
    std::int64_t budget() const { return m_budget; }
    std::int32_t images() const { return m_images; }
    Result<void> checkIntegrity() const;

private:
    static constexpr std::int32_t kReadsAhead = 2;
    static constexpr std::size_t kRemembered = 4096;
    using Key = std::pair<std::string, std::string>;  // base, digest
    using KeyView = std::pair<std::string_view, std::string_view>;
    struct KeyOrder {  // looks up without a copy
        using is_transparent = void;
        bool operator()(const KeyView& a, const KeyView& b) const { return a < b; }
    };
    struct Entry {
        std::string name;
        std::shared_ptr<const LoraImage> image;
        std::int64_t bytes = 0;  // of the image, or what is reserved for it while it loads
        bool isLoading = false;
        std::optional<Error> error;
        std::optional<MoveCause> retired;
        MoveCause cause = MoveCause::Miss;
        std::string tenant;
        AdapterWait wait;
        ReuseHeat heat;
        std::int64_t keptAt = -2;
    };
    struct Inbox;
    using Entries = std::map<Key, Entry, KeyOrder>;

    static Key keyOf(const AdapterSource& source) { return {source.base, source.digest}; }
    const Entry* find(const AdapterSource& source) const;
    bool makeRoom(std::int64_t bytes, MoveCause cause, const std::string& forWhom);
    void drop(Entries::iterator entry, MoveCause cause, const std::string& forWhom);
    void dropRetired();
    void forgetOld();

    const std::int64_t m_budget;
    Lane& m_reader;
    const Clock& m_clock;
    AdapterTrace& m_trace;
    const std::function<void()> m_wake;
    std::shared_ptr<Inbox> m_inbox;
    Entries m_entries;
    std::vector<Key> m_failed, m_retiring;  // what collect() has to look after
    LearnedCost m_readCost{200e6, 1.0};
    std::int64_t m_bytes = 0;  // of images and of what is being read
    std::int32_t m_images = 0, m_reading = 0;
    std::int64_t m_tick = 0;
};

}  // namespace espalier
