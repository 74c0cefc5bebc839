// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/file_digest.h"

#include <algorithm>

#include "core/base/relay.h"
#include "core/models/non_finite_scan.h"

namespace espalier {
namespace {

constexpr std::size_t kPieceBytes = 512u << 10;  // small enough to be in a processor's cache when it is hashed
constexpr std::size_t kPieces = 8;

// Feeds the bytes of a file in order to the slices they belong to.
class SliceDigester {
public:
    explicit SliceDigester(const ModelFile& file) : m_file(file) { startSlice(); }

    void feed(std::uint64_t offset, std::span<const std::byte> bytes) {
        const std::uint64_t end = offset + bytes.size();
        while (m_next < m_file.slices.size()) {
            const DigestSlice& slice = m_file.slices[m_next];
            const std::uint64_t from = std::max(offset, slice.begin);
            const std::uint64_t to = std::min(end, slice.end);
            if (from < to) {
                const auto mine = bytes.subspan(from - offset, to - from);
                m_hash.update(mine);
                m_scan->add(mine);
            }
            if (slice.end > end) return;
            endSlice(slice);
        }
    }
    FileDigest take() {
        feed(m_file.bytes, {});  // slices of no bytes at the very end
        return std::move(m_found);
    }

private:
    void startSlice() {
        m_hash = Sha256();
        m_scan.emplace(m_next < m_file.slices.size() ? m_file.slices[m_next].dtype : DType::U8);
    }
    void endSlice(const DigestSlice& slice) {
        m_found.parts.push_back({m_file.name, slice.tensor, m_hash.finish()});
        if (m_scan->nan() + m_scan->infinite() > 0)
            m_found.nonFinite.push_back({slice.tensor, m_scan->nan(), m_scan->infinite()});
        ++m_next;
        startSlice();
    }

    const ModelFile& m_file;
    std::size_t m_next = 0;
    Sha256 m_hash;
    std::optional<NonFiniteScan> m_scan;
    FileDigest m_found;
};

struct Piece {
    std::uint64_t offset = 0;
    std::vector<std::byte> bytes;
};

Result<FileDigest> readThrough(const Path& path, const ModelFile& file, ReadableFile& reader, WritableFile* writer,
                               std::stop_token stop, const std::function<void(std::uint64_t)>& progress) {
    SliceDigester digester(file);
    Relay<Piece> relay(kPieces, [&](Piece& piece) { digester.feed(piece.offset, piece.bytes); });
    for (std::uint64_t offset = 0; offset < file.bytes;) {
        if (stop.stop_requested()) return fail(ErrorCode::Cancelled, "reading " + path.string() + " was stopped");
        Piece& piece = relay.next();
        piece.offset = offset;
        piece.bytes.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kPieceBytes, file.bytes - offset)));
        TRY_ASSIGN(const std::size_t got, reader.read(offset, piece.bytes));
        if (got != piece.bytes.size()) return sourceChanged(path);
        relay.pass();
        if (writer) TRY(writer->append(piece.bytes));
        offset += piece.bytes.size();
        progress(piece.bytes.size());
    }
    relay.drain();
    return digester.take();
}

}  // namespace

Json toJson(const std::vector<NonFiniteTensor>& tensors) {
    Json list = Json::array();
    for (const NonFiniteTensor& tensor : tensors)
        list.push_back({{"name", tensor.name}, {"nan", tensor.nan}, {"infinite", tensor.infinite}});
    return list;
}

Result<std::vector<NonFiniteTensor>> nonFiniteFromJson(const Json& json, std::string_view where) {
    std::vector<NonFiniteTensor> tensors;
    for (const Json& item : json) {
        const JsonReader reader(item, std::string(where));
        NonFiniteTensor& tensor = tensors.emplace_back();
        TRY_ASSIGN(tensor.name, reader.string("name"));
        TRY_ASSIGN(tensor.nan, reader.integer("nan", 0, INT64_MAX));
        TRY_ASSIGN(tensor.infinite, reader.integer("infinite", 0, INT64_MAX));
    }
    return tensors;
}

Error sourceChanged(const Path& path) {
    return fail(ErrorCode::IoError,
                path.string() + " was changed while it was being read; try again when it is complete", path.string());
}

Result<void> checkUnchanged(FileSystem& files, const Path& path, const ModelFile& file) {
    TRY_ASSIGN(const FileEntry now, files.stat(path));
    if (now.bytes != file.bytes || now.modifiedNs != file.modifiedNs) return sourceChanged(path);
    return {};
}

Result<FileDigest> digestModelFile(FileSystem& files, const Path& folder, const ModelFile& file,
                                   const std::optional<Path>& target, std::stop_token stop,
                                   const std::function<void(std::uint64_t newBytes)>& progress) {
    const Path path = folder / file.name;
    TRY(checkUnchanged(files, path, file));
    TRY_ASSIGN(const auto reader, files.open(path));
    std::unique_ptr<WritableFile> writer;
    const Path unfinished = target ? target->string() + ".part" : "";
    if (target) {
        TRY_ASSIGN(writer, files.createLarge(unfinished));
    }
    TRY_ASSIGN(FileDigest found, readThrough(path, file, *reader, writer.get(), stop, progress));
    TRY(checkUnchanged(files, path, file));
    if (writer) {
        TRY(writer->sync());
        TRY(writer->close());
        TRY(files.rename(unfinished, *target));
    }
    return found;
}

}  // namespace espalier
