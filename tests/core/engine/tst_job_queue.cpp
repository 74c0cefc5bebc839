// SPDX-License-Identifier: GPL-3.0-or-later
#include <atomic>
#include <stdexcept>

#include "core/engine/job_queue.h"
#include "core/engine/workspace.h"
#include "tests/core/engine/engine_fixture.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

namespace {

// Counts to its argument, one checkpoint per number; waits at `holdAt` until it is stopped or let go.
struct Counting {
    std::atomic<int> started = 0;
    std::atomic<int> holdAt = -1;
    std::atomic<int> reached = 0;
    std::atomic<int> discarded = 0;
    std::vector<int> counted;  // by the worker; read when it rests
};

class CountingJob final : public Job {
public:
    CountingJob(Counting& counting, int end) : m_counting(counting), m_end(end) {}
    Result<Json> run(JobContext& context) override {
        ++m_counting.started;
        const int from = context.checkpoint().is_null() ? 0 : context.checkpoint()["next"].get<int>();
        for (int number = from; number < m_end; ++number) {
            m_counting.reached = number;
            while (m_counting.holdAt == number && !context.stop().stop_requested()) std::this_thread::yield();
            if (context.stop().stop_requested()) return fail(ErrorCode::Cancelled, "stopped");
            m_counting.counted.push_back(number);
            context.report(number + 1, m_end, "counting");
            TRY(context.saveCheckpoint({{"next", number + 1}}));
        }
        return Json{{"counted", m_end}};
    }
    void discard(const Json&) override { ++m_counting.discarded; }

private:
    Counting& m_counting;
    const int m_end;
};

class ThrowingJob final : public Job {
public:
    Result<Json> run(JobContext&) override { throw std::runtime_error("a library's surprise"); }
    void discard(const Json&) override { throw std::runtime_error("another one"); }
};

struct Queue {
    EngineFixture fixture;
    ManualClock clock;
    Counting counting;
    std::mutex mutex;
    std::vector<JobRecord> changes;
    std::atomic<bool> isListenerBroken = false;
    std::unique_ptr<Workspace> workspace;
    std::unique_ptr<JobQueue> queue;

    Queue() { open(); }
    void open() {
        queue.reset();
        workspace.reset();
        workspace =
            std::move(Workspace::open(fixture.workspace, Workspace::Access::Write, *fixture.files, clock)).value();
        const auto factory = [this](std::int64_t, std::string_view kind,
                                    const Json& arguments) -> Result<std::unique_ptr<Job>> {
            if (kind == "count") return std::unique_ptr<Job>(new CountingJob(counting, arguments["to"].get<int>()));
            if (kind == "unmakable") throw std::runtime_error("what makes it throws");
            if (kind == "throw") return std::unique_ptr<Job>(new ThrowingJob);
            return fail(ErrorCode::Unsupported, "unknown kind");
        };
        const auto changed = [this](const JobRecord& job) {
            const std::lock_guard lock(mutex);
            changes.push_back(job);
            if (isListenerBroken) throw std::bad_alloc();
        };
        queue = std::move(JobQueue::open(workspace->jobLog(), clock, factory, changed, true)).value();
    }
    std::int64_t add(int to) { return *queue->add("count", "Count", "count", {{"to", to}}); }
    JobState state(std::int64_t id) { return queue->job(id)->state; }
};

}  // namespace

class TestJobQueue : public QObject {
    Q_OBJECT
private slots:
    void jobs_runOneAfterTheOtherInOrder() {
        Queue one;
        const auto first = one.add(3), second = one.add(2);
        QCOMPARE(one.queue->wait(first)->state, JobState::Finished);
        QCOMPARE(one.queue->wait(second)->state, JobState::Finished);
        QCOMPARE(one.counting.counted, (std::vector{0, 1, 2, 0, 1}));
        QCOMPARE(one.queue->job(second)->result, std::string(R"({"counted":2})"));
        QCOMPARE(one.queue->job(second)->progress, 1.0);
        QCOMPARE(one.queue->jobs().front().id, second);
    }

    void pause_freesTheWorkerAndResumeGoesOnFromTheCheckpoint() {
        Queue one;
        one.counting.holdAt = 2;
        const auto first = one.add(4);
        QTRY_COMPARE(one.counting.reached.load(), 2);
        VERIFY_OK(one.queue->pause(first));
        QCOMPARE(one.queue->wait(first)->state, JobState::Paused);
        one.counting.holdAt = -1;
        QCOMPARE(one.queue->wait(one.add(1))->state, JobState::Finished);
        VERIFY_OK(one.queue->resume(first));
        QCOMPARE(one.queue->wait(first)->state, JobState::Finished);
        QCOMPARE(one.counting.counted, (std::vector{0, 1, 0, 2, 3}));
    }

