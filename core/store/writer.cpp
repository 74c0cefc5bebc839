// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/store/writer.h"

#include "core/base/caught.h"

namespace espalier {

constexpr std::string_view kDatabase = "the database";  // that met a surprise

Writer::Writer(Database database, std::size_t capacity)
    : m_database(std::move(database)), m_capacity(capacity), m_thread([this] { loop(); }) {}

Writer::~Writer() {
    {
        const std::lock_guard lock(m_mutex);
        m_closed = true;
    }
    m_arrived.notify_all();
    m_thread.join();
}

Result<void> Writer::post(Write write) {
    {
        const std::lock_guard lock(m_mutex);
        if (m_queue.size() >= m_capacity)
            return fail(ErrorCode::Busy, std::to_string(m_capacity) + " writes are already waiting for the database");
        m_queue.push_back({std::move(write), {}});
    }
    m_arrived.notify_one();
    return {};
}

Result<void> Writer::write(Write write) {
    // The promise is shared with the entry: set_value may still be touching it when get() returns.
    const auto answer = std::make_shared<std::promise<Result<void>>>();
    auto future = answer->get_future();
    {
        const std::lock_guard lock(m_mutex);
        m_queue.push_back({std::move(write), answer});
    }
    m_arrived.notify_one();
    return future.get();
}

void Writer::flush() {
    (void)write([](Database&) { return Result<void>(); });
}

Writer::FailedPosts Writer::failedPosts() const {
    const std::lock_guard lock(m_mutex);
    return m_failedPosts;
}

void Writer::loop() {
    for (;;) {
        {
            std::unique_lock lock(m_mutex);
            m_arrived.wait(lock, [this] { return !m_queue.empty() || m_closed; });
            if (m_queue.empty()) return;
            m_batch.swap(m_queue);
        }
        runBatch();
        m_batch.clear();
    }
}

// Nothing beside the two caught() needs memory.
void Writer::runBatch() {
    const Result<void> committed = caught(kDatabase, [this] { return commitBatch(); });
    if (!committed)
        for (Entry& entry : m_batch) entry.result = caught(kDatabase, [&] { return committed; });
    {
        // Counted before anyone is told: who waited for a flush sees the count.
        const std::lock_guard lock(m_mutex);
        for (Entry& entry : m_batch) {
            if (entry.answer || entry.result) continue;
            ++m_failedPosts.count;
            m_failedPosts.newest = std::move(entry.result).error();
        }
    }
    for (Entry& entry : m_batch)
        if (entry.answer) entry.answer->set_value(std::move(entry.result));
}

// All of the batch that did not fail, or nothing.
Result<void> Writer::commitBatch() {
    TRY(rollBack());  // an earlier one may have lacked the memory for it
    TRY(m_database.execute("BEGIN IMMEDIATE"));
    Result<void> done = caught(kDatabase, [this]() -> Result<void> {
        for (Entry& entry : m_batch) TRY(runOne(entry));
        return m_database.execute("COMMIT");
    });
    if (!done) (void)rollBack();
    return done;
}

Result<void> Writer::rollBack() {
    return m_database.isInTransaction() ? m_database.execute("ROLLBACK") : Result<void>();
}

// Error: the transaction is lost.
Result<void> Writer::runOne(Entry& entry) {
    TRY(m_database.execute("SAVEPOINT one"));
    entry.result = caught(kDatabase, [&] { return entry.write(m_database); });
    // A full disk or a failing one may end the whole transaction (sqlite.org/lang_transaction.html, 2.3.2): nothing of
    // this batch is kept then, and nothing may be written outside a transaction.
    if (!m_database.isInTransaction())
        return entry.result ? fail(ErrorCode::Database, "the transaction ended early") : entry.result;
    if (!entry.result) TRY(m_database.execute("ROLLBACK TO one"));
    return m_database.execute("RELEASE one");
}

}  // namespace espalier
