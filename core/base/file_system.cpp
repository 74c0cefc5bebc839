// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/file_system.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace espalier {
namespace {

Error systemError(const Path& path, std::string_view doing, int cause = errno) {
    ErrorCode code = ErrorCode::IoError;
    if (cause == ENOENT || cause == ENOTDIR) code = ErrorCode::NotFound;
    if (cause == ENOSPC || cause == EDQUOT) code = ErrorCode::DiskFull;
    if (cause == EEXIST) code = ErrorCode::AlreadyExists;
    return fail(code, std::string(doing) + " " + path.string() + ": " + std::strerror(cause), path.string());
}

class Descriptor {
public:
    explicit Descriptor(int fd) : m_fd(fd) {}
    Descriptor(const Descriptor&) = delete;
    ~Descriptor() {
        if (m_fd >= 0) ::close(m_fd);
    }
    int get() const { return m_fd; }
    int take() { return std::exchange(m_fd, -1); }

private:
    int m_fd;
};

class PosixReader final : public ReadableFile {
public:
    PosixReader(Path path, int fd) : m_path(std::move(path)), m_fd(fd) {}

    Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> into) override {
        std::size_t done = 0;
        while (done < into.size()) {
            const ssize_t got =
                ::pread(m_fd.get(), into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) return systemError(m_path, "reading");
            if (got == 0) break;
            done += static_cast<std::size_t>(got);
        }
        return done;
    }

private:
    Path m_path;
    Descriptor m_fd;
};

class PosixFile final : public WritableFile {
public:
    PosixFile(Path path, int fd) : m_path(std::move(path)), m_fd(fd) {}

    Result<void> append(std::span<const std::byte> bytes) override {
        while (!bytes.empty()) {
            const ssize_t written = ::write(m_fd.get(), bytes.data(), bytes.size());
            if (written < 0 && errno == EINTR) continue;
            if (written < 0) return systemError(m_path, "writing");
            bytes = bytes.subspan(static_cast<std::size_t>(written));
        }
        return {};
    }
    Result<void> sync() override {
        if (::fsync(m_fd.get()) != 0) return systemError(m_path, "syncing");
        return {};
    }
    Result<void> close() override {
        if (::close(m_fd.take()) != 0) return systemError(m_path, "closing");
        return {};
    }

private:
    Path m_path;
    Descriptor m_fd;
};

// Written with O_DIRECT (open(2)) in whole blocks from one aligned buffer; the file's odd end goes the usual way, and
// so does all of it where the file system refuses.
class LargeFile final : public WritableFile {
public:
    LargeFile(Path path, int fd) : m_path(std::move(path)), m_fd(fd), m_blocks(kBlocks) {}

    Result<void> append(std::span<const std::byte> bytes) override {
        while (!bytes.empty()) {
            const std::size_t taken = std::min(bytes.size(), kBytes - m_filled);
            std::memcpy(buffer() + m_filled, bytes.data(), taken);
            m_filled += taken;
            bytes = bytes.subspan(taken);
            if (m_filled == kBytes) TRY(writeOut());
        }
        return {};
    }
    Result<void> sync() override {
        TRY(writeOut());
        if (::fsync(m_fd.get()) != 0) return systemError(m_path, "syncing");
        return {};
    }
    Result<void> close() override {
        TRY(writeOut());
        if (::close(m_fd.take()) != 0) return systemError(m_path, "closing");
        return {};
    }

private:
    Result<void> writeOut() {
        for (std::size_t done = 0; done < m_filled;) {
            const std::size_t left = m_filled - done, whole = left / kBlock * kBlock;
            if (whole == 0) useCache();
            const ssize_t written = ::write(m_fd.get(), buffer() + done, m_isDirect ? whole : left);
            if (written < 0 && errno == EINTR) continue;
            if (written < 0 && errno == EINVAL && m_isDirect) {
                useCache();
                continue;
            }
            if (written < 0) return systemError(m_path, "writing");
            done += static_cast<std::size_t>(written);
            if (done % kBlock != 0) useCache();  // a nearly full disk takes less than a block
        }
        m_filled = 0;
        return {};
    }
    void useCache() {
        if (std::exchange(m_isDirect, false)) (void)::fcntl(m_fd.get(), F_SETFL, 0);
    }

    std::byte* buffer() { return m_blocks.data()->bytes; }

    static constexpr std::size_t kBlock = 4096;  // a multiple of that of every disk
    struct alignas(kBlock) Block {
        std::byte bytes[kBlock];
    };
    static constexpr std::size_t kBlocks = 512, kBytes = kBlocks * kBlock;  // 2 MiB at once: full speed
    Path m_path;
    Descriptor m_fd;
    std::vector<Block> m_blocks;
    std::size_t m_filled = 0;
    bool m_isDirect = true;
};

Result<void> syncFolder(const Path& folder) {
    const Descriptor fd(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd.get() < 0) return systemError(folder, "opening");
    if (::fsync(fd.get()) != 0) return systemError(folder, "syncing");
    return {};
}

