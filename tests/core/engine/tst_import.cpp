// SPDX-License-Identifier: GPL-3.0-or-later
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>

#include "core/engine/import_checkpoint.h"
#include "core/formats/digest.h"
#include "tests/core/engine/engine_fixture.h"
#include "tests/support/fault_injection.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

namespace {

std::vector<std::string> namesIn(const Path& folder) {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) names.push_back(entry.path().filename());
    std::ranges::sort(names);
    return names;
}

void put(const Path& file, std::string_view text) {
    std::filesystem::create_directories(file.parent_path());
    writeFile(file, text);
}

std::string textOf(const Path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

// The digest as the formats room computes it from the folder, without any of the importer's code.
std::string digestOf(FileSystem& files, const Path& folder) {
    const auto source = openModelFolder(files, folder);
    return digestModel(files, folder, **source, {}, [](std::int64_t) {}).value();
}

// Fails the test unless the job ended like this.
void expectError(const Result<JobRecord>& job, JobState state, ErrorCode code, const char* part) {
    VERIFY_OK(job);
    QCOMPARE(job->state, state);
    QVERIFY(job->error.has_value());
    QCOMPARE(job->error->code, code);
    QVERIFY2(job->error->message.find(part) != std::string::npos, job->error->message.c_str());
}

}  // namespace

class TestImport : public QObject {
    Q_OBJECT
private slots:
    void copy_bringsWhatMattersListsTheRestAndKeepsTheDigest() {
        EngineFixture fixture;
        const Path source = fixture.makeModel("Tiny Llama", {.dtype = DType::BF16, .shards = 3});
        put(source / "README.md", "---\nlanguage: en\nlicense: \"cc0-1.0\"\n---\n# Tiny\n");
        put(source / "LICENSE", "\nThe Licence\n");
        put(source / "optimizer.pt", "secret");
        put(source / "1_Pooling/config.json", "{}");
        auto engine = std::move(fixture.open()).value();

        const auto probe = engine->probeImport(source);
        VERIFY_OK(probe);
        QCOMPARE(probe->suggestedName, std::string("Tiny-Llama"));
        QCOMPARE(probe->family, std::string("llama"));
        QCOMPARE(probe->licence, std::string("cc0-1.0"));
        QVERIFY(std::ranges::any_of(probe->warnings, [](const std::string& warning) {
            return warning.find("optimizer.pt") != std::string::npos;
        }));

        const auto job = importAndWait(*engine, {.path = source.string()});
        VERIFY_OK(job);
        QVERIFY2(job->state == JobState::Finished, job->error ? job->error->message.c_str() : "");
        const auto model = engine->findModel("Tiny-Llama");
        VERIFY_OK(model);
        QCOMPARE(model->digest, digestOf(*fixture.files, source));
        QCOMPARE(model->id, "m-" + model->digest.substr(7, 12));
        QCOMPARE(model->licence, std::string("cc0-1.0"));
        QVERIFY(model->hasTokenizer);
        QVERIFY(model->hasChatTemplate);
        QCOMPARE(model->dtype, std::string("bf16"));
        QCOMPARE(model->context, 512);
        QCOMPARE(model->source, source.string());
        QCOMPARE(job->result, R"({"model":")" + model->id + R"("})");
        const Path folder = fixture.workspace / "models" / model->id;
        QCOMPARE(Path(model->folder), folder);
        QVERIFY(!fixture.files->exists(folder / "optimizer.pt"));
        for (const char* name : {"config.json", "tokenizer.json", "README.md", "LICENSE", "1_Pooling/config.json",
                                 "model-00002-of-00003.safetensors", "model.safetensors.index.json"})
            QCOMPARE(textOf(folder / name), textOf(source / name));
        QCOMPARE(namesIn(fixture.workspace / "models"), std::vector{model->id});
    }

    void link_usesTheFilesInPlaceUnderTheSameDigest() {
        EngineFixture fixture;
        const Path source = fixture.makeModel("tiny");
        auto engine = std::move(fixture.open()).value();
        const auto job = importAndWait(*engine, {.path = source.string(), .link = true});
        VERIFY_OK(job);
        QCOMPARE(job->state, JobState::Finished);
        const auto model = engine->findModel("tiny");
        QVERIFY(model->linked);
        QCOMPARE(Path(model->folder), source);
        QCOMPARE(model->digest, digestOf(*fixture.files, source));
        QVERIFY(namesIn(fixture.workspace / "models").empty());
        VERIFY_OK(engine->removeModel("tiny"));
        VERIFY_OK(engine->emptyBin());
        QVERIFY(fixture.files->exists(source / "model.safetensors"));
    }

