// SPDX-License-Identifier: GPL-3.0-or-later
// Adapters beside what changes around them: their source and their base's files while they come in, their base on its
// way into the bin and out of the workspace, the list of models of their tenant.
#include <atomic>
#include <fstream>
#include <thread>

#include "core/engine/workspace.h"
#include "tests/core/engine/adapter_fixture.h"
#include "tests/support/fault_injection.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

namespace {

std::string contentOf(const Path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

// In place, as somebody does who trains on.
void overwrite(const Path& file, const std::string& content) {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.write(content.data(), static_cast<std::streamsize>(content.size()));
}

}  // namespace

class TestAdapterSurroundings : public QObject {
    Q_OBJECT

private slots:
    // Whenever a NaN comes into the source, it is not in what was imported.
    void aSourceThatChangesAtAnyReading_bringsInNothingUnchecked() {
        AdapterFixture fixture;
        VERIFY_OK(fixture.start());
        fixture.reopenFaulty();
        const Path source = fixture.makeAdapter("math"), weights = source / kAdapterWeightsFile;
        const std::string clean = contentOf(weights);
        TinyAdapter broken = tinyAdapter(fixture.spec);
        const std::uint32_t nan = 0x7fc00000;
        std::memcpy(broken.tensors[2].bytes.data() + 8, &nan, 4);
        const std::string spoiled = broken.weights();
        QCOMPARE(spoiled.size(), clean.size());
        int imported = 0, refused = 0;
        for (int at = 1;; ++at) {
            QVERIFY(at < 1000);
            overwrite(weights, clean);
            int readings = 0;
            fixture.faulty.atEachReading([&](std::int64_t, const Path& path) {
                if (path == weights && ++readings == at) overwrite(weights, spoiled);
            });
            const auto adapter = fixture.engine->importAdapter({.path = source.string(), .base = "tiny"});
            fixture.faulty.atEachReading({});
            adapter ? ++imported : ++refused;
            if (adapter) {
                QVERIFY2(contentOf(Path(adapter->folder) / kAdapterWeightsFile) == clean, std::to_string(at).c_str());
                VERIFY_OK(fixture.engine->removeAdapter("tiny:math"));
            }
            QVERIFY(fixture.folders().empty());
            if (readings < at) break;
        }
        qInfo("%d refused, %d imported", refused, imported);
        QVERIFY(refused > 5 && imported > 0);
    }

    // A linked base whose files somebody replaced, and an adapter that brings a table of the base along.
    void aBaseThatChangedOnTheDisk_isAnErrorInWords() {
        AdapterFixture fixture;
        fixture.makeModel("tiny");
        fixture.engine = fixture.open().value();
        QVERIFY(!importAndWait(*fixture.engine, {.path = (fixture.root / "tiny").string(), .link = true})->error);
        TinyAdapter adapter = tinyAdapter(fixture.spec, {.targets = {"embed_tokens"}});
        const auto tensors = openModelFolder(*fixture.files, fixture.root / "tiny").value();
        const TensorEntry* table = tensors->find("model.embed_tokens.weight");
        adapter.tensors.push_back({"base_model.model.model.embed_tokens.base_layer.weight", "F32", table->shape,
                                   readTensor(*tensors, *table).value()});
        adapter.write(fixture.root / "math");
        const AdapterImport request{.path = (fixture.root / "math").string(), .base = "tiny"};
        const auto refused = [&](const TinyModelOptions& model, ErrorCode code) {
            fixture.makeModel("tiny", model);
            const auto adapter = fixture.engine->importAdapter(request);
            if (adapter) return std::string("it was imported");
            const Error& error = adapter.error();
            const bool isRight = error.code == code && error.message.find("the base tiny") != std::string::npos;
            return isRight ? std::string() : error.text();
        };
        QCOMPARE(refused({.layers = 1}, ErrorCode::MissingTensor), "");
        QCOMPARE(refused({.vocabulary = kTinyVocabulary - 8, .tokenizer = false}, ErrorCode::ShapeMismatch), "");
        QVERIFY(fixture.engine->adapters().empty());
        QVERIFY(fixture.folders().empty());
        fixture.makeModel("tiny");
        VERIFY_OK(fixture.engine->importAdapter(request));
    }

