// SPDX-License-Identifier: GPL-3.0-or-later
#include <QTemporaryDir>
#include <QTest>
#include <cstring>

#include "core/formats/safetensors.h"
#include "tests/support/test_main.h"
#include "tests/support/tiny_model.h"

using namespace espalier;
using namespace espalier::test;

namespace {

// A file that must be refused: its header and data, the error, and what the sentence has to name.
struct HostileFile {
    const char* name;
    std::string bytes;
    ErrorCode code;
    const char* names;
};

std::string entry(const char* name, const char* dtype, const char* shape, const char* offsets) {
    return std::string("\"") + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape +
           ",\"data_offsets\":" + offsets + "}";
}

std::string file(const std::string& members, std::size_t dataBytes) {
    return safetensorsBytes("{" + members + "}", std::string(dataBytes, '\0'));
}

std::string repeated(const std::string& text, int times) {
    std::string all;
    for (int i = 0; i < times; ++i) all += text;
    return all;
}

std::string emptyTensors(int count) {
    std::string members;
    for (int i = 0; i < count; ++i)
        members += (i > 0 ? "," : "") + entry(std::to_string(i).c_str(), "F32", "[0]", "[0,0]");
    return members;
}

std::vector<HostileFile> hostileFiles() {
    const auto corrupt = ErrorCode::CorruptFile;
    const auto f32 = [](const char* shape, const char* offsets) { return entry("w", "F32", shape, offsets); };
    return {
        {"empty file", "", corrupt, "x.safetensors"},
        {"seven bytes", std::string(7, '\0'), corrupt, "x.safetensors"},
        {"header of length 0", safetensorsBytes("", ""), corrupt, "x.safetensors"},
        {"header longer than the file", safetensorsBytes("{}", "", 3), corrupt, "cut short"},
        {"header length with every bit set", std::string(8, '\xff') + "{}", corrupt, "18446744073709551615"},
        {"header over the cap", safetensorsBytes("{}", "", 100'000'001), corrupt, "100000001"},
        {"a pickle file", std::string("\x80\x02}q\x00(X\x05", 8) + "weights", corrupt, "is it a safetensors file"},
        {"header that is not JSON", safetensorsBytes("{\"w\":", ""), corrupt, "not valid JSON"},
        {"header that starts with a space", safetensorsBytes(" {}", ""), corrupt, "not a JSON object"},
        {"header that is an array", safetensorsBytes("[]", ""), corrupt, "not a JSON object"},
        {"two JSON documents", safetensorsBytes("{}{}", ""), corrupt, "not valid JSON"},
        {"invalid UTF-8 in a name", safetensorsBytes("{\"\xff\":1}", ""), corrupt, "x.safetensors"},
        {"depth bomb", safetensorsBytes("{\"w\":" + std::string(1 << 20, '['), ""), corrupt, "nested deeper"},
        {"depth bomb inside metadata", safetensorsBytes("{\"__metadata__\":{\"a\":{\"b\":{}}}}", ""), corrupt,
         "nested deeper"},
        {"more values than tensors could have", file(f32(("[0" + repeated(",0", 2'000'000) + "]").c_str(), "[0,0]"), 0),
         corrupt, "holds more than 1572864 values"},
        {"metadata that is a list", file("\"__metadata__\":[]", 0), corrupt, "__metadata__"},
        {"metadata with a number", file("\"__metadata__\":{\"step\":1}", 0), corrupt, "\"step\""},
        {"duplicate tensor", file(f32("[1]", "[0,4]") + "," + f32("[1]", "[4,8]"), 8), corrupt, "\"w\" stands twice"},
        {"duplicate key inside a tensor",
         file("\"w\":{\"dtype\":\"F32\",\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[0,4]}", 4), corrupt,
         "stands twice"},
        {"tensor that is a number", file("\"w\":1", 0), corrupt, "tensor w"},
        {"unknown key in a tensor", file("\"w\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4],\"x\":1}", 4),
         corrupt, "tensor w"},
        {"no dtype", file("\"w\":{\"shape\":[1],\"data_offsets\":[0,4]}", 4), corrupt, "tensor w"},
        {"no shape", file("\"w\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}", 4), corrupt, "tensor w"},
        {"no offsets", file("\"w\":{\"dtype\":\"F32\",\"shape\":[1]}", 4), corrupt, "tensor w"},
        {"unknown dtype", file(entry("w", "Q7", "[1]", "[0,1]"), 1), ErrorCode::Unsupported,
         "tensor w: the element type Q7"},
        {"FP8", file(entry("w", "F8_E4M3", "[4]", "[0,4]"), 4), ErrorCode::Unsupported, "F8_E4M3"},
        {"packed unsigned words", file(entry("w", "U32", "[1]", "[0,4]"), 4), ErrorCode::Unsupported, "U32"},
        {"negative size", file(f32("[-1]", "[0,4]"), 4), corrupt, "tensor w"},
        {"fractional size", file(f32("[1.0]", "[0,4]"), 4), corrupt, "tensor w"},
        {"size over 63 bits", file(f32("[18446744073709551615]", "[0,4]"), 4), corrupt, "tensor w"},
        {"size over 64 bits", file(f32("[18446744073709551616]", "[0,4]"), 4), corrupt, "tensor w"},
        {"product that wraps to 4 bytes", file(f32("[4294967296,4294967296,1]", "[0,4]"), 4), corrupt, "tensor w"},
        {"product that wraps to 0 bytes", file(f32("[4611686018427387904,4]", "[0,0]"), 0), corrupt, "tensor w"},
        {"too many dimensions", file(f32("[1,1,1,1,1,1,1,1,1]", "[0,4]"), 4), corrupt, "tensor w"},
        {"shape that is a number", file(f32("4", "[0,4]"), 4), corrupt, "tensor w"},
        {"offsets descend", file(f32("[1]", "[4,0]"), 4), corrupt, "tensor w"},
        {"negative offset", file(f32("[1]", "[-4,0]"), 4), corrupt, "tensor w"},
        {"three offsets", file(f32("[1]", "[0,4,8]"), 8), corrupt, "tensor w"},
        {"offset beyond the file", file(f32("[2]", "[0,8]"), 4), corrupt, "cut short"},
        {"offset near 2^63", file(f32("[1]", "[9223372036854775803,9223372036854775807]"), 4), corrupt, "tensor w"},
        {"bytes unlike the shape", file(f32("[1]", "[0,8]"), 8), corrupt, "takes 8 bytes"},
        {"overlap", file(entry("a", "F32", "[2]", "[0,8]") + "," + entry("b", "F32", "[2]", "[4,12]"), 12), corrupt,
         "tensor b: overlaps"},
        {"two tensors in one place",
         file(entry("a", "F32", "[1]", "[0,4]") + "," + entry("b", "F32", "[1]", "[0,4]"), 4), corrupt, "overlaps"},
        {"empty tensor inside another",
         file(entry("a", "F32", "[2]", "[0,8]") + "," + entry("b", "F32", "[0]", "[4,4]"), 8), corrupt,
         "tensor b: overlaps"},
        {"hole", file(entry("a", "F32", "[1]", "[0,4]") + "," + entry("b", "F32", "[1]", "[8,12]"), 12), corrupt,
         "tensor b: leaves a hole of 4"},
        {"hole at the start", file(f32("[1]", "[4,8]"), 8), corrupt, "tensor w: leaves a hole of 4"},
        {"tensor without a name", file(entry("", "F32", "[1]", "[0,4]"), 4), corrupt, "its name has 0 bytes"},
        {"long name", file(entry(std::string(513, 'w').c_str(), "F32", "[1]", "[0,4]"), 4), corrupt,
         "its name has 513 bytes; expected 1 to 512"},
        {"long size", file(f32(("[\"" + std::string(100'000, 'x') + "\"]").c_str(), "[0,4]"), 4), corrupt,
         "\"shape\" must hold integers"},
        {"long offsets", file(f32("[1]", ("[\"" + std::string(100'000, 'x') + "\",4]").c_str()), 4), corrupt,
         "two ascending integers"},
        {"trailing byte", file(f32("[1]", "[0,4]"), 5), corrupt, "1 bytes follow the last tensor"},
        {"data without tensors", file("", 16), corrupt, "16 bytes follow"},
    };
}

Result<std::vector<TensorEntry>> headerOf(const std::string& file, const Path& path) {
    return readSafetensorsHeader(std::as_bytes(std::span(file)), file.size(), path);
}

std::vector<RawTensor> twoTensors() {
    std::vector<std::byte> six(6);
    for (std::size_t i = 0; i < six.size(); ++i) six[i] = static_cast<std::byte>(i + 1);
    return {{"b", "BF16", {3}, six}, {"a", "F32", {1, 2}, std::vector<std::byte>(8, std::byte{7})}};
}

}  // namespace

class TestSafetensors : public QObject {
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
        const auto entries = headerOf(hostile.bytes, "/models/x.safetensors");
        QVERIFY(!entries);
        QCOMPARE(entries.error().code, hostile.code);
        const std::string& message = entries.error().message;
        QVERIFY2(message.find(hostile.names) != std::string::npos, message.c_str());
        QVERIFY2(message.find("x.safetensors") != std::string::npos, message.c_str());
        QVERIFY2(message.size() < 600, message.c_str());
    }
    void moreTensorsThanAreReadAreRefused() {
        const auto most = headerOf(file("\"__metadata__\":{}," + emptyTensors(65'536), 0), "x.safetensors");
        QCOMPARE(most->size(), std::size_t{65'536});
        const auto more = headerOf(file(emptyTensors(65'537), 0), "x.safetensors");
        QCOMPARE(more.error().code, ErrorCode::TooLarge);
        QCOMPARE(more.error().message, std::string("x.safetensors: lists 65537 tensors, at most 65536 are read"));
    }
    void everyTruncationIsRefused() {
        const std::string whole = safetensorsBytes(twoTensors());
        QVERIFY(headerOf(whole, "x.safetensors"));
        for (std::size_t size = 0; size < whole.size(); ++size) {
            const std::string cut = whole.substr(0, size);
            const auto entries = headerOf(cut, "x.safetensors");
            QVERIFY2(!entries, std::to_string(size).c_str());
            QCOMPARE(entries.error().code, ErrorCode::CorruptFile);
        }
    }
    void everyFlippedHeaderBitIsRefusedOrStaysInsideTheFile() {
        const std::string whole = safetensorsBytes(twoTensors());
        int refused = 0;
        for (std::size_t bit = 0; bit < 8 * (whole.size() - 14); ++bit) {
            std::string broken = whole;
            broken[bit / 8] = static_cast<char>(broken[bit / 8] ^ (1 << (bit % 8)));
            const auto entries = headerOf(broken, "x.safetensors");
            refused += !entries;
            if (!entries) continue;
            for (const TensorEntry& found : *entries)
                QVERIFY(found.offset + static_cast<std::uint64_t>(found.bytes) <= broken.size());
        }
        QVERIFY(refused > 500);
    }
    void tensorsComeSortedWithTheirBytes() {
        const QTemporaryDir temporary;
        const Path path = temporary.filePath("x.safetensors").toStdString();
        writeFile(path, safetensorsBytes(twoTensors()));
        const auto files = makeFileSystem();
        const auto source = openSafetensors(*files, path);
        QVERIFY(source);
        const auto& tensors = (*source)->tensors();
        QCOMPARE(tensors.size(), std::size_t{2});
        QCOMPARE(tensors[0].name, std::string("a"));
        QCOMPARE(tensors[1].dtype, DType::BF16);
        QCOMPARE(tensors[1].location(), std::string("x.safetensors: b"));
        QCOMPARE(readTensor(**source, tensors[1]).value()[5], std::byte{6});
        QVERIFY(!(*source)->find("c"));
    }
    void emptyTensorsAndScalarsAreTensors() {
        const std::string bytes =
            file(entry("empty", "F32", "[0,5]", "[4,4]") + "," + entry("scalar", "F32", "[]", "[0,4]") + "," +
                     entry("first", "I64", "[3,0]", "[0,0]"),
                 4);
        const auto entries = headerOf(bytes, "x.safetensors");
        QVERIFY2(entries, entries ? "" : entries.error().message.c_str());
        QCOMPARE((*entries)[0].bytes, std::int64_t{0});
        QCOMPARE((*entries)[2].shape.size(), std::size_t{0});
    }
    void aFileWithoutTensorsAndPaddedHeaderReads() {
        QCOMPARE(headerOf(safetensorsBytes("{}      ", ""), "x")->size(), std::size_t{0});
    }
};
ESPALIER_TEST(tst_safetensors, TestSafetensors)
#include "tst_safetensors.moc"
