// SPDX-License-Identifier: GPL-3.0-or-later
// Adapters in the engine: imported, listed, served by name, reloaded and removed while in use, kept over a restart; and
// whatever goes wrong leaves nothing behind.
#include <fstream>

#include "core/engine/engine.h"
#include "core/engine/workspace.h"
#include "tests/core/engine/adapter_fixture.h"
#include "tests/support/fault_injection.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

class TestAdapters : public QObject {
    Q_OBJECT

private slots:
    void importedAdaptersAreServedByNameAndSurviveARestart() {
        AdapterFixture fixture;
        VERIFY_OK(fixture.start());
        const auto math = fixture.import("math", {.rank = 4, .dtype = DType::BF16});
        VERIFY_OK(math);
        QCOMPARE(math->name, std::string("math"));
        QCOMPARE(math->base, std::string("tiny"));
        QCOMPARE(math->kind, std::string("lora"));
        QCOMPARE(math->rank, 4);
        QCOMPARE(math->version, 1);
        QCOMPARE(math->dtype, std::string("bf16"));
        QCOMPARE(math->targets, (std::vector<std::string>{"q_proj", "v_proj", "down_proj"}));
        VERIFY_OK(fixture.import("law", {.rank = 9, .seed = 2}));
        const auto base = fixture.generate("tiny"), changed = fixture.generate("tiny:math"),
                   law = fixture.generate("tiny:law");
        QVERIFY(base != changed && changed != law && law != base);
        QCOMPARE(fixture.generate("math"), changed);  // one base only has it
        QCOMPARE(fixture.generate(math->id), changed);
        std::filesystem::remove_all(fixture.root / "math");  // the workspace has its own copy

        fixture.engine.reset();
        fixture.engine = fixture.open().value();
        QCOMPARE(fixture.engine->adapters().size(), std::size_t{2});
        QCOMPARE(fixture.engine->adapters("tiny")[1].digest, math->digest);
        QCOMPARE(fixture.generate("tiny:math"), changed);
        QCOMPARE(fixture.generate("tiny"), base);
        const auto snapshot = fixture.engine->snapshot();
        VERIFY_OK(fixture.engine->renameModel("tiny", "small"));
        QCOMPARE(fixture.generate("small:math"), changed);
    }

    void bottleneckAdaptersAreServedToo() {
        AdapterFixture fixture;
        VERIFY_OK(fixture.start());
        tinyBottleneck(fixture.spec).write(fixture.root / "bottle");
        const auto adapter =
            fixture.engine->importAdapter({.path = (fixture.root / "bottle").string(), .base = "tiny"});
        VERIFY_OK(adapter);
        QCOMPARE(adapter->kind, std::string("bottleneck"));
        QCOMPARE(adapter->rank, 8);
        QCOMPARE(adapter->targets, (std::vector<std::string>{"mh_adapter", "output_adapter"}));
        VERIFY_OK(fixture.import("lora"));
        const auto base = fixture.generate("tiny"), changed = fixture.generate("tiny:bottle");
        QVERIFY(base != changed && fixture.generate("tiny:lora") != changed);
        fixture.engine.reset();
        fixture.engine = fixture.open().value();
        QCOMPARE(fixture.generate("tiny:bottle"), changed);
        tinyBottleneck(fixture.spec, {.houlsby = false, .seed = 7}).write(fixture.root / "bottle");
        const auto again = fixture.engine->reloadAdapter("tiny:bottle");
        VERIFY_OK(again);
        QCOMPARE(again->version, 2);
        QVERIFY(fixture.generate("tiny:bottle") != changed);
    }

