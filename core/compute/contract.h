// SPDX-License-Identifier: GPL-3.0-or-later
// The shapes that Backend's operations require, checked in one place for every backend. A violation is a bug of the
// caller, so each of these ends the program (CHECK); outside input is validated long before.
#pragma once

#include "core/compute/backend.h"

namespace espalier::contract {

bool isStored(DType dtype);  // F32, BF16 or F16: what KV pages may be, and weights beside block types

void gather(const TensorView& out, const WeightMatrix& table, const ConstTensorView& ids);
void gemm(const TensorView& y, const ConstTensorView& x, const WeightMatrix& w, const GemmDesc& desc);
void norm(const TensorView& y, const ConstTensorView& x, const ConstTensorView& weight, const NormDesc& desc);
void rope(const TensorView& x, const ConstTensorView& cos, const ConstTensorView& sin, const RopeDesc& desc);
void storeKv(const Backend& backend, const KvPages& pages, const ConstTensorView& k, const ConstTensorView& v,
             std::span<const Segment> segments);
void attention(const Backend& backend, const TensorView& out, const ConstTensorView& q, const KvPages& pages,
               std::span<const Segment> segments, const AttentionDesc& desc);
void activation(const TensorView& out, const ConstTensorView& gate, const ConstTensorView& up);
void add(const TensorView& y, const ConstTensorView& x);
void loraShrink(const TensorView& v, const ConstTensorView& x, LoraBatch batch);
void loraExpand(const TensorView& y, const ConstTensorView& v, LoraBatch batch);
void loraGather(const TensorView& v, const ConstTensorView& ids, LoraBatch batch);
void loraActivate(const TensorView& v, LoraBatch batch);
void packWeight(const ConstTensorView& source);

}  // namespace espalier::contract
