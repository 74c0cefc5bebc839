// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/adapter_data.h"

#include <cstring>
#include <random>

#include "core/adapters/bottleneck_config.h"
#include "core/adapters/bottleneck_folder.h"
#include "tests/support/memory_tensors.h"

namespace espalier::test {
namespace {

RawTensor randomTensor(std::string name, std::vector<std::int64_t> shape, DType dtype, float scale,
                       std::mt19937_64& random) {
    RawTensor tensor{std::move(name), dtype == DType::F32 ? "F32" : dtype == DType::BF16 ? "BF16" : "F16", shape, {}};
    std::int64_t count = 1;
    for (const std::int64_t size : shape) count *= size;
    for (std::int64_t i = 0; i < count; ++i) {
        const float value = scale * (static_cast<float>(random() >> 40) * 0x1p-23f - 1.0f);  // [-scale, scale)
        std::byte bytes[4];
        const std::uint16_t half = dtype == DType::BF16 ? f32ToBf16(value) : f32ToF16(value);
        std::memcpy(bytes, dtype == DType::F32 ? static_cast<const void*>(&value) : &half, bytesOf(dtype));
        tensor.bytes.insert(tensor.bytes.end(), bytes, bytes + bytesOf(dtype));
    }
    return tensor;
}

}  // namespace

RawTensor& TinyAdapter::tensor(std::string_view end) {
    for (RawTensor& tensor : tensors)
        if (tensor.name.ends_with(end)) return tensor;
    CHECK(false);
}

void TinyAdapter::write(const Path& folder) const {
    std::filesystem::create_directories(folder);
    writeFile(folder / kAdapterConfigFile, configText());
    writeFile(folder / (config.contains("peft_type") ? kAdapterWeightsFile : kAdapterHubWeightsFile), weights());
}

TinyAdapter tinyAdapter(const ArchSpec& base, const TinyAdapterOptions& options) {
    TinyAdapter adapter;
    adapter.config = {{"peft_type", "LORA"},
                      {"r", options.rank},
                      {"lora_alpha", options.alpha},
                      {"bias", "none"},
                      {"target_modules", options.targets}};
    std::mt19937_64 random(options.seed);
    const std::string prefix = "base_model.model." + std::string(familyNamed(base.family)->tensors.prefix);
    ModuleFilter filter;
    filter.names = options.targets;
    for (const LoraTarget& target : loraTargets(base)) {
        if (!filter.matches(target.name).value()) continue;
        const std::string name = (target.isLmHead() ? "base_model.model." : prefix) + target.name;
        const bool isEmbedding = target.isEmbedding();
        adapter.tensors.push_back(randomTensor(name + (isEmbedding ? ".lora_embedding_A" : ".lora_A.weight"),
                                               {options.rank, target.inputs}, options.dtype, options.strength, random));
        adapter.tensors.push_back(randomTensor(name + (isEmbedding ? ".lora_embedding_B" : ".lora_B.weight"),
                                               {target.outputs, options.rank}, options.dtype, options.strength,
                                               random));
    }
    return adapter;
}

TinyAdapter tinyBottleneck(const ArchSpec& base, const TinyBottleneckOptions& options) {
    TinyAdapter adapter;
    adapter.config = {{"name", "tiny"},
                      {"model_type", familyNamed(base.family)->modelType},
                      {"hidden_size", base.hidden},
                      {"config",
                       {{"mh_adapter", options.houlsby},
                        {"output_adapter", true},
                        {"original_ln_before", !options.houlsby},
                        {"original_ln_after", true},
                        {"residual_before_ln", true},
                        {"non_linearity", options.houlsby ? "swish" : "relu"},
                        {"reduction_factor", options.reduction},
                        {"scaling", options.scale},
                        {"ln_before", false},
                        {"inv_adapter", nullptr},
                        {"leave_out", Json::array()}}}};
    const bool isBert = base.family == "bert";
    const std::int64_t ranks = static_cast<std::int64_t>(base.hidden / options.reduction), hidden = base.hidden;
    std::mt19937_64 random(options.seed);
    for (std::size_t layer = 0; layer < base.layers.size(); ++layer)
        for (const bool afterMlp : {false, true}) {
            if (!afterMlp && !options.houlsby) continue;
            const std::string place = isBert ? (afterMlp ? "output" : "attention.output")
                                             : (afterMlp ? "output_adapters" : "attention_adapters");
            const std::string name = std::string(familyNamed(base.family)->tensors.layer) + std::to_string(layer) +
                                     "." + place + ".adapters.tiny.";
            const auto add = [&](const char* end, std::vector<std::int64_t> shape) {
                adapter.tensors.push_back(
                    randomTensor(name + end, std::move(shape), options.dtype, options.strength, random));
            };
            add("adapter_down.0.weight", {ranks, hidden});
            add("adapter_down.0.bias", {ranks});
            add("adapter_up.weight", {hidden, ranks});
            add("adapter_up.bias", {hidden});
        }
    return adapter;
}

std::shared_ptr<const LoraImage> tinyBottleneckImage(const ArchSpec& base, std::span<const std::int64_t> pageBytes,
                                                     const TinyBottleneckOptions& options) {
    const TinyAdapter adapter = tinyBottleneck(base, options);
    const MemoryTensors tensors(adapter.tensors);
    const auto spec = checkAdapter(adapter.configText(), tensors, base);
    CHECK(spec);
    std::string digest = "test:bottleneck:" + std::to_string(options.seed) + std::string(dtypeName(options.dtype));
    auto image = makeLoraImage(*spec, tensors, std::move(digest), pageBytes);
    CHECK(image);
    return *image;
}

std::shared_ptr<const LoraImage> tinyImage(const ArchSpec& base, std::span<const std::int64_t> pageBytes,
                                           const TinyAdapterOptions& options) {
    const TinyAdapter adapter = tinyAdapter(base, options);
    const MemoryTensors tensors(adapter.tensors);
    const auto spec = checkAdapter(adapter.configText(), tensors, base);
    CHECK(spec);
    std::string digest = "test:" + std::to_string(options.seed) + ":" + std::to_string(options.rank) + ":" +
                         std::to_string(options.alpha) + std::string(dtypeName(options.dtype));
    auto image = makeLoraImage(*spec, tensors, std::move(digest), pageBytes);
    CHECK(image);
    return *image;
}

}  // namespace espalier::test
