// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/api/keys.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>

#include "core/base/hash.h"

namespace espalier {
namespace {

constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kMinKeyLength = 16;
constexpr std::string_view kKeyPrefix = "esp-";

std::string trimmed(std::string text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
    return text;
}

}  // namespace

Result<void> writePrivateFile(FileSystem& files, const Path& file, std::string_view content) {
    const Path temporary = file.string() + ".tmp" + std::to_string(::getpid());
    const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    const auto failed = [&] {
        const Error error =
            fail(ErrorCode::IoError, "writing " + file.string() + ": " + std::strerror(errno), file.string());
        if (fd >= 0) ::close(fd);
        (void)files.remove(temporary);
        return error;
    };
    if (fd < 0 || ::fchmod(fd, 0600) != 0) return failed();
    if (::write(fd, content.data(), content.size()) != static_cast<ssize_t>(content.size())) return failed();
    if (::fsync(fd) != 0) return failed();
    ::close(fd);
    return files.rename(temporary, file);
}

Result<std::string> loadOrMakeAdminKey(FileSystem& files, const Path& file) {
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0) {
        std::string key = std::string(kKeyPrefix) + randomToken(kKeyBytes);
        TRY(writePrivateFile(files, file, key + "\n"));
        return key;
    }
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return fail(ErrorCode::Unauthorized,
                    "other users can read " + file.string() + "; run: chmod 600 " + file.string(), file.string());
    TRY_ASSIGN(std::string text, files.readText(file, 4096));
    std::string key = trimmed(std::move(text));
    if (key.size() < kMinKeyLength || key.find_first_of(" \n\r\t") != std::string::npos)
        return fail(ErrorCode::CorruptFile,
                    file.string() + " must hold one key of at least " + std::to_string(kMinKeyLength) +
                        " characters on one line",
                    file.string());
    return key;
}

Result<Caller> Keys::caller(std::string_view authorization) const {
    constexpr std::string_view kScheme = "bearer ";
    const auto startsAs = [](char given, char wanted) {
        return std::tolower(static_cast<unsigned char>(given)) == wanted;
    };
    const bool isBearer = authorization.size() > kScheme.size() &&
                          std::equal(kScheme.begin(), kScheme.end(), authorization.begin(),
                                     [&](char wanted, char given) { return startsAs(given, wanted); });
    if (!isBearer) return fail(ErrorCode::Unauthorized, "this route needs a key: Authorization: Bearer KEY");
    const std::string_view key = authorization.substr(kScheme.size());
    if (equalConstantTime(key, m_adminKey)) return Caller{std::string(kOwner), true};
    TRY_ASSIGN(std::string tenant, m_tenants.tenantOf(key));
    return Caller{std::move(tenant), false};
}

}  // namespace espalier
