// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/fault_injection.h"

namespace espalier::test {

class FaultyFile final : public WritableFile {
public:
    FaultyFile(FaultInjection& faults, Path path, std::unique_ptr<WritableFile> file)
        : m_faults(faults), m_path(std::move(path)), m_file(std::move(file)) {}

    Result<void> append(std::span<const std::byte> bytes) override {
        TRY(m_faults.count(m_path));
        TRY(m_faults.spend(m_path, bytes.size()));
        TRY(m_file->append(bytes));
        m_written += bytes.size();
        return {};
    }
    Result<void> sync() override {
        TRY(m_faults.count(m_path));
        TRY(m_file->sync());
        m_faults.noteSynced(m_path, m_written);
        return {};
    }
    Result<void> close() override {
        TRY(m_faults.count(m_path));
        return m_file->close();
    }

private:
    FaultInjection& m_faults;
    const Path m_path;
    std::unique_ptr<WritableFile> m_file;
    std::uint64_t m_written = 0;
};

class FaultyReader final : public ReadableFile {
public:
    FaultyReader(FaultInjection& faults, Path path, std::unique_ptr<ReadableFile> file)
        : m_faults(faults), m_path(std::move(path)), m_file(std::move(file)) {}

    Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> into) override {
        TRY(m_faults.countReading(m_path));
        return m_file->read(offset, into);
    }

private:
    FaultInjection& m_faults;
    const Path m_path;
    std::unique_ptr<ReadableFile> m_file;
};

void FaultInjection::failCall(std::int64_t n, ErrorCode code) {
    const std::lock_guard lock(m_mutex);
    m_changing.failAt = m_changing.made + n;
    m_changing.failWith = code;
}

std::int64_t FaultInjection::changingCalls() const {
    const std::lock_guard lock(m_mutex);
    return m_changing.made;
}

void FaultInjection::failReading(std::int64_t n, ErrorCode code) {
    const std::lock_guard lock(m_mutex);
    m_reading.failAt = m_reading.made + n;
    m_reading.failWith = code;
}

std::int64_t FaultInjection::readingCalls() const {
    const std::lock_guard lock(m_mutex);
    return m_reading.made;
}

std::int64_t FaultInjection::readingFaults() const {
    const std::lock_guard lock(m_mutex);
    return m_reading.faults;
}

void FaultInjection::fillDiskAfter(std::optional<std::uint64_t> bytes, bool announced) {
    const std::lock_guard lock(m_mutex);
    m_diskLeft = bytes;
    m_announced = announced;
}

void FaultInjection::atEachCall(std::function<void(std::int64_t call, const Path&)> hook) {
    const std::lock_guard lock(m_mutex);
    m_hook = std::move(hook);
}

void FaultInjection::atEachReading(std::function<void(std::int64_t call, const Path&)> hook) {
    const std::lock_guard lock(m_mutex);
    m_readingHook = std::move(hook);
}

void FaultInjection::loseUnsyncedWrites() {
    const std::lock_guard lock(m_mutex);
    for (const auto& [path, bytes] : m_synced) {
        std::error_code ignored;  // a file that is gone has nothing to lose
        std::filesystem::resize_file(path, bytes, ignored);
    }
    m_synced.clear();
}

Result<void> FaultInjection::count(const Path& path) {
    std::function<void(std::int64_t, const Path&)> hook;
    std::int64_t call = 0;
    bool fails = false;
    {
        const std::lock_guard lock(m_mutex);
        fails = m_changing.next();
        call = m_changing.made;
        hook = m_hook;
    }
    if (hook) hook(call, path);
    if (fails) return fail(m_changing.failWith, "planted failure at " + path.string(), path.string());
    return {};
}

Result<void> FaultInjection::countReading(const Path& path) {
    std::function<void(std::int64_t, const Path&)> hook;
    std::int64_t call = 0;
    bool fails = false;
    {
        const std::lock_guard lock(m_mutex);
        fails = m_reading.next();
        call = m_reading.made;
        hook = m_readingHook;
    }
    if (hook) hook(call, path);
    if (fails) return fail(m_reading.failWith, "planted failure at reading " + path.string(), path.string());
    return {};
}

