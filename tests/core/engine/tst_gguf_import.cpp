// SPDX-License-Identifier: GPL-3.0-or-later
// GGUF files through the importer, and quantising on the way in.
#include <algorithm>
#include <cstring>
#include <fstream>
#include <map>

#include "core/formats/digest.h"
#include "core/formats/gguf_model.h"
#include "core/tensor/quantized_block.h"
#include "tests/core/engine/engine_fixture.h"
#include "tests/support/fault_injection.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

using namespace std::string_literals;

namespace {

const Path kData = Path(ESPALIER_TEST_DATA) / "gguf";

std::vector<std::string> namesIn(const Path& folder) {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) names.push_back(entry.path().filename());
    std::ranges::sort(names);
    return names;
}

std::string textOf(const Path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::string digestOf(FileSystem& files, const Path& path) {
    const auto source = openModelFolder(files, path);
    return digestModel(files, path, **source, {}, [](std::int64_t) {}).value();
}

TinyModelOptions wideEnough(int shards = 1, bool tied = false) {
    return {.hidden = 64, .layers = 2, .heads = 4, .neurons = 96, .tied = tied, .dtype = DType::BF16, .shards = shards};
}

std::vector<float> valuesOf(const TensorSource& source, const std::string& name) {
    const TensorEntry& entry = *source.find(name);
    const auto bytes = readTensor(source, entry).value();
    std::vector<float> values(static_cast<std::size_t>(entry.count()));
    if (isBlock(entry.dtype)) {
        dequantize(entry.dtype, bytes.data(), values);
    } else {
        for (std::size_t i = 0; i < values.size(); ++i) {
            std::uint16_t bits;
            std::memcpy(&bits, &bytes[2 * i], 2);
            values[i] = bf16ToF32(bits);
        }
    }
    return values;
}

// Imports a golden model and compares the first greedy tokens.
void expectGolden(Engine& engine, const std::string& name, const Path& folder) {
    const Json golden = Json::parse(textOf(folder / "golden.json"));
    const std::vector<std::int32_t> prompt = golden["prompt"], greedy = golden["greedy"];
    Collector collector;
    auto request = requestFor(prompt, 24, collector);  // no stop ids: the end token is one like others
    VERIFY_OK(engine.submit(name, std::move(request)));
    const auto ids = idsOf(collector.wait());
    QCOMPARE(std::vector<std::int32_t>(ids.begin(), ids.end()),
             std::vector<std::int32_t>(greedy.begin(), greedy.begin() + 24));
}

}  // namespace

class TestGgufImport : public QObject {
    Q_OBJECT
private slots:
    void aFileIsCopiedAndRuns() {
        EngineFixture fixture;
        auto engine = std::move(fixture.open()).value();
        const Path source = kData / "llama-q4_k_m/model.gguf";
        const auto probe = engine->probeImport(source);
        VERIFY_OK(probe);
        QCOMPARE(probe->licence, std::string("cc0-1.0"));
        QCOMPARE(probe->dtype, std::string("q4_k+q6_k"));
        const auto job = importAndWait(*engine, {.path = source.string(), .name = "mixed"});
        QVERIFY2(job->state == JobState::Finished, job->error ? job->error->message.c_str() : "");
        const auto model = engine->findModel("mixed");
        QCOMPARE(model->digest, digestOf(*fixture.files, source));
        QCOMPARE(model->family, std::string("llama"));
        QVERIFY(!model->hasTokenizer);
        QVERIFY(model->derivedFrom.empty());
        QCOMPARE(namesIn(model->folder), std::vector<std::string>{"model.gguf"});
        QCOMPARE(textOf(Path(model->folder) / "model.gguf"), textOf(source));
        expectGolden(*engine, "mixed", kData / "llama-q4_k_m");
        QCOMPARE(engine->waitJob(*engine->startVerify("mixed"))->state, JobState::Finished);
        QCOMPARE(engine->waitJob(*engine->startScan("mixed"))->state, JobState::Finished);
    }

