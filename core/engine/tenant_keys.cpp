// SPDX-License-Identifier: GPL-3.0-or-later
// Tenants, their keys: kept as digests, shown once.
#include <algorithm>
#include <cstring>
#include <utility>

#include "core/base/hash.h"
#include "core/engine/tenant_state.h"

namespace espalier {
namespace {

constexpr std::string_view kKeyPrefix = "esp_";
constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kShownKeyLength = 8;

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

}  // namespace

Result<void> Tenants::loadKeys() {
    TRY_ASSIGN(const auto keys, m_store->keys());
    for (const KeyRow& row : keys) {
        TRY_ASSIGN(const KeyDigest digest, digestFromHex(row));
        m_state->keysByDigest.emplace(startOf(digest), m_state->keys.size());
        m_state->keys.push_back(
            {{row.id, row.prefix, row.createdAt, row.revokedAt, row.lastUsedAt}, row.tenant, digest});
    }
    return {};
}

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

}  // namespace espalier
