// SPDX-License-Identifier: GPL-3.0-or-later
// Writer: the one thread that writes the workspace's database. What arrives while it is busy becomes one transaction,
// so a burst of log rows costs one commit. A write that fails or throws is rolled back alone; the others of its batch
// stay. Whoever waits is answered, also when there is no memory left.
//
// Owner: Workspace. Thread: post, write and flush from any; the functions given to them run on the writer's thread.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <thread>

#include "core/store/database.h"

namespace espalier {

class Writer {
public:
    using Write = std::function<Result<void>(Database&)>;

    explicit Writer(Database database, std::size_t capacity = 4096);
    ~Writer();  // writes what is queued, then ends
    Writer(const Writer&) = delete;

    // Queues a write and returns. Error busy when `capacity` of them wait: the write is dropped. What fails later is
    // counted in failedPosts().
    Result<void> post(Write write);
    // Waits until the write is committed. Never refused for lack of room: its caller stands still meanwhile.
    Result<void> write(Write write);
    // Waits until everything queued before has been committed or has failed.
    void flush();

    struct FailedPosts {
        std::int64_t count = 0;
        Error newest = {};  // when there are any
    };
    FailedPosts failedPosts() const;

private:
    struct Entry {
        Write write;
        std::shared_ptr<std::promise<Result<void>>> answer;  // null for posts
        Result<void> result = {};
    };
    void loop();
    void runBatch();
    Result<void> commitBatch();
    Result<void> rollBack();
    Result<void> runOne(Entry& entry);

    Database m_database;
    const std::size_t m_capacity;
    mutable std::mutex m_mutex;
    std::condition_variable m_arrived;
    std::deque<Entry> m_queue;
    FailedPosts m_failedPosts;
    bool m_closed = false;
    std::deque<Entry> m_batch;  // the writer's thread alone
    std::thread m_thread;       // last: starts when the rest is there
};

}  // namespace espalier
