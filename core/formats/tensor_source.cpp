// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/formats/tensor_source.h"

#include <algorithm>
#include <map>

namespace espalier {
namespace {

constexpr std::int64_t kPieceBytes = 1 << 20;

class FileTensors final : public TensorSource {
public:
    FileTensors(std::vector<TensorEntry> tensors, std::vector<OpenFile> files) : m_tensors(std::move(tensors)) {
        std::ranges::sort(m_tensors, {}, &TensorEntry::name);
        for (OpenFile& open : files) m_files.emplace(std::move(open.path), std::move(open.file));
        for (std::size_t i = 0; i < m_tensors.size(); ++i) {
            CHECK(i == 0 || m_tensors[i - 1].name != m_tensors[i].name);
            CHECK(m_files.contains(m_tensors[i].file));
        }
    }

    const std::vector<TensorEntry>& tensors() const override { return m_tensors; }

    const TensorEntry* find(std::string_view name) const override {
        const auto found = std::ranges::lower_bound(m_tensors, name, {}, &TensorEntry::name);
        return found != m_tensors.end() && found->name == name ? &*found : nullptr;
    }

    Result<void> read(const TensorEntry& entry, std::uint64_t offset, std::span<std::byte> into) const override {
        const auto bytes = static_cast<std::uint64_t>(entry.bytes);
        CHECK(offset <= bytes && into.size() <= bytes - offset);
        TRY_ASSIGN(const std::size_t got, m_files.at(entry.file)->read(entry.offset + offset, into));
        if (got == into.size()) return {};
        return fail(ErrorCode::IoError,
                    entry.location() + ": the file ends at byte " + std::to_string(entry.offset + offset + got) +
                        ", the tensor reaches to " + std::to_string(entry.offset + bytes) +
                        "; the file was cut short after it was opened",
                    entry.location());
    }

private:
    std::vector<TensorEntry> m_tensors;
    std::map<Path, std::unique_ptr<ReadableFile>> m_files;
};

}  // namespace

std::int64_t TensorEntry::count() const {
    std::int64_t product = 1;
    for (const std::int64_t size : shape) product *= size;
    return product;
}

Result<std::vector<std::byte>> readTensor(const TensorSource& source, const TensorEntry& entry) {
    std::vector<std::byte> bytes(static_cast<std::size_t>(entry.bytes));
    TRY(source.read(entry, 0, bytes));
    return bytes;
}

Result<void> readInPieces(const TensorSource& source, const TensorEntry& entry, std::stop_token stop,
                          const std::function<Result<void>(std::span<const std::byte> piece)>& visit) {
    const std::int64_t block = blockOf(entry.dtype).bytes;
    const std::int64_t each = kPieceBytes / block * block;
    std::vector<std::byte> piece(static_cast<std::size_t>(std::min(each, entry.bytes)));
    for (std::int64_t done = 0; done < entry.bytes; done += each) {
        if (stop.stop_requested()) return fail(ErrorCode::Cancelled, "reading " + entry.location() + " was stopped");
        piece.resize(static_cast<std::size_t>(std::min(each, entry.bytes - done)));
        TRY(source.read(entry, static_cast<std::uint64_t>(done), piece));
        TRY(visit(piece));
    }
    return {};
}

std::unique_ptr<TensorSource> makeFileTensors(std::vector<TensorEntry> tensors, std::vector<OpenFile> files) {
    return std::make_unique<FileTensors>(std::move(tensors), std::move(files));
}

}  // namespace espalier
