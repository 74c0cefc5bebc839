// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/adapter_shelf.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "core/adapters/base_copy.h"
#include "core/engine/engine.h"
#include "core/engine/model_files.h"
#include "core/models/non_finite_scan.h"

namespace espalier {
namespace {

constexpr std::size_t kNamedAdapters = 12;  // in a message
constexpr std::uint64_t kSpareAfterAdapter = 64ull << 20;

std::vector<std::string> namesFrom(const std::string& text) {
    std::vector<std::string> names;
    const auto json = parseJson(text, "catalog row of an adapter");
    if (json && json->is_array())
        for (const Json& name : *json)
            if (name.is_string()) names.push_back(name.get<std::string>());
    return names;
}

AdapterRecord recordOf(const AdapterRow& row, const ModelRecord& base, const Path& folder) {
    AdapterRecord record;
    record.id = row.id;
    record.name = row.name;
    record.baseId = row.base;
    record.base = base.name;
    record.digest = row.digest;
    record.kind = row.kind;
    record.version = row.version;
    record.rank = static_cast<std::int32_t>(row.rank);
    record.targets = namesFrom(row.targets);
    record.bytes = row.bytes;
    record.dtype = row.dtype;
    record.source = row.source;
    record.folder = folder.string();
    record.trainedOn = row.trainedOn;
    record.importedAt = row.importedAt;
    record.warnings = namesFrom(row.warnings);
    record.tenant = row.tenant;
    return record;
}

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
    TRY(target->sync());
    return target->close();
}

}  // namespace

bool isVisibleTo(const AdapterRecord& adapter, std::string_view tenant) {
    return adapter.tenant.empty() || tenant.empty() || tenant == kOwner || tenant == adapter.tenant;
}

Result<void> AdapterShelf::reload() {
    const std::lock_guard reloading(m_reloadMutex);
    TRY_ASSIGN(const auto rows, m_workspace.adapters().all());
    const auto models = m_models.models();
    auto records = std::make_shared<Records>();
    for (const AdapterRow& row : rows) {
        const auto base = std::ranges::find(models, row.base, &ModelRecord::id);
        if (base != models.end()) records->push_back(recordOf(row, *base, m_workspace.adapterFolder(row.id)));
    }
    std::ranges::sort(*records, {}, [](const AdapterRecord& one) { return std::tie(one.base, one.name); });
    const std::lock_guard lock(m_mutex);
    m_records = std::move(records);
    return {};
}

std::shared_ptr<const AdapterShelf::Records> AdapterShelf::records() const {
    const std::lock_guard lock(m_mutex);
    return m_records;
}

std::vector<AdapterRecord> AdapterShelf::adapters(std::string_view baseId) const {
    std::vector<AdapterRecord> found;
    for (const auto all = records(); const AdapterRecord& record : *all)
        if (baseId.empty() || record.baseId == baseId) found.push_back(record);
    return found;
}

Result<AdapterRecord> AdapterShelf::find(std::string_view reference, std::string_view tenant) const {
    const auto all = records();
    const auto colon = reference.find(':');
    const std::string shown(reference.substr(0, 200));
    std::string quoted(1, '"');
    quoted += shown + '"';
    if (colon == std::string_view::npos) {
        std::vector<const AdapterRecord*> named;
        for (const AdapterRecord& record : *all) {
            if (!isVisibleTo(record, tenant)) continue;
            if (record.id == reference) return record;
            if (record.name == reference) named.push_back(&record);
        }
        if (named.size() == 1) return *named[0];
        if (named.size() > 1)
            return fail(ErrorCode::InvalidArgument,
                        "several bases have an adapter named " + quoted + ": say " + named[0]->base + ":" +
                            named[0]->name + " or " + named[1]->base + ":" + named[1]->name,
                        shown);
        return fail(ErrorCode::NotFound, "there is no adapter " + quoted, shown);
    }
    TRY_ASSIGN(const ModelRecord base, m_models.find(reference.substr(0, colon)));
    std::string known;
    std::size_t count = 0;
    for (const AdapterRecord& record : *all) {
        if (record.baseId != base.id || !isVisibleTo(record, tenant)) continue;
        if (record.name == reference.substr(colon + 1) || record.id == reference.substr(colon + 1)) return record;
        if (++count <= kNamedAdapters) known += (count > 1 ? ", " : "") + record.name;
    }
    if (count > kNamedAdapters) known += " and " + std::to_string(count - kNamedAdapters) + " more";
    return fail(ErrorCode::NotFound,
                "there is no adapter " + quoted + "; " + base.name + " has " + (count == 0 ? "none" : known), shown);
}

