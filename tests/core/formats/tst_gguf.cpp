// SPDX-License-Identifier: GPL-3.0-or-later
#include <QTemporaryDir>
#include <QTest>
#include <ctime>
#include <fstream>
#include <functional>

#include "core/formats/gguf_architecture.h"
#include "core/formats/gguf_model.h"
#include "core/formats/gguf_writer.h"
#include "tests/support/peak_memory.h"
#include "tests/support/raw_gguf.h"
#include "tests/support/test_main.h"
#include "tests/support/tiny_model.h"

using namespace espalier;
using namespace espalier::test;

namespace {

constexpr auto kCorrupt = ErrorCode::CorruptFile;
constexpr auto kUnsupported = ErrorCode::Unsupported;

Result<std::optional<GgufHeader>> headerOf(const std::string& file) {
    return readGgufHeader(std::as_bytes(std::span(file)), file.size(), "/models/x.gguf");
}

struct HostileFile {
    const char* name;
    std::string bytes;
    ErrorCode code;
    const char* names;  // what the sentence must say
};

std::string number64(std::uint64_t value) {
    return RawGguf::number(value);
}

std::vector<HostileFile> badHeaders() {
    const auto version = [](std::uint32_t number) {
        RawGguf file;
        file.version = number;
        return file.bytes();
    };
    const auto counts = [](std::uint64_t tensors, std::uint64_t keys) {
        RawGguf file;
        file.tensorCount = tensors;
        file.keyCount = keys;
        return file.bytes(4096);
    };
    RawGguf magic;
    magic.magic = "GGML";
    return {
        {"empty", "", kCorrupt, "ends at 0"},
        {"three bytes", "GGU", kCorrupt, "magic number takes 4 bytes"},
        {"another magic", magic.bytes(), kCorrupt, "does not begin with \"GGUF\""},
        {"version 1", version(1), kUnsupported, "version 1"},
        {"version 0", version(0), kUnsupported, "version 0"},
        {"version 4", version(4), kUnsupported, "version 4; 2 and 3 are read"},
        {"big endian", version(0x03000000), kUnsupported, "big-endian"},
        {"absurd number of tensors", counts(UINT64_MAX, 0), kCorrupt, "18446744073709551615 tensors"},
        {"absurd number of keys", counts(0, UINT64_MAX / 2), kCorrupt, "9223372036854775807 keys"},
        {"more tensors than bytes", counts(4000, 0), kCorrupt, "4000 tensors"},
        {"more keys than bytes", counts(0, 4000), kCorrupt, "4000 keys"},
        {"keys that are not there", counts(0, 100), kCorrupt, "key"},
    };
}

std::vector<HostileFile> badKeys() {
    const auto key = [](std::string_view name, std::uint32_t type, const std::string& value) {
        return RawGguf().key(name, type, value).bytes();
    };
    const auto array = [](std::uint32_t type, std::uint64_t count, const std::string& values) {
        return RawGguf().array("a", type, count, values).bytes();
    };
    const auto alignment = [](std::uint32_t value) { return RawGguf().integer("general.alignment", value).bytes(); };
    return {
        {"key of an unknown type", key("a", 13, number64(0)), kCorrupt, "key a: has the unknown type 13"},
        {"key name of 2^63 bytes",
         "GGUF" + RawGguf::number(3u) + number64(0) + number64(1) + number64(1ull << 63) + "aaaaaaaaa", kCorrupt,
         "9223372036854775808 bytes"},
        {"key without a name", key("", 4, RawGguf::number(1u)), kCorrupt, "key name"},
        {"key name that is too long", key(std::string(513, 'k'), 4, RawGguf::number(1u)), kCorrupt, "513 bytes"},
        {"key name with a newline", key("a\nb", 4, RawGguf::number(1u)), kCorrupt, "printable"},
        {"key twice", RawGguf().integer("a", 1).integer("a", 2).bytes(), kCorrupt, "key a: stands in the file twice"},
        {"string longer than the file", key("a", 8, number64(1 << 20)), kCorrupt, "key a takes 1048576 bytes"},
        {"string of 2^64 - 1 bytes", key("a", 8, number64(UINT64_MAX)), kCorrupt, "18446744073709551615 bytes"},
        {"bool of 2", key("a", 7, "\x02"), kCorrupt, "key a: holds a bool"},
        {"array of arrays", array(9, 1, RawGguf::number(4u) + number64(1)), kCorrupt, "key a: is an array of arrays"},
        {"array of an unknown type", array(99, 1, ""), kCorrupt, "key a: is an array of the unknown type 99"},
        {"array of 2^64 - 1 numbers", array(10, UINT64_MAX, ""), kCorrupt,
         "key a: announces 18446744073709551615 values"},
        {"array longer than the file", array(4, 1000, "1234"), kCorrupt, "key a: announces 1000 values"},
        {"array of strings that lie", array(8, 2, RawGguf::text("x") + number64(1 << 30)), kCorrupt, "key a takes"},
        {"array of many empty strings", array(8, 1 << 20, number64(0)), kCorrupt, "key a: announces 1048576 values"},
        {"alignment 0", alignment(0), kCorrupt, "general.alignment"},
        {"alignment 24", alignment(24), kCorrupt, "found 24"},
        {"alignment 2^31", alignment(1u << 31), kCorrupt, "found 2147483648"},
        {"alignment that is text", RawGguf().string("general.alignment", "32").bytes(), kCorrupt, "another type"},
    };
}

std::vector<HostileFile> badTensors() {
    const auto one = [](std::vector<std::uint64_t> sizes, std::uint32_t type, std::uint64_t offset, std::size_t data) {
        return RawGguf().tensor("w", std::move(sizes), type, offset).bytes(data);
    };
    return {
        {"no dimensions", one({}, 0, 0, 64), kCorrupt, "tensor w: must have 1 to 4 dimensions, found 0"},
        {"five dimensions", one({1, 1, 1, 1, 1}, 0, 0, 64), kCorrupt, "tensor w: must have 1 to 4"},
        {"2^32 - 1 dimensions",
         "GGUF" + RawGguf::number(3u) + number64(1) + number64(0) + RawGguf::text("w") + RawGguf::number(UINT32_MAX) +
             std::string(64, '\1'),
         kCorrupt, "found 4294967295"},
        {"size 0", one({0}, 0, 0, 64), kCorrupt, "tensor w: must have sizes of at least 1"},
        {"size 2^63", one({1ull << 63}, 0, 0, 64), kCorrupt, "tensor w"},
        {"sizes whose product overflows", one({1ull << 32, 1ull << 32}, 0, 0, 64), kCorrupt, "product beyond 2^63"},
        {"bytes that overflow", one({1ull << 31, 1ull << 31}, 0, 0, 64), kCorrupt, "more bytes than a file can hold"},
        {"rows that are no whole blocks", one({48, 2}, 8, 0, 128), kCorrupt, "rows of 48 values"},
        {"K rows that are no whole blocks", one({128, 2}, 12, 0, 144), kCorrupt, "stores 256 together"},
        {"type Q2_K", one({256}, 10, 0, 96), kUnsupported, "tensor w: the type Q2_K is not read; import"},
        {"type IQ4_XS", one({256}, 23, 0, 160), kUnsupported, "IQ4_XS"},
        {"type MXFP4", one({32}, 39, 0, 32), kUnsupported, "MXFP4"},
        {"a type that was removed", one({32}, 4, 0, 32), kUnsupported, "Q4_2"},
        {"type 77", one({32}, 77, 0, 32), kCorrupt, "unknown type 77"},
        {"offset between two alignments", one({8}, 0, 4, 64), kCorrupt, "data byte 4"},
        {"beyond the end", one({8}, 0, 1 << 20, 64), kCorrupt, "tensor w"},
        {"offset near 2^64", one({8}, 0, UINT64_MAX - 31, 64), kCorrupt, "tensor w"},
        {"longer than the file", one({1024}, 0, 0, 64), kCorrupt, "tensor w: takes 4096 bytes"},
        {"hole at the start", one({8}, 0, 64, 128), kCorrupt, "tensor w: leaves a hole of 64 bytes"},
        {"trailing bytes", one({8}, 0, 0, 64), kCorrupt, "32 bytes follow the last tensor"},
        {"overlap", RawGguf().tensor("a", {16}, 0, 0).tensor("b", {8}, 0, 32).bytes(64), kCorrupt,
         "tensor b: overlaps"},
        {"two tensors in one place", RawGguf().tensor("a", {8}, 0, 0).tensor("b", {8}, 0, 0).bytes(32), kCorrupt,
         "overlaps"},
        {"tensor twice", RawGguf().tensor("a", {8}, 0, 0).tensor("a", {8}, 0, 32).bytes(64), kCorrupt,
         "tensor a: stands in the file twice"},
        {"tensor name with a space", RawGguf().tensor("a b", {8}, 0, 0).bytes(32), kCorrupt, "printable"},
    };
}

std::vector<HostileFile> hostileFiles() {
    std::vector<HostileFile> all;
    for (const auto& part : {badHeaders(), badKeys(), badTensors()}) all.insert(all.end(), part.begin(), part.end());
    return all;
}

RawGguf wholeFile() {
    RawGguf file;
    file.string("general.architecture", "llama")
        .integer("general.alignment", 64)
        .array("words", 8, 2, RawGguf::text("ab") + RawGguf::text(""));
    file.tensor("b", {32, 2}, 8, 64).tensor("a", {3}, 0, 0);
    return file;
}

// Keys of a llama of one layer, which a test breaks one at a time.
RawGguf smallModel(const std::string& without = "", const std::function<void(RawGguf&)>& with = {}) {
    RawGguf file;
    const std::pair<const char*, std::uint32_t> numbers[] = {{"llama.embedding_length", 32},
                                                             {"llama.block_count", 1},
                                                             {"llama.attention.head_count", 2},
                                                             {"llama.feed_forward_length", 32},
                                                             {"llama.context_length", 64}};
    if (without != "general.architecture") file.string("general.architecture", "llama");
    for (const auto& [key, value] : numbers)
        if (without != key) file.integer(key, value);
    if (with) with(file);
    if (without != "token_embd.weight") file.tensor("token_embd.weight", {32, 10}, 0, 0);
    return file;
}

Result<GgufModel> opened(const std::string& bytes, const char* name = "x.gguf") {
    const QTemporaryDir temporary;
    const Path path = Path(temporary.path().toStdString()) / name;
    writeFile(path, bytes);
    return openGgufModel(*makeFileSystem(), path);
}

// A part of a split model with one tensor.
std::string part(std::uint16_t number, std::uint16_t count, const char* tensor) {
    RawGguf file;
    if (number == 0) file = smallModel("token_embd.weight");
    file.key("split.no", 2, RawGguf::number(number)).key("split.count", 2, RawGguf::number(count));
    file.tensor(tensor, {32, 10}, 0, 0);
    return file.bytes(1280);
}

// A part whose keys take `megabytes`, all of them a hole in the file.
void writeLargePart(const Path& path, std::uint16_t number, std::uint16_t count, std::uint64_t megabytes) {
    RawGguf file;
    if (number == 0) file = smallModel("token_embd.weight");
    file.key("split.no", 2, RawGguf::number(number)).key("split.count", 2, RawGguf::number(count));
    file.array("hole", 0, megabytes << 20, "");
    const std::string head = file.bytes(0, 1);
    writeFile(path, head);
    std::filesystem::resize_file(path, (head.size() + (megabytes << 20) + 31) / 32 * 32);
}

// Keys of a bert of one layer.
RawGguf smallBert() {
    RawGguf file;
    file.string("general.architecture", "bert");
    const std::pair<const char*, std::uint32_t> numbers[] = {{"bert.embedding_length", 32},
                                                             {"bert.block_count", 1},
                                                             {"bert.attention.head_count", 2},
                                                             {"bert.feed_forward_length", 32},
                                                             {"bert.context_length", 64}};
    for (const auto& [key, value] : numbers) file.integer(key, value);
    return file;
}

}  // namespace

