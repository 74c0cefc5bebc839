// SPDX-License-Identifier: GPL-3.0-or-later
// What tests of the engine stand on: a temporary folder, the reference backend, tiny models, and a sink that keeps the
// chunks of a request until they are asked for.
#pragma once

#include <QDir>
#include <QTemporaryDir>
#include <QTest>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/compute/reference/reference_backend.h"
#include "core/engine/engine.h"
#include "tests/support/tiny_model.h"

namespace espalier::test {

// Verifies a Result and shows its error.
#define VERIFY_OK(result)                                                                 \
    do {                                                                                  \
        const auto& verified = (result);                                                  \
        QVERIFY2(verified.has_value(), verified ? "" : verified.error().message.c_str()); \
    } while (false)

// In memory where there is room: what these tests prove does not need a disk, and syncing a real one takes most of
// their time.
inline QString temporaryTemplate() {
    std::error_code cause;
    const auto space = std::filesystem::space("/dev/shm", cause);
    const bool isRoomy = !cause && space.available > (1ull << 30);
    return isRoomy ? QStringLiteral("/dev/shm/espalier-XXXXXX") : QDir::tempPath() + "/espalier-XXXXXX";
}

struct EngineFixture {
    QTemporaryDir temporary{temporaryTemplate()};
    Path root = temporary.path().toStdString();
    Path workspace = root / "workspace";
    std::unique_ptr<FileSystem> files = makeFileSystem();
    std::unique_ptr<Backend> backend = makeReferenceBackend();
    SystemClock clock;

    EngineOptions options() const {
        EngineOptions options;
        options.workspace = workspace;
        options.poolBytes = 8 << 20;
        options.memoryBudget = 256 << 20;
        options.maxBatchTokens = 32;
        options.maxSequences = 8;
        options.stderrLog = LogLevel::Silent;
        return options;
    }
    Result<std::unique_ptr<Engine>> open() { return open(options(), *files); }
    Result<std::unique_ptr<Engine>> open(const EngineOptions& options, FileSystem& fileSystem) {
        return Engine::open(options, *backend, fileSystem, clock);
    }

    Path makeModel(const std::string& name, const TinyModelOptions& model = {}) {
        writeTinyModel(root / name, model);
        return root / name;
    }
};

// Imports and waits; the record of the job as it came to rest.
inline Result<JobRecord> importAndWait(Engine& engine, const ImportRequest& request) {
    TRY_ASSIGN(const std::int64_t id, engine.startImport(request));
    return engine.waitJob(id);
}

class Collector {
public:
    ChunkSink sink() {
        return [this](const Chunk& chunk) {
            const std::lock_guard lock(m_mutex);
            m_chunks.push_back(chunk);
            m_arrived.notify_all();
        };
    }
    // All chunks, once the last has come.
    std::vector<Chunk> wait() {
        std::unique_lock lock(m_mutex);
        m_arrived.wait(lock, [this] { return finishes() > 0; });
        return m_chunks;
    }
    void waitForFirst() {
        std::unique_lock lock(m_mutex);
        m_arrived.wait(lock, [this] { return !m_chunks.empty(); });
    }
    std::vector<Chunk> chunks() const {
        const std::lock_guard lock(m_mutex);
        return m_chunks;
    }
    std::size_t finishCount() const {
        const std::lock_guard lock(m_mutex);
        return finishes();
    }

private:
    std::size_t finishes() const {
        std::size_t count = 0;
        for (const Chunk& chunk : m_chunks) count += chunk.finish.has_value();
        return count;
    }
    mutable std::mutex m_mutex;
    std::condition_variable m_arrived;
    std::vector<Chunk> m_chunks;
};

inline std::vector<TokenId> idsOf(const std::vector<Chunk>& chunks) {
    std::vector<TokenId> ids;
    for (const Chunk& chunk : chunks) ids.insert(ids.end(), chunk.ids.begin(), chunk.ids.end());
    return ids;
}

inline Request requestFor(std::vector<TokenId> prompt, std::int32_t maxTokens, Collector& collector) {
    Request request;
    request.prompt = std::move(prompt);
    request.maxTokens = maxTokens;
    request.sink = collector.sink();
    return request;
}

}  // namespace espalier::test