    void anAdapterWhoseBaseGoesIntoTheBin_comesBackWithIt() {
        AdapterFixture fixture;
        VERIFY_OK(fixture.start());
        const Path math = fixture.makeAdapter("math");
        fixture.reopenFaulty();
        std::once_flag once;
        fixture.faulty.atEachCall([&](std::int64_t, const Path&) {
            std::call_once(once, [&] { CHECK(fixture.engine->removeModel("tiny")); });
        });
        VERIFY_OK(fixture.engine->importAdapter({.path = math.string(), .base = "tiny"}));
        fixture.faulty.atEachCall({});
        QVERIFY(fixture.engine->adapters().empty());
        QCOMPARE(fixture.engine->findAdapter("math").error().code, ErrorCode::NotFound);
        VERIFY_OK(fixture.engine->restoreModel(fixture.engine->bin()[0].id));
        QCOMPARE(fixture.engine->adapters().size(), std::size_t{1});
        QCOMPARE(fixture.generate("tiny:math").size(), std::size_t{24});
    }

    // The deletion has read which adapters there are, when it can, and goes on when the import is over.
    void anImportWhileItsBaseIsDeleted_leavesNoFolder() {
        AdapterFixture fixture;
        VERIFY_OK(fixture.start());
        VERIFY_OK(fixture.import("law"));
        const Path math = fixture.makeAdapter("math", {.seed = 2});
        const std::string note = std::string(kUnlistedPrefix) + fixture.engine->findModel("tiny")->id;
        fixture.reopenFaulty();
        std::thread deletion;
        std::once_flag once;
        std::atomic<bool> isNoted = false, isImported = false;
        fixture.faulty.atEachCall([&](std::int64_t, const Path& path) {
            if (path.filename() == note) {
                isNoted = true;
                while (!isImported) std::this_thread::yield();
                return;
            }
            std::call_once(once, [&] {
                CHECK(fixture.engine->removeModel("tiny"));
                deletion = std::thread([&] { CHECK(fixture.engine->emptyBin()); });
                for (int i = 0; i < 100 && !isNoted; ++i) QTest::qSleep(2);  // it may have to wait for its turn
            });
        });
        (void)fixture.engine->importAdapter({.path = math.string(), .base = "tiny"});
        isImported = true;
        QVERIFY(deletion.joinable());
        deletion.join();
        QVERIFY(fixture.engine->bin().empty() && fixture.engine->adapters().empty());
        QVERIFY(fixture.folders().empty());
    }

    // The rename that was made but could not be made durable, too.
    void aDeletionOfTheBaseThatFails_leavesItInTheBinWhole() {
        AdapterFixture fixture;
        VERIFY_OK(fixture.start());
        VERIFY_OK(fixture.import("math"));
        const auto answer = fixture.generate("tiny:math", 8);
        fixture.reopenFaulty();
        int whole = 0;
        for (int call = 1;; ++call) {
            QVERIFY(call < 50);
            VERIFY_OK(fixture.engine->removeModel("tiny"));
            const std::string id = fixture.engine->bin()[0].id;
            fixture.faulty.failCall(call, ErrorCode::IoError);
            const auto deleted = fixture.engine->emptyBin();
            fixture.faulty.failCall(1 << 20, ErrorCode::IoError);
            if (fixture.engine->bin().empty()) break;
            QVERIFY(!deleted);
            ++whole;
            VERIFY_OK(fixture.engine->restoreModel(id));
            fixture.reopenFaulty();  // nothing of it is in memory
            QCOMPARE(fixture.generate("tiny:math", 8), answer);
        }
        QVERIFY2(whole >= 7, std::to_string(whole).c_str());  // the note, what was left of an earlier one, the rename
        QCOMPARE(fixture.engine->adapters().size(), std::size_t{0});
        fixture.engine.reset();
        fixture.engine = fixture.open().value();
        QVERIFY(fixture.folders().empty());
    }

