// SPDX-License-Identifier: GPL-3.0-or-later
// What an import tells a person beyond figures: which chat format a template speaks, and what each tensor of a folder
// is to the model.
//
// Plain values and free functions. Thread: any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/engine/engine.h"
#include "core/formats/tensor_source.h"

namespace espalier {

// The common name of the format a chat template writes ("ChatML", "Llama 3"), told by the marks it puts around turns;
// "custom" when none is known, empty for an empty source.
std::string chatFormatOf(std::string_view templateSource);

// Every tensor in its order, with its role in words ("query, key, value"); "not used" for what the model of this spec
// does not read. Requires: checkWeights passed for the spec and these tensors.
std::vector<ProbedTensor> probedTensors(const ArchSpec& spec, const TensorSource& tensors);

}  // namespace espalier
