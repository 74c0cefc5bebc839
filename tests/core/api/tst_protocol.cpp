// SPDX-License-Identifier: GPL-3.0-or-later
#include <QTest>

#include "core/api/protocol.h"
#include "tests/support/json_compare.h"
#include "tests/support/test_main.h"

using namespace espalier;

namespace {

JobRecord someJob() {
    JobRecord job;
    job.id = 7;
    job.kind = "import";
    job.title = "Import tiny";
    job.command = "espalierctl import ~/tiny";
    job.state = JobState::Failed;
    job.progress = 0.25;
    job.doneBytes = 10;
    job.allBytes = 40;
    job.bytesPerS = 5;
    job.etaS = 6;
    job.step = "copying model.safetensors";
    job.error = fail(ErrorCode::DiskFull, "no space left", "model.safetensors");
    job.result = R"({"model":"m-0123456789ab"})";
    job.createdAt = 1000;
    job.endedAt = 2000;
    return job;
}

ModelRecord someModel() {
    ModelRecord model;
    model.id = "m-0123456789ab";
    model.name = "tiny";
    model.digest = "sha256:00";
    model.family = "llama";
    model.parameters = 1234;
    model.bytes = 4936;
    model.dtype = "f32";
    model.source = "/models/tiny";
    model.hasTokenizer = true;
    model.context = 256;
    model.importedAt = 5;
    model.removedAt = 6;
    model.warnings = {"one", "two"};
    model.spec.family = "llama";
    model.spec.architecture = "LlamaForCausalLM";
    model.spec.vocabulary = 64;
    model.spec.hidden = 8;
    model.spec.headDim = 4;
    model.spec.context = 256;
    model.spec.layers = {{2, 1, 16}, {2, 2, 12}};
    model.spec.rope.rotaryDim = 4;
    model.spec.eosIds = {2};
    return model;
}

}  // namespace

class TestProtocol : public QObject {
    Q_OBJECT
private slots:
    void jobReadsBackAsItWasWritten() {
        const Json json = toJson(someJob());
        COMPARE_JSON(json["state"], "failed");
        COMPARE_JSON(json["error"]["code"], "disk_full");
        COMPARE_JSON(json["result"]["model"], "m-0123456789ab");
        const auto back = jobFromJson(json);
        QVERIFY(back.has_value());
        COMPARE_JSON(toJson(*back), json);
        QCOMPARE(back->error->code, ErrorCode::DiskFull);
        QCOMPARE(back->result, someJob().result);
    }

    void modelReadsBackAsItWasWritten() {
        const Json json = toJson(someModel());
        const auto back = modelFromJson(json);
        QVERIFY2(back.has_value(), back ? "" : back.error().message.c_str());
        COMPARE_JSON(toJson(*back), json);
    }

    void snapshotReadsBackAsItWasWritten() {
        Snapshot snapshot;
        snapshot.at = 99;
        snapshot.serve = ServeState::Draining;
        snapshot.memory.kvCached = 3;
        snapshot.ttftMs = {1.5, 2.5, 3.5, 4};
        snapshot.counters = {{"prompt_tokens_total", 12}};
        snapshot.models = {{"tiny", "ready", 1.0, 10, 4096, 20, 5, 6, 1, 2}};
        snapshot.hostAdapters = 3;
        snapshot.hostAdapterBytes = 4096;
        snapshot.moves = {
            {7, 99, "math", "ada", AdapterTier::Host, AdapterTier::Pool, 4096, 0.25, MoveCause::Prefetch, {}},
            {8, 100, "law", {}, AdapterTier::Pool, AdapterTier::Disk, 4096, 0, MoveCause::Evicted, "math", true}};
        snapshot.moves[0].base = "m-1";
        snapshot.moves[0].waiters = 2;
        snapshot.moves[0].waitedSeconds = 0.125;
        snapshot.jobs = {someJob()};
        snapshot.device = "cpu";
        const Json json = toJson(snapshot);
        const auto back = snapshotFromJson(json);
        QVERIFY(back.has_value());
        COMPARE_JSON(toJson(*back), json);
        QCOMPARE(back->counters.at("prompt_tokens_total"), 12.0);
        QCOMPARE(back->models.at(0).poolPagesCached, std::int64_t{6});
        COMPARE_JSON(json["moves"][1]["cause"], "evicted");
        QCOMPARE(back->moves.at(1).evictedFor, std::string("math"));
        QVERIFY(back->moves.at(1).wasWaste && !back->moves.at(0).wasWaste);
        QCOMPARE(back->moves.at(0).to, AdapterTier::Pool);
        QCOMPARE(back->moves.at(0).base, std::string("m-1"));
        QCOMPARE(back->moves.at(0).waiters, 2);
        QCOMPARE(back->moves.at(0).waitedSeconds, 0.125);
    }

