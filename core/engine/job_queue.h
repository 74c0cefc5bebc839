// SPDX-License-Identifier: GPL-3.0-or-later
// JobQueue: long work, one piece at a time, that outlives the process. A job's arguments are frozen when it is queued;
// what it has done it writes down as a checkpoint, so that pausing, a crash and a reboot all end the same way: the job
// is run again and goes on from its checkpoint. Pausing therefore frees the worker for the next job.
//
//   Queued -> Running -> Finished | Failed | Cancelled
//                     -> Paused (asked for, or the disk is full), Interrupted (the process ended) -> Queued by resume()
//
// Owner: Engine. Thread: public functions from any; jobs run on the queue's one worker.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/engine/messages.h"
#include "core/store/job_log.h"

namespace espalier {

// What a running job sees of the queue.
class JobContext {
public:
    virtual ~JobContext() = default;
    virtual std::stop_token stop() const = 0;  // set to pause, to cancel and at shutdown: leave with error cancelled
    virtual void report(std::int64_t doneBytes, std::int64_t allBytes, std::string_view step) = 0;
    virtual const Json& checkpoint() const = 0;                       // of an earlier run; null: none
    virtual Result<void> saveCheckpoint(const Json& checkpoint) = 0;  // durable when it returns
};

class Job {
public:
    virtual ~Job() = default;
    // The result document of a finished job.
    virtual Result<Json> run(JobContext& context) = 0;
    // Removes what an unfinished run left behind; checkpoint: its last, null: none. Called on a fresh object after
    // cancelling, failing and discarding; never while the job runs.
    virtual void discard(const Json& checkpoint) = 0;
};

// Makes the job of a row again, also after a restart. Error unsupported: a kind this program does not know.
using JobFactory =
    std::function<Result<std::unique_ptr<Job>>(std::int64_t id, std::string_view kind, const Json& arguments)>;

class JobQueue {
public:
    // Called with every change, in order, from any thread; must neither block nor call the queue.
    using ChangeSink = std::function<void(const JobRecord&)>;

    // Reads the jobs of the workspace; those left running become interrupted. runJobs false: only shows them.
    static Result<std::unique_ptr<JobQueue>> open(JobLog& log, const Clock& clock, JobFactory factory,
                                                  ChangeSink changed, bool runJobs);
    ~JobQueue();  // a running job becomes interrupted; waits for it to leave
    JobQueue(const JobQueue&) = delete;

    Result<std::int64_t> add(std::string_view kind, std::string title, std::string command, const Json& arguments);

    std::vector<JobRecord> jobs() const;  // newest first
    // Those that have not ended or ended after `unixMs`, newest first and without their result documents: for
    // snapshots.
    std::vector<JobRecord> newsSince(std::int64_t unixMs) const;
    Result<JobRecord> job(std::int64_t id) const;
    Result<void> cancel(std::int64_t id);
    Result<void> pause(std::int64_t id);
    Result<void> resume(std::int64_t id);   // paused or interrupted
    Result<void> discard(std::int64_t id);  // ended, paused or interrupted: removes leftovers and the row
    // Waits until the job is neither queued nor running, or the queue closes.
    Result<JobRecord> wait(std::int64_t id);

private:
    enum class Wish : std::uint8_t { None, Pause, Cancel, Shutdown };
    struct Entry {
        JobRecord record;
        std::string arguments;
        std::string checkpoint;
        std::stop_source stop;
        Wish wish = Wish::None;
        TimePoint lastReport{};
        TimePoint rateFrom{};
        std::int64_t rateFromBytes = 0;
    };
    struct Leftovers {
        std::int64_t id = 0;
        std::string kind, arguments, checkpoint;
    };
    class Context;

    JobQueue(JobLog& log, const Clock& clock, JobFactory factory, ChangeSink changed, bool runJobs);
    Result<void> load();
    void loop();
    Result<std::int64_t> begin();
    Result<Json> runOne(std::int64_t id);
    void finish(std::int64_t id, Result<Json> outcome);
    void settle(std::int64_t id, const Result<Json>& outcome);
    void report(std::int64_t id, std::int64_t doneBytes, std::int64_t allBytes, std::string_view step);
    Result<void> save(std::int64_t id);
    void discardLeftovers(const Leftovers& leftovers);
    Entry* find(std::int64_t id);
    const Entry* find(std::int64_t id) const;
    // Require m_mutex.
    static Leftovers leftoversOf(const Entry& entry);
    static JobRecord endOf(const Entry& entry, const Result<Json>& outcome);
    void setState(Entry& entry, JobState state);
    void tell(const JobRecord& record);

    JobLog& m_log;
    const Clock& m_clock;
    const JobFactory m_factory;
    const ChangeSink m_changed;
    const bool m_runJobs;

    // Serialises writes of rows, so that the newest state of a job is also the last one written. Taken before m_mutex.
    std::mutex m_saveMutex;
    mutable std::mutex m_mutex;
    std::condition_variable m_wake;                 // the worker: something is queued, or closing
    std::condition_variable m_settled;              // waiters: a job has left its state
    std::vector<std::unique_ptr<Entry>> m_entries;  // oldest first
    std::int64_t m_running = 0;                     // none
    bool m_closing = false;
    std::thread m_worker;
};

}  // namespace espalier
