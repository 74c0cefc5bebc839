// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/store/writer.h"

#include <future>
#include <vector>

namespace espalier {

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
    const auto promise = std::make_shared<std::promise<Result<void>>>();
    auto future = promise->get_future();
    {
        const std::lock_guard lock(m_mutex);
        m_queue.push_back(
            {std::move(write), [promise](Result<void> result) { promise->set_value(std::move(result)); }});
    }
    m_arrived.notify_one();
    return future.get();
}

void Writer::flush() {
    (void)write([](Database&) { return Result<void>(); });
}

std::int64_t Writer::failedPosts() const {
    const std::lock_guard lock(m_mutex);
    return m_failedPosts;
}

void Writer::loop() {
    for (;;) {
        std::deque<Entry> batch;
        {
            std::unique_lock lock(m_mutex);
            m_arrived.wait(lock, [this] { return !m_queue.empty() || m_closed; });
            if (m_queue.empty()) return;
            batch.swap(m_queue);
        }
        runBatch(batch);
    }
}

void Writer::runBatch(std::deque<Entry>& batch) {
    std::vector<Result<void>> results;
    results.reserve(batch.size());
    Result<void> committed = m_database.execute("BEGIN IMMEDIATE");
    if (committed) {
        for (const Entry& entry : batch) {
            Result<void> result = m_database.execute("SAVEPOINT one");
            if (result) result = entry.write(m_database);
            // A full disk or a failing one may end the whole transaction (sqlite.org/lang_transaction.html, 2.3.2):
            // nothing of this batch is kept then, and nothing may be written outside a transaction.
            if (!m_database.isInTransaction()) {
                committed = result ? fail(ErrorCode::Database, "the transaction ended early") : std::move(result);
                break;
            }
            if (!result) (void)m_database.execute("ROLLBACK TO one");
            (void)m_database.execute("RELEASE one");
            results.push_back(std::move(result));
        }
        if (committed) committed = m_database.execute("COMMIT");
        if (!committed && m_database.isInTransaction()) (void)m_database.execute("ROLLBACK");
    }
    for (Result<void>& result : results)
        if (!committed) result = committed;
    results.resize(batch.size(), committed);  // nothing ran when the transaction did not begin
    {
        // Counted before anyone is told: who waited for a flush sees the count.
        const std::lock_guard lock(m_mutex);
        for (std::size_t i = 0; i < batch.size(); ++i) m_failedPosts += !batch[i].done && !results[i];
    }
    for (std::size_t i = 0; i < batch.size(); ++i)
        if (batch[i].done) batch[i].done(std::move(results[i]));
}

}  // namespace espalier
