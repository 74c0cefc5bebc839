// SPDX-License-Identifier: GPL-3.0-or-later
// Tenants, the registry: who there is, and their limits.
#include "core/engine/tenants.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "core/base/json.h"
#include "core/engine/tenant_state.h"

namespace espalier {
namespace {

constexpr std::size_t kMostNameBytes = 100;
constexpr std::size_t kMostModelBytes = 400;
constexpr double kLeastWeight = 0.01, kMostWeight = 1000.0;
constexpr std::int64_t kMostOfAnything = 1'000'000'000'000'000;

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
    TRY(loadKeys());
    return loadUsage();
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

Result<bool> Tenants::disallow(const std::set<std::string>& models, const Erase& erase) {
    const std::lock_guard changing(m_changing);
    std::vector<TenantRow> rows;
    {
        const std::lock_guard lock(m_state->mutex);
        for (const auto& [name, tenant] : m_state->tenants) {
            const auto isGone = [&](const std::string& model) { return models.contains(model); };
            const std::vector<std::string>& listed = tenant.limits.models;
            if (std::ranges::none_of(listed, isGone)) continue;
            TenantLimits limits = tenant.limits;
            std::erase_if(limits.models, isGone);
            if (limits.models.empty()) limits.models.push_back(listed.front());
            if (limits.models != listed) setLimits(rows.emplace_back(tenant.row), limits);
        }
    }
    TRY_ASSIGN(const bool isErased, erase(rows));
    if (isErased)
        for (TenantRow& row : rows) TRY(apply(std::move(row), "limited"));
    return isErased;
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

}  // namespace espalier
