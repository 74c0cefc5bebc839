// SPDX-License-Identifier: GPL-3.0-or-later
// Tenants: who may use the engine, with which keys, how much, and how much they did. The one place that says no for
// who somebody is or what they have used up; what the engine can run is not its business.
//
// A call is what a client sends at once: one or several requests (choices, prompts). Limits are checked once, when the
// call comes; what is running is never cut off by a limit, it is counted, and the next call is refused. So a limit can
// be passed by what a call generates, and by no more. Requests and tokens a minute slide (MinuteWindow) and begin anew
// with the process; tokens a day are those of the UTC day and survive it.
//
// "owner" is the tenant of the admin key: always there, without limits unless some are set, never revoked.
//
// Owner: Engine. Thread: any. Calls may outlive it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/engine/messages.h"
#include "core/serving/request.h"
#include "core/store/tenant_store.h"

namespace espalier {

constexpr std::string_view kOwner = "owner";
constexpr std::size_t kNamedTenants = 20;  // with counters of their own
constexpr std::size_t kMostTenantModels = 1000;

struct TenantLimits {
    double weight = 1.0;                 // share of the service when there is not enough for all; 0.01 to 1000
    std::int64_t maxConcurrency = 0;     // calls at once; 0 here and below: no limit
    std::int64_t requestsPerMinute = 0;  // calls begun
    std::int64_t tokensPerMinute = 0;    // of prompts and answers, cached ones too
    std::int64_t tokensPerDay = 0;       // likewise, in a UTC day
    std::int64_t kvPages = 0;            // of one model's pool, held by its running requests
    std::int64_t firstTokenMs = 0;       // refused at once when the first token is expected later than that
    std::int64_t expiresAt = 0;          // Unix milliseconds; 0: never
    std::vector<std::string> models =
        {};  // names that it may use, kMostTenantModels; "base:*" stands for the adapters of a base; empty: all

    Result<void> validate() const;  // invalid_argument names the field
    bool operator==(const TenantLimits&) const = default;
};
// Is `model` ("name" or "base:adapter") among those?
bool mayUse(const TenantLimits& limits, std::string_view model);

struct TenantKey {
    std::string id;      // "k-..."
    std::string prefix;  // the first characters of the key
    std::int64_t createdAt = 0;
    std::optional<std::int64_t> revokedAt, lastUsedAt;
};
struct IssuedKey {
    std::string tenant;
    TenantKey key;
    std::string secret;  // the key itself: nobody can tell it again
};

struct TenantUsage {
    std::int64_t requests = 0;  // calls admitted
    std::int64_t refused = 0;   // calls refused for a limit
    std::int64_t promptTokens = 0;
    std::int64_t cachedTokens = 0;  // of these, found in the prefix cache
    std::int64_t generatedTokens = 0;

    std::int64_t tokens() const { return promptTokens + generatedTokens; }
    TenantUsage& operator+=(const TenantUsage& other);
};

struct TenantRecord {
    std::string name;
    std::string state;  // "active", "expired", "revoked"
    TenantLimits limits;
    std::int64_t createdAt = 0;
    std::optional<std::int64_t> revokedAt;
    std::vector<TenantKey> keys;  // oldest first, revoked ones too
    TenantUsage today;            // of the UTC day
    std::int64_t callsOpen = 0;
};

// How far a tenant is from its limits, for the headers of an answer. No value: no such limit.
struct TenantStanding {
    struct Limit {
        std::int64_t most = 0, left = 0;
        std::int64_t resetMs = 0;  // until all of it is there again
    };
    std::optional<Limit> requests, tokens;  // of a minute
};

struct CallFacts {
    std::string_view tenant;        // empty: the owner
    std::string_view model;         // name, "base:adapter" for an adapter
    std::int64_t requests = 1;      // that it will submit
    std::int64_t promptTokens = 0;  // of all of them
};

class Tenants {
public:
    struct Callbacks {
        std::function<void(TenantChanged)> changed;
        std::function<void(std::string text)> audit;
        std::function<void(RequestId)> cancel;  // of a revoked tenant; any thread
    };
    // Reads everything. store: null keeps nothing beyond the object. Errors: database.
    static Result<std::unique_ptr<Tenants>> open(TenantStore* store, const Clock& clock, Callbacks callbacks);
    ~Tenants();  // hands what was counted to the store
    Tenants(const Tenants&) = delete;

