// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/adapters/tensor_check.h"

namespace espalier {

std::string shapeText(const std::vector<std::int64_t>& shape) {
    std::string text = "[";
    for (const std::int64_t size : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(size);
    return text + "]";
}

Result<void> checkTileType(const TensorEntry& entry) {
    if (entry.dtype == DType::F32 || entry.dtype == DType::BF16 || entry.dtype == DType::F16) return {};
    return fail(
        ErrorCode::Unsupported,
        entry.location() + ": the type is " + std::string(dtypeName(entry.dtype)) + "; f32, bf16 and f16 are possible",
        entry.name);
}

Result<void> checkAdapterTensor(const TensorEntry& entry, const std::vector<std::int64_t>& expected) {
    if (entry.shape != expected)
        return fail(ErrorCode::ShapeMismatch,
                    entry.location() + ": the shape is " + shapeText(entry.shape) + ", expected " +
                        shapeText(expected) + " of this base and rank",
                    entry.name);
    return checkTileType(entry);
}

}  // namespace espalier