Result<void> FaultInjection::spend(const Path& path, std::uint64_t bytes) {
    const std::lock_guard lock(m_mutex);
    if (!m_diskLeft) return {};
    if (bytes > *m_diskLeft)
        return fail(ErrorCode::DiskFull, "writing " + path.string() + ": planted full disk", path.string());
    *m_diskLeft -= bytes;
    return {};
}

void FaultInjection::noteSynced(const Path& path, std::uint64_t bytes) {
    const std::lock_guard lock(m_mutex);
    m_synced[path] = bytes;
}

Result<std::unique_ptr<ReadableFile>> FaultInjection::open(const Path& path) {
    TRY(countReading(path));
    TRY_ASSIGN(auto file, m_files.open(path));
    return std::unique_ptr<ReadableFile>(new FaultyReader(*this, path, std::move(file)));
}

Result<std::string> FaultInjection::readText(const Path& path, std::uint64_t maxBytes) {
    TRY(countReading(path));
    return m_files.readText(path, maxBytes);
}

Result<std::vector<FileEntry>> FaultInjection::list(const Path& folder) {
    TRY(countReading(folder));
    return m_files.list(folder);
}

Result<FileEntry> FaultInjection::stat(const Path& path) {
    TRY(countReading(path));
    return m_files.stat(path);
}

Result<std::unique_ptr<WritableFile>> FaultInjection::create(const Path& path) {
    TRY(count(path));
    return watched(path, m_files.create(path));
}

Result<std::unique_ptr<WritableFile>> FaultInjection::createLarge(const Path& path) {
    TRY(count(path));
    return watched(path, m_files.createLarge(path));
}

Result<std::unique_ptr<WritableFile>> FaultInjection::watched(const Path& path,
                                                              Result<std::unique_ptr<WritableFile>> file) {
    if (!file) return file;
    noteSynced(path, 0);
    return std::unique_ptr<WritableFile>(new FaultyFile(*this, path, std::move(*file)));
}

Result<void> FaultInjection::makeDirectories(const Path& path) {
    TRY(count(path));
    return m_files.makeDirectories(path);
}

Result<void> FaultInjection::rename(const Path& from, const Path& to) {
    TRY(count(from));
    TRY(m_files.rename(from, to));
    noteRenamed(from, to);
    return count(to);
}

Result<void> FaultInjection::move(const Path& from, const Path& to) {
    TRY(count(from));
    TRY(m_files.move(from, to));
    noteRenamed(from, to);
    return count(to);
}

Result<void> FaultInjection::flush(const Path& folder) {
    TRY(count(folder));
    TRY(m_files.flush(folder));
    noteFlushed();
    return {};
}

void FaultInjection::noteFlushed() {
    const std::lock_guard lock(m_mutex);
    for (auto& [path, bytes] : m_synced) {
        std::error_code ignored;  // a file that is gone has nothing to lose
        bytes = std::filesystem::file_size(path, ignored);
    }
}

void FaultInjection::noteRenamed(const Path& from, const Path& to) {
    const std::lock_guard lock(m_mutex);
    std::map<Path, std::uint64_t> moved;
    for (const auto& [path, bytes] : m_synced) {
        const Path below = path.lexically_relative(from);
        const bool isInside = !below.empty() && *below.begin() != "..";
        moved[path == from ? to : isInside ? to / below : path] = bytes;
    }
    m_synced = std::move(moved);
}

Result<void> FaultInjection::remove(const Path& path) {
    TRY(count(path));
    return m_files.remove(path);
}

Result<void> FaultInjection::removeTree(const Path& path) {
    TRY(count(path));
    return m_files.removeTree(path);
}

Result<std::uint64_t> FaultInjection::freeBytes(const Path& path) {
    {
        const std::lock_guard lock(m_mutex);
        if (m_announced && m_diskLeft) return *m_diskLeft;
    }
    return m_files.freeBytes(path);
}

}  // namespace espalier::test
