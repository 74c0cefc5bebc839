// SPDX-License-Identifier: GPL-3.0-or-later
// Tenants, the registry: who there is, their limits and keys, what they used.
#include "core/engine/tenants.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <tuple>
#include <utility>

#include "core/base/hash.h"
#include "core/base/json.h"
#include "core/engine/tenant_state.h"

namespace espalier {
namespace {

constexpr std::string_view kKeyPrefix = "esp_";
constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kShownKeyLength = 8;
constexpr std::size_t kMostNameBytes = 100;
constexpr std::size_t kMostModelBytes = 400;
constexpr double kLeastWeight = 0.01, kMostWeight = 1000.0;
constexpr std::int64_t kMostOfAnything = 1'000'000'000'000'000;
constexpr std::int64_t kUsageKeptMs = 400 * kDayMs;
constexpr Duration kFlushPeriod = std::chrono::seconds(5);

// A key has 256 random bits: there is nothing to guess, so that a plain digest keeps it as well as a slow password hash
// would, and costs a request microseconds.
KeyDigest digestOf(std::string_view secret) {
    Sha256 hash;
    hash.update(secret);
    return hash.finish();
}

std::uint64_t startOf(const KeyDigest& digest) {
    std::uint64_t start = 0;
    std::memcpy(&start, digest.data(), sizeof start);
    return start;
}

std::string_view bytesOf(const KeyDigest& digest) {
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

Result<KeyDigest> digestFromHex(const KeyRow& row) {
    KeyDigest digest{};
    const auto digit = [](char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; };
    bool isWhole = row.hash.size() == 2 * digest.size();
    for (std::size_t i = 0; isWhole && i < digest.size(); ++i) {
        const int high = digit(row.hash[2 * i]), low = digit(row.hash[2 * i + 1]);
        isWhole = high >= 0 && low >= 0;
        digest[i] = static_cast<std::uint8_t>(16 * high + low);
    }
    if (!isWhole) return fail(ErrorCode::Database, "the digest of key " + row.id + " is damaged", row.id);
    return digest;
}

TenantLimits limitsFrom(const TenantRow& row) {
    TenantLimits limits;
    limits.weight = row.weight;
    limits.maxConcurrency = row.maxConcurrency;
    limits.requestsPerMinute = row.requestsPerMinute;
    limits.tokensPerMinute = row.tokensPerMinute;
    limits.tokensPerDay = row.tokensPerDay;
    limits.kvPages = row.kvPages;
    limits.firstTokenMs = row.firstTokenMs;
    limits.expiresAt = row.expiresAt;
    if (const auto models = parseJson(row.models, "models"); models && models->is_array())
        for (const Json& model : *models)
            if (model.is_string()) limits.models.push_back(model.get<std::string>());
    return limits;
}

void setLimits(TenantRow& row, const TenantLimits& limits) {
    row.weight = limits.weight;
    row.maxConcurrency = limits.maxConcurrency;
    row.requestsPerMinute = limits.requestsPerMinute;
    row.tokensPerMinute = limits.tokensPerMinute;
    row.tokensPerDay = limits.tokensPerDay;
    row.kvPages = limits.kvPages;
    row.firstTokenMs = limits.firstTokenMs;
    row.expiresAt = limits.expiresAt;
    row.models = dumpJson(Json(limits.models));
}

// A name in commands, labels and files.
Result<void> checkTenantName(std::string_view name) {
    const auto isPlain = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_' || c == '-';
    };
    const bool isRight = !name.empty() && name.size() <= kMostNameBytes && std::ranges::all_of(name, isPlain) &&
                         name.front() != '.' && name.front() != '-';
    if (isRight) return {};
    return fail(ErrorCode::InvalidArgument,
                "the name of a tenant is up to 100 letters, digits, '.', '_' and '-', not beginning with '.' or '-'",
                "name");
}

Error unknownTenant(std::string_view name) {
    return fail(ErrorCode::NotFound, "there is no tenant \"" + std::string(name) + "\"", std::string(name));
}

UsageRow rowOf(const std::string& tenant, std::int64_t hour, const TenantUsage& usage) {
    return {tenant, hour, usage.requests, usage.refused, usage.promptTokens, usage.cachedTokens, usage.generatedTokens};
}

}  // namespace

Result<void> TenantLimits::validate() const {
    if (!(weight >= kLeastWeight && weight <= kMostWeight))
        return fail(ErrorCode::InvalidArgument, "\"weight\" must be from 0.01 to 1000", "weight");
    const std::pair<const char*, std::int64_t> numbers[] = {{"max_concurrency", maxConcurrency},
                                                            {"requests_per_minute", requestsPerMinute},
                                                            {"tokens_per_minute", tokensPerMinute},
                                                            {"tokens_per_day", tokensPerDay},
                                                            {"expires_at", expiresAt}};
    for (const auto& [name, number] : numbers)
        if (number < 0 || number > kMostOfAnything)
            return fail(ErrorCode::InvalidArgument, std::string("\"") + name + "\" must be 0 (no limit) or more", name);
    for (const auto& [name, number] : {std::pair("kv_pages", kvPages), {"first_token_ms", firstTokenMs}})
        if (number < 0 || number > INT32_MAX)
            return fail(ErrorCode::InvalidArgument, std::string("\"") + name + "\" must be 0 (no limit) or more", name);
    if (models.size() > kMostTenantModels)
        return fail(ErrorCode::InvalidArgument, "\"models\" takes at most 1,000 names", "models");
    for (const std::string& model : models)
        if (model.empty() || model.size() > kMostModelBytes)
            return fail(ErrorCode::InvalidArgument, "\"models\" must be names of models", "models");
    return {};
}

void Tenants::Tenant::take(TenantRow newRow) {
    row = std::move(newRow);
    limits = limitsFrom(row);
    isStored = true;
    share->weight = limits.weight;
    share->kvPages = static_cast<std::int32_t>(limits.kvPages);
    share->firstTokenMs = static_cast<std::int32_t>(limits.firstTokenMs);
}

// ---- opening, closing

Tenants::Tenants(std::shared_ptr<State> state, TenantStore* store, const Clock& clock, Callbacks callbacks)
    : m_state(std::move(state)), m_store(store), m_clock(clock), m_callbacks(std::move(callbacks)) {}

Tenants::~Tenants() {
    (void)counted(false);
    const std::lock_guard lock(m_state->mutex);
    m_state->isClosed = true;
    for (auto& [name, tenant] : m_state->tenants) tenant.adapter.reset();
}

Result<std::unique_ptr<Tenants>> Tenants::open(TenantStore* store, const Clock& clock, Callbacks callbacks) {
    std::unique_ptr<Tenants> tenants(new Tenants(std::make_shared<State>(clock), store, clock, std::move(callbacks)));
    TRY(tenants->load());
    return tenants;
}

Result<void> Tenants::load() {
    Tenant& owner = m_state->tenants[std::string(kOwner)];
    owner.row.name = kOwner;
    owner.row.models = "[]";
    if (!m_store) return {};
    TRY_ASSIGN(const auto rows, m_store->tenants());
    for (const TenantRow& row : rows) {
        m_state->tenants[row.name].take(row);
    }
    TRY_ASSIGN(const auto keys, m_store->keys());
    for (const KeyRow& row : keys) {
        TRY_ASSIGN(const KeyDigest digest, digestFromHex(row));
        m_state->keysByDigest.emplace(startOf(digest), m_state->keys.size());
        m_state->keys.push_back(
            {{row.id, row.prefix, row.createdAt, row.revokedAt, row.lastUsedAt}, row.tenant, digest});
    }
    const std::int64_t now = m_clock.unixMilliseconds(), day = now - now % kDayMs;
    if (const auto trimmed = m_store->trimUsage(now - kUsageKeptMs);
        !trimmed && trimmed.error().code != ErrorCode::Locked)
        return trimmed.error();
    TRY_ASSIGN(const auto today, m_store->usage({.from = day, .bucketMs = kDayMs}));
    for (const UsageRow& row : today)
        if (Tenant* tenant = m_state->find(row.tenant)) {
            tenant->day = day;
            tenant->today = {row.requests, row.refused, row.promptTokens, row.cachedTokens, row.generatedTokens};
        }
    return {};
}

// ---- tenants

TenantRecord Tenants::recordOf(const Tenant& tenant) const {
    TenantRecord record;
    record.name = tenant.row.name;
    record.limits = tenant.limits;
    record.createdAt = tenant.row.createdAt;
    record.revokedAt = tenant.row.revokedAt;
    const std::int64_t now = m_clock.unixMilliseconds();
    record.state = tenant.isRevoked() ? "revoked" : tenant.isExpired(now) ? "expired" : "active";
    if (tenant.day == now - now % kDayMs) record.today = tenant.today;
    record.callsOpen = tenant.callsOpen;
    return record;
}

std::vector<TenantRecord> Tenants::list() const {
    const std::lock_guard lock(m_state->mutex);
    std::vector<TenantRecord> records;
    std::map<std::string_view, std::size_t> indices;
    for (const auto& [name, tenant] : m_state->tenants) {
        if (!tenant.isStored && m_store) continue;
        if (name == kOwner && tenant.limits == TenantLimits{}) continue;
        indices.emplace(name, records.size());
        records.push_back(recordOf(tenant));
    }
    for (const Key& key : m_state->keys)
        if (const auto found = indices.find(key.tenant); found != indices.end())
            records[found->second].keys.push_back(key.shown);
    return records;
}

Result<TenantRecord> Tenants::find(std::string_view name) const {
    const std::lock_guard lock(m_state->mutex);
    const Tenant* const tenant = m_state->find(name);
    if (!tenant) return unknownTenant(name);
    TenantRecord record = recordOf(*tenant);
    for (const Key& key : m_state->keys)
        if (key.tenant == name) record.keys.push_back(key.shown);
    return record;
}

Result<TenantLimits> Tenants::limitsOf(std::string_view name) const {
    const std::lock_guard lock(m_state->mutex);
    const Tenant* const tenant = m_state->find(name);
    if (!tenant) return unknownTenant(name);
    return tenant->limits;
}

Result<TenantRecord> Tenants::create(std::string_view name, const TenantLimits& limits) {
    TRY(checkTenantName(name));
    TRY(limits.validate());
    const std::lock_guard changing(m_changing);
    if (find(name))
        return fail(ErrorCode::AlreadyExists, "there is a tenant \"" + std::string(name) + "\" already",
                    std::string(name));
    TenantRow row;
    row.name = name;
    row.createdAt = m_clock.unixMilliseconds();
    setLimits(row, limits);
    if (m_store) TRY(m_store->add(row));
    return apply(std::move(row), "created");
}

// Requires: m_changing is held. Stores the edited row, then lets it hold.
Result<TenantRecord> Tenants::change(std::string_view name, const std::function<void(TenantRow&)>& edit,
                                     std::string change) {
    TenantRow row;
    bool isStored = false;
    {
        const std::lock_guard lock(m_state->mutex);
        const Tenant* const tenant = m_state->find(name);
        if (!tenant) return unknownTenant(name);
        row = tenant->row;
        isStored = tenant->isStored;
    }
    edit(row);
    if (m_store) TRY(isStored ? m_store->update(row) : m_store->add(row));
    return apply(std::move(row), std::move(change));
}

Result<TenantRecord> Tenants::apply(TenantRow row, std::string change) {
    const std::string name = row.name;
    {
        const std::lock_guard lock(m_state->mutex);
        m_state->tenants[name].take(std::move(row));
    }
    m_callbacks.audit("tenant \"" + name + "\" was " + change);
    m_callbacks.changed({name, std::move(change)});
    return find(name);
}

Result<TenantRecord> Tenants::limit(std::string_view name, const TenantLimits& limits) {
    TRY(limits.validate());
    const std::lock_guard changing(m_changing);
    return change(
        name, [&](TenantRow& row) { setLimits(row, limits); }, "limited");
}

Result<void> Tenants::allow(std::string_view name, std::span<const std::string> models) {
    const std::lock_guard changing(m_changing);
    TRY_ASSIGN(TenantLimits limits, limitsOf(name));
    const std::size_t before = limits.models.size();
    for (const std::string& model : models)
        if (!mayUse(limits, model)) limits.models.push_back(model);
    if (limits.models.size() == before) return {};
    TRY(limits.validate());
    TRY(change(
        name, [&](TenantRow& row) { setLimits(row, limits); }, "limited"));
    return {};
}

Result<void> Tenants::disallow(std::string_view name, const std::string& model) {
    const std::lock_guard changing(m_changing);
    TRY_ASSIGN(TenantLimits limits, limitsOf(name));
    if (std::erase(limits.models, model) == 0 || limits.models.empty()) return {};
    TRY(change(
        name, [&](TenantRow& row) { setLimits(row, limits); }, "limited"));
    return {};
}

Result<TenantRecord> Tenants::revoke(std::string_view name) {
    if (name == kOwner) return fail(ErrorCode::InvalidArgument, "the owner cannot be revoked", "tenant");
    const std::lock_guard changing(m_changing);
    const std::int64_t now = m_clock.unixMilliseconds();
    TRY_ASSIGN(TenantRecord record,
               change(
                   name, [now](TenantRow& row) { row.revokedAt = row.revokedAt.value_or(now); }, "revoked"));
    std::vector<RequestId> open;
    {
        const std::lock_guard lock(m_state->mutex);
        const Tenant& tenant = *m_state->find(name);
        open.assign(tenant.requestsOpen.begin(), tenant.requestsOpen.end());
    }
    for (const RequestId id : open) m_callbacks.cancel(id);
    return record;
}

Result<TenantRecord> Tenants::restore(std::string_view name) {
    const std::lock_guard changing(m_changing);
    return change(
        name, [](TenantRow& row) { row.revokedAt.reset(); }, "restored");
}

// ---- keys

Result<IssuedKey> Tenants::createKey(std::string_view tenant) {
    const std::lock_guard changing(m_changing);
    if (tenant == kOwner)
        return fail(ErrorCode::InvalidArgument, "the owner's key is the admin key of the workspace", "tenant");
    TRY_ASSIGN(const TenantRecord record, find(tenant));
    if (record.revokedAt)
        return fail(ErrorCode::InvalidArgument, "\"" + record.name + "\" is revoked; restore it first", "tenant");
    return issueKey(record.name, {});
}

// Requires: m_changing is held. replaced: the id of the key that this one takes the place of, or empty.
Result<IssuedKey> Tenants::issueKey(const std::string& tenant, std::string_view replaced) {
    IssuedKey issued;
    issued.tenant = tenant;
    issued.secret = std::string(kKeyPrefix) + randomToken(kKeyBytes);
    issued.key.id = "k-" + randomToken(9);
    issued.key.prefix = issued.secret.substr(0, kShownKeyLength);
    issued.key.createdAt = m_clock.unixMilliseconds();
    const KeyDigest digest = digestOf(issued.secret);
    if (m_store) {
        const KeyRow row{issued.key.id, tenant, hex(digest), issued.key.prefix, issued.key.createdAt, {}, {}};
        TRY(replaced.empty() ? m_store->addKey(row) : m_store->replaceKey(replaced, issued.key.createdAt, row));
    }
    {
        const std::lock_guard lock(m_state->mutex);
        for (Key& key : m_state->keys)
            if (!replaced.empty() && key.shown.id == replaced) key.shown.revokedAt = issued.key.createdAt;
        m_state->keysByDigest.emplace(startOf(digest), m_state->keys.size());
        m_state->keys.push_back({issued.key, tenant, digest});
    }
    m_callbacks.audit("key " + issued.key.prefix + "… of \"" + tenant + "\" was " +
                      (replaced.empty() ? "created" : "created in place of " + std::string(replaced)));
    m_callbacks.changed({tenant, "keys"});
    return issued;
}

Result<std::string> Tenants::keyIdOf(std::string_view key) const {
    const std::lock_guard lock(m_state->mutex);
    std::vector<std::string> byPrefix;
    for (const Key& known : m_state->keys) {
        if (known.shown.id == key) return known.shown.id;
        if (known.shown.prefix == key) byPrefix.push_back(known.shown.id);
    }
    if (byPrefix.size() == 1) return byPrefix.front();
    if (byPrefix.empty())
        return fail(ErrorCode::NotFound,
                    "there is no key \"" + std::string(key) + "\": give its id or its first 8 characters", "key");
    return fail(ErrorCode::InvalidArgument, "several keys begin with \"" + std::string(key) + "\": give the id", "key");
}

Result<IssuedKey> Tenants::rotateKey(std::string_view key) {
    const std::lock_guard changing(m_changing);
    TRY_ASSIGN(const std::string id, keyIdOf(key));
    std::string tenant;
    {
        const std::lock_guard lock(m_state->mutex);
        const auto found = std::ranges::find(m_state->keys, id, [](const Key& known) { return known.shown.id; });
        if (found->shown.revokedAt)
            return fail(ErrorCode::InvalidArgument, "that key is revoked: create a new one", "key");
        tenant = found->tenant;
    }
    return issueKey(tenant, id);
}

Result<IssuedKey> Tenants::setKeyRevoked(std::string_view key, bool isRevoked) {
    const std::lock_guard changing(m_changing);
    TRY_ASSIGN(const std::string id, keyIdOf(key));
    const std::optional<std::int64_t> at = isRevoked ? std::optional(m_clock.unixMilliseconds()) : std::nullopt;
    if (m_store) TRY(m_store->setKeyRevoked(id, at));
    IssuedKey changed;
    {
        const std::lock_guard lock(m_state->mutex);
        const auto found = std::ranges::find(m_state->keys, id, [](const Key& known) { return known.shown.id; });
        found->shown.revokedAt = at;
        changed.tenant = found->tenant;
        changed.key = found->shown;
    }
    m_callbacks.audit("key " + changed.key.prefix + "… of \"" + changed.tenant + "\" was " +
                      (isRevoked ? "revoked" : "restored"));
    m_callbacks.changed({changed.tenant, "keys"});
    return changed;
}

Result<std::string> Tenants::tenantOf(std::string_view secret) {
    const KeyDigest digest = digestOf(secret);
    const std::lock_guard lock(m_state->mutex);
    const auto [first, last] = m_state->keysByDigest.equal_range(startOf(digest));
    Key* found = nullptr;
    for (auto each = first; each != last; ++each)
        if (Key& key = m_state->keys[each->second]; equalConstantTime(bytesOf(key.digest), bytesOf(digest)))
            found = &key;
    if (!found) return fail(ErrorCode::Unauthorized, "the key is not one of this server's");
    if (found->shown.revokedAt) return fail(ErrorCode::Unauthorized, "the key was revoked");
    const Tenant* const tenant = m_state->find(found->tenant);
    const std::int64_t now = m_clock.unixMilliseconds();
    if (!tenant || tenant->isRevoked()) return fail(ErrorCode::Unauthorized, "the access of this key was revoked");
    if (tenant->isExpired(now)) return fail(ErrorCode::Unauthorized, "the access of this key has expired");
    found->shown.lastUsedAt = now;
    m_state->keysUsed[found->shown.id] = now;
    return found->tenant;
}

// ---- use

Result<void> Tenants::counted(bool wait) {
    if (!m_store) return {};
    {
        const std::lock_guard lock(m_state->mutex);
        std::vector<UsageRow> rows;
        for (const auto& [name, tenant] : m_state->tenants)
            for (const auto& [hour, usage] : tenant.pending) rows.push_back(rowOf(name, hour, usage));
        std::vector<std::pair<std::string, std::int64_t>> keys(m_state->keysUsed.begin(), m_state->keysUsed.end());
        if (!rows.empty() || !keys.empty()) {
            // A workspace that is only read keeps no accounts; a busy store is asked again the next time.
            const auto taken = m_store->count(std::move(rows), std::move(keys));
            if (!taken && taken.error().code != ErrorCode::Locked) return taken;
            for (auto& [name, tenant] : m_state->tenants) tenant.pending.clear();
            m_state->keysUsed.clear();
        }
    }
    if (wait) m_store->flush();
    return {};
}

void Tenants::flush() {
    {
        const std::lock_guard lock(m_state->mutex);
        const TimePoint now = m_clock.now();
        if (now < m_state->nextFlush) return;
        m_state->nextFlush = now + kFlushPeriod;
    }
    (void)counted(false);
}

Result<std::vector<UsageRow>> Tenants::usage(const UsageQuery& query) {
    if (m_store) {
        TRY(counted(true));
        return m_store->usage(query);
    }
    const std::lock_guard lock(m_state->mutex);
    std::vector<UsageRow> rows;
    for (const auto& [name, tenant] : m_state->tenants) {
        if (!query.tenant.empty() && name != query.tenant) continue;
        std::map<std::int64_t, TenantUsage> buckets;
        for (const auto& [hour, usage] : tenant.pending)
            if (hour >= query.from && hour < query.to) buckets[hour - hour % query.bucketMs] += usage;
        for (const auto& [at, usage] : buckets) rows.push_back(rowOf(name, at, usage));
    }
    return rows;
}

void Tenants::fill(std::vector<TenantLoad>& rows, const PlaceOf& placeOf) const {
    const std::lock_guard lock(m_state->mutex);
    const TimePoint now = m_clock.now();
    const auto isRecent = [now](const std::optional<TimePoint>& at) {
        return at && now - *at < std::chrono::minutes(1);
    };
    std::map<std::string_view, TenantLoad> byName;
    for (TenantLoad& row : rows) {
        if (row.name.empty()) row.name = kOwner;
        byName.emplace(row.name, row);
    }
    for (auto& [name, tenant] : m_state->tenants) {
        const bool isAnswered = isRecent(tenant.lastGenerated);
        if (!isAnswered) tenant.pace.reset();
        if (!isAnswered && tenant.requestsOpen.empty()) tenant.adapter.reset();
        if (!byName.contains(name) && !isAnswered && !isRecent(tenant.lastRefused)) continue;
        TenantLoad& row = byName[name];
        row.name = name;
        row.tokensPerS = tenant.generated.perSecond(now);
        row.refused = tenant.sinceStart.refused;
    }
    std::vector<TenantLoad> all;
    for (auto& [name, row] : byName) all.push_back(row);
    std::ranges::stable_sort(all, [](const TenantLoad& a, const TenantLoad& b) {
        return std::tuple(a.running + a.waiting, a.tokensPerS) > std::tuple(b.running + b.waiting, b.tokensPerS);
    });
    if (all.size() > kMostTenantLoads) all.resize(kMostTenantLoads);
    for (TenantLoad& row : all) {
        Tenant* const tenant = m_state->find(row.name);
        if (!tenant) continue;
        if (tenant->pace) {
            tenant->pace->read(now);
            row.ttftMs = tenant->pace->ttft;
            row.tpotMs = tenant->pace->tpot;
        }
        if (tenant->adapter) {
            const AdapterLocation place = placeOf(*tenant->adapter);
            row.adapter = tenant->adapter->name;
            row.adapterTier = place.tier;
            row.isAdapterMoving = place.isMoving;
        }
    }
    rows = std::move(all);
}

Tenants::Counters Tenants::counters() {
    const std::lock_guard lock(m_state->mutex);
    std::vector<Tenant*> used;
    for (auto& [name, tenant] : m_state->tenants) {
        if (tenant.sinceStart.requests + tenant.sinceStart.refused > 0) used.push_back(&tenant);
    }
    std::ranges::stable_sort(used, [](const Tenant* a, const Tenant* b) {
        return std::tuple(a->sinceStart.tokens(), a->sinceStart.requests) >
               std::tuple(b->sinceStart.tokens(), b->sinceStart.requests);
    });
    if (used.size() > kNamedTenants) used.resize(kNamedTenants);
    m_state->namedCount = used.size();
    const auto isAmongThem = [&](const Tenant& tenant) { return std::ranges::find(used, &tenant) != used.end(); };
    for (auto& [name, tenant] : m_state->tenants) {
        if (!tenant.isNamed) continue;
        tenant.isNamed = isAmongThem(tenant);
        (tenant.isNamed ? tenant.named : m_state->others) += std::exchange(tenant.untold, {});
    }
    Counters counters;
    counters.others = m_state->others;
    for (Tenant* tenant : used) {
        tenant->isNamed = true;
        counters.named.emplace_back(tenant->row.name, tenant->named);
    }
    return counters;
}

}  // namespace espalier
