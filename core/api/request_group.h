// SPDX-License-Identifier: GPL-3.0-or-later
// RequestGroup: the requests behind one call (its prompts and choices), submitted together or not at all. Chunks come
// one at a time, whichever thread the engine uses, and never before every request was taken.
//
// Owner: the requests' sinks; whoever started it may keep it to cancel or wait. Thread: any.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string_view>
#include <utility>
#include <vector>

#include "core/engine/engine.h"

namespace espalier {

// What a call of these requests is to their tenant's limits. Requires: requests is not empty, all are one tenant's.
CallFacts factsOf(std::string_view model, const std::vector<Request>& requests);

class RequestGroup {
public:
    // index: of the request in `requests`. Must not block.
    using Take = std::function<void(std::size_t index, const Chunk& chunk)>;

    // One call of their tenant, unless they were admitted before. Errors: those of Engine::submit; the requests taken
    // before it are cancelled and `take` is never called.
    static Result<std::shared_ptr<RequestGroup>> start(Engine& engine, std::string_view model,
                                                       std::vector<Request> requests, Take take);

    void cancel();                    // not from inside `take`
    void wait(std::stop_token stop);  // until every request has ended; a stop cancels them, and then waits

private:
    enum class State { Submitting, Running, Abandoned };
    explicit RequestGroup(Engine& engine, Take take) : m_engine(engine), m_take(std::move(take)) {}
    void arrive(std::size_t index, const Chunk& chunk);
    void deliver(std::size_t index, const Chunk& chunk);

    Engine& m_engine;
    Take m_take;
    std::mutex m_mutex;  // guards what follows
    std::condition_variable m_ended;
    State m_state = State::Submitting;
    std::vector<RequestId> m_ids;
    std::size_t m_open = 0;
    std::vector<std::pair<std::size_t, Chunk>> m_early;  // came while later requests were still being submitted
};

}  // namespace espalier
