// SPDX-License-Identifier: GPL-3.0-or-later
// What an answer needs to be made away from the engine thread. ChunkRelay carries the chunks of one call to Workers, in
// order and one at a time: the sink only copies. Cancellation ends the requests behind an answer from wherever the
// reason is found: the client hung up, or one of several choices failed.
//
// Owner: the sinks of the requests. Thread: any.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "core/api/request_group.h"
#include "core/api/workers.h"
#include "core/serving/request.h"

namespace espalier {

class ChunkRelay : public std::enable_shared_from_this<ChunkRelay> {
public:
    ChunkRelay(WorkQueue queue, RequestGroup::Take take) : m_queue(std::move(queue)), m_take(std::move(take)) {}

    // Never waits. A chunk on which `take` throws is followed by one that says that the request failed. Once the
    // workers have ended, what is pushed is dropped: its client has been hung up on.
    void push(std::size_t index, const Chunk& chunk);

private:
    void deliverAll();
    void deliver(std::size_t index, const Chunk& chunk);

    const WorkQueue m_queue;
    const RequestGroup::Take m_take;
    std::mutex m_mutex;  // guards the next two
    std::vector<std::pair<std::size_t, Chunk>> m_arrived;
    bool m_scheduled = false;
};

class Cancellation {
public:
    void attach(const std::shared_ptr<RequestGroup>& group);  // cancels it at once when that was asked for before
    void cancel();                                            // not from inside a sink

private:
    std::mutex m_mutex;
    std::weak_ptr<RequestGroup> m_group;
    bool m_wanted = false;
};

}  // namespace espalier
