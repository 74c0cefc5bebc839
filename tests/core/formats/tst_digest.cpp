// SPDX-License-Identifier: GPL-3.0-or-later
#include <QTemporaryDir>
#include <QTest>

#include "core/formats/digest.h"
#include "tests/support/test_main.h"
#include "tests/support/tiny_model.h"

using namespace espalier;
using namespace espalier::test;

namespace {

std::string number(std::uint64_t value) {
    std::string bytes;
    for (int i = 0; i < 8; ++i) bytes += static_cast<char>(value >> (8 * i));
    return bytes;
}
std::string text(const std::string& value) {
    return number(value.size()) + value;
}
std::string sha(const std::string& content) {
    Sha256 hash;
    hash.update(content);
    const Sha256Digest digest = hash.finish();
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::string digestOf(const Path& folder) {
    const auto files = makeFileSystem();
    const auto source = openModelFolder(*files, folder);
    return digestModel(*files, folder, **source, {}, {}).value();
}

}  // namespace

class TestDigest : public QObject {
    Q_OBJECT
private slots:
    void itIsTheHashOfTheDocumentedBytes() {
        const QTemporaryDir temporary;
        const Path folder = temporary.path().toStdString();
        writeFile(folder / "model.safetensors",
                  safetensorsBytes({{"b", "U8", {1, 2}, {std::byte{'x'}, std::byte{'y'}}}, {"a", "I64", {0}, {}}}));
        writeFile(folder / "tokenizer.json", "{}");
        writeFile(folder / "config.json", "{\"a\":1}");
        writeFile(folder / "README.md", "not part of the model");
        writeFile(folder / "sentence_bert_config.json", "[]");
        for (const char* stage : {"1_Pooling", "onnx"}) {
            std::filesystem::create_directory(folder / stage);
            writeFile(folder / stage / "config.json", "{}");
        }
        const std::string expected =
            std::string("espalier-model-digest-2\n") + number(4) + text("1_Pooling/config.json") + sha("{}") +
            text("config.json") + sha("{\"a\":1}") + text("sentence_bert_config.json") + sha("[]") +
            text("tokenizer.json") + sha("{}") + number(2) + text("a") + text("i64") + number(1) + number(0) + sha("") +
            text("b") + text("u8") + number(2) + number(1) + number(2) + sha("xy");
        Sha256 hash;
        hash.update(expected);
        QCOMPARE(digestOf(folder), "sha256:" + hash.finishHex());
    }
    // Models in workspaces have it.
    void theFirstVersionCanStillBeMade() {
        ModelDigest digest;
        digest.addFile("config.json", {7});
        std::string content(32, '\0');
        content[0] = 7;
        Sha256 hash;
        hash.update("espalier-model-digest-1\n" + number(1) + text("config.json") + content + number(0));
        QCOMPARE(digest.finish(1), "sha256:" + hash.finishHex());
        QVERIFY(digest.finish() != digest.finish(1));
        QVERIFY(isDigestFile("config.json", 1) && !isDigestFile("1_Pooling/config.json", 1));
        QVERIFY(isDigestFile("1_Pooling/config.json") && !isDigestFile("onnx/config.json"));
    }
    void shardingDoesNotChangeIt() {
        const QTemporaryDir temporary;
        const Path folder = temporary.path().toStdString();
        writeTinyModel(folder / "one");
        writeTinyModel(folder / "three", {.shards = 3});
        QCOMPARE(digestOf(folder / "one"), digestOf(folder / "three"));
    }
    void anyWeightConfigOrTokenizerByteChangesIt() {
        const QTemporaryDir temporary;
        const Path folder = temporary.path().toStdString();
        writeTinyModel(folder / "a");
        const std::string digest = digestOf(folder / "a");
        writeTinyModel(folder / "b", {.seed = 2});
        QVERIFY(digestOf(folder / "b") != digest);
        for (const char* name : {"config.json", "tokenizer.json", "tokenizer_config.json"}) {
            writeTinyModel(folder / "a");
            QCOMPARE(digestOf(folder / "a"), digest);
            const auto files = makeFileSystem();
            writeFile(folder / "a" / name, files->readText(folder / "a" / name, 1 << 24).value() + " ");
            QVERIFY(digestOf(folder / "a") != digest);
        }
    }
    void partsMayComeInAnyOrder() {
        const TensorEntry a{"a", DType::F32, {1}, 4, "x"};
        const TensorEntry b{"b", DType::F32, {1}, 4, "x"};
        ModelDigest forward;
        forward.addTensor(a, {1});
        forward.addTensor(b, {2});
        forward.addFile("config.json", {3});
        ModelDigest backward;
        backward.addFile("config.json", {3});
        backward.addTensor(b, {2});
        backward.addTensor(a, {1});
        QCOMPARE(forward.finish(), backward.finish());
    }
    void aCancelledDigestSaysSo() {
        const QTemporaryDir temporary;
        const Path folder = temporary.path().toStdString();
        writeTinyModel(folder);
        const auto files = makeFileSystem();
        const auto source = openModelFolder(*files, folder);
        std::stop_source stop;
        stop.request_stop();
        QCOMPARE(digestModel(*files, folder, **source, stop.get_token(), {}).error().code, ErrorCode::Cancelled);
    }
};
ESPALIER_TEST(tst_digest, TestDigest)
#include "tst_digest.moc"
