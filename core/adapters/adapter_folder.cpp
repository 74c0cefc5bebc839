// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/adapters/adapter_folder.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "core/adapters/bottleneck_config.h"
#include "core/adapters/bottleneck_folder.h"
#include "core/adapters/tensor_check.h"
#include "core/formats/digest.h"

namespace espalier {
namespace {

constexpr std::uint64_t kMaxConfigBytes = 1 << 20;
constexpr std::string_view kPeftPrefix = "base_model.model.";

// What a tensor's name says: "base_model.model." module ".lora_A.weight", of an embedding ".lora_embedding_A".
enum class TensorKind : std::uint8_t { A, B, EmbeddingA, EmbeddingB, BaseCopy };
struct TensorRole {
    std::string module;  // as PEFT has it, the family's prefix included when there is one
    TensorKind kind = TensorKind::A;

    bool isOfEmbedding() const { return kind == TensorKind::EmbeddingA || kind == TensorKind::EmbeddingB; }
    bool isB() const { return kind == TensorKind::B || kind == TensorKind::EmbeddingB; }
};
constexpr std::pair<std::string_view, TensorKind> kSuffixes[] = {
    {".lora_A.weight", TensorKind::A},
    {".lora_B.weight", TensorKind::B},
    {".lora_embedding_A", TensorKind::EmbeddingA},
    {".lora_embedding_B", TensorKind::EmbeddingB},
    {".base_layer.weight", TensorKind::BaseCopy},  // PEFT's save_embedding_layers
};

Result<TensorRole> roleOf(const TensorEntry& entry) {
    const std::string& name = entry.name;
    if (!name.starts_with(kPeftPrefix))
        return fail(ErrorCode::Unsupported,
                    entry.location() + " is not named as PEFT names tensors (\"base_model.model....lora_A.weight\")",
                    name);
    const std::string rest = name.substr(kPeftPrefix.size());
    for (const auto& [suffix, kind] : kSuffixes)
        if (rest.ends_with(suffix)) return TensorRole{rest.substr(0, rest.size() - suffix.size()), kind};
    const auto refuse = [&](std::string_view what) {
        return fail(ErrorCode::Unsupported, entry.location() + " " + std::string(what), name);
    };
    if (rest.find("lora_magnitude_vector") != std::string::npos)
        return refuse("belongs to DoRA, which rescales the base weights; only plain LoRA is served");
    if (rest.ends_with(".bias")) return refuse("is a bias; adapters with biases are not supported");
    if (rest.find("lora_") == std::string::npos)
        return refuse("replaces a whole module (modules_to_save), which is not supported");
    return refuse("is nothing that a plain LoRA has");
}

// Checks one adapter against one base.
class Checker {
public:
    Checker(const TensorSource& tensors, const ArchSpec& base)
        : m_tensors(tensors), m_base(base), m_family(*familyNamed(base.family)), m_targets(loraTargets(base)) {
        for (const LoraTarget& target : m_targets) m_byName.emplace(target.name, &target);
    }

    Result<AdapterSpec> check(std::string_view configText) {
        TRY_ASSIGN(m_config, loraConfigFromText(configText, kAdapterConfigFile));
        for (const TensorEntry& entry : m_tensors.tensors()) TRY(place(entry));
        if (m_found.empty())
            return fail(ErrorCode::MissingTensor, std::string(kAdapterWeightsFile) + " holds no LoRA matrices",
                        std::string(kAdapterWeightsFile));
        TRY(checkNames());
        m_spec.baseModel = m_config.baseModel;
        for (const LoraTarget& target : m_targets) TRY(checkTarget(target));
        finish();
        return std::move(m_spec);
    }

private:
    struct Matrices {
        const TensorEntry* a = nullptr;
        const TensorEntry* b = nullptr;
        std::string module;  // as the file names it
    };

    Result<void> place(const TensorEntry& entry) {
        TRY_ASSIGN(const TensorRole role, roleOf(entry));
        const bool hasPrefix = !m_family.tensors.prefix.empty() && role.module.starts_with(m_family.tensors.prefix);
        const std::string name = hasPrefix ? role.module.substr(m_family.tensors.prefix.size()) : role.module;
        if (isUnread(name)) {
            m_spec.warnings.push_back(entry.location() + " changes a layer that no result depends on; it is not used");
            return {};
        }
        const auto found = m_byName.find(name);
        if (found == m_byName.end()) return unknownModule(entry, role.module);
        const LoraTarget& target = *found->second;
        if (role.kind == TensorKind::BaseCopy) return placeBaseCopy(entry, target);
        if (role.isOfEmbedding() != target.isEmbedding())
            return fail(
                ErrorCode::CorruptFile,
                entry.location() + ": " + role.module +
                    (target.isEmbedding() ? " is an embedding, whose matrices are lora_embedding_A and lora_embedding_B"
                                          : " is a projection, not an embedding"),
                entry.name);
        Matrices& pair = m_found[&target];
        if (!pair.module.empty() && pair.module != role.module)
            return fail(
                ErrorCode::CorruptFile,
                entry.location() + ": this projection is there under two names, " + pair.module + " and " + role.module,
                entry.name);
        pair.module = role.module;
        (role.isB() ? pair.b : pair.a) = &entry;
        if (!target.isLmHead()) m_filePrefix = hasPrefix ? std::string(m_family.tensors.prefix) : "";
        return {};
    }

