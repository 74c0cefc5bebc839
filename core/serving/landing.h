// SPDX-License-Identifier: GPL-3.0-or-later
// Landing: one copy of an adapter into its pages, layer by layer, as the copier's lane and the engine thread share it.
// What changes the embedding belongs to layer 0; what changes the head counts as the layer after the last.
//
// Thread: begin, layerLanded, end on the copier's lane; the rest on the engine thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>

#include "core/base/result.h"

namespace espalier {

class Landing {
public:
    std::size_t landed() const { return m_landed.load(std::memory_order_acquire); }  // layers that are whole

    // Waits until the layer is whole. Error: it never will be.
    Result<void> await(std::size_t layer);
    // Afterwards nothing is written any more; a copy that has begun is waited for, one layer at most.
    void cancel();
    bool isOver() const;
    // Once it is over.
    const std::optional<Error>& error() const { return m_error; }
    double seconds() const { return m_seconds; }

    bool begin();        // false: cancelled before
    bool layerLanded();  // false: cancelled
    void end(Result<void> result, double seconds);

private:
    enum class State : std::uint8_t { Posted, Copying, Over };
    mutable std::mutex m_mutex;
    std::condition_variable m_changed;
    State m_state = State::Posted;
    bool m_isCancelled = false;
    std::atomic<std::size_t> m_landed = 0;
    std::optional<Error> m_error;
    double m_seconds = 0;
};

}  // namespace espalier
