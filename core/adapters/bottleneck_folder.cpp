// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/adapters/bottleneck_folder.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

#include "core/adapters/bottleneck_config.h"
#include "core/adapters/tensor_check.h"
#include "core/tensor/widen.h"

namespace espalier {
namespace {

// Where the adapters of a family are, below the name of a layer.
struct Places {
    std::string_view afterAttention, afterMlp;
};
Places placesOf(const Family& family) {
    if (family.name == "bert" || family.name == "roberta" || family.name == "xlm-roberta")
        return {"attention.output.adapters.", "output.adapters."};
    return {"attention_adapters.adapters.", "output_adapters.adapters."};
}

enum class Role : std::uint8_t { Down, DownBias, Up, UpBias, Scale };
constexpr std::pair<std::string_view, Role> kRoles[] = {{".adapter_down.0.weight", Role::Down},
                                                        {".adapter_down.0.bias", Role::DownBias},
                                                        {".adapter_up.weight", Role::Up},
                                                        {".adapter_up.bias", Role::UpBias},
                                                        {".scaling", Role::Scale}};

class BottleneckChecker {
public:
    BottleneckChecker(const TensorSource& tensors, const ArchSpec& base)
        : m_tensors(tensors), m_base(base), m_family(*familyNamed(base.family)), m_places(placesOf(m_family)) {}

    Result<AdapterSpec> check(std::string_view configText) {
        TRY_ASSIGN(m_config, bottleneckConfigFromText(configText, kAdapterConfigFile));
        TRY(checkBase());
        for (const TensorEntry& entry : m_tensors.tensors()) TRY(place(entry));
        if (m_found.empty())
            return fail(ErrorCode::MissingTensor, std::string(kAdapterHubWeightsFile) + " holds no bottleneck adapter",
                        std::string(kAdapterHubWeightsFile));
        for (std::int32_t layer = 0; layer < static_cast<std::int32_t>(m_base.layers.size()); ++layer)
            for (const LoraSite site : {LoraSite::AfterAttention, LoraSite::AfterMlp}) TRY(checkSite(layer, site));
        finish();
        return std::move(m_spec);
    }

private:
    using Site = std::pair<std::int32_t, LoraSite>;
    using Tensors = std::array<const TensorEntry*, std::size(kRoles)>;  // by Role

    Result<void> checkBase() const {
        if (!m_config.modelType.empty() && m_config.modelType != m_family.modelType)
            return fail(ErrorCode::ShapeMismatch,
                        std::string(kAdapterConfigFile) + ": it was made for a " + m_config.modelType +
                            " model, the base is " + m_base.architecture,
                        "model_type");
        if (m_config.hidden != 0 && m_config.hidden != m_base.hidden)
            return fail(ErrorCode::ShapeMismatch,
                        std::string(kAdapterConfigFile) + ": it was made for a hidden size of " +
                            std::to_string(m_config.hidden) + ", that of the base is " + std::to_string(m_base.hidden),
                        "hidden_size");
        return {};
    }

    Error unknown(const TensorEntry& entry) const {
        return fail(ErrorCode::Unsupported,
                    entry.location() + " is nothing that a bottleneck adapter of this base (" + m_base.architecture +
                        ", " + std::to_string(m_base.layers.size()) + " layers) has; as in \"" +
                        std::string(m_family.tensors.layer) + "0." + std::string(m_places.afterMlp) +
                        "NAME.adapter_down.0.weight\"",
                    entry.name);
    }

    // "3." as the beginning of `rest`, which it takes off; none when the base has no such layer.
    std::optional<std::int32_t> takeLayer(std::string_view& rest) const {
        for (std::int32_t layer = 0; layer < static_cast<std::int32_t>(m_base.layers.size()); ++layer) {
            const std::string number = std::to_string(layer) + ".";
            if (!rest.starts_with(number)) continue;
            rest.remove_prefix(number.size());
            return layer;
        }
        return std::nullopt;
    }

    Result<void> place(const TensorEntry& entry) {
        std::string_view rest = entry.name;
        std::string_view layers = m_family.tensors.layer;
        if (!rest.starts_with(layers)) layers.remove_prefix(m_family.tensors.prefix.size());
        if (!rest.starts_with(layers)) return unknown(entry);
        rest.remove_prefix(layers.size());
        const auto layer = takeLayer(rest);
        if (!layer) return unknown(entry);
        LoraSite site = LoraSite::AfterMlp;
        if (rest.starts_with(m_places.afterAttention)) {
            site = LoraSite::AfterAttention;
            rest.remove_prefix(m_places.afterAttention.size());
        } else if (rest.starts_with(m_places.afterMlp)) {
            rest.remove_prefix(m_places.afterMlp.size());
        } else {
            return unknown(entry);
        }
        for (const auto& [suffix, role] : kRoles) {
            if (!rest.ends_with(suffix)) continue;
            TRY(checkName(entry, rest.substr(0, rest.size() - suffix.size())));
            const TensorEntry*& known = m_found[{*layer, site}][static_cast<std::size_t>(role)];
            if (known)
                return fail(ErrorCode::CorruptFile, entry.location() + " is there a second time, as " + known->name,
                            entry.name);
            known = &entry;
            return {};
        }
        return unknown(entry);
    }

