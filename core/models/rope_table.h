// SPDX-License-Identifier: GPL-3.0-or-later
// RopeTable: cosines and sines of rotary position embeddings (RoFormer, arXiv 2104.09864), in the f32 arithmetic that
// the published checkpoints were trained and tested with: inverse frequencies in f32, position times frequency in f32.
// A row depends on its position alone.
//
// Owner: a Transformer. Thread: any, const.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/formats/arch_spec.h"

namespace espalier {

class RopeTable {
public:
    // Plain: f_i = theta^(-2i / rotaryDim). Linear: f_i / factor. Llama3 (Llama 3.1's rope type): wavelengths longer
    // than originalContext / lowFrequencyFactor are slowed by factor, those shorter than originalContext /
    // highFrequencyFactor stay, those between are interpolated.
    explicit RopeTable(const RopeSpec& spec);

    std::span<const float> inverseFrequencies() const { return m_inverse; }  // [rotaryDim / 2]
    int width() const { return static_cast<int>(m_inverse.size()); }

    // cos, sin: [rotaryDim / 2] of one position.
    void fill(std::int32_t position, std::span<float> cos, std::span<float> sin) const;

private:
    std::vector<float> m_inverse;
};

}  // namespace espalier
