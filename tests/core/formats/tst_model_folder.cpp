// SPDX-License-Identifier: GPL-3.0-or-later
#include <QTemporaryDir>
#include <QTest>
#include <functional>

#include "core/formats/tensor_source.h"
#include "tests/support/test_main.h"
#include "tests/support/tiny_model.h"

using namespace espalier;
using namespace espalier::test;

namespace {

RawTensor scalar(const std::string& name) {
    return {name, "F32", {1}, std::vector<std::byte>(4)};
}

void writeShard(const Path& folder, const std::string& name, std::initializer_list<const char*> tensors) {
    std::vector<RawTensor> raw;
    for (const char* tensor : tensors) raw.push_back(scalar(tensor));
    writeFile(folder / name, safetensorsBytes(raw));
}

void writeIndex(const Path& folder, const Json& map) {
    writeFile(folder / "model.safetensors.index.json", Json{{"weight_map", map}}.dump());
}

struct BadFolder {
    const char* name;
    std::function<void(const Path& folder)> make;
    ErrorCode code;
    const char* names;
};

std::vector<BadFolder> badFolders() {
    const auto quantised = [](const char* method) {
        return [method](const Path& folder) {
            writeShard(folder, "model.safetensors", {"a"});
            writeFile(folder / "config.json", Json{{"quantization_config", {{"quant_method", method}}}}.dump());
        };
    };
    const auto tensorNamed = [](const char* name) {
        return [name](const Path& folder) {
            const std::string whole = std::string("model.layers.0.self_attn.") + name;
            writeShard(folder, "model.safetensors", {whole.c_str()});
        };
    };
    const auto shardNamed = [](const char* name) {
        return [name](const Path& folder) { writeIndex(folder, {{"a", name}}); };
    };
    return {
        {"empty", [](const Path&) {}, ErrorCode::NotFound, "model.safetensors"},
        {"a download that was cut short",
         [](const Path& folder) { std::filesystem::create_symlink("../blobs/0123", folder / "model.safetensors"); },
         ErrorCode::NotFound, "model.safetensors is a link to a file that is not there"},
        {"more tensors than are read",
         [](const Path& folder) {
             Json map = Json::object();
             for (int i = 0; i <= 65'536; ++i) map["t" + std::to_string(i)] = "m.safetensors";
             writeIndex(folder, map);
         },
         ErrorCode::TooLarge, "model.safetensors.index.json: lists 65537 tensors"},
        {"a tensor without a name",
         [](const Path& folder) {
             writeIndex(folder, {{"", "m.safetensors"}});
         },
         ErrorCode::CorruptFile, "the name of a tensor has 0 bytes"},
        {"a shard of a long name",
         [](const Path& folder) {
             writeIndex(folder, {{"a", std::string(300, 'x')}});
         },
         ErrorCode::CorruptFile, "the shard of a must be the name of a file"},
        {"pickle only", [](const Path& folder) { writeFile(folder / "pytorch_model.bin", "x"); },
         ErrorCode::Unsupported, "pytorch_model.bin: pickle"},
        {"checkpoint of another kind", [](const Path& folder) { writeFile(folder / "consolidated.00.pth", "x"); },
         ErrorCode::Unsupported, "consolidated.00.pth"},
        {"GPTQ by config", quantised("gptq"), ErrorCode::Unsupported, "GPTQ weights are packed for another program"},
        {"AWQ by config", quantised("awq"), ErrorCode::Unsupported, "AWQ"},
        {"FP8 by config", quantised("fp8"), ErrorCode::Unsupported, "FP8"},
        {"fine-grained FP8 by config", quantised("finegrained_fp8"), ErrorCode::Unsupported, "FP8"},
        {"bitsandbytes by config", quantised("bitsandbytes"), ErrorCode::Unsupported, "bitsandbytes"},
        {"compressed-tensors by config", quantised("compressed-tensors"), ErrorCode::Unsupported, "compressed-tensors"},
        {"MXFP4 by config", quantised("mxfp4"), ErrorCode::Unsupported, "MXFP4"},
        {"unknown packing by config", quantised("zip9"), ErrorCode::Unsupported, "zip9"},
        {"bitsandbytes without a method",
         [](const Path& folder) {
             writeShard(folder, "model.safetensors", {"a"});
             writeFile(folder / "config.json", Json{{"quantization_config", {{"load_in_8bit", true}}}}.dump());
         },
         ErrorCode::Unsupported, "bitsandbytes"},
        {"an older section's name",
         [](const Path& folder) {
             writeShard(folder, "model.safetensors", {"a"});
             writeFile(folder / "config.json", Json{{"compression_config", {{"format", "pack-quantized"}}}}.dump());
         },
         ErrorCode::Unsupported, "compressed-tensors"},
        {"GPTQ by tensor names", tensorNamed("q_proj.qweight"), ErrorCode::Unsupported, "GPTQ"},
        {"GPTQ by its order", tensorNamed("q_proj.g_idx"), ErrorCode::Unsupported, "GPTQ"},
        {"compressed-tensors by tensor names", tensorNamed("q_proj.weight_packed"), ErrorCode::Unsupported,
         "compressed-tensors"},
        {"FP8 by tensor names", tensorNamed("q_proj.weight_scale_inv"), ErrorCode::Unsupported, "FP8"},
        {"bitsandbytes by tensor names", tensorNamed("q_proj.weight.absmax"), ErrorCode::Unsupported, "bitsandbytes"},
        {"eight bits of bitsandbytes", tensorNamed("q_proj.SCB"), ErrorCode::Unsupported, "bitsandbytes"},
        {"HQQ by tensor names", tensorNamed("q_proj.W_q"), ErrorCode::Unsupported, "HQQ"},
        {"MXFP4 by tensor names", tensorNamed("experts.gate_up_proj_blocks"), ErrorCode::Unsupported, "MXFP4"},
        {"FP8 by element type",
         [](const Path& folder) {
             writeFile(folder / "model.safetensors", safetensorsBytes({{"w", "F8_E4M3", {1}, {std::byte{1}}}}));
         },
         ErrorCode::Unsupported, "tensor w: the element type F8_E4M3"},
        {"TensorFlow only", [](const Path& folder) { writeFile(folder / "tf_model.h5", "x"); }, ErrorCode::Unsupported,
         "tf_model.h5"},
        {"Flax only", [](const Path& folder) { writeFile(folder / "flax_model.msgpack", "x"); }, ErrorCode::Unsupported,
         "flax_model.msgpack"},
        {"ONNX only", [](const Path& folder) { writeFile(folder / "model.onnx", "x"); }, ErrorCode::Unsupported,
         "model.onnx: ONNX"},
        {"two GGUF models",
         [](const Path& folder) {
             writeFile(folder / "a.gguf", "GGUF");
             writeFile(folder / "b.gguf", "GGUF");
         },
         ErrorCode::InvalidArgument, "give the file you mean (a.gguf, b.gguf)"},
        {"GGUF that is cut short", [](const Path& folder) { writeFile(folder / "a.gguf", "GGUF"); },
         ErrorCode::CorruptFile, "a.gguf"},
        {"config that is not JSON",
         [](const Path& folder) {
             writeShard(folder, "model.safetensors", {"a"});
             writeFile(folder / "config.json", "{");
         },
         ErrorCode::CorruptFile, "config.json"},
        {"weights are a link loop",
         [](const Path& folder) { std::filesystem::create_symlink("model.safetensors", folder / "model.safetensors"); },
         ErrorCode::IoError, "model.safetensors"},
        {"weights are two links in a ring",
         [](const Path& folder) {
             std::filesystem::create_symlink("other", folder / "model.safetensors");
             std::filesystem::create_symlink("model.safetensors", folder / "other");
         },
         ErrorCode::IoError, "model.safetensors"},
        {"weights are a device",
         [](const Path& folder) { std::filesystem::create_symlink("/dev/zero", folder / "model.safetensors"); },
         ErrorCode::InvalidArgument, "model.safetensors is not a regular file"},
        {"weights are a folder",
         [](const Path& folder) { std::filesystem::create_directory(folder / "model.safetensors"); },
         ErrorCode::InvalidArgument, "model.safetensors"},
        {"config is a device",
         [](const Path& folder) { std::filesystem::create_symlink("/dev/zero", folder / "config.json"); },
         ErrorCode::InvalidArgument, "config.json"},
        {"index without a map", [](const Path& folder) { writeFile(folder / "model.safetensors.index.json", "{}"); },
         ErrorCode::CorruptFile, "weight_map"},
        {"index that is a list", [](const Path& folder) { writeFile(folder / "model.safetensors.index.json", "[]"); },
         ErrorCode::CorruptFile, "weight_map"},
        {"index maps to a number",
         [](const Path& folder) {
             writeIndex(folder, {{"a", 1}});
         },
         ErrorCode::CorruptFile, "the shard of a"},
        {"shard outside the folder", shardNamed("../secret.safetensors"), ErrorCode::CorruptFile, "the shard of a"},
        {"shard with an absolute path", shardNamed("/etc/passwd"), ErrorCode::CorruptFile, "the shard of a"},
        {"shard is the parent", shardNamed(".."), ErrorCode::CorruptFile, "the shard of a"},
        {"shard without a name", shardNamed(""), ErrorCode::CorruptFile, "the shard of a"},
        {"shard is missing", shardNamed("one.safetensors"), ErrorCode::NotFound, "one.safetensors"},
        {"tensor is not in its shard",
         [](const Path& folder) {
             writeShard(folder, "one.safetensors", {"a"});
             writeIndex(folder, {{"a", "one.safetensors"}, {"b", "one.safetensors"}});
         },
         ErrorCode::MissingTensor, "one.safetensors: the tensor b"},
        {"tensor is in the other shard",
         [](const Path& folder) {
             writeShard(folder, "one.safetensors", {"a"});
             writeShard(folder, "two.safetensors", {"b"});
             writeIndex(folder, {{"a", "two.safetensors"}, {"b", "one.safetensors"}});
         },
         ErrorCode::MissingTensor, "the tensor a"},
        {"tensor in two shards",
         [](const Path& folder) {
             writeShard(folder, "one.safetensors", {"a", "b"});
             writeShard(folder, "two.safetensors", {"b"});
             writeIndex(folder, {{"a", "one.safetensors"}, {"b", "two.safetensors"}});
         },
         ErrorCode::CorruptFile, "the tensor b"},
    };
}

}  // namespace

class TestModelFolder : public QObject {
    Q_OBJECT
private slots:
    void badFoldersAreRefusedByName_data() {
        QTest::addColumn<int>("index");
        int index = 0;
        for (const BadFolder& bad : badFolders()) QTest::newRow(bad.name) << index++;
    }
    void badFoldersAreRefusedByName() {
        QFETCH(int, index);
        const BadFolder bad = badFolders()[static_cast<std::size_t>(index)];
        const QTemporaryDir temporary;
        const Path folder = temporary.path().toStdString();
        bad.make(folder);
        const auto files = makeFileSystem();
        const auto source = openModelFolder(*files, folder);
        QVERIFY(!source);
        const std::string text = source.error().text();
        QVERIFY2(source.error().code == bad.code, text.c_str());
        QVERIFY2(text.find(bad.names) != std::string::npos, text.c_str());
    }
    void aFileIsNotAFolder() {
        const QTemporaryDir temporary;
        const Path path = temporary.filePath("model.safetensors").toStdString();
        writeFile(path, "x");
        const auto files = makeFileSystem();
        QCOMPARE(openModelFolder(*files, path).error().code, ErrorCode::InvalidArgument);
        QCOMPARE(openModelFolder(*files, path.parent_path() / "absent").error().code, ErrorCode::NotFound);
    }
    void linkedFilesAreFollowed() {
        const QTemporaryDir temporary;
        const Path root = temporary.path().toStdString();
        std::filesystem::create_directory(root / "blobs");
        std::filesystem::create_directory(root / "snapshot");
        writeShard(root / "blobs", "0a1b2c", {"a"});
        std::filesystem::create_symlink("../blobs/0a1b2c", root / "snapshot/model.safetensors");
        const auto files = makeFileSystem();
        const auto source = openModelFolder(*files, root / "snapshot");
        QVERIFY2(source, source ? "" : source.error().message.c_str());
        QVERIFY((*source)->find("a"));
    }
    void shardsReadAsOneSource() {
        const QTemporaryDir temporary;
        const Path folder = temporary.path().toStdString();
        writeFile(folder / "one.safetensors", safetensorsBytes({{"z", "U8", {1}, {std::byte{1}}}}));
        writeFile(folder / "two.safetensors",
                  safetensorsBytes({{"a", "U8", {1}, {std::byte{2}}}, {"unlisted", "U8", {1}, {std::byte{3}}}}));
        writeIndex(folder, {{"z", "one.safetensors"}, {"a", "two.safetensors"}});
        const auto files = makeFileSystem();
        const auto source = openModelFolder(*files, folder);
        QVERIFY2(source, source ? "" : source.error().message.c_str());
        QCOMPARE((*source)->tensors().size(), std::size_t{3});
        QCOMPARE((*source)->tensors()[0].name, std::string("a"));
        QCOMPARE(readTensor(**source, *(*source)->find("z")).value()[0], std::byte{1});
        QCOMPARE(readTensor(**source, *(*source)->find("a")).value()[0], std::byte{2});
        QCOMPARE(readTensor(**source, *(*source)->find("unlisted")).value()[0], std::byte{3});
        QCOMPARE((*source)->find("z")->location(), std::string("one.safetensors: z"));
    }
    void oneFileIsPreferredToAnIndex() {
        const QTemporaryDir temporary;
        const Path folder = temporary.path().toStdString();
        writeShard(folder, "model.safetensors", {"a"});
        writeIndex(folder, {{"b", "absent.safetensors"}});
        const auto files = makeFileSystem();
        QVERIFY(openModelFolder(*files, folder));
    }
};
ESPALIER_TEST(tst_model_folder, TestModelFolder)
#include "tst_model_folder.moc"
