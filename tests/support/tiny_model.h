// SPDX-License-Identifier: GPL-3.0-or-later
// Tiny random Llama folders on disk: a few kilobytes of weights, config.json, and a byte-level tokenizer with a ChatML
// template, so that engine and API tests can import, serve and chat. The same options give the same bytes everywhere.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/file_system.h"
#include "core/base/json.h"
#include "core/tensor/dtype.h"

namespace espalier::test {

// Ids of the tokenizer written by writeTinyModel: four special tokens, 256 bytes, twelve merges.
constexpr std::int32_t kTinyBegin = 0;      // <|begin|>, added by the post-processor
constexpr std::int32_t kTinyEnd = 1;        // <|end|>
constexpr std::int32_t kTinyTurnStart = 2;  // <|im_start|>
constexpr std::int32_t kTinyTurnEnd = 3;    // <|im_end|>
constexpr std::int32_t kTinyFirstByte = 4;
constexpr std::int32_t kTinyVocabulary = 272;

struct TinyModelOptions {
    std::int32_t vocabulary = kTinyVocabulary;
    std::int32_t hidden = 48;
    std::int32_t layers = 2;
    std::int32_t heads = 4;
    std::int32_t kvHeads = 2;
    std::int32_t headDim = 0;  // 0: hidden / heads, and config.json does not name it
    std::int32_t neurons = 80;
    std::int32_t context = 512;
    bool tied = false;
    bool attentionBias = false;
    bool mlpBias = false;
    DType dtype = DType::F32;  // F32, BF16 or F16
    std::int32_t shards = 1;   // > 1: model-0000i-of-0000n.safetensors and an index
    std::uint64_t seed = 1;
    std::string nanTensor = {};  // its first value becomes NaN
    bool tokenizer = true;
    bool chatTemplate = true;
};

// Creates the folder. Broken options are a failed CHECK.
void writeTinyModel(const Path& folder, const TinyModelOptions& options = {});

Json tinyConfig(const TinyModelOptions& options);
std::string tinyTokenizerJson();
extern const char* const kTinyChatTemplate;

// A tensor as stored; bytes.size() is what dtype and shape say unless a test wants a broken file.
struct RawTensor {
    std::string name;
    std::string dtype;  // as safetensors spells it: "F32", "BF16", ...
    std::vector<std::int64_t> shape;
    std::vector<std::byte> bytes;
};
std::string safetensorsBytes(const std::vector<RawTensor>& tensors);
// A file made of a header text and data, with the header's true length unless `announced` is given.
std::string safetensorsBytes(std::string_view header, std::string_view data, std::int64_t announced = -1);
void writeFile(const Path& path, std::string_view content);

}  // namespace espalier::test
