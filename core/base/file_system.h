// SPDX-License-Identifier: GPL-3.0-or-later
// FileSystem: the one door to files. Real in the product; tests put one in its place that fails the n-th call, fills
// the disk or forgets unsynced writes. Paths are std::filesystem::path; every error names the path and the cause.
// Thread: any (implementations hold no mutable state of their own, or lock it).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace espalier {

using Path = std::filesystem::path;

// A file read piece by piece: a file that shrinks meanwhile gives short reads, never a fault.
class ReadableFile {
public:
    virtual ~ReadableFile() = default;
    // Fills `into` from `offset` on; the bytes read, fewer only at the end of the file.
    virtual Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> into) = 0;
};

// A file being written. Nothing is durable before sync(); close() reports what the kernel reports late.
class WritableFile {
public:
    virtual ~WritableFile() = default;
    virtual Result<void> append(std::span<const std::byte> bytes) = 0;
    virtual Result<void> sync() = 0;
    virtual Result<void> close() = 0;
};

struct FileEntry {
    Path path;
    bool isDirectory = false;
    bool isRegular = false;
    std::uint64_t bytes = 0;
    std::int64_t modifiedNs = 0;  // Unix time of the last change of the content
};

class FileSystem {
public:
    virtual ~FileSystem() = default;

    // Errors: not_found; io_error; invalid_argument when the path is not a regular file (devices, pipes, folders).
    virtual Result<std::unique_ptr<ReadableFile>> open(const Path& path) = 0;
    virtual Result<std::unique_ptr<WritableFile>> create(const Path& path) = 0;  // truncates
    // The same for gigabytes: they go past the page cache where the disk can do that, so that what is served stays in
    // it, and sync() has nothing left to wait for.
    virtual Result<std::unique_ptr<WritableFile>> createLarge(const Path& path) = 0;
    // Whole small file as text. Error too_large over maxBytes.
    virtual Result<std::string> readText(const Path& path, std::uint64_t maxBytes) = 0;
    virtual Result<void> makeDirectories(const Path& path) = 0;
    virtual Result<void> rename(const Path& from, const Path& to) = 0;  // atomic, replaces; syncs the folder
    virtual Result<void> move(const Path& from, const Path& to) = 0;    // the same, durable at the next flush()
    // All that was written, made and moved on the disk of this folder is durable: for many small files what sync() is
    // for one.
    virtual Result<void> flush(const Path& folder) = 0;
    virtual Result<void> remove(const Path& path) = 0;                    // file or empty folder; absent is fine
    virtual Result<void> removeTree(const Path& path) = 0;                // never follows links
    virtual Result<std::vector<FileEntry>> list(const Path& folder) = 0;  // one level, links to files followed, sorted
    virtual bool exists(const Path& path) = 0;
    virtual Result<FileEntry> stat(const Path& path) = 0;  // follows links
    virtual Result<std::uint64_t> freeBytes(const Path& path) = 0;
};

// The operating system's files. One per program, made in app/ and handed down.
std::unique_ptr<FileSystem> makeFileSystem();

// Writes next to `path`, syncs, renames over it: readers see the old or the new content, never a mixture.
Result<void> writeAtomically(FileSystem& files, const Path& path, std::string_view content);

}  // namespace espalier
