// SPDX-License-Identifier: GPL-3.0-or-later
// ServingThread: the engine thread. Owns the backend and the models on it; everything it is told arrives as a command
// and is handled at the start of its next tick. With nothing to do it sleeps until a command or the next snapshot.
//
// Owner: Engine. Thread: public functions from any.
#pragma once

#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <future>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "core/base/mailbox.h"
#include "core/engine/model_host.h"
#include "core/engine/process_stats.h"
#include "core/engine/tenants.h"
#include "core/engine/watch.h"

namespace espalier {

class ServingThread {
public:
    struct Callbacks {
        std::function<void(Event)> publish;
        std::function<void(std::string_view level, std::string text)> log;
        std::function<std::vector<JobRecord>(std::int64_t endedAfter)> jobs;  // for snapshots
        // Adds to a snapshot's rows what only they know.
        std::function<void(std::vector<TenantLoad>&, const Tenants::PlaceOf&)> tenants;
    };
    // options: poolBytes and memoryBudget are resolved, not 0. The references outlive the thread.
    ServingThread(Backend& backend, FileSystem& files, Clock& clock, const EngineOptions& options, Watch& watch,
                  Callbacks callbacks);
    // Refuses new commands, gives every open request its last chunk, frees the models, joins.
    ~ServingThread();
    ServingThread(const ServingThread&) = delete;

    // Errors and the fate of the request as Engine::submit. Requires: request.id is new.
    Result<void> submit(ModelToServe model, Request request);
    void cancel(RequestId id);
    Result<void> load(ModelToServe model);
    Result<void> unload(std::string modelId);
    void rename(std::string modelId, std::string name);
    // Removed or replaced: what runs with it goes on, nothing else is kept of it. Full: it stays until its room is
    // wanted.
    void retireAdapter(std::string baseId, std::string digest, MoveCause cause);
    void setServing(ServeState state);
    ServeState serving() const;
    std::int32_t openRequests(std::string_view modelId) const;

    // Runs `look` on the engine thread at its next tick and waits for what it gives. Errors: busy, draining, those of
    // `look`; internal when the engine thread lost it to a surprise.
    template <class T>
    Result<T> ask(std::function<Result<T>(const ModelHost&)> look);

private:
    struct Look {
        std::function<void(const ModelHost&)> run;
    };
    struct Submit {
        ModelToServe model;
        Request request;
    };
    struct Load {
        ModelToServe model;
    };
    struct Unload {
        std::string modelId;
    };
    struct Rename {
        std::string modelId, name;
    };
    struct RetireAdapter {
        std::string baseId, digest;
        MoveCause cause = MoveCause::Unload;
    };
    using Command = std::variant<Submit, Load, Unload, Rename, RetireAdapter, Look>;
    class OpenRequest;

    void loop();
    bool tick(std::vector<Command> commands);  // false: there was nothing to compute
    void handleAll(std::vector<Command> commands);
    void handle(Command command);
    void settleServing();
    void publishSnapshot(bool isActive);
    Duration untilSnapshot() const;
    Snapshot makeSnapshot();
    void requestEnded(const std::string& modelId);
    std::unique_ptr<ModelHost> makeHost();
    void startOver(const Error& surprise);

    Backend& m_backend;
    FileSystem& m_files;
    Clock& m_clock;
    const EngineOptions m_options;
    Watch& m_watch;
    const Callbacks m_callbacks;
    const std::int64_t m_startedAt;
    const std::string m_device;
    const std::string m_computeMode;

    mutable std::mutex m_mutex;  // guards the next four
    ServeState m_serving = ServeState::Serving;
    std::map<std::string, std::int32_t, std::less<>> m_open;  // requests by model, from submit to their last chunk
    std::int64_t m_openInAll = 0;
    std::vector<RequestId> m_cancelled;  // beside the mailbox: a cancel is never refused

    Mailbox<Command> m_mailbox;
    std::deque<Command> m_unhandled;  // more than none only while handling, and after it threw
    std::unique_ptr<ModelHost> m_host;
    ProcessStats m_process;
    TimePoint m_nextSnapshot{};
    std::thread m_thread;
};

template <class T>
Result<T> ServingThread::ask(std::function<Result<T>(const ModelHost&)> look) {
    const auto promise = std::make_shared<std::promise<Result<T>>>();
    std::future<Result<T>> seen = promise->get_future();
    {
        Look command{[promise, look = std::move(look)](const ModelHost& host) { promise->set_value(look(host)); }};
        TRY(m_mailbox.send(std::move(command)));
    }
    try {
        return seen.get();
    } catch (const std::future_error&) {
        return fail(ErrorCode::Internal, "the engine lost the question; ask again");
    }
}

}  // namespace espalier
