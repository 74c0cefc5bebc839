// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/adapters/base_copy.h"

#include <algorithm>
#include <cstring>

#include "core/models/weight_map.h"

namespace espalier {
namespace {

constexpr std::int64_t kPiece = 1 << 16;  // elements compared at a time

bool isPlain(DType dtype) {
    return dtype == DType::F32 || dtype == DType::BF16 || dtype == DType::F16;
}

float valueAt(const std::byte* data, std::int64_t index, DType dtype) {
    if (dtype == DType::F32) {
        float value;
        std::memcpy(&value, data + index * 4, sizeof value);
        return value;
    }
    std::uint16_t bits;
    std::memcpy(&bits, data + index * 2, sizeof bits);
    return dtype == DType::BF16 ? bf16ToF32(bits) : f16ToF32(bits);
}

float roundedTo(DType dtype, float value) {
    if (dtype == DType::BF16) return bf16ToF32(f32ToBf16(value));
    return dtype == DType::F16 ? f16ToF32(f32ToF16(value)) : value;
}

// The first element that differs, or -1.
Result<std::int64_t> firstDifference(const TensorSource& as, const TensorEntry& a, const TensorSource& bs,
                                     const TensorEntry& b) {
    const auto sizeA = static_cast<std::int64_t>(bytesOf(a.dtype)), sizeB = static_cast<std::int64_t>(bytesOf(b.dtype));
    std::vector<std::byte> pieceA, pieceB;
    for (std::int64_t at = 0; at < a.count(); at += kPiece) {
        const std::int64_t count = std::min(kPiece, a.count() - at);
        pieceA.resize(static_cast<std::size_t>(count * sizeA));
        pieceB.resize(static_cast<std::size_t>(count * sizeB));
        TRY(as.read(a, static_cast<std::uint64_t>(at * sizeA), pieceA));
        TRY(bs.read(b, static_cast<std::uint64_t>(at * sizeB), pieceB));
        for (std::int64_t i = 0; i < count; ++i) {
            const float x = valueAt(pieceA.data(), i, a.dtype), y = valueAt(pieceB.data(), i, b.dtype);
            if (roundedTo(b.dtype, roundedTo(a.dtype, y)) != roundedTo(a.dtype, roundedTo(b.dtype, x))) return at + i;
        }
    }
    return -1;
}

}  // namespace

Result<std::vector<std::string>> compareBaseCopies(const AdapterFolder& adapter, const TensorSource& base,
                                                   const ArchSpec& spec) {
    std::vector<std::string> warnings;
    if (adapter.spec.baseCopies.empty()) return warnings;
    const ModelTensors names = modelTensors(spec, base);
    for (const BaseCopy& copy : adapter.spec.baseCopies) {
        const TensorStack& stack = copy.isEmbedding || spec.tiedEmbeddings ? names.embedding : names.lmHead;
        const TensorEntry* own = adapter.tensors->find(copy.tensor);
        const TensorEntry* bases = base.find(stack.names.front());
        CHECK(own && bases);
        if (!isPlain(bases->dtype)) {
            warnings.push_back(own->location() +
                               " is a table of the base that the adapter was trained on; this base is "
                               "quantised, so they are not compared, and its own is used");
            continue;
        }
        TRY_ASSIGN(const std::int64_t different, firstDifference(*adapter.tensors, *own, base, *bases));
        if (different >= 0)
            return fail(ErrorCode::Unsupported,
                        own->location() + " is not the base's own (row " + std::to_string(different / spec.hidden) +
                            " differs): it was trained, or the adapter belongs to another base; merge it into its base "
                            "and import the result as a model",
                        own->name);
    }
    return warnings;
}

}  // namespace espalier
