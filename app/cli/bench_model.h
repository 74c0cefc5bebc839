// SPDX-License-Identifier: GPL-3.0-or-later
// Models of a given shape with random weights: speed does not depend on the values.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "core/adapters/lora_image.h"
#include "core/formats/arch_spec.h"
#include "core/formats/tensor_source.h"

namespace espalier::cli {

// "tiny" (tests), "160m" (Llama-160M), "1b" (TinyLlama-1.1B). Error invalid_argument lists the names.
Result<ArchSpec> benchShape(const std::string& name);

// Every tensor the spec asks for. All share one run of random values as large as the largest, so a 1.1-billion model
// costs its packed weights and little more. With a block type only matrices whose rows are whole blocks have it.
std::unique_ptr<TensorSource> randomTensors(const ArchSpec& spec, DType dtype);

// An adapter of such a model with random values; `number` tells them apart. targets: LoRA on "all" projections or on
// those of "attention", or a "bottleneck" after each MLP (Pfeiffer), as wide as the rank. Errors: those of
// makeLoraImage.
struct BenchAdapter {
    std::int32_t rank = 16;
    DType dtype = DType::BF16;  // F32, BF16, F16
    std::string targets = "all";
};
// Such an adapter as a folder of PEFT or AdapterHub.
Result<void> writeRandomAdapter(FileSystem& files, const Path& folder, const ArchSpec& spec,
                                const BenchAdapter& adapter);
Result<std::shared_ptr<const LoraImage>> randomAdapter(const ArchSpec& spec, const BenchAdapter& adapter, int number,
                                                       std::span<const std::int64_t> pageBytes);

}  // namespace espalier::cli