    // PEFT saves the base's embedding and head beside matrices that change them. They must be the base's own.
    void tablesOfTheBaseMustBeThoseOfTheBase() {
        AdapterFixture fixture;
        VERIFY_OK(fixture.start());
        const auto tensors = openModelFolder(*fixture.files, fixture.root / "tiny").value();
        const auto import = [&](const std::string& name, DType dtype,
                                const std::function<void(std::vector<std::byte>&)>& spoil) {
            TinyAdapter adapter = tinyAdapter(fixture.spec, {.targets = {"embed_tokens", "lm_head"}});
            for (const auto& [module, tensor] :
                 {std::pair("base_model.model.model.embed_tokens", "model.embed_tokens.weight"),
                  std::pair("base_model.model.lm_head", "lm_head.weight")}) {
                const TensorEntry* entry = tensors->find(tensor);
                std::vector<std::byte> bytes = readTensor(*tensors, *entry).value();
                if (dtype == DType::BF16) {
                    std::vector<std::byte> narrow(bytes.size() / 2);
                    for (std::size_t i = 0; i < narrow.size() / 2; ++i) {
                        float value;
                        std::memcpy(&value, bytes.data() + 4 * i, 4);
                        const std::uint16_t bits = f32ToBf16(value);
                        std::memcpy(narrow.data() + 2 * i, &bits, 2);
                    }
                    bytes = narrow;
                }
                if (spoil && std::string(tensor) == "lm_head.weight") spoil(bytes);
                adapter.tensors.push_back({std::string(module) + ".base_layer.weight",
                                           dtype == DType::F32 ? "F32" : "BF16", entry->shape, bytes});
            }
            adapter.write(fixture.root / name);
            return fixture.engine->importAdapter({.path = (fixture.root / name).string(), .base = "tiny"});
        };
        const auto same = import("same", DType::F32, {});
        VERIFY_OK(same);
        QCOMPARE(same->targets, (std::vector<std::string>{"embed_tokens", "lm_head"}));
        QVERIFY(same->warnings.empty());
        VERIFY_OK(import("narrow", DType::BF16, {}));
        QCOMPARE(fixture.generate("tiny:same"), fixture.generate("tiny:narrow"));
        QVERIFY(fixture.generate("tiny:same") != fixture.generate("tiny"));
        const auto trained = import("trained", DType::F32,
                                    [](std::vector<std::byte>& bytes) { bytes[bytes.size() - 2] ^= std::byte{0x40}; });
        QCOMPARE(trained.error().code, ErrorCode::Unsupported);
        const std::string row = "row " + std::to_string(kTinyVocabulary - 1);
        QVERIFY2(trained.error().message.find("lm_head.base_layer.weight") != std::string::npos &&
                     trained.error().message.find(row) != std::string::npos,
                 trained.error().message.c_str());
        QCOMPARE(fixture.engine->adapters().size(), std::size_t{2});
    }

    void anAdapterOfATenantIsNotThereForTheOthers() {
        AdapterFixture fixture;
        VERIFY_OK(fixture.start());
        VERIFY_OK(fixture.engine->tenants().create("ada", {}));
        VERIFY_OK(fixture.engine->tenants().create("bo", {.models = {"tiny"}}));
        VERIFY_OK(fixture.import("everyones"));
        const auto import = [&](const std::string& name, const std::string& tenant) {
            return fixture.engine->importAdapter({.path = fixture.makeAdapter(name, {.seed = 3}).string(),
                                                  .base = "tiny",
                                                  .name = {},
                                                  .tenant = tenant});
        };
        QCOMPARE(import("lost", "nobody").error().code, ErrorCode::NotFound);
        VERIFY_OK(import("secret", "ada"));
        VERIFY_OK(import("hidden", "bo"));
        const auto submitAs = [&](const char* tenant, const char* model) {
            Collector collector;
            Request request = requestFor({5, 80, 81, 7}, 8, collector);
            request.tenant = tenant;
            const auto id = fixture.engine->submit(model, std::move(request));
            if (!id) return std::string(id.error().message);
            return idsOf(collector.wait()).size() == 8 ? std::string() : std::string("no answer");
        };
        const auto check = [&] {
            QCOMPARE(submitAs("ada", "tiny:secret"), "");
            QCOMPARE(submitAs("owner", "tiny:secret"), "");
            QCOMPARE(submitAs("", "tiny:secret"), "");
            QCOMPARE(submitAs("bo", "tiny:hidden"), "");  // added to the models that bo may use
            for (const char* reference : {"tiny:secret", "secret"}) {
                const std::string said = submitAs("bo", reference);
                QVERIFY2(said.find("there is no") != std::string::npos, said.c_str());
                // Only what was asked for is named, nothing else of other tenants.
                const std::string other = submitAs("ada", "tiny:nothing");
                QVERIFY2(other.find("everyones") != std::string::npos && other.find("secret") != std::string::npos &&
                             other.find("hidden") == std::string::npos,
                         other.c_str());
            }
            QCOMPARE(fixture.engine->findAdapter("tiny:secret", "bo").error().code, ErrorCode::NotFound);
            QCOMPARE(fixture.engine->findAdapter("tiny:secret", "ada")->tenant, std::string("ada"));
            QCOMPARE(fixture.engine->adapters("tiny").size(), std::size_t{3});
        };
        check();
        QCOMPARE(fixture.engine->tenants().limitsOf("bo")->models, (std::vector<std::string>{"tiny", "tiny:hidden"}));
        QVERIFY(fixture.engine->tenants().limitsOf("ada")->models.empty());
        fixture.makeAdapter("secret", {.seed = 9});
        VERIFY_OK(fixture.engine->reloadAdapter("tiny:secret"));
        fixture.engine.reset();
        fixture.engine = fixture.open().value();
        check();
    }

