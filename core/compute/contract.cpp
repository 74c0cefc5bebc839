// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/compute/contract.h"

#include "core/base/check.h"

namespace espalier::contract {
namespace {

// [rows, cols] f32, unit column stride, any row stride that keeps rows apart.
bool isMatrix(const ConstTensorView& view, std::int64_t rows, std::int64_t cols) {
    return view.rank == 2 && view.dtype == DType::F32 && view.shape[0] == rows && view.shape[1] == cols &&
           (cols == 1 || view.stride[1] == 1) && (rows <= 1 || view.stride[0] >= cols) &&
           (view.data || rows * cols == 0);
}

bool isVector(const ConstTensorView& view, std::int64_t size) {
    return view.rank == 1 && view.dtype == DType::F32 && view.shape[0] == size && (size <= 1 || view.stride[0] == 1) &&
           (view.data || size == 0);
}

void checkPages(const Backend& backend, const KvPages& pages, std::span<const Segment> segments, std::int64_t rows) {
    CHECK(pages.base && pages.kvHeads > 0 && pages.headDim > 0 && isStored(pages.dtype));
    CHECK(pages.pageBytes >= backend.kvPageBytes(pages.kvHeads, pages.headDim, pages.dtype));
    for (const Segment& segment : segments) {
        CHECK(segment.firstRow >= 0 && segment.rows >= 0 && segment.position0 >= 0);
        CHECK(std::int64_t{segment.firstRow} + segment.rows <= rows);
        CHECK(static_cast<std::int64_t>(segment.pages.size()) * kTokensPerPage >=
              std::int64_t{segment.position0} + segment.rows);
    }
}

void checkLora(LoraBatch batch, std::int64_t rows) {
    std::int64_t covered = 0;
    for (const LoraRows& part : batch) {
        CHECK(part.firstRow >= covered && part.rows > 0);
        covered = std::int64_t{part.firstRow} + part.rows;
        for (const LoraModule& module : part.modules) {
            CHECK(module.rank > 0 && module.rank <= kMaxLoraRank && isStored(module.dtype));
            CHECK(module.inputs > 0 && module.outputs > 0 && module.firstTile >= 0);
            CHECK(module.firstRank >= 0 && module.firstRank % kLoraSlab == 0 && module.firstOutput >= 0);
            CHECK(module.tileColumns > 0 && module.tileColumns % 64 == 0);
            CHECK(module.tilesPerPage > 0);
            CHECK(std::int64_t{module.firstTile} + module.tiles() <=
                  static_cast<std::int64_t>(module.pages.size()) * module.tilesPerPage);
        }
    }
    CHECK(covered <= rows);
}

}  // namespace

bool isStored(DType dtype) {
    return dtype == DType::F32 || dtype == DType::BF16 || dtype == DType::F16;
}

void gather(const TensorView& out, const WeightMatrix& table, const ConstTensorView& ids) {
    CHECK(ids.rank == 1 && ids.dtype == DType::I32 && (ids.shape[0] <= 1 || ids.stride[0] == 1));
    CHECK(isMatrix(out, ids.shape[0], table.cols));
    const auto* id = ids.as<std::int32_t>();
    for (std::int64_t t = 0; t < ids.shape[0]; ++t) CHECK(id[t] >= 0 && id[t] < table.rows);
}

void gemm(const TensorView& y, const ConstTensorView& x, const WeightMatrix& w, const GemmDesc& desc) {
    CHECK(x.rank == 2 && isMatrix(x, x.shape[0], w.cols));
    CHECK(isMatrix(y, x.shape[0], w.rows));
    CHECK(!desc.bias.data || isVector(desc.bias, w.rows));
}

void norm(const TensorView& y, const ConstTensorView& x, const ConstTensorView& weight, const NormDesc& desc) {
    CHECK(x.rank == 2 && isMatrix(x, x.shape[0], x.shape[1]) && isMatrix(y, x.shape[0], x.shape[1]));
    CHECK(desc.groups > 0 && x.shape[1] % desc.groups == 0);
    const std::int64_t dim = x.shape[1] / desc.groups;
    CHECK(isVector(weight, dim));
    CHECK(!desc.bias.data || (desc.kind == NormKind::LayerNorm && isVector(desc.bias, dim)));
}

void rope(const TensorView& x, const ConstTensorView& cos, const ConstTensorView& sin, const RopeDesc& desc) {
    CHECK(desc.heads > 0 && desc.rotaryDim >= 0 && desc.rotaryDim % 2 == 0 && desc.rotaryDim <= desc.headDim);
    CHECK(x.rank == 2 && isMatrix(x, x.shape[0], std::int64_t{desc.heads} * desc.headDim));
    CHECK(isMatrix(cos, x.shape[0], desc.rotaryDim / 2) && isMatrix(sin, x.shape[0], desc.rotaryDim / 2));
}

void storeKv(const Backend& backend, const KvPages& pages, const ConstTensorView& k, const ConstTensorView& v,
             std::span<const Segment> segments) {
    CHECK(k.rank == 2 && isMatrix(k, k.shape[0], std::int64_t{pages.kvHeads} * pages.headDim));
    CHECK(isMatrix(v, k.shape[0], std::int64_t{pages.kvHeads} * pages.headDim));
    checkPages(backend, pages, segments, k.shape[0]);
}

void attention(const Backend& backend, const TensorView& out, const ConstTensorView& q, const KvPages& pages,
               std::span<const Segment> segments, const AttentionDesc& desc) {
    CHECK(desc.heads > 0 && pages.kvHeads > 0 && desc.heads % pages.kvHeads == 0 && desc.window >= 0);
    CHECK(q.rank == 2 && isMatrix(q, q.shape[0], std::int64_t{desc.heads} * pages.headDim));
    CHECK(isMatrix(out, q.shape[0], q.shape[1]));
    CHECK(desc.causal || desc.window == 0);
    for (const Segment& segment : segments) CHECK(desc.causal || segment.position0 == 0);
    checkPages(backend, pages, segments, q.shape[0]);
}

void activation(const TensorView& out, const ConstTensorView& gate, const ConstTensorView& up) {
    CHECK(gate.rank == 2 && isMatrix(gate, gate.shape[0], gate.shape[1]) &&
          isMatrix(out, gate.shape[0], gate.shape[1]));
    CHECK(!up.data || isMatrix(up, gate.shape[0], gate.shape[1]));
}

void add(const TensorView& y, const ConstTensorView& x) {
    CHECK(x.rank == 2 && isMatrix(x, x.shape[0], x.shape[1]) && isMatrix(y, x.shape[0], x.shape[1]));
}

void loraShrink(const TensorView& v, const ConstTensorView& x, LoraBatch batch) {
    CHECK(x.rank == 2 && v.rank == 2 && isMatrix(x, x.shape[0], x.shape[1]) && isMatrix(v, x.shape[0], v.shape[1]));
    checkLora(batch, x.shape[0]);
    for (const LoraRows& part : batch)
        for (const LoraModule& module : part.modules)
            CHECK(module.inputs == x.shape[1] && module.firstRank + loraSlabs(module.rank) * kLoraSlab <= v.shape[1]);
}

void loraExpand(const TensorView& y, const ConstTensorView& v, LoraBatch batch) {
    CHECK(y.rank == 2 && v.rank == 2 && isMatrix(y, v.shape[0], y.shape[1]) && isMatrix(v, v.shape[0], v.shape[1]));
    checkLora(batch, v.shape[0]);
    for (const LoraRows& part : batch)
        for (const LoraModule& module : part.modules)
            CHECK(module.firstOutput + module.outputs <= y.shape[1] && module.firstRank + module.rank <= v.shape[1]);
}

void loraGather(const TensorView& v, const ConstTensorView& ids, LoraBatch batch) {
    CHECK(ids.rank == 1 && ids.dtype == DType::I32 && (ids.shape[0] <= 1 || ids.stride[0] == 1));
    CHECK(v.rank == 2 && isMatrix(v, ids.shape[0], v.shape[1]));
    checkLora(batch, ids.shape[0]);
    const auto* id = ids.as<std::int32_t>();
    for (const LoraRows& part : batch)
        for (const LoraModule& module : part.modules) {
            CHECK(module.firstRank + loraSlabs(module.rank) * kLoraSlab <= v.shape[1]);
            for (std::int32_t t = part.firstRow; t < part.firstRow + part.rows; ++t)
                CHECK(id[t] >= 0 && id[t] < module.inputs);
        }
}

void loraActivate(const TensorView& v, LoraBatch batch) {
    CHECK(v.rank == 2 && isMatrix(v, v.shape[0], v.shape[1]));
    checkLora(batch, v.shape[0]);
    for (const LoraRows& part : batch)
        for (const LoraModule& module : part.modules)
            CHECK(module.activation && module.rank > 1 && module.firstRank + module.rank <= v.shape[1]);
}

void packWeight(const ConstTensorView& source) {
    CHECK(source.rank == 2 && (isStored(source.dtype) || isBlock(source.dtype)) && source.isContiguous() &&
          source.shape[0] > 0 && source.shape[1] > 0 && source.data);
    CHECK(source.shape[1] % blockOf(source.dtype).values == 0);
}

}  // namespace espalier::contract
