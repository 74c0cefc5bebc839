// SPDX-License-Identifier: GPL-3.0-or-later
// tenant, key, usage: who may use the server, with which keys, how much, and how much they did.
#include <chrono>
#include <cstdio>
#include <optional>

#include "app/cli/commands.h"

namespace espalier::cli {
namespace {

struct NameOptions {
    std::string name;
};
struct LimitOptions {
    std::string name, expires;
    std::optional<double> weight;
    std::optional<std::int64_t> maxConcurrency, rpm, tpm, tokenBudget, kvPages, firstTokenMs;
    std::vector<std::string> models;
    bool allModels = false, noKey = false;
};
struct UsageOptions {
    std::string tenant, by = "day";
    std::int64_t days = 30;
    bool csv = false;
};

std::string limitText(const Json& tenant, const char* key) {
    const auto value = tenant.value(key, std::int64_t{0});
    return value == 0 ? "-" : std::to_string(value);
}

// "2027-01-31T08:00Z"
std::string timeText(const Json& object, const char* key) {
    const auto found = object.find(key);
    if (found == object.end() || !found->is_number_integer()) return "-";
    const std::chrono::sys_time<std::chrono::milliseconds> at{std::chrono::milliseconds(found->get<std::int64_t>())};
    const auto midnight = std::chrono::floor<std::chrono::days>(at);
    const std::chrono::year_month_day date{midnight};
    const auto minutes = std::chrono::floor<std::chrono::minutes>(at - midnight).count();
    char text[64];
    std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02dZ", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  static_cast<int>(minutes / 60), static_cast<int>(minutes % 60));
    return text;
}

std::size_t liveKeys(const Json& tenant) {
    std::size_t live = 0;
    for (const Json& key : tenant.value("keys", Json::array())) live += key.value("revoked_at", Json()).is_null();
    return live;
}

void showTenants(const Console& console, const Json& tenants) {
    std::vector<std::vector<std::string>> rows{{"TENANT", "STATE", "WEIGHT", "AT ONCE", "REQ/MIN", "TOK/MIN", "TOK/DAY",
                                                "TODAY", "REFUSED", "KEYS", "EXPIRES"}};
    for (const Json& tenant : tenants) {
        const Json& today = tenant["today"];
        const double used = today.value("prompt_tokens", 0.0) + today.value("generated_tokens", 0.0);
        rows.push_back({tenant.value("tenant", ""), tenant.value("state", ""),
                        fixedText(tenant.value("weight", 1.0), 2), limitText(tenant, "max_concurrency"),
                        limitText(tenant, "requests_per_minute"), limitText(tenant, "tokens_per_minute"),
                        limitText(tenant, "tokens_per_day"), fixedText(used, 0),
                        dumpJson(today.value("refused", Json(0))), std::to_string(liveKeys(tenant)),
                        timeText(tenant, "expires_at")});
    }
    console.table(rows);
}

void showKeys(const Console& console, const Json& tenants) {
    std::vector<std::vector<std::string>> rows{{"KEY", "ID", "TENANT", "CREATED", "LAST USED", "REVOKED"}};
    for (const Json& tenant : tenants)
        for (const Json& key : tenant.value("keys", Json::array()))
            rows.push_back({key.value("prefix", "") + "...", key.value("id", ""), tenant.value("tenant", ""),
                            timeText(key, "created_at"), timeText(key, "last_used_at"), timeText(key, "revoked_at")});
    console.table(rows);
}

void showSecret(const Console& console, const Json& answer) {
    const auto key = answer.find("key");
    if (key == answer.end()) return;
    console.note("the key of \"" + answer.value("tenant", "") + "\", shown this once:");
    console.text(key->get<std::string>() + "\n");
}

Json limitArguments(const LimitOptions& options) {
    Json arguments{{"tenant", options.name}};
    const auto put = [&](const char* key, const auto& value) {
        if (value) arguments[key] = *value;
    };
    put("weight", options.weight);
    put("max_concurrency", options.maxConcurrency);
    put("requests_per_minute", options.rpm);
    put("tokens_per_minute", options.tpm);
    put("tokens_per_day", options.tokenBudget);
    put("kv_pages", options.kvPages);
    put("first_token_ms", options.firstTokenMs);
    if (!options.expires.empty()) arguments["expires"] = options.expires;
    if (!options.models.empty()) arguments["models"] = options.models;
    if (options.allModels) arguments["models"] = Json::array();
    return arguments;
}

Result<void> showTenant(Session& session, const Json& tenant) {
    if (session.console().json)
        session.console().document(tenant);
    else
        showTenants(session.console(), Json::array({tenant}));
    return {};
}

Result<void> runCreate(Session& session, const LimitOptions& options) {
    Json arguments = limitArguments(options);
    arguments["with_key"] = !options.noKey;
    TRY_ASSIGN(const Json tenant, session.call(Use::Write, "tenant-create", arguments));
    TRY(showTenant(session, tenant));
    if (!session.console().json) showSecret(session.console(), tenant);
    return {};
}

Result<void> runLimit(Session& session, const LimitOptions& options) {
    TRY_ASSIGN(const Json tenant, session.call(Use::Write, "tenant-limit", limitArguments(options)));
    return showTenant(session, tenant);
}

Result<void> runTenantList(Session& session, const NoOptions&) {
    TRY_ASSIGN(const Json answer, session.call(Use::Read, "tenants", Json::object()));
    if (session.console().json)
        session.console().document(answer["tenants"]);
    else
        showTenants(session.console(), answer["tenants"]);
    return {};
}

auto onTenant(const char* operation, Use use) {
    return [operation, use](Session& session, const NameOptions& options) -> Result<void> {
        TRY_ASSIGN(const Json tenant, session.call(use, operation, {{"tenant", options.name}}));
        return showTenant(session, tenant);
    };
}

// An operation that answers with a key, new or not.
auto onKey(const char* operation, const char* argument) {
    return [operation, argument](Session& session, const NameOptions& options) -> Result<void> {
        TRY_ASSIGN(const Json key, session.call(Use::Write, operation, {{argument, options.name}}));
        if (session.console().json) {
            session.console().document(key);
            return {};
        }
        if (key.contains("key"))
            showSecret(session.console(), key);
        else
            session.console().text(key.value("prefix", "") + "... of " + key.value("tenant", "") +
                                   (key.value("revoked_at", Json()).is_null() ? " is valid\n" : " is revoked\n"));
        return {};
    };
}

Result<void> runKeyList(Session& session, const NameOptions& options) {
    Json tenants = Json::array();
    if (options.name.empty()) {
        TRY_ASSIGN(const Json answer, session.call(Use::Read, "tenants", Json::object()));
        tenants = answer["tenants"];
    } else {
        TRY_ASSIGN(const Json tenant, session.call(Use::Read, "tenant", {{"tenant", options.name}}));
        tenants.push_back(tenant);
    }
    if (!session.console().json) {
        showKeys(session.console(), tenants);
        return {};
    }
    Json keys = Json::array();
    for (const Json& tenant : tenants)
        for (Json key : tenant["keys"]) {
            key["tenant"] = tenant["tenant"];
            keys.push_back(std::move(key));
        }
    session.console().document(keys);
    return {};
}

constexpr const char* kUsageKeys[]{"requests", "refused", "prompt_tokens", "cached_tokens", "generated_tokens"};

// RFC 4180. Names of tenants hold nothing that would need quotes.
std::string usageCsv(const Json& usage) {
    std::string csv = "tenant,from";
    for (const char* key : kUsageKeys) csv += std::string(",") + key;
    csv += "\r\n";
    for (const Json& row : usage) {
        csv += row.value("tenant", "") + "," + timeText(row, "at");
        for (const char* key : kUsageKeys) csv += "," + dumpJson(row.value(key, Json(0)));
        csv += "\r\n";
    }
    return csv;
}

Result<void> runUsage(Session& session, const UsageOptions& options) {
    Json arguments{{"by", options.by}, {"days", options.days}};
    if (!options.tenant.empty()) arguments["tenant"] = options.tenant;
    TRY_ASSIGN(const Json answer, session.call(Use::Read, "usage", arguments));
    const Console& console = session.console();
    if (console.json) {
        console.document(answer["usage"]);
    } else if (options.csv) {
        console.text(usageCsv(answer["usage"]));
    } else {
        std::vector<std::vector<std::string>> rows{
            {"TENANT", "FROM", "REQUESTS", "REFUSED", "PROMPT", "CACHED", "GENERATED"}};
        for (const Json& row : answer["usage"]) {
            std::vector<std::string>& cells = rows.emplace_back();
            cells = {row.value("tenant", ""), timeText(row, "at")};
            for (const char* key : kUsageKeys) cells.push_back(dumpJson(row.value(key, Json(0))));
        }
        console.table(rows);
    }
    return {};
}

void addLimitOptions(CLI::App& command, LimitOptions& options) {
    command.add_option("name", options.name, "The tenant: letters, digits, '.', '_' and '-'")->required();
    command.add_option("--weight", options.weight, "Share of the service when there is not enough for all (default 1)")
        ->check(CLI::Range(0.01, 1000.0));
    const auto limit = [&](const char* flag, std::optional<std::int64_t>& value, const char* what) {
        command.add_option(flag, value, std::string(what) + "; 0: no limit")->check(CLI::NonNegativeNumber);
    };
    limit("--max-concurrency", options.maxConcurrency, "Calls at once");
    limit("--rpm", options.rpm, "Calls a minute");
    limit("--tpm", options.tpm, "Tokens of prompts and answers a minute");
    limit("--token-budget", options.tokenBudget, "Tokens of prompts and answers a day (UTC)");
    limit("--kv-pages", options.kvPages, "Pages of 16 tokens that its running requests may hold in a model's pool");
    limit("--first-token-ms", options.firstTokenMs, "Refuse at once when the first token is expected later than this");
    command.add_option("--expires", options.expires, "never, 30d, 12h, 2027-01-31 or 2027-01-31T08:00Z");
    auto* models = command
                       .add_option("--model", options.models,
                                   "It may use this model, base:adapter or base:* only; may be repeated")
                       ->expected(1)
                       ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    command.add_flag("--all-models", options.allModels, "It may use every model (default)")->excludes(models);
}

}  // namespace

void addTenantCommands(Commands& commands) {
    auto [tenant, none] = commands.add<NoOptions>("tenant", "Who may use the server, and how much",
                                                  "espalierctl tenant create ada --weight 2 --rpm 120", runTenantList);
    tenant->require_subcommand(0, 1);
    auto [create, createOptions] = commands.addTo<LimitOptions>(
        *tenant, "create", "Make a tenant and its first key, shown this once",
        "espalierctl tenant create ada --weight 2 --rpm 120 --token-budget 2000000 --expires 90d", runCreate);
    addLimitOptions(*create, *createOptions);
    create->add_flag("--no-key", createOptions->noKey, "Make no key yet");
    auto [limit, limitOptions] =
        commands.addTo<LimitOptions>(*tenant, "limit", "Change limits; holds at once, what is not named stays",
                                     "espalierctl tenant limit ada --tpm 30000 --expires never", runLimit);
    addLimitOptions(*limit, *limitOptions);
    commands.addTo<NoOptions>(*tenant, "list", "List the tenants", "espalierctl tenant list --json", runTenantList);
    const auto named = [&commands, parent = tenant](const char* name, const char* what, auto run) {
        auto [command, options] =
            commands.addTo<NameOptions>(*parent, name, what, std::string("espalierctl tenant ") + name + " ada", run);
        command->add_option("name", options->name, "The tenant")->required();
    };
    named("show", "Show one tenant", onTenant("tenant", Use::Read));
    named("revoke", "Refuse a tenant from now on and end what it runs", onTenant("tenant-revoke", Use::Write));
    named("restore", "Take a revocation back", onTenant("tenant-restore", Use::Write));

    auto [key, keyOptions] =
        commands.add<NoOptions>("key", "Keys of tenants", "espalierctl key create ada",
                                [](Session& session, const NoOptions&) { return runKeyList(session, {}); });
    key->require_subcommand(0, 1);
    const auto addKey = [&commands, parent = key](const char* name, const char* what, const char* argument,
                                                  const char* example, auto run) {
        auto [command, options] = commands.addTo<NameOptions>(*parent, name, what, example, run);
        return command->add_option(argument, options->name);
    };
    addKey("create", "Make a key, shown this once", "tenant", "espalierctl key create ada",
           onKey("key-create", "tenant"))
        ->required();
    addKey("rotate", "Make a key in place of another, which opens nothing any more", "key",
           "espalierctl key rotate esp_7Qk2", onKey("key-rotate", "key"))
        ->required()
        ->description("Its id or its first 8 characters");
    addKey("revoke", "Make a key invalid", "key", "espalierctl key revoke esp_7Qk2", onKey("key-revoke", "key"))
        ->required()
        ->description("Its id or its first 8 characters");
    addKey("restore", "Make a revoked key valid again", "key", "espalierctl key restore k-0f3a",
           onKey("key-restore", "key"))
        ->required()
        ->description("Its id or its first 8 characters");
    addKey("list", "List keys; none can be shown again", "tenant", "espalierctl key list ada", runKeyList);

    auto [usage, usageOptions] = commands.add<UsageOptions>("usage", "What tenants used, by day or hour",
                                                            "espalierctl usage --tenant ada --days 7 --csv", runUsage);
    usage->add_option("--tenant", usageOptions->tenant, "Of this one only; owner: of the admin key");
    usage->add_option("--days", usageOptions->days, "Up to and with today, UTC (default 30)")
        ->check(CLI::Range(1, 400));
    usage->add_option("--by", usageOptions->by, "day or hour (default day)")->check(CLI::IsMember({"day", "hour"}));
    usage->add_flag("--csv", usageOptions->csv, "Comma-separated values");
}

}  // namespace espalier::cli