class TestGguf : public QObject {
    Q_OBJECT
private slots:
    void hostileFilesAreRefusedByName_data() {
        QTest::addColumn<int>("index");
        int index = 0;
        for (const HostileFile& hostile : hostileFiles()) QTest::newRow(hostile.name) << index++;
    }
    void hostileFilesAreRefusedByName() {
        QFETCH(int, index);
        const HostileFile hostile = hostileFiles()[static_cast<std::size_t>(index)];
        const std::clock_t before = std::clock();
        const auto header = headerOf(hostile.bytes);
        QVERIFY(std::clock() - before < CLOCKS_PER_SEC);
        QVERIFY(!header);
        const std::string& message = header.error().message;
        QVERIFY2(header.error().code == hostile.code, message.c_str());
        QVERIFY2(message.find(hostile.names) != std::string::npos, message.c_str());
        QVERIFY2(message.find("x.gguf") != std::string::npos, message.c_str());
        QVERIFY2(message.size() < 600, message.c_str());
    }

    void everyTruncationIsRefusedAndSoIsEveryShortHead() {
        const std::string whole = wholeFile().bytes(132, 64);
        QVERIFY(headerOf(whole) && *headerOf(whole));
        for (std::size_t size = 0; size < whole.size(); ++size) {
            const auto header = headerOf(whole.substr(0, size));
            QVERIFY2(!header, std::to_string(size).c_str());
            QCOMPARE(header.error().code, kCorrupt);
            // The same bytes as the beginning of a longer file: more is wanted, or the header is already whole.
            const std::string head = whole.substr(0, size);
            const auto more = readGgufHeader(std::as_bytes(std::span(head)), whole.size(), "x.gguf");
            QVERIFY(more);
        }
    }

