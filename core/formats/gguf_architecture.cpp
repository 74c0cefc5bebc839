// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/formats/gguf_architecture.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

namespace espalier {
namespace {

constexpr std::int64_t kUnsetId = 0xFFFFFFFF;  // how files say that there is no such token

struct Row {
    std::string_view name;          // "general.architecture"
    std::string_view architecture;  // as config.json would name it
    bool pairedRows = false;
};
// Mistral models are stored as "llama".
constexpr std::array<Row, 5> kRows = {{{"llama", "LlamaForCausalLM", true},
                                       {"qwen2", "Qwen2ForCausalLM"},
                                       {"qwen3", "Qwen3ForCausalLM"},
                                       {"gpt2", "GPT2LMHeadModel"},
                                       {"bert", "BertModel"}}};

struct TensorName {
    std::string_view stored;
    std::string_view TensorNames::*ours;
};
constexpr std::array<TensorName, 6> kModelTensors = {{{"token_embd", &TensorNames::embedding},
                                                      {"position_embd", &TensorNames::positions},
                                                      {"token_types", &TensorNames::tokenTypes},
                                                      {"token_embd_norm", &TensorNames::embeddingNorm},
                                                      {"output_norm", &TensorNames::finalNorm},
                                                      {"output", &TensorNames::lmHead}}};
constexpr std::array<TensorName, 14> kLayerTensors = {{{"attn_norm", &TensorNames::attentionNorm},
                                                       {"attn_output_norm", &TensorNames::attentionNorm},
                                                       {"attn_q", &TensorNames::query},
                                                       {"attn_qkv", &TensorNames::query},
                                                       {"attn_k", &TensorNames::key},
                                                       {"attn_v", &TensorNames::value},
                                                       {"attn_q_norm", &TensorNames::queryNorm},
                                                       {"attn_k_norm", &TensorNames::keyNorm},
                                                       {"attn_output", &TensorNames::attentionOut},
                                                       {"ffn_norm", &TensorNames::mlpNorm},
                                                       {"layer_output_norm", &TensorNames::mlpNorm},
                                                       {"ffn_gate", &TensorNames::gate},
                                                       {"ffn_up", &TensorNames::up},
                                                       {"ffn_down", &TensorNames::down}}};

const TensorEntry* findEntry(const std::vector<TensorEntry>& tensors, std::string_view name) {
    const auto found = std::ranges::lower_bound(tensors, name, {}, &TensorEntry::name);
    return found != tensors.end() && found->name == name ? &*found : nullptr;
}

// Fills a config.json from keys that begin with "<architecture>.", and remembers which became what.
class ConfigWriter {
public:
    ConfigWriter(const GgufKeys& keys, std::string_view architecture)
        : m_keys(keys), m_prefix(std::string(architecture) + ".") {}

    Result<void> integer(std::string_view to, std::string_view from) {
        TRY_ASSIGN(const auto value, m_keys.integer(m_prefix + std::string(from), 0, INT64_MAX));
        put(to, from, value);
        return {};
    }
    Result<void> requiredInteger(std::string_view to, std::string_view from) {
        if (!m_keys.has(m_prefix + std::string(from))) return m_keys.wrong(m_prefix + std::string(from), "an integer");
        return integer(to, from);
    }
    Result<void> number(std::string_view to, std::string_view from) {
        TRY_ASSIGN(const auto value, m_keys.number(m_prefix + std::string(from)));
        put(to, from, value);
        return {};
    }
    // These must agree with what the model computes when the file has them.
    Result<void> fixed(std::string_view from, std::int64_t value) const {
        TRY_ASSIGN(const auto found, m_keys.integer(m_prefix + std::string(from), 0, INT64_MAX));
        return found && *found != value ? otherThan(from, std::to_string(*found), std::to_string(value))
                                        : Result<void>();
    }
    Result<void> fixedFlag(std::string_view from, bool value) const {
        TRY_ASSIGN(const auto found, m_keys.boolean(m_prefix + std::string(from)));
        return found && *found != value ? otherThan(from, *found ? "true" : "false", value ? "true" : "false")
                                        : Result<void>();
    }
    // A sentence about the config.json becomes one about the file.
    Error inTermsOfTheFile(Error error) const {
        for (const auto& [to, from] : m_origins)
            for (std::size_t at = error.message.find(to); at != std::string::npos;
                 at = error.message.find(to, at + from.size()))
                error.message.replace(at, to.size(), from);
        return error;
    }
    std::string key(std::string_view name) const { return m_prefix + std::string(name); }
    Json& json() { return m_config; }

private:
    template <class T>
    void put(std::string_view to, std::string_view from, const std::optional<T>& value) {
        m_origins.emplace_back("\"" + std::string(to) + "\"", "\"" + m_prefix + std::string(from) + "\"");
        if (value) m_config[std::string(to)] = *value;
    }
    Error otherThan(std::string_view from, std::string_view found, std::string_view expected) const {
        return fail(ErrorCode::Unsupported,
                    m_keys.fileName() + ": " + m_prefix + std::string(from) + " is " + std::string(found) +
                        "; a value other than " + std::string(expected) + " is not supported",
                    m_keys.fileName());
    }

