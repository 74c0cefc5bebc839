// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/bench_model.h"

#include <algorithm>
#include <cstring>

#include "core/adapters/bottleneck_folder.h"
#include "core/base/json.h"
#include "core/formats/family.h"
#include "core/models/transformer.h"
#include "core/tensor/quantized_block.h"

namespace espalier::cli {
namespace {

// Small values of either sign: a bf16 or f16 pattern with an exponent near 2^-6, or the same as f32.
std::vector<std::byte> randomBlock(std::int64_t elements, DType dtype) {
    const std::size_t size = dtype == DType::F32 ? 4 : 2;
    std::vector<std::byte> block(static_cast<std::size_t>(elements) * size);
    std::uint64_t state = 0x9E3779B97F4A7C15ull;
    for (std::size_t i = 0; i < block.size(); i += size) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        const auto bits = static_cast<std::uint16_t>(state >> 40);
        const std::uint16_t sign = bits & 0x8000;
        if (dtype == DType::F32) {
            const float value = (sign ? -1.0f : 1.0f) * static_cast<float>(bits & 0x7FFF) * 0x1p-21f;
            std::memcpy(&block[i], &value, sizeof value);
        } else {
            const std::uint16_t exponent = dtype == DType::BF16 ? 0x3C00 : 0x2400;  // 2^-7 .. 2^-6
            const std::uint16_t half = sign | exponent | (bits & (dtype == DType::BF16 ? 0x7F : 0x3FF));
            std::memcpy(&block[i], &half, sizeof half);
        }
    }
    return block;
}

// Any bits are quants and sub-scales; the f16 fields are made small and positive.
std::vector<std::byte> randomQuants(std::int64_t elements, DType dtype) {
    std::vector<std::byte> blocks(static_cast<std::size_t>(storedBytes(dtype, elements)));
    std::uint64_t state = 0x9E3779B97F4A7C15ull;
    for (std::byte& byte : blocks) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        byte = static_cast<std::byte>(state >> 40);
    }
    const std::uint16_t scale = f32ToF16(0x1p-12f);
    for (std::size_t at = 0; at < blocks.size(); at += static_cast<std::size_t>(blockOf(dtype).bytes))
        for (const int offset : scaleOffsets(dtype))
            std::memcpy(&blocks[at + static_cast<std::size_t>(offset)], &scale, sizeof scale);
    return blocks;
}

struct NamedShape {
    std::string name;
    std::vector<std::int64_t> shape;
};

class RandomTensors final : public TensorSource {
public:
    RandomTensors(const std::vector<NamedShape>& wanted, DType dtype) {
        const DType plain = isBlock(dtype) ? DType::BF16 : dtype;  // of vectors and of rows that are no whole blocks
        std::int64_t largest = 0;
        for (const NamedShape& one : wanted) {
            std::int64_t elements = 1;
            for (const std::int64_t extent : one.shape) elements *= extent;
            largest = std::max(largest, elements);
            TensorEntry& entry = m_tensors.emplace_back();
            entry.name = one.name;
            const bool isWhole = one.shape.size() == 2 && one.shape[1] % blockOf(dtype).values == 0;
            entry.dtype = isWhole ? dtype : plain;
            entry.shape = one.shape;
            entry.bytes = storedBytes(entry.dtype, elements);
            entry.file = "random weights";
        }
        std::sort(m_tensors.begin(), m_tensors.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
        m_plain = randomBlock(largest, plain);
        if (isBlock(dtype)) m_quants = randomQuants((largest + 255) / 256 * 256, dtype);
    }

    const std::vector<TensorEntry>& tensors() const override { return m_tensors; }
    const TensorEntry* find(std::string_view name) const override {
        const auto found =
            std::lower_bound(m_tensors.begin(), m_tensors.end(), name,
                             [](const TensorEntry& entry, std::string_view n) { return entry.name < n; });
        return found != m_tensors.end() && found->name == name ? &*found : nullptr;
    }
    Result<void> read(const TensorEntry& entry, std::uint64_t offset, std::span<std::byte> into) const override {
        const std::vector<std::byte>& from = isBlock(entry.dtype) ? m_quants : m_plain;
        std::copy_n(from.begin() + static_cast<std::ptrdiff_t>(offset), into.size(), into.begin());
        return {};
    }

private:
    std::vector<TensorEntry> m_tensors;
    std::vector<std::byte> m_plain, m_quants;
};

}  // namespace

Result<ArchSpec> benchShape(const std::string& name) {
    ArchSpec spec;
    spec.family = "llama";
    spec.architecture = "LlamaForCausalLM";
    spec.headDim = 64;
    spec.rope.rotaryDim = 64;
    spec.context = 2048;
    spec.vocabulary = 32000;
    spec.dtype = DType::BF16;
    const auto make = [&](std::int32_t hidden, std::size_t layers, LayerSpec layer) {
        spec.hidden = hidden;
        spec.layers.assign(layers, layer);
        return spec;
    };
    if (name == "tiny") return make(256, 4, {4, 2, 688});
    if (name == "160m") return make(768, 12, {12, 12, 2048});
    if (name == "1b") return make(2048, 22, {32, 4, 5632});
    return fail(ErrorCode::InvalidArgument, "--shape takes tiny, 160m or 1b, not " + name, "--shape");
}