    void everyFlippedHeaderBitIsRefusedOrStaysInsideTheFile() {
        const std::string whole = wholeFile().bytes(132, 64);
        int refused = 0;
        for (std::size_t bit = 0; bit < 8 * (whole.size() - 132); ++bit) {
            std::string broken = whole;
            broken[bit / 8] = static_cast<char>(broken[bit / 8] ^ (1 << (bit % 8)));
            const auto header = headerOf(broken);
            refused += !header;
            if (!header) continue;
            for (const TensorEntry& entry : (*header)->tensors)
                QVERIFY(entry.offset + static_cast<std::uint64_t>(entry.bytes) <= broken.size());
        }
        QVERIFY(refused > 500);
    }

    void valuesAndTensorsAreWhereTheFileHasThem() {
        const std::string bytes = wholeFile().bytes(132, 64);
        const GgufHeader header = **headerOf(bytes);
        const GgufKeys keys(header, std::as_bytes(std::span(bytes)), "x.gguf");
        QCOMPARE(keys.string("general.architecture")->value(), std::string("llama"));
        QCOMPARE(keys.integer("general.alignment", 0, 100)->value(), std::int64_t{64});
        QCOMPARE(*keys.strings("words", 2), (std::vector<std::string>{"ab", ""}));
        QVERIFY(!*keys.integer("absent", 0, 1));
        QCOMPARE(keys.integer("words", 0, 1).error().message,
                 std::string("x.gguf: words must be an integer from 0 to 1, found an array of 2 string"));
        QCOMPARE(keys.integer("general.alignment", 0, 1).error().message,
                 std::string("x.gguf: general.alignment must be an integer from 0 to 1, found u32 64"));
        QCOMPARE(header.tensors[0].name, std::string("a"));
        QCOMPARE(header.tensors[1].shape, (std::vector<std::int64_t>{2, 32}));
        QCOMPARE(header.tensors[1].bytes, std::int64_t{68});
        QCOMPARE(header.tensors[1].offset, std::uint64_t{bytes.size() - 132 + 64});
        QCOMPARE(header.tensors[1].dtype, DType::Q8_0);
    }