    void aPausedAndAQueuedJob_surviveARestart() {
        Queue one;
        one.counting.holdAt = 1;
        const auto paused = one.add(3);
        QTRY_COMPARE(one.counting.reached.load(), 1);
        VERIFY_OK(one.queue->pause(paused));
        (void)one.queue->wait(paused);
        const auto interrupted = one.add(3);
        QTRY_COMPARE(one.counting.started.load(), 2);
        QTRY_COMPARE(one.counting.reached.load(), 1);
        const auto queued = one.add(1);
        one.queue.reset();
        one.counting.holdAt = -1;
        one.open();
        QCOMPARE(one.queue->wait(queued)->state, JobState::Finished);
        QCOMPARE(one.state(paused), JobState::Paused);
        QCOMPARE(one.state(interrupted), JobState::Interrupted);
        VERIFY_OK(one.queue->resume(paused));
        VERIFY_OK(one.queue->resume(interrupted));
        QCOMPARE(one.queue->wait(paused)->state, JobState::Finished);
        QCOMPARE(one.queue->wait(interrupted)->state, JobState::Finished);
    }

    void cancel_endsQueuedRunningAndPausedJobsAndDiscards() {
        Queue one;
        one.counting.holdAt = 1;
        const auto running = one.add(3), queued = one.add(3), paused = one.add(3);
        QTRY_COMPARE(one.counting.reached.load(), 1);
        VERIFY_OK(one.queue->pause(paused));
        VERIFY_OK(one.queue->cancel(paused));
        VERIFY_OK(one.queue->cancel(queued));
        VERIFY_OK(one.queue->cancel(running));
        for (const auto id : {running, queued, paused}) QCOMPARE(one.queue->wait(id)->state, JobState::Cancelled);
        QCOMPARE(one.counting.discarded.load(), 3);
        QCOMPARE(one.queue->cancel(running).error().code, ErrorCode::InvalidArgument);
        QCOMPARE(one.queue->cancel(999).error().code, ErrorCode::NotFound);
    }

    void aRunningJob_cannotBeDiscarded() {
        Queue one;
        one.counting.holdAt = 0;
        const auto id = one.add(1);
        QTRY_COMPARE(one.state(id), JobState::Running);
        QCOMPARE(one.queue->discard(id).error().code, ErrorCode::InvalidArgument);
        one.counting.holdAt = -1;
        (void)one.queue->wait(id);
        VERIFY_OK(one.queue->discard(id));
        QCOMPARE(one.queue->wait(id).error().code, ErrorCode::NotFound);
        one.open();
        QVERIFY(one.queue->jobs().empty());
    }

    void whatThrowsOrIsUnknown_failsAloneWithAReason() {
        Queue one;
        const auto thrown = *one.queue->add("throw", "Throw", "", Json::object());
        const auto unmakable = *one.queue->add("unmakable", "Unmakable", "", Json::object());
        const auto unknown = *one.queue->add("none", "None", "", Json::object());
        QCOMPARE(one.queue->wait(thrown)->state, JobState::Failed);
        QVERIFY(one.queue->job(thrown)->error->message.find("a library's surprise") != std::string::npos);
        QCOMPARE(one.queue->wait(unmakable)->state, JobState::Failed);
        QVERIFY(one.queue->job(unmakable)->error->message.find("what makes it") != std::string::npos);
        QCOMPARE(one.queue->wait(unknown)->error->code, ErrorCode::Unsupported);
        QCOMPARE(one.queue->wait(one.add(1))->state, JobState::Finished);
    }

    void aListenerThatThrows_holdsUpNobody() {
        Queue one;
        one.isListenerBroken = true;
        QCOMPARE(one.queue->wait(one.add(3))->state, JobState::Finished);
        one.isListenerBroken = false;
        QCOMPARE(one.queue->wait(one.add(1))->state, JobState::Finished);
    }

    void rateAndTimeLeft_followTheClock() {
        Queue one;
        one.counting.holdAt = 3;
        const auto id = one.add(10);
        QTRY_COMPARE(one.counting.reached.load(), 3);
        one.clock.advance(std::chrono::seconds(1));
        one.counting.holdAt = 5;
        QTRY_COMPARE(one.counting.reached.load(), 5);
        // Bytes 1 to 5 in one second.
        const auto job = one.queue->job(id);
        QCOMPARE(job->bytesPerS, 4.0);
        QCOMPARE(job->etaS, 5 / 4.0);
        QCOMPARE(job->progress, 0.5);
        one.counting.holdAt = -1;
        (void)one.queue->wait(id);
    }

    void changes_tellTheWholeStoryInOrder() {
        Queue one;
        const auto id = one.add(2);
        (void)one.queue->wait(id);
        const std::lock_guard lock(one.mutex);
        QCOMPARE(one.changes.front().state, JobState::Queued);
        QCOMPARE(one.changes[1].state, JobState::Running);
        QCOMPARE(one.changes.back().state, JobState::Finished);
        double progress = 0;
        for (const JobRecord& change : one.changes) {
            QVERIFY(change.progress >= progress);
            progress = change.progress;
        }
    }
};
ESPALIER_TEST(tst_job_queue, TestJobQueue)
#include "tst_job_queue.moc"
