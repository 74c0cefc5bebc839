// SPDX-License-Identifier: GPL-3.0-or-later
// ActivationArena: everything a step writes besides KV pages, taken from the device once, at load. What one layer
// leaves behind the next overwrites; no operation allocates.
//
// Owner: a Transformer. Thread: engine.
#pragma once

#include "core/compute/backend.h"
#include "core/formats/arch_spec.h"

namespace espalier {

// Rows [T, width] f32 in a fixed place; T and the width in use vary from step to step and layer to layer.
struct ActivationRows {
    std::byte* data = nullptr;
    std::int64_t maxRows = 0;
    std::int64_t maxWidth = 0;

    // Requires: rows <= maxRows, width <= maxWidth.
    TensorView view(std::int64_t rows, std::int64_t width) const {
        CHECK(rows <= maxRows && width <= maxWidth);
        return {data, DType::F32, {rows, width}};
    }
    TensorView view(std::int64_t rows) const { return view(rows, maxWidth); }
};

struct ActivationArena {
    ActivationRows residual;   // [T, hidden] x, the stream every block adds to
    ActivationRows normed;     // [T, hidden]
    ActivationRows qkv;        // [T, (heads + 2 kvHeads) headDim]
    ActivationRows attended;   // [T, heads headDim]
    ActivationRows gateUp;     // [T, 2 neurons]; [T, neurons] without a gate
    ActivationRows activated;  // [T, neurons]
    ActivationRows selected;   // [rows wanted, hidden]
    ActivationRows cos;        // [T, rotaryDim / 2]
    ActivationRows sin;
    TensorView tokens;      // [T] i32
    TensorView positions;   // [T] i32, rows of the position table
    TensorView tokenTypes;  // [T] i32

    ActivationRows
        logits;  // [logit rows, vocabulary] (none without a head), pinned: the host reads it, the device writes it
    ActivationRows hidden;  // [T, hidden], pinned

    Buffer device;
    Buffer pinned;
};

// Bytes of both buffers; pure.
std::int64_t activationBytes(const ArchSpec& spec, std::int32_t maxBatchTokens, std::int32_t maxLogitRows);

// Error pool_exhausted.
Result<ActivationArena> makeActivationArena(Backend& backend, const ArchSpec& spec, std::int32_t maxBatchTokens,
                                            std::int32_t maxLogitRows);

}  // namespace espalier