// Files that a reload replaced are gone: what took their name is asked of the shelf when they cannot be read.
class AdapterShelf::FolderSource final : public AdapterSource {
public:
    FolderSource(const AdapterShelf& shelf, const AdapterRecord& record, std::shared_ptr<const ArchSpec> spec,
                 std::vector<std::int64_t> pageBytes)
        : m_shelf(shelf),
          m_id(record.id),
          m_folder(record.folder),
          m_spec(std::move(spec)),
          m_pageBytes(std::move(pageBytes)) {
        digest = record.digest;
        base = record.baseId;
        name = record.name;
        tenant = record.tenant;
        storedBytes = record.bytes;
    }
    Result<std::shared_ptr<const LoraImage>> read() const override {
        TRY_ASSIGN(const AdapterFolder folder, readAdapterFolder(m_shelf.m_files, m_folder, *m_spec));
        TRY(m_shelf.verify(m_id, m_folder, folder, digest));
        return makeLoraImage(folder.spec, *folder.tensors, digest, m_pageBytes);
    }
    std::shared_ptr<const AdapterSource> successor() const override {
        for (const auto all = m_shelf.records(); const AdapterRecord& record : *all)
            if (record.baseId == base && record.name == name && record.tenant == tenant && record.id != m_id)
                return std::make_shared<FolderSource>(m_shelf, record, m_spec, m_pageBytes);
        return nullptr;
    }

private:
    const AdapterShelf& m_shelf;
    const std::string m_id;
    const Path m_folder;
    const std::shared_ptr<const ArchSpec> m_spec;
    const std::vector<std::int64_t> m_pageBytes;
};

std::shared_ptr<const AdapterSource> AdapterShelf::source(const AdapterRecord& adapter, const ArchSpec& base,
                                                          std::vector<std::int64_t> pageBytes) const {
    return std::make_shared<FolderSource>(*this, adapter, std::make_shared<const ArchSpec>(base), std::move(pageBytes));
}

Result<void> AdapterShelf::verify(const std::string& id, const Path& path, const AdapterFolder& adapter,
                                  const std::string& digest) const {
    TRY_ASSIGN(const FileEntry config, m_files.stat(path / kAdapterConfigFile));
    TRY_ASSIGN(const FileEntry weights, m_files.stat(path / adapter.weightsFile));
    const Stamp stamp{static_cast<std::int64_t>(config.bytes), config.modifiedNs,
                      static_cast<std::int64_t>(weights.bytes), weights.modifiedNs};
    {
        const std::lock_guard lock(m_mutex);
        if (const auto known = m_verified.find(id); known != m_verified.end() && known->second == stamp) return {};
    }
    TRY_ASSIGN(const std::string found, digestAdapter(adapter, {}));
    if (found != digest)
        return fail(ErrorCode::CorruptFile,
                    path.string() + " does not hold what was imported: its digest is " + found + ", on record is " +
                        digest + "; reload the adapter from its source, or remove it",
                    path.string());
    const std::lock_guard lock(m_mutex);
    m_verified[id] = stamp;
    return {};
}

Result<void> AdapterShelf::copyInto(const Path& folder, const AdapterFolder& adapter, const Path& source) {
    TRY_ASSIGN(const std::uint64_t free, m_files.freeBytes(m_workspace.folder()));
    TRY_ASSIGN(const FileEntry weights, m_files.stat(source / adapter.weightsFile));
    if (free < weights.bytes + kSpareAfterAdapter)
        return fail(ErrorCode::DiskFull, "the adapter takes " + std::to_string(weights.bytes) + " bytes, " +
                                             std::to_string(free) +
                                             " are free on the disk of the workspace, of which " +
                                             std::to_string(kSpareAfterAdapter) + " stay free");
    TRY(m_files.removeTree(folder));
    TRY(m_files.makeDirectories(folder));
    TRY(writeAtomically(m_files, folder / kAdapterConfigFile, adapter.configText));
    return copyFile(m_files, source / adapter.weightsFile, folder / adapter.weightsFile);
}

Result<AdapterRecord> AdapterShelf::bring(const Path& source, const ModelRecord& base, const std::string& name,
                                          const AdapterRecord* replaced, std::int64_t now, const std::string& tenant) {
    const std::lock_guard changing(m_changeMutex);
    TRY_ASSIGN(AdapterFolder adapter, readAdapterFolder(m_files, source, base.spec));
    TRY(refuseNonFinite(*adapter.tensors));
    TRY(refuseOtherTables(m_files, adapter, base));
    TRY_ASSIGN(const std::string digest, digestAdapter(adapter, {}));
    const auto holds = [&](const Path& path) {
        const auto there = readAdapterFolder(m_files, path, base.spec);
        const auto found = there ? digestAdapter(*there, {}) : Result<std::string>(there.error());
        return found && *found == digest;
    };
    const bool isSame = replaced && replaced->digest == digest;  // then only files that broke are to be mended
    if (isSame && holds(m_workspace.adapterFolder(replaced->id))) return *replaced;
    if (!replaced)
        for (const AdapterRecord& other : adapters(base.id))
            if (other.name == name)
                return fail(ErrorCode::AlreadyExists,
                            base.name + " already has an adapter named \"" + name +
                                "\": reload it from its new files, remove it, or choose another name",
                            name);
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
        TRY(markUnlisted(id));
        TRY(m_files.rename(partial, folder));
        return replaced ? markUnlisted(replaced->id) : Result<void>();
    };
    if (auto placed = place(); !placed) {
        (void)m_files.removeTree(partial);
        if (!isSame) (void)m_files.removeTree(folder);  // a rename may fail after it was done
        unmark(id);
        if (replaced) unmark(replaced->id);
        return std::move(placed).error();
    }
    if (isSame) {
        unmark(id);
        return *replaced;
    }
    const AdapterSpec& spec = adapter.spec;
    AdapterRow row{id,
                   base.id,
                   name,
                   digest,
                   spec.kind,
                   replaced ? replaced->version + 1 : 1,
                   spec.rank,
                   dumpJson(Json(spec.targets)),
                   spec.bytes,
                   std::string(dtypeName(spec.dtype)),
                   source.string(),
                   spec.baseModel,
                   now,
                   dumpJson(Json(spec.warnings)),
                   replaced ? replaced->tenant : tenant};
    auto written = replaced ? m_workspace.adapters().replace(replaced->id, row) : m_workspace.adapters().add(row);
    if (!written) {
        (void)m_files.removeTree(folder);
        unmark(id);
        if (replaced) unmark(replaced->id);
        return std::move(written).error();
    }
    unmark(id);
    TRY(reload());
    if (replaced) discard(replaced->id);
    return recordOf(row, base, folder);
}