    void aWrittenHeaderReadsBack() {
        const std::string source = wholeFile().bytes(132, 64);
        const GgufHeader header = **headerOf(source);
        GgufKeyWriter keys;
        for (const auto& [key, value] : header.keys) keys.copy(key, value, std::as_bytes(std::span(source)));
        const auto written = ggufHeaderBytes(keys, {{"a", DType::F32, {3}}, {"b", DType::Q8_0, {2, 32}}}, 64);
        const auto again = readGgufHeader(written, written.size() + 132, "y.gguf");
        QVERIFY2(again, again ? "" : again.error().message.c_str());
        QCOMPARE((*again)->keys.size(), header.keys.size());
        QCOMPARE((*again)->tensors[1].offset, written.size() + 64);
        QCOMPARE(GgufKeys(**again, written, "y").strings("words", 2)->front(), std::string("ab"));
    }

    void brokenModelsAreRefusedByKeyOrTensor() {
        struct Broken {
            const char* name;
            std::string bytes;
            ErrorCode code;
            const char* names;
        };
        const auto with = [](const std::function<void(RawGguf&)>& change) {
            return smallModel("", change).bytes(1280);
        };
        const Broken all[] = {
            {"no architecture", smallModel("general.architecture").bytes(1280), kCorrupt,
             "general.architecture must be"},
            {"no width", smallModel("llama.embedding_length").bytes(1280), kCorrupt, "llama.embedding_length"},
            {"no layers", smallModel("llama.block_count").bytes(1280), kCorrupt, "llama.block_count"},
            {"no embedding", smallModel("token_embd.weight").bytes(), ErrorCode::MissingTensor, "token_embd.weight"},
            {"unknown architecture", RawGguf().string("general.architecture", "mamba").bytes(), kUnsupported,
             "\"mamba\" is not supported; known: llama"},
            {"rope scaling nobody knows", with([](RawGguf& file) { file.string("llama.rope.scaling.type", "yarn"); }),
             kUnsupported, "llama.rope.scaling.type is \"yarn\""},
            {"rope scaling below 0", with([](RawGguf& file) { file.real("llama.rope.scaling.factor", -2); }), kCorrupt,
             "llama.rope.scaling.factor"},
            {"too many heads",
             smallModel("llama.attention.head_count",
                        [](RawGguf& file) { file.integer("llama.attention.head_count", 5000); })
                 .bytes(1280),
             kCorrupt, "\"llama.attention.head_count\" must be an integer from 1 to 4096, found 5000"},
            {"heads that do not divide",
             smallModel("llama.attention.head_count",
                        [](RawGguf& file) { file.integer("llama.attention.head_count", 3); })
                 .bytes(1280),
             kCorrupt,
             "\"llama.embedding_length\" (32) must be a multiple of \"llama.attention.head_count\" (3) when there is "
             "no \"llama.attention.key_length\""},
            {"a window", with([](RawGguf& file) { file.integer("llama.attention.sliding_window", 16); }), kUnsupported,
             "llama.attention.sliding_window is 16"},
            {"tokens that see the whole text",
             with([](RawGguf& file) { file.key("llama.attention.causal", 7, std::string(1, '\0')); }), kUnsupported,
             "llama.attention.causal is false"},
            {"one tensor under two names",
             smallModel("",
                        [](RawGguf& file) {
                            file.tensor("blk.0.attn_norm.weight", {32}, 0, 1280)
                                .tensor("blk.0.attn_output_norm.weight", {32}, 0, 1408);
                        })
                 .bytes(1536),
             kCorrupt, "x.gguf: blk.0.attn_norm.weight and blk.0.attn_output_norm.weight are the same"},
            {"rope factors of two dimensions",
             smallModel("",
                        [](RawGguf& file) {
                            file.tensor("rope_freqs.weight", {4, 2}, 0, 1280);
                        })
                 .bytes(1312),
             ErrorCode::ShapeMismatch, "must be f32 [8], found f32 [2,4]"},
            {"rope over part of a head", with([](RawGguf& file) { file.integer("llama.rope.dimension_count", 8); }),
             kUnsupported, "llama.rope.dimension_count is 8"},
            {"experts", with([](RawGguf& file) { file.integer("llama.expert_count", 8); }), kUnsupported,
             "expert_count"},
            {"heads per layer",
             with([](RawGguf& file) { file.array("llama.attention.head_count_kv", 4, 1, RawGguf::number(2u)); }),
             kCorrupt, "llama.attention.head_count_kv"},
            {"theta that is NaN", with([](RawGguf& file) { file.real("llama.rope.freq_base", std::nanf("")); }),
             kCorrupt, "llama.rope.freq_base"},
        };
        for (const Broken& broken : all) {
            const auto model = opened(broken.bytes);
            QVERIFY2(!model, broken.name);
            QVERIFY2(model.error().code == broken.code, model.error().text().c_str());
            QVERIFY2(model.error().message.find(broken.names) != std::string::npos, model.error().message.c_str());
        }
        QVERIFY(opened(smallModel().bytes(1280)));
    }

