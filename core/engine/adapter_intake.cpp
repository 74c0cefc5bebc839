// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/adapter_intake.h"

#include "core/adapters/base_copy.h"
#include "core/engine/model_files.h"
#include "core/models/non_finite_scan.h"

namespace espalier {
namespace {

constexpr std::uint64_t kSpareAfterAdapter = 64ull << 20;

// One id per base, name and content: a reload of changed files has another folder than what it replaces.
std::string idOf(std::string_view base, std::string_view name, std::string_view digest) {
    Sha256 hash;
    for (const std::string_view part : {base, name, digest}) {
        hash.update(part);
        hash.update("\n");
    }
    return "a-" + hash.finishHex().substr(0, 12);
}

Result<void> refuseNonFinite(const TensorSource& tensors) {
    for (const TensorEntry& tensor : tensors.tensors()) {
        NonFiniteScan scan(tensor.dtype);
        TRY(readInPieces(tensors, tensor, {}, [&](std::span<const std::byte> piece) -> Result<void> {
            scan.add(piece);
            return {};
        }));
        if (scan.nan() + scan.infinite() > 0)
            return fail(ErrorCode::NonFinite,
                        tensor.location() + " holds " + std::to_string(scan.nan()) + " NaN and " +
                            std::to_string(scan.infinite()) + " infinite values",
                        tensor.name);
    }
    return {};
}

// What of the base came with the adapter must be the base's.
Result<void> refuseOtherTables(FileSystem& files, AdapterFolder& adapter, const ModelRecord& base) {
    if (adapter.spec.baseCopies.empty()) return {};
    TRY_ASSIGN(const auto tensors, openModelFolder(files, base.folder));
    TRY_ASSIGN(const auto warnings, compareBaseCopies(adapter, *tensors, base.spec));
    adapter.spec.warnings.insert(adapter.spec.warnings.end(), warnings.begin(), warnings.end());
    return {};
}

Result<void> writeFile(FileSystem& files, const Path& to, std::string_view text) {
    TRY_ASSIGN(const auto target, files.create(to));
    TRY(target->append(std::as_bytes(std::span(text))));
    return target->close();
}

Result<void> copyFile(FileSystem& files, const Path& from, const Path& to) {
    constexpr std::size_t kPiece = 1 << 20;
    TRY_ASSIGN(const auto source, files.open(from));
    TRY_ASSIGN(const auto target, files.create(to));
    std::vector<std::byte> piece(kPiece);
    for (std::uint64_t at = 0;;) {
        TRY_ASSIGN(const std::size_t got, source->read(at, piece));
        if (got > 0) TRY(target->append(std::span(piece).first(got)));
        if (got < kPiece) break;
        at += got;
    }
    return target->close();
}

}  // namespace

AdapterIntake::~AdapterIntake() {
    for (const Path& folder : m_taken) (void)m_files.removeTree(folder);
}

Result<std::optional<AdapterRow>> AdapterIntake::take(const AdapterArrival& arrival, std::int64_t now) {
    const auto& [source, base, name, replaced, tenant] = arrival;
    TRY_ASSIGN(AdapterFolder adapter, readAdapterFolder(m_files, source, base.spec));
    TRY(refuseNonFinite(*adapter.tensors));
    TRY(refuseOtherTables(m_files, adapter, base));
    TRY_ASSIGN(const std::string digest, digestAdapter(adapter, {}));
    if (replaced && replaced->digest == digest) return std::optional<AdapterRow>();
    const std::string id = idOf(base.id, name, digest);
    const Path partial = m_workspace.partialAdapterFolder(id), folder = m_workspace.adapterFolder(id);
    const auto place = [&]() -> Result<void> {
        TRY(copyInto(partial, adapter, source));
        // What was checked is what lies there now, also when somebody wrote to the source meanwhile.
        TRY_ASSIGN(const AdapterFolder copied, readAdapterFolder(m_files, partial, base.spec));
        TRY_ASSIGN(const std::string again, digestAdapter(copied, {}));
        if (again != digest)
            return fail(ErrorCode::IoError, source.string() + " changed while it was copied", source.string());
        TRY(m_files.removeTree(folder));
        return m_files.move(partial, folder);
    };
    if (auto placed = place(); !placed) {
        (void)m_files.removeTree(partial);
        (void)m_files.removeTree(folder);  // it may have moved before it failed
        return std::move(placed).error();
    }
    m_taken.push_back(folder);
    const AdapterSpec& spec = adapter.spec;
    return std::optional(AdapterRow{id, base.id, name, digest, spec.kind, replaced ? replaced->version + 1 : 1,
                                    spec.rank, dumpJson(Json(spec.targets)), spec.bytes,
                                    std::string(dtypeName(spec.dtype)), source.string(), spec.baseModel, now,
                                    dumpJson(Json(spec.warnings)), replaced ? replaced->tenant : tenant});
}

Result<void> AdapterIntake::flush() {
    return m_taken.empty() ? Result<void>() : m_files.flush(m_workspace.folder() / "adapters");
}

Result<void> AdapterIntake::copyInto(const Path& folder, const AdapterFolder& adapter, const Path& source) {
    TRY_ASSIGN(const std::uint64_t free, m_files.freeBytes(m_workspace.folder()));
    TRY_ASSIGN(const FileEntry weights, m_files.stat(source / adapter.weightsFile));
    if (free < weights.bytes + kSpareAfterAdapter)
        return fail(ErrorCode::DiskFull, "the adapter takes " + std::to_string(weights.bytes) + " bytes, " +
                                             std::to_string(free) +
                                             " are free on the disk of the workspace, of which " +
                                             std::to_string(kSpareAfterAdapter) + " stay free");
    TRY(m_files.removeTree(folder));
    TRY(m_files.makeDirectories(folder));
    TRY(writeFile(m_files, folder / kAdapterConfigFile, adapter.configText));
    return copyFile(m_files, source / adapter.weightsFile, folder / adapter.weightsFile);
}

}  // namespace espalier