    void aFolderWithOneModelImportsAndSoDoesAnyPartOfASplitOne() {
        EngineFixture fixture;
        auto engine = std::move(fixture.open()).value();
        const Path folder = kData / "llama-q5_1-split";
        const Path second = folder / "model-00002-of-00003.gguf";
        QCOMPARE(importAndWait(*engine, {.path = second.string()})->state, JobState::Finished);
        const auto model = engine->findModel("model");
        VERIFY_OK(model);
        QCOMPARE(namesIn(model->folder).size(), std::size_t{3});
        expectGolden(*engine, "model", folder);
        const auto again = importAndWait(*engine, {.path = folder.string()});
        QCOMPARE(again->error->code, ErrorCode::AlreadyExists);
        QVERIFY2(again->error->message.find("\"model\"") != std::string::npos, again->error->message.c_str());
    }

    void aLinkedFileIsUsedInPlaceAndMayVanish() {
        EngineFixture fixture;
        auto engine = std::move(fixture.open()).value();
        const Path file = fixture.root / "linked.gguf";
        std::filesystem::copy_file(kData / "llama-q8_0/model.gguf", file);
        std::filesystem::copy_file(kData / "llama-q4_0/model.gguf", fixture.root / "neighbour.gguf");
        QCOMPARE(importAndWait(*engine, {.path = file.string(), .link = true})->state, JobState::Finished);
        const auto model = engine->findModel("linked");
        QCOMPARE(Path(model->folder), file);
        QCOMPARE(model->digest, digestOf(*fixture.files, file));
        const auto tensors = engine->tensors("linked");
        VERIFY_OK(tensors);
        std::filesystem::resize_file(file, 40'000);
        const auto read = readTensor(**tensors, *(*tensors)->find("lm_head.weight"));
        QVERIFY(!read);
        QCOMPARE(read.error().code, ErrorCode::IoError);
        Collector collector;
        const auto submitted = engine->submit("linked", requestFor({5, 6}, 4, collector));
        QCOMPARE(submitted.error().code, ErrorCode::CorruptFile);
        QVERIFY2(submitted.error().message.find("linked.gguf: tensor") != std::string::npos,
                 submitted.error().message.c_str());
    }

    void filesCutAtEveryKilobyteAreRefusedAndLeaveNothing() {
        EngineFixture fixture;
        auto engine = std::move(fixture.open()).value();
        const std::string whole = textOf(kData / "llama-q4_0/model.gguf");
        const Path file = fixture.root / "cut.gguf";
        for (std::size_t size = 0; size < whole.size(); size += 1024) {
            writeFile(file, whole.substr(0, size));
            const auto job = importAndWait(*engine, {.path = file.string()});
            QVERIFY2(job->state == JobState::Failed, std::to_string(size).c_str());
            QCOMPARE(job->error->code, ErrorCode::CorruptFile);
            QVERIFY2(job->error->message.find("cut.gguf") != std::string::npos, job->error->message.c_str());
        }
        QVERIFY(namesIn(fixture.workspace / "models").empty());
    }

    void aScaleThatIsNanIsRefusedByTensor() {
        EngineFixture fixture;
        auto engine = std::move(fixture.open()).value();
        std::string bytes = textOf(kData / "llama-q4_k/model.gguf");
        const auto model = openGgufModel(*fixture.files, kData / "llama-q4_k/model.gguf");
        const TensorEntry& entry = *model->tensors->find("model.layers.0.mlp.up_proj.weight");
        bytes[entry.offset + 144 + 1] = '\x7e';  // the second block's d
        writeFile(fixture.root / "nan.gguf", bytes);
        const auto job = importAndWait(*engine, {.path = (fixture.root / "nan.gguf").string()});
        QCOMPARE(job->error->code, ErrorCode::NonFinite);
        QVERIFY2(job->error->message.find("model.layers.0.mlp.up_proj.weight (256 NaN") != std::string::npos,
                 job->error->message.c_str());
        QVERIFY(namesIn(fixture.workspace / "models").empty());
    }

    void quantising_roundsTheProjectionsAndNamesItsSource() {
        for (const bool tied : {false, true})
            for (const char* type : {"q8_0", "q4_0"}) {
                EngineFixture fixture;
                auto engine = std::move(fixture.open()).value();
                const Path source = fixture.makeModel("tiny", wideEnough(3, tied));
                const auto job = importAndWait(*engine, {.path = source.string(), .quantize = type});
                QVERIFY2(job->state == JobState::Finished, job->error ? job->error->message.c_str() : "");
                const auto model = engine->findModel(std::string("tiny-") + type);
                VERIFY_OK(model);
                QCOMPARE(model->derivedFrom, digestOf(*fixture.files, source));
                QCOMPARE(model->digest, digestOf(*fixture.files, model->folder));
                QVERIFY(model->digest != model->derivedFrom);
                QVERIFY(model->hasTokenizer && model->hasChatTemplate);
                const std::vector<std::string> expected = {"config.json",
                                                           "model-00001-of-00003.gguf",
                                                           "model-00002-of-00003.gguf",
                                                           "model-00003-of-00003.gguf",
                                                           "tokenizer.json",
                                                           "tokenizer_config.json"};
                QCOMPARE(namesIn(model->folder), expected);
                const auto before = openModelFolder(*fixture.files, source);
                const auto after = engine->tensors(model->name);
                VERIFY_OK(after);
                const auto wanted = *dtypeFromName(type);
                const auto check = [&](const std::string& name, DType dtype) {
                    QCOMPARE((*after)->find(name)->dtype, dtype);
                    const std::vector<float> values = valuesOf(**before, name);
                    std::vector<std::byte> blocks(static_cast<std::size_t>((*after)->find(name)->bytes));
                    quantize(dtype, values, blocks.data());
                    QCOMPARE(readTensor(**after, *(*after)->find(name)).value(), blocks);
                };
                check("model.layers.1.self_attn.k_proj.weight", wanted);
                check("model.layers.0.mlp.down_proj.weight", wanted);
                check("model.embed_tokens.weight", tied ? DType::Q8_0 : wanted);
                if (!tied) check("lm_head.weight", DType::Q8_0);
                QCOMPARE((*after)->find("model.norm.weight")->dtype, DType::BF16);
                Collector collector;
                VERIFY_OK(engine->submit(model->name, requestFor({5, 6, 7}, 4, collector)));
                QCOMPARE(idsOf(collector.wait()).size(), std::size_t{4});
                QCOMPARE(engine->waitJob(*engine->startVerify(model->name))->state, JobState::Finished);
            }
    }

    void quantisingAGgufModelKeepsItsKeysAndRows() {
        EngineFixture fixture;
        auto engine = std::move(fixture.open()).value();
        const Path source = kData / "llama-f16/model.gguf";
        const auto job = importAndWait(*engine, {.path = source.string(), .name = "small", .quantize = "q8_0"});
        QVERIFY2(job->state == JobState::Finished, job->error ? job->error->message.c_str() : "");
        const auto model = engine->findModel("small");
        QCOMPARE(model->derivedFrom, digestOf(*fixture.files, source));
        QCOMPARE(model->dtype, std::string("q8_0"));
        const auto before = openGgufModel(*fixture.files, source);
        const auto after = openGgufModel(*fixture.files, Path(model->folder) / "model.gguf");
        VERIFY_OK(after);
        ArchSpec expected = before->spec;
        expected.dtype = after->spec.dtype;  // what most of the file is
        QVERIFY(after->spec == expected);
        QCOMPARE(after->tensors->find("model.layers.0.self_attn.q_proj.weight")->pairedHeads, 4);
        QCOMPARE(after->tensors->find("rope_freqs.weight")->dtype, DType::F32);
        const TensorEntry& wide = *before->tensors->find("model.layers.0.self_attn.q_proj.weight");
        std::vector<float> values(static_cast<std::size_t>(wide.count()));
        const auto halves = readTensor(*before->tensors, wide).value();
        for (std::size_t i = 0; i < values.size(); ++i) {
            std::uint16_t bits;
            std::memcpy(&bits, &halves[2 * i], 2);
            values[i] = f16ToF32(bits);
        }
        std::vector<std::byte> blocks(static_cast<std::size_t>(storedBytes(DType::Q8_0, wide.count())));
        quantize(DType::Q8_0, values, blocks.data());
        QCOMPARE(readTensor(*after->tensors, *after->tensors->find(wide.name)).value(), blocks);
        const auto keysOf = [&](const Path& file) {
            const GgufFile opened = openGgufFile(*fixture.files, file).value();
            const GgufKeys keys(opened.header, opened.head, "x");
            std::map<std::string, std::string> found;
            for (const auto& [key, value] : opened.header.keys)
                if (const auto text = keys.string(key); text && *text) found[key] = **text;
            return found;
        };
        QVERIFY(keysOf(source).size() > 2);
        QVERIFY(keysOf(source) == keysOf(Path(model->folder) / "model.gguf"));
        const auto again = importAndWait(*engine, {.path = model->folder, .quantize = "q4_0"});
        QCOMPARE(again->error->code, ErrorCode::Unsupported);
        QVERIFY2(again->error->message.find("quantised already (q8_0)") != std::string::npos,
                 again->error->message.c_str());
    }

    // The config.json beside it decides what it is.
    void aFileThatWeWroteIsImportedWithItsFolder() {
        EngineFixture fixture;
        auto engine = std::move(fixture.open()).value();
        const Path source = fixture.makeModel("tiny", wideEnough());
        QCOMPARE(importAndWait(*engine, {.path = source.string(), .quantize = "q8_0"})->state, JobState::Finished);
        const Path ours = fixture.root / "ours";
        std::filesystem::copy(engine->findModel("tiny-q8_0")->folder, ours);
        VERIFY_OK(engine->removeModel("tiny-q8_0"));
        VERIFY_OK(engine->emptyBin());
        for (const bool link : {false, true}) {
            const auto job = importAndWait(*engine, {.path = (ours / "model.gguf").string(), .link = link});
            QVERIFY2(job->state == JobState::Finished, job->error ? job->error->message.c_str() : "");
            const auto model = engine->findModel("ours");
            VERIFY_OK(model);
            QVERIFY(model->hasTokenizer);
            QCOMPARE(model->digest, digestOf(*fixture.files, ours));
            VERIFY_OK(engine->removeModel("ours"));
            VERIFY_OK(engine->emptyBin());
        }
        std::filesystem::copy_file(source / "model.safetensors", ours / "model.safetensors");
        const auto both = importAndWait(*engine, {.path = (ours / "model.gguf").string()});
        QCOMPARE(both->error->code, ErrorCode::InvalidArgument);
        std::filesystem::remove(ours / "model.safetensors");
        std::filesystem::remove(ours / "config.json");
        const auto bare = importAndWait(*engine, {.path = (ours / "model.gguf").string()});
        QVERIFY2(bare->error->message.find("config.json") != std::string::npos, bare->error->message.c_str());
        QVERIFY(namesIn(fixture.workspace / "models").empty());
    }

    void aTensorThatIsMissingIsNamedAsTheFileWould() {
        EngineFixture fixture;
        auto engine = std::move(fixture.open()).value();
        std::string bytes = textOf(kData / "llama-q8_0/model.gguf");
        const std::string name = "blk.0.ffn_up.weight";
        bytes.replace(bytes.find(name), name.size(), "blk.0.ffn_xx.weight");
        writeFile(fixture.root / "x.gguf", bytes);
        const auto job = importAndWait(*engine, {.path = (fixture.root / "x.gguf").string()});
        QCOMPARE(job->error->code, ErrorCode::MissingTensor);
        QVERIFY2(job->error->message.find("x.gguf: the tensor " + name + " is missing") != std::string::npos,
                 job->error->message.c_str());
    }

    // Like buffers of other types: nothing that a model uses, and nothing that GGUF can spell.
    void quantisingLeavesOutTensorsThatGgufCannotName() {
        EngineFixture fixture;
        auto engine = std::move(fixture.open()).value();
        const Path source = fixture.makeModel("tiny", wideEnough());
        const std::string whole = textOf(source / "model.safetensors");
        std::uint64_t length = 0;
        std::memcpy(&length, whole.data(), sizeof length);
        std::string header = whole.substr(8, length), data = whole.substr(8 + length);
        for (const char* name : {"my tensor", "gr\u00f6\u00dfe"}) {
            header.insert(1, "\"" + std::string(name) + "\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[" +
                                 std::to_string(data.size()) + "," + std::to_string(data.size() + 4) + "]},");
            data += "\0\0\0\0"s;
        }
        writeFile(source / "model.safetensors", safetensorsBytes(header, data));
        const auto job = importAndWait(*engine, {.path = source.string(), .quantize = "q8_0"});
        QVERIFY2(job->state == JobState::Finished, job->error ? job->error->message.c_str() : "");
        const auto model = engine->findModel("tiny-q8_0");
        QCOMPARE(model->derivedFrom, digestOf(*fixture.files, source));
        QVERIFY(!(*engine->tensors("tiny-q8_0"))->find("my tensor"));
    }

    void valuesBeyondTheScalesAreNotCalledInfinite() {
        EngineFixture fixture;
        auto engine = std::move(fixture.open()).value();
        const Path source = fixture.makeModel("tiny", wideEnough());
        const auto tensors = openModelFolder(*fixture.files, source);
        const TensorEntry& entry = *(*tensors)->find("model.layers.0.mlp.up_proj.weight");
        std::string bytes = textOf(source / "model.safetensors");
        bytes[entry.offset] = '\x74';
        bytes[entry.offset + 1] = '\x49';  // 1e6 as bf16
        writeFile(source / "model.safetensors", bytes);
        const auto job = importAndWait(*engine, {.path = source.string(), .quantize = "q4_0"});
        QCOMPARE(job->error->code, ErrorCode::NonFinite);
        const std::string& said = job->error->message;
        QVERIFY2(said.find("mlp.up_proj.weight has values up to ") != std::string::npos &&
                     said.find("beyond the 524032 that q4_0 can scale") != std::string::npos &&
                     said.find("--allow-nonfinite") == std::string::npos,
                 said.c_str());
        QCOMPARE(importAndWait(*engine, {.path = source.string(), .quantize = "q8_0"})->state, JobState::Finished);
    }

    // What an earlier run wrote and the source no longer has: neither files nor shards of another count.
    void quantising_resumedOverAChangedSourceTakesNothingElseAlong() {
        EngineFixture fixture;
        const Path source = fixture.makeModel("tiny", wideEnough(3));
        FaultInjection faults(*fixture.files);
        auto engine = std::move(fixture.open(fixture.options(), faults)).value();
        faults.fillDiskAfter(70'000, false);
        const auto job = importAndWait(*engine, {.path = source.string(), .quantize = "q8_0"});
        QCOMPARE(job->state, JobState::Paused);
        faults.fillDiskAfter(std::nullopt);
        const Path partial = fixture.workspace / "models" / (".partial-" + std::to_string(job->id));
        writeFile(partial / "tokenizer.json", textOf(source / "tokenizer.json"));
        writeFile(partial / "model-00001-of-00002.gguf", "GGUF");
        std::filesystem::remove(source / "tokenizer.json");
        VERIFY_OK(engine->resumeJob(job->id));
        const auto resumed = engine->waitJob(job->id);
        QVERIFY2(resumed->state == JobState::Finished, resumed->error ? resumed->error->message.c_str() : "");
        const auto model = engine->findModel("tiny-q8_0");
        QVERIFY(!model->hasTokenizer);
        QCOMPARE(model->derivedFrom, digestOf(*fixture.files, source));
        QCOMPARE(model->digest, digestOf(*fixture.files, model->folder));
        QCOMPARE(engine->waitJob(*engine->startVerify("tiny-q8_0"))->state, JobState::Finished);
    }

    void quantisingRefusesWhatItCannotDo() {
        EngineFixture fixture;
        auto engine = std::move(fixture.open()).value();
        const std::string path = fixture.makeModel("tiny", wideEnough()).string();
        QCOMPARE(engine->startImport({.path = path, .quantize = "nf4"}).error().code, ErrorCode::Unsupported);
        QCOMPARE(engine->startImport({.path = path, .quantize = "q3"}).error().code, ErrorCode::InvalidArgument);
        QCOMPARE(engine->startImport({.path = path, .link = true, .quantize = "q8_0"}).error().code,
                 ErrorCode::InvalidArgument);
        auto broken = wideEnough();
        broken.nanTensor = "model.layers.0.mlp.up_proj.weight";
        const auto job =
            importAndWait(*engine, {.path = fixture.makeModel("nan", broken).string(), .quantize = "q8_0"});
        QCOMPARE(job->error->code, ErrorCode::NonFinite);
        QVERIFY(job->error->message.find("model.layers.0.mlp.up_proj.weight") != std::string::npos);
        QVERIFY(namesIn(fixture.workspace / "models").empty());
    }

    void quantising_pausesOnAFullDiskAndResumesWithTheNextFile() {
        EngineFixture fixture;
        const Path source = fixture.makeModel("tiny", wideEnough(3));
        FaultInjection faults(*fixture.files);
        auto engine = std::move(fixture.open(fixture.options(), faults)).value();
        faults.fillDiskAfter(70'000, false);
        const auto job = importAndWait(*engine, {.path = source.string(), .quantize = "q8_0"});
        QCOMPARE(job->state, JobState::Paused);
        QCOMPARE(job->error->code, ErrorCode::DiskFull);
        QVERIFY(engine->models().empty());
        faults.fillDiskAfter(std::nullopt);
        int firstAgain = 0;
        faults.atEachCall(
            [&](std::int64_t, const Path& path) { firstAgain += path.filename() == "model-00001-of-00003.gguf.part"; });
        VERIFY_OK(engine->resumeJob(job->id));
        QCOMPARE(engine->waitJob(job->id)->state, JobState::Finished);
        QCOMPARE(firstAgain, 0);
        const auto model = engine->findModel("tiny-q8_0");
        QCOMPARE(model->derivedFrom, digestOf(*fixture.files, source));
        QCOMPARE(model->digest, digestOf(*fixture.files, model->folder));
    }

    void quantising_leavesNothingWhateverFails() {
        EngineFixture fixture;
        const Path source = fixture.makeModel("tiny", wideEnough());
        FaultInjection faults(*fixture.files);
        auto engine = std::move(fixture.open(fixture.options(), faults)).value();
        int failures = 0;
        for (std::int64_t call = 1;; ++call) {
            faults.failCall(call, ErrorCode::IoError);
            const auto job = importAndWait(*engine, {.path = source.string(), .quantize = "q4_0"});
            if (job->state == JobState::Finished) break;
            ++failures;
            QCOMPARE(job->state, JobState::Failed);
            QVERIFY(engine->models().empty());
            QVERIFY2(namesIn(fixture.workspace / "models").empty(), std::to_string(call).c_str());
        }
        QVERIFY(failures > 20);
        QCOMPARE(engine->findModel("tiny-q4_0")->derivedFrom, digestOf(*fixture.files, source));
    }
};
ESPALIER_TEST(tst_gguf_import, TestGgufImport)
#include "tst_gguf_import.moc"