    // llama.cpp takes a factor without a type as linear, and 0 as none.
    void aRopeFactorAloneIsLinear() {
        const auto ropeWith = [](const char* key, float value) {
            const auto model = opened(smallModel("", [&](RawGguf& file) { file.real(key, value); }).bytes(1280));
            RopeSpec none;
            none.theta = -1;
            return model ? model->spec.rope : none;
        };
        for (const char* key : {"llama.rope.scaling.factor", "llama.rope.scale_linear"}) {
            QVERIFY(ropeWith(key, 4).scaling == RopeScaling::Linear);
            QCOMPARE(ropeWith(key, 4).factor, 4.0);
            QCOMPARE(ropeWith(key, 0).factor, 1.0);
        }
        const auto none = opened(smallModel("", [](RawGguf& file) {
                                     file.string("llama.rope.scaling.type", "none");
                                     file.real("llama.rope.scaling.factor", 4);
                                 }).bytes(1280));
        QVERIFY(none && none->spec.rope.scaling == RopeScaling::None);
    }

    // Beyond the positions of the model a window says nothing.
    void aWindowAsLongAsTheContextIsNone() {
        const auto model = opened(
            smallModel("", [](RawGguf& file) { file.integer("llama.attention.sliding_window", 64); }).bytes(1280));
        QVERIFY2(model, model ? "" : model.error().message.c_str());
    }