    void aFullListOfModels_isSaidBeforeAnythingComesIn() {
        AdapterFixture fixture;
        VERIFY_OK(fixture.start());
        TenantLimits limits;
        for (std::size_t i = 0; i + 1 < kMostTenantModels; ++i) limits.models.push_back("m" + std::to_string(i));
        VERIFY_OK(fixture.engine->tenants().create("bo", limits));
        auto requests = fixture.requests(3);
        for (AdapterImport& request : requests) request.tenant = "bo";
        const auto answers = fixture.engine->importAdapters(requests);
        VERIFY_OK(answers[0]);
        for (const std::size_t i : {1, 2}) {
            QCOMPARE(answers[i].error().code, ErrorCode::TooLarge);
            QVERIFY2(answers[i].error().message.find("tiny:*") != std::string::npos,
                     answers[i].error().message.c_str());
        }
        QCOMPARE(fixture.folders(), std::vector<std::string>{answers[0]->id});
        VERIFY_OK(fixture.engine->removeAdapter("tiny:v0"));  // its name leaves the list with it
        QCOMPARE(fixture.engine->tenants().limitsOf("bo")->models, limits.models);
        VERIFY_OK(fixture.engine->importAdapter(requests[1]));
        limits.models = {"tiny:*"};
        VERIFY_OK(fixture.engine->tenants().limit("bo", limits));
        VERIFY_OK(fixture.engine->importAdapter(requests[2]));
        QCOMPARE(fixture.engine->tenants().limitsOf("bo")->models, limits.models);
        limits.models = {"tiny:v2"};
        VERIFY_OK(fixture.engine->tenants().limit("bo", limits));
        VERIFY_OK(fixture.engine->removeAdapter("tiny:v2"));
        QCOMPARE(fixture.engine->tenants().limitsOf("bo")->models, limits.models);  // none would allow all
    }

    // Of each tenant, and as the database has it at the next start.
    void emptyingTheBin_takesItsAdaptersOffEveryList() {
        AdapterFixture fixture;
        VERIFY_OK(fixture.start());
        for (const char* name : {"math", "law", "art"}) VERIFY_OK(fixture.import(name));
        Tenants& tenants = fixture.engine->tenants();
        const auto listOf = [&](const char* tenant) { return fixture.engine->tenants().limitsOf(tenant)->models; };
        using Names = std::vector<std::string>;
        VERIFY_OK(tenants.create("some", {.models = {"tiny", "tiny:math", "other", "tiny:law", "tiny:*"}}));
        VERIFY_OK(tenants.create("only", {.models = {"tiny:law", "tiny:math"}}));
        VERIFY_OK(tenants.create("none", {.models = {"other:math"}}));
        VERIFY_OK(tenants.create("all", {}));
        VERIFY_OK(fixture.engine->removeAdapter("tiny:law"));
        QCOMPARE(listOf("some"), (Names{"tiny", "tiny:math", "other", "tiny:*"}));
        QCOMPARE(listOf("only"), Names{"tiny:math"});
        VERIFY_OK(tenants.limit("only", {.models = {"tiny:math", "tiny:art"}}));
        VERIFY_OK(fixture.engine->removeModel("tiny"));
        QCOMPARE(listOf("only"), (Names{"tiny:math", "tiny:art"}));  // it may come back
        VERIFY_OK(fixture.engine->emptyBin());
        for (int start = 0; start < 2; ++start) {
            QCOMPARE(listOf("some"), (Names{"tiny", "other", "tiny:*"}));
            QCOMPARE(listOf("only"), Names{"tiny:math"});  // none would allow all
            QCOMPARE(listOf("none"), Names{"other:math"});
            QCOMPARE(listOf("all"), Names{});
            fixture.engine.reset();
            fixture.engine = fixture.open().value();
        }
    }

