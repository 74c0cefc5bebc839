// SPDX-License-Identifier: GPL-3.0-or-later
#include <QTest>

#include "core/api/generation.h"
#include "core/api/json_fields.h"
#include "core/api/openai_routes.h"
#include "tests/support/json_compare.h"
#include "tests/support/test_daemon.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

namespace {

Json chat(Json more = Json::object()) {
    Json body{{"model", "fake"}, {"messages", {{{"role", "user"}, {"content", "hi"}}}}};
    body.update(more);
    return body;
}

Json completion(Json more = Json::object()) {
    Json body{{"model", "fake"}, {"prompt", "hi"}, {"max_tokens", 32}};
    body.update(more);
    return body;
}

// An exchange without a server.
class LoneExchange final : public HttpExchange {
public:
    explicit LoneExchange(std::string body) { m_request.body = std::move(body); }
    const HttpRequest& request() const override { return m_request; }
    void respond(HttpResponse) override {}
    void startStream(std::string, HttpHeaders) override {}
    void write(std::string) override {}
    void finish() override {}
    std::size_t queuedBytes() const override { return 0; }
    void onClosed(std::function<void()>) override {}  // never called: forgets at once

private:
    HttpRequest m_request;
};

std::string joined(const std::vector<Json>& events, const Json::json_pointer& at) {
    std::string text;
    for (const Json& event : events)
        if (event.contains(at) && event[at].is_string()) text += event[at].get<std::string>();
    return text;
}

}  // namespace

class TestOpenAi : public QObject {
    Q_OBJECT
private slots:
    void everyRouteButHealth_needsAKey() {
        TestDaemon daemon;
        QCOMPARE(fetch(daemon.port(), "GET", "/health", "").status, 200);
        for (const char* path : {"/v1/models", "/version", "/metrics", "/nowhere", "/control/events"}) {
            QCOMPARE(fetch(daemon.port(), "GET", path, "").status, 401);
            QCOMPARE(fetch(daemon.port(), "GET", path, "wrong-key").status, 401);
        }
        const HttpReply reply = fetch(daemon.port(), "POST", "/v1/chat/completions", "", dumpJson(chat()));
        QCOMPARE(reply.status, 401);
        COMPARE_JSON(reply.json()["error"]["code"], "invalid_api_key");
        QCOMPARE(reply.headers.at("www-authenticate"), std::string("Bearer"));
        QVERIFY(daemon.engine().submitted().empty());
    }

    void unknownRoutesAndMethods_areNamed() {
        TestDaemon daemon;
        QCOMPARE(daemon.get("/v1/nowhere").status, 404);
        const HttpReply reply = daemon.get("/v1/chat/completions");
        QCOMPARE(reply.status, 405);
        QCOMPARE(reply.headers.at("allow"), std::string("POST"));
        QVERIFY(reply.json()["error"]["message"].is_string());
    }

    void modelsAreListedAndFoundById() {
        TestDaemon daemon;
        const Json list = daemon.get("/v1/models").json();
        COMPARE_JSON(list["object"], "list");
        COMPARE_JSON(list["data"][0]["id"], "fake");
        COMPARE_JSON(daemon.get("/v1/models/fake").json()["object"], "model");
        const HttpReply missing = daemon.get("/v1/models/other");
        QCOMPARE(missing.status, 404);
        QVERIFY(missing.json()["error"]["message"].get<std::string>().find("fake") != std::string::npos);
    }

    void versionAndMetrics_arePresentFromTheStart() {
        TestDaemon daemon;
        QVERIFY(daemon.get("/version").json()["version"].is_string());
        const HttpReply metrics = daemon.get("/metrics");
        for (const char* name :
             {"espalier:num_requests_running ", "espalier:num_requests_waiting ", "espalier:prompt_tokens_total 7\n",
              "espalier:generation_tokens_total 0\n", "espalier:request_success_total{finished_reason=\"stop\"} 0",
              "espalier:time_to_first_token_seconds_bucket{le=\"+Inf\"} 0", "espalier:kv_cache_usage_perc ",
              "espalier:time_per_output_token_seconds_count 0", "espalier:e2e_request_latency_seconds_sum 0"})
            QVERIFY2(metrics.body.find(name) != std::string::npos, name);
        daemon.post("/v1/completions", completion());
        QVERIFY(daemon.get("/metrics").body.find("espalier:e2e_request_latency_seconds_count 1") != std::string::npos);
    }

