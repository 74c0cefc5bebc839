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

}  // namespace espalier
