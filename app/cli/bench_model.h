// SPDX-License-Identifier: GPL-3.0-or-later
// Models of a given shape with random weights: speed does not depend on the values.
#pragma once

#include <memory>
#include <string>

#include "core/formats/arch_spec.h"
#include "core/formats/tensor_source.h"

namespace espalier::cli {

// "tiny" (tests), "160m" (Llama-160M), "1b" (TinyLlama-1.1B). Error invalid_argument lists the names.
Result<ArchSpec> benchShape(const std::string& name);

// Every tensor the spec asks for. All share one run of random values as large as the largest, so a 1.1-billion model
// costs its packed weights and little more. With a block type only matrices whose rows are whole blocks have it.
std::unique_ptr<TensorSource> randomTensors(const ArchSpec& spec, DType dtype);

}  // namespace espalier::cli