    void namesThatAnotherModelHasTaken_stayOnTheLists() {
        AdapterFixture fixture;
        VERIFY_OK(fixture.start());
        for (const char* name : {"math", "law"}) VERIFY_OK(fixture.import(name));
        VERIFY_OK(fixture.engine->tenants().create("bo", {.models = {"tiny:math", "tiny:law", "x"}}));
        VERIFY_OK(fixture.engine->removeModel("tiny"));
        fixture.makeModel("tiny", {.seed = 5});
        QVERIFY(!importAndWait(*fixture.engine, {.path = (fixture.root / "tiny").string()})->error);
        VERIFY_OK(fixture.import("math"));
        VERIFY_OK(fixture.engine->emptyBin());
        QCOMPARE(fixture.engine->tenants().limitsOf("bo")->models, (std::vector<std::string>{"tiny:math", "x"}));
        QCOMPARE(fixture.engine->adapters().size(), std::size_t{1});
    }

    // One transaction: where the lists cannot be written, nothing is gone.
    void listsThatCannotBeWritten_keepWhatTheyName() {
        AdapterFixture fixture;
        VERIFY_OK(fixture.start());
        VERIFY_OK(fixture.import("math"));
        const std::vector<std::string> list = {"tiny:math", "x"};
        VERIFY_OK(fixture.engine->tenants().create("bo", {.models = list}));
        auto database = Database::open(fixture.workspace / "workspace.db", Database::Access::Write).value();
        VERIFY_OK(database.execute(
            "CREATE TRIGGER refused BEFORE UPDATE ON tenants BEGIN SELECT RAISE(FAIL, 'the list is read only'); END"));
        QCOMPARE(fixture.engine->removeAdapter("tiny:math").error().code, ErrorCode::Database);
        QCOMPARE(fixture.generate("tiny:math", 4).size(), std::size_t{4});
        VERIFY_OK(fixture.engine->removeModel("tiny"));
        QCOMPARE(fixture.engine->emptyBin().error().code, ErrorCode::Database);
        QCOMPARE(fixture.engine->tenants().limitsOf("bo")->models, list);
        VERIFY_OK(fixture.engine->restoreModel(fixture.engine->bin()[0].id));
        QCOMPARE(fixture.generate("tiny:math", 4).size(), std::size_t{4});
        VERIFY_OK(database.execute("DROP TRIGGER refused"));
        VERIFY_OK(fixture.engine->removeAdapter("tiny:math"));
        QCOMPARE(fixture.engine->tenants().limitsOf("bo")->models, std::vector<std::string>{"x"});
    }

    void aListThatFillsMeanwhile_isAWarningOfWhatCameIn() {
        AdapterFixture fixture;
        VERIFY_OK(fixture.start());
        VERIFY_OK(fixture.engine->tenants().create("bo", {.models = {"tiny"}}));
        const Path math = fixture.makeAdapter("math");
        fixture.reopenFaulty();
        TenantLimits full;
        for (std::size_t i = 0; i < kMostTenantModels; ++i) full.models.push_back("m" + std::to_string(i));
        std::once_flag once;
        fixture.faulty.atEachCall([&](std::int64_t, const Path&) {
            std::call_once(once, [&] { CHECK(fixture.engine->tenants().limit("bo", full)); });
        });
        const auto adapter =
            fixture.engine->importAdapter({.path = math.string(), .base = "tiny", .name = {}, .tenant = "bo"});
        VERIFY_OK(adapter);
        QCOMPARE(adapter->warnings.size(), std::size_t{1});
        QVERIFY2(adapter->warnings[0].find("may not use it yet") != std::string::npos, adapter->warnings[0].c_str());
        QCOMPARE(fixture.engine->tenants().limitsOf("bo")->models, full.models);
        QCOMPARE(fixture.engine->adapters().size(), std::size_t{1});
    }
};

ESPALIER_TEST(tst_adapter_surroundings, TestAdapterSurroundings)
#include "tst_adapter_surroundings.moc"
