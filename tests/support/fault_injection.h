// SPDX-License-Identifier: GPL-3.0-or-later
// FaultInjection: a FileSystem over the real one that fails on command. Counts every call that changes the disk, and
// each rename a second time when it has been done; the n-th can be made to fail, the disk can fill up, and a power cut
// can lose what was never synced.
//
// Thread: any.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>

#include "core/base/file_system.h"

namespace espalier::test {

class FaultInjection final : public FileSystem {
public:
    explicit FaultInjection(FileSystem& files) : m_files(files) {}

    // The n-th changing call from now on (1: the next) fails with this code, and only that one.
    void failCall(std::int64_t n, ErrorCode code);
    std::int64_t changingCalls() const;
    // append() fails with disk_full once this many more bytes were written; freeBytes() tells the truth about it only
    // when `announced`. nullopt: endless again.
    void fillDiskAfter(std::optional<std::uint64_t> bytes, bool announced = false);
    // Called at each counted point, on the caller's thread.
    void atEachCall(std::function<void(std::int64_t call, const Path&)> hook);
    // What a power cut leaves: every file written through here is cut back to its synced length.
    void loseUnsyncedWrites();

    Result<std::unique_ptr<ReadableFile>> open(const Path& path) override { return m_files.open(path); }
    Result<std::unique_ptr<WritableFile>> create(const Path& path) override;
    Result<std::unique_ptr<WritableFile>> createLarge(const Path& path) override;
    Result<std::string> readText(const Path& path, std::uint64_t maxBytes) override {
        return m_files.readText(path, maxBytes);
    }
    Result<void> makeDirectories(const Path& path) override;
    Result<void> rename(const Path& from, const Path& to) override;
    Result<void> move(const Path& from, const Path& to) override;
    Result<void> flush(const Path& folder) override;
    Result<void> remove(const Path& path) override;
    Result<void> removeTree(const Path& path) override;
    Result<std::vector<FileEntry>> list(const Path& folder) override { return m_files.list(folder); }
    bool exists(const Path& path) override { return m_files.exists(path); }
    Result<FileEntry> stat(const Path& path) override { return m_files.stat(path); }
    Result<std::uint64_t> freeBytes(const Path& path) override;

private:
    friend class FaultyFile;
    Result<std::unique_ptr<WritableFile>> watched(const Path& path, Result<std::unique_ptr<WritableFile>> file);
    Result<void> count(const Path& path);
    Result<void> spend(const Path& path, std::uint64_t bytes);
    void noteRenamed(const Path& from, const Path& to);
    void noteSynced(const Path& path, std::uint64_t bytes);
    void noteFlushed();

    FileSystem& m_files;
    mutable std::mutex m_mutex;
    std::int64_t m_calls = 0;
    std::int64_t m_failAt = 0;  // 0: never
    ErrorCode m_failWith = ErrorCode::IoError;
    std::optional<std::uint64_t> m_diskLeft;
    bool m_announced = false;
    std::function<void(std::int64_t, const Path&)> m_hook;
    std::map<Path, std::uint64_t> m_synced;  // files written through here, and how much of them would survive
};

}  // namespace espalier::test