    void chat_answersWhole() {
        TestDaemon daemon;
        const HttpReply reply =
            daemon.post("/v1/chat/completions",
                        chat({{"temperature", 0.5}, {"seed", 7}, {"top_k", 3}, {"stop", "END"}, {"max_tokens", 20}}));
        QCOMPARE(reply.status, 200);
        const Json answer = reply.json();
        COMPARE_JSON(answer["object"], "chat.completion");
        COMPARE_JSON(answer["choices"][0]["message"]["content"], "Hello, world");
        COMPARE_JSON(answer["choices"][0]["finish_reason"], "stop");
        QCOMPARE(answer["usage"]["prompt_tokens"].get<int>(), 3);  // ">hi"
        QCOMPARE(answer["usage"]["completion_tokens"].get<int>(), 12);
        QCOMPARE(answer["usage"]["total_tokens"].get<int>(), 15);
        const Request sent = daemon.engine().submitted().at(0);
        QCOMPARE(sent.sampling.temperature, 0.5);
        QCOMPARE(sent.sampling.seed, std::uint64_t{7});
        QCOMPARE(sent.sampling.topK, 3);
        QCOMPARE(sent.maxTokens, 20);
        QCOMPARE(sent.stop, std::vector<std::string>{"END"});
        QCOMPARE(sent.tenant, std::string("owner"));
        QCOMPARE(sent.stopIds, std::vector<TokenId>{256});
    }

    void chat_takesWhatTheContextHasRoomFor() {
        TestDaemon daemon;
        daemon.post("/v1/chat/completions", chat());
        QCOMPARE(daemon.engine().submitted().at(0).maxTokens, 64 - 3);
        QCOMPARE(daemon.engine().submitted().at(0).sampling.temperature, 1.0);
        daemon.post("/v1/chat/completions", chat({{"max_completion_tokens", 5}}));
        QCOMPARE(daemon.engine().submitted().at(1).maxTokens, 5);
    }

    void chat_streamsInOrder() {
        TestDaemon daemon;
        const HttpReply reply = daemon.post("/v1/chat/completions",
                                            chat({{"stream", true}, {"stream_options", {{"include_usage", true}}}}));
        QCOMPARE(reply.status, 200);
        QVERIFY(reply.headers.at("content-type").rfind("text/event-stream", 0) == 0);
        const auto events = reply.events();
        COMPARE_JSON(events.front()["choices"][0]["delta"]["role"], "assistant");
        QCOMPARE(joined(events, Json::json_pointer("/choices/0/delta/content")), std::string("Hello, world"));
        const Json& closing = events[events.size() - 2];
        COMPARE_JSON(closing["choices"][0]["finish_reason"], "stop");
        QVERIFY(events.back()["choices"].empty());
        QCOMPARE(events.back()["usage"]["completion_tokens"].get<int>(), 12);
        QVERIFY(reply.body.size() > 14 && reply.body.substr(reply.body.size() - 14) == "data: [DONE]\n\n");
        COMPARE_JSON(events.front()["id"], events.back()["id"]);
    }

    void chat_givesLogprobsAsAsked() {
        TestDaemon daemon;
        const Json body = chat({{"logprobs", true}, {"top_logprobs", 2}, {"max_tokens", 2}});
        const Json answer = daemon.post("/v1/chat/completions", body).json();
        const Json content = answer["choices"][0]["logprobs"]["content"];
        QCOMPARE(content.size(), std::size_t{2});
        COMPARE_JSON(content[0]["token"], "H");
        COMPARE_JSON(content[0]["bytes"], Json::array({72}));
        QCOMPARE(content[0]["logprob"].get<double>(), -0.5);
        QCOMPARE(content[0]["top_logprobs"].size(), std::size_t{2});
        COMPARE_JSON(answer["choices"][0]["finish_reason"], "length");
        const auto events = daemon.post("/v1/chat/completions", chat({{"logprobs", true}, {"stream", true}})).events();
        COMPARE_JSON(events[1]["choices"][0]["logprobs"]["content"][0]["token"], "H");
    }

    void completions_takeTextIdsAndArraysOfBoth() {
        TestDaemon daemon;
        const auto texts = [&](const Json& prompt) {
            std::vector<std::string> all;
            const Json answer = daemon.post("/v1/completions", completion({{"prompt", prompt}})).json();
            for (const Json& choice : answer["choices"]) all.push_back(choice["text"].get<std::string>());
            return all;
        };
        QCOMPARE(texts("hi").size(), std::size_t{1});
        QCOMPARE(texts(Json::array({"a", "b"})).size(), std::size_t{2});
        QCOMPARE(texts(Json::array({104, 105})).size(), std::size_t{1});
        QCOMPARE(texts(Json::array({Json::array({104}), Json::array({105})})).size(), std::size_t{2});
        const auto sent = daemon.engine().submitted();
        QCOMPARE(sent.at(3).prompt, (std::vector<TokenId>{104, 105}));
        QCOMPARE(sent.at(5).prompt, (std::vector<TokenId>{105}));
    }

