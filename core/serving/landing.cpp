// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/serving/landing.h"

namespace espalier {

Result<void> Landing::await(std::size_t layer) {
    if (landed() > layer) return {};
    std::unique_lock lock(m_mutex);
    m_changed.wait(lock, [&] { return landed() > layer || m_state == State::Over; });
    if (landed() > layer) return {};
    return m_error ? *m_error : fail(ErrorCode::Cancelled, "the copy of the adapter was given up");
}

void Landing::cancel() {
    std::unique_lock lock(m_mutex);
    m_isCancelled = true;
    if (m_state == State::Posted) m_state = State::Over;
    m_changed.wait(lock, [&] { return m_state == State::Over; });
}

bool Landing::isOver() const {
    const std::lock_guard lock(m_mutex);
    return m_state == State::Over;
}

bool Landing::begin() {
    const std::lock_guard lock(m_mutex);
    if (m_isCancelled) return false;
    m_state = State::Copying;
    return true;
}

bool Landing::layerLanded() {
    bool goesOn = true;
    {
        const std::lock_guard lock(m_mutex);
        m_landed.fetch_add(1, std::memory_order_release);
        goesOn = !m_isCancelled;
    }
    m_changed.notify_all();
    return goesOn;
}

void Landing::end(Result<void> result, double seconds) {
    {
        const std::lock_guard lock(m_mutex);
        if (!result) m_error = std::move(result).error();
        m_seconds = seconds;
        m_state = State::Over;
    }
    m_changed.notify_all();
}

}  // namespace espalier
