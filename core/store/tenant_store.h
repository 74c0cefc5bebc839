// SPDX-License-Identifier: GPL-3.0-or-later
// TenantStore: tenants with their limits, their keys, and what they used, by the hour. Of a key only its digest is here
// and the few characters that people know it by. Limits are plain columns in which 0 means no limit.
//
// Owner: Workspace. Thread: any; changes wait for the Writer, counted use does not.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/store/readers.h"
#include "core/store/writer.h"

namespace espalier {

struct TenantRow {
    std::string name;
    double weight = 1.0;
    std::int64_t maxConcurrency = 0;
    std::int64_t requestsPerMinute = 0;
    std::int64_t tokensPerMinute = 0;
    std::int64_t tokensPerDay = 0;
    std::int64_t kvPages = 0;
    std::int64_t firstTokenMs = 0;
    std::int64_t expiresAt = 0;
    std::string models;  // JSON array of names
    std::int64_t createdAt = 0;
    std::optional<std::int64_t> revokedAt;

    bool operator==(const TenantRow&) const = default;
};

struct KeyRow {
    std::string id, tenant;
    std::string hash;    // SHA-256 of the key, 64 hex digits
    std::string prefix;  // its first characters
    std::int64_t createdAt = 0;
    std::optional<std::int64_t> revokedAt;
    std::optional<std::int64_t> lastUsedAt;

    bool operator==(const KeyRow&) const = default;
};

constexpr std::int64_t kHourMs = 3'600'000, kDayMs = 24 * kHourMs;

struct UsageRow {
    std::string tenant;
    std::int64_t hour = 0;  // Unix milliseconds of its beginning, UTC; of a day in answers by the day
    std::int64_t requests = 0;
    std::int64_t refused = 0;
    std::int64_t promptTokens = 0;
    std::int64_t cachedTokens = 0;
    std::int64_t generatedTokens = 0;

    bool operator==(const UsageRow&) const = default;
};

struct UsageQuery {
    std::int64_t from = 0, to = INT64_MAX;  // Unix milliseconds, `to` not included
    std::string tenant = {};                // empty: all
    std::int64_t bucketMs = kHourMs;        // kHourMs or kDayMs
};

// For a change that goes together with others, in one write of the Writer's: limits and revokedAt of each.
Result<void> updateTenants(Database& database, std::span<const TenantRow> rows);

class TenantStore {
public:
    // writer: null for a workspace opened to be read only; changes are then error locked.
    TenantStore(Readers& readers, Writer* writer) : m_readers(readers), m_writer(writer) {}

    Result<std::vector<TenantRow>> tenants() const;  // by name
    Result<void> add(const TenantRow& row);          // already_exists
    Result<void> update(const TenantRow& row);       // limits and revokedAt

    Result<std::vector<KeyRow>> keys() const;  // oldest first
    Result<void> addKey(const KeyRow& row);
    Result<void> setKeyRevoked(std::string_view id, std::optional<std::int64_t> at);
    Result<void> replaceKey(std::string_view id, std::int64_t at, const KeyRow& row);  // both or neither

    Result<std::vector<UsageRow>> usage(const UsageQuery& query) const;  // by tenant, then time
    // Adds to the rows of these hours and notes when keys were used. Does not wait; error busy or locked: nothing was
    // taken, the caller keeps it.
    Result<void> count(std::vector<UsageRow> more, std::vector<std::pair<std::string, std::int64_t>> keysUsed);
    Result<void> trimUsage(std::int64_t before);  // forgets hours that began earlier
    void flush();                                 // waits until what was counted is committed

private:
    Result<void> write(Writer::Write change);

    Readers& m_readers;
    Writer* m_writer;
};

}  // namespace espalier