    void idsThatAreUnsetAreNone() {
        const auto model = opened(smallModel("", [](RawGguf& file) {
                                      file.integer("tokenizer.ggml.bos_token_id", 0xFFFFFFFF);
                                      file.key("tokenizer.ggml.eos_token_id", 5, RawGguf::number(-1));
                                      file.integer("tokenizer.ggml.eot_token_id", 7);
                                  }).bytes(1280));
        QVERIFY2(model, model ? "" : model.error().message.c_str());
        QVERIFY(model->spec.bosIds.empty());
        QCOMPARE(model->spec.eosIds, std::vector<std::int32_t>{7});
        const auto beyond = opened(
            smallModel("", [](RawGguf& file) { file.integer("tokenizer.ggml.bos_token_id", 0xFFFFFFFE); }).bytes(1280));
        QVERIFY(beyond.error().message.find("tokenizer.ggml.bos_token_id") != std::string::npos);
    }

    // DistilBERT is stored as "bert" without the table.
    void tokenTypesAreThoseOfTheTable() {
        const auto without = opened(smallBert().tensor("token_embd.weight", {32, 10}, 0, 0).bytes(1280));
        QVERIFY2(without, without ? "" : without.error().message.c_str());
        QCOMPARE(without->spec.tokenTypes, 0);
        const auto with = opened(smallBert()
                                     .tensor("token_embd.weight", {32, 10}, 0, 0)
                                     .tensor("token_types.weight", {32, 2}, 0, 1280)
                                     .bytes(1536));
        QCOMPARE(with->spec.tokenTypes, 2);
    }

