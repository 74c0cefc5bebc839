// SPDX-License-Identifier: GPL-3.0-or-later
// A folder with an adapter in one text: adapter_config.json, a zero byte, adapter_model.safetensors. Refused, or an
// adapter that fits the base and whose tiles can be made.
#include <algorithm>
#include <cstring>

#include "core/adapters/bottleneck_config.h"
#include "core/adapters/lora_image.h"
#include "core/formats/safetensors.h"

namespace {

using namespace espalier;

class Bytes final : public TensorSource {
public:
    Bytes(std::vector<TensorEntry> entries, std::span<const std::byte> file)
        : m_entries(std::move(entries)), m_file(file) {}
    const std::vector<TensorEntry>& tensors() const override { return m_entries; }
    const TensorEntry* find(std::string_view name) const override {
        const auto found = std::ranges::find(m_entries, name, &TensorEntry::name);
        return found == m_entries.end() ? nullptr : &*found;
    }
    Result<void> read(const TensorEntry& entry, std::uint64_t offset, std::span<std::byte> into) const override {
        std::memcpy(into.data(), m_file.data() + entry.offset + offset, into.size());
        return {};
    }

private:
    std::vector<TensorEntry> m_entries;
    std::span<const std::byte> m_file;
};

ArchSpec base() {
    ArchSpec spec;
    spec.family = "llama";
    spec.architecture = "LlamaForCausalLM";
    spec.vocabulary = 10;
    spec.hidden = 4;
    spec.headDim = 2;
    spec.layers = {{2, 1, 6, 0}, {2, 1, 6, 0}};
    return spec;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::uint8_t* zero = std::find(data, data + size, 0);
    const std::string_view config(reinterpret_cast<const char*>(data), static_cast<std::size_t>(zero - data));
    const auto left = static_cast<std::size_t>(data + size - zero);
    const auto file = std::as_bytes(std::span(zero + (left > 0), left - (left > 0)));
    (void)loraConfigFromText(config, "fuzz.json");
    (void)bottleneckConfigFromText(config, "fuzz.json");
    auto entries = readSafetensorsHeader(file, file.size(), "fuzz.safetensors");
    if (!entries) return 0;
    const Bytes tensors(std::move(*entries), file);
    const auto spec = checkAdapter(config, tensors, base());
    if (!spec) return 0;
    CHECK(spec->rank > 0 && spec->rank <= kMaxLoraRank && !spec->pairs.empty());
    const std::int64_t pageBytes[] = {8192, 12288};
    const auto image = makeLoraImage(*spec, tensors, "fuzz", pageBytes);
    CHECK(image && (*image)->pages > 0);
    return 0;
}