    void linksToFilesInACacheOfDownloads_areFollowed() {
        EngineFixture fixture;
        const Path blobs = fixture.makeModel("blobs");
        const Path snapshot = fixture.root / "models--maker--tiny-llama/snapshots/0123abcd";
        std::filesystem::create_directories(snapshot);
        for (const std::string& name : namesIn(blobs)) std::filesystem::create_symlink(blobs / name, snapshot / name);
        std::filesystem::create_symlink(snapshot / "LICENSE", snapshot / "LICENSE");  // a loop
        auto engine = std::move(fixture.open()).value();
        const auto job = importAndWait(*engine, {.path = snapshot.string()});
        QVERIFY2(job->state == JobState::Finished, job->error ? job->error->message.c_str() : "");
        const auto model = engine->findModel("tiny-llama");
        VERIFY_OK(model);
        QCOMPARE(model->digest, digestOf(*fixture.files, blobs));
        QVERIFY(!std::filesystem::is_symlink(Path(model->folder) / "model.safetensors"));
    }

    void aFolderWithoutATokenizer_importsWithAWarning() {
        EngineFixture fixture;
        auto engine = std::move(fixture.open()).value();
        const Path source = fixture.makeModel("bare", {.tokenizer = false, .chatTemplate = false});
        QCOMPARE(importAndWait(*engine, {.path = source.string()})->state, JobState::Finished);
        const auto model = engine->findModel("bare");
        QVERIFY(!model->hasTokenizer);
        QVERIFY(!model->hasChatTemplate);
        QCOMPARE(model->warnings.size(), std::size_t{1});
        QVERIFY(model->warnings[0].find("token ids") != std::string::npos);
        Collector collector;
        VERIFY_OK(engine->submit("bare", requestFor({5, 6}, 4, collector)));
        QCOMPARE(idsOf(collector.wait()).size(), std::size_t{4});
    }

    void aBrokenTokenizer_isRefusedByFile() {
        EngineFixture fixture;
        auto engine = std::move(fixture.open()).value();
        const Path source = fixture.makeModel("tiny");
        put(source / "tokenizer.json", "{\"model\": 7}");
        expectError(importAndWait(*engine, {.path = source.string()}), JobState::Failed, ErrorCode::CorruptFile,
                    "tokenizer.json");
    }

    void tokenIdsBeyondTheEmbedding_areAWarning() {
        EngineFixture fixture;
        auto engine = std::move(fixture.open()).value();
        const Path source = fixture.makeModel("tiny", {.vocabulary = kTinyVocabulary - 2});
        QCOMPARE(importAndWait(*engine, {.path = source.string()})->state, JobState::Finished);
        const auto model = engine->findModel("tiny");
        QVERIFY(std::ranges::any_of(
            model->warnings, [](const std::string& warning) { return warning.find("270 rows") != std::string::npos; }));
    }

    // What pools decides every embedding: it belongs to the model like its weights.
    void foldersThatPoolDifferently_areTwoModels() {
        EngineFixture fixture;
        auto engine = std::move(fixture.open()).value();
        for (const char* pooling : {"mean", "cls"}) {
            const Path source = fixture.makeModel(pooling);
            put(source / "1_Pooling/config.json", Json{{"pooling_mode", pooling}}.dump());
            put(source / "sentence_bert_config.json", "{}");
            QCOMPARE(importAndWait(*engine, {.path = source.string()})->state, JobState::Finished);
            QCOMPARE(engine->findModel(pooling)->digest, digestOf(*fixture.files, source));
        }
        const Path folder = engine->findModel("mean")->folder;
        QCOMPARE(engine->waitJob(*engine->startVerify("mean"))->state, JobState::Finished);
        put(folder / "1_Pooling/config.json", R"({"pooling_mode": "max"})");
        expectError(engine->waitJob(*engine->startVerify("mean")), JobState::Failed, ErrorCode::CorruptFile,
                    "1_Pooling/config.json has other bytes");
    }

