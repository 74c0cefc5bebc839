// SPDX-License-Identifier: GPL-3.0-or-later
// Every file that an import reads, in every way it can lie: each import ends in one sentence that names the file,
// within a second of processor time and bounded memory, and leaves nothing in the workspace. What is inside a header or
// a document (lengths, overlaps, counts, types) has its own tables beside each reader.
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <fstream>
#include <functional>

#include "tests/core/engine/engine_fixture.h"
#include "tests/support/peak_memory.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

namespace {

constexpr std::int64_t kMaxGrowthBytes = 64 << 20;

std::string textOf(const Path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

// A folder whose `file` is read when it is imported.
struct Reader {
    const char* name;
    const char* file;
    std::function<void(const Path& folder)> prepare = [](const Path&) {};
};

std::vector<Reader> readers() {
    const auto dataFile = [](const char* from, const char* to) {
        return [=](const Path& folder) {
            std::filesystem::remove(folder / "tokenizer.json");
            std::filesystem::copy_file(Path(ESPALIER_TEST_DATA) / from, folder / to);
        };
    };
    const auto put = [](const char* name, const char* content) {
        return [=](const Path& folder) { writeFile(folder / name, content); };
    };
    return {
        {"safetensors", "model.safetensors"},
        {"index", "model.safetensors.index.json",
         [](const Path& folder) {
             writeTinyModel(folder, {.shards = 2});
             std::filesystem::remove(folder / "model.safetensors");
         }},
        {"shard", "model-00002-of-00002.safetensors",
         [](const Path& folder) {
             writeTinyModel(folder, {.shards = 2});
             std::filesystem::remove(folder / "model.safetensors");
         }},
        {"config", "config.json"},
        {"generation config", "generation_config.json", put("generation_config.json", R"({"eos_token_id": [1, 3]})")},
        {"tokenizer.json", "tokenizer.json"},
        {"tokenizer config", "tokenizer_config.json"},
        {"tokenizer.model", "tokenizer.model", dataFile("tokenizer/spm_gemma.model", "tokenizer.model")},
        {"spiece.model", "spiece.model", dataFile("tokenizer/spm_gemma.model", "spiece.model")},
        {"added tokens", "added_tokens.json",
         [=](const Path& folder) {
             dataFile("tokenizer/spm_gemma.model", "tokenizer.model")(folder);
             writeFile(folder / "added_tokens.json", R"({"<more>": 1200})");
         }},
        {"template", "chat_template.jinja", put("chat_template.jinja", "{{ messages[0].content }}")},
    };
}

bool isJson(const std::string& file) {
    return file.ends_with(".json");
}

struct Lie {
    const char* name;
    std::function<void(const Path& file)> tell;
    std::function<bool(const std::string& file)> suits = [](const std::string&) { return true; };
};

std::vector<Lie> lies() {
    const auto replaced = [](const auto& make) {
        return [=](const Path& file) {
            std::filesystem::remove(file);
            make(file);
        };
    };
    const auto written = [=](const std::string& content) {
        return replaced([=](const Path& file) { writeFile(file, content); });
    };
    const auto linked = [=](const char* to) {
        return replaced([=](const Path& file) { std::filesystem::create_symlink(to, file); });
    };
    return {
        {"a pipe", replaced([](const Path& file) { ::mkfifo(file.c_str(), 0600); })},
        {"a device", linked("/dev/zero")},
        {"a folder", replaced([](const Path& file) { std::filesystem::create_directory(file); })},
        {"a link to itself",
         replaced([](const Path& file) { std::filesystem::create_symlink(file.filename(), file); })},
        {"a link to nothing", linked("nothing/here")},
        {"a link to the folder", linked(".")},
        {"a terabyte of nothing",
         [](const Path& file) { std::filesystem::resize_file(file, std::filesystem::file_size(file) + (1ull << 40)); }},
        {"nothing", written(""), isJson},
        {"zero bytes", written(std::string(4096, '\0')),
         [](const std::string& file) { return !file.ends_with(".jinja"); }},
        {"a depth bomb of lists", written(std::string(1 << 20, '[')), isJson},
        {"a depth bomb of objects",
         [](const Path& file) {
             std::string text;
             for (int i = 0; i < 100'000; ++i) text += R"({"a":)";
             writeFile(file, text);
         },
         isJson},
        {"a key twice", written(R"({"weight_map": {}, "a": 1, "a": 2})"), isJson},
        {"a list", written("[]"), isJson},
        {"two documents", written("{}{}"), isJson},
        {"a byte that is no text", written("{\"\xff\": 1}"), isJson},
        {"a depth bomb of brackets", written("{{ " + std::string(1 << 16, '(') + " }}"),
         [](const std::string& file) { return file.ends_with(".jinja"); }},
        {"a depth bomb of blocks",
         [](const Path& file) {
             std::string text;
             for (int i = 0; i < 50'000; ++i) text += "{% if 1 %}";
             writeFile(file, text);
         },
         [](const std::string& file) { return file.ends_with(".jinja"); }},
    };
}

// The error of an import that must fail.
void expectRefusal(EngineFixture& fixture, Engine& engine, const Path& path, const std::string& file,
                   const std::string& what, std::int64_t most = kMaxGrowthBytes) {
    const PeakMemory peak;
    const std::clock_t start = std::clock();
    const auto job = importAndWait(engine, {.path = path.string()});
    const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    if (!job) {
        // What cannot be read at all is refused before there is a job.
        QVERIFY2(job.error().message.find(file) != std::string::npos, (what + ": " + job.error().message).c_str());
    } else {
        QVERIFY2(job->state == JobState::Failed && job->error, what.c_str());
        const std::string said = job->error->text();
        QVERIFY2(said.find(file) != std::string::npos, (what + ": " + said).c_str());
        QVERIFY2(said.size() < 800 && said.find('\n') == std::string::npos, (what + ": " + said).c_str());
    }
    if (kMemoryIsMeasured) {
        QVERIFY2(seconds < 1.0, (what + " took " + std::to_string(seconds) + " s").c_str());
        QVERIFY2(peak.growth() < most, (what + " took " + std::to_string(peak.growth()) + " bytes").c_str());
    }
    QVERIFY2(std::filesystem::is_empty(fixture.workspace / "models"), what.c_str());
}

// Well-formed documents that ask for far more than they are.
struct Content {
    const char* name;
    const char* file;
    std::function<std::string(const std::string& whole)> make;
    std::int64_t most = kMaxGrowthBytes;
};

std::vector<Content> contents() {
    const auto repeated = [](const std::string& text, std::size_t times) {
        std::string all;
        all.reserve(text.size() * times);
        for (std::size_t i = 0; i < times; ++i) all += text;
        return all;
    };
    const auto tensors = [=](const std::string& members) {
        return [=](const std::string&) { return safetensorsBytes("{" + members + "}", ""); };
    };
    const auto index = [](const Json& map) {
        return [=](const std::string&) { return Json{{"weight_map", map}}.dump(); };
    };
    Json many = Json::object();
    for (int i = 0; i < 66'000; ++i) many["t" + std::to_string(i)] = "model-00001-of-00002.safetensors";
    Json doubling = {{"type", "Replace"}, {"pattern", {{"String", "a"}}}, {"content", "aa"}};
    return {
        {"a shape of text", "model.safetensors",
         tensors(R"("w":{"dtype":"F32","shape":[")" + std::string(5 << 20, 'x') + R"("],"data_offsets":[0,0]})")},
        {"a long name", "model.safetensors", tensors("\"" + std::string(5 << 20, 'x') + "\":{}")},
        {"a shape of many sizes", "model.safetensors",
         tensors(R"("w":{"dtype":"F32","shape":[0)" + repeated(",0", 8 << 20) + R"(],"data_offsets":[0,0]})"),
         192 << 20},
        {"many tensors", "model.safetensors.index.json", index(many)},
        {"a shard that is no name", "model.safetensors.index.json", index({{"a", std::string(5 << 20, '/')}})},
        {"a long name", "model.safetensors.index.json", index({{std::string(5 << 20, 'x'), 7}})},
        {"a long name twice", "model.safetensors.index.json",
         [](const std::string&) {
             const std::string member = "\"" + std::string(2 << 20, 'x') + "\":1";
             return "{" + member + "," + member + "}";
         }},
        {"many values", "config.json", [=](const std::string&) { return "[0" + repeated(",0", (2 << 20) - 8) + "]"; },
         96 << 20},
        {"a long architecture", "config.json",
         [](const std::string& whole) {
             Json config = Json::parse(whole);
             config["architectures"] = {std::string(1 << 20, 'x')};
             return config.dump();
         }},
        {"a word for a size", "config.json",
         [](const std::string& whole) {
             Json config = Json::parse(whole);
             config["hidden_size"] = std::string(1 << 20, 'x');
             return config.dump();
         }},
        {"a text that doubles", "tokenizer.json",
         [=](const std::string& whole) {
             Json file = Json::parse(whole);
             file["normalizer"] = {{"type", "Sequence"}, {"normalizers", std::vector<Json>(40, doubling)}};
             file["added_tokens"].push_back({{"id", 271}, {"content", "a"}, {"normalized", true}, {"special", false}});
             return file.dump();
         }},
        {"a pattern nobody spells", "tokenizer.json",
         [](const std::string& whole) {
             Json file = Json::parse(whole);
             file["pre_tokenizer"] = {
                 {"type", "Split"}, {"behavior", "Isolated"}, {"pattern", {{"Regex", "[[:alpha:]]"}}}};
             return file.dump();
         }},
        {"a template of macros in macros", "chat_template.jinja",
         [=](const std::string&) { return repeated("{% macro m() %}", 5000); }},
    };
}

}  // namespace

class TestHostileImports : public QObject {
    Q_OBJECT
private slots:
    void everyFileInEveryWay_data() {
        QTest::addColumn<int>("reader");
        QTest::addColumn<int>("lie");
        const auto allReaders = readers();
        const auto allLies = lies();
        for (std::size_t r = 0; r < allReaders.size(); ++r)
            for (std::size_t l = 0; l < allLies.size(); ++l)
                if (allLies[l].suits(allReaders[r].file))
                    QTest::addRow("%s is %s", allReaders[r].name, allLies[l].name)
                        << static_cast<int>(r) << static_cast<int>(l);
    }
    void everyFileInEveryWay() {
        QFETCH(int, reader);
        QFETCH(int, lie);
        const Reader read = readers()[static_cast<std::size_t>(reader)];
        const Lie told = lies()[static_cast<std::size_t>(lie)];
        EngineFixture fixture;
        auto engine = std::move(fixture.open()).value();
        const Path folder = fixture.makeModel("tiny");
        read.prepare(folder);
        QVERIFY2(std::filesystem::exists(folder / read.file), read.file);
        told.tell(folder / read.file);
        expectRefusal(fixture, *engine, folder, read.file, std::string(read.file) + " is " + told.name);
    }

    void everyContent_data() {
        QTest::addColumn<int>("index");
        const auto all = contents();
        for (std::size_t i = 0; i < all.size(); ++i)
            QTest::addRow("%s holds %s", all[i].file, all[i].name) << static_cast<int>(i);
    }
    void everyContent() {
        QFETCH(int, index);
        const Content content = contents()[static_cast<std::size_t>(index)];
        EngineFixture fixture;
        auto engine = std::move(fixture.open()).value();
        const Path folder = fixture.makeModel("tiny");
        const bool isIndex = std::string_view(content.file).ends_with(".index.json");
        if (isIndex) {
            writeTinyModel(folder, {.shards = 2});
            std::filesystem::remove(folder / "model.safetensors");
        }
        writeFile(folder / content.file, content.make(textOf(folder / content.file)));
        expectRefusal(fixture, *engine, folder, content.file, std::string(content.file) + " holds " + content.name,
                      content.most);
    }

    // Without the lie each folder is a model: the refusals above have no other reason.
    void everyFolderImportsAsItIs() {
        for (const Reader& reader : readers()) {
            EngineFixture fixture;
            auto engine = std::move(fixture.open()).value();
            const Path folder = fixture.makeModel("tiny");
            reader.prepare(folder);
            const auto job = importAndWait(*engine, {.path = folder.string()});
            VERIFY_OK(job);
            QVERIFY2(job->state == JobState::Finished, job->error ? job->error->text().c_str() : reader.name);
        }
    }

    // Tensors that no model uses, one as bytes and one as a single row, far longer than memory may grow.
    void quantisingPassesLongUnusedTensorsInPieces() {
        EngineFixture fixture;
        auto engine = std::move(fixture.open()).value();
        const Path folder = fixture.makeModel("tiny");
        constexpr std::uint64_t kLong = 128u << 20;
        const Path file = folder / "model.safetensors";
        const std::string whole = textOf(file);
        std::uint64_t length = 0;
        std::memcpy(&length, whole.data(), sizeof length);
        const std::uint64_t data = whole.size() - 8 - length;
        std::string header = whole.substr(8, length);
        const auto add = [&](const char* name, const char* type, std::uint64_t count, std::uint64_t at) {
            header.insert(1, "\"" + std::string(name) + "\":{\"dtype\":\"" + type + "\",\"shape\":[" +
                                 std::to_string(count) + "],\"data_offsets\":[" + std::to_string(at) + "," +
                                 std::to_string(at + kLong) + "]},");
        };
        add("unused.bytes", "U8", kLong, data);
        add("unused.row", "F32", kLong / 4, data + kLong);
        writeFile(file, safetensorsBytes(header, whole.substr(8 + length)));
        std::filesystem::resize_file(file, 8 + header.size() + data + 2 * kLong);
        const PeakMemory peak;
        const auto job = importAndWait(*engine, {.path = folder.string(), .quantize = "q8_0"});
        VERIFY_OK(job);
        QVERIFY2(job->state == JobState::Finished, job->error ? job->error->text().c_str() : "");
        if (kMemoryIsMeasured) QVERIFY2(peak.growth() < kMaxGrowthBytes, std::to_string(peak.growth()).c_str());
        // What was hashed in pieces is the digest of the same folder read as it is.
        const auto plain = importAndWait(*engine, {.path = folder.string(), .name = "plain"});
        VERIFY_OK(plain);
        QCOMPARE(engine->findModel("tiny-q8_0")->derivedFrom, engine->findModel("plain")->digest);
    }

    void everyFileCutAtMostPlaces_data() {
        QTest::addColumn<int>("reader");
        const auto all = readers();
        for (std::size_t r = 0; r < all.size(); ++r) QTest::newRow(all[r].name) << static_cast<int>(r);
    }
    void everyFileCutAtMostPlaces() {
        QFETCH(int, reader);
        const Reader read = readers()[static_cast<std::size_t>(reader)];
        // A template may end anywhere between two tags, and a SentencePiece model between two pieces.
        const bool mayBeWhole =
            std::string_view(read.file).ends_with(".jinja") || std::string_view(read.file).ends_with(".model");
        EngineFixture fixture;
        auto engine = std::move(fixture.open()).value();
        const Path folder = fixture.makeModel("tiny");
        read.prepare(folder);
        const std::string whole = textOf(folder / read.file);
        int refused = 0;
        const std::size_t step = std::clamp<std::size_t>(whole.size() / 16, 1, 1024);
        for (std::size_t size = 0; size < whole.size(); size += step) {
            if (size == 0 && mayBeWhole) continue;
            writeFile(folder / read.file, whole.substr(0, size));
            const auto job = importAndWait(*engine, {.path = folder.string()});
            VERIFY_OK(job);
            const std::string what = std::string(read.file) + " cut at " + std::to_string(size);
            if (mayBeWhole && job->state == JobState::Finished) {
                QVERIFY(!engine->models().empty());
                continue;
            }
            QVERIFY2(job->state == JobState::Failed, what.c_str());
            QVERIFY2(job->error->text().find(read.file) != std::string::npos, job->error->text().c_str());
            QVERIFY2(!engine->models().empty() || std::filesystem::is_empty(fixture.workspace / "models"),
                     what.c_str());
            ++refused;
        }
        QVERIFY(refused > 0);  // a cut inside a tag or a piece is an error whatever the file
    }
};
ESPALIER_TEST(tst_hostile_imports, TestHostileImports)
#include "tst_hostile_imports.moc"
