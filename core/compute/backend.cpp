// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/compute/backend.h"

namespace espalier {

Buffer& Buffer::operator=(Buffer&& other) noexcept {
    std::swap(m_owner, other.m_owner);
    std::swap(m_data, other.m_data);
    std::swap(m_bytes, other.m_bytes);
    std::swap(m_kind, other.m_kind);
    return *this;
}

Buffer::~Buffer() {
    if (m_data) m_owner->release(m_data, m_bytes, m_kind);
}

std::string_view computeModeName(ComputeMode mode) {
    switch (mode) {
        case ComputeMode::F32:
            return "f32";
        case ComputeMode::Bf16:
            return "bf16";
        case ComputeMode::Int8:
            return "int8";
    }
    return "f32";
}

ComputeMode computeModeFor(DType weights, ComputeMode mode) {
    if (isBlock(weights)) return mode == ComputeMode::Int8 ? ComputeMode::Int8 : ComputeMode::F32;
    return weights == DType::BF16 && mode != ComputeMode::F32 ? ComputeMode::Bf16 : ComputeMode::F32;
}

}  // namespace espalier
