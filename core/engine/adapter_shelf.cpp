// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/adapter_shelf.h"

#include <algorithm>
#include <tuple>

#include "core/engine/engine.h"

namespace espalier {
namespace {

constexpr std::size_t kNamedAdapters = 12;  // in a message
constexpr std::size_t kTogether = 256;      // brought in with one wait for the disk, while other changes wait

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

// Where an adapter of this base and name is, or would be.
template <class Records>
auto placeOf(Records& records, std::string_view baseId, std::string_view name) {
    return std::ranges::lower_bound(records, std::tuple(baseId, name), {}, [](const auto& record) {
        return std::tuple<std::string_view, std::string_view>(record->baseId, record->name);
    });
}

template <class Records>
const AdapterRecord* named(const Records& records, std::string_view baseId, std::string_view name) {
    const auto place = placeOf(records, baseId, name);
    const bool isThere = place != records.end() && (*place)->baseId == baseId && (*place)->name == name;
    return isThere ? place->get() : nullptr;
}

}  // namespace

bool isVisibleTo(const AdapterRecord& adapter, std::string_view tenant) {
    return adapter.tenant.empty() || tenant.empty() || tenant == kOwner || tenant == adapter.tenant;
}

Result<void> AdapterShelf::reload() {
    const std::lock_guard reloading(m_reloadMutex);
    TRY_ASSIGN(const auto rows, m_workspace.adapters().all());
    const auto models = m_models.models();
    Records records;
    for (const AdapterRow& row : rows) {
        const auto base = std::ranges::find(models, row.base, &ModelRecord::id);
        if (base != models.end())
            records.push_back(std::make_shared<AdapterRecord>(recordOf(row, *base, m_workspace.adapterFolder(row.id))));
    }
    std::ranges::sort(records, {}, [](const auto& one) { return std::tie(one->baseId, one->name); });
    keep(std::make_shared<const Records>(std::move(records)));
    return {};
}

std::shared_ptr<const AdapterShelf::Records> AdapterShelf::records() const {
    const std::lock_guard lock(m_mutex);
    return m_records;
}

void AdapterShelf::keep(std::shared_ptr<const Records> records) {
    const std::lock_guard lock(m_mutex);
    m_records.swap(records);
}

std::vector<AdapterRecord> AdapterShelf::adapters(std::string_view baseId) const {
    std::vector<AdapterRecord> found;
    for (const auto all = records(); const auto& record : *all)
        if (baseId.empty() || record->baseId == baseId) found.push_back(*record);
    std::ranges::sort(found, {}, [](const AdapterRecord& one) { return std::tie(one.base, one.name); });
    return found;
}

Result<AdapterRecord> AdapterShelf::find(std::string_view reference, std::string_view tenant) const {
    const auto all = records();
    const auto colon = reference.find(':');
    const std::string shown(reference.substr(0, 200));
    std::string quoted(1, '"');
    quoted += shown + '"';
    if (colon == std::string_view::npos) {
        std::vector<const AdapterRecord*> found;
        for (const auto& record : *all) {
            if (!isVisibleTo(*record, tenant)) continue;
            if (record->id == reference) return *record;
            if (record->name == reference) found.push_back(record.get());
        }
        if (found.size() == 1) return *found[0];
        if (found.size() > 1)
            return fail(ErrorCode::InvalidArgument,
                        "several bases have an adapter named " + quoted + ": say " + found[0]->base + ":" +
                            found[0]->name + " or " + found[1]->base + ":" + found[1]->name,
                        shown);
        return fail(ErrorCode::NotFound, "there is no adapter " + quoted, shown);
    }
    TRY_ASSIGN(const ModelRecord base, m_models.find(reference.substr(0, colon)));
    const std::string_view wanted = reference.substr(colon + 1);
    if (const auto* record = named(*all, base.id, wanted); record && isVisibleTo(*record, tenant)) return *record;
    std::string known;
    std::size_t count = 0;
    for (auto place = placeOf(*all, base.id, ""); place != all->end() && (*place)->baseId == base.id; ++place) {
        const AdapterRecord& record = **place;
        if (!isVisibleTo(record, tenant)) continue;
        if (record.id == wanted) return record;
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
        const auto all = m_shelf.records();
        const AdapterRecord* record = named(*all, base, name);
        if (!record || record->tenant != tenant || record->id == m_id) return nullptr;
        return std::make_shared<FolderSource>(m_shelf, *record, m_spec, m_pageBytes);
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

std::vector<Result<AdapterBrought>> AdapterShelf::bring(std::span<const AdapterArrival> arrivals, std::int64_t now,
                                                        const std::stop_token& stop) {
    std::vector<Result<AdapterBrought>> answers;
    for (std::size_t begin = 0; begin < arrivals.size(); begin += kTogether)
        bringTogether(arrivals.subspan(begin, std::min(kTogether, arrivals.size() - begin)), now, stop, answers);
    return answers;
}

void AdapterShelf::bringTogether(std::span<const AdapterArrival> arrivals, std::int64_t now,
                                 const std::stop_token& stop, std::vector<Result<AdapterBrought>>& answers) {
    const std::lock_guard changing(m_changeMutex);
    AdapterIntake intake(m_workspace, m_files);
    std::vector<AdapterChange> changes;
    std::vector<AdapterRecord> made;  // what the changes make
    std::vector<std::size_t> places;  // and whose answers they are
    std::set<std::pair<std::string_view, std::string_view>> arriving;
    const auto all = records();  // what has a name is looked up here: others may have changed it since the caller did
    for (const AdapterArrival& arrival : arrivals) {
        const AdapterRecord* there = named(*all, arrival.base.id, arrival.name);
        if (auto refused = refusal(arrival, there, arriving); !refused) {
            answers.push_back(std::move(refused).error());
            continue;
        }
        if (stop.stop_requested()) {
            answers.push_back(fail(ErrorCode::Cancelled, "stopped before it was read", arrival.name));
            continue;
        }
        auto row = intake.take(arrival, there, now, stop);
        if (!row) {
            answers.push_back(std::move(row).error());
        } else if (!*row) {
            answers.push_back(AdapterBrought{*there});
        } else {
            const std::string id = (*row)->id;
            changes.push_back({std::move(**row), there ? there->id : std::string()});
            made.push_back(recordOf(changes.back().row, arrival.base, m_workspace.adapterFolder(id)));
            places.push_back(answers.size());
            answers.push_back(AdapterBrought{made.back(), there ? there->digest : std::string()});
        }
    }
    if (changes.empty()) return;
    auto entered = intake.place();
    if (entered) entered = enter(changes, made);
    if (!entered) {
        for (const std::size_t place : places) answers[place] = entered.error();
        return;
    }
    intake.keep();
    for (const AdapterChange& change : changes)
        if (!change.replaced.empty()) discard(change.replaced);
    intake.forget();
}

// Why one cannot come in. there: what has its name; arriving: the names of those before it.
Result<void> AdapterShelf::refusal(const AdapterArrival& arrival, const AdapterRecord* there,
                                   std::set<std::pair<std::string_view, std::string_view>>& arriving) const {
    const auto& [source, base, name, tenant, isReload] = arrival;
    TRY(m_models.find(base.id));
    if (isReload && (!there || there->tenant != tenant))
        return fail(ErrorCode::NotFound, "adapter \"" + name + "\" of " + base.name + " is gone already", name);
    if (arriving.emplace(base.id, name).second && (isReload || !there)) return {};
    return fail(ErrorCode::AlreadyExists,
                base.name + " already has an adapter named \"" + name +
                    "\": reload it from its new files, remove it, or choose another name",
                name);
}

// Into the catalog and among the records, which are not read again: there may be thousands. Those whose base went into
// the bin meanwhile come back with it. What needs memory is done before the rows are there.
Result<void> AdapterShelf::enter(std::span<const AdapterChange> changes, std::span<const AdapterRecord> made) {
    const std::lock_guard reloading(m_reloadMutex);
    const auto models = m_models.models();
    Records all = *records();
    for (const AdapterRecord& record : made) {
        const auto base = std::ranges::find(models, record.baseId, &ModelRecord::id);
        if (base == models.end()) continue;
        const auto place = placeOf(all, record.baseId, record.name);
        const auto kept = std::make_shared<AdapterRecord>(record);
        kept->base = base->name;
        if (named(all, record.baseId, record.name))
            *place = kept;
        else
            all.insert(place, kept);
    }
    auto next = std::make_shared<const Records>(std::move(all));
    TRY(m_workspace.adapters().put(changes));
    keep(std::move(next));
    return {};
}

Result<bool> AdapterShelf::leave(const AdapterRecord& adapter, const std::function<Result<bool>()>& erase) {
    const std::lock_guard reloading(m_reloadMutex);
    Records all = *records();
    std::erase_if(all, [&](const auto& record) { return record->id == adapter.id; });
    auto next = std::make_shared<const Records>(std::move(all));
    TRY_ASSIGN(const bool isErased, erase());
    keep(std::move(next));
    const std::lock_guard lock(m_mutex);
    m_verified.erase(adapter.id);
    return isErased;
}

Result<void> AdapterShelf::remove(const AdapterRecord& adapter, const std::function<Result<bool>()>& erase) {
    const std::lock_guard changing(m_changeMutex);
    const Path folder = m_workspace.adapterFolder(adapter.id), aside = m_workspace.removedAdapterFolder(adapter.id);
    const bool hasFolder = m_files.exists(folder);
    if (hasFolder) TRY(setAside(m_files, folder, aside));
    auto erased = leave(adapter, erase);
    if (!erased) {
        if (hasFolder) (void)m_files.rename(aside, folder);  // else at the next start
        return std::move(erased).error();
    }
    (void)m_files.removeTree(aside);  // else at the next start
    if (!*erased) return fail(ErrorCode::NotFound, "adapter \"" + adapter.name + "\" is gone already", adapter.name);
    return {};
}

Result<bool> AdapterShelf::deleteBase(std::string_view baseId, const EraseBase& erase) {
    const std::lock_guard changing(m_changeMutex);
    TRY_ASSIGN(auto rows, m_workspace.adapters().all());
    std::erase_if(rows, [&](const AdapterRow& row) { return row.base != baseId; });
    std::vector<std::string> ids;
    for (const AdapterRow& row : rows) ids.push_back(row.id);
    const Path note = m_workspace.unlistedAdapters(baseId);
    if (!ids.empty()) TRY(noteUnlisted(m_files, note, ids));
    TRY_ASSIGN(const bool isErased, erase(rows));
    if (isErased)
        for (const std::string& id : ids) discard(id);
    if (!ids.empty()) (void)m_files.remove(note);  // else at the next start
    return isErased;
}

// Aside first: a folder that says of itself that it is going is finished off at the next start, when it has to be. One
// that cannot step aside goes from where it is; what resists that too is a stranger at the next start, named in the
// log.
void AdapterShelf::discard(std::string_view id) {
    const Path folder = m_workspace.adapterFolder(id), aside = m_workspace.removedAdapterFolder(id);
    if (m_files.exists(folder)) (void)m_files.removeTree(setAside(m_files, folder, aside) ? aside : folder);
    const std::lock_guard lock(m_mutex);
    m_verified.erase(std::string(id));
}

Result<std::vector<std::string>> AdapterShelf::tidy() {
    const std::lock_guard changing(m_changeMutex);
    std::set<std::string> known, unlisted;
    TRY_ASSIGN(const auto rows, m_workspace.adapters().all());
    for (const AdapterRow& row : rows) known.insert(row.id);
    TRY_ASSIGN(const auto entries, m_files.list(m_workspace.folder() / "adapters"));
    std::vector<std::string> sentences;
    const auto succeeds = [&](const Result<void>& done) {
        if (!done) sentences.push_back(stillThere(done.error()));
        return done.has_value();
    };
    std::vector<Path> notes;
    for (const FileEntry& entry : entries) {
        if (!entry.path.filename().string().starts_with(kUnlistedPrefix)) continue;
        const auto ids = readUnlisted(m_files, entry.path);
        if (!succeeds(ids ? Result<void>() : ids.error())) continue;
        unlisted.insert(ids->begin(), ids->end());
        notes.push_back(entry.path);
    }
    bool isDone = true;  // what the notes name is gone
    for (const FileEntry& entry : entries) {
        const std::string name = entry.path.filename().string();
        if (known.contains(name) || name.starts_with(kUnlistedPrefix)) continue;
        const bool isLeaving = name.starts_with(kRemovedPrefix);
        const std::string id = isLeaving ? name.substr(kRemovedPrefix.size()) : name;
        if (unlisted.contains(name))
            isDone &= succeeds(m_files.removeTree(entry.path));
        else if (isLeaving && known.contains(id) && !m_files.exists(m_workspace.adapterFolder(id)))
            (void)succeeds(m_files.rename(entry.path, m_workspace.adapterFolder(id)));
        else if (isLeaving || name.starts_with(kPartialPrefix))
            (void)succeeds(m_files.removeTree(entry.path));
        else
            sentences.push_back(notInCatalog(entry.path));
    }
    if (isDone)
        for (const Path& note : notes) (void)succeeds(m_files.remove(note));
    return sentences;
}

}  // namespace espalier
