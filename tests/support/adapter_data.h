// SPDX-License-Identifier: GPL-3.0-or-later
// Adapters for tests: PEFT folders with random weights for any base, and images for the FakeTransformer.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/adapters/adapter_folder.h"
#include "core/adapters/lora_image.h"
#include "tests/support/tiny_model.h"

namespace espalier::test {

struct TinyAdapterOptions {
    std::int32_t rank = 4;
    double alpha = 8;
    std::vector<std::string> targets = {"q_proj", "v_proj", "down_proj"};
    DType dtype = DType::F32;
    float strength = 0.5f;
    std::uint64_t seed = 1;
};

// The files of a PEFT folder for this base, as text and bytes.
struct TinyAdapter {
    Json config;
    std::vector<RawTensor> tensors;

    RawTensor& tensor(std::string_view end);  // whose name ends so
    std::string configText() const { return config.dump(); }
    std::string weights() const { return safetensorsBytes(tensors); }
    void write(const Path& folder) const;  // creates it
};
TinyAdapter tinyAdapter(const ArchSpec& base, const TinyAdapterOptions& options = {});

// A bottleneck adapter of AdapterHub, as text and bytes: after attention and MLP reading the addend (houlsby), or after
// the MLP reading the sum. As wide as hidden / reduction.
struct TinyBottleneckOptions {
    bool houlsby = true;
    double reduction = 6;
    double scale = 1;
    DType dtype = DType::F32;
    float strength = 0.3f;
    std::uint64_t seed = 1;
};
TinyAdapter tinyBottleneck(const ArchSpec& base, const TinyBottleneckOptions& options = {});
std::shared_ptr<const LoraImage> tinyBottleneckImage(const ArchSpec& base, std::span<const std::int64_t> pageBytes,
                                                     const TinyBottleneckOptions& options = {});

// The image of such an adapter for pages of this size, by layer. Failure is a failed CHECK.
std::shared_ptr<const LoraImage> tinyImage(const ArchSpec& base, std::span<const std::int64_t> pageBytes,
                                           const TinyAdapterOptions& options = {});

}  // namespace espalier::test
