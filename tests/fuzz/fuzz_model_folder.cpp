// SPDX-License-Identifier: GPL-3.0-or-later
// Any bytes as the files of a model's folder: an index and its shards, the parts of a split GGUF model with its
// vocabulary, tokenizers of every kind. Refused, or every tensor can be read and ids that nobody encoded decode.
//
// The input is files one after the other: a byte (which name), two bytes (length, little endian), so many bytes.
#include <array>
#include <cstddef>
#include <cstdint>

#include "core/formats/arch_spec.h"
#include "core/formats/digest.h"
#include "core/formats/gguf_model.h"
#include "core/tokenizer/text_model.h"
#include "tests/fuzz/memory_files.h"

namespace {

using namespace espalier;

constexpr std::array kNames = {"config.json",
                               "generation_config.json",
                               "model.safetensors",
                               "model.safetensors.index.json",
                               "model-00001-of-00002.safetensors",
                               "model-00002-of-00002.safetensors",
                               "model.gguf",
                               "model-00001-of-00002.gguf",
                               "model-00002-of-00002.gguf",
                               "tokenizer.json",
                               "tokenizer_config.json",
                               "tokenizer.model",
                               "sentencepiece.bpe.model",
                               "added_tokens.json",
                               "chat_template.jinja",
                               "pytorch_model.bin"};

MemoryFiles filesOf(std::string_view input) {
    MemoryFiles files("/fuzz");
    while (input.size() >= 3) {
        const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(input[i]); };
        const std::size_t length = std::min<std::size_t>(byte(1) | byte(2) << 8, input.size() - 3);
        files.put(kNames[byte(0) % kNames.size()], std::string(input.substr(3, length)));
        input.remove_prefix(3 + length);
    }
    return files;
}

void readAll(FileSystem& files, const TensorSource& source) {
    for (const TensorEntry& entry : source.tensors()) CHECK(readTensor(source, entry));
    const auto digest = digestModel(files, "/fuzz", source, {}, {});
    CHECK(digest || digest.error().code != ErrorCode::Internal);
}

void decodeAnything(const Tokenizer& tokenizer, std::string_view input) {
    std::vector<TokenId> ids;
    for (const char c : input.substr(0, 256)) ids.push_back(static_cast<signed char>(c) * 7);
    (void)tokenizer.decode(ids, false);
    for (const TokenId id : ids)
        if (const auto piece = tokenizer.decodePiece(id, true, false); !piece) CHECK(!tokenizer.tokenOf(id));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    MemoryFiles files = filesOf(input);
    if (const auto source = openModelFolder(files, "/fuzz")) readAll(files, **source);
    if (const auto gguf = findGguf(files, "/fuzz"); gguf && *gguf) (void)openGgufModel(files, **gguf);
    if (const auto text = loadTextModel(files, "/fuzz"); text && text->tokenizer)
        decodeAnything(*text->tokenizer, input);
    return 0;
}
