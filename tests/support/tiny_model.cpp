// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/tiny_model.h"

#include <cstring>
#include <fstream>
#include <limits>

#include "core/base/check.h"

namespace espalier::test {
namespace {

// SplitMix64 (Steele, Lea, Flood 2014): the same numbers on every platform.
class Random {
public:
    explicit Random(std::uint64_t seed) : m_state(seed) {}
    float uniform(float low, float high) {
        m_state += 0x9e3779b97f4a7c15ull;
        std::uint64_t z = m_state;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
        z ^= z >> 31;
        return low + (high - low) * (static_cast<float>(z >> 40) * 0x1p-24f);
    }

private:
    std::uint64_t m_state;
};

std::string spelled(DType dtype) {
    switch (dtype) {
        case DType::BF16:
            return "BF16";
        case DType::F16:
            return "F16";
        default:
            return "F32";
    }
}

void appendValue(std::vector<std::byte>& bytes, float value, DType dtype) {
    const auto append = [&](auto bits) {
        std::byte raw[sizeof bits];
        std::memcpy(raw, &bits, sizeof bits);
        bytes.insert(bytes.end(), raw, raw + sizeof bits);
    };
    if (dtype == DType::BF16) return append(f32ToBf16(value));
    if (dtype == DType::F16) return append(f32ToF16(value));
    append(value);
}

class WeightMaker {
public:
    explicit WeightMaker(const TinyModelOptions& options) : m_options(options), m_random(options.seed) {}

    void add(const std::string& name, std::vector<std::int64_t> shape, float low, float high) {
        std::int64_t count = 1;
        for (const std::int64_t size : shape) count *= size;
        RawTensor tensor{name, spelled(m_options.dtype), std::move(shape), {}};
        for (std::int64_t i = 0; i < count; ++i) {
            const float value = m_random.uniform(low, high);
            const bool broken = i == 0 && name == m_options.nanTensor;
            appendValue(tensor.bytes, broken ? std::numeric_limits<float>::quiet_NaN() : value, m_options.dtype);
        }
        tensors.push_back(std::move(tensor));
    }
    void linear(const std::string& name, std::int64_t rows, std::int64_t cols, bool bias) {
        add(name + ".weight", {rows, cols}, -0.35f, 0.35f);
        if (bias) add(name + ".bias", {rows}, -0.5f, 0.5f);
    }

