// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/api/tenant_protocol.h"

#include <charconv>
#include <chrono>
#include <cstdio>

#include "core/api/json_fields.h"

namespace espalier {
namespace {

struct LimitName {
    const char* key;
    std::int64_t TenantLimits::*member;
};
constexpr LimitName kLimits[]{{"max_concurrency", &TenantLimits::maxConcurrency},
                              {"requests_per_minute", &TenantLimits::requestsPerMinute},
                              {"tokens_per_minute", &TenantLimits::tokensPerMinute},
                              {"tokens_per_day", &TenantLimits::tokensPerDay},
                              {"kv_pages", &TenantLimits::kvPages},
                              {"first_token_ms", &TenantLimits::firstTokenMs},
                              {"expires_at", &TenantLimits::expiresAt}};

template <class Record>
struct CountName {
    const char* key;
    std::int64_t Record::*member;
};
constexpr CountName<TenantUsage> kCounts[]{{"requests", &TenantUsage::requests},
                                           {"refused", &TenantUsage::refused},
                                           {"prompt_tokens", &TenantUsage::promptTokens},
                                           {"cached_tokens", &TenantUsage::cachedTokens},
                                           {"generated_tokens", &TenantUsage::generatedTokens}};
constexpr CountName<UsageRow> kUsage[]{{"at", &UsageRow::hour},
                                       {"requests", &UsageRow::requests},
                                       {"refused", &UsageRow::refused},
                                       {"prompt_tokens", &UsageRow::promptTokens},
                                       {"cached_tokens", &UsageRow::cachedTokens},
                                       {"generated_tokens", &UsageRow::generatedTokens}};

Json optionalTime(const std::optional<std::int64_t>& at) {
    return at ? Json(*at) : Json();
}

// Reads the members of one object. After the first that does not fit, nothing more is read.
class Reader {
public:
    Reader(const Json& object, const char* what) : m_object(object), m_what(what) {}
    void text(const char* key, std::string& member) {
        if (const Json* value = find(key)) expect(value->is_string(), key, [&] { member = value->get<std::string>(); });
    }
    void integer(const char* key, std::int64_t& member) {
        if (const Json* value = find(key))
            expect(value->is_number_integer(), key, [&] { member = value->get<std::int64_t>(); });
    }
    void number(const char* key, double& member) {
        if (const Json* value = find(key)) expect(value->is_number(), key, [&] { member = value->get<double>(); });
    }
    void time(const char* key, std::optional<std::int64_t>& member) {
        std::int64_t at = 0;
        if (find(key)) integer(key, at);
        if (find(key) && !m_error) member = at;
    }
    const Json* array(const char* key) {
        const Json* value = find(key);
        if (value) expect(value->is_array(), key, [] {});
        return m_error ? nullptr : value;
    }
    const Json* object(const char* key) {
        const Json* value = find(key);
        if (value) expect(value->is_object(), key, [] {});
        return m_error ? nullptr : value;
    }
    const std::optional<Error>& error() const { return m_error; }

private:
    const Json* find(const char* key) const {
        if (m_error) return nullptr;
        const auto found = m_object.find(key);
        return found == m_object.end() || found->is_null() ? nullptr : &*found;
    }
    template <class Take>
    void expect(bool fits, const char* key, const Take& take) {
        if (fits) return take();
        m_error = fail(ErrorCode::CorruptFile, std::string(m_what) + ": \"" + key + "\" has the wrong type", m_what);
    }
    const Json& m_object;
    const char* m_what;
    std::optional<Error> m_error;
};

Error missing(const char* what) {
    return fail(ErrorCode::CorruptFile, std::string(what) + ": \"tenant\" is missing", what);
}

std::optional<std::int64_t> number(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, cause] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || cause != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

}  // namespace

Json toJson(const TenantKey& key) {
    return {{"id", key.id},
            {"prefix", key.prefix},
            {"created_at", key.createdAt},
            {"revoked_at", optionalTime(key.revokedAt)},
            {"last_used_at", optionalTime(key.lastUsedAt)}};
}

Json toJson(const TenantRecord& tenant) {
    Json json{{"tenant", tenant.name}, {"state", tenant.state}, {"weight", tenant.limits.weight}};
    for (const LimitName& limit : kLimits) json[limit.key] = tenant.limits.*limit.member;
    if (tenant.limits.expiresAt == 0) json["expires_at"] = nullptr;
    json["models"] = tenant.limits.models;
    json["created_at"] = tenant.createdAt;
    json["revoked_at"] = optionalTime(tenant.revokedAt);
    json["keys"] = Json::array();
    for (const TenantKey& key : tenant.keys) json["keys"].push_back(toJson(key));
    json["today"] = Json::object();
    for (const auto& count : kCounts) json["today"][count.key] = tenant.today.*count.member;
    json["calls_open"] = tenant.callsOpen;
    return json;
}

Json toJson(const UsageRow& usage) {
    Json json{{"tenant", usage.tenant}};
    for (const auto& count : kUsage) json[count.key] = usage.*count.member;
    return json;
}

Result<TenantRecord> tenantFromJson(const Json& json) {
    if (!json.is_object() || !json.contains("tenant")) return missing("tenant");
    Reader reader(json, "tenant");
    TenantRecord tenant;
    reader.text("tenant", tenant.name);
    reader.text("state", tenant.state);
    reader.number("weight", tenant.limits.weight);
    for (const LimitName& limit : kLimits) reader.integer(limit.key, tenant.limits.*limit.member);
    if (const Json* models = reader.array("models"))
        for (const Json& model : *models)
            if (model.is_string()) tenant.limits.models.push_back(model.get<std::string>());
    reader.integer("created_at", tenant.createdAt);
    reader.time("revoked_at", tenant.revokedAt);
    if (const Json* today = reader.object("today")) {
        Reader counts(*today, "tenant");
        for (const auto& count : kCounts) counts.integer(count.key, tenant.today.*count.member);
        if (counts.error()) return *counts.error();
    }
    reader.integer("calls_open", tenant.callsOpen);
    if (const Json* keys = reader.array("keys"))
        for (const Json& entry : *keys) {
            if (!entry.is_object()) return fail(ErrorCode::CorruptFile, "tenant: a key must be an object", "tenant");
            Reader fields(entry, "key");
            TenantKey& key = tenant.keys.emplace_back();
            fields.text("id", key.id);
            fields.text("prefix", key.prefix);
            fields.integer("created_at", key.createdAt);
            fields.time("revoked_at", key.revokedAt);
            fields.time("last_used_at", key.lastUsedAt);
            if (fields.error()) return *fields.error();
        }
    if (reader.error()) return *reader.error();
    return tenant;
}

Result<UsageRow> usageFromJson(const Json& json) {
    if (!json.is_object() || !json.contains("tenant")) return missing("usage");
    Reader reader(json, "usage");
    UsageRow usage;
    reader.text("tenant", usage.tenant);
    for (const auto& count : kUsage) reader.integer(count.key, usage.*count.member);
    if (reader.error()) return *reader.error();
    return usage;
}

Result<TenantLimits> limitsFromArguments(const Json& arguments, TenantLimits limits, std::int64_t nowUnixMs) {
    const JsonFields fields(arguments);
    TRY_ASSIGN(const auto weight, fields.number("weight", 0.01, 1000.0));
    if (weight) limits.weight = *weight;
    for (const LimitName& limit : kLimits) {
        TRY_ASSIGN(const auto value, fields.integer(limit.key, 0, INT64_MAX));
        if (value) limits.*limit.member = *value;
    }
    TRY_ASSIGN(const auto expires, fields.string("expires"));
    if (expires) {
        TRY_ASSIGN(limits.expiresAt, expiryFromText(*expires, nowUnixMs));
    }
    if (fields.find("models")) {
        TRY_ASSIGN(limits.models, fields.strings("models", 1000));
    }
    TRY(limits.validate());
    return limits;
}

Result<std::int64_t> expiryFromText(std::string_view text, std::int64_t nowUnixMs) {
    constexpr std::int64_t kMostDays = 36'500;
    const Error wrong = fail(ErrorCode::InvalidArgument,
                             "\"expires\" is never, a time from now (30d, 12h), a day (2027-01-31) or a moment "
                             "(2027-01-31T08:00Z), not \"" +
                                 std::string(text.substr(0, 40)) + "\"",
                             "expires");
    if (text == "never") return std::int64_t{0};
    if (const char unit = text.empty() ? ' ' : text.back(); unit == 'd' || unit == 'h') {
        const auto count = number(text.substr(0, text.size() - 1));
        const std::int64_t span = unit == 'd' ? kDayMs : kHourMs;
        if (!count || *count < 1 || *count > kMostDays * kDayMs / span) return wrong;
        return nowUnixMs + *count * span;
    }
    int year = 0, hour = 0, minute = 0, read = -1;
    unsigned month = 0, day = 0;
    const std::string whole(text);
    const bool isDay = std::sscanf(whole.c_str(), "%4d-%2u-%2u%n", &year, &month, &day, &read) == 3 &&
                       read == static_cast<int>(whole.size());
    const bool isMoment =
        !isDay &&
        std::sscanf(whole.c_str(), "%4d-%2u-%2uT%2d:%2dZ%n", &year, &month, &day, &hour, &minute, &read) == 5 &&
        read == static_cast<int>(whole.size());
    const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month), std::chrono::day(day)};
    if ((!isDay && !isMoment) || !date.ok() || hour < 0 || hour > 23 || minute < 0 || minute > 59) return wrong;
    const std::int64_t midnight = std::chrono::sys_days(date).time_since_epoch().count() * kDayMs;
    const std::int64_t at = isDay ? midnight + kDayMs : midnight + hour * kHourMs + minute * 60'000;
    if (at <= nowUnixMs) return fail(ErrorCode::InvalidArgument, "\"" + whole + "\" has passed already", "expires");
    return at;
}

}  // namespace espalier
