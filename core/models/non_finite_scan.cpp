// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cstring>

#include "core/models/transformer.h"
#include "core/tensor/quantized_block.h"

namespace espalier {
namespace {

// Counts by bit pattern, so that no arithmetic mode can hide a value: the exponent is all ones, the mantissa tells.
template <class Bits>
void countNonFinite(std::span<const std::byte> bytes, Bits exponentMask, NonFiniteTensor& counts) {
    const Bits magnitudeMask = static_cast<Bits>(~(Bits{1} << (8 * sizeof(Bits) - 1)));
    std::int64_t nan = 0;
    std::int64_t infinite = 0;
    for (std::size_t at = 0; at + sizeof(Bits) <= bytes.size(); at += sizeof(Bits)) {
        Bits bits;
        std::memcpy(&bits, &bytes[at], sizeof bits);
        const Bits magnitude = bits & magnitudeMask;
        nan += magnitude > exponentMask;
        infinite += magnitude == exponentMask;
    }
    counts.nan += nan;
    counts.infinite += infinite;
}

// A block is as finite as its f16 fields: with one of them, all its values are not.
void countBlocks(std::span<const std::byte> bytes, DType dtype, NonFiniteTensor& counts) {
    const BlockSize block = blockOf(dtype);
    for (auto left = bytes; !left.empty(); left = left.subspan(static_cast<std::size_t>(block.bytes))) {
        NonFiniteTensor fields;
        for (const int offset : scaleOffsets(dtype))
            countNonFinite<std::uint16_t>(left.subspan(static_cast<std::size_t>(offset), 2), 0x7c00u, fields);
        (fields.nan > 0 ? counts.nan : counts.infinite) += fields.nan + fields.infinite > 0 ? block.values : 0;
    }
}

void countPiece(std::span<const std::byte> bytes, DType dtype, NonFiniteTensor& counts) {
    switch (dtype) {
        case DType::F32:
            return countNonFinite<std::uint32_t>(bytes, 0x7f800000u, counts);
        case DType::BF16:
            return countNonFinite<std::uint16_t>(bytes, 0x7f80u, counts);
        case DType::F16:
            return countNonFinite<std::uint16_t>(bytes, 0x7c00u, counts);
        case DType::F64:
            return countNonFinite<std::uint64_t>(bytes, 0x7ff0000000000000u, counts);
        default:
            if (isBlock(dtype)) countBlocks(bytes, dtype, counts);
            return;  // integers are finite
    }
}

}  // namespace

Result<std::vector<NonFiniteTensor>> scanNonFinite(const TensorSource& tensors, std::stop_token stop,
                                                   const std::function<void(std::int64_t doneBytes)>& progress) {
    std::vector<NonFiniteTensor> found;
    std::int64_t done = 0;
    for (const TensorEntry& entry : tensors.tensors()) {
        NonFiniteTensor counts{entry.name, 0, 0};
        TRY(readInPieces(tensors, entry, stop, [&](std::span<const std::byte> piece) -> Result<void> {
            countPiece(piece, entry.dtype, counts);
            done += static_cast<std::int64_t>(piece.size());
            if (progress) progress(done);
            return {};
        }));
        if (counts.nan > 0 || counts.infinite > 0) found.push_back(std::move(counts));
    }
    return found;
}

}  // namespace espalier