    // A workspace of an earlier build: its digest says nothing about pooling, and need not.
    void modelsWithADigestOfTheFirstVersion_areVerifiedByIt() {
        EngineFixture fixture;
        const Path source = fixture.makeModel("tiny");
        put(source / "1_Pooling/config.json", "{}");
        {
            auto engine = std::move(fixture.open()).value();
            QCOMPARE(importAndWait(*engine, {.path = source.string()})->state, JobState::Finished);
        }
        const auto source_ = openModelFolder(*fixture.files, source);
        ModelDigest first;
        for (const char* name : {"config.json", "tokenizer.json", "tokenizer_config.json"}) {
            Sha256 hash;
            hash.update(textOf(source / name));
            first.addFile(name, hash.finish());
        }
        for (const TensorEntry& entry : (*source_)->tensors()) {
            Sha256 hash;
            hash.update(readTensor(**source_, entry).value());
            first.addTensor(entry, hash.finish());
        }
        sqlite3* database = nullptr;
        QCOMPARE(sqlite3_open((fixture.workspace / "workspace.db").c_str(), &database), SQLITE_OK);
        const std::string change = "UPDATE models SET digest = '" + first.finish(1) + "'";
        QCOMPARE(sqlite3_exec(database, change.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
        QCOMPARE(sqlite3_changes(database), 1);
        sqlite3_close(database);
        auto engine = std::move(fixture.open()).value();
        const auto good = engine->waitJob(*engine->startVerify("tiny"));
        QVERIFY2(good->state == JobState::Finished, good->error ? good->error->message.c_str() : "");
        put(Path(engine->findModel("tiny")->folder) / "tokenizer_config.json", "{}");
        expectError(engine->waitJob(*engine->startVerify("tiny")), JobState::Failed, ErrorCode::CorruptFile,
                    "tokenizer_config.json has other bytes");
    }

    void suggestionsThatNobodyCanFollow_areWarnings() {
        EngineFixture fixture;
        auto engine = std::move(fixture.open()).value();
        const Path source = fixture.makeModel("tiny");
        put(source / "generation_config.json", R"({"top_k": -1, "top_p": 0.0, "eos_token_id": -1})");
        const auto job = importAndWait(*engine, {.path = source.string()});
        QVERIFY2(job->state == JobState::Finished, job->error ? job->error->message.c_str() : "");
        const auto model = engine->findModel("tiny");
        QCOMPARE(model->warnings.size(), std::size_t{1});
        QVERIFY2(model->warnings[0].find("\"top_p\"") != std::string::npos, model->warnings[0].c_str());
    }

    void aLongName_isCutBeforeWhatIsAddedToIt() {
        EngineFixture fixture;
        auto engine = std::move(fixture.open()).value();
        const std::string name(96, 'n');
        const TinyModelOptions wide{.hidden = 64, .neurons = 96};
        for (const char* folder : {"a", "b"}) {
            auto model = wide;
            model.seed = static_cast<std::uint64_t>(folder[0]);
            const Path source = fixture.makeModel(std::string(folder) + "/" + name, model);
            QCOMPARE(importAndWait(*engine, {.path = source.string(), .quantize = "q8_0"})->state, JobState::Finished);
        }
        VERIFY_OK(engine->findModel(name.substr(5) + "-q8_0"));
        VERIFY_OK(engine->findModel(name.substr(5) + "-q8-2"));
    }

    void theSameModelTwice_isRefusedByTheNameItHas() {
        EngineFixture fixture;
        const Path source = fixture.makeModel("tiny");
        auto engine = std::move(fixture.open()).value();
        VERIFY_OK(importAndWait(*engine, {.path = source.string(), .name = "first"}));
        expectError(importAndWait(*engine, {.path = source.string(), .name = "second"}), JobState::Failed,
                    ErrorCode::AlreadyExists, "\"first\"");
        VERIFY_OK(engine->removeModel("first"));
        expectError(importAndWait(*engine, {.path = source.string()}), JobState::Failed, ErrorCode::AlreadyExists,
                    "in the bin");
        QCOMPARE(namesIn(fixture.workspace / "models").size(), std::size_t{1});
    }

    void aTakenName_isRefusedWhenGivenAndNumberedWhenNot() {
        EngineFixture fixture;
        auto engine = std::move(fixture.open()).value();
        VERIFY_OK(importAndWait(*engine, {.path = fixture.makeModel("a/tiny", {.seed = 1}).string()}));
        const Path other = fixture.makeModel("b/tiny", {.seed = 2});
        QCOMPARE(engine->startImport({.path = other.string(), .name = "tiny"}).error().code, ErrorCode::AlreadyExists);
        QCOMPARE(engine->startImport({.path = other.string(), .name = "a/b"}).error().code, ErrorCode::InvalidArgument);
        VERIFY_OK(importAndWait(*engine, {.path = other.string()}));
        VERIFY_OK(engine->findModel("tiny-2"));
    }

    void nanWeights_areRefusedByTensorAndTakenOnRequest() {
        EngineFixture fixture;
        const Path source = fixture.makeModel("tiny", {.nanTensor = "model.norm.weight"});
        auto engine = std::move(fixture.open()).value();
        expectError(importAndWait(*engine, {.path = source.string()}), JobState::Failed, ErrorCode::NonFinite,
                    "model.norm.weight (1 NaN");
        QVERIFY(namesIn(fixture.workspace / "models").empty());
        const auto job = importAndWait(*engine, {.path = source.string(), .allowNonFinite = true});
        QCOMPARE(job->state, JobState::Finished);
        QVERIFY(std::ranges::any_of(engine->findModel("tiny")->warnings, [](const std::string& warning) {
            return warning.find("not finite") != std::string::npos;
        }));
    }

    // What was seen before a stop is not forgotten: the shard with NaN is not read again.
    void nanWeights_areRefusedAlsoWhenTheJobWasResumed() {
        EngineFixture fixture;
        const Path source = fixture.makeModel("tiny", {.shards = 3, .nanTensor = "model.embed_tokens.weight"});
        FaultInjection faults(*fixture.files);
        auto engine = std::move(fixture.open(fixture.options(), faults)).value();
        std::atomic<std::int64_t> job = 0;
        std::atomic<bool> wasRead = false;
        faults.atEachCall([&](std::int64_t, const Path& path) {
            while (job == 0) std::this_thread::yield();
            if (path.filename() == "model-00003-of-00003.safetensors.part") (void)engine->pauseJob(job);
        });
        job = *engine->startImport({.path = source.string()});
        QCOMPARE(engine->waitJob(job)->state, JobState::Paused);
        faults.atEachCall([&](std::int64_t, const Path& path) {
            if (path.filename() == "model-00001-of-00003.safetensors.part") wasRead = true;
        });
        VERIFY_OK(engine->resumeJob(job));
        expectError(engine->waitJob(job), JobState::Failed, ErrorCode::NonFinite, "model.embed_tokens.weight (1 NaN");
        QVERIFY(!wasRead);
    }

    void brokenFolders_areRefusedAndNameWhatIsWrong() {
        EngineFixture fixture;
        auto engine = std::move(fixture.open()).value();
        const auto import = [&](const Path& path) { return importAndWait(*engine, {.path = path.string()}); };

        const Path truncated = fixture.makeModel("truncated");
        std::filesystem::resize_file(truncated / "model.safetensors", 5000);
        expectError(import(truncated), JobState::Failed, ErrorCode::CorruptFile, "model.safetensors");

        const Path wrong = fixture.makeModel("wrong");
        Json config = tinyConfig({.neurons = 96});
        put(wrong / "config.json", config.dump());
        expectError(import(wrong), JobState::Failed, ErrorCode::ShapeMismatch, "mlp.");

        const Path missing = fixture.makeModel("missing");
        put(missing / "config.json", tinyConfig({.layers = 3}).dump());
        expectError(import(missing), JobState::Failed, ErrorCode::MissingTensor, "layers.2.");

        const Path bare = fixture.makeModel("bare");
        std::filesystem::remove(bare / "config.json");
        expectError(import(bare), JobState::Failed, ErrorCode::NotFound, "config.json");

        put(fixture.root / "x.gguf", "GGUF");
        expectError(import(fixture.root / "x.gguf"), JobState::Failed, ErrorCode::CorruptFile, "x.gguf");
        QCOMPARE(engine->startImport({.path = (fixture.root / "none").string()}).error().code, ErrorCode::NotFound);
        QVERIFY(engine->models().empty());
        QVERIFY(namesIn(fixture.workspace / "models").empty());
    }

    void aFullDisk_pausesTheJobAndResumeFinishesIt() {
        for (const bool announced : {false, true}) {
            EngineFixture fixture;
            const Path source = fixture.makeModel("tiny", {.shards = 3});
            FaultInjection faults(*fixture.files);
            auto engine = std::move(fixture.open(fixture.options(), faults)).value();
            faults.fillDiskAfter(40'000, announced);
            const auto job = importAndWait(*engine, {.path = source.string()});
            expectError(job, JobState::Paused, ErrorCode::DiskFull, announced ? "make room" : "full disk");
            QVERIFY(engine->models().empty());
            faults.fillDiskAfter(std::nullopt);
            VERIFY_OK(engine->resumeJob(job->id));
            QCOMPARE(engine->waitJob(job->id)->state, JobState::Finished);
            QCOMPARE(engine->findModel("tiny")->digest, digestOf(*fixture.files, source));
        }
    }

    void anyCallThatFails_leavesNoModelAndNoFiles() {
        EngineFixture fixture;
        const Path source = fixture.makeModel("tiny");
        FaultInjection faults(*fixture.files);
        auto engine = std::move(fixture.open(fixture.options(), faults)).value();
        int failures = 0;
        for (std::int64_t call = 1;; ++call) {
            faults.failCall(call, ErrorCode::IoError);
            const auto job = importAndWait(*engine, {.path = source.string()});
            VERIFY_OK(job);
            if (job->state == JobState::Finished) break;
            ++failures;
            QCOMPARE(job->state, JobState::Failed);
            QCOMPARE(job->error->code, ErrorCode::IoError);
            QVERIFY(engine->models().empty());
            QVERIFY2(namesIn(fixture.workspace / "models").empty(), std::to_string(call).c_str());
        }
        QVERIFY(failures > 20);
        QCOMPARE(engine->findModel("tiny")->digest, digestOf(*fixture.files, source));
    }

    void pauseAndResume_copyWhatIsMissingOnly() {
        EngineFixture fixture;
        const Path source = fixture.makeModel("tiny", {.shards = 3});
        FaultInjection faults(*fixture.files);
        auto engine = std::move(fixture.open(fixture.options(), faults)).value();
        std::atomic<std::int64_t> job = 0;
        std::atomic<int> created = 0;
        // Pauses in the middle of the last shard: the job must go back to that file's beginning and no further.
        faults.atEachCall([&](std::int64_t, const Path& path) {
            while (job == 0) std::this_thread::yield();
            if (path.filename() == "model-00003-of-00003.safetensors.part") (void)engine->pauseJob(job);
        });
        job = *engine->startImport({.path = source.string()});
        const auto paused = engine->waitJob(job);
        QCOMPARE(paused->state, JobState::Paused);
        QVERIFY(!paused->error);
        QVERIFY(paused->progress > 0.0 && paused->progress < 1.0);
        faults.atEachCall([&](std::int64_t, const Path& path) {
            if (path.filename() == "model-00001-of-00003.safetensors.part") ++created;
        });
        VERIFY_OK(engine->resumeJob(job));
        QCOMPARE(engine->waitJob(job)->state, JobState::Finished);
        QCOMPARE(created.load(), 0);
        QCOMPARE(engine->findModel("tiny")->digest, digestOf(*fixture.files, source));
        QCOMPARE(engine->pauseJob(job).error().code, ErrorCode::InvalidArgument);
        QCOMPARE(engine->resumeJob(job).error().code, ErrorCode::InvalidArgument);
    }

    void cancel_leavesNothingBehind() {
        EngineFixture fixture;
        const Path source = fixture.makeModel("tiny");
        FaultInjection faults(*fixture.files);
        auto engine = std::move(fixture.open(fixture.options(), faults)).value();
        std::atomic<std::int64_t> job = 0;
        faults.atEachCall([&](std::int64_t, const Path& path) {
            while (job == 0) std::this_thread::yield();
            if (path.extension() == ".part") (void)engine->cancelJob(job);
        });
        job = *engine->startImport({.path = source.string()});
        QCOMPARE(engine->waitJob(job)->state, JobState::Cancelled);
        QVERIFY(engine->models().empty());
        QVERIFY(namesIn(fixture.workspace / "models").empty());
        QCOMPARE(engine->cancelJob(job).error().code, ErrorCode::InvalidArgument);
        VERIFY_OK(engine->discardJob(job));
        QCOMPARE(engine->job(job).error().code, ErrorCode::NotFound);
    }

    void aSourceThatChangesWhileItIsRead_isRefused() {
        EngineFixture fixture;
        const Path source = fixture.makeModel("tiny");
        FaultInjection faults(*fixture.files);
        auto engine = std::move(fixture.open(fixture.options(), faults)).value();
        faults.atEachCall([&](std::int64_t, const Path& path) {
            if (path.filename() == "model.safetensors.part")
                std::filesystem::resize_file(source / "model.safetensors", 5000);
        });
        expectError(importAndWait(*engine, {.path = source.string()}), JobState::Failed, ErrorCode::IoError,
                    "was changed while it was being read");
        QVERIFY(namesIn(fixture.workspace / "models").empty());
    }

    void closingTheEngine_interruptsTheImportAndTheNextOneResumesIt() {
        EngineFixture fixture;
        const Path source = fixture.makeModel("tiny", {.shards = 2});
        FaultInjection faults(*fixture.files);
        auto engine = std::move(fixture.open(fixture.options(), faults)).value();
        std::atomic<bool> arrived = false, closing = false;
        faults.atEachCall([&](std::int64_t, const Path& path) {
            if (path.filename() != "model-00002-of-00002.safetensors.part") return;
            arrived = true;
            while (!closing) std::this_thread::yield();
            std::this_thread::sleep_for(std::chrono::milliseconds(20));  // so that the destructor gets to ask
        });
        const auto job = engine->startImport({.path = source.string()});
        while (!arrived) std::this_thread::yield();
        closing = true;
        engine.reset();
        faults.atEachCall({});
        engine = std::move(fixture.open()).value();
        if (engine->job(*job)->state != JobState::Finished) {
            QCOMPARE(engine->job(*job)->state, JobState::Interrupted);
            VERIFY_OK(engine->resumeJob(*job));
        }
        QCOMPARE(engine->waitJob(*job)->state, JobState::Finished);
        QCOMPARE(engine->findModel("tiny")->digest, digestOf(*fixture.files, source));
    }

    // Kills the importing process at every single point where it touches the disk, loses what was not synced, and goes
    // on.
    void killedAnywhere_theJobIsInterruptedAndResumeGivesTheSameModel() {
        EngineFixture fixture;
        const Path source = fixture.makeModel("tiny", {.shards = 2});
        const std::string digest = digestOf(*fixture.files, source);
        int kills = 0;
        for (std::int64_t call = 1;; ++call) {
            std::filesystem::remove_all(fixture.workspace);
            const pid_t child = ::fork();
            if (child == 0) {
                FaultInjection faults(*fixture.files);
                auto engine = std::move(fixture.open(fixture.options(), faults)).value();
                const std::int64_t before = faults.changingCalls();
                faults.atEachCall([&](std::int64_t number, const Path&) {
                    if (number - before != call) return;
                    faults.loseUnsyncedWrites();
                    ::kill(::getpid(), SIGKILL);
                });
                (void)importAndWait(*engine, {.path = source.string()});
                ::_exit(0);
            }
            int status = 0;
            QCOMPARE(::waitpid(child, &status, 0), child);
            const bool wasKilled = WIFSIGNALED(status);
            auto engine = std::move(fixture.open()).value();
            QCOMPARE(engine->jobs().size(), std::size_t{1});
            const JobRecord job = engine->jobs()[0];
            if (wasKilled) {
                ++kills;
                QCOMPARE(job.state, JobState::Interrupted);
                QVERIFY(engine->models().empty());
                VERIFY_OK(engine->resumeJob(job.id));
            }
            const auto ended = engine->waitJob(job.id);
            QVERIFY2(ended->state == JobState::Finished, ended->error ? ended->error->message.c_str() : "");
            const auto model = engine->findModel("tiny");
            QCOMPARE(model->digest, digest);
            QCOMPARE(digestOf(*fixture.files, model->folder), digest);
            QCOMPARE(namesIn(fixture.workspace / "models"), std::vector{model->id});
            if (!wasKilled) break;
        }
        QVERIFY(kills > 30);
    }

    void checkpointsOfEarlierBuildsAreRead() {
        const Json old = {
            {"files", Json::array({{{"name", "a"}, {"bytes", 4}, {"modified_ns", 7}, {"parts", Json::array()}}})},
            {"placed", ""}};
        const auto done = importCheckpointFromJson(old);
        VERIFY_OK(done);
        QVERIFY(done->find({"a", 4, 7, {}}) && !done->find({"a", 4, 8, {}}));
        QCOMPARE(importCheckpointFromJson({{"placed", ""}}).error().code, ErrorCode::CorruptFile);
        QVERIFY(importCheckpointFromJson(toJson(*done))->find({"a", 4, 7, {}}));
    }

    void aDiscardedInterruptedJob_takesItsFilesWithIt() {
        EngineFixture fixture;
        const Path source = fixture.makeModel("tiny");
        FaultInjection faults(*fixture.files);
        {
            auto engine = std::move(fixture.open(fixture.options(), faults)).value();
            faults.fillDiskAfter(30'000);
            QCOMPARE(importAndWait(*engine, {.path = source.string()})->state, JobState::Paused);
        }
        QCOMPARE(namesIn(fixture.workspace / "models").size(), std::size_t{1});
        auto engine = std::move(fixture.open()).value();
        QCOMPARE(namesIn(fixture.workspace / "models").size(), std::size_t{1});
        VERIFY_OK(engine->discardJob(engine->jobs()[0].id));
        QVERIFY(engine->jobs().empty());
        QVERIFY(namesIn(fixture.workspace / "models").empty());
    }

    void opening_removesHalfCopiesAndLeavesUnknownFoldersAlone() {
        EngineFixture fixture;
        { const auto created = fixture.open(); }
        put(fixture.workspace / "models/m-0123456789ab/config.json", "{}");
        put(fixture.workspace / "models/.partial-77/config.json", "{}");
        put(fixture.workspace / "models/.removed-m-77/config.json", "{}");
        const auto engine = std::move(fixture.open()).value();
        QCOMPARE(namesIn(fixture.workspace / "models"), std::vector<std::string>{"m-0123456789ab"});
        bool isSaid = false;
        for (const LogRecord& record : engine->newestLog(20))
            isSaid = isSaid || record.text.find("m-0123456789ab is not in the catalog") != std::string::npos;
        QVERIFY(isSaid);
    }

    void aLostDatabase_losesNoModelAndTheFolderCanBeImportedAgain() {
        EngineFixture fixture;
        const Path source = fixture.makeModel("tiny");
        std::string folder;
        {
            const auto engine = std::move(fixture.open()).value();
            VERIFY_OK(importAndWait(*engine, {.path = source.string()}));
            folder = engine->findModel("tiny")->folder;
        }
        for (const char* name : {"workspace.db", "workspace.db-wal", "workspace.db-shm"})
            std::filesystem::remove(fixture.workspace / name);
        const auto engine = std::move(fixture.open()).value();
        QVERIFY(engine->models().empty());
        QVERIFY(std::filesystem::exists(Path(folder) / "model.safetensors"));
        QCOMPARE(importAndWait(*engine, {.path = folder, .name = "again"})->state, JobState::Finished);
        QCOMPARE(engine->findModel("again")->folder, folder);
        QCOMPARE(engine->findModel("again")->digest, digestOf(*fixture.files, source));
    }

    void aDeletionThatWasCutShort_isUndoneOrFinishedAtTheNextStart() {
        EngineFixture fixture;
        const Path source = fixture.makeModel("tiny");
        Path folder;
        {
            const auto engine = std::move(fixture.open()).value();
            VERIFY_OK(importAndWait(*engine, {.path = source.string()}));
            folder = engine->findModel("tiny")->folder;
            VERIFY_OK(engine->removeModel("tiny"));
        }
        const Path aside = folder.parent_path() / (".removed-" + folder.filename().string());
        std::filesystem::rename(folder, aside);  // as left by a crash before the row went
        const auto engine = std::move(fixture.open()).value();
        QVERIFY(std::filesystem::exists(folder / "config.json") && !std::filesystem::exists(aside));
        VERIFY_OK(engine->emptyBin());
        QVERIFY(namesIn(fixture.workspace / "models").empty());
        QVERIFY(engine->bin().empty());
    }

    void whatTheSourceNoLongerHas_isNotPartOfAResumedImport() {
        EngineFixture fixture;
        const Path source = fixture.makeModel("tiny", {.shards = 3});
        put(source / "README.md", "a card");
        FaultInjection faults(*fixture.files);
        auto engine = std::move(fixture.open(fixture.options(), faults)).value();
        std::atomic<std::int64_t> job = 0;
        faults.atEachCall([&](std::int64_t, const Path& path) {
            while (job == 0) std::this_thread::yield();
            if (path.filename() == "model-00003-of-00003.safetensors.part") (void)engine->pauseJob(job);
        });
        job = *engine->startImport({.path = source.string()});
        QCOMPARE(engine->waitJob(job)->state, JobState::Paused);
        faults.atEachCall({});
        const Path partial = fixture.workspace / "models" / (".partial-" + std::to_string(job));
        put(partial / "README.md", "a card");
        put(partial / "old/left.part", "half");
        std::filesystem::remove(source / "README.md");
        VERIFY_OK(engine->resumeJob(job));
        QCOMPARE(engine->waitJob(job)->state, JobState::Finished);
        const Path folder = engine->findModel("tiny")->folder;
        QVERIFY(!std::filesystem::exists(folder / "README.md") && !std::filesystem::exists(folder / "old"));
        QCOMPARE(engine->findModel("tiny")->digest, digestOf(*fixture.files, source));
    }

    void verify_saysWhichTensorAndWhichFileDiffer() {
        EngineFixture fixture;
        const Path source = fixture.makeModel("tiny");
        auto engine = std::move(fixture.open()).value();
        VERIFY_OK(importAndWait(*engine, {.path = source.string()}));
        const auto verify = [&] { return engine->waitJob(*engine->startVerify("tiny")); };
        const auto model = engine->findModel("tiny");
        const auto good = verify();
        QCOMPARE(good->state, JobState::Finished);
        QVERIFY(good->result.find(model->digest) != std::string::npos);

        const Path weights = Path(model->folder) / "model.safetensors";
        std::string bytes = textOf(weights);
        bytes.back() ^= 1;
        put(weights, bytes);
        put(Path(model->folder) / "config.json", textOf(source / "config.json") + "\n");
        const auto bad = verify();
        expectError(bad, JobState::Failed, ErrorCode::CorruptFile, "config.json has other bytes");
        QVERIFY(bad->error->message.find("model.safetensors: ") != std::string::npos);
    }

    void scan_givesNormsAndCountsOfEveryTensor() {
        EngineFixture fixture;
        const Path source = fixture.makeModel("tiny", {.dtype = DType::BF16, .nanTensor = "model.norm.weight"});
        auto engine = std::move(fixture.open()).value();
        VERIFY_OK(importAndWait(*engine, {.path = source.string(), .allowNonFinite = true}));
        const auto job = engine->waitJob(*engine->startScan("tiny"));
        QCOMPARE(job->state, JobState::Finished);
        const Json result = Json::parse(job->result);
        QCOMPARE(result["nan"].get<int>(), 1);
        const auto tensors = engine->tensors("tiny");
        QCOMPARE(result["tensors"].size(), (*tensors)->tensors().size());
        for (const Json& tensor : result["tensors"]) {
            const TensorEntry* entry = (*tensors)->find(tensor["name"].get<std::string>());
            QVERIFY(entry);
            double squares = 0;
            const auto span = readTensor(**tensors, *entry).value();
            for (std::size_t i = 0; i < span.size(); i += 2) {
                std::uint16_t bits;
                std::memcpy(&bits, span.data() + i, 2);
                const double value = bf16ToF32(bits);
                if (value == value) squares += value * value;
            }
            QVERIFY(std::abs(tensor["norm"].get<double>() - std::sqrt(squares)) < 1e-9 * (1 + std::sqrt(squares)));
        }
    }

    void jobs_showTheCommandThatDoesTheSame() {
        EngineFixture fixture;
        const Path source = fixture.makeModel("it's tiny");
        auto engine = std::move(fixture.open()).value();
        const auto job = importAndWait(*engine, {.path = source.string(), .name = "t", .link = true});
        QCOMPARE(job->command,
                 "espalierctl import '" + (fixture.root / "it'\\''s tiny").string() + "' --name t --link");
        QCOMPARE(job->title, std::string("Import t"));
        QVERIFY(job->endedAt >= job->createdAt);
    }
};
ESPALIER_TEST(tst_import, TestImport)
#include "tst_import.moc"