    void completions_giveSixteenTokensUnlessTold() {
        TestDaemon daemon;
        daemon.post("/v1/completions", {{"model", "fake"}, {"prompt", "hi"}});
        QCOMPARE(daemon.engine().submitted().at(0).maxTokens, 16);
    }

    void completions_giveLogprobsInTheirOwnForm() {
        TestDaemon daemon;
        const Json logprobs = daemon.post("/v1/completions", completion({{"logprobs", 2}, {"max_tokens", 3}}))
                                  .json()["choices"][0]["logprobs"];
        COMPARE_JSON(logprobs["tokens"], Json::array({"H", "e", "l"}));
        COMPARE_JSON(logprobs["text_offset"], Json::array({0, 1, 2}));
        FakeScript script;
        script.answer = "\xC3\xA9!\xF0\x9F\x8C\xB3.";  // characters of two and four bytes, a token each byte
        daemon.engine().set(script);
        const Json body = completion({{"logprobs", 0}});
        const Json offsets = daemon.post("/v1/completions", body).json()["choices"][0]["logprobs"]["text_offset"];
        COMPARE_JSON(offsets[2], 1);  // "!" is the second character
        COMPARE_JSON(offsets[7], 3);  // "." the fourth
        QCOMPARE(logprobs["token_logprobs"][0].get<double>(), -0.5);
        QCOMPARE(logprobs["top_logprobs"][0].size(), std::size_t{2});
    }

    void severalChoices_differBySeedIndexAndCountThePromptOnce() {
        TestDaemon daemon;
        const Json answer = daemon.post("/v1/chat/completions", chat({{"n", 3}, {"seed", 5}})).json();
        QCOMPARE(answer["choices"].size(), std::size_t{3});
        QCOMPARE(answer["usage"]["prompt_tokens"].get<int>(), 3);
        QCOMPARE(answer["usage"]["completion_tokens"].get<int>(), 36);
        const auto sent = daemon.engine().submitted();
        QCOMPARE(sent.at(2).sampling.choice, std::uint32_t{2});
        QCOMPARE(sent.at(2).sampling.seed, std::uint64_t{5});
        const auto events = daemon.post("/v1/chat/completions", chat({{"n", 2}, {"stream", true}})).events();
        for (int index : {0, 1}) {
            std::string text;
            for (const Json& event : events)
                if (event["choices"][0]["index"] == index) text += event["choices"][0]["delta"].value("content", "");
            QCOMPARE(text, std::string("Hello, world"));
        }
    }