std::unique_ptr<TensorSource> randomTensors(const ArchSpec& spec, DType dtype) {
    std::vector<NamedShape> wanted;
    for (ExpectedTensor& expected : expectedTensors(spec))
        if (!expected.optional) wanted.push_back({std::move(expected.name), std::move(expected.shape)});
    return std::make_unique<RandomTensors>(wanted, dtype);
}

namespace {

struct RandomAdapter {
    std::string config;
    std::unique_ptr<RandomTensors> tensors;
};

bool isBottleneck(const BenchAdapter& adapter) {
    return adapter.targets == "bottleneck";
}

RandomAdapter makeRandomBottleneck(const ArchSpec& spec, const BenchAdapter& adapter) {
    std::vector<NamedShape> wanted;
    for (std::size_t layer = 0; layer < spec.layers.size(); ++layer) {
        const std::string place = std::string(familyNamed(spec.family)->tensors.layer) + std::to_string(layer) +
                                  ".output_adapters.adapters.bench.";
        wanted.push_back({place + "adapter_down.0.weight", {adapter.rank, spec.hidden}});
        wanted.push_back({place + "adapter_down.0.bias", {adapter.rank}});
        wanted.push_back({place + "adapter_up.weight", {spec.hidden, adapter.rank}});
        wanted.push_back({place + "adapter_up.bias", {spec.hidden}});
    }
    const Json settings = {{"mh_adapter", false},
                           {"output_adapter", true},
                           {"original_ln_before", true},
                           {"original_ln_after", true},
                           {"residual_before_ln", true},
                           {"non_linearity", "relu"},
                           {"reduction_factor", spec.hidden / (adapter.rank + 0.5)}};  // rounded down to the rank
    return {dumpJson(Json{{"name", "bench"}, {"config", settings}}),
            std::make_unique<RandomTensors>(wanted, adapter.dtype)};
}

RandomAdapter makeRandomAdapter(const ArchSpec& spec, const BenchAdapter& adapter) {
    if (isBottleneck(adapter)) return makeRandomBottleneck(spec, adapter);
    Json modules = {"q_proj", "k_proj", "v_proj", "o_proj"};
    if (adapter.targets == "all") modules.insert(modules.end(), {"gate_proj", "up_proj", "down_proj"});
    std::vector<NamedShape> wanted;
    for (const LoraTarget& target : loraTargets(spec)) {
        const std::string_view module = std::string_view(target.name).substr(target.name.rfind('.') + 1);
        if (std::find(modules.begin(), modules.end(), module) == modules.end()) continue;
        const std::string name = "base_model.model.model." + target.name;
        wanted.push_back({name + ".lora_A.weight", {adapter.rank, target.inputs}});
        wanted.push_back({name + ".lora_B.weight", {target.outputs, adapter.rank}});
    }
    const Json config = {{"peft_type", "LORA"},
                         {"r", adapter.rank},
                         {"lora_alpha", adapter.rank},
                         {"bias", "none"},
                         {"target_modules", modules}};
    return {dumpJson(config), std::make_unique<RandomTensors>(wanted, adapter.dtype)};
}

}  // namespace

Result<std::shared_ptr<const LoraImage>> randomAdapter(const ArchSpec& spec, const BenchAdapter& adapter, int number,
                                                       std::span<const std::int64_t> pageBytes) {
    const RandomAdapter made = makeRandomAdapter(spec, adapter);
    TRY_ASSIGN(const AdapterSpec read, checkAdapter(made.config, *made.tensors, spec));
    return makeLoraImage(read, *made.tensors, "bench:" + std::to_string(number), pageBytes);
}

Result<void> writeRandomAdapter(FileSystem& files, const Path& folder, const ArchSpec& spec,
                                const BenchAdapter& adapter) {
    const RandomAdapter made = makeRandomAdapter(spec, adapter);
    Json header = Json::object();
    std::int64_t at = 0;
    const char* type = adapter.dtype == DType::F32 ? "F32" : adapter.dtype == DType::BF16 ? "BF16" : "F16";
    for (const TensorEntry& tensor : made.tensors->tensors()) {
        header[tensor.name] = {{"dtype", type}, {"shape", tensor.shape}, {"data_offsets", {at, at + tensor.bytes}}};
        at += tensor.bytes;
    }
    std::string text = dumpJson(header);
    text.resize((text.size() + 7) / 8 * 8, ' ');
    const std::uint64_t size = text.size();
    TRY(files.makeDirectories(folder));
    TRY(writeAtomically(files, folder / "adapter_config.json", made.config));
    TRY_ASSIGN(const auto file,
               files.create(folder / (isBottleneck(adapter) ? kAdapterHubWeightsFile : kAdapterWeightsFile)));
    TRY(file->append(std::as_bytes(std::span(&size, 1))));
    TRY(file->append(std::as_bytes(std::span(text))));
    for (const TensorEntry& tensor : made.tensors->tensors()) {
        std::vector<std::byte> data(static_cast<std::size_t>(tensor.bytes));
        TRY(made.tensors->read(tensor, 0, data));
        TRY(file->append(data));
    }
    return file->close();
}

}  // namespace espalier::cli