    // The registry. Errors: not_found, already_exists, invalid_argument, locked, database. Changes hold at once, also
    // for what runs.
    std::vector<TenantRecord> list() const;  // by name; the owner only when it has limits
    Result<TenantRecord> find(std::string_view name) const;
    Result<TenantRecord> create(std::string_view name, const TenantLimits& limits);
    Result<TenantRecord> limit(std::string_view name, const TenantLimits& limits);
    // Names more among the models that it may use, whatever else of its limits is changed at the same time. A list that
    // is empty allows all: nothing is added to it.
    Result<void> allow(std::string_view name, std::span<const std::string> models);
    // Takes names of what is about to be erased off every list, in one transaction with that: `erase` writes the rows
    // that it is given along with it. When it fails or says false, nothing has changed. The last name of a list stays.
    using Erase = std::function<Result<bool>(std::span<const TenantRow>)>;
    Result<bool> disallow(const std::set<std::string>& models, const Erase& erase);
    Result<TenantRecord> revoke(std::string_view name);  // its requests end as failed: unauthorized
    Result<TenantRecord> restore(std::string_view name);

    // Keys. `key` is an id or a prefix that names one key alone. A key that is revoked or replaced opens nothing from
    // then on; what it has begun goes on.
    Result<IssuedKey> createKey(std::string_view tenant);
    Result<IssuedKey> rotateKey(std::string_view key);
    Result<IssuedKey> setKeyRevoked(std::string_view key, bool isRevoked);  // the answer has no secret

    // Whose key that is. Error unauthorized says why not: unknown, revoked, expired. Notes that it was used.
    Result<std::string> tenantOf(std::string_view secret);

    // Errors: unauthorized (unknown, revoked, expired), not_found (a model it may not use), too_large (more than its
    // limit in one call), busy with retryAfterS. The call's place is given back when its last request has ended or when
    // nobody holds the call any more.
    Result<std::shared_ptr<TenantCall>> admit(const CallFacts& facts);
    // Ties a request to request.call: its share, its count, its end. Error unauthorized when the tenant was revoked
    // meanwhile. Requires: request.id is set, request.call is one of admit()'s with a request to spare. After a success
    // either the sink gets its last chunk or abandon() is called.
    Result<void> begin(Request& request);
    static void abandon(const std::shared_ptr<TenantCall>& call, RequestId id);

    Result<TenantLimits> limitsOf(std::string_view tenant) const;
    TenantStanding standing(std::string_view tenant) const;

    // What was used, by hour or day, everything counted so far included. Errors: database.
    Result<std::vector<UsageRow>> usage(const UsageQuery& query);

    // Adds rates, latencies, refusals and the adapter of the newest request to the rows that the loops made, and rows
    // of tenants that have only these.
    using PlaceOf = std::function<AdapterLocation(const AdapterSource&)>;
    void fill(std::vector<TenantLoad>& rows, const PlaceOf& placeOf) const;
    void flush();  // hands what was counted to the store, now and then; never waits

    // Counters since the process began, for the kNamedTenants tenants that used most, and one sum for the others. No
    // counter ever goes down and nothing is counted twice or not at all: what a tenant used while it was not among the
    // first stays with the others.
    struct Counters {
        std::vector<std::pair<std::string, TenantUsage>> named;
        TenantUsage others;
    };
    Counters counters();

private:
    friend class TenantCall;
    struct Tenant;
    struct Pace;
    struct Key;
    struct State;

    explicit Tenants(std::shared_ptr<State> state, TenantStore* store, const Clock& clock, Callbacks callbacks);
    Result<void> load();
    Result<void> loadKeys();
    Result<void> loadUsage();
    Result<TenantRecord> change(std::string_view name, const std::function<void(TenantRow&)>& edit, std::string change);
    Result<TenantRecord> apply(TenantRow row, std::string change);
    Result<IssuedKey> issueKey(const std::string& tenant, std::string_view replaced);
    Result<std::string> keyIdOf(std::string_view key) const;
    TenantRecord recordOf(const Tenant& tenant) const;
    Result<void> counted(bool wait);

    const std::shared_ptr<State> m_state;
    TenantStore* const m_store;
    const Clock& m_clock;
    const Callbacks m_callbacks;
    std::mutex m_changing;  // one change of the registry at a time; taken before the state's
};

}  // namespace espalier