// An open descriptor of the regular file. O_NONBLOCK: opening a pipe or a device must not hang before it
// can be refused.
Result<int> openRegular(const Path& path, struct stat& status) {
    Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (fd.get() < 0) return systemError(path, "opening");
    if (::fstat(fd.get(), &status) != 0) return systemError(path, "reading the status of");
    if (!S_ISREG(status.st_mode))
        return fail(ErrorCode::InvalidArgument, path.string() + " is not a regular file", path.string());
    return fd.take();
}

class PosixFileSystem final : public FileSystem {
public:
    Result<std::unique_ptr<ReadableFile>> open(const Path& path) override {
        struct stat status {};
        TRY_ASSIGN(const int opened, openRegular(path, status));
        return std::unique_ptr<ReadableFile>(new PosixReader(path, opened));
    }

    Result<std::unique_ptr<WritableFile>> create(const Path& path) override {
        const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (fd < 0) return systemError(path, "creating");
        return std::unique_ptr<WritableFile>(new PosixFile(path, fd));
    }

    Result<std::unique_ptr<WritableFile>> createLarge(const Path& path) override {
        const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_DIRECT, 0644);
        if (fd >= 0) return std::unique_ptr<WritableFile>(new LargeFile(path, fd));
        if (errno != EINVAL) return systemError(path, "creating");
        return create(path);  // a file system without
    }

    Result<std::string> readText(const Path& path, std::uint64_t maxBytes) override {
        struct stat status {};
        TRY_ASSIGN(const int opened, openRegular(path, status));
        PosixReader reader(path, opened);
        const auto bytes = static_cast<std::uint64_t>(status.st_size);
        if (bytes > maxBytes)
            return fail(ErrorCode::TooLarge,
                        path.string() + " has " + std::to_string(bytes) + " bytes, at most " +
                            std::to_string(maxBytes) + " are read",
                        path.string());
        std::string text(bytes, '\0');
        TRY_ASSIGN(const std::size_t got, reader.read(0, std::as_writable_bytes(std::span(text))));
        text.resize(got);
        return text;
    }

    Result<void> makeDirectories(const Path& path) override {
        std::error_code cause;
        std::filesystem::create_directories(path, cause);
        if (cause) return systemError(path, "creating the folder", cause.value());
        return {};
    }

    Result<void> rename(const Path& from, const Path& to) override {
        TRY(move(from, to));
        return syncFolder(to.parent_path());
    }

    Result<void> move(const Path& from, const Path& to) override {
        if (::rename(from.c_str(), to.c_str()) != 0) return systemError(to, "renaming to");
        return {};
    }

    Result<void> flush(const Path& folder) override {
        const Descriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (fd.get() < 0) return systemError(folder, "opening");
        if (::syncfs(fd.get()) != 0) return systemError(folder, "syncing the disk of");
        return {};
    }

    Result<void> remove(const Path& path) override {
        if (::remove(path.c_str()) != 0 && errno != ENOENT) return systemError(path, "removing");
        return {};
    }

    Result<void> removeTree(const Path& path) override {
        std::error_code cause;
        std::filesystem::remove_all(path, cause);
        if (cause) return systemError(path, "removing", cause.value());
        return {};
    }

    Result<std::vector<FileEntry>> list(const Path& folder) override {
        std::error_code cause;
        std::filesystem::directory_iterator entries(folder, cause);
        if (cause) return systemError(folder, "listing", cause.value());
        std::vector<FileEntry> found;
        for (; entries != std::filesystem::directory_iterator(); entries.increment(cause)) {
            auto entry = stat(entries->path());
            if (entry) found.push_back(std::move(*entry));
        }
        if (cause)
            return systemError(folder, "listing", cause.value());  // after a failed step the iterator is at its end
        std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
        return found;
    }

    // A link that leads nowhere is there; reading it says what is wrong.
    bool exists(const Path& path) override {
        return ::faccessat(AT_FDCWD, path.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
    }

    Result<FileEntry> stat(const Path& path) override {
        struct stat status {};
        if (::stat(path.c_str(), &status) != 0) return systemError(path, "reading the status of");
        return FileEntry{path, S_ISDIR(status.st_mode), S_ISREG(status.st_mode),
                         static_cast<std::uint64_t>(status.st_size),
                         std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec};
    }

    Result<std::uint64_t> freeBytes(const Path& path) override {
        struct statvfs status {};
        if (::statvfs(path.c_str(), &status) != 0) return systemError(path, "reading the free space of");
        return static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
    }
};

}  // namespace

std::unique_ptr<FileSystem> makeFileSystem() {
    return std::make_unique<PosixFileSystem>();
}

Result<void> writeAtomically(FileSystem& files, const Path& path, std::string_view content) {
    const Path temporary = path.string() + ".tmp" + std::to_string(::getpid());
    const auto write = [&]() -> Result<void> {
        TRY_ASSIGN(const auto file, files.create(temporary));
        TRY(file->append(std::as_bytes(std::span(content))));
        TRY(file->sync());
        TRY(file->close());
        return files.rename(temporary, path);
    };
    auto written = write();
    if (!written) (void)files.remove(temporary);
    return written;
}

}  // namespace espalier
