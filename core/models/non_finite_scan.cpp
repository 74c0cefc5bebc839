// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cstring>

#include "core/models/transformer.h"

namespace espalier {
namespace {

constexpr std::size_t kChunkBytes = 1u << 20;  // a multiple of every element size

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

void countChunk(std::span<const std::byte> bytes, DType dtype, NonFiniteTensor& counts) {
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
        for (auto left = tensors.bytes(entry); !left.empty();) {
            if (stop.stop_requested()) return fail(ErrorCode::Cancelled, "scanning the weights was cancelled");
            const auto chunk = left.first(std::min(left.size(), kChunkBytes));
            countChunk(chunk, entry.dtype, counts);
            left = left.subspan(chunk.size());
            done += static_cast<std::int64_t>(chunk.size());
            if (progress) progress(done);
        }
        if (counts.nan > 0 || counts.infinite > 0) found.push_back(std::move(counts));
    }
    return found;
}

}  // namespace espalier
