// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/models/rope_table.h"

#include <cmath>
#include <numbers>

#include "core/base/check.h"

namespace espalier {
namespace {

// Each step rounds to f32 in the order of the published implementation, so that frequencies agree to the last bit but
// for the power itself.
float llama3Frequency(float inverse, const RopeSpec& spec) {
    const auto context = static_cast<float>(spec.originalContext);
    const auto low = static_cast<float>(spec.lowFrequencyFactor);
    const auto factor = static_cast<float>(spec.factor);
    const auto longest = static_cast<float>(spec.originalContext / spec.lowFrequencyFactor);
    const auto shortest = static_cast<float>(spec.originalContext / spec.highFrequencyFactor);
    const auto spread = static_cast<float>(spec.highFrequencyFactor - spec.lowFrequencyFactor);
    const float wavelength = (1.0f / inverse) * static_cast<float>(2 * std::numbers::pi);
    if (wavelength > longest) return inverse / factor;
    if (wavelength < shortest) return inverse;
    const float smooth = ((1.0f / wavelength) * context - low) / spread;
    return (1.0f - smooth) * inverse / factor + smooth * inverse;
}

}  // namespace

RopeTable::RopeTable(const RopeSpec& spec) {
    const auto theta = static_cast<float>(spec.theta);
    for (std::int32_t i = 0; i < spec.rotaryDim; i += 2) {
        const float exponent = static_cast<float>(i) / static_cast<float>(spec.rotaryDim);
        const float power = static_cast<float>(std::pow(static_cast<double>(theta), static_cast<double>(exponent)));
        float inverse = 1.0f / power;
        if (spec.scaling == RopeScaling::Linear) inverse /= static_cast<float>(spec.factor);
        if (spec.scaling == RopeScaling::Llama3) inverse = llama3Frequency(inverse, spec);
        if (!spec.factors.empty()) inverse /= spec.factors[static_cast<std::size_t>(i / 2)];
        m_inverse.push_back(inverse);
    }
}

void RopeTable::fill(std::int32_t position, std::span<float> cos, std::span<float> sin) const {
    CHECK(cos.size() == m_inverse.size() && sin.size() == m_inverse.size());
    for (std::size_t i = 0; i < m_inverse.size(); ++i) {
        const float angle = static_cast<float>(position) * m_inverse[i];
        cos[i] = std::cos(angle);
        sin[i] = std::sin(angle);
    }
}

}  // namespace espalier
