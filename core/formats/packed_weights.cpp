// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/formats/packed_weights.h"

#include <array>

namespace espalier {
namespace {

struct Packer {
    std::string_view key;    // quant_method, or the end of a tensor's name
    std::string_view shown;  // as people call it
};
constexpr std::array<Packer, 6> kMethods = {{{"gptq", "GPTQ"},
                                             {"awq", "AWQ"},
                                             {"fp8", "FP8"},
                                             {"fbgemm_fp8", "FP8"},
                                             {"bitsandbytes", "bitsandbytes"},
                                             {"compressed-tensors", "compressed-tensors"}}};
constexpr std::array<Packer, 6> kSuffixes = {{{".qweight", "GPTQ or AWQ"},
                                              {".qzeros", "GPTQ or AWQ"},
                                              {".weight_packed", "compressed-tensors"},
                                              {".weight_scale_inv", "FP8"},
                                              {".weight_scale", "FP8"},
                                              {".weight.quant_map", "bitsandbytes"}}};

Error refusal(std::string_view method, std::string where) {
    return fail(
        ErrorCode::Unsupported,
        where + ": " + std::string(method) +
            " weights are packed for another program and are not read; import the original f32, bf16 or f16 model "
            "and quantise it at import",
        where);
}

}  // namespace

Result<void> refusePackedConfig(const Json& config, std::string_view where) {
    const JsonReader reader(config, std::string(where));
    const Json* quantization = reader.find("quantization_config");
    if (!quantization) return {};
    if (!quantization->is_object()) return reader.wrong("quantization_config", "an object");
    TRY_ASSIGN(
        const std::string method,
        JsonReader(*quantization, std::string(where) + ": quantization_config").stringOr("quant_method", "quantised"));
    for (const Packer& packer : kMethods)
        if (packer.key == method) return refusal(packer.shown, std::string(where));
    return refusal(method.substr(0, 60), std::string(where));
}

Result<void> refusePackedTensors(const TensorSource& tensors) {
    for (const TensorEntry& entry : tensors.tensors())
        for (const Packer& packer : kSuffixes)
            if (entry.name.ends_with(packer.key)) return refusal(packer.shown, entry.location());
    return {};
}

}  // namespace espalier
