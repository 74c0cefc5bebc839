// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/job_queue.h"

#include <algorithm>
#include <optional>

#include "core/base/caught.h"

namespace espalier {
namespace {

constexpr std::string_view kJobs = "the queue of jobs";
constexpr std::int64_t kNoJob = 0;
constexpr auto kUntilMemory = std::chrono::milliseconds(10);
constexpr auto kReportEvery = std::chrono::milliseconds(100);
constexpr double kRateSpanS = 2.0;  // the rate is averaged over about this long

std::optional<JobState> jobStateFromName(std::string_view name) {
    for (int i = 0; i <= static_cast<int>(JobState::Cancelled); ++i)
        if (jobStateName(static_cast<JobState>(i)) == name) return static_cast<JobState>(i);
    return std::nullopt;
}

bool isEnded(JobState state) {
    return state == JobState::Finished || state == JobState::Failed || state == JobState::Cancelled;
}

bool isResting(JobState state) {
    return state == JobState::Paused || state == JobState::Interrupted;
}

JobRecord recordOf(const JobRow& row) {
    JobRecord record;
    record.id = row.id;
    record.kind = row.kind;
    record.title = row.title;
    record.command = row.command;
    record.state = jobStateFromName(row.state).value_or(JobState::Failed);
    record.doneBytes = row.doneBytes;
    record.allBytes = row.allBytes;
    if (row.allBytes > 0) record.progress = static_cast<double>(row.doneBytes) / static_cast<double>(row.allBytes);
    record.step = row.step;
    if (!row.errorCode.empty())
        record.error =
            Error{codeFromName(row.errorCode).value_or(ErrorCode::Internal), row.errorMessage, row.errorWhere};
    record.result = row.result;
    record.createdAt = row.createdAt;
    record.endedAt = row.endedAt;
    return record;
}

JobRow rowOf(const JobRecord& record, const std::string& arguments, const std::string& checkpoint) {
    JobRow row;
    row.id = record.id;
    row.kind = record.kind;
    row.title = record.title;
    row.command = record.command;
    row.arguments = arguments;
    row.checkpoint = checkpoint;
    row.state = jobStateName(record.state);
    row.doneBytes = record.doneBytes;
    row.allBytes = record.allBytes;
    row.step = record.step;
    if (record.error) {
        row.errorCode = codeName(record.error->code);
        row.errorMessage = record.error->message;
        row.errorWhere = record.error->where;
    }
    row.result = record.result;
    row.createdAt = record.createdAt;
    row.endedAt = record.endedAt;
    return row;
}

Error unknownJob(std::int64_t id) {
    return fail(ErrorCode::NotFound, "there is no job " + std::to_string(id));
}

Error wrongState(const JobRecord& job, std::string_view wish) {
    return fail(ErrorCode::InvalidArgument, "job " + std::to_string(job.id) + " is " +
                                                std::string(jobStateName(job.state)) + ": it cannot be " +
                                                std::string(wish));
}

}  // namespace

class JobQueue::Context final : public JobContext {
public:
    Context(JobQueue& queue, std::int64_t id, std::stop_token stop, Json checkpoint)
        : m_queue(queue), m_id(id), m_stop(std::move(stop)), m_checkpoint(std::move(checkpoint)) {}