    void onlyTheFirstPartKeepsItsKeys() {
        const QTemporaryDir temporary;
        const Path folder = temporary.path().toStdString();
        const auto files = makeFileSystem();
        constexpr std::uint16_t kParts = 9;
        const auto name = [&](int number) { return folder / ("m-0000" + std::to_string(number) + "-of-00009.gguf"); };
        for (std::uint16_t i = 0; i < kParts; ++i) writeLargePart(name(i + 1), i, kParts, 24);
        const PeakMemory peak;
        const auto missing = openGgufModel(*files, name(1));
        QCOMPARE(missing.error().code, ErrorCode::MissingTensor);  // all parts were read: they have no tensor
        if (kMemoryIsMeasured) QVERIFY2(peak.growth() < 96 << 20, std::to_string(peak.growth()).c_str());
        for (std::uint16_t i = 0; i < kParts; ++i) writeLargePart(name(i + 1), i, kParts, 30);
        const auto refused = openGgufModel(*files, name(1));
        QCOMPARE(refused.error().code, ErrorCode::TooLarge);
        QVERIFY2(refused.error().message.find("m-00009-of-00009.gguf") != std::string::npos,
                 refused.error().message.c_str());
    }

    void aWholeFileThatIsCalledAPartIsFoundUnderItsName() {
        const QTemporaryDir temporary;
        const Path file = Path(temporary.path().toStdString()) / "m-00002-of-00003.gguf";
        const auto files = makeFileSystem();
        writeFile(file, smallModel().bytes(1280));
        QCOMPARE(findGguf(*files, file.parent_path())->value(), file);
    }

    void tensorsAreNamedBackForMessages() {
        const Family& llama = *familyNamed("llama");
        QCOMPARE(ggufTensorName(llama, "model.layers.12.self_attn.q_proj.weight"), std::string("blk.12.attn_q.weight"));
        QCOMPARE(ggufTensorName(llama, "model.layers.0.input_layernorm.weight"), std::string("blk.0.attn_norm.weight"));
        QCOMPARE(ggufTensorName(llama, "model.norm.weight"), std::string("output_norm.weight"));
        QCOMPARE(ggufTensorName(llama, "model.layers."), std::string("model.layers."));
        QCOMPARE(ggufTensorName(llama, "nothing"), std::string("nothing"));
        const Family& bert = *familyNamed("bert");
        QCOMPARE(ggufTensorName(bert, "bert.encoder.layer.1.output.LayerNorm.bias"),
                 std::string("blk.1.layer_output_norm.bias"));
        QCOMPARE(ggufTensorName(bert, "bert.embeddings.token_type_embeddings.weight"),
                 std::string("token_types.weight"));
        QCOMPARE(ggufTensorName(*familyNamed("gpt2"), "transformer.h.0.attn.c_attn.bias"),
                 std::string("blk.0.attn_qkv.bias"));
        QCOMPARE(ggufTensorName(*familyNamed("gpt2"), "transformer.h.0.ln_1.bias"),
                 std::string("blk.0.attn_norm.bias"));
    }

