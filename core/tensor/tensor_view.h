// SPDX-License-Identifier: GPL-3.0-or-later
// TensorView: where a tensor lies and how it is laid out; owns nothing. Strides count elements. Rank 1 to 4. A view of
// a block type is whole and contiguous: packWeight takes it, nothing looks into it.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>

#include "core/base/check.h"
#include "core/tensor/dtype.h"

namespace espalier {

constexpr int kMaxRank = 4;

template <class Byte>  // std::byte or const std::byte
struct BasicTensorView {
    Byte* data = nullptr;
    DType dtype = DType::F32;
    int rank = 0;
    std::array<std::int64_t, kMaxRank> shape{};
    std::array<std::int64_t, kMaxRank> stride{};

    BasicTensorView() = default;

    // Row-major and contiguous.
    BasicTensorView(Byte* bytes, DType type, std::initializer_list<std::int64_t> sizes) : data(bytes), dtype(type) {
        CHECK(sizes.size() <= kMaxRank);
        for (const std::int64_t size : sizes) shape[static_cast<std::size_t>(rank++)] = size;
        std::int64_t step = 1;
        for (int axis = rank - 1; axis >= 0; --axis) {
            stride[static_cast<std::size_t>(axis)] = step;
            step *= shape[static_cast<std::size_t>(axis)];
        }
    }

    // A view of mutable bytes reads as a view of const ones.
    operator BasicTensorView<const std::byte>() const {
        BasicTensorView<const std::byte> view;
        view.data = data;
        view.dtype = dtype;
        view.rank = rank;
        view.shape = shape;
        view.stride = stride;
        return view;
    }

    std::int64_t count() const {
        std::int64_t product = 1;
        for (int axis = 0; axis < rank; ++axis) product *= shape[static_cast<std::size_t>(axis)];
        return product;
    }
    std::int64_t rows() const { return shape[0]; }
    std::int64_t cols() const { return shape[1]; }
    bool isContiguous() const {
        std::int64_t step = 1;
        for (int axis = rank - 1; axis >= 0; --axis) {
            const auto a = static_cast<std::size_t>(axis);
            if (shape[a] != 1 && stride[a] != step) return false;
            step *= shape[a];
        }
        return true;
    }

    // Columns [first, first + count) of a matrix: same rows, same stride.
    BasicTensorView columns(std::int64_t first, std::int64_t count) const {
        CHECK(rank == 2 && !isBlock(dtype) && first >= 0 && first + count <= shape[1]);
        BasicTensorView view = *this;
        view.data += static_cast<std::int64_t>(bytesOf(dtype)) * first * stride[1];
        view.shape[1] = count;
        return view;
    }
    BasicTensorView firstRows(std::int64_t count) const {
        CHECK(rank >= 1 && count <= shape[0]);
        BasicTensorView view = *this;
        view.shape[0] = count;
        return view;
    }

    template <class T>
    auto* as() const {
        CHECK(sizeof(T) == bytesOf(dtype));
        if constexpr (std::is_const_v<Byte>)
            return reinterpret_cast<const T*>(data);
        else
            return reinterpret_cast<T*>(data);
    }
};

using TensorView = BasicTensorView<std::byte>;
using ConstTensorView = BasicTensorView<const std::byte>;

}  // namespace espalier