    void theIsolationCheckRunsBesideWhatIsServed() {
        AdapterFixture fixture;
        VERIFY_OK(fixture.start());
        for (int i = 0; i < 5; ++i)
            VERIFY_OK(
                fixture.import("a" + std::to_string(i), {.rank = 1 + 3 * i, .seed = 7u + static_cast<unsigned>(i)}));
        Collector collector;
        VERIFY_OK(fixture.engine->submit("tiny:a1", requestFor({5, 80, 81, 7}, 40, collector)));
        const auto report = fixture.engine->checkIsolation({.model = "tiny"});
        VERIFY_OK(report);
        QVERIFY(report->passed());
        QCOMPARE(report->adapters, (std::vector<std::string>{"a0", "a1", "a2", "a3"}));
        QCOMPARE(report->scenes.size(), std::size_t{5});
        QCOMPARE(report->computeMode, std::string("f32"));
        QCOMPARE(idsOf(collector.wait()).size(), std::size_t{40});
        const auto one = fixture.engine->checkIsolation({.model = "tiny", .adapters = {"a4", "tiny:a4"}});
        VERIFY_OK(one);
        QCOMPARE(one->adapters, (std::vector<std::string>{"a4"}));
        QCOMPARE(fixture.engine->checkIsolation({.model = "tiny", .adapters = {"none"}}).error().code,
                 ErrorCode::NotFound);
        QCOMPARE(fixture.engine->checkIsolation({.model = "none"}).error().code, ErrorCode::NotFound);
        std::stop_source stop;
        stop.request_stop();
        QCOMPARE(fixture.engine->checkIsolation({.model = "tiny", .stop = stop.get_token()}).error().code,
                 ErrorCode::Cancelled);
        QCOMPARE(fixture.generate("tiny").size(), std::size_t{24});  // nothing of it is left over
    }

    void theSnapshotCountsTheirPages() {
        AdapterFixture fixture;
        VERIFY_OK(fixture.start());
        VERIFY_OK(fixture.import("math"));
        fixture.generate("tiny:math");
        const auto map = fixture.engine->pageMap("tiny", 4096);
        VERIFY_OK(map);
        std::int32_t idle = 0;
        for (const PageRun& run : map->runs) idle += run.owner == PageOwner::AdapterIdle ? run.cells : 0;
        QVERIFY(idle > 0);
        const auto idlePages = [&] {  // a snapshot from while it ran may still be the newest
            const auto newest = fixture.engine->snapshot();
            return newest->models.empty() ? 0 : newest->models[0].poolPagesAdaptersIdle;
        };
        QTRY_COMPARE_WITH_TIMEOUT(idlePages(), std::int64_t{idle}, 60000);
        const auto snapshot = fixture.engine->snapshot();
        QCOMPARE(snapshot->memory.adapters, std::int64_t{idle} * map->pageBytes);
        QCOMPARE(snapshot->models[0].adapters, 1);
        QCOMPARE(snapshot->models[0].poolPagesAdapters, 0);
        QCOMPARE(snapshot->counters.at("adapter_loads_total"), 1.0);
        const MemoryByOwner& memory = snapshot->memory;
        QCOMPARE(memory.weights + memory.workspace + memory.kvRunning + memory.kvCached + memory.adapters + memory.free,
                 memory.total);
    }