    void historyPointReadsBackAsItWasWritten() {
        HistoryPoint point;
        point.at = 5;
        point.processorShare = 0.5;
        point.residentBytes = 1 << 20;
        point.prefixQueries = 30;
        point.prefixHits = 20;
        point.preemptions = 2;
        point.swapOutBytesPerS = 3.5;
        point.adapterHits = 9;
        const auto back = historyPointFromJson(toJson(point));
        QVERIFY(back.has_value());
        COMPARE_JSON(toJson(*back), toJson(point));
        QCOMPARE(back->prefixHits, 20.0);
    }

    void stepsReadBackAsTheyWereWritten() {
        const StepRecord step{12, 5'000, 0.02, 64, 3, 2, "tiny"};
        const auto back = stepsFromJson(Json{{"steps", Json::array({toJson(step)})}});
        QVERIFY(back.has_value());
        QCOMPARE(back->size(), std::size_t{1});
        COMPARE_JSON(toJson(back->front()), toJson(step));
        QCOMPARE(back->front().answerRows, 3);
        for (const Json& wrong : {Json::array(), Json::object(), Json{{"steps", 3}}, Json{{"steps", Json::array({1})}},
                                  Json{{"steps", Json::array({Json{{"at", "now"}}})}}})
            QVERIFY(!stepsFromJson(wrong));
    }

    void requestsReadBackAsTheyWereWritten() {
        RequestList list;
        list.total = 12;
        list.requests.push_back({41, "tiny", "math", "owner", "generate", "decode", 100, 64, 17, 128, 8, 63.5, 0.4});
        const auto back = requestsFromJson(toJson(list));
        QVERIFY(back.has_value());
        COMPARE_JSON(toJson(*back), toJson(list));
        QCOMPARE(back->requests.at(0).producedTokens, 17);
        QVERIFY(!requestsFromJson(Json::object()));
    }

    void pageMapReadsBackAsItWasWritten() {
        PageMap map;
        map.pages = 21;
        map.pagesPerCell = 2;
        map.pageBytes = 4096;
        map.runs = {{3, PageOwner::Kv, 41},
                    {2, PageOwner::KvCached, kNoReader},
                    {1, PageOwner::Kv, kSeveralReaders},
                    {1, PageOwner::Adapter, kNoReader, 0},
                    {1, PageOwner::AdapterIdle, kNoReader, kSeveralAdapters},
                    {3, PageOwner::Free, kNoReader}};
        map.adapters = {"cook"};
        map.runs[0].beside = {1, PageOwner::AdapterIdle, 0};
        map.runs[5].beside = {1, PageOwner::Kv, kNoAdapter};
        const Json json = toJson(map);
        COMPARE_JSON(json["runs"][0], Json::array({3, "kv", 41}));
        COMPARE_JSON(json["runs"][3], Json::array({1, "adapter", 0, 0}));
        const auto back = pageMapFromJson(json);
        QVERIFY2(back.has_value(), back ? "" : back.error().message.c_str());
        QCOMPARE(back->runs, map.runs);
        QCOMPARE(back->adapters, map.adapters);
        QCOMPARE(back->pagesPerCell, 2);
        QCOMPARE(back->pageBytes, std::int64_t{4096});
    }

    void aPageMapThatDoesNotAddUp_isRefused() {
        const Json good{{"pages", 4}, {"pages_per_cell", 1}, {"page_bytes", 1}, {"runs", {{4, "free", 0}}}};
        QVERIFY(pageMapFromJson(good).has_value());
        const auto refused = [&](const char* key, const Json& value) {
            Json bad = good;
            bad[key] = value;
            const auto map = pageMapFromJson(bad);
            return !map && map.error().code == ErrorCode::CorruptFile;
        };
        QVERIFY(refused("adapters", "cook"));
        QVERIFY(refused("adapters", Json::array({1})));
        QVERIFY(refused("adapters", Json::array({"a", "b", "c", "d", "e", "f", "g", "h", "i"})));
        QVERIFY(refused("runs", Json::array({Json::array({4, "adapter", 0, 0})})));  // of an adapter without a name
        QVERIFY(refused("pages", 5));
        QVERIFY(refused("pages", 1'000'000'000));
        QVERIFY(refused("pages", -1));
        QVERIFY(refused("pages_per_cell", 0));
        QVERIFY(refused("runs", Json::array({Json::array({5, "free", 0})})));
        QVERIFY(refused("runs", Json::array({Json::array({0, "free", 0})})));
        QVERIFY(refused("runs", Json::array({Json::array({4, "nobody", 0})})));
        QVERIFY(refused("runs", Json::array({4})));
        QVERIFY(refused("runs", 7));
        Json two = good;
        two["pages_per_cell"] = 2;
        two["runs"] = {{2, "kv", 1}};
        two["adapters"] = {"cook"};
        two["beside"] = Json::array({Json::array({0, 1, "adapter", 0})});
        QVERIFY(pageMapFromJson(two).has_value());
        for (const Json& wrong :
             {Json(1), Json::array({1}), Json::array({Json::array({1, 1, "adapter", 0})}),
              Json::array({Json::array({0, 2, "adapter", 0})}), Json::array({Json::array({0, 0, "adapter", 0})}),
              Json::array({Json::array({0, 1, "nobody", 0})}), Json::array({Json::array({0, 1, "adapter", 1})}),
              Json::array({Json::array({0, 1, "adapter", -3})})}) {
            Json bad = two;
            bad["beside"] = wrong;
            QVERIFY2(!pageMapFromJson(bad), dumpJson(wrong).c_str());
        }
    }

    void anAdapterReadsBack() {
        AdapterRecord adapter;
        adapter.id = "a-1";
        adapter.name = "math";
        adapter.base = "tiny";
        adapter.version = 3;
        adapter.targets = {"q_proj", "v_proj"};
        const auto back = adapterFromJson(toJson(adapter));
        QVERIFY(back.has_value());
        COMPARE_JSON(toJson(*back), toJson(adapter));
        QVERIFY(!adapterFromJson(Json::object()));
    }

    void everyEventReadsBackUnderItsName() {
        const std::vector<Event> events{someJob(), ModelChanged{"m-1", "loaded"}, ServeChanged{ServeState::Serving},
                                        LogRecord{1, "info", "api", "started"},
                                        AdapterChanged{"tiny", "math", "sha256:1", "imported"}};
        for (const Event& event : events) {
            const auto back = eventFromJson(eventName(event), toJson(event));
            QVERIFY(back.has_value());
            QCOMPARE(back->index(), event.index());
            COMPARE_JSON(toJson(*back), toJson(event));
        }
        QVERIFY(!eventFromJson("weather", Json::object()));
    }

    void readers_nameTheKeyWithTheWrongType() {
        Json json = toJson(someJob());
        json["done_bytes"] = "many";
        const auto back = jobFromJson(json);
        QVERIFY(!back);
        QCOMPARE(back.error().code, ErrorCode::CorruptFile);
        QVERIFY(back.error().message.find("\"done_bytes\" must be an integer") != std::string::npos);
        QVERIFY(!jobFromJson(Json::array()));
        QVERIFY(!jobFromJson(Json::object()));
    }

    void readers_takeAbsentKeysAndIgnoreUnknownOnes() {
        const auto job = jobFromJson(Json{{"id", 3}, {"flavour", "sweet"}, {"error", nullptr}});
        QVERIFY(job.has_value());
        QCOMPARE(job->id, std::int64_t{3});
        QVERIFY(!job->error);
    }

    void error_isReadableWhateverArrives() {
        QCOMPARE(errorFromJson(Json{{"code", "busy"}, {"message", "later"}}).code, ErrorCode::Busy);
        QVERIFY(!errorFromJson(Json::array()).message.empty());
        QCOMPARE(errorFromJson(Json{{"code", "from_the_future"}, {"message", "x"}}).code, ErrorCode::Internal);
    }
};
ESPALIER_TEST(tst_protocol, TestProtocol)
#include "tst_protocol.moc"
