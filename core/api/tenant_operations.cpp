// SPDX-License-Identifier: GPL-3.0-or-later
// Tenants, keys and what was used.
#include "core/api/json_fields.h"
#include "core/api/operations.h"
#include "core/api/tenant_protocol.h"

namespace espalier {
namespace {

constexpr std::int64_t kMostDays = 400, kDefaultDays = 30;

Json keyJson(const IssuedKey& issued) {
    Json json = toJson(issued.key);
    json["tenant"] = issued.tenant;
    if (!issued.secret.empty()) json["key"] = issued.secret;
    return json;
}

// An operation on the tenant or key that the argument of that name names.
template <class Act>
auto onNamed(const Json& arguments, const char* argument, Act act) -> decltype(act(std::string())) {
    TRY_ASSIGN(const std::string name, JsonFields(arguments).requiredString(argument));
    return act(name);
}

Result<Json> asJson(const Result<TenantRecord>& tenant) {
    if (!tenant) return tenant.error();
    return toJson(*tenant);
}

Result<Json> asJson(const Result<IssuedKey>& key) {
    if (!key) return key.error();
    return keyJson(*key);
}

}  // namespace

Result<Json> listTenants(const ModelAccess& models, const Json&) {
    Json list = Json::array();
    for (const TenantRecord& tenant : models.engine().tenants().list()) list.push_back(toJson(tenant));
    return Json{{"tenants", std::move(list)}};
}

Result<Json> showTenant(const ModelAccess& models, const Json& arguments) {
    return onNamed(arguments, "tenant",
                   [&](const std::string& name) { return asJson(models.engine().tenants().find(name)); });
}

Result<Json> createTenant(const ModelAccess& models, const Clock& clock, const Json& arguments) {
    const JsonFields fields(arguments);
    TRY_ASSIGN(const std::string name, fields.requiredString("tenant"));
    TRY_ASSIGN(const bool withKey, fields.boolean("with_key", true));
    TRY_ASSIGN(const TenantLimits limits, limitsFromArguments(arguments, {}, clock.unixMilliseconds()));
    Tenants& tenants = models.engine().tenants();
    TRY(tenants.create(name, limits));
    std::string secret;
    if (withKey) {
        TRY_ASSIGN(const IssuedKey issued, tenants.createKey(name));
        secret = issued.secret;
    }
    TRY_ASSIGN(const TenantRecord tenant, tenants.find(name));
    Json answer = toJson(tenant);
    if (withKey) answer["key"] = secret;
    return answer;
}

Result<Json> limitTenant(const ModelAccess& models, const Clock& clock, const Json& arguments) {
    TRY_ASSIGN(const std::string name, JsonFields(arguments).requiredString("tenant"));
    Tenants& tenants = models.engine().tenants();
    TRY_ASSIGN(const TenantLimits before, tenants.limitsOf(name));
    TRY_ASSIGN(const TenantLimits limits, limitsFromArguments(arguments, before, clock.unixMilliseconds()));
    return asJson(tenants.limit(name, limits));
}

Result<Json> revokeTenant(const ModelAccess& models, const Json& arguments) {
    return onNamed(arguments, "tenant",
                   [&](const std::string& name) { return asJson(models.engine().tenants().revoke(name)); });
}

Result<Json> restoreTenant(const ModelAccess& models, const Json& arguments) {
    return onNamed(arguments, "tenant",
                   [&](const std::string& name) { return asJson(models.engine().tenants().restore(name)); });
}

Result<Json> createKey(const ModelAccess& models, const Json& arguments) {
    return onNamed(arguments, "tenant",
                   [&](const std::string& name) { return asJson(models.engine().tenants().createKey(name)); });
}

Result<Json> rotateKey(const ModelAccess& models, const Json& arguments) {
    return onNamed(arguments, "key",
                   [&](const std::string& key) { return asJson(models.engine().tenants().rotateKey(key)); });
}

Result<Json> revokeKey(const ModelAccess& models, const Json& arguments) {
    return onNamed(arguments, "key",
                   [&](const std::string& key) { return asJson(models.engine().tenants().setKeyRevoked(key, true)); });
}

Result<Json> restoreKey(const ModelAccess& models, const Json& arguments) {
    return onNamed(arguments, "key",
                   [&](const std::string& key) { return asJson(models.engine().tenants().setKeyRevoked(key, false)); });
}

Result<Json> tenantUsage(const ModelAccess& models, const Clock& clock, const Json& arguments) {
    const JsonFields fields(arguments);
    UsageQuery query;
    TRY_ASSIGN(const auto tenant, fields.string("tenant"));
    if (tenant) {
        TRY(models.engine().tenants().limitsOf(*tenant));
        query.tenant = *tenant;
    }
    TRY_ASSIGN(const auto by, fields.string("by"));
    if (by && *by != "hour" && *by != "day") return fields.wrong("by", "\"hour\" or \"day\"");
    query.bucketMs = by == std::optional<std::string>("hour") ? kHourMs : kDayMs;
    TRY_ASSIGN(const auto days, fields.integer("days", 1, kMostDays));
    const std::int64_t now = clock.unixMilliseconds();
    // Today is one of the days.
    query.from = now - now % kDayMs - (days.value_or(kDefaultDays) - 1) * kDayMs;
    TRY_ASSIGN(const auto from, fields.integer("from", 0, INT64_MAX));
    if (from) query.from = *from;
    TRY_ASSIGN(const auto to, fields.integer("to", 0, INT64_MAX));
    if (to) query.to = *to;
    TRY_ASSIGN(const auto rows, models.engine().tenants().usage(query));
    Json list = Json::array();
    for (const UsageRow& row : rows) list.push_back(toJson(row));
    return Json{{"by", query.bucketMs == kHourMs ? "hour" : "day"}, {"usage", std::move(list)}};
}

}  // namespace espalier
