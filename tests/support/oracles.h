// SPDX-License-Identifier: GPL-3.0-or-later
// Oracles: every operation of the backend seam written from its formula in fp64, over dense row-major vectors. They
// know nothing of panels, pages, tiles or threads. Each also gives, per element, the magnitude that rounding errors
// scale with (for a sum: the sum of the absolute terms).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/compute/backend.h"

namespace espalier::test {

using Doubles = std::vector<double>;

struct Expected {
    Doubles value;
    Doubles magnitude;
};

// x [T, K], w [N, K], bias [N] or empty, old y [T, N] or empty (not accumulated).
Expected oracleGemm(const Doubles& x, const Doubles& w, const Doubles& bias, const Doubles& oldY, std::int64_t rows,
                    std::int64_t k, std::int64_t n);

// x [T, D], w [D], bias [D] or empty.
Expected oracleNorm(NormKind kind, const Doubles& x, const Doubles& w, const Doubles& bias, double eps,
                    std::int64_t rows, std::int64_t dim);

// x [T, heads * headDim], cos and sin [T, rotaryDim / 2].
Expected oracleRope(const Doubles& x, const Doubles& cos, const Doubles& sin, std::int64_t rows, const RopeDesc& desc);

// gate [n], up [n] or empty.
Expected oracleActivation(ActivationKind kind, const Doubles& gate, const Doubles& up);

// One sequence: q [n, heads * d] for positions position0 + i; k, v [position0 + n, kvHeads * d].
Expected oracleAttention(const Doubles& q, const Doubles& k, const Doubles& v, int rows, int position0, int kvHeads,
                         int headDim, const AttentionDesc& desc);

// Empty when every got[i] is within tolerance * magnitude[i] (plus one f32 subnormal step) of value[i]; else a sentence
// with the worst element. A comparison of nothing, of other sizes, or with a NaN is a failure.
std::string difference(const Expected& expected, std::span<const float> got, double tolerance);

}  // namespace espalier::test