    // PEFT saves the base's own embedding and head beside the matrices that change them.
    Result<void> placeBaseCopy(const TensorEntry& entry, const LoraTarget& target) {
        if (target.layer >= 0)
            return fail(ErrorCode::Unsupported,
                        entry.location() + " is a weight of the base itself, which an adapter does not replace",
                        entry.name);
        const std::vector<std::int64_t> expected = {m_base.vocabulary, m_base.hidden};
        if (entry.shape != expected)
            return fail(ErrorCode::ShapeMismatch,
                        entry.location() + ": the adapter was trained on a base whose " + target.name + " is " +
                            shapeText(entry.shape) + ", that of this base is " + shapeText(expected) +
                            "; a vocabulary that was extended is not served",
                        entry.name);
        TRY(checkTileType(entry));
        m_spec.baseCopies.push_back({entry.name, target.isEmbedding()});
        return {};
    }

    // As PEFT has it.
    std::string moduleOf(const LoraTarget& target) const {
        return target.isLmHead() ? target.name : m_filePrefix + target.name;
    }

    // BERT's pooler, say.
    bool isUnread(const std::string& name) const {
        const std::string_view pooler = m_family.tensors.pooler;
        return !pooler.empty() && name == pooler.substr(m_family.tensors.prefix.size());
    }

    Error unknownModule(const TensorEntry& entry, const std::string& module) const {
        if (isTable(module))
            return fail(ErrorCode::Unsupported,
                        entry.location() +
                            " changes a table of positions or token types; of the embeddings, that of the "
                            "tokens can be changed",
                        entry.name);
        return fail(ErrorCode::ShapeMismatch,
                    entry.location() + ": the base (" + m_base.architecture + ", " +
                        std::to_string(m_base.layers.size()) + " layers) has no projection " + module,
                    entry.name);
    }

    // Every name of target_modules means something in this base.
    Result<void> checkNames() const {
        if (!m_config.targets) return {};
        for (const std::string& name : m_config.targets->names) {
            ModuleFilter one;
            one.names = {name};
            bool isKnown = false;
            for (const LoraTarget& target : m_targets) {
                TRY_ASSIGN(const bool matches, one.matches(moduleOf(target)));
                isKnown = isKnown || matches;
            }
            if (isKnown) continue;
            if (isTable(name))
                return fail(
                    ErrorCode::Unsupported,
                    std::string(kAdapterConfigFile) + ": target_modules names " + name +
                        ", a table of positions or token types; of the embeddings, that of the tokens can be changed",
                    "target_modules");
            return fail(ErrorCode::ShapeMismatch,
                        std::string(kAdapterConfigFile) + ": target_modules names " + name + ", which the base (" +
                            m_base.architecture + ") does not have",
                        "target_modules");
        }
        return {};
    }

    // An embedding beside that of the tokens.
    bool isTable(std::string_view module) const {
        const std::array tables{m_family.tensors.positions, m_family.tensors.tokenTypes};
        return std::ranges::any_of(tables, [&](std::string_view table) {
            return !table.empty() && (table == module || table.ends_with("." + std::string(module)));
        });
    }

    Result<void> checkTarget(const LoraTarget& target) {
        const auto found = m_found.find(&target);
        const std::string module = found == m_found.end() ? moduleOf(target) : found->second.module;
        TRY_ASSIGN(const bool isSelected, m_config.selects(module, target.layer));
        if (found == m_found.end()) {
            if (!isSelected || !m_config.targets) return {};
            return fail(ErrorCode::MissingTensor,
                        std::string(kAdapterWeightsFile) + " lacks " + std::string(kPeftPrefix) + module +
                            (target.isEmbedding() ? ".lora_embedding_A" : ".lora_A.weight") +
                            ", which target_modules asks for",
                        module);
        }
        const Matrices& pair = found->second;
        if (!isSelected)
            return fail(ErrorCode::CorruptFile,
                        (pair.a ? pair.a : pair.b)->location() + " belongs to a projection that " +
                            std::string(kAdapterConfigFile) + " does not select",
                        module);
        if (!pair.a || !pair.b)
            return fail(
                ErrorCode::MissingTensor,
                (pair.a ? pair.a : pair.b)->location() + " has no " + (pair.a ? "lora_B" : "lora_A") + " beside it",
                module);
        TRY(checkTie(target));
        TRY_ASSIGN(const std::int32_t rank, m_config.rankOf(module));
        TRY_ASSIGN(const float scale, m_config.scaleOf(module));
        TRY(checkShape(*pair.a, {rank, target.inputs}));
        TRY(checkShape(*pair.b, {target.outputs, rank}));
        m_spec.pairs.push_back({target, rank, scale, pair.a->name, pair.b->name});
        return {};
    }