    void chatPrompts_keepTheOrderOfKeys() {
        const std::string tricky = "\"}\\\"],\"";  // "}\"],": moc cannot read it in a raw string
        const std::string text = R"({"model":"m", "tools" : [{"zeta":{"b":1,"a":)" + tricky +
                                 R"(},"alpha":[]}],"mess\u0061ges":
            [{"role":"user","content":"x","z":1,"a":{"messages":2}}],"chat_template_kwargs":{"y":1,"b":2},"n":1})";
        const Json body = parseJson(text, "body").value();
        const ChatPrompt chat = chatPromptFromJson(body, text).value();
        QCOMPARE(chat.tools.dump(), R"([{"zeta":{"b":1,"a":)" + tricky + R"(},"alpha":[]}])");
        QCOMPARE(chat.messages.dump(), std::string(R"([{"role":"user","content":"x","z":1,"a":{"messages":2}}])"));
        QCOMPARE(chat.variables.dump(), std::string(R"({"y":1,"b":2})"));
        QCOMPARE(chatPromptFromJson(body).value().variables.dump(), std::string(R"({"b":2,"y":1})"));
        QVERIFY(
            chatPromptFromJson(Json::parse(R"({"messages":[{"role":"user"}],"tools":[]})")).value().tools.is_null());
        QCOMPARE(memberText(text, "n"), std::string_view("1"));
        QCOMPARE(memberText(text, "zeta"), std::string_view());
    }

    // The prompt of a call with tools is what transformers renders from the same messages and tools, keys in their
    // order.
    void tools_reachThePromptAsTransformersRendersThem() {
        const Path data = Path(ESPALIER_TEST_DATA) / "tokenizer";
        const auto files = makeFileSystem();
        const OrderedJson golden = OrderedJson::parse(files->readText(data / "renderings.json", 1 << 26).value());
        int compared = 0;
        for (const OrderedJson& row : golden["rows"]) {
            const OrderedJson& given = row["input"];
            const auto name = row["template"].get<std::string>();
            const std::string source = files->readText(data / "templates" / name, 1 << 20).value();
            const bool showsTheDate = source.find("strftime_now") != std::string::npos;
            if (given["tools"].empty() || !row.contains("text") || showsTheDate) continue;
            const OrderedJson body{{"model", "m"},
                                   {"messages", given["messages"]},
                                   {"tools", given["tools"]},
                                   {"tool_choice", "auto"},
                                   {"add_generation_prompt", given["add_generation_prompt"]},
                                   {"chat_template_kwargs", given["variables"]}};
            const auto call = chatCallFromJson(Json::parse(body.dump()), body.dump());
            QVERIFY2(call.has_value(), call ? "" : call.error().message.c_str());
            TextModel text;
            const auto token = [&](const char* key) { return given["special_tokens"].value(key, std::string()); };
            text.bosToken = token("bos_token");
            text.eosToken = token("eos_token");
            text.unkToken = token("unk_token");
            text.padToken = token("pad_token");
            const ServedModel model{
                {}, {}, {}, std::make_shared<const TextModel>(text), ChatTemplate::parse(source, name).value(), {}};
            const auto rendered = renderChat(model, std::get<ChatPrompt>(call->prompts.front()));
            QVERIFY2(rendered.has_value(), name.c_str());
            QCOMPARE(rendered->text, row["text"].get<std::string>());
            QCOMPARE(model.chatTemplate->usesTools(), source.find("tools") != std::string::npos);
            ++compared;
        }
        QVERIFY(compared >= 10);
    }

    void toolChoice_noneHidesTheTools() {
        const Json tools = Json::array({{{"type", "function"}, {"function", {{"name", "now"}}}}});
        const auto toolsOf = [&](const Json& more) {
            return std::get<ChatPrompt>(chatCallFromJson(chat(more))->prompts.front()).tools;
        };
        QCOMPARE(toolsOf({{"tools", tools}}).size(), std::size_t{1});
        QCOMPARE(toolsOf({{"tools", tools}, {"tool_choice", "auto"}}).size(), std::size_t{1});
        QVERIFY(toolsOf({{"tools", tools}, {"tool_choice", "none"}}).is_null());
    }

    void refusedFields_areNamed_data() {
        QTest::addColumn<QByteArray>("more");
        QTest::addColumn<QByteArray>("field");
        const auto row = [](const char* more, const char* field) {
            QTest::newRow(more) << QByteArray(more) << QByteArray(field);
        };
        row(R"({"tools":[{"type":"function"}]})", "tools");  // the template has no place for them
        row(R"({"tools":["now"]})", "tools");
        row(R"({"tool_choice":"required","tools":[{"type":"function"}]})", "tool_choice");
        row(R"({"tool_choice":{"type":"function","function":{"name":"now"}}})", "tool_choice");
        row(R"({"response_format":{"type":"json_schema"}})", "response_format");
        row(R"({"functions":[{}]})", "functions");
        row(R"({"n":17})", "n");
        row(R"({"temperature":-1})", "temperature");
        row(R"({"top_p":"high"})", "top_p");
        row(R"({"max_tokens":0})", "max_tokens");
        row(R"({"stop":[""]})", "stop");
        row(R"({"logit_bias":{"x":1}})", "logit_bias");
        row(R"({"top_logprobs":2})", "top_logprobs");
        row(R"({"stream_options":{}})", "stream_options");
        row(R"({"messages":[]})", "messages");
        row(R"({"presence_penalty":3})", "presence_penalty");
        row(R"({"min_p":2})", "min_p");
        row(R"({"seed":1.5})", "seed");
        row(R"({"model":7})", "model");
    }
    void refusedFields_areNamed() {
        QFETCH(QByteArray, more);
        QFETCH(QByteArray, field);
        TestDaemon daemon;
        const HttpReply reply = daemon.post("/v1/chat/completions", chat(Json::parse(more.toStdString())));
        QCOMPARE(reply.status, 400);
        COMPARE_JSON(reply.json()["error"]["param"], field.toStdString());
        COMPARE_JSON(reply.json()["error"]["type"], "invalid_request_error");
        QVERIFY(daemon.engine().submitted().empty());
    }

    void harmlessAndUnknownFields_pass() {
        TestDaemon daemon;
        const Json more{{"response_format", {{"type", "text"}}},
                        {"tools", Json::array()},
                        {"tool_choice", "none"},
                        {"user", "me"},
                        {"parallel_tool_calls", true},
                        {"made_up", 1},
                        {"stop", nullptr},
                        {"logit_bias", {{"65", -100}}},
                        {"top_k", -1},
                        {"store", false}};
        QCOMPARE(daemon.post("/v1/chat/completions", chat(more)).status, 200);
        QCOMPARE(daemon.engine().submitted().at(0).sampling.logitBias.at(0), (std::pair<TokenId, float>(65, -100.0f)));
        QCOMPARE(
            daemon.post("/v1/completions", completion({{"echo", false}, {"best_of", 1}, {"suffix", nullptr}})).status,
            200);
        COMPARE_JSON(daemon.post("/v1/completions", completion({{"echo", true}})).json()["error"]["param"], "echo");
    }

    void contentParts_areTextOnly() {
        TestDaemon daemon;
        const Json image = chat({{"messages", {{{"role", "user"}, {"content", {{{"type", "image_url"}}}}}}}});
        const HttpReply reply = daemon.post("/v1/chat/completions", image);
        QCOMPARE(reply.status, 400);
        QVERIFY(reply.json()["error"]["message"].get<std::string>().find("image_url") != std::string::npos);
    }

    void badBodies_areToldWhatTheyAre() {
        TestDaemon daemon;
        for (const char* body : {"", "{", "[1]", "null", "{\"model\":\"fake\",\"model\":\"fake\"}"})
            QCOMPARE(fetch(daemon.port(), "POST", "/v1/completions", daemon.key(), body).status, 400);
        QCOMPARE(fetch(daemon.port(), "POST", "/v1/completions", daemon.key(), std::string(200, '[')).status, 400);
    }

    void errorsOfTheEngine_keepTheirStatus() {
        TestDaemon daemon;
        QCOMPARE(daemon.post("/v1/completions", completion({{"model", "other"}})).status, 404);
        const HttpReply tooLong = daemon.post("/v1/completions", completion({{"prompt", std::string(64, 'x')}}));
        QCOMPARE(tooLong.status, 400);
        COMPARE_JSON(tooLong.json()["error"]["code"], "context_length_exceeded");
        QCOMPARE(daemon.post("/v1/completions", completion({{"prompt", Json::array({9999})}})).status, 400);
        QCOMPARE(daemon.post("/v1/completions", completion({{"prompt", ""}})).status, 400);

        FakeScript script;
        script.refusal = fail(ErrorCode::Busy, "1024 requests are waiting");
        daemon.engine().set(script);
        const HttpReply busy = daemon.post("/v1/completions", completion());
        QCOMPARE(busy.status, 429);
        QVERIFY(busy.headers.count("retry-after") == 1);

        script = {};
        script.failure = fail(ErrorCode::DeviceError, "the device is gone");
        daemon.engine().set(script);
        for (const bool stream : {false, true}) {
            const HttpReply failed = daemon.post("/v1/chat/completions", chat({{"stream", stream}}));
            QCOMPARE(failed.status, 500);
            COMPARE_JSON(failed.json()["error"]["message"], "the device is gone");
        }
    }

    void errorsInAModelsFiles_areTheServers_data() {
        QTest::addColumn<int>("code");
        QTest::addColumn<int>("status");
        const auto row = [](const char* name, ErrorCode code, int status) {
            QTest::newRow(name) << static_cast<int>(code) << status;
        };
        row("corrupt", ErrorCode::CorruptFile, 500);
        row("missing tensor", ErrorCode::MissingTensor, 500);
        row("shape", ErrorCode::ShapeMismatch, 500);
        row("not finite", ErrorCode::NonFinite, 500);
        row("file not there", ErrorCode::NotFound, 500);
        row("unsupported", ErrorCode::Unsupported, 400);
    }
    void errorsInAModelsFiles_areTheServers() {
        QFETCH(int, code);
        QFETCH(int, status);
        TestDaemon daemon;
        FakeScript script;
        script.failure = fail(static_cast<ErrorCode>(code), "it does not load", "/secret/place/model.safetensors");
        daemon.engine().set(script);
        for (const HttpReply& reply : {daemon.post("/v1/completions", completion()),
                                       daemon.post("/v1/completions", completion({{"stream", true}})),
                                       daemon.post("/v1/embeddings", {{"model", "fake"}, {"input", "a"}})}) {
            QCOMPARE(reply.status, status);
            QVERIFY(reply.body.find("/secret") == std::string::npos);
            COMPARE_JSON(reply.json()["error"]["type"], status == 500 ? "server_error" : "invalid_request_error");
        }
        QCOMPARE(daemon.post("/v1/completions", completion({{"model", "other"}})).status, 404);
    }

    void whenOneChoiceFails_theOthersStop() {
        TestDaemon daemon;
        FakeScript script;
        script.hold = true;
        script.failure = fail(ErrorCode::DeviceError, "no");
        script.failedChoice = 1;
        daemon.engine().set(script);
        QCOMPARE(daemon.post("/v1/chat/completions", chat({{"n", 3}})).status, 500);
        QVERIFY(daemon.engine().waitUntil([&] { return daemon.engine().cancelled() == 2; }));
    }

    void whatTheServerStops_isNoAnswer() {
        TestDaemon daemon;
        FakeScript script;
        script.hold = true;
        daemon.engine().set(script);
        std::vector<RawConnection> connections;
        connections.push_back(daemon.begin("/v1/chat/completions", chat()));
        connections.push_back(daemon.begin("/v1/chat/completions", chat({{"stream", true}})));
        connections.push_back(daemon.begin("/v1/embeddings", {{"model", "fake"}, {"input", "a"}}));
        QVERIFY(daemon.engine().waitUntil([&] { return daemon.engine().submitted().size() == 3; }));
        QVERIFY(daemon.engine().setServing(ServeState::Stopped));
        for (RawConnection& connection : connections) {
            const HttpReply reply = parseReply(connection.readUntil("\"draining\""));
            QCOMPARE(reply.status, 503);
        }
    }

    void aStreamThatTheServerStops_endsWithAnError() {
        TestDaemon daemon;
        FakeScript script;
        script.endlessBytes = 1;
        script.pause = std::chrono::milliseconds(2);
        daemon.engine().set(script);
        auto connection = daemon.begin("/v1/chat/completions", chat({{"stream", true}}));
        QVERIFY(!connection.readUntil("\"x\"").empty());
        QVERIFY(daemon.engine().setServing(ServeState::Stopped));
        const std::string rest = connection.readUntil("\r\n0\r\n\r\n");
        QVERIFY(rest.find("\"error\"") != std::string::npos);
        QVERIFY(rest.find("[DONE]") == std::string::npos && rest.find("cancelled") == std::string::npos);
    }

    void aShutdownTellsThoseItCutsOff() {
        DaemonOptions options;
        options.drainTimeout = std::chrono::milliseconds(30);
        TestDaemon daemon(options);
        FakeScript script;
        script.hold = true;
        daemon.engine().set(script);
        auto connection = daemon.begin("/v1/chat/completions", chat());
        QVERIFY(daemon.engine().waitUntil([&] { return daemon.engine().submitted().size() == 1; }));
        daemon.daemon().drain();
        QCOMPARE(parseReply(connection.readToEnd()).status, 503);
    }

    // What a request needs must live as long as the engine may still end it, which is longer than the server.
    void answersOutliveTheServer() {
        QTemporaryDir folder;
        const auto files = makeFileSystem();
        const SystemClock clock;
        FakeEngine engine(folder.path().toStdString());
        FakeScript script;
        script.hold = true;
        engine.set(script);
        const ModelAccess models(engine, *files);
        const auto exchange = std::make_shared<LoneExchange>(dumpJson(completion()));
        std::weak_ptr<RequestMetrics> watched;
        {
            Workers workers(2, 64, 1);
            auto metrics = std::make_shared<RequestMetrics>();
            watched = metrics;
            for (const Route& route : openAiRoutes({models, clock, std::move(metrics), workers.queue()}))
                if (route.path == "/v1/completions") route.action(exchange, Caller{});
        }
        QCOMPARE(engine.submitted().size(), std::size_t{1});
        QVERIFY(!watched.expired());  // the answer's own
        engine.release();
        QVERIFY(engine.waitUntil([&] { return watched.expired(); }));
    }

    void promptsThatNeverFitTheQueue_areTheCallersError() {
        TestDaemon daemon;
        const auto prompts = [](int count) {
            return Json(std::vector<std::string>(static_cast<std::size_t>(count), "a"));
        };
        const Json body = completion({{"prompt", prompts(100)}, {"n", 11}});  // 1100 of 64 + 1024
        const HttpReply reply = daemon.post("/v1/completions", body);
        QCOMPARE(reply.status, 400);
        COMPARE_JSON(reply.json()["error"]["param"], "prompt");
        QVERIFY(daemon.engine().submitted().empty());
        QCOMPARE(daemon.post("/v1/completions", completion({{"prompt", prompts(100)}, {"n", 10}})).status, 200);
    }

    void aPartlyTakenCall_isTakenBack() {
        TestDaemon daemon;
        FakeScript script;
        script.hold = true;
        script.refusal = fail(ErrorCode::Busy, "full");
        script.refusedFrom = 2;
        daemon.engine().set(script);
        QCOMPARE(daemon.post("/v1/chat/completions", chat({{"n", 3}})).status, 429);
        QVERIFY(daemon.engine().waitUntil([&] { return daemon.engine().cancelled() == 2; }));
    }

    void hangingUp_cancels_data() {
        QTest::addColumn<bool>("stream");
        QTest::newRow("stream") << true;
        QTest::newRow("whole") << false;
    }
    void hangingUp_cancels() {
        QFETCH(bool, stream);
        TestDaemon daemon;
        FakeScript script;
        script.hold = true;
        daemon.engine().set(script);
        auto connection = daemon.begin("/v1/chat/completions", chat({{"stream", stream}, {"n", 2}}));
        QVERIFY(daemon.engine().waitUntil([&] { return daemon.engine().submitted().size() == 2; }));
        connection.hangUp();
        QVERIFY(daemon.engine().waitUntil([&] { return daemon.engine().cancelled() == 2; }));
    }

    void aReaderThatDoesNotRead_isCancelled() {
        TestDaemon daemon;
        FakeScript script;
        script.endlessBytes = 64 << 10;
        daemon.engine().set(script);
        auto connection = daemon.begin("/v1/completions", completion({{"stream", true}}), 4096);
        QVERIFY(daemon.engine().waitUntil([&] { return daemon.engine().cancelled() == 1; }));
    }

    void twoHundredStreams_allEndWell() {
        TestDaemon daemon;
        constexpr int kStreams = 200;
        FakeScript script;
        script.hold = true;
        daemon.engine().set(script);
        std::vector<RawConnection> connections;
        for (int i = 0; i < kStreams; ++i)
            connections.push_back(daemon.begin("/v1/chat/completions", chat({{"stream", true}})));
        QVERIFY(daemon.engine().waitUntil([&] { return daemon.engine().submitted().size() == kStreams; }));
        daemon.engine().release();
        for (RawConnection& connection : connections) {
            const HttpReply reply = parseReply(connection.readUntil("[DONE]\n\n"));
            QCOMPARE(joined(reply.events(), Json::json_pointer("/choices/0/delta/content")),
                     std::string("Hello, world"));
        }
    }

    void embeddings_comeAsFloatsOrBase64() {
        TestDaemon daemon;
        const Json answer = daemon.post("/v1/embeddings", {{"model", "fake"}, {"input", {"ab", "c"}}}).json();
        COMPARE_JSON(answer["data"][0]["embedding"], Json({1.0, 2.0, 3.0, 2.0}));
        QCOMPARE(answer["data"][1]["index"].get<int>(), 1);
        QCOMPARE(answer["usage"]["prompt_tokens"].get<int>(), 3);
        const Json packed =
            daemon.post("/v1/embeddings", {{"model", "fake"}, {"input", "ab"}, {"encoding_format", "base64"}}).json();
        const QByteArray bytes =
            QByteArray::fromBase64(QByteArray::fromStdString(packed["data"][0]["embedding"].get<std::string>()));
        QCOMPARE(bytes.size(), 16);
        float values[4];
        std::memcpy(values, bytes.constData(), 16);
        QCOMPARE(values[3], 2.0f);
        QCOMPARE(daemon.post("/v1/embeddings", {{"model", "fake"}, {"input", "a"}, {"dimensions", 2}}).status, 400);
        QCOMPARE(daemon.post("/v1/embeddings", {{"model", "fake"}, {"input", std::string(65, 'x')}}).status, 400);
    }

    void embeddings_takeManyInputsSomeAtATime() {
        TestDaemon daemon;
        FakeScript script;
        script.hold = true;
        daemon.engine().set(script);
        Json inputs = Json::array();
        for (int i = 0; i < 2048; ++i) inputs.push_back(std::string(static_cast<std::size_t>(i % 7 + 1), 'a'));
        auto connection = daemon.begin("/v1/embeddings", {{"model", "fake"}, {"input", inputs}});
        QVERIFY(daemon.engine().waitUntil([&] { return daemon.engine().submitted().size() >= 64; }));
        QTest::qWait(20);
        QCOMPARE(daemon.engine().submitted().size(), std::size_t{64});
        daemon.engine().release();
        const HttpReply reply =
            parseReply(connection.readUntil("\"usage\":{\"prompt_tokens\":8186,\"total_tokens\":8186}}"));
        QCOMPARE(reply.status, 200);
        const Json data = reply.json()["data"];
        QCOMPARE(data.size(), std::size_t{2048});
        for (std::size_t i = 0; i < data.size(); ++i)
            QCOMPARE(data[i]["embedding"][3].get<double>(), static_cast<double>(i % 7 + 1));
        inputs.push_back("a");
        QCOMPARE(daemon.post("/v1/embeddings", {{"model", "fake"}, {"input", inputs}}).status, 400);
    }

    void hangingUpOnEmbeddings_endsWhatIsLeftOfThem() {
        TestDaemon daemon;
        FakeScript script;
        script.hold = true;
        daemon.engine().set(script);
        const Json inputs(std::vector<std::string>(200, "a"));
        auto connection = daemon.begin("/v1/embeddings", {{"model", "fake"}, {"input", inputs}});
        QVERIFY(daemon.engine().waitUntil([&] { return daemon.engine().submitted().size() == 64; }));
        connection.hangUp();
        QVERIFY(daemon.engine().waitUntil([&] { return daemon.engine().cancelled() == 64; }));
        QTest::qWait(20);
        QCOMPARE(daemon.engine().submitted().size(), std::size_t{64});
    }

    void tokenizeAndDetokenize_areInverse() {
        TestDaemon daemon;
        const Json tokens = daemon.post("/tokenize", {{"model", "fake"}, {"prompt", "hi"}}).json();
        COMPARE_JSON(tokens["tokens"], Json::array({104, 105}));
        QCOMPARE(tokens["count"].get<int>(), 2);
        QCOMPARE(tokens["max_model_len"].get<int>(), 64);
        COMPARE_JSON(daemon.post("/detokenize", {{"model", "fake"}, {"tokens", tokens["tokens"]}}).json()["prompt"],
                     "hi");
        QCOMPARE(daemon.post("/detokenize", {{"model", "fake"}, {"tokens", {-1}}}).status, 400);
        QCOMPARE(daemon.post("/detokenize", {{"model", "fake"}, {"tokens", {999}}}).status, 400);
    }

    void whileDraining_newRequestsGet503AndOldOnesEnd() {
        TestDaemon daemon;
        FakeScript script;
        script.hold = true;
        daemon.engine().set(script);
        auto running = daemon.begin("/v1/chat/completions", chat());
        QVERIFY(daemon.engine().waitUntil([&] { return daemon.engine().submitted().size() == 1; }));
        std::thread drain([&] { daemon.daemon().drain(); });
        QVERIFY(daemon.engine().waitUntil([&] { return daemon.engine().serving() == ServeState::Draining; }));
        const HttpReply late = daemon.post("/v1/chat/completions", chat());
        QCOMPARE(late.status, 503);
        QVERIFY(late.headers.count("retry-after") == 1);
        daemon.engine().release();
        QCOMPARE(parseReply(running.readToEnd()).status, 200);
        drain.join();
        QVERIFY(!daemon.files().exists(daemon.workspace() / "daemon.json"));
    }

    void cors_isOffUnlessAsked() {
        TestDaemon closed;
        QVERIFY(closed.get("/v1/models").headers.count("access-control-allow-origin") == 0);
        QCOMPARE(fetch(closed.port(), "OPTIONS", "/v1/models", "").status, 401);
        DaemonOptions options;
        options.corsOrigin = "http://localhost:3000";
        TestDaemon open(options);
        const HttpReply preflight = fetch(open.port(), "OPTIONS", "/v1/chat/completions", "");
        QCOMPARE(preflight.status, 204);
        QCOMPARE(preflight.headers.at("access-control-allow-origin"), std::string("http://localhost:3000"));
        QCOMPARE(preflight.headers.at("access-control-allow-methods"), std::string("POST"));
        QCOMPARE(preflight.headers.at("access-control-allow-headers"), std::string("Authorization, Content-Type"));
        const auto allowed = [&](const std::string& asked) {
            return fetch(open.port(), "OPTIONS", "/v1/chat/completions", "", "",
                         "Access-Control-Request-Headers: " + asked + "\r\n")
                .headers.at("access-control-allow-headers");
        };
        const std::string stainless = "authorization,content-type,x-stainless-arch,x-stainless-retry-count";
        QCOMPARE(allowed(stainless), stainless);
        for (const std::string& bad : {std::string("x: y"), std::string("a\"b"), std::string(2000, 'x')})
            QCOMPARE(allowed(bad), std::string("Authorization, Content-Type"));
    }
};
ESPALIER_TEST(tst_openai, TestOpenAi)
#include "tst_openai.moc"
