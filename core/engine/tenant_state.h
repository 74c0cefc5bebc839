// SPDX-License-Identifier: GPL-3.0-or-later
// What Tenants and the calls it admitted share. Calls may live longer than the registry: they hold the state, and do
// nothing any more once it is closed.
//
// Owner: Tenants and TenantCall. Thread: under the mutex.
#pragma once

#include <array>
#include <map>
#include <set>
#include <unordered_map>

#include "core/engine/minute_window.h"
#include "core/engine/tenants.h"
#include "core/telemetry/window.h"

namespace espalier {

using KeyDigest = std::array<std::uint8_t, 32>;  // SHA-256

struct Tenants::Key {
    TenantKey shown;
    std::string tenant;
    KeyDigest digest{};
};

// How fast its answers come. Read for people, so that twice a second is enough.
struct Tenants::Pace {
    static constexpr std::size_t kSamples = 256;
    static constexpr Duration kSpan = std::chrono::minutes(1), kReadPeriod = std::chrono::milliseconds(500);

    LatencyWindow ttftMs{kSpan, kSamples}, tpotMs{kSpan, kSamples};
    Percentiles ttft, tpot;  // as read
    TimePoint readAgain{};

    void read(TimePoint now);
};

struct Tenants::Tenant {
    TenantRow row;
    TenantLimits limits;    // the row's
    bool isStored = false;  // the owner is not until it is given limits
    std::shared_ptr<TenantShare> share = std::make_shared<TenantShare>();

    // Running
    std::int64_t callsOpen = 0;
    std::int64_t promptTokensOpen = 0;  // of requests that have not ended: counted in no day yet
    std::set<RequestId> requestsOpen;
    MinuteWindow calls, tokens;
    double callSeconds = 0;  // a recent call took, smoothed; 0: none has ended yet
    RateWindow generated;
    std::optional<TimePoint> lastGenerated, lastRefused;
    std::unique_ptr<Pace> pace;                    // null: no answers in the last minute
    std::shared_ptr<const AdapterSource> adapter;  // that its newest request with one named; null: none lately

    // Used
    std::int64_t day = 0;  // begins at, Unix milliseconds
    TenantUsage today;
    TenantUsage sinceStart;
    TenantUsage named;   // of it, what counters() told under its name
    TenantUsage untold;  // of it, since then, while isNamed
    bool isNamed = false;
    std::map<std::int64_t, TenantUsage> pending;  // by hour, not yet handed to the store

    void take(TenantRow newRow);  // its limits hold from here on
    bool isRevoked() const { return row.revokedAt.has_value(); }
    bool isExpired(std::int64_t unixMs) const { return limits.expiresAt != 0 && limits.expiresAt <= unixMs; }
};

struct Tenants::State {
    explicit State(const Clock& theClock) : clock(theClock) {}

    std::mutex mutex;
    const Clock& clock;     // not after closed
    bool isClosed = false;  // the registry is gone
    std::map<std::string, Tenant, std::less<>> tenants;
    std::vector<Key> keys;                                             // oldest first
    std::unordered_multimap<std::uint64_t, std::size_t> keysByDigest;  // first eight bytes -> index
    std::map<std::string, std::int64_t> keysUsed;                      // id -> when, not yet handed to the store
    TenantUsage others;                                                // of tenants without counters of their own
    std::size_t namedCount = 0;                                        // with
    TimePoint nextFlush{};

    Tenant* find(std::string_view name);
    void use(Tenant& tenant, const TenantUsage& more);
    void beginDay(Tenant& tenant) const;  // `today` is that of this moment afterwards
};

// Since when the next token of an answer is waited for.
struct AnswerPace {
    TimePoint since;
    bool hasBegun = false;
};

// One admitted call. Thread: any.
class TenantCall {
public:
    TenantCall(std::shared_ptr<Tenants::State> state, std::string tenant, const CallFacts& facts);
    ~TenantCall();
    TenantCall(const TenantCall&) = delete;

    Result<void> begin(RequestId id, Request& request);
    void generated(std::int64_t tokens, AnswerPace& pace);
    // The end of a request; what it generated beyond `generated` calls is counted here. true: it ended because its
    // tenant was revoked.
    bool ended(RequestId id, const Chunk& last, std::int64_t counted, AnswerPace& pace);
    void abandoned(RequestId id);

private:
    void settle(Tenants::Tenant& tenant, RequestId id, std::int64_t promptTokens);
    void release(Tenants::Tenant& tenant);

    const std::shared_ptr<Tenants::State> m_state;
    const std::string m_tenant;
    const TimePoint m_began;
    std::int64_t m_requestsLeft;
    std::int64_t m_promptTokensLeft;
    bool m_hasPlace = true;
};

}  // namespace espalier
