// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/serving_thread.h"

#include <algorithm>

#include "core/base/caught.h"

namespace espalier {
namespace {

constexpr auto kActivePeriod = std::chrono::milliseconds(100);
constexpr auto kIdlePeriod = std::chrono::seconds(1);
constexpr std::size_t kMailboxCapacity = 16384;

// What can be said without the loaded model.
Result<void> checkRequest(const ArchSpec& spec, const Request& request) {
    TRY(checkKind(request.kind, spec.lmHead));
    if (request.prompt.empty()) return fail(ErrorCode::InvalidArgument, "the prompt has no tokens", "prompt");
    const auto tokens = static_cast<std::int64_t>(request.prompt.size());
    const std::int64_t room = request.kind == RequestKind::Generate ? 1 : 0;
    if (tokens + room > spec.context)
        return fail(ErrorCode::ContextOverflow,
                    "the prompt has " + std::to_string(tokens) + " tokens, the model's context is " +
                        std::to_string(spec.context),
                    "prompt");
    for (const TokenId id : request.prompt)
        if (id < 0 || id >= spec.vocabulary)
            return fail(ErrorCode::InvalidArgument,
                        "token id " + std::to_string(id) + " is outside the model's vocabulary of " +
                            std::to_string(spec.vocabulary),
                        "prompt");
    return request.sampling.validate();
}

bool isOpen(const JobRecord& job) {
    return job.state == JobState::Queued || job.state == JobState::Running;
}

}  // namespace

// A request from submit() to its last chunk, behind every copy of its sink. When nobody has a copy any more and no last
// chunk was taken, because an exception came between, this gives it.
class ServingThread::OpenRequest {
public:
    OpenRequest(ServingThread& thread, std::string modelId, const Request& request)
        : m_thread(thread), m_modelId(std::move(modelId)), m_id(request.id), m_sink(request.sink) {}
    OpenRequest(const OpenRequest&) = delete;
    ~OpenRequest() {
        if (m_state != State::Open) return;
        // Without memory even for this the place is free at least.
        (void)caught("the engine", [this]() -> Result<void> {
            Chunk lost;
            lost.id = m_id;
            lost.finish = FinishReason::Failed;
            lost.error = fail(ErrorCode::Internal, "the engine lost the request; ask again");
            take(lost);
            return {};
        });
    }

    void take(const Chunk& chunk) {
        if (!chunk.finish) return m_sink(chunk);
        if (m_state != State::Open) return;
        leave();  // before anybody knows that it ended
        m_sink(chunk);
        m_state = State::Over;  // a sink that throws has not taken it
    }
    void begin() {  // it is counted, its last chunk is owed
        m_state = State::Open;
        m_isCounted = true;
    }
    void refuse() {
        leave();
        m_state = State::Over;
    }

private:
    enum class State : std::uint8_t { New, Open, Over };

    void leave() {
        if (std::exchange(m_isCounted, false)) m_thread.requestEnded(m_modelId);
    }