    // One folder, one adapter.
    Result<void> checkName(const TensorEntry& entry, std::string_view name) {
        if (m_name.empty()) m_name = m_config.name.empty() ? std::string(name) : m_config.name;
        if (name == m_name && !name.empty()) return {};
        return fail(
            ErrorCode::CorruptFile,
            entry.location() + " belongs to an adapter named \"" + std::string(name) + "\", not to \"" + m_name + "\"",
            entry.name);
    }

    Result<void> checkSite(std::int32_t layer, LoraSite site) {
        const bool isWanted = (site == LoraSite::AfterAttention ? m_config.afterAttention : m_config.afterMlp) &&
                              m_config.hasLayer(layer);
        const auto found = m_found.find({layer, site});
        const std::string_view place = site == LoraSite::AfterAttention ? m_places.afterAttention : m_places.afterMlp;
        const std::string module =
            std::string(m_family.tensors.layer) + std::to_string(layer) + "." + std::string(place) + m_name;
        if (found == m_found.end()) {
            if (!isWanted) return {};
            return fail(ErrorCode::MissingTensor,
                        std::string(kAdapterHubWeightsFile) + " lacks " + module + ", which " +
                            std::string(kAdapterConfigFile) + " asks for",
                        module);
        }
        const Tensors& tensors = found->second;
        const TensorEntry* any =
            *std::ranges::find_if(tensors, [](const TensorEntry* entry) { return entry != nullptr; });
        if (!isWanted)
            return fail(ErrorCode::CorruptFile,
                        any->location() + " stands where " + std::string(kAdapterConfigFile) + " has no adapter",
                        any->name);
        for (const auto& [suffix, role] : kRoles)
            if (!tensors[static_cast<std::size_t>(role)] && (role != Role::Scale || m_config.learnsScale))
                return fail(ErrorCode::MissingTensor,
                            std::string(kAdapterHubWeightsFile) + " lacks " + module + std::string(suffix), module);
        return add(layer, site, tensors);
    }

    Result<void> add(std::int32_t layer, LoraSite site, const Tensors& tensors) {
        const std::int32_t rank = m_config.ranksOf(layer, m_base.hidden);
        if (rank >= kMaxLoraRank)
            return fail(ErrorCode::TooLarge,
                        std::string(kAdapterConfigFile) + ": the bottleneck of layer " + std::to_string(layer) +
                            " is " + std::to_string(rank) + " wide, at most " + std::to_string(kMaxLoraRank - 1) +
                            " is possible",
                        "reduction_factor");
        const std::vector<std::int64_t> shapes[] = {
            {rank, m_base.hidden}, {rank}, {m_base.hidden, rank}, {m_base.hidden}, {1}};
        for (std::size_t role = 0; role < tensors.size(); ++role) {
            if (!tensors[role]) continue;
            TRY(checkAdapterTensor(*tensors[role], shapes[role]));
            m_spec.bytes += tensors[role]->bytes;
            if (role != static_cast<std::size_t>(Role::Scale)) m_types.insert(tensors[role]->dtype);
        }
        LoraPair pair;
        const bool isAfterMlp = site == LoraSite::AfterMlp;
        pair.target = {std::to_string(layer) + (isAfterMlp ? ".output_adapter" : ".mh_adapter"),
                       layer,
                       site,
                       m_base.hidden,
                       m_base.hidden,
                       0};
        pair.rank = rank;
        TRY_ASSIGN(pair.scale, scaleOf(tensors[static_cast<std::size_t>(Role::Scale)]));
        pair.a = tensors[0]->name;
        pair.aBias = tensors[1]->name;
        pair.b = tensors[2]->name;
        pair.bBias = tensors[3]->name;
        pair.activation = m_config.activation;
        m_spec.rank = std::max(m_spec.rank, rank);
        m_spec.pairs.push_back(std::move(pair));
        return {};
    }

    // A learned one is read as it is stored: every type widens to f32 exactly, so nothing is rounded here.
    Result<float> scaleOf(const TensorEntry* learned) const {
        if (!learned) return m_config.scale;
        if (!m_config.learnsScale)
            return fail(ErrorCode::CorruptFile,
                        learned->location() + " is a learned scale, and " + std::string(kAdapterConfigFile) +
                            " says a fixed one (scaling)",
                        learned->name);
        TRY_ASSIGN(const auto stored, readTensor(m_tensors, *learned));
        float scale = 0;
        widenFinite(learned->dtype, stored, std::span(&scale, 1));
        if (std::isfinite(scale)) return scale;
        return fail(ErrorCode::NonFinite, learned->location() + " is not finite", learned->name);
    }

    void finish() {
        m_spec.kind = "bottleneck";
        m_spec.dtype = m_types.size() == 1 ? *m_types.begin() : DType::F32;
        m_spec.bottleneckInput = m_config.input;
        m_spec.baseModel = m_config.baseModel;
        if (m_config.afterAttention) m_spec.targets.emplace_back("mh_adapter");
        if (m_config.afterMlp) m_spec.targets.emplace_back("output_adapter");
    }

    const TensorSource& m_tensors;
    const ArchSpec& m_base;
    const Family& m_family;
    const Places m_places;
    BottleneckConfig m_config;
    std::string m_name;
    std::map<Site, Tensors> m_found;
    std::set<DType> m_types;
    AdapterSpec m_spec;
};

}  // namespace

Result<AdapterSpec> checkBottleneckAdapter(std::string_view configText, const TensorSource& tensors,
                                           const ArchSpec& base) {
    return BottleneckChecker(tensors, base).check(configText);
}

}  // namespace espalier
