// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/adapter_intake.h"

#include <algorithm>

#include "core/adapters/base_copy.h"
#include "core/engine/model_files.h"
#include "core/models/non_finite_scan.h"
#include "core/models/transformer.h"

namespace espalier {
namespace {

constexpr std::uint64_t kSpareAfterAdapter = 64ull << 20;
constexpr std::uint64_t kMostNoted = 16ull << 20;

// One id per base, name and content: a reload of changed files has another folder than what it replaces.
std::string idOf(std::string_view base, std::string_view name, std::string_view digest) {
    Sha256 hash;
    for (const std::string_view part : {base, name, digest}) {
        hash.update(part);
        hash.update("\n");
    }
    return "a-" + hash.finishHex().substr(0, 12);
}

// One reading: that this is what the source held, and that every value is finite.
Result<void> checkCopy(const AdapterFolder& adapter, const Path& source, const std::string& digest,
                       const std::stop_token& stop) {
    std::vector<std::pair<const TensorEntry*, NonFiniteScan>> scans;
    const auto scan = [&](const TensorEntry& tensor, std::span<const std::byte> piece) {
        if (scans.empty() || scans.back().first != &tensor) scans.emplace_back(&tensor, NonFiniteScan(tensor.dtype));
        scans.back().second.add(piece);
    };
    TRY_ASSIGN(const std::string found, digestAdapter(adapter, stop, scan));
    if (found != digest)
        return fail(ErrorCode::IoError, source.string() + " changed while it was copied", source.string());
    for (const auto& [tensor, values] : scans)
        if (values.nan() + values.infinite() > 0)
            return fail(ErrorCode::NonFinite,
                        tensor->location() + " holds " + std::to_string(values.nan()) + " NaN and " +
                            std::to_string(values.infinite()) + " infinite values",
                        tensor->name);
    return {};
}

// What of the base came with the adapter must be the base's, whose files may have changed since they were imported.
Result<void> refuseOtherTables(FileSystem& files, AdapterFolder& adapter, const ModelRecord& base) {
    if (adapter.spec.baseCopies.empty()) return {};
    TRY_ASSIGN(const auto tensors, openModelFolder(files, base.folder));
    if (auto checked = checkWeights(base.spec, *tensors); !checked)
        return std::move(checked).error().context("the base " + base.name + " is not what was imported");
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

Result<void> noteUnlisted(FileSystem& files, const Path& note, std::span<const std::string> ids) {
    std::string text;
    for (const std::string& id : ids) text += id + "\n";
    TRY_ASSIGN(const auto file, files.create(note));
    TRY(file->append(std::as_bytes(std::span(text))));
    TRY(file->sync());
    return file->close();
}

Result<std::vector<std::string>> readUnlisted(FileSystem& files, const Path& note) {
    TRY_ASSIGN(const std::string text, files.readText(note, kMostNoted));
    std::vector<std::string> ids;
    for (std::size_t begin = 0, end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1)
        ids.push_back(text.substr(begin, end - begin));
    return ids;
}

AdapterIntake::~AdapterIntake() {
    bool isClean = true;
    for (const Taken& taken : m_taken) {
        (void)m_files.removeTree(m_workspace.partialAdapterFolder(taken.id));  // else at the next start
        if (taken.isPlaced && !m_files.removeTree(m_workspace.adapterFolder(taken.id))) isClean = false;
    }
    if (!m_taken.empty() && isClean) (void)m_files.remove(note());
}

void AdapterIntake::keep() {
    m_taken.clear();
}

void AdapterIntake::forget() {
    (void)m_files.remove(note());  // else at the next start: all that it names has a row or is gone
}

// The row of an adapter whose base is in the bin is on no shelf.
Result<void> AdapterIntake::refuseListed(const std::string& id) const {
    if (!m_files.exists(m_workspace.adapterFolder(id))) return {};
    TRY_ASSIGN(const auto rows, m_workspace.adapters().all());
    if (std::ranges::find(rows, id, &AdapterRow::id) == rows.end()) return {};
    return fail(ErrorCode::AlreadyExists, "this adapter is in the workspace already (" + id + ")", id);
}

Result<std::optional<AdapterRow>> AdapterIntake::take(const AdapterArrival& arrival, const AdapterRecord* replaced,
                                                      std::int64_t now, const std::stop_token& stop) {
    const ModelRecord& base = arrival.base;
    const std::string& name = arrival.name;
    const Path source = arrival.source.empty() && replaced ? Path(replaced->source) : arrival.source;
    TRY_ASSIGN(const AdapterFolder adapter, readAdapterFolder(m_files, source, base.spec));
    TRY_ASSIGN(const std::string digest, digestAdapter(adapter, stop));
    const bool isSame = replaced && replaced->digest == digest;  // then only files that broke are to be mended
    if (isSame && holds(replaced->id, base.spec, digest)) return std::optional<AdapterRow>();
    const std::string id = isSame ? replaced->id : idOf(base.id, name, digest);
    if (!isSame) TRY(refuseListed(id));
    Result<AdapterSpec> copied = copy(adapter, source, base, id, digest, stop);
    if (copied && isSame)
        if (auto settled = settle(id); !settled) copied = std::move(settled).error();
    if (!copied) {
        (void)m_files.removeTree(m_workspace.partialAdapterFolder(id));
        return std::move(copied).error();
    }
    if (isSame) {
        TRY(m_files.flush(m_workspace.adapterFolder(id)));
        return std::optional<AdapterRow>();
    }
    m_taken.push_back({id, replaced ? replaced->id : std::string()});
    const AdapterSpec& spec = *copied;
    return std::optional(AdapterRow{id, base.id, name, digest, spec.kind, replaced ? replaced->version + 1 : 1,
                                    spec.rank, dumpJson(Json(spec.targets)), spec.bytes,
                                    std::string(dtypeName(spec.dtype)), source.string(), spec.baseModel, now,
                                    dumpJson(Json(spec.warnings)), arrival.tenant});
}

Result<AdapterSpec> AdapterIntake::copy(const AdapterFolder& adapter, const Path& source, const ModelRecord& base,
                                        const std::string& id, const std::string& digest, const std::stop_token& stop) {
    const Path partial = m_workspace.partialAdapterFolder(id);
    TRY(copyInto(partial, adapter, source));
    // What is checked is what lies there now, whatever somebody writes to the source meanwhile.
    TRY_ASSIGN(AdapterFolder copied, readAdapterFolder(m_files, partial, base.spec));
    TRY(checkCopy(copied, source, digest, stop));
    TRY(refuseOtherTables(m_files, copied, base));
    return std::move(copied.spec);
}

Result<void> AdapterIntake::settle(const std::string& id) {
    TRY(m_files.removeTree(m_workspace.adapterFolder(id)));
    return m_files.move(m_workspace.partialAdapterFolder(id), m_workspace.adapterFolder(id));
}

Result<void> AdapterIntake::place() {
    if (m_taken.empty()) return {};
    std::vector<std::string> ids;
    for (const Taken& taken : m_taken) {
        ids.push_back(taken.id);
        if (!taken.replaced.empty()) ids.push_back(taken.replaced);
    }
    TRY(noteUnlisted(m_files, note(), ids));
    for (Taken& taken : m_taken) {
        taken.isPlaced = true;
        TRY(settle(taken.id));
    }
    return m_files.flush(m_workspace.folder() / "adapters");
}

bool AdapterIntake::holds(const std::string& id, const ArchSpec& base, const std::string& digest) const {
    const auto there = readAdapterFolder(m_files, m_workspace.adapterFolder(id), base);
    const auto found = there ? digestAdapter(*there, {}) : Result<std::string>(there.error());
    return found && *found == digest;
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
