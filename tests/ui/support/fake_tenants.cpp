// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/ui/support/fake_tenants.h"

#include "core/api/tenant_protocol.h"

namespace espalier::test {
namespace {

Result<Json> keyJson(const Result<IssuedKey>& key) {
    if (!key) return key.error();
    Json json = toJson(key->key);
    json["tenant"] = key->tenant;
    if (!key->secret.empty()) json["key"] = key->secret;
    return json;
}

Result<Json> tenantJson(const Result<TenantRecord>& tenant) {
    if (!tenant) return tenant.error();
    return toJson(*tenant);
}

}  // namespace

FakeTenants::FakeTenants()
    : m_tenants(std::move(*Tenants::open(
          nullptr, m_clock, {[](const TenantChanged&) {}, [](const std::string&) {}, [](RequestId) {}}))) {}

std::optional<Result<Json>> FakeTenants::answer(const QString& operation, const Json& arguments) {
    const std::string tenant = arguments.value("tenant", std::string()), key = arguments.value("key", std::string());
    const auto is = [&](const char* name) { return operation == QLatin1String(name); };
    if (is("tenants")) {
        Json list = Json::array();
        for (TenantRecord& one : m_tenants->list()) {
            one.today += today[one.name];
            list.push_back(toJson(one));
        }
        return Json{{"tenants", list}};
    }
    if (is("usage")) {
        Json list = Json::array();
        for (const UsageRow& row : usage)
            if (tenant.empty() || row.tenant == tenant) list.push_back(toJson(row));
        return Json{{"by", arguments.value("by", "day")}, {"usage", list}};
    }
    if (is("tenant-create")) {
        if (const auto made = m_tenants->create(tenant, {}); !made) return made.error();
        const auto issued = m_tenants->createKey(tenant);
        auto answer = tenantJson(m_tenants->find(tenant));
        (*answer)["key"] = issued->secret;
        return answer;
    }
    if (is("tenant-limit")) {
        const auto before = m_tenants->limitsOf(tenant);
        if (!before) return before.error();
        const auto limits = limitsFromArguments(arguments, *before, m_clock.unixMilliseconds());
        if (!limits) return limits.error();
        return tenantJson(m_tenants->limit(tenant, *limits));
    }
    if (is("tenant-revoke")) return tenantJson(m_tenants->revoke(tenant));
    if (is("tenant-restore")) return tenantJson(m_tenants->restore(tenant));
    if (is("key-create")) return keyJson(m_tenants->createKey(tenant));
    if (is("key-rotate")) return keyJson(m_tenants->rotateKey(key));
    if (is("key-revoke")) return keyJson(m_tenants->setKeyRevoked(key, true));
    if (is("key-restore")) return keyJson(m_tenants->setKeyRevoked(key, false));
    return std::nullopt;
}

}  // namespace espalier::test