    // PEFT gives each of two tied modules matrices of its own, until it merges them or is asked to keep them tied.
    Result<void> checkTie(const LoraTarget& target) {
        if (target.layer >= 0 || !m_base.tiedEmbeddings) return {};
        if (m_config.tiesWeights)
            return fail(
                ErrorCode::Unsupported,
                std::string(kAdapterConfigFile) + ": it changes " + target.name +
                    ", whose weights this base shares between embedding and output layer, and asks that they stay "
                    "shared (ensure_weight_tying), which is not supported; train it with ensure_weight_tying=False",
                "ensure_weight_tying");
        m_spec.warnings.push_back("the base shares one matrix between embedding and output layer; " + target.name +
                                  " alone is changed, as PEFT does until an adapter is merged");
        return {};
    }

    Result<void> checkShape(const TensorEntry& entry, const std::vector<std::int64_t>& expected) {
        TRY(checkAdapterTensor(entry, expected));
        m_types.insert(entry.dtype);
        m_spec.bytes += entry.bytes;
        return {};
    }

    void finish() {
        m_spec.dtype = m_types.size() == 1 ? *m_types.begin() : DType::F32;
        for (const LoraPair& pair : m_spec.pairs) {
            m_spec.rank = std::max(m_spec.rank, pair.rank);
            const std::string name(pair.target.shortName());
            if (std::ranges::find(m_spec.targets, name) == m_spec.targets.end()) m_spec.targets.push_back(name);
        }
    }

    const TensorSource& m_tensors;
    const ArchSpec& m_base;
    const Family& m_family;
    const std::vector<LoraTarget> m_targets;
    std::map<std::string, const LoraTarget*, std::less<>> m_byName;
    LoraConfig m_config;
    std::map<const LoraTarget*, Matrices> m_found;
    std::set<DType> m_types;
    std::string m_filePrefix;
    AdapterSpec m_spec;
};

Result<void> refusePickles(FileSystem& files, const Path& folder, std::string_view weightsFile) {
    constexpr std::string_view kPeft = "PEFT: save_pretrained(..., safe_serialization=True)";
    constexpr std::pair<const char*, std::string_view> kPickles[] = {
        {"adapter_model.bin", kPeft},
        {"adapter_model.pt", kPeft},
        {"pytorch_adapter.bin",
         "adapters: save_adapter(..., use_safetensors=True), or the same tensors under the same names in "
         "adapter.safetensors"}};
    for (const auto& [name, how] : kPickles)
        if (files.exists(folder / name))
            return fail(ErrorCode::Unsupported,
                        std::string(name) +
                            ": pickle weights are not read, because a pickle can run any code; save the "
                            "adapter as safetensors first (" +
                            std::string(how) + ")",
                        name);
    return fail(ErrorCode::NotFound, folder.string() + " holds no " + std::string(weightsFile), folder.string());
}

bool isBottleneck(std::string_view configText) {
    const auto json = parseJson(configText, kAdapterConfigFile);
    return json && isAdapterHubConfig(*json);
}

}  // namespace

Result<AdapterSpec> checkAdapter(std::string_view configText, const TensorSource& tensors, const ArchSpec& base) {
    if (isBottleneck(configText)) return checkBottleneckAdapter(configText, tensors, base);
    return Checker(tensors, base).check(configText);
}

Result<AdapterFolder> readAdapterFolder(FileSystem& files, const Path& folder, const ArchSpec& base) {
    TRY_ASSIGN(const FileEntry status, files.stat(folder));
    if (!status.isDirectory)
        return fail(ErrorCode::InvalidArgument, folder.string() + " is not a folder; an adapter is one",
                    folder.string());
    AdapterFolder adapter;
    auto text = files.readText(folder / kAdapterConfigFile, kMaxConfigBytes);
    if (!text && text.error().code == ErrorCode::NotFound)
        return fail(ErrorCode::NotFound,
                    folder.string() + " holds no " + std::string(kAdapterConfigFile) +
                        ": is it an adapter of PEFT or AdapterHub?",
                    folder.string());
    TRY_ASSIGN(adapter.configText, std::move(text));
    adapter.weightsFile = isBottleneck(adapter.configText) ? kAdapterHubWeightsFile : kAdapterWeightsFile;
    if (!files.exists(folder / adapter.weightsFile)) TRY(refusePickles(files, folder, adapter.weightsFile));
    TRY_ASSIGN(adapter.tensors, openSafetensors(files, folder / adapter.weightsFile));
    TRY_ASSIGN(adapter.spec, checkAdapter(adapter.configText, *adapter.tensors, base));
    return adapter;
}

Result<std::string> digestAdapter(const AdapterFolder& adapter, std::stop_token stop, const TensorPieceVisitor& seen) {
    ModelDigest digest;
    Sha256 config;
    config.update(adapter.configText);
    digest.addFile(kAdapterConfigFile, config.finish());
    for (const TensorEntry& entry : adapter.tensors->tensors()) {
        Sha256 hash;
        TRY(readInPieces(*adapter.tensors, entry, stop, [&](std::span<const std::byte> piece) -> Result<void> {
            hash.update(piece);
            if (seen) seen(entry, piece);
            return {};
        }));
        digest.addTensor(entry, hash.finish());
    }
    return digest.finish();
}

}  // namespace espalier