    std::vector<RawTensor> tensors;

private:
    const TinyModelOptions& m_options;
    Random m_random;
};

std::int32_t headDimOf(const TinyModelOptions& options) {
    return options.headDim > 0 ? options.headDim : options.hidden / options.heads;
}

std::vector<RawTensor> tinyWeights(const TinyModelOptions& options) {
    WeightMaker maker(options);
    const std::int64_t queryRows = std::int64_t{options.heads} * headDimOf(options);
    const std::int64_t keyRows = std::int64_t{options.kvHeads} * headDimOf(options);
    maker.add("model.embed_tokens.weight", {options.vocabulary, options.hidden}, -0.5f, 0.5f);
    for (std::int32_t i = 0; i < options.layers; ++i) {
        const std::string layer = "model.layers." + std::to_string(i) + ".";
        maker.add(layer + "input_layernorm.weight", {options.hidden}, 0.5f, 1.5f);
        maker.linear(layer + "self_attn.q_proj", queryRows, options.hidden, options.attentionBias);
        maker.linear(layer + "self_attn.k_proj", keyRows, options.hidden, options.attentionBias);
        maker.linear(layer + "self_attn.v_proj", keyRows, options.hidden, options.attentionBias);
        maker.linear(layer + "self_attn.o_proj", options.hidden, queryRows, options.attentionBias);
        maker.add(layer + "post_attention_layernorm.weight", {options.hidden}, 0.5f, 1.5f);
        maker.linear(layer + "mlp.gate_proj", options.neurons, options.hidden, options.mlpBias);
        maker.linear(layer + "mlp.up_proj", options.neurons, options.hidden, options.mlpBias);
        maker.linear(layer + "mlp.down_proj", options.hidden, options.neurons, options.mlpBias);
    }
    maker.add("model.norm.weight", {options.hidden}, 0.5f, 1.5f);
    if (!options.tied) maker.add("lm_head.weight", {options.vocabulary, options.hidden}, -0.5f, 0.5f);
    return std::move(maker.tensors);
}

std::string shardName(std::int32_t index, std::int32_t count) {
    const auto padded = [](std::int32_t number) {
        const std::string digits = std::to_string(number);
        return std::string(5 - digits.size(), '0') + digits;
    };
    return "model-" + padded(index + 1) + "-of-" + padded(count) + ".safetensors";
}

void writeShards(const Path& folder, const std::vector<RawTensor>& tensors, std::int32_t count) {
    std::vector<std::vector<RawTensor>> shards(static_cast<std::size_t>(count));
    Json map = Json::object();
    std::int64_t bytes = 0;
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        const std::size_t shard = i * shards.size() / tensors.size();
        map[tensors[i].name] = shardName(static_cast<std::int32_t>(shard), count);
        bytes += static_cast<std::int64_t>(tensors[i].bytes.size());
        shards[shard].push_back(tensors[i]);
    }
    for (std::int32_t i = 0; i < count; ++i)
        writeFile(folder / shardName(i, count), safetensorsBytes(shards[static_cast<std::size_t>(i)]));
    writeFile(folder / "model.safetensors.index.json",
              Json{{"metadata", {{"total_size", bytes}}}, {"weight_map", map}}.dump(1));
}

std::string utf8(std::uint32_t codepoint) {  // below U+0800, as the byte alphabet is
    if (codepoint < 0x80) return std::string(1, static_cast<char>(codepoint));
    return {static_cast<char>(0xc0 | (codepoint >> 6)), static_cast<char>(0x80 | (codepoint & 0x3f))};
}

// GPT-2's alphabet: printable bytes stand for themselves, the others for U+0100 upwards in order.
std::vector<std::string> byteAlphabet() {
    std::vector<std::string> alphabet;
    std::uint32_t next = 0x100;
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
        const bool printable = (byte >= '!' && byte <= '~') || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
        alphabet.push_back(utf8(printable ? byte : next++));
    }
    return alphabet;
}

const char* const kMerges[][2] = {{"t", "h"}, {"th", "e"}, {"Ġ", "the"}, {"i", "n"}, {"e", "r"},  {"a", "n"},
                                  {"Ġ", "a"}, {"o", "n"},  {"r", "e"},   {"Ġ", "s"}, {"in", "g"}, {"l", "l"}};
const char* const kSpecials[] = {"<|begin|>", "<|end|>", "<|im_start|>", "<|im_end|>"};

Json tinyTokenizerConfig(const TinyModelOptions& options) {
    Json config = {{"tokenizer_class", "PreTrainedTokenizerFast"},
                   {"bos_token", "<|begin|>"},
                   {"eos_token", "<|im_end|>"},
                   {"model_max_length", options.context}};
    if (options.chatTemplate) config["chat_template"] = kTinyChatTemplate;
    return config;
}

}  // namespace

const char* const kTinyChatTemplate =
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + "
    "'\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

Json tinyConfig(const TinyModelOptions& options) {
    const char* dtype = options.dtype == DType::F32 ? "float32" : options.dtype == DType::BF16 ? "bfloat16" : "float16";
    Json config = {{"architectures", {"LlamaForCausalLM"}},
                   {"model_type", "llama"},
                   {"vocab_size", options.vocabulary},
                   {"hidden_size", options.hidden},
                   {"num_hidden_layers", options.layers},
                   {"num_attention_heads", options.heads},
                   {"num_key_value_heads", options.kvHeads},
                   {"intermediate_size", options.neurons},
                   {"max_position_embeddings", options.context},
                   {"hidden_act", "silu"},
                   {"rms_norm_eps", 1e-5},
                   {"rope_theta", 10000.0},
                   {"tie_word_embeddings", options.tied},
                   {"attention_bias", options.attentionBias},
                   {"mlp_bias", options.mlpBias},
                   {"torch_dtype", dtype},
                   {"bos_token_id", kTinyBegin},
                   {"eos_token_id", {kTinyEnd, kTinyTurnEnd}}};
    if (options.headDim > 0) config["head_dim"] = options.headDim;
    return config;
}

