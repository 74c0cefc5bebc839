// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/models/non_finite_scan.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "core/base/check.h"
#include "core/tensor/quantized_block.h"

namespace espalier {
namespace {

struct Counts {
    std::int64_t nan = 0;
    std::int64_t infinite = 0;
};

template <class Bits>
Bits magnitudeAt(std::span<const std::byte> bytes, std::size_t index) {
    Bits bits;
    std::memcpy(&bits, &bytes[index * sizeof bits], sizeof bits);
    return bits & static_cast<Bits>(~(Bits{1} << (8 * sizeof(Bits) - 1)));
}

// Counts by bit pattern, so that no arithmetic mode can hide a value: the exponent is all ones, the mantissa tells.
// Almost no weights have any, so a stretch is first asked for its largest magnitude, which compilers do in vectors.
template <class Bits>
void countNonFinite(std::span<const std::byte> bytes, Bits exponentMask, Counts& counts) {
    using Signed = std::make_signed_t<Bits>;
    constexpr std::size_t kStretch = 4096 / sizeof(Bits);
    const std::size_t count = bytes.size() / sizeof(Bits);
    for (std::size_t first = 0; first < count; first += kStretch) {
        const std::size_t end = std::min(first + kStretch, count);
        Signed largest = 0;
        for (std::size_t i = first; i < end; ++i)
            largest = std::max(largest, static_cast<Signed>(magnitudeAt<Bits>(bytes, i)));
        if (static_cast<Bits>(largest) < exponentMask) continue;
        for (std::size_t i = first; i < end; ++i) {
            counts.nan += magnitudeAt<Bits>(bytes, i) > exponentMask;
            counts.infinite += magnitudeAt<Bits>(bytes, i) == exponentMask;
        }
    }
}

void countBlocks(std::span<const std::byte> bytes, DType dtype, Counts& counts) {
    const BlockSize block = blockOf(dtype);
    const auto offsets = scaleOffsets(dtype);
    for (auto left = bytes; !left.empty(); left = left.subspan(static_cast<std::size_t>(block.bytes))) {
        Counts fields;
        for (const int offset : offsets)
            countNonFinite<std::uint16_t>(left.subspan(static_cast<std::size_t>(offset), 2), 0x7c00u, fields);
        (fields.nan > 0 ? counts.nan : counts.infinite) += fields.nan + fields.infinite > 0 ? block.values : 0;
    }
}

// Requires: whole elements or blocks.
Counts count(std::span<const std::byte> bytes, DType dtype) {
    Counts counts;
    switch (dtype) {
        case DType::F32:
            countNonFinite<std::uint32_t>(bytes, 0x7f800000u, counts);
            break;
        case DType::BF16:
            countNonFinite<std::uint16_t>(bytes, 0x7f80u, counts);
            break;
        case DType::F16:
            countNonFinite<std::uint16_t>(bytes, 0x7c00u, counts);
            break;
        case DType::F64:
            countNonFinite<std::uint64_t>(bytes, 0x7ff0000000000000u, counts);
            break;
        default:
            if (isBlock(dtype)) countBlocks(bytes, dtype, counts);
    }
    return counts;
}

}  // namespace

void NonFiniteScan::add(std::span<const std::byte> bytes) {
    const auto each = static_cast<std::size_t>(blockOf(m_dtype).bytes);
    CHECK(each <= m_rest.size());
    const auto take = [&](std::span<const std::byte> whole) {
        const Counts counts = count(whole, m_dtype);
        m_nan += counts.nan;
        m_infinite += counts.infinite;
    };
    if (m_restBytes > 0) {
        const auto missing = bytes.first(std::min(each - m_restBytes, bytes.size()));
        std::ranges::copy(missing, m_rest.begin() + static_cast<std::ptrdiff_t>(m_restBytes));
        m_restBytes += missing.size();
        bytes = bytes.subspan(missing.size());
        if (m_restBytes < each) return;
        take(std::span(m_rest).first(each));
    }
    m_restBytes = bytes.size() % each;
    take(bytes.first(bytes.size() - m_restBytes));
    std::ranges::copy(bytes.last(m_restBytes), m_rest.begin());
}

}  // namespace espalier