    ServingThread& m_thread;
    const std::string m_modelId;
    const RequestId m_id;
    const ChunkSink m_sink;
    State m_state = State::New;
    bool m_isCounted = false;
};

ServingThread::ServingThread(Backend& backend, FileSystem& files, Clock& clock, const EngineOptions& options,
                             Watch& watch, Callbacks callbacks)
    : m_backend(backend),
      m_files(files),
      m_clock(clock),
      m_options(options),
      m_watch(watch),
      m_callbacks(std::move(callbacks)),
      m_startedAt(clock.unixMilliseconds()),
      m_device(backend.device().name),
      m_computeMode(computeModeName(backend.device().compute)),
      m_mailbox(kMailboxCapacity),
      m_host(makeHost()) {
    m_watch.publish(makeSnapshot());  // whoever asks at once finds the device and the memory
    m_thread = std::thread([this] { loop(); });
}

ServingThread::~ServingThread() {
    m_mailbox.close();
    m_thread.join();
}

std::unique_ptr<ModelHost> ServingThread::makeHost() {
    ModelHost::Callbacks callbacks;
    callbacks.changed = [this](const ModelRecord& model, std::string_view change) {
        m_callbacks.publish(ModelChanged{model.id, std::string(change)});
    };
    callbacks.log = m_callbacks.log;
    callbacks.wake = [this] { m_mailbox.wake(); };
    return std::make_unique<ModelHost>(m_backend, m_files, m_clock, m_options, std::move(callbacks));
}

Result<void> ServingThread::submit(ModelToServe model, Request request) {
    CHECK(request.sink);
    TRY(checkRequest(model.record.spec, request));
    const std::string modelId = model.record.id;
    const auto opened = std::make_shared<OpenRequest>(*this, modelId, request);
    {
        const std::lock_guard lock(m_mutex);
        if (m_serving != ServeState::Serving)
            return fail(ErrorCode::Draining, m_serving == ServeState::Draining
                                                 ? "the server is draining: it takes no new requests"
                                                 : "serving is stopped");
        const std::int32_t most = m_options.maxSequences + m_options.maxWaiting;
        std::int32_t& open = m_open[modelId];
        if (open >= most)
            return fail(ErrorCode::Busy, std::to_string(open) + " requests are running or waiting for \"" +
                                             model.record.name + "\"; try again later");
        ++open;
        ++m_openInAll;
        opened->begin();
    }
    request.sink = [opened](const Chunk& chunk) { opened->take(chunk); };
    auto sent = m_mailbox.send(Submit{std::move(model), std::move(request)});
    if (!sent) opened->refuse();
    return sent;
}

void ServingThread::requestEnded(const std::string& modelId) {
    const std::lock_guard lock(m_mutex);
    if (--m_open[modelId] == 0) m_open.erase(modelId);
    --m_openInAll;
}

std::int32_t ServingThread::openRequests(std::string_view modelId) const {
    const std::lock_guard lock(m_mutex);
    const auto found = m_open.find(modelId);
    return found == m_open.end() ? 0 : found->second;
}

void ServingThread::cancel(RequestId id) {
    {
        const std::lock_guard lock(m_mutex);
        m_cancelled.push_back(id);
    }
    m_mailbox.wake();
}

Result<void> ServingThread::load(ModelToServe model) {
    return m_mailbox.send(Load{std::move(model)});
}

Result<void> ServingThread::unload(std::string modelId) {
    return m_mailbox.send(Unload{std::move(modelId)});
}

void ServingThread::rename(std::string modelId, std::string name) {
    (void)m_mailbox.send(Rename{std::move(modelId), std::move(name)});
}

void ServingThread::retireAdapter(std::string baseId, std::string digest, MoveCause cause) {
    (void)m_mailbox.send(RetireAdapter{std::move(baseId), std::move(digest), cause});
}

void ServingThread::setServing(ServeState state) {
    {
        const std::lock_guard lock(m_mutex);
        if (m_serving == state) return;
        m_serving = state;
    }
    m_callbacks.publish(ServeChanged{state});
    m_mailbox.wake();
}

ServeState ServingThread::serving() const {
    const std::lock_guard lock(m_mutex);
    return m_serving;
}

void ServingThread::loop() {
    m_backend.settle();
    bool isBusy = false;
    while (!m_mailbox.closed()) {
        const auto done = caught("the engine", [&]() -> Result<void> {
            isBusy = tick(isBusy ? m_mailbox.drain() : m_mailbox.waitAndDrain(untilSnapshot()));
            if (!m_host->hasLoads()) return {};
            m_host->loadNext([this] {
                tick(m_mailbox.drain());
                if (m_mailbox.closed()) m_host->stopLoading();
            });
            isBusy = true;
            return {};
        });
        if (!done) startOver(done.error());
    }
    const auto clear = [this]() -> Result<void> {
        handleAll(m_mailbox.drain());
        m_host->clear();
        return {};
    };
    while (!caught("the engine", clear)) {  // no memory to end one of them as it should: on with the next
    }
    m_host = nullptr;
}

// Out of memory, or a library's surprise: what was loaded is in doubt, the engine goes on without it. Where there is no
// memory even for that, it tries again.
void ServingThread::startOver(const Error& surprise) {
    const auto begin = [&]() -> Result<void> {
        if (m_host) m_host->giveUp(surprise);
        m_host = nullptr;
        m_host = makeHost();
        m_callbacks.log("error", "every model was unloaded: " + surprise.message);
        return {};
    };
    while (!caught("the engine", begin)) std::this_thread::sleep_for(std::chrono::milliseconds(10));
}

bool ServingThread::tick(std::vector<Command> commands) {
    handleAll(std::move(commands));
    std::vector<RequestId> cancelled;
    {
        const std::lock_guard lock(m_mutex);
        cancelled.swap(m_cancelled);
    }
    // Who cancels has submitted before, but perhaps after this tick's commands were taken.
    if (!cancelled.empty()) handleAll(m_mailbox.drain());
    for (const RequestId id : cancelled) m_host->cancel(id);
    settleServing();
    const bool worked = m_host->step();
    publishSnapshot(worked);
    return worked;
}

void ServingThread::handleAll(std::vector<Command> commands) {
    for (Command& command : commands) m_unhandled.push_back(std::move(command));
    while (!m_unhandled.empty()) {
        Command next = std::move(m_unhandled.front());
        m_unhandled.pop_front();
        handle(std::move(next));
    }
}

void ServingThread::handle(Command command) {
    if (auto* submitted = std::get_if<Submit>(&command))
        m_host->submit(submitted->model, std::move(submitted->request));
    else if (const auto* load = std::get_if<Load>(&command))
        m_host->load(load->model);
    else if (const auto* unload = std::get_if<Unload>(&command))
        m_host->unload(unload->modelId);
    else if (const auto* rename = std::get_if<Rename>(&command))
        m_host->rename(rename->modelId, rename->name);
    else if (const auto* retired = std::get_if<RetireAdapter>(&command))
        m_host->retireAdapter(retired->baseId, retired->digest, retired->cause);
    else if (const auto* look = std::get_if<Look>(&command))
        look->run(*m_host);
}

void ServingThread::settleServing() {
    bool isStopped = false, hasDrained = false;
    {
        const std::lock_guard lock(m_mutex);
        hasDrained = m_serving == ServeState::Draining && m_openInAll == 0;
        if (hasDrained) m_serving = ServeState::Stopped;
        isStopped = m_serving == ServeState::Stopped && m_openInAll > 0;
    }
    if (hasDrained) m_callbacks.publish(ServeChanged{ServeState::Stopped});
    if (isStopped) m_host->cancelAll();
}

Duration ServingThread::untilSnapshot() const {
    return std::max(Duration::zero(), m_nextSnapshot - m_clock.now());
}

void ServingThread::publishSnapshot(bool isActive) {
    const TimePoint now = m_clock.now();
    const bool wasIdle = m_nextSnapshot - now > kActivePeriod;
    if (now < m_nextSnapshot && !(isActive && wasIdle)) return;
    Snapshot snapshot = makeSnapshot();
    const bool hasWork =
        isActive || !m_host->idle() || m_host->hasLoads() || std::ranges::any_of(snapshot.jobs, isOpen);
    m_nextSnapshot = now + (hasWork ? Duration(kActivePeriod) : Duration(kIdlePeriod));
    m_watch.publish(std::move(snapshot));
}

Snapshot ServingThread::makeSnapshot() {
    constexpr std::int64_t kShownMs = 60'000;  // an ended job stays in sight this long
    Snapshot snapshot;
    snapshot.at = m_clock.unixMilliseconds();
    snapshot.serve = serving();
    snapshot.startedAt = m_startedAt;
    m_host->fill(snapshot);
    m_callbacks.tenants(snapshot.tenants, [this](const AdapterSource& adapter) { return m_host->placeOf(adapter); });
    snapshot.jobs = m_callbacks.jobs(snapshot.at - kShownMs);
    snapshot.processorShare = m_process.processorShare(m_clock.now());
    snapshot.residentBytes = ProcessStats::residentBytes();
    snapshot.device = m_device;
    snapshot.computeMode = m_computeMode;
    return snapshot;
}

}  // namespace espalier
