// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/api/request_group.h"

namespace espalier {

CallFacts factsOf(std::string_view model, const std::vector<Request>& requests) {
    CallFacts facts{requests.front().tenant, model, std::ssize(requests), 0};
    for (const Request& request : requests) facts.promptTokens += std::ssize(request.prompt);
    return facts;
}

Result<std::shared_ptr<RequestGroup>> RequestGroup::start(Engine& engine, std::string_view model,
                                                          std::vector<Request> requests, Take take) {
    std::shared_ptr<RequestGroup> group(new RequestGroup(engine, std::move(take)));
    group->m_open = requests.size();
    if (!requests.empty() && !requests.front().call) {
        TRY_ASSIGN(const auto call, engine.tenants().admit(factsOf(model, requests)));
        for (Request& request : requests) request.call = call;
    }
    for (std::size_t i = 0; i < requests.size(); ++i) {
        requests[i].sink = [group, i](const Chunk& chunk) { group->arrive(i, chunk); };
        auto id = engine.submit(model, std::move(requests[i]));
        if (!id) {
            {
                const std::lock_guard lock(group->m_mutex);
                group->m_state = State::Abandoned;
            }
            group->cancel();
            return std::move(id).error();
        }
        const std::lock_guard lock(group->m_mutex);
        group->m_ids.push_back(*id);
    }
    const std::lock_guard lock(group->m_mutex);
    group->m_state = State::Running;
    for (const auto& [index, chunk] : group->m_early) group->deliver(index, chunk);
    group->m_early.clear();
    return group;
}

void RequestGroup::arrive(std::size_t index, const Chunk& chunk) {
    const std::lock_guard lock(m_mutex);
    if (m_state == State::Submitting) m_early.emplace_back(index, chunk);
    if (m_state == State::Running) deliver(index, chunk);
}

void RequestGroup::deliver(std::size_t index, const Chunk& chunk) {
    m_take(index, chunk);
    if (!chunk.finish || --m_open > 0) return;
    m_take = nullptr;  // lets go of what it holds
    m_ended.notify_all();
}

void RequestGroup::cancel() {
    std::vector<RequestId> ids;
    {
        const std::lock_guard lock(m_mutex);
        ids = m_ids;
    }
    for (const RequestId id : ids) m_engine.cancel(id);
}

void RequestGroup::wait(std::stop_token stop) {
    const std::stop_callback onStop(stop, [this] { cancel(); });
    std::unique_lock lock(m_mutex);
    m_ended.wait(lock, [&] { return m_open == 0; });
}

}  // namespace espalier