    void partsOfASplitModelFindEachOther() {
        const QTemporaryDir temporary;
        const Path folder = temporary.path().toStdString();
        const auto files = makeFileSystem();
        const auto name = [&](int number) { return folder / ("m-0000" + std::to_string(number) + "-of-00003.gguf"); };
        writeFile(name(1), part(0, 3, "token_embd.weight"));
        writeFile(name(3), part(2, 3, "blk.0.attn_k.weight"));
        const auto missing = openGgufModel(*files, name(3));
        QCOMPARE(missing.error().code, ErrorCode::NotFound);
        QVERIFY(missing.error().message.find("m-00002-of-00003.gguf is missing") != std::string::npos);
        writeFile(name(2), part(1, 3, "blk.0.attn_q.weight"));
        for (int number = 1; number <= 3; ++number) {
            const auto model = openGgufModel(*files, name(number));
            QVERIFY2(model, model ? "" : model.error().message.c_str());
            QCOMPARE(model->tensors->tensors().size(), std::size_t{3});
            QVERIFY(model->tensors->find("model.layers.0.self_attn.q_proj.weight"));
        }
        QCOMPARE(findGguf(*files, folder)->value(), name(1));
        writeFile(name(2), part(1, 3, "token_embd.weight"));
        QVERIFY(openGgufModel(*files, name(1)).error().message.find("stands in m-00001-of-00003.gguf") !=
                std::string::npos);
        writeFile(name(2), part(1, 2, "blk.0.attn_q.weight"));
        QCOMPARE(openGgufModel(*files, name(1)).error().code, kCorrupt);
        std::filesystem::rename(name(1), folder / "renamed.gguf");
        QVERIFY(openGgufModel(*files, folder / "renamed.gguf").error().message.find("-00001-of-00003.gguf") !=
                std::string::npos);
        QCOMPARE(findGguf(*files, folder).error().code, ErrorCode::InvalidArgument);
    }

    void devicesLoopsAndFoldersAreNoGgufFiles() {
        const QTemporaryDir temporary;
        const Path folder = temporary.path().toStdString();
        const auto files = makeFileSystem();
        std::filesystem::create_symlink("/dev/zero", folder / "zero.gguf");
        QCOMPARE(openGgufModel(*files, folder / "zero.gguf").error().code, ErrorCode::InvalidArgument);
        std::filesystem::create_symlink("loop.gguf", folder / "loop.gguf");
        QVERIFY(!openGgufModel(*files, folder / "loop.gguf"));
        std::filesystem::create_directory(folder / "folder.gguf");
        QCOMPARE(openGgufModel(*files, folder / "folder.gguf").error().code, ErrorCode::InvalidArgument);
        QCOMPARE(openGgufModel(*files, folder / "absent.gguf").error().code, ErrorCode::NotFound);
    }

    void aFileCutShortAfterItWasOpenedIsAnError() {
        const QTemporaryDir temporary;
        const Path path = Path(temporary.path().toStdString()) / "x.gguf";
        const auto files = makeFileSystem();
        writeFile(path, smallModel().bytes(1280));
        const auto model = openGgufModel(*files, path);
        QVERIFY(model);
        const TensorEntry& entry = model->tensors->tensors().front();
        QCOMPARE(readTensor(*model->tensors, entry)->size(), std::size_t{1280});
        std::filesystem::resize_file(path, std::filesystem::file_size(path) - 1000);
        const auto read = readTensor(*model->tensors, entry);
        QCOMPARE(read.error().code, ErrorCode::IoError);
        QVERIFY2(read.error().message.find("cut short") != std::string::npos, read.error().message.c_str());
        QVERIFY(read.error().message.find("x.gguf: model.embed_tokens.weight") != std::string::npos);
    }
};
ESPALIER_TEST(tst_gguf, TestGguf)
#include "tst_gguf.moc"
