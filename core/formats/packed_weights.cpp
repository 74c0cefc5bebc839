// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/formats/packed_weights.h"

#include <array>

namespace espalier {
namespace {

struct Packer {
    std::string_view key;    // quant_method, or the end of a tensor's name
    std::string_view shown;  // as people call it
};
constexpr std::array<Packer, 16> kMethods = {{{"gptq", "GPTQ"},
                                              {"awq", "AWQ"},
                                              {"fp8", "FP8"},
                                              {"fbgemm_fp8", "FP8"},
                                              {"finegrained_fp8", "FP8"},
                                              {"bitsandbytes", "bitsandbytes"},
                                              {"compressed-tensors", "compressed-tensors"},
                                              {"auto-round", "AutoRound"},
                                              {"modelopt", "ModelOpt"},
                                              {"mxfp4", "MXFP4"},
                                              {"hqq", "HQQ"},
                                              {"aqlm", "AQLM"},
                                              {"quanto", "Quanto"},
                                              {"torchao", "torchao"},
                                              {"eetq", "EETQ"},
                                              {"bitnet", "BitNet"}}};
constexpr std::array<Packer, 14> kSuffixes = {{{".qweight", "GPTQ or AWQ"},
                                               {".qzeros", "GPTQ or AWQ"},
                                               {".g_idx", "GPTQ"},
                                               {".weight_packed", "compressed-tensors"},
                                               {".weight_scale_inv", "FP8"},
                                               {".weight_scale", "FP8"},
                                               {".weight.absmax", "bitsandbytes"},
                                               {".weight.quant_map", "bitsandbytes"},
                                               {".SCB", "bitsandbytes"},
                                               {".W_q", "HQQ"},
                                               {".codebooks", "AQLM"},
                                               {".weight._data", "Quanto"},
                                               {"_proj_blocks", "MXFP4"},
                                               {"_proj_scales", "MXFP4"}}};

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
    // An older name of compressed-tensors' section, which holds no method.
    if (reader.has("compression_config")) return refusal("compressed-tensors", std::string(where));
    const Json* quantization = reader.find("quantization_config");
    if (!quantization) return {};
    if (!quantization->is_object()) return reader.wrong("quantization_config", "an object");
    const JsonReader section(*quantization, std::string(where) + ": quantization_config");
    TRY_ASSIGN(std::string method, section.stringOr("quant_method", ""));
    // bitsandbytes wrote no method at first.
    if (method.empty())
        method = section.has("load_in_8bit") || section.has("load_in_4bit") ? "bitsandbytes" : "quantised";
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
