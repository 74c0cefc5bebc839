// SPDX-License-Identifier: GPL-3.0-or-later
// FaultInjection: a FileSystem over the real one that fails on command. Counts every call that changes the disk, and
// each rename a second time when it has been done; the n-th can be made to fail, the disk can fill up, and a power cut
// can lose what was never synced. Calls that read (open, each read of an open file, readText, list, stat) are counted
// by themselves.
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
    // The same of calls that read. readingFaults: how many have failed so.
    void failReading(std::int64_t n, ErrorCode code);
    std::int64_t readingCalls() const;
    std::int64_t readingFaults() const;
    // Called before each call that reads, on the caller's thread.
    void atEachReading(std::function<void(std::int64_t call, const Path&)> hook);
    // append() fails with disk_full once this many more bytes were written; freeBytes() tells the truth about it only
    // when `announced`. nullopt: endless again.
    void fillDiskAfter(std::optional<std::uint64_t> bytes, bool announced = false);
    // Called at each counted point, on the caller's thread.
    void atEachCall(std::function<void(std::int64_t call, const Path&)> hook);
    // What a power cut leaves: every file written through here is cut back to its synced length.
    void loseUnsyncedWrites();

    Result<std::unique_ptr<ReadableFile>> open(const Path& path) override;
    Result<std::unique_ptr<WritableFile>> create(const Path& path) override;
    Result<std::unique_ptr<WritableFile>> createLarge(const Path& path) override;
    Result<std::string> readText(const Path& path, std::uint64_t maxBytes) override;
    Result<void> makeDirectories(const Path& path) override;
    Result<void> rename(const Path& from, const Path& to) override;
    Result<void> move(const Path& from, const Path& to) override;
    Result<void> flush(const Path& folder) override;
    Result<void> remove(const Path& path) override;
    Result<void> removeTree(const Path& path) override;
    Result<std::vector<FileEntry>> list(const Path& folder) override;
    bool exists(const Path& path) override { return m_files.exists(path); }
    Result<FileEntry> stat(const Path& path) override;
    Result<std::uint64_t> freeBytes(const Path& path) override;

private:
    friend class FaultyFile;
    friend class FaultyReader;
    struct Calls {
        std::int64_t made = 0, failAt = 0, faults = 0;  // failAt 0: never
        ErrorCode failWith = ErrorCode::IoError;

        bool next() {  // whether this one fails
            const bool fails = ++made == failAt;
            faults += fails;
            return fails;
        }
    };
    Result<void> countReading(const Path& path);
    Result<std::unique_ptr<WritableFile>> watched(const Path& path, Result<std::unique_ptr<WritableFile>> file);
    Result<void> count(const Path& path);
    Result<void> spend(const Path& path, std::uint64_t bytes);
    void noteRenamed(const Path& from, const Path& to);
    void noteSynced(const Path& path, std::uint64_t bytes);
    void noteFlushed();

    FileSystem& m_files;
    mutable std::mutex m_mutex;
    Calls m_changing, m_reading;
    std::optional<std::uint64_t> m_diskLeft;
    bool m_announced = false;
    std::function<void(std::int64_t, const Path&)> m_hook, m_readingHook;
    std::map<Path, std::uint64_t> m_synced;  // files written through here, and how much of them would survive
};

}  // namespace espalier::test
