// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/serving/host_arena.h"

#include <list>
#include <mutex>

#include "core/base/caught.h"

namespace espalier {

// What the reader's lane and the engine thread share.
struct HostArena::Inbox {
    struct Read {
        Key key;
        Result<std::shared_ptr<const LoraImage>> image;
        double seconds = 0;
    };
    std::mutex mutex;
    std::list<Read> read;
};

HostArena::HostArena(std::int64_t budget, Lane& reader, const Clock& clock, AdapterTrace& trace,
                     std::function<void()> wake)
    : m_budget(budget),
      m_reader(reader),
      m_clock(clock),
      m_trace(trace),
      m_wake(std::move(wake)),
      m_inbox(std::make_shared<Inbox>()) {}

const HostArena::Entry* HostArena::find(const AdapterSource& source) const {
    const auto found = m_entries.find(KeyView(source.base, source.digest));
    return found == m_entries.end() ? nullptr : &found->second;
}

HostArena::State HostArena::state(const AdapterSource& source) const {
    if (source.inMemory()) return State::Ready;
    const Entry* entry = find(source);
    if (!entry) return State::Registered;
    if (entry->image) return State::Ready;
    return entry->isLoading ? State::Loading : failure(source) ? State::Failed : State::Registered;
}

std::shared_ptr<const LoraImage> HostArena::image(const AdapterSource& source) const {
    if (auto image = source.inMemory()) return image;
    const Entry* entry = find(source);
    return entry ? entry->image : nullptr;
}

const Error* HostArena::failure(const AdapterSource& source) const {
    const Entry* entry = find(source);
    return entry && entry->error && entry->name == source.name ? &*entry->error : nullptr;
}

void HostArena::use(const AdapterSource& source) {
    if (!source.inMemory()) m_entries[keyOf(source)].heat.use(m_clock.now());
}

void HostArena::keep(const AdapterSource& source) {
    if (const auto found = m_entries.find(keyOf(source)); found != m_entries.end()) found->second.keptAt = m_tick;
}

double HostArena::secondsToRead(const AdapterSource& source) const {
    return state(source) == State::Ready ? 0.0 : m_readCost.secondsFor(static_cast<double>(source.storedBytes));
}

void HostArena::collect() {
    ++m_tick;
    for (const Key& key : m_failed)
        if (const auto found = m_entries.find(key); found != m_entries.end()) found->second.error.reset();
    m_failed.clear();
    std::list<Inbox::Read> read;
    {
        const std::lock_guard lock(m_inbox->mutex);
        read.swap(m_inbox->read);
    }
    for (Inbox::Read& one : read) {
        const auto found = m_entries.find(one.key);
        CHECK(found != m_entries.end() && found->second.isLoading);
        Entry& entry = found->second;
        entry.isLoading = false;
        --m_reading;
        m_bytes -= entry.bytes;
        entry.bytes = 0;
        if (!one.image) {
            entry.error = std::move(one.image).error();
            m_failed.push_back(one.key);
            ++m_trace.traffic().readFailures;
            continue;
        }
        const std::int64_t bytes = (*one.image)->bytes();
        (void)makeRoom(bytes, MoveCause::Miss, entry.name);  // it may be more than was reserved; it is here anyway
        entry.image = std::move(*one.image);
        entry.bytes = bytes;
        m_bytes += bytes;
        ++m_images;
        m_readCost.add(static_cast<double>(bytes), one.seconds);
        entry.wait.note(0, m_clock.now());
        m_trace.add({.at = m_clock.unixMilliseconds(),
                     .adapter = entry.name,
                     .tenant = entry.tenant,
                     .from = AdapterTier::Disk,
                     .to = AdapterTier::Host,
                     .bytes = bytes,
                     .seconds = one.seconds,
                     .cause = entry.cause,
                     .base = one.key.first,
                     .waiters = entry.wait.requests,
                     .waitedSeconds = entry.wait.seconds});
    }
    dropRetired();
    forgetOld();
}

bool HostArena::want(const std::shared_ptr<const AdapterSource>& source, MoveCause cause, const std::string& tenant) {
    if (source->inMemory() || m_reading >= kReadsAhead) return false;
    const Key key = keyOf(*source);
    Entry& entry = m_entries[key];
    if (entry.image || entry.isLoading) return false;
    if (!makeRoom(source->storedBytes, cause, source->name)) return false;
    entry.name = source->name;
    entry.tenant = tenant;
    entry.cause = cause;
    entry.wait = {};
    entry.error.reset();
    entry.retired.reset();
    entry.isLoading = true;
    entry.keptAt = m_tick;
    entry.bytes = source->storedBytes;
    m_bytes += entry.bytes;
    ++m_reading;
    // The answer is made here, so that the reader has it also when there is no memory left.
    const auto answer = std::make_shared<std::list<Inbox::Read>>();
    answer->push_back({key, std::shared_ptr<const LoraImage>(), 0.0});
    m_reader.post([source, answer, inbox = m_inbox, wake = m_wake, &clock = m_clock] {
        const TimePoint began = clock.now();
        Inbox::Read& read = answer->front();
        read.image = caught("the reader", [&] { return source->read(); });
        read.seconds = seconds(clock.now() - began);
        {
            const std::lock_guard lock(inbox->mutex);
            inbox->read.splice(inbox->read.end(), *answer);
        }
        if (wake) wake();
    });
    return true;
}

// false: what is here stays. One that is larger than the budget is let in when nothing else is here.
bool HostArena::makeRoom(std::int64_t bytes, MoveCause cause, const std::string& forWhom) {
    while (m_bytes > 0 && m_bytes + bytes > m_budget) {
        auto least = m_entries.end();
        for (auto one = m_entries.begin(); one != m_entries.end(); ++one) {
            const Entry& entry = one->second;
            const bool isKept = cause != MoveCause::Miss && entry.keptAt >= m_tick - 1;
            if (!entry.image || entry.image.use_count() > 1 || isKept) continue;
            if (least == m_entries.end() || entry.heat.key() < least->second.heat.key()) least = one;
        }
        if (least == m_entries.end()) return false;
        drop(least, MoveCause::Evicted, forWhom);
    }
    return true;
}

void HostArena::drop(Entries::iterator entry, MoveCause cause, const std::string& forWhom) {
    Entry& gone = entry->second;
    m_trace.add({.at = m_clock.unixMilliseconds(),
                 .adapter = gone.name,
                 .from = AdapterTier::Host,
                 .to = AdapterTier::Disk,
                 .bytes = gone.bytes,
                 .cause = cause,
                 .evictedFor = forWhom,
                 .base = entry->first.first});
    m_bytes -= gone.bytes;
    --m_images;
    gone.image = nullptr;
    gone.bytes = 0;
    if (gone.retired) m_entries.erase(entry);
}

void HostArena::noteWaiting(const AdapterSource& source, std::int32_t requests) {
    const auto found = m_entries.find(keyOf(source));
    if (found != m_entries.end() && found->second.isLoading) found->second.wait.note(requests, m_clock.now());
}

void HostArena::retire(std::string_view base, std::string_view digest, MoveCause cause) {
    const auto found = m_entries.find(KeyView(base, digest));
    if (found == m_entries.end()) return;
    found->second.retired = cause;
    m_retiring.push_back(found->first);
    dropRetired();
}

void HostArena::dropRetired() {
    std::erase_if(m_retiring, [this](const Key& key) {
        const auto found = m_entries.find(key);
        if (found == m_entries.end() || !found->second.retired) return true;  // gone, or wanted again
        Entry& entry = found->second;
        if (entry.isLoading || entry.image.use_count() > 1) return false;
        if (entry.image)
            drop(found, *entry.retired, {});
        else
            m_entries.erase(found);
        return true;
    });
}

// How often an adapter was used is remembered while it is away, within bounds.
void HostArena::forgetOld() {
    if (m_entries.size() <= kRemembered) return;
    const TimePoint now = m_clock.now();
    std::erase_if(m_entries, [&](const auto& one) {
        const Entry& entry = one.second;
        return !entry.image && !entry.isLoading && !entry.error && entry.heat.usesLeft(now) < 0.01;
    });
}

Result<void> HostArena::checkIntegrity() const {
    std::int64_t bytes = 0;
    std::int32_t images = 0, reading = 0;
    for (const auto& [key, entry] : m_entries) {
        bytes += entry.bytes;
        images += entry.image != nullptr;
        reading += entry.isLoading;
        if (entry.image && (entry.isLoading || entry.bytes != entry.image->bytes()))
            return fail(ErrorCode::Internal, "adapter " + entry.name + " in host memory is counted wrongly");
    }
    if (bytes != m_bytes || images != m_images || reading != m_reading)
        return fail(ErrorCode::Internal, "host memory of adapters: " + std::to_string(bytes) + " bytes in " +
                                             std::to_string(images) + " images, on record " + std::to_string(m_bytes) +
                                             " in " + std::to_string(m_images));
    return {};
}

}  // namespace espalier