    // Twelve adapters through a pool for a few and a host memory for two, all at once, against each alone.
    void manyMoveThroughASmallPoolAndEveryMoveIsSeen() {
        AdapterFixture fixture;
        VERIFY_OK(fixture.start());
        constexpr int kMany = 12;
        std::vector<std::vector<TokenId>> expected;
        for (int i = 0; i < kMany; ++i) {
            const std::string name = "a" + std::to_string(i);
            VERIFY_OK(fixture.import(
                name,
                {.rank = 1 + i, .dtype = i % 2 ? DType::BF16 : DType::F32, .seed = 50u + static_cast<unsigned>(i)}));
            expected.push_back(fixture.generate("tiny:" + name));
        }
        fixture.engine.reset();
        EngineOptions options = fixture.options();
        options.poolBytes = 32 * 16384;
        options.hostCacheBytes = 100'000;
        fixture.engine = fixture.open(options, *fixture.files).value();
        std::vector<std::unique_ptr<Collector>> collectors;
        for (int i = 0; i < 4 * kMany; ++i)
            VERIFY_OK(fixture.engine->submit(
                "tiny:a" + std::to_string(i % kMany),
                requestFor({5, 80, 81, 7}, 24, *collectors.emplace_back(std::make_unique<Collector>()))));
        for (int i = 0; i < 4 * kMany; ++i)
            QCOMPARE(idsOf(collectors[static_cast<std::size_t>(i)]->wait()),
                     expected[static_cast<std::size_t>(i % kMany)]);
        const auto counter = [&](const std::string& name) { return fixture.engine->snapshot()->counters.at(name); };
        QTRY_COMPARE_WITH_TIMEOUT(counter("adapter_found_total_pool") + counter("adapter_found_total_host") +
                                      counter("adapter_found_total_disk"),
                                  4.0 * kMany, 60000);
        const auto snapshot = fixture.engine->snapshot();
        QVERIFY(counter("adapter_evictions_total") > 0 && counter("adapter_moves_total_evicted") > 0);
        QCOMPARE(counter("adapter_moved_bytes_total_to_pool"), counter("adapter_loaded_bytes_total"));
        QVERIFY(snapshot->hostAdapters > 0 && snapshot->hostAdapterBytes <= snapshot->hostAdapterBudget);
        QCOMPARE(snapshot->hostAdapterBudget, 100'000);
        QCOMPARE(snapshot->moves.size(), kMostMoves);
        for (std::size_t i = 1; i < kMostMoves; ++i)
            QCOMPARE(snapshot->moves[i].sequence, snapshot->moves[0].sequence + static_cast<std::int64_t>(i));
    }

    void filesThatVanishOrAreBrokenFailTheirRequestsAlone() {
        AdapterFixture fixture;
        VERIFY_OK(fixture.start());
        const auto gone = fixture.import("gone", {.seed = 3});
        const auto broken = fixture.import("broken", {.seed = 4});
        const auto flipped = fixture.import("flipped", {.seed = 6});
        VERIFY_OK(gone);
        VERIFY_OK(broken);
        VERIFY_OK(flipped);
        VERIFY_OK(fixture.import("whole", {.seed = 5}));
        std::filesystem::remove_all(gone->folder);
        std::filesystem::resize_file(Path(broken->folder) / "adapter_model.safetensors", 100);
        {  // one bit of one weight: still a whole folder that fits the base
            std::fstream file(Path(flipped->folder) / "adapter_model.safetensors",
                              std::ios::in | std::ios::out | std::ios::binary);
            file.seekg(-3, std::ios::end);
            const auto byte = static_cast<char>(file.get() ^ 1);
            file.seekp(-3, std::ios::end);
            file.put(byte);
        }
        Collector first, second, third, base, bit;
        VERIFY_OK(fixture.engine->submit("tiny:flipped", requestFor({5, 80}, 8, bit)));
        VERIFY_OK(fixture.engine->submit("tiny:gone", requestFor({5, 80}, 8, first)));
        VERIFY_OK(fixture.engine->submit("tiny:broken", requestFor({5, 80}, 8, second)));
        VERIFY_OK(fixture.engine->submit("tiny:whole", requestFor({5, 80}, 8, third)));
        VERIFY_OK(fixture.engine->submit("tiny", requestFor({5, 80}, 8, base)));
        for (const auto& [collector, name] :
             {std::pair{&first, "gone"}, std::pair{&second, "broken"}, std::pair{&bit, "flipped"}}) {
            const Chunk last = collector->wait().back();
            QCOMPARE(*last.finish, FinishReason::Failed);
            QVERIFY2(last.error->message.find(std::string("\"") + name + "\"") != std::string::npos,
                     last.error->message.c_str());
        }
        QCOMPARE(bit.wait().back().error->code, ErrorCode::CorruptFile);
        const auto mended = fixture.engine->reloadAdapter("tiny:flipped");
        VERIFY_OK(mended);
        QVERIFY(mended->id == flipped->id && mended->version == 1);
        QCOMPARE(fixture.generate("tiny:flipped").size(), std::size_t{24});
        QCOMPARE(idsOf(third.wait()).size(), std::size_t{8});
        QCOMPARE(idsOf(base.wait()).size(), std::size_t{8});
    }

    // Reloads while requests for every version come: each is answered, by the version that had the name when it came or
    // by a later one.
    void aReloadUnderLoadLosesNobody() {
        AdapterFixture fixture;
        VERIFY_OK(fixture.start());
        VERIFY_OK(fixture.import("math", {.seed = 1}));
        std::vector<std::vector<TokenId>> versions{fixture.generate("tiny:math")};
        std::vector<std::unique_ptr<Collector>> collectors;
        for (unsigned version = 2; version < 6; ++version) {
            for (int i = 0; i < 12; ++i)
                VERIFY_OK(fixture.engine->submit(
                    "tiny:math",
                    requestFor({5, 80, 81, 7}, 24, *collectors.emplace_back(std::make_unique<Collector>()))));
            fixture.makeAdapter("math", {.seed = version});
            VERIFY_OK(fixture.engine->reloadAdapter("tiny:math"));
        }
        std::vector<std::vector<TokenId>> answers;
        for (const auto& collector : collectors) answers.push_back(idsOf(collector->wait()));
        for (unsigned version = 2; version < 6; ++version) {
            fixture.makeAdapter("math", {.seed = version});
            (void)fixture.engine->reloadAdapter("tiny:math");
            versions.push_back(fixture.generate("tiny:math"));
        }
        for (std::size_t i = 0; i < answers.size(); ++i) {
            const auto found = std::ranges::find(versions, answers[i]);
            QVERIFY(found != versions.end());
            QVERIFY(static_cast<std::size_t>(found - versions.begin()) >= i / 12);
        }
    }

    void eventsTellOfEveryChange() {
        AdapterFixture fixture;
        VERIFY_OK(fixture.start());
        const std::int64_t before = fixture.engine->lastSequence();
        VERIFY_OK(fixture.import("math"));
        fixture.makeAdapter("math", {.seed = 9});
        VERIFY_OK(fixture.engine->reloadAdapter("tiny:math"));
        VERIFY_OK(fixture.engine->removeAdapter("tiny:math"));
        std::vector<std::string> changes;
        const auto events = fixture.engine->eventsAfter(before).value();
        for (const NumberedEvent& event : events)
            if (const auto* change = std::get_if<AdapterChanged>(&event.event)) {
                changes.push_back(change->change);
                QCOMPARE(change->base + ":" + change->name, std::string("tiny:math"));
            }
        QCOMPARE(changes, (std::vector<std::string>{"imported", "reloaded", "removed"}));
    }

    void whatIsRefusedLeavesNothingBehind() {
        AdapterFixture fixture;
        VERIFY_OK(fixture.start());
        const auto refused = [&](const Result<AdapterRecord>& result, ErrorCode code, const char* names) {
            if (result) return std::string("it was imported");
            if (result.error().code != code || result.error().message.find(names) == std::string::npos)
                return result.error().text();
            return std::string();
        };
        Engine& engine = *fixture.engine;
        const std::string good = fixture.makeAdapter("good").string();
        QCOMPARE(refused(engine.importAdapter({.path = good, .base = "huge"}), ErrorCode::NotFound, "huge"), "");
        QCOMPARE(refused(engine.importAdapter({.path = good, .base = "tiny", .name = "a:b"}),
                         ErrorCode::InvalidArgument, "a:b"),
                 "");
        QCOMPARE(refused(engine.importAdapter({.path = (fixture.root / "nowhere").string(), .base = "tiny"}),
                         ErrorCode::NotFound, "nowhere"),
                 "");
        TinyAdapter broken = tinyAdapter(fixture.spec);
        const std::uint32_t nan = 0x7fc00000;
        std::memcpy(broken.tensors[2].bytes.data() + 8, &nan, 4);
        broken.write(fixture.root / "nan");
        QCOMPARE(refused(engine.importAdapter({.path = (fixture.root / "nan").string(), .base = "tiny"}),
                         ErrorCode::NonFinite, "1 NaN"),
                 "");
        tinyAdapter(archSpecFromConfig(tinyConfig({.hidden = 64}), "").value()).write(fixture.root / "wide");
        QCOMPARE(refused(engine.importAdapter({.path = (fixture.root / "wide").string(), .base = "tiny"}),
                         ErrorCode::ShapeMismatch, "lora_A"),
                 "");
        QVERIFY(engine.adapters().empty());
        QVERIFY(fixture.folders().empty());
        VERIFY_OK(engine.importAdapter({.path = good, .base = "tiny"}));
        QCOMPARE(refused(engine.importAdapter({.path = good, .base = "tiny"}), ErrorCode::AlreadyExists, "good"), "");
        VERIFY_OK(
            engine.importAdapter({.path = good, .base = "tiny", .name = "again"}));  // the same under another name
        QCOMPARE(fixture.folders().size(), std::size_t{2});
        Collector collector;
        QCOMPARE(engine.submit("tiny:none", requestFor({5}, 1, collector)).error().code, ErrorCode::NotFound);
        QCOMPARE(engine.submit("none", requestFor({5}, 1, collector)).error().code, ErrorCode::NotFound);
    }

    void manyComeInAtOnceAndOneThatFailsFailsAlone() {
        AdapterFixture fixture;
        VERIFY_OK(fixture.start());
        VERIFY_OK(fixture.import("old"));
        std::vector<AdapterImport> requests = fixture.requests(20);
        requests[7].base = "nobase";
        requests.push_back({.path = (fixture.root / "nowhere").string(), .base = "tiny"});
        requests.push_back({.path = requests[0].path, .base = "tiny"});                 // its name has just been taken
        requests.push_back({.path = requests[1].path, .base = "tiny", .name = "old"});  // and this one long ago
        TinyAdapter broken = tinyAdapter(fixture.spec);
        const std::uint32_t nan = 0x7fc00000;
        std::memcpy(broken.tensors[2].bytes.data() + 8, &nan, 4);
        broken.write(fixture.root / "nan");
        requests.push_back({.path = (fixture.root / "nan").string(), .base = "tiny"});
        const auto answers = fixture.engine->importAdapters(requests);
        QCOMPARE(answers.size(), requests.size());
        const std::map<std::size_t, ErrorCode> failed{{7, ErrorCode::NotFound},
                                                      {20, ErrorCode::NotFound},
                                                      {21, ErrorCode::AlreadyExists},
                                                      {22, ErrorCode::AlreadyExists},
                                                      {23, ErrorCode::NonFinite}};
        for (std::size_t i = 0; i < answers.size(); ++i) {
            if (const auto expected = failed.find(i); expected != failed.end()) {
                QVERIFY(!answers[i]);
                QCOMPARE(answers[i].error().code, expected->second);
                continue;
            }
            VERIFY_OK(answers[i]);
            QCOMPARE(answers[i]->name, "v" + std::to_string(i));
        }
        QCOMPARE(fixture.engine->adapters().size(), std::size_t{20});
        QCOMPARE(fixture.folders().size(), std::size_t{20});
        const auto third = fixture.generate("tiny:v3"), fourth = fixture.generate("tiny:v4");
        QVERIFY(third != fourth);
        fixture.engine.reset();
        fixture.engine = fixture.open().value();
        QCOMPARE(fixture.generate("tiny:v3"), third);
        QCOMPARE(fixture.generate("tiny:v4"), fourth);
    }

    // A power cut right after the answer finds every file whole: one wait for the disk stands for all of them.
    void whatWasAnsweredIsDurable() {
        AdapterFixture fixture;
        VERIFY_OK(fixture.start());
        fixture.reopenFaulty();
        const auto requests = fixture.requests(5);
        const auto answers = fixture.engine->importAdapters(requests);
        for (const auto& answer : answers) VERIFY_OK(answer);
        const auto before = fixture.generate("tiny:v2");
        fixture.engine.reset();
        fixture.faulty.loseUnsyncedWrites();
        fixture.engine = fixture.open().value();
        QCOMPARE(fixture.generate("tiny:v2"), before);
        QCOMPARE(fixture.engine->adapters().size(), std::size_t{5});
    }

    void aFailureAtAnyPointLeavesAllOrNothing() {
        AdapterFixture fixture;
        VERIFY_OK(fixture.start());
        fixture.reopenFaulty();
        const auto requests = fixture.requests(3);
        int failures = 0;
        for (int call = 1; call < 100; ++call) {
            fixture.faulty.failCall(call, ErrorCode::IoError);
            const auto answers = fixture.engine->importAdapters(requests);
            fixture.faulty.failCall(1 << 20, ErrorCode::IoError);  // no more
            std::size_t good = 0;
            for (const auto& answer : answers) {
                if (!answer) continue;
                ++good;
                VERIFY_OK(fixture.engine->removeAdapter(answer->id));
            }
            QVERIFY(fixture.engine->adapters().empty());
            // A note that could not be removed goes at the next start.
            auto left = fixture.folders();
            std::erase_if(left, [](const std::string& name) { return name.starts_with(kUnlistedPrefix); });
            QVERIFY2(left.empty(), std::to_string(call).c_str());
            if (good == requests.size() && fixture.folders().empty()) break;
            ++failures;
        }
        QVERIFY(failures > 10);
    }

    void aReloadIsANewVersionForWhatComesLater() {
        AdapterFixture fixture;
        VERIFY_OK(fixture.start());
        const auto first = fixture.import("math");
        VERIFY_OK(first);
        const auto before = fixture.generate("tiny:math", 200);
        QCOMPARE(before.size(), std::size_t{200});
        VERIFY_OK(fixture.engine->reloadAdapter("tiny:math"));
        QCOMPARE(fixture.engine->findAdapter("tiny:math")->id, first->id);  // nothing changed

        Collector running;
        VERIFY_OK(fixture.engine->submit("tiny:math", requestFor({5, 80, 81, 7}, 200, running)));
        running.waitForFirst();
        fixture.makeAdapter("math", {.seed = 77});
        const auto second = fixture.engine->reloadAdapter("tiny:math");
        VERIFY_OK(second);
        QCOMPARE(second->version, 2);
        QVERIFY(second->digest != first->digest && second->id != first->id);
        const auto after = fixture.generate("tiny:math", 200);
        QCOMPARE(idsOf(running.wait()), before);
        QVERIFY(after != before);
        QCOMPARE(fixture.folders(), std::vector<std::string>{second->id});
        QCOMPARE(fixture.generate("tiny:math", 200), after);  // and no prefix of the old one is found
    }

    void removingOneInUseLetsItFinish() {
        AdapterFixture fixture;
        VERIFY_OK(fixture.start());
        VERIFY_OK(fixture.import("math"));
        const auto undisturbed = fixture.generate("tiny:math", 200);
        Collector running;
        VERIFY_OK(fixture.engine->submit("tiny:math", requestFor({5, 80, 81, 7}, 200, running)));
        running.waitForFirst();
        VERIFY_OK(fixture.engine->removeAdapter("tiny:math"));
        QCOMPARE(idsOf(running.wait()), undisturbed);
        Collector late;
        QCOMPARE(fixture.engine->submit("tiny:math", requestFor({5}, 1, late)).error().code, ErrorCode::NotFound);
        QVERIFY(fixture.folders().empty());
        QCOMPARE(fixture.engine->removeAdapter("tiny:math").error().code, ErrorCode::NotFound);
    }

    void oneThatIsLargerThanThePoolFailsInWordsAndTheOthersGoOn() {
        AdapterFixture fixture;
        EngineOptions options = fixture.options();
        options.poolBytes = 48 * 16384;
        fixture.makeModel("tiny");
        fixture.engine = fixture.open(options, *fixture.files).value();
        QVERIFY(!importAndWait(*fixture.engine, {.path = (fixture.root / "tiny").string()})->error);
        VERIFY_OK(fixture.import(
            "big",
            {.rank = 256, .targets = {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}}));
        VERIFY_OK(fixture.import("small"));
        Collector collector;
        VERIFY_OK(fixture.engine->submit("tiny:big", requestFor({5, 6}, 4, collector)));
        const Chunk last = collector.wait().back();
        QCOMPARE(*last.finish, FinishReason::Failed);
        QCOMPARE(last.error->code, ErrorCode::PoolExhausted);
        QCOMPARE(fixture.generate("tiny:small").size(), std::size_t{24});
    }

    void aFullDiskLeavesNothingBehind() {
        AdapterFixture fixture;
        VERIFY_OK(fixture.start());
        fixture.reopenFaulty();
        const Path path = fixture.makeAdapter("math");
        int failed = 0;
        for (int call = 1; call < 40; ++call) {
            fixture.faulty.failCall(call, ErrorCode::DiskFull);
            const auto imported = fixture.engine->importAdapter({.path = path.string(), .base = "tiny"});
            if (imported) break;
            QCOMPARE(imported.error().code, ErrorCode::DiskFull);
            ++failed;
            QVERIFY(fixture.engine->adapters().empty());
            QVERIFY2(fixture.folders().empty(), std::to_string(call).c_str());
        }
        QVERIFY(failed > 0);
        QCOMPARE(fixture.engine->adapters().size(), std::size_t{1});
    }

    void aRestartTidiesWhatACrashLeft() {
        AdapterFixture fixture;
        VERIFY_OK(fixture.start());
        const auto math = fixture.import("math");
        VERIFY_OK(math);
        const auto answer = fixture.generate("tiny:math");
        fixture.engine.reset();
        const Path adapters = fixture.workspace / "adapters";
        std::filesystem::create_directory(adapters / ".partial-a-1");
        std::filesystem::create_directory(adapters / ".removed-a-2");
        std::filesystem::create_directory(adapters / "a-somebody");
        std::filesystem::rename(adapters / math->id, adapters / (".removed-" + math->id));  // its row is still there
        fixture.engine = fixture.open().value();
        QCOMPARE(fixture.folders(), (std::vector<std::string>{math->id, "a-somebody"}));
        QCOMPARE(fixture.generate("tiny:math"), answer);
    }

    void deletingABaseDeletesItsAdapters() {
        AdapterFixture fixture;
        VERIFY_OK(fixture.start());
        VERIFY_OK(fixture.import("math"));
        VERIFY_OK(fixture.engine->removeModel("tiny"));
        QVERIFY(fixture.engine->adapters().empty());
        QCOMPARE(fixture.folders().size(), std::size_t{1});  // it comes back with its base
        VERIFY_OK(fixture.engine->restoreModel(fixture.engine->bin()[0].id));
        QCOMPARE(fixture.engine->adapters().size(), std::size_t{1});
        VERIFY_OK(fixture.engine->removeModel("tiny"));
        VERIFY_OK(fixture.engine->emptyBin());
        QVERIFY(fixture.folders().empty());
    }

    void aWorkspaceOpenForReadingTakesNoChanges() {
        AdapterFixture fixture;
        VERIFY_OK(fixture.start());
        VERIFY_OK(fixture.import("math"));
        fixture.engine.reset();
        EngineOptions options = fixture.options();
        options.readOnly = true;
        fixture.engine = fixture.open(options, *fixture.files).value();
        QCOMPARE(fixture.engine->adapters().size(), std::size_t{1});
        QCOMPARE(fixture.import("law").error().code, ErrorCode::Locked);
        QCOMPARE(fixture.engine->removeAdapter("tiny:math").error().code, ErrorCode::Locked);
        QCOMPARE(fixture.engine->reloadAdapter("tiny:math").error().code, ErrorCode::Locked);
        QVERIFY(!fixture.generate("tiny:math").empty());
    }
};

ESPALIER_TEST(tst_adapters, TestAdapters)
#include "tst_adapters.moc"