    const GgufKeys& m_keys;
    std::string m_prefix;
    Json m_config = Json::object();
    std::vector<std::pair<std::string, std::string>> m_origins = {
        {"\"vocab_size\"", "the rows of token_embd.weight"}, {"\"type_vocab_size\"", "the rows of token_types.weight"}};
};

Result<const Row*> findRow(const GgufKeys& keys) {
    TRY_ASSIGN(const auto name, keys.string("general.architecture"));
    if (!name) return keys.wrong("general.architecture", "a string");
    for (const Row& row : kRows)
        if (row.name == *name) return &row;
    std::string known;
    for (const Row& row : kRows) known += (known.empty() ? "" : ", ") + std::string(row.name);
    return fail(
        ErrorCode::Unsupported,
        keys.fileName() + ": the architecture \"" + name->substr(0, 80) + "\" is not supported; known: " + known,
        keys.fileName());
}

Result<void> readRopeScaling(const GgufKeys& keys, ConfigWriter& config) {
    TRY_ASSIGN(const auto type, keys.string(config.key("rope.scaling.type")));
    TRY_ASSIGN(const auto factor, keys.number(config.key("rope.scaling.factor")));
    TRY_ASSIGN(const auto old, keys.number(config.key("rope.scale_linear")));
    // A factor alone is linear and 0 is none of it, as llama.cpp reads them.
    const std::string kind = type.value_or(factor || old ? "linear" : "none");
    if (kind == "none") return {};
    if (kind != "linear")
        return fail(ErrorCode::Unsupported,
                    keys.fileName() + ": " + config.key("rope.scaling.type") + " is \"" + kind.substr(0, 80) +
                        "\"; known are none and linear, and llama3 as the tensor rope_freqs.weight",
                    keys.fileName());
    const double by = factor.value_or(old.value_or(1.0));
    if (by < 0) return keys.wrong(config.key(factor ? "rope.scaling.factor" : "rope.scale_linear"), "a number above 0");
    config.json()["rope_scaling"] = {{"rope_type", kind}, {"factor", by == 0 ? 1.0 : by}};
    return {};
}

Result<void> readTokens(const GgufKeys& keys, Json& config) {
    const auto put = [&](const char* to, std::initializer_list<const char*> from) -> Result<void> {
        Json ids = Json::array();
        for (const char* name : from) {
            TRY_ASSIGN(const auto id, keys.integer(std::string("tokenizer.ggml.") + name, -1, kUnsetId));
            const bool isUnset = id == -1 || id == kUnsetId;
            if (id && !isUnset && *id > INT32_MAX)
                return keys.wrong(std::string("tokenizer.ggml.") + name, "a token id");
            if (id && !isUnset && std::ranges::find(ids, Json(*id)) == ids.end()) ids.push_back(*id);
        }
        if (!ids.empty()) config[to] = std::move(ids);
        return {};
    };
    TRY(put("bos_token_id", {"bos_token_id"}));
    return put("eos_token_id", {"eos_token_id", "eot_token_id", "eom_token_id"});
}

const Family& familyOf(const Row& row) {
    for (const Family& family : knownFamilies())
        for (const Architecture& architecture : family.architectures)
            if (architecture.name == row.architecture) return family;
    CHECK(false);
    return knownFamilies().front();
}

Result<void> readConfig(const GgufKeys& keys, const Family& family, ConfigWriter& config) {
    TRY(config.requiredInteger(family.keys.hidden, "embedding_length"));
    TRY(config.requiredInteger(family.keys.layers, "block_count"));
    TRY(config.requiredInteger(family.keys.heads, "attention.head_count"));
    TRY(config.integer("num_key_value_heads", "attention.head_count_kv"));
    TRY(config.requiredInteger(family.keys.neurons, "feed_forward_length"));
    TRY(config.integer(family.keys.context, "context_length"));
    TRY(config.integer("head_dim", "attention.key_length"));
    TRY(config.number(family.keys.normEps, family.norm == NormFamily::RmsNorm ? "attention.layer_norm_rms_epsilon"
                                                                              : "attention.layer_norm_epsilon"));
    if (family.ropeTheta == 0) return {};
    TRY(config.number("rope_theta", "rope.freq_base"));
    return readRopeScaling(keys, config);
}

// "blk.12.attn_q.weight" -> 12, "attn_q", ".weight". Nothing when it is no tensor of a layer.
struct LayerTensor {
    std::string_view layer, part, suffix;
};
std::optional<LayerTensor> layerTensorOf(std::string_view name) {
    if (!name.starts_with("blk.")) return std::nullopt;
    name.remove_prefix(4);
    const std::size_t first = name.find('.');
    const std::size_t last = name.rfind('.');
    if (first == name.npos || last <= first) return std::nullopt;
    const std::string_view layer = name.substr(0, first);
    if (layer.empty() || layer.find_first_not_of("0123456789") != layer.npos) return std::nullopt;
    return LayerTensor{layer, name.substr(first + 1, last - first - 1), name.substr(last)};
}

template <std::size_t N>
std::string_view nameIn(const std::array<TensorName, N>& table, std::string_view stored, const TensorNames& names) {
    for (const TensorName& row : table)
        if (row.stored == stored) return names.*row.ours;
    return {};
}

std::string renamed(const TensorNames& names, const std::string& name) {
    if (const auto tensor = layerTensorOf(name)) {
        const std::string_view part = nameIn(kLayerTensors, tensor->part, names);
        if (part.empty()) return name;
        return std::string(names.layer) + std::string(tensor->layer) + "." + std::string(part) +
               std::string(tensor->suffix);
    }
    const std::size_t dot = name.rfind('.');
    if (dot == name.npos) return name;
    const std::string_view ours = nameIn(kModelTensors, std::string_view(name).substr(0, dot), names);
    return ours.empty() ? name : std::string(ours) + name.substr(dot);
}

// Heads of each layer's query and key projections whose rows lie in pairs.
Result<void> markPairedRows(const ArchSpec& spec, TensorEntry& entry) {
    const auto tensor = layerTensorOf(entry.name);
    if (!tensor || (tensor->part != "attn_q" && tensor->part != "attn_k")) return {};
    std::size_t layer = 0;
    const std::string_view digits = tensor->layer;
    if (std::from_chars(digits.data(), digits.data() + digits.size(), layer).ec != std::errc() ||
        layer >= spec.layers.size())
        return {};
    const std::int32_t heads = tensor->part == "attn_q" ? spec.layers[layer].heads : spec.layers[layer].kvHeads;
    if (entry.shape[0] % (2 * std::int64_t{heads}) == 0) entry.pairedHeads = heads;
    return {};
}

}  // namespace

Result<GgufArchitecture> readGgufArchitecture(const GgufKeys& keys, const std::vector<TensorEntry>& tensors) {
    TRY_ASSIGN(const Row* row, findRow(keys));
    ConfigWriter config(keys, row->name);
    Json& json = config.json();
    json["architectures"] = {row->architecture};
    const TensorEntry* embedding = findEntry(tensors, "token_embd.weight");
    if (!embedding || embedding->shape.size() != 2)
        return fail(
            ErrorCode::MissingTensor,
            keys.fileName() + ": the tensor token_embd.weight " + (embedding ? "must have 2 dimensions" : "is missing"),
            keys.fileName());
    json["vocab_size"] = embedding->shape[0];
    const Family& family = familyOf(*row);
    TRY(readConfig(keys, family, config));
    TRY(readTokens(keys, json));
    // DistilBERT is stored as "bert" without them.
    const TensorEntry* types = findEntry(tensors, "token_types.weight");
    if (family.tokenTypes) json["type_vocab_size"] = types && types->shape.size() == 2 ? types->shape[0] : 0;
    json["tie_word_embeddings"] = findEntry(tensors, "output.weight") == nullptr;
    if (!family.attentionBias.key.empty())
        json[std::string(family.attentionBias.key)] = findEntry(tensors, "blk.0.attn_q.bias") != nullptr;
    if (!family.mlpBias.key.empty())
        json[std::string(family.mlpBias.key)] = findEntry(tensors, "blk.0.ffn_up.bias") != nullptr;

    GgufArchitecture architecture;
    auto spec = archSpecFromConfig(json, keys.fileName());
    if (!spec) return config.inTermsOfTheFile(std::move(spec).error());
    architecture.spec = std::move(*spec);
    architecture.spec.transposedLinears = false;
    architecture.family = &family;
    architecture.pairedRows = row->pairedRows;
    if (architecture.spec.rope.rotaryDim > 0) TRY(config.fixed("rope.dimension_count", architecture.spec.headDim));
    TRY(config.fixed("attention.value_length", architecture.spec.headDim));
    TRY(config.fixed("expert_count", 0));
    TRY(config.fixedFlag("attention.causal", family.causal));
    TRY_ASSIGN(const auto window, keys.integer(config.key("attention.sliding_window"), 0, INT64_MAX));
    if (window && *window < architecture.spec.context) TRY(config.fixed("attention.sliding_window", 0));
    if (!isBlock(embedding->dtype)) architecture.spec.dtype = embedding->dtype;
    return architecture;
}

Result<void> renameGgufTensors(const GgufArchitecture& architecture, std::vector<TensorEntry>& tensors) {
    for (TensorEntry& entry : tensors) {
        if (architecture.pairedRows) TRY(markPairedRows(architecture.spec, entry));
        entry.storedName = entry.name;
        entry.name = renamed(architecture.family->tensors, entry.name);
    }
    std::ranges::sort(tensors, {}, &TensorEntry::name);
    const auto twin = std::ranges::adjacent_find(tensors, {}, &TensorEntry::name);
    if (twin == tensors.end()) return {};
    return fail(ErrorCode::CorruptFile,
                twin->file.filename().string() + ": " + twin->storedName + " and " + std::next(twin)->storedName +
                    " are the same tensor of the model, " + twin->name,
                twin->location());
}

std::string ggufTensorName(const Family& family, std::string_view name) {
    const TensorNames& names = family.tensors;
    const auto suffixBehind = [&](std::string_view text, std::string_view stem) -> std::optional<std::string> {
        const bool isStem = !stem.empty() && text.starts_with(stem) && text.substr(stem.size()).starts_with('.');
        return isStem ? std::optional(std::string(text.substr(stem.size()))) : std::nullopt;
    };
    for (const TensorName& row : kModelTensors)
        if (const auto suffix = suffixBehind(name, names.*row.ours)) return std::string(row.stored) + *suffix;
    if (!name.starts_with(names.layer)) return std::string(name);
    const std::string_view inLayer = name.substr(names.layer.size());
    const std::size_t dot = std::min(inLayer.find('.'), inLayer.size() - 1);
    // Of two spellings the second is that of norms after their blocks and of q, k and v in one.
    std::string found(name);
    for (const TensorName& row : kLayerTensors) {
        const auto suffix = suffixBehind(inLayer.substr(dot + 1), names.*row.ours);
        const bool isMeant = row.stored.ends_with("output_norm") ? family.normPlace == NormPlace::AfterBlock
                                                                 : row.stored != "attn_qkv" || names.key.empty();
        if (suffix && isMeant)
            found = "blk." + std::string(inLayer.substr(0, dot)) + "." + std::string(row.stored) + *suffix;
    }
    return found;
}

Result<void> readRopeFactors(const TensorSource& tensors, ArchSpec& spec) {
    const TensorEntry* entry = tensors.find("rope_freqs.weight");
    if (!entry) return {};
    const std::int64_t expected = spec.rope.rotaryDim / 2;
    if (entry->dtype != DType::F32 || entry->shape != std::vector<std::int64_t>{expected})
        return fail(ErrorCode::ShapeMismatch,
                    entry->location() + " must be f32 [" + std::to_string(expected) + "], found " +
                        std::string(dtypeName(entry->dtype)) + " " + Json(entry->shape).dump(),
                    entry->location());
    TRY_ASSIGN(const auto bytes, readTensor(tensors, *entry));
    spec.rope.factors.resize(static_cast<std::size_t>(expected));
    std::memcpy(spec.rope.factors.data(), bytes.data(), bytes.size());
    for (const float factor : spec.rope.factors)
        if (!(factor > 0 && std::isfinite(factor)))
            return fail(ErrorCode::CorruptFile,
                        entry->location() + " must hold numbers above 0, found " + Json(factor).dump(),
                        entry->location());
    return {};
}

}  // namespace espalier