    std::stop_token stop() const override { return m_stop; }
    void report(std::int64_t doneBytes, std::int64_t allBytes, std::string_view step) override {
        m_queue.report(m_id, doneBytes, allBytes, step);
    }
    const Json& checkpoint() const override { return m_checkpoint; }
    Result<void> saveCheckpoint(const Json& checkpoint) override {
        m_checkpoint = checkpoint;
        {
            const std::lock_guard lock(m_queue.m_mutex);
            m_queue.find(m_id)->checkpoint = dumpJson(checkpoint);
        }
        return m_queue.save(m_id);
    }

private:
    JobQueue& m_queue;
    const std::int64_t m_id;
    const std::stop_token m_stop;
    Json m_checkpoint;
};

JobQueue::JobQueue(JobLog& log, const Clock& clock, JobFactory factory, ChangeSink changed, bool runJobs)
    : m_log(log), m_clock(clock), m_factory(std::move(factory)), m_changed(std::move(changed)), m_runJobs(runJobs) {}

Result<std::unique_ptr<JobQueue>> JobQueue::open(JobLog& log, const Clock& clock, JobFactory factory,
                                                 ChangeSink changed, bool runJobs) {
    std::unique_ptr<JobQueue> queue(new JobQueue(log, clock, std::move(factory), std::move(changed), runJobs));
    TRY(queue->load());
    if (runJobs) queue->m_worker = std::thread([self = queue.get()] { self->loop(); });
    return queue;
}

JobQueue::~JobQueue() {
    {
        const std::lock_guard lock(m_mutex);
        m_closing = true;
        if (Entry* running = find(m_running)) {
            if (running->wish == Wish::None) running->wish = Wish::Shutdown;
            running->stop.request_stop();
        }
    }
    m_wake.notify_all();
    m_settled.notify_all();
    if (m_worker.joinable()) m_worker.join();
}

Result<void> JobQueue::load() {
    TRY_ASSIGN(const auto rows, m_log.jobs());
    for (const JobRow& row : rows) {
        auto entry = std::make_unique<Entry>();
        entry->record = recordOf(row);
        entry->arguments = row.arguments;
        entry->checkpoint = row.checkpoint;
        const bool wasRunning = entry->record.state == JobState::Running;
        if (wasRunning) entry->record.state = JobState::Interrupted;
        m_entries.push_back(std::move(entry));
        if (wasRunning && m_runJobs) TRY(save(row.id));
    }
    return {};
}

JobQueue::Entry* JobQueue::find(std::int64_t id) {
    for (auto& entry : m_entries)
        if (entry->record.id == id) return entry.get();
    return nullptr;
}

const JobQueue::Entry* JobQueue::find(std::int64_t id) const {
    return const_cast<JobQueue*>(this)->find(id);
}

void JobQueue::setState(Entry& entry, JobState state) {
    entry.record.state = state;
    entry.record.bytesPerS = 0;
    entry.record.etaS = -1;
    if (isEnded(state) && entry.record.endedAt == 0) entry.record.endedAt = m_clock.unixMilliseconds();
    tell(entry.record);
    m_settled.notify_all();
    if (state == JobState::Queued) m_wake.notify_all();
}

// What has changed holds also when there is no memory to tell of it.
void JobQueue::tell(const JobRecord& record) {
    (void)caught(kJobs, [&]() -> Result<void> {
        m_changed(record);
        return {};
    });
}

Result<void> JobQueue::save(std::int64_t id) {
    const std::lock_guard saving(m_saveMutex);
    JobRow row;
    {
        const std::lock_guard lock(m_mutex);
        const Entry* entry = find(id);
        if (!entry) return {};
        row = rowOf(entry->record, entry->arguments, entry->checkpoint);
    }
    return m_log.update(row);
}

Result<std::int64_t> JobQueue::add(std::string_view kind, std::string title, std::string command,
                                   const Json& arguments) {
    auto entry = std::make_unique<Entry>();
    entry->record.kind = kind;
    entry->record.title = std::move(title);
    entry->record.command = std::move(command);
    entry->record.createdAt = m_clock.unixMilliseconds();
    entry->arguments = dumpJson(arguments);
    TRY_ASSIGN(const std::int64_t id, m_log.add(rowOf(entry->record, entry->arguments, {})));
    const std::lock_guard lock(m_mutex);
    entry->record.id = id;
    Entry& added = *entry;
    m_entries.push_back(std::move(entry));
    setState(added, JobState::Queued);
    return id;
}

std::vector<JobRecord> JobQueue::jobs() const {
    const std::lock_guard lock(m_mutex);
    std::vector<JobRecord> records;
    records.reserve(m_entries.size());
    for (auto entry = m_entries.rbegin(); entry != m_entries.rend(); ++entry) records.push_back((*entry)->record);
    return records;
}

std::vector<JobRecord> JobQueue::newsSince(std::int64_t unixMs) const {
    const std::lock_guard lock(m_mutex);
    std::vector<JobRecord> records;
    for (auto entry = m_entries.rbegin(); entry != m_entries.rend(); ++entry) {
        JobRecord& record = (*entry)->record;
        if (isEnded(record.state) && record.endedAt <= unixMs) continue;
        std::string result;
        std::swap(result, record.result);  // a scan's names every tensor of the model
        records.push_back(record);
        std::swap(result, record.result);
    }
    return records;
}

Result<JobRecord> JobQueue::job(std::int64_t id) const {
    const std::lock_guard lock(m_mutex);
    if (const Entry* entry = find(id)) return entry->record;
    return unknownJob(id);
}

Result<void> JobQueue::cancel(std::int64_t id) {
    Leftovers leftovers;
    {
        const std::lock_guard lock(m_mutex);
        Entry* entry = find(id);
        if (!entry) return unknownJob(id);
        if (isEnded(entry->record.state)) return wrongState(entry->record, "cancelled");
        if (entry->record.state == JobState::Running) {
            entry->wish = Wish::Cancel;
            entry->stop.request_stop();
            return {};
        }
        leftovers = leftoversOf(*entry);
        setState(*entry, JobState::Cancelled);
    }
    discardLeftovers(leftovers);
    return save(id);
}

Result<void> JobQueue::pause(std::int64_t id) {
    {
        const std::lock_guard lock(m_mutex);
        Entry* entry = find(id);
        if (!entry) return unknownJob(id);
        if (entry->record.state == JobState::Running) {
            if (entry->wish == Wish::None) entry->wish = Wish::Pause;
            entry->stop.request_stop();
            return {};
        }
        if (entry->record.state != JobState::Queued) return wrongState(entry->record, "paused");
        setState(*entry, JobState::Paused);
    }
    return save(id);
}

Result<void> JobQueue::resume(std::int64_t id) {
    {
        const std::lock_guard lock(m_mutex);
        Entry* entry = find(id);
        if (!entry) return unknownJob(id);
        if (!isResting(entry->record.state)) return wrongState(entry->record, "resumed");
        entry->record.error.reset();
        setState(*entry, JobState::Queued);
    }
    return save(id);
}

Result<void> JobQueue::discard(std::int64_t id) {
    Leftovers leftovers;
    bool hasLeftovers = false;
    {
        const std::lock_guard lock(m_mutex);
        const Entry* entry = find(id);
        if (!entry) return unknownJob(id);
        if (!isEnded(entry->record.state) && !isResting(entry->record.state))
            return wrongState(entry->record, "discarded");
        hasLeftovers = isResting(entry->record.state);
        leftovers = leftoversOf(*entry);
        std::erase_if(m_entries, [id](const auto& one) { return one->record.id == id; });
    }
    m_settled.notify_all();
    if (hasLeftovers) discardLeftovers(leftovers);
    return m_log.erase(id);
}

Result<JobRecord> JobQueue::wait(std::int64_t id) {
    std::unique_lock lock(m_mutex);
    for (;;) {
        const Entry* entry = find(id);
        if (!entry) return unknownJob(id);
        if (isEnded(entry->record.state) || isResting(entry->record.state) || m_closing) return entry->record;
        m_settled.wait(lock);
    }
}

void JobQueue::loop() {
    for (;;) {
        const auto id = caught(kJobs, [this] { return begin(); });
        if (id && *id == kNoJob) return;
        if (id)
            finish(*id, caught("the job", [&] { return runOne(*id); }));
        else
            std::this_thread::sleep_for(kUntilMemory);
    }
}

// Waits for a job and marks it as running, or says kNoJob when the queue closes.
Result<std::int64_t> JobQueue::begin() {
    std::unique_lock lock(m_mutex);
    const auto next = [this] {
        const auto found = std::find_if(m_entries.begin(), m_entries.end(),
                                        [](const auto& entry) { return entry->record.state == JobState::Queued; });
        return found == m_entries.end() ? nullptr : found->get();
    };
    m_wake.wait(lock, [&] { return m_closing || next(); });
    if (m_closing) return kNoJob;
    Entry& entry = *next();
    entry.stop = std::stop_source();
    entry.wish = Wish::None;
    entry.rateFrom = m_clock.now();
    entry.rateFromBytes = -1;
    m_running = entry.record.id;
    setState(entry, JobState::Running);
    return m_running;
}

Result<Json> JobQueue::runOne(std::int64_t id) {
    std::string kind, arguments, checkpoint;
    std::stop_token stop;
    {
        const std::lock_guard lock(m_mutex);
        const Entry& entry = *find(id);
        kind = entry.record.kind;
        arguments = entry.arguments;
        checkpoint = entry.checkpoint;
        stop = entry.stop.get_token();
    }
    TRY(save(id));
    TRY_ASSIGN(const Json parsed, parseJson(arguments, "the job's arguments"));
    Json before;
    if (!checkpoint.empty()) {
        TRY_ASSIGN(before, parseJson(checkpoint, "the job's checkpoint"));
    }
    TRY_ASSIGN(const auto job, m_factory(id, kind, parsed));
    Context context(*this, id, stop, std::move(before));
    return job->run(context);
}

JobRecord JobQueue::endOf(const Entry& entry, const Result<Json>& outcome) {
    JobRecord ended = entry.record;
    if (outcome) {
        ended.state = JobState::Finished;
        ended.result = dumpJson(*outcome);
        ended.progress = 1.0;
        ended.doneBytes = ended.allBytes;
    } else if (outcome.error().code == ErrorCode::Cancelled && entry.wish != Wish::None) {
        ended.state = entry.wish == Wish::Pause      ? JobState::Paused
                      : entry.wish == Wish::Shutdown ? JobState::Interrupted
                                                     : JobState::Cancelled;
    } else {
        // A full disk is mended outside: what is done stays, and the job goes on when there is room.
        const bool isFull = outcome.error().code == ErrorCode::DiskFull;
        ended.state = !isFull ? JobState::Failed : entry.wish == Wish::Cancel ? JobState::Cancelled : JobState::Paused;
        ended.error = outcome.error();
    }
    return ended;
}

// However often there is no memory for it, a job that ran comes to rest: whoever waits for it would wait for ever.
void JobQueue::finish(std::int64_t id, Result<Json> outcome) {
    for (;;) {
        auto done = caught("the job", [&]() -> Result<void> {
            settle(id, outcome);
            return {};
        });
        if (done) return;
        outcome = std::move(done).error();
        std::this_thread::sleep_for(kUntilMemory);
    }
}

void JobQueue::settle(std::int64_t id, const Result<Json>& outcome) {
    for (;;) {
        JobRecord ended;
        Leftovers leftovers;
        {
            const std::lock_guard lock(m_mutex);
            ended = endOf(*find(id), outcome);
            leftovers = leftoversOf(*find(id));
        }
        // Whoever sees the end finds a clean folder, and finds the same end after a crash.
        if (ended.state == JobState::Failed || ended.state == JobState::Cancelled) discardLeftovers(leftovers);
        if (isEnded(ended.state)) ended.endedAt = m_clock.unixMilliseconds();
        (void)m_log.update(rowOf(ended, leftovers.arguments, leftovers.checkpoint));
        const std::lock_guard lock(m_mutex);
        Entry& entry = *find(id);
        if (endOf(entry, outcome).state != ended.state) continue;  // somebody wished otherwise meanwhile
        m_running = 0;
        entry.record = std::move(ended);
        return setState(entry, entry.record.state);
    }
}

void JobQueue::report(std::int64_t id, std::int64_t doneBytes, std::int64_t allBytes, std::string_view step) {
    const TimePoint now = m_clock.now();
    const std::lock_guard lock(m_mutex);
    Entry& entry = *find(id);
    JobRecord& record = entry.record;
    const bool isNewStep = record.step != step;
    record.step = step;
    record.doneBytes = doneBytes;
    record.allBytes = allBytes;
    record.progress = allBytes > 0 ? static_cast<double>(doneBytes) / static_cast<double>(allBytes) : 0.0;
    if (entry.rateFromBytes < 0 || doneBytes < entry.rateFromBytes) {
        entry.rateFrom = now;
        entry.rateFromBytes = doneBytes;
    }
    const double elapsed = seconds(now - entry.rateFrom);
    if (elapsed > 0) {
        record.bytesPerS = static_cast<double>(doneBytes - entry.rateFromBytes) / elapsed;
        record.etaS = record.bytesPerS > 0 ? static_cast<double>(allBytes - doneBytes) / record.bytesPerS : -1.0;
    }
    if (elapsed > 2 * kRateSpanS) {  // keep the newer half of the span
        entry.rateFromBytes += (doneBytes - entry.rateFromBytes) / 2;
        entry.rateFrom += (now - entry.rateFrom) / 2;
    }
    if (!isNewStep && now - entry.lastReport < kReportEvery) return;
    entry.lastReport = now;
    tell(record);
}

JobQueue::Leftovers JobQueue::leftoversOf(const Entry& entry) {
    return {entry.record.id, entry.record.kind, entry.arguments, entry.checkpoint};
}

void JobQueue::discardLeftovers(const Leftovers& leftovers) {
    (void)caught("the job", [&]() -> Result<void> {
        TRY_ASSIGN(const Json arguments, parseJson(leftovers.arguments, "the job's arguments"));
        Json checkpoint;
        if (!leftovers.checkpoint.empty()) {
            TRY_ASSIGN(checkpoint, parseJson(leftovers.checkpoint, "the job's checkpoint"));
        }
        TRY_ASSIGN(const auto job, m_factory(leftovers.id, leftovers.kind, arguments));
        job->discard(checkpoint);
        return {};
    });
}

}  // namespace espalier
