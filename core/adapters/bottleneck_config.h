// SPDX-License-Identifier: GPL-3.0-or-later
// adapter_config.json of a bottleneck adapter as AdapterHub publishes it (the `adapters` library): where in a layer it
// stands, how narrow it is and with which activation. Read the way adapters 1.3 reads it; whatever would change the
// result and is not supported is refused by name.
//
// Houlsby et al. (arXiv 1902.00751; "double_seq_bn", "houlsby"): after attention and after the MLP, each reading what
// its block adds to the residual. Pfeiffer et al. (arXiv 2005.00247; "seq_bn", "pfeiffer"): after the MLP, reading the
// sum.
//
// Plain values. Thread: any.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/models/transformer.h"

namespace espalier {

struct BottleneckConfig {
    bool afterAttention = false, afterMlp = false;
    BottleneckInput input = BottleneckInput::Addend;
    ActivationKind activation = ActivationKind::Relu;
    float scale = 1.0f;
    bool learnsScale = false;                   // each place has a scale of its own, a tensor of one value
    double reduction = 16;                      // ranks = hidden / this, at least 1
    std::map<std::int32_t, double> reductions;  // of layers that have their own
    std::vector<std::int32_t> leftOut;          // layers without
    std::string name;                           // under which its tensors are; empty: any one
    std::string modelType;                      // "bert"; empty: not said
    std::int64_t hidden = 0;                    // 0: not said
    std::string baseModel;                      // what it says that it was trained on; for people

    bool hasLayer(std::int32_t layer) const;
    std::int32_t ranksOf(std::int32_t layer, std::int32_t hiddenSize) const;
};

// Whether this is a configuration of AdapterHub rather than of PEFT.
bool isAdapterHubConfig(const Json& config);

// Errors: corrupt_file names the key; unsupported names what the adapter uses.
Result<BottleneckConfig> bottleneckConfigFromText(std::string_view text, std::string_view where);

}  // namespace espalier
