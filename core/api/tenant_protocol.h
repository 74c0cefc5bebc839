// SPDX-License-Identifier: GPL-3.0-or-later
// Tenants, their keys and their use as the control protocol has them:
//   Tenant {tenant, state: active|expired|revoked, weight, max_concurrency, requests_per_minute, tokens_per_minute,
//           tokens_per_day, kv_pages, first_token_ms, expires_at, models: [name], created_at, revoked_at,
//           keys: [{id, prefix, created_at, revoked_at, last_used_at}],
//           today: {requests, refused, prompt_tokens, cached_tokens, generated_tokens}, calls_open}
//   Usage  {tenant, at, requests, refused, prompt_tokens, cached_tokens, generated_tokens}
// A limit of 0 is none; times are Unix milliseconds, null when there is none.
#pragma once

#include <string_view>

#include "core/base/json.h"
#include "core/engine/tenants.h"

namespace espalier {

Json toJson(const TenantKey& key);
Json toJson(const TenantRecord& tenant);
Json toJson(const UsageRow& usage);

// Readers for clients; error corrupt_file names the key. Unknown keys are ignored.
Result<TenantRecord> tenantFromJson(const Json& json);
Result<UsageRow> usageFromJson(const Json& json);

// The limits among the arguments of an operation over `limits`; "expires" may stand for expires_at as text: "never",
// "30d" or "12h" from now, "2027-01-31" (to the end of that day), "2027-01-31T08:00Z". Errors: invalid_argument.
Result<TenantLimits> limitsFromArguments(const Json& arguments, TenantLimits limits, std::int64_t nowUnixMs);
Result<std::int64_t> expiryFromText(std::string_view text, std::int64_t nowUnixMs);  // 0: never

}  // namespace espalier
