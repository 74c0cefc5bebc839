// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/workspace.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace espalier {
namespace {

constexpr const char* kFolders[] = {"models", "adapters", "domains", "runs"};

Error lockError(const Path& file, std::string_view doing) {
    return fail(ErrorCode::IoError, std::string(doing) + " " + file.string() + ": " + std::strerror(errno),
                file.string());
}

// A folder made here is its owner's alone; one that was there keeps the rights it was given.
Result<void> makePrivateFolder(FileSystem& files, const Path& folder) {
    if (files.exists(folder)) return {};
    TRY(files.makeDirectories(folder));
    if (::chmod(folder.c_str(), 0700) != 0) return lockError(folder, "setting the rights of");
    return {};
}

}  // namespace

// The lock ends with the descriptor, so that a killed process leaves none behind.
class Workspace::Lock {
public:
    static Result<std::unique_ptr<Lock>> open(const Path& folder) {
        const Path file = folder / "lock";
        const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (fd < 0) return lockError(file, "opening");
        return std::unique_ptr<Lock>(new Lock(file, fd));
    }
    ~Lock() {
        if (m_writes) (void)!::ftruncate(m_fd, 0);
        ::close(m_fd);
    }

    Result<void> take(Access access) {
        const int operation = (access == Access::Write ? LOCK_EX : LOCK_SH) | LOCK_NB;
        while (::flock(m_fd, operation) != 0) {
            if (errno == EINTR) continue;
            if (errno == EWOULDBLOCK) return locked();
            return lockError(m_file, "locking");
        }
        if (access == Access::Write) {
            const std::string holder = "process " + std::to_string(::getpid());
            (void)!::ftruncate(m_fd, 0);
            (void)!::pwrite(m_fd, holder.data(), holder.size(), 0);
        } else {
            (void)!::ftruncate(m_fd, 0);  // what is written there is this process or one that was killed
        }
        m_writes = access == Access::Write;
        return {};
    }

private:
    Lock(Path file, int fd) : m_file(std::move(file)), m_fd(fd) {}

    Error locked() const {
        char text[64] = {};
        const ssize_t length = ::pread(m_fd, text, sizeof text - 1, 0);
        const std::string folder = m_file.parent_path().string();
        if (length > 0) return fail(ErrorCode::Locked, "the workspace " + folder + " is in use by " + text, folder);
        return fail(ErrorCode::Locked,
                    "the workspace " + folder + " is being read by another command; try again when it has ended",
                    folder);
    }

    Path m_file;
    int m_fd;
    bool m_writes = false;
};

Result<void> setAside(FileSystem& files, const Path& folder, const Path& aside) {
    TRY(files.removeTree(aside));
    auto moved = files.rename(folder, aside);
    // It is the sync after the move that has failed.
    if (!moved && files.exists(aside) && !files.exists(folder)) (void)files.rename(aside, folder);
    return moved;
}

std::string stillThere(const Error& why) {
    return "what an earlier run left is still there: " + why.message;
}

std::string notInCatalog(const Path& folder) {
    return folder.string() + " is not in the catalog: import it, or remove it by hand";
}

Workspace::Workspace(Path folder, std::unique_ptr<Lock> lock, std::unique_ptr<Writer> writer)
    : m_folder(std::move(folder)),
      m_lock(std::move(lock)),
      m_writer(std::move(writer)),
      m_readers(m_folder / "workspace.db"),
      m_catalog(m_readers, m_writer.get()),
      m_adapters(m_readers, m_writer.get()),
      m_jobLog(m_readers, m_writer.get()),
      m_tenantStore(m_readers, m_writer.get()) {}

Workspace::~Workspace() = default;

void Workspace::flush() {
    if (m_writer) m_writer->flush();
}

Result<std::unique_ptr<Workspace>> Workspace::open(const Path& folder, Access access, FileSystem& files, Clock& clock) {
    if (folder.empty()) return fail(ErrorCode::InvalidArgument, "no workspace folder was given");
    TRY(makePrivateFolder(files, folder));
    TRY_ASSIGN(auto lock, Lock::open(folder));
    const Path file = folder / "workspace.db";

    bool needsWriting = access == Access::Write || !files.exists(file);
    if (!needsWriting) {
        TRY(lock->take(Access::Read));
        TRY_ASSIGN(auto database, Database::open(file, Database::Access::Read));
        TRY_ASSIGN(const int version, database.schemaVersion());
        needsWriting = version < static_cast<int>(workspaceMigrations().size());
    }
    std::unique_ptr<Writer> writer;
    if (needsWriting) {
        TRY(lock->take(Access::Write));
        for (const char* name : kFolders) TRY(makePrivateFolder(files, folder / name));
        TRY_ASSIGN(auto database, Database::open(file, Database::Access::Write));
        TRY(database.checkIntegrity());
        TRY(database.migrate(workspaceMigrations(), clock.unixMilliseconds()));
        if (access == Access::Write)
            writer = std::make_unique<Writer>(std::move(database));
        else
            TRY(lock->take(Access::Read));
    }
    return std::unique_ptr<Workspace>(new Workspace(folder, std::move(lock), std::move(writer)));
}

}  // namespace espalier
