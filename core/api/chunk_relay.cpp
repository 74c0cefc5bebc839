// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/api/chunk_relay.h"

#include "core/base/caught.h"

namespace espalier {

void ChunkRelay::push(std::size_t index, const Chunk& chunk) {
    {
        const std::lock_guard lock(m_mutex);
        m_arrived.emplace_back(index, chunk);
        if (std::exchange(m_scheduled, true)) return;
    }
    if (m_queue.run([self = shared_from_this()] { self->deliverAll(); })) return;
    const std::lock_guard lock(m_mutex);
    m_scheduled = false;  // the next chunk tries again
}

void ChunkRelay::deliverAll() {
    while (true) {
        std::vector<std::pair<std::size_t, Chunk>> chunks;
        {
            const std::lock_guard lock(m_mutex);
            m_scheduled = !m_arrived.empty();
            if (!m_scheduled) return;
            chunks.swap(m_arrived);
        }
        for (const auto& [index, chunk] : chunks) deliver(index, chunk);
    }
}

// Where the answer cannot be made it fails, or its client would wait for ever.
void ChunkRelay::deliver(std::size_t index, const Chunk& chunk) {
    auto taken = caught("the server", [&]() -> Result<void> {
        m_take(index, chunk);
        return {};
    });
    if (taken) return;
    Chunk lost;
    lost.id = chunk.id;
    lost.finish = FinishReason::Failed;
    lost.error = std::move(taken).error();
    m_take(index, lost);
}

void Cancellation::attach(const std::shared_ptr<RequestGroup>& group) {
    {
        const std::lock_guard lock(m_mutex);
        m_group = group;
        if (!m_wanted) return;
    }
    group->cancel();
}

void Cancellation::cancel() {
    std::shared_ptr<RequestGroup> group;
    {
        const std::lock_guard lock(m_mutex);
        m_wanted = true;
        group = m_group.lock();
    }
    if (group) group->cancel();
}

}  // namespace espalier
