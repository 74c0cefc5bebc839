// SPDX-License-Identifier: GPL-3.0-or-later
// Keys, limits and what a tenant sees, over a real daemon with a fake engine.
#include <QTest>

#include "core/api/tenant_protocol.h"
#include "tests/support/json_compare.h"
#include "tests/support/test_daemon.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

namespace {

const Json kCompletion{{"model", "fake"}, {"prompt", "hi"}, {"max_tokens", 32}};

bool arrives(RawConnection& connection, std::string_view mark) {
    return connection.readUntil(mark).find(mark) != std::string::npos;
}

struct Served {
    TestDaemon daemon;

    Json control(const std::string& operation, const Json& arguments = Json::object()) {
        return daemon.post("/control/" + operation, arguments).json();
    }
    // A new tenant's key.
    std::string tenant(const std::string& name, Json limits = Json::object()) {
        limits["tenant"] = name;
        return control("tenant-create", limits)["key"].get<std::string>();
    }
    HttpReply as(const std::string& key, const char* path, const Json& body) {
        return fetch(daemon.port(), "POST", path, key, dumpJson(body));
    }
    HttpReply get(const std::string& key, const char* path) { return fetch(daemon.port(), "GET", path, key); }
};

}  // namespace

class TestTenantRoutes : public QObject {
    Q_OBJECT
private slots:
    void aTenantsKeyOpensV1AndNothingElse() {
        Served served;
        const std::string key = served.tenant("ada");
        QCOMPARE(served.as(key, "/v1/completions", kCompletion).status, 200);
        QCOMPARE(served.daemon.engine().submitted().at(0).tenant, std::string("ada"));
        QCOMPARE(served.get(key, "/v1/models").status, 200);
        QCOMPARE(served.get(key, "/metrics").status, 403);
        QCOMPARE(served.get(key, "/control/events").status, 403);
        for (const char* path : {"/control/tenants", "/control/tenant-limit", "/control/key-create", "/control/usage",
                                 "/control/generate", "/control/shutdown"})
            QCOMPARE(served.as(key, path, {{"tenant", "ada"}}).status, 403);
    }
    void keysThatAreUnknownRevokedOrExpired_are401AndSayWhy() {
        Served served;
        const std::string ada = served.tenant("ada"), bo = served.tenant("bo"),
                          cy = served.tenant("cy", {{"expires", "1h"}});
        const Json record = served.control("tenant", {{"tenant", "ada"}});
        served.control("key-revoke", {{"key", record["keys"][0]["id"]}});
        served.control("tenant-revoke", {{"tenant", "bo"}});
        served.control("tenant-limit", {{"tenant", "cy"}, {"expires_at", 1}});
        const auto message = [&](const std::string& key) {
            const HttpReply reply = served.as(key, "/v1/completions", kCompletion);
            if (reply.status != 401 || reply.json()["error"]["code"] != "invalid_api_key") return std::string();
            return reply.json()["error"]["message"].get<std::string>();
        };
        QVERIFY(message("esp_nobodys").find("not one of") != std::string::npos);
        QVERIFY(message(ada).find("key was revoked") != std::string::npos);
        QVERIFY(message(bo).find("access of this key was revoked") != std::string::npos);
        QVERIFY(message(cy).find("expired") != std::string::npos);
        QVERIFY(served.daemon.engine().submitted().empty());
        served.control("key-restore", {{"key", record["keys"][0]["id"]}});
        served.control("tenant-restore", {{"tenant", "bo"}});
        QCOMPARE(served.as(ada, "/v1/completions", kCompletion).status, 200);
        QCOMPARE(served.as(bo, "/v1/completions", kCompletion).status, 200);
    }
    void aKeyIsShownOnceAndRotatedInPlace() {
        Served served;
        const std::string key = served.tenant("ada");
        QVERIFY(dumpJson(served.control("tenants")).find(key) == std::string::npos);
        const Json fresh = served.control("key-rotate", {{"key", key.substr(0, 8)}});
        QCOMPARE(served.get(key, "/v1/models").status, 401);
        QCOMPARE(served.get(fresh["key"].get<std::string>(), "/v1/models").status, 200);
        const Json second = served.control("key-create", {{"tenant", "ada"}});
        QVERIFY(second["key"] != fresh["key"]);
        QCOMPARE(served.get(second["key"].get<std::string>(), "/v1/models").status, 200);
    }
    void aLimit_is429WithATrueRetryAfterInOpenAisShape() {
        Served served;
        const std::string key = served.tenant("ada", {{"requests_per_minute", 1}, {"tokens_per_minute", 1000}});
        const HttpReply first = served.as(key, "/v1/completions", kCompletion);
        QCOMPARE(first.status, 200);
        QCOMPARE(first.headers.at("x-ratelimit-limit-requests"), std::string("1"));
        QCOMPARE(first.headers.at("x-ratelimit-remaining-requests"), std::string("0"));
        QCOMPARE(first.headers.at("x-ratelimit-limit-tokens"), std::string("1000"));
        QCOMPARE(first.headers.at("x-ratelimit-remaining-tokens"), std::string("998"));
        const HttpReply second = served.as(key, "/v1/completions", kCompletion);
        QCOMPARE(second.status, 429);
        COMPARE_JSON(second.json()["error"]["type"], "rate_limit_error");
        COMPARE_JSON(second.json()["error"]["code"], "rate_limit_exceeded");
        const int wait = std::stoi(second.headers.at("retry-after"));  // a minute, rounded up to whole seconds
        QVERIFY2(wait > 1 && wait <= 61, second.headers.at("retry-after").c_str());
        QCOMPARE(served.as(key, "/v1/embeddings", {{"model", "fake"}, {"input", "a"}}).status, 429);
        // The admin and other tenants go on; a changed limit holds at once.
        QCOMPARE(served.daemon.post("/v1/completions", kCompletion).status, 200);
        QCOMPARE(served.as(served.tenant("bo"), "/v1/completions", kCompletion).status, 200);
        served.control("tenant-limit", {{"tenant", "ada"}, {"requests_per_minute", 0}});
        QCOMPARE(served.as(key, "/v1/completions", kCompletion).status, 200);
        QCOMPARE(served.control("tenant", {{"tenant", "ada"}})["today"]["refused"].get<int>(), 2);
    }
    void choicesAndInputsAreOneCall() {
        Served served;
        const std::string key = served.tenant("ada", {{"max_concurrency", 1}, {"requests_per_minute", 2}});
        Json four = kCompletion;
        four["n"] = 4;
        QCOMPARE(served.as(key, "/v1/completions", four).status, 200);
        Json inputs = Json::array();
        for (int i = 0; i < 200; ++i) inputs.push_back("text");
        QCOMPARE(served.as(key, "/v1/embeddings", {{"model", "fake"}, {"input", inputs}}).status, 200);
        const Json today = served.control("tenant", {{"tenant", "ada"}})["today"];
        QCOMPARE(today["requests"].get<int>(), 2);
        QCOMPARE(today["prompt_tokens"].get<int>(), 4 * 2 + 200 * 4);
        QCOMPARE(today["generated_tokens"].get<int>(), 4 * 12);
    }
    void callsAtOnce_areRefusedWhileOneRuns() {
        Served served;
        const std::string key = served.tenant("ada", {{"max_concurrency", 1}});
        served.daemon.engine().set({.hold = true});
        RawConnection running(served.daemon.port());
        running.send(httpText("POST", "/v1/completions", key, dumpJson(kCompletion)));
        QVERIFY(served.daemon.engine().waitUntil([&] { return served.daemon.engine().submitted().size() == 1; }));
        const HttpReply second = served.as(key, "/v1/completions", kCompletion);
        QCOMPARE(second.status, 429);
        QVERIFY(std::stoi(second.headers.at("retry-after")) >= 1);
        served.daemon.engine().release();
        QVERIFY(served.daemon.engine().waitUntil([&] {
            return served.control("tenant", {{"tenant", "ada"}})["calls_open"] == 0;
        }));
        QCOMPARE(served.as(key, "/v1/completions", kCompletion).status, 200);
    }
    void revoking_endsAStreamWithAnErrorEventAndLeavesTheOthers() {
        Served served;
        const std::string ada = served.tenant("ada"), bo = served.tenant("bo");
        served.daemon.engine().set({.pause = std::chrono::milliseconds(5), .endlessBytes = 4});
        Json stream = kCompletion;
        stream["stream"] = true;
        RawConnection first(served.daemon.port()), second(served.daemon.port());
        first.send(httpText("POST", "/v1/completions", ada, dumpJson(stream)));
        second.send(httpText("POST", "/v1/completions", bo, dumpJson(stream)));
        QVERIFY(arrives(first, "xxxx"));
        QVERIFY(arrives(second, "xxxx"));
        COMPARE_JSON(served.control("tenant-revoke", {{"tenant", "ada"}})["state"], "revoked");
        QVERIFY(arrives(first, "revoked while it was answered"));
        QVERIFY(arrives(second, "xxxx"));
        QCOMPARE(served.daemon.engine().cancelled(), 1);
        QCOMPARE(served.as(ada, "/v1/completions", kCompletion).status, 401);
    }
    void modelsOutsideATenantsList_areNotThereForIt() {
        Served served;
        const std::string key = served.tenant("ada", {{"models", {"something-else"}}});
        COMPARE_JSON(served.get(key, "/v1/models").json()["data"], Json::array());
        QCOMPARE(served.get(key, "/v1/models/fake").status, 404);
        for (const char* path : {"/v1/completions", "/tokenize"}) {
            const HttpReply reply = served.as(key, path, kCompletion);
            QCOMPARE(reply.status, 404);
            const std::string message = reply.json()["error"]["message"].get<std::string>();
            QVERIFY(message.find("known") == std::string::npos);  // names of others' models are not told
        }
        QVERIFY(served.daemon.engine().submitted().empty());
        served.control("tenant-limit", {{"tenant", "ada"}, {"models", Json::array()}});
        QCOMPARE(served.get(key, "/v1/models").json()["data"].size(), std::size_t{1});
    }
    void everyOperation_checksItsArguments() {
        Served served;
        served.tenant("ada");
        const auto status = [&](const char* operation, const Json& arguments) {
            return served.daemon.post(std::string("/control/") + operation, arguments).status;
        };
        QCOMPARE(status("tenant-create", {{"tenant", "ada"}}), 409);
        QCOMPARE(status("tenant-create", {{"tenant", "a b"}}), 400);
        QCOMPARE(status("tenant-create", {{"tenant", "bo"}, {"weight", 0}}), 400);
        QCOMPARE(status("tenant-create", {{"tenant", "bo"}, {"expires", "tomorrow"}}), 400);
        QCOMPARE(status("tenant-create", {{"tenant", "bo"}, {"tokens_per_day", -1}}), 400);
        QCOMPARE(status("tenant-create", Json::object()), 400);
        for (const char* operation : {"tenant", "tenant-limit", "tenant-revoke", "tenant-restore", "key-create"})
            QCOMPARE(status(operation, {{"tenant", "nobody"}}), 404);
        for (const char* operation : {"key-rotate", "key-revoke", "key-restore"})
            QCOMPARE(status(operation, {{"key", "esp_none"}}), 404);
        QCOMPARE(status("usage", {{"tenant", "nobody"}}), 404);
        QCOMPARE(status("usage", {{"by", "week"}}), 400);
        COMPARE_JSON(served.control("tenants")["tenants"].size(), 1);
        COMPARE_JSON(served.control("tenant-limit", {{"tenant", "ada"}, {"weight", 2.5}})["weight"], 2.5);
        COMPARE_JSON(served.control("tenant-limit", {{"tenant", "ada"}, {"kv_pages", 7}})["weight"], 2.5);
    }
    void usageAndMetrics_nameTheTenants() {
        Served served;
        const std::string key = served.tenant("ada");
        served.as(key, "/v1/completions", kCompletion);
        served.daemon.post("/v1/completions", kCompletion);
        const Json usage = served.control("usage", {{"by", "hour"}})["usage"];
        QCOMPARE(usage.size(), std::size_t{2});
        COMPARE_JSON(usage[0]["tenant"], "ada");
        QCOMPARE(usage[0]["generated_tokens"].get<int>(), 12);
        COMPARE_JSON(usage[1]["tenant"], "owner");
        const auto row = usageFromJson(usage[0]);
        QVERIFY(row);
        QCOMPARE(row->promptTokens, std::int64_t{2});
        const std::string metrics = served.daemon.get("/metrics").body;
        for (const char* line : {"espalier:tenant_requests_total{tenant=\"ada\"} 1\n",
                                 "espalier:tenant_requests_total{tenant=\"owner\"} 1\n",
                                 "espalier:tenant_generation_tokens_total{tenant=\"ada\"} 12\n",
                                 "espalier:tenant_requests_total{tenant=\"(others)\"} 0\n",
                                 "espalier:tenant_requests_running{tenant=\"(others)\"} 0\n"})
            QVERIFY2(metrics.find(line) != std::string::npos, line);
    }
    void changesReachThoseWhoWatch() {
        Served served;
        RawConnection watching(served.daemon.port());
        watching.send(httpText("GET", "/control/events", served.daemon.key(), ""));
        QVERIFY(arrives(watching, "event: snapshot"));
        served.tenant("ada");
        QVERIFY(arrives(watching, "event: tenant\ndata: {\"change\":\"created\",\"name\":\"ada\"}"));
    }
    void tenants_readBackAsTheyWereWritten() {
        Served served;
        served.tenant("ada", {{"weight", 2.0},
                              {"max_concurrency", 3},
                              {"requests_per_minute", 4},
                              {"tokens_per_minute", 5},
                              {"tokens_per_day", 6},
                              {"kv_pages", 7},
                              {"first_token_ms", 8},
                              {"expires", "2999-12-31"},
                              {"models", {"fake", "base:*"}}});
        const Json json = served.control("tenant", {{"tenant", "ada"}});
        const auto record = tenantFromJson(json);
        QVERIFY2(record, record ? "" : record.error().message.c_str());
        COMPARE_JSON(toJson(*record), json);
        QCOMPARE(record->limits.maxConcurrency, std::int64_t{3});
        QCOMPARE(record->limits.firstTokenMs, std::int64_t{8});
        for (const char* key : {"tenant", "weight", "keys", "models", "tokens_per_day", "today"}) {
            Json broken = json;
            broken[key] = true;
            QCOMPARE(tenantFromJson(broken).error().code, ErrorCode::CorruptFile);
        }
        QVERIFY(!tenantFromJson(Json::object()));
        QVERIFY(!usageFromJson(Json::array()));
    }
    void expiry_isReadInEveryForm() {
        constexpr std::int64_t kNow = 1'800'000'000'000;  // 2027-01-15T08:00Z
        QCOMPARE(*expiryFromText("never", kNow), std::int64_t{0});
        QCOMPARE(*expiryFromText("30d", kNow), kNow + 30 * kDayMs);
        QCOMPARE(*expiryFromText("12h", kNow), kNow + 12 * kHourMs);
        QCOMPARE(*expiryFromText("2027-01-15", kNow), kNow + 16 * kHourMs);  // to the end of the day
        QCOMPARE(*expiryFromText("2027-01-15T09:30Z", kNow), kNow + 90 * 60'000);
        for (const char* text : {"", "d", "0d", "-1d", "30", "2027-13-01", "2027-02-30", "2027-01-15T24:00Z", "soon",
                                 "2027-01-15x", "2027-01-15T07:59Z", "2026-12-31", "99999999999999999999d"})
            QVERIFY2(!expiryFromText(text, kNow), text);
    }
};
ESPALIER_TEST(tst_tenant_routes, TestTenantRoutes)
#include "tst_tenant_routes.moc"