Result<void> AdapterShelf::remove(const AdapterRecord& adapter) {
    const std::lock_guard changing(m_changeMutex);
    const Path folder = m_workspace.adapterFolder(adapter.id), aside = m_workspace.removedAdapterFolder(adapter.id);
    const bool hasFolder = m_files.exists(folder);
    if (hasFolder) TRY(m_files.rename(folder, aside));
    auto erased = m_workspace.adapters().erase(adapter.id);
    if (!erased) {
        if (hasFolder) (void)m_files.rename(aside, folder);  // else at the next start
        return std::move(erased).error();
    }
    (void)m_files.removeTree(aside);  // else at the next start
    TRY(reload());
    if (!*erased) return fail(ErrorCode::NotFound, "adapter \"" + adapter.name + "\" is gone already", adapter.name);
    return {};
}

Result<void> AdapterShelf::markFilesOf(std::string_view baseId, std::span<const AdapterRow> rows) {
    for (const AdapterRow& row : rows)
        if (row.base == baseId) TRY(markUnlisted(row.id));
    return {};
}

void AdapterShelf::deleteFilesOf(std::string_view baseId, std::span<const AdapterRow> rows) {
    for (const AdapterRow& row : rows)
        if (row.base == baseId) discard(row.id);
}

// Aside first: a folder that says of itself that it is going is finished off at the next start, when it has to be.
void AdapterShelf::discard(std::string_view id) {
    const Path folder = m_workspace.adapterFolder(id), aside = m_workspace.removedAdapterFolder(id);
    if (m_files.exists(folder) && m_files.rename(folder, aside)) (void)m_files.removeTree(aside);
    unmark(id);
    const std::lock_guard lock(m_mutex);
    m_verified.erase(std::string(id));
}

// A folder, not a file: made and removed by one call each.
Result<void> AdapterShelf::markUnlisted(std::string_view id) {
    return m_files.makeDirectories(m_workspace.unlistedAdapterMark(id));
}

void AdapterShelf::unmark(std::string_view id) {
    (void)m_files.remove(m_workspace.unlistedAdapterMark(id));  // else at the next start
}

Result<std::vector<std::string>> AdapterShelf::tidy() {
    const std::lock_guard changing(m_changeMutex);
    std::set<std::string> known;
    TRY_ASSIGN(const auto rows, m_workspace.adapters().all());
    for (const AdapterRow& row : rows) known.insert(row.id);
    std::vector<std::string> unknown;
    TRY_ASSIGN(const auto entries, m_files.list(m_workspace.folder() / "adapters"));
    std::set<std::string> deleted;
    for (const FileEntry& entry : entries) {
        std::string id = entry.path.filename().string();
        if (!id.starts_with(kUnlistedPrefix)) continue;
        id.erase(0, kUnlistedPrefix.size());
        if (!known.contains(id)) TRY(m_files.removeTree(m_workspace.adapterFolder(id)));
        TRY(m_files.remove(entry.path));
        deleted.insert({id, entry.path.filename().string()});
    }
    for (const FileEntry& entry : entries) {
        const std::string name = entry.path.filename().string();
        if (known.contains(name) || deleted.contains(name)) continue;
        const bool isLeaving = name.starts_with(kRemovedPrefix);
        if (isLeaving && known.contains(name.substr(kRemovedPrefix.size())))
            TRY(m_files.rename(entry.path, m_workspace.adapterFolder(name.substr(kRemovedPrefix.size()))));
        else if (isLeaving || name.starts_with(kPartialPrefix))
            TRY(m_files.removeTree(entry.path));
        else
            unknown.push_back(entry.path.string());
    }
    return unknown;
}

}  // namespace espalier
