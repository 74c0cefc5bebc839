// SPDX-License-Identifier: GPL-3.0-or-later
// The tensors of a bottleneck adapter, as the `adapters` library names them, read against the base:
//
//   bert.encoder.layer.3.output.adapters.NAME.adapter_down.0.weight   [ranks, hidden], and .bias [ranks]
//   bert.encoder.layer.3.output.adapters.NAME.adapter_up.weight       [hidden, ranks], and .bias [hidden]
//
// after attention "attention.output" in BERT's place of "output"; in the other families "attention_adapters" and
// "output_adapters". The beginning ("bert.") may be missing.
//
// Thread: any.
#pragma once

#include "core/adapters/adapter_folder.h"

namespace espalier {

inline constexpr std::string_view kAdapterHubWeightsFile = "adapter.safetensors";

// Errors: those of bottleneckConfigFromText; unsupported, shape_mismatch, missing_tensor, corrupt_file, too_large; each
// names the tensor or key, what was expected and found.
Result<AdapterSpec> checkBottleneckAdapter(std::string_view configText, const TensorSource& tensors,
                                           const ArchSpec& base);

}  // namespace espalier