std::string tinyTokenizerJson() {
    Json vocabulary = Json::object();
    Json added = Json::array();
    std::int32_t id = 0;
    for (const char* token : kSpecials) {
        vocabulary[token] = id;
        added.push_back({{"id", id++},
                         {"content", token},
                         {"single_word", false},
                         {"lstrip", false},
                         {"rstrip", false},
                         {"normalized", false},
                         {"special", true}});
    }
    for (const std::string& letter : byteAlphabet()) vocabulary[letter] = id++;
    Json merges = Json::array();
    for (const auto& [left, right] : kMerges) {
        vocabulary[std::string(left) + right] = id++;
        merges.push_back(std::string(left) + " " + right);
    }
    CHECK(id == kTinyVocabulary);
    const Json begin = {{"SpecialToken", {{"id", "<|begin|>"}, {"type_id", 0}}}};
    const auto sequence = [](const char* name) { return Json{{"Sequence", {{"id", name}, {"type_id", 0}}}}; };
    const Json json = {
        {"version", "1.0"},
        {"truncation", nullptr},
        {"padding", nullptr},
        {"added_tokens", added},
        {"normalizer", nullptr},
        {"pre_tokenizer",
         {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", true}}},
        {"post_processor",
         {{"type", "TemplateProcessing"},
          {"single", {begin, sequence("A")}},
          {"pair", {begin, sequence("A"), begin, sequence("B")}},
          {"special_tokens",
           {{"<|begin|>", {{"id", "<|begin|>"}, {"ids", {kTinyBegin}}, {"tokens", {"<|begin|>"}}}}}}}},
        {"decoder", {{"type", "ByteLevel"}, {"add_prefix_space", true}, {"trim_offsets", true}, {"use_regex", true}}},
        {"model",
         {{"type", "BPE"},
          {"dropout", nullptr},
          {"unk_token", nullptr},
          {"continuing_subword_prefix", nullptr},
          {"end_of_word_suffix", nullptr},
          {"fuse_unk", false},
          {"byte_fallback", false},
          {"ignore_merges", false},
          {"vocab", vocabulary},
          {"merges", merges}}}};
    return json.dump(1);
}

void writeTinyModel(const Path& folder, const TinyModelOptions& options) {
    std::error_code cause;
    std::filesystem::create_directories(folder, cause);
    CHECK(!cause);
    writeFile(folder / "config.json", tinyConfig(options).dump(1));
    const std::vector<RawTensor> tensors = tinyWeights(options);
    if (options.shards > 1)
        writeShards(folder, tensors, options.shards);
    else
        writeFile(folder / "model.safetensors", safetensorsBytes(tensors));
    if (!options.tokenizer) return;
    writeFile(folder / "tokenizer.json", tinyTokenizerJson());
    writeFile(folder / "tokenizer_config.json", tinyTokenizerConfig(options).dump(1));
}

std::string safetensorsBytes(const std::vector<RawTensor>& tensors) {
    Json header = {{"__metadata__", {{"format", "pt"}}}};
    std::string data;
    for (const RawTensor& tensor : tensors) {
        const std::size_t begin = data.size();
        data.append(reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size());
        header[tensor.name] = {
            {"dtype", tensor.dtype}, {"shape", tensor.shape}, {"data_offsets", {begin, data.size()}}};
    }
    std::string text = header.dump();
    text.append((8 - text.size() % 8) % 8, ' ');
    return safetensorsBytes(text, data);
}

std::string safetensorsBytes(std::string_view header, std::string_view data, std::int64_t announced) {
    const auto length =
        announced < 0 ? static_cast<std::uint64_t>(header.size()) : static_cast<std::uint64_t>(announced);
    std::string file;
    for (int i = 0; i < 8; ++i) file += static_cast<char>(length >> (8 * i));
    file += header;
    file += data;
    return file;
}

void writeFile(const Path& path, std::string_view content) {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file.write(content.data(), static_cast<std::streamsize>(content.size()));
    file.close();
    CHECK(!file.fail());
}

}  // namespace espalier::test
