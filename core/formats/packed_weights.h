// SPDX-License-Identifier: GPL-3.0-or-later
// Weights that another program packed into few bits (GPTQ, AWQ, FP8, bitsandbytes, ...) are recognised and refused by
// name: reading them as if they were plain would give a broken model without an error. Thread: any; no state.
#pragma once

#include <string_view>

#include "core/base/json.h"
#include "core/formats/tensor_source.h"

namespace espalier {

// By "quantization_config" of a config.json. Error unsupported names the method and what to import instead.
Result<void> refusePackedConfig(const Json& config, std::string_view where);

// By the tensor names such packers write (qweight, weight_packed, ...), for folders whose config does not say.
Result<void> refusePackedTensors(const TensorSource& tensors);

}  // namespace espalier
