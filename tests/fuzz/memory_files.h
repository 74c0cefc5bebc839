// SPDX-License-Identifier: GPL-3.0-or-later
// A folder in memory for fuzzers of whole models: files that can be read, and nothing else. Thread: one.
#pragma once

#include <algorithm>
#include <cstring>
#include <map>
#include <string>

#include "core/base/file_system.h"

namespace espalier {

class MemoryFiles final : public FileSystem {
public:
    explicit MemoryFiles(Path folder) : m_folder(std::move(folder)) {}
    void put(const std::string& name, std::string content) { m_files[m_folder / name] = std::move(content); }

    Result<std::unique_ptr<ReadableFile>> open(const Path& path) override {
        TRY_ASSIGN(const std::string* content, find(path));
        return std::unique_ptr<ReadableFile>(new Reader(*content));
    }
    Result<std::string> readText(const Path& path, std::uint64_t maxBytes) override {
        TRY_ASSIGN(const std::string* content, find(path));
        if (content->size() > maxBytes) return fail(ErrorCode::TooLarge, path.string() + " is too large");
        return *content;
    }
    Result<std::vector<FileEntry>> list(const Path&) override {
        std::vector<FileEntry> entries;
        for (const auto& [path, content] : m_files) entries.push_back(entryOf(path, content));
        return entries;
    }
    bool exists(const Path& path) override { return path == m_folder || m_files.contains(path); }
    Result<FileEntry> stat(const Path& path) override {
        if (path == m_folder) return FileEntry{path, true, false, 0, 0};
        TRY_ASSIGN(const std::string* content, find(path));
        return entryOf(path, *content);
    }
    Result<std::unique_ptr<WritableFile>> create(const Path& path) override { return readOnly(path); }
    Result<std::unique_ptr<WritableFile>> createLarge(const Path& path) override { return readOnly(path); }
    Result<void> makeDirectories(const Path& path) override { return readOnly(path); }
    Result<void> rename(const Path& from, const Path&) override { return readOnly(from); }
    Result<void> move(const Path& from, const Path&) override { return readOnly(from); }
    Result<void> flush(const Path& folder) override { return readOnly(folder); }
    Result<void> remove(const Path& path) override { return readOnly(path); }
    Result<void> removeTree(const Path& path) override { return readOnly(path); }
    Result<std::uint64_t> freeBytes(const Path&) override { return std::uint64_t{0}; }

private:
    class Reader final : public ReadableFile {
    public:
        explicit Reader(const std::string& content) : m_content(content) {}
        Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> into) override {
            if (offset >= m_content.size()) return std::size_t{0};
            const std::size_t got = std::min<std::size_t>(into.size(), m_content.size() - offset);
            if (got > 0) std::memcpy(into.data(), m_content.data() + offset, got);
            return got;
        }

    private:
        const std::string& m_content;
    };

    Result<const std::string*> find(const Path& path) const {
        const auto found = m_files.find(path);
        if (found == m_files.end()) return fail(ErrorCode::NotFound, path.string() + " is not there");
        return &found->second;
    }
    static FileEntry entryOf(const Path& path, const std::string& content) {
        return {path, false, true, content.size(), 0};
    }
    static Error readOnly(const Path& path) { return fail(ErrorCode::IoError, path.string() + " cannot be changed"); }

    Path m_folder;
    std::map<Path, std::string> m_files;
};

}  // namespace espalier
