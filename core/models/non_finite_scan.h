// SPDX-License-Identifier: GPL-3.0-or-later
// NonFiniteScan: counts NaN and infinite values of a tensor as its bytes go by. Thread: one at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/tensor/dtype.h"

namespace espalier {

class NonFiniteScan {
public:
    explicit NonFiniteScan(DType dtype) : m_dtype(dtype) {}

    // The next bytes of the tensor, cut anywhere.
    void add(std::span<const std::byte> bytes);

    // A block is as finite as its f16 fields: with one of them, all its values are not. Integers are finite.
    std::int64_t nan() const { return m_nan; }
    std::int64_t infinite() const { return m_infinite; }

private:
    DType m_dtype;
    std::array<std::byte, 256> m_rest;  // the beginning of an element or block that a cut divided
    std::size_t m_restBytes = 0;
    std::int64_t m_nan = 0;
    std::int64_t m_infinite = 0;
};

}  // namespace espalier
