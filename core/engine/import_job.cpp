// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/import_job.h"

#include <algorithm>
#include <set>

#include "core/base/shell_text.h"
#include "core/engine/file_digest.h"
#include "core/engine/import_checkpoint.h"
#include "core/engine/model_files.h"
#include "core/engine/model_record.h"
#include "core/engine/quantized_file.h"

namespace espalier {
namespace {

constexpr std::uint64_t kSpareBytes = 64ull << 20;       // left free for the database and everyone else
constexpr std::uint64_t kCheckpointBytes = 16ull << 20;  // what a killed import may have to read again
constexpr std::size_t kNamedTensors = 5;                 // of those with NaN, in a message

std::string bytesText(std::uint64_t bytes) {
    return std::to_string(bytes) + " bytes (" + std::to_string((bytes + 524288) >> 20) + " MiB)";
}

class ImportJob final : public Job {
public:
    ImportJob(Workspace& workspace, FileSystem& files, const Clock& clock, std::int64_t id, ImportArguments arguments,
              ModelAdded added)
        : m_workspace(workspace),
          m_files(files),
          m_clock(clock),
          m_partial(workspace.partialFolder(id)),
          m_arguments(std::move(arguments)),
          m_added(std::move(added)) {}

    Result<Json> run(JobContext& context) override;
    void discard(const Json& checkpoint) override;

private:
    Result<void> transfer(JobContext& context);
    Result<void> transferFile(JobContext& context, const ModelFile& file);
    Result<void> quantizeWeights(JobContext& context, const ModelFile& file);
    Result<void> takeQuantized();
    bool isWanted(const ModelFile& file) const;
    std::string targetName(const ModelFile& file) const;
    std::uint64_t targetBytes(const ModelFile& file) const;
    Result<void> checkSpace(std::uint64_t needed);
    Result<bool> isAddedByThisJob() const;
    Result<void> checkFinite();
    Result<void> place(JobContext& context);
    Result<void> removeStrangers(const std::set<std::string>& wanted, const Path& folder, const Path& below);
    Result<void> addToCatalog();
    Result<std::string> freeName() const;

    Workspace& m_workspace;
    FileSystem& m_files;
    const Clock& m_clock;
    const Path m_partial;
    const ImportArguments m_arguments;
    const ModelAdded m_added;

    ModelFiles m_model;
    ImportCheckpoint m_done;
    std::optional<QuantizePlan> m_plan;
    std::vector<DigestPart> m_parts;
    std::string m_digest, m_id;
    std::uint64_t m_doneBytes = 0;
    std::int64_t m_allBytes = 0;
};

Result<Json> ImportJob::run(JobContext& context) {
    TRY_ASSIGN(m_done, importCheckpointFromJson(context.checkpoint()));
    context.report(0, 0, "reading headers");
    const Path placed = m_workspace.modelFolder(m_done.placed);
    const bool isPlaced = !m_done.placed.empty() && !m_files.exists(m_partial) && m_files.exists(placed);
    TRY_ASSIGN(m_model, readModelFiles(m_files, isPlaced ? placed : Path(m_arguments.path)));
    if (isPlaced) {
        // Stopped between the rename and the catalog row: the folder is whole, only the row is missing.
        for (const ImportCheckpoint::File& file : m_done.files)
            m_parts.insert(m_parts.end(), file.parts.begin(), file.parts.end());
        m_model.suggestedName = suggestedModelName(m_arguments.path);
    } else {
        m_allBytes = static_cast<std::int64_t>(m_model.allBytes());
        if (!m_arguments.quantize.empty()) {
            TRY_ASSIGN(const DType type, quantizationNamed(m_arguments.quantize));
            TRY_ASSIGN(m_plan, planQuantization(m_files, m_model, type));
        }
        TRY(transfer(context));
        if (m_plan) TRY(takeQuantized());
    }
    if (!m_arguments.quantize.empty())
        m_model.suggestedName = modelNameWith(m_model.suggestedName, "-" + m_arguments.quantize);
    TRY_ASSIGN(m_digest, combineDigest(m_model, m_parts));
    m_id = modelIdOf(m_digest);
    TRY_ASSIGN(const bool isAdded, isAddedByThisJob());
    TRY(checkFinite());
    if (!isPlaced && !isAdded) TRY(place(context));
    if (!isAdded) TRY(addToCatalog());
    m_added(m_id);
    return Json{{"model", m_id}};
}

void ImportJob::discard(const Json& checkpoint) {
    (void)m_files.removeTree(m_partial);
    const auto done = importCheckpointFromJson(checkpoint);
    if (!done || done->placed.empty()) return;
    const auto models = m_workspace.catalog().all();
    if (models && std::ranges::find(*models, done->placed, &CatalogRow::id) == models->end())
        (void)m_files.removeTree(m_workspace.modelFolder(done->placed));
}

// The list of shards beside safetensors files says nothing about the files they become.
bool ImportJob::isWanted(const ModelFile& file) const {
    return !m_plan || file.name != "model.safetensors.index.json";
}

std::string ImportJob::targetName(const ModelFile& file) const {
    return m_plan && m_plan->isWeights(file.name) ? m_plan->targets.find(file.name)->second : file.name;
}

std::uint64_t ImportJob::targetBytes(const ModelFile& file) const {
    return m_plan && m_plan->isWeights(file.name) ? quantizedBytes(m_model, *m_plan, file.name) : file.bytes;
}

Result<void> ImportJob::transfer(JobContext& context) {
    if (!m_arguments.link) TRY(m_files.makeDirectories(m_partial));
    std::uint64_t missing = 0;
    for (const ModelFile& file : m_model.files)
        if (!m_done.find(file) && isWanted(file)) missing += targetBytes(file);
    if (!m_arguments.link) TRY(checkSpace(missing));

    ImportCheckpoint kept;  // what the source still agrees with
    std::swap(kept.files, m_done.files);
    std::uint64_t unsaved = 0;
    for (const ModelFile& file : m_model.files) {
        if (!isWanted(file)) continue;
        const ImportCheckpoint::File* earlier = kept.find(file);
        if (earlier && (m_arguments.link || m_files.exists(m_partial / targetName(file)))) {
            m_done.files.push_back(*earlier);
            m_doneBytes += file.bytes;
        } else {
            if (!m_arguments.link) TRY(checkSpace(targetBytes(file)));
            const auto taken =
                m_plan && m_plan->isWeights(file.name) ? quantizeWeights(context, file) : transferFile(context, file);
            if (taken) unsaved += file.bytes;
            if (unsaved >= kCheckpointBytes || (!taken && unsaved > 0)) {
                TRY(context.saveCheckpoint(toJson(m_done)));
                unsaved = 0;
            }
            TRY(taken);
        }
        const auto& parts = m_done.files.back().parts;
        m_parts.insert(m_parts.end(), parts.begin(), parts.end());
    }
    return {};
}

Result<void> ImportJob::quantizeWeights(JobContext& context, const ModelFile& file) {
    const std::string step = "quantising " + file.name;
    context.report(static_cast<std::int64_t>(m_doneBytes), m_allBytes, step);
    TRY_ASSIGN(auto written,
               quantizeFile(m_files, m_model, *m_plan, file, m_partial, context.stop(), [&](std::uint64_t newBytes) {
                   m_doneBytes += newBytes;
                   context.report(static_cast<std::int64_t>(m_doneBytes), m_allBytes, step);
               }));
    m_done.files.push_back({file.name, file.bytes, file.modifiedNs, std::move(written.parts),
                            std::move(written.sourceParts), std::move(written.nonFinite)});
    return {};
}

// From here on the model is what was written; what was read is known by its digest.
Result<void> ImportJob::takeQuantized() {
    std::vector<DigestPart> source;
    for (const ImportCheckpoint::File& file : m_done.files) {
        const auto& parts = m_plan->isWeights(file.name) ? file.sourceParts : file.parts;
        source.insert(source.end(), parts.begin(), parts.end());
    }
    TRY_ASSIGN(m_done.derivedFrom, combineDigest(m_model, source));
    std::set<std::string> written;
    for (const ModelFile& file : m_model.files)
        if (isWanted(file)) written.insert(targetName(file));
    TRY(removeStrangers(written, m_partial, {}));
    const std::string name = m_model.suggestedName;
    const std::string licence = m_model.licence;
    TRY_ASSIGN(m_model, readModelFiles(m_files, m_partial));
    m_model.suggestedName = name;
    m_model.licence = licence;
    return {};
}

Result<void> ImportJob::transferFile(JobContext& context, const ModelFile& file) {
    std::optional<Path> target;
    if (!m_arguments.link) {
        target = m_partial / file.name;
        TRY(m_files.makeDirectories(target->parent_path()));
    }
    const std::string step = (m_arguments.link ? "reading " : "copying ") + file.name;
    context.report(static_cast<std::int64_t>(m_doneBytes), m_allBytes, step);
    TRY_ASSIGN(auto found,
               digestModelFile(m_files, m_model.folder, file, target, context.stop(), [&](std::uint64_t newBytes) {
                   m_doneBytes += newBytes;
                   context.report(static_cast<std::int64_t>(m_doneBytes), m_allBytes, step);
               }));
    m_done.files.push_back(
        {file.name, file.bytes, file.modifiedNs, std::move(found.parts), {}, std::move(found.nonFinite)});
    return {};
}

Result<void> ImportJob::checkSpace(std::uint64_t needed) {
    TRY_ASSIGN(const std::uint64_t available, m_files.freeBytes(m_workspace.folder()));
    if (available >= needed + kSpareBytes) return {};
    return fail(ErrorCode::DiskFull,
                "the copy needs " + bytesText(needed) + " and " + bytesText(kSpareBytes) + " to spare, " +
                    m_workspace.folder().string() + " has " + bytesText(available) +
                    " free: make room and resume the job, or import with --link",
                m_workspace.folder().string());
}

// True: the process ended between the catalog row and the job's own end. Error already_exists: somebody else's model.
Result<bool> ImportJob::isAddedByThisJob() const {
    TRY_ASSIGN(const auto same, m_workspace.catalog().byDigest(m_digest));
    if (!same) {
        TRY_ASSIGN(const auto rows, m_workspace.catalog().all());
        if (const auto other = std::ranges::find(rows, m_id, &CatalogRow::id); other != rows.end())
            return fail(
                ErrorCode::AlreadyExists,
                "the id " + m_id + " belongs to another model, \"" + other->name + "\": the two digests start alike",
                other->name);
        return false;
    }
    if (same->id == m_done.placed) return true;
    return fail(ErrorCode::AlreadyExists,
                "this model is already here as \"" + same->name + "\" (" + same->id + ")" +
                    (same->removedAt ? ", in the bin: restore it" : ""),
                same->name);
}

// What was seen while the files were read.
Result<void> ImportJob::checkFinite() {
    std::vector<NonFiniteTensor> bad;
    for (const ImportCheckpoint::File& file : m_done.files)
        bad.insert(bad.end(), file.nonFinite.begin(), file.nonFinite.end());
    if (bad.empty()) return {};
    std::ranges::sort(bad, {}, &NonFiniteTensor::name);
    std::string names;
    std::int64_t values = 0;
    for (std::size_t i = 0; i < bad.size(); ++i) {
        values += bad[i].nan + bad[i].infinite;
        if (i < kNamedTensors)
            names += (i > 0 ? ", " : "") + bad[i].name + " (" + std::to_string(bad[i].nan) + " NaN, " +
                     std::to_string(bad[i].infinite) + " infinite)";
    }
    if (bad.size() > kNamedTensors) names += " and " + std::to_string(bad.size() - kNamedTensors) + " more";
    const std::string sentence = std::to_string(values) + " weights are not finite: " + names;
    if (!m_arguments.allowNonFinite)
        return fail(ErrorCode::NonFinite, sentence + "; import with --allow-nonfinite to take it as it is",
                    bad[0].name);
    m_model.warnings.push_back(sentence);
    return {};
}

Result<void> ImportJob::place(JobContext& context) {
    if (context.stop().stop_requested()) return fail(ErrorCode::Cancelled, "the import was stopped");
    m_done.placed = m_id;
    TRY(context.saveCheckpoint(toJson(m_done)));
    if (m_arguments.link) return {};
    std::set<std::string> wanted;
    for (const ModelFile& file : m_model.files) wanted.insert(file.name);
    TRY(removeStrangers(wanted, m_partial, {}));
    // Nothing in the catalog has this id, so a folder of that name holds what is left of the same model.
    TRY(m_files.removeTree(m_workspace.modelFolder(m_id)));
    return m_files.rename(m_partial, m_workspace.modelFolder(m_id));
}

// What an earlier run copied and the source no longer has must not become part of the model.
Result<void> ImportJob::removeStrangers(const std::set<std::string>& wanted, const Path& folder, const Path& below) {
    TRY_ASSIGN(const auto entries, m_files.list(folder));
    for (const FileEntry& entry : entries) {
        const Path name = below / entry.path.filename();
        const bool isKept =
            entry.isDirectory
                ? std::ranges::any_of(wanted, [&](const Path& file) { return file.parent_path() == name; })
                : wanted.contains(name.string());
        if (!isKept && !entry.isDirectory)
            TRY(m_files.remove(entry.path));
        else if (!isKept)
            TRY(m_files.removeTree(entry.path));
        else if (entry.isDirectory)
            TRY(removeStrangers(wanted, entry.path, name));
    }
    return {};
}

Result<std::string> ImportJob::freeName() const {
    if (!m_arguments.name.empty()) return m_arguments.name;
    TRY_ASSIGN(const auto rows, m_workspace.catalog().all());
    std::set<std::string> taken;
    for (const CatalogRow& row : rows)
        if (!row.removedAt) taken.insert(row.name);
    const std::string& wanted = m_model.suggestedName;
    std::string name = wanted;
    for (int number = 2; taken.contains(name); ++number) name = modelNameWith(wanted, "-" + std::to_string(number));
    return name;
}

Result<void> ImportJob::addToCatalog() {
    CatalogRow row;
    row.id = m_id;
    TRY_ASSIGN(row.name, freeName());
    row.digest = m_digest;
    row.family = m_model.spec.family;
    row.licence = m_model.licence;
    row.parameters = m_model.parameters;
    row.bytes = m_model.tensorBytes;
    row.dtype = m_model.dtype;
    row.source = m_arguments.path;
    row.folder = (m_arguments.link ? m_model.path : m_workspace.modelFolder(m_id)).string();
    row.linked = m_arguments.link;
    row.derivedFrom = m_done.derivedFrom;
    row.hasTokenizer = m_model.hasTokenizer;
    row.hasTemplate = m_model.hasChatTemplate;
    row.context = m_model.spec.context;
    row.importedAt = m_clock.unixMilliseconds();
    row.warnings = dumpJson(m_model.warnings);
    row.spec = dumpJson(espalier::toJson(m_model.spec));
    row.parts = dumpJson(espalier::toJson(m_parts));
    return m_workspace.catalog().add(row);
}

}  // namespace

Json toJson(const ImportArguments& arguments) {
    return {{"path", arguments.path},
            {"name", arguments.name},
            {"link", arguments.link},
            {"allow_nonfinite", arguments.allowNonFinite},
            {"quantize", arguments.quantize}};
}

Result<ImportArguments> importArgumentsFromJson(const Json& json) {
    const JsonReader reader(json, "the job's arguments");
    ImportArguments arguments;
    TRY_ASSIGN(arguments.path, reader.string("path"));
    TRY_ASSIGN(arguments.name, reader.stringOr("name", ""));
    TRY_ASSIGN(arguments.link, reader.boolOr("link", false));
    TRY_ASSIGN(arguments.allowNonFinite, reader.boolOr("allow_nonfinite", false));
    TRY_ASSIGN(arguments.quantize, reader.stringOr("quantize", ""));
    return arguments;
}

std::string importCommand(const ImportArguments& arguments) {
    std::string command = "espalierctl import " + shellQuoted(arguments.path);
    if (!arguments.name.empty()) command += " --name " + shellQuoted(arguments.name);
    if (arguments.link) command += " --link";
    if (arguments.allowNonFinite) command += " --allow-nonfinite";
    if (!arguments.quantize.empty()) command += " --quantize " + shellQuoted(arguments.quantize);
    return command;
}

std::unique_ptr<Job> makeImportJob(Workspace& workspace, FileSystem& files, const Clock& clock, std::int64_t id,
                                   ImportArguments arguments, ModelAdded added) {
    return std::make_unique<ImportJob>(workspace, files, clock, id, std::move(arguments), std::move(added));
}

Result<std::vector<std::string>> tidyModelFolders(Workspace& workspace, FileSystem& files) {
    std::set<std::string> models, kept;
    TRY_ASSIGN(const auto rows, workspace.catalog().all());
    for (const CatalogRow& row : rows) models.insert(row.id);
    TRY_ASSIGN(const auto jobs, workspace.jobLog().jobs());
    for (const JobRow& job : jobs) {
        const bool hasEnded = job.endedAt != 0;
        if (job.kind != "import" || hasEnded) continue;
        kept.insert(workspace.partialFolder(job.id).filename().string());
        const auto checkpoint = job.checkpoint.empty() ? Result<Json>(Json()) : parseJson(job.checkpoint, "checkpoint");
        if (const auto done =
                checkpoint ? importCheckpointFromJson(*checkpoint) : Result<ImportCheckpoint>(checkpoint.error()))
            kept.insert(done->placed);
    }
    std::vector<std::string> sentences;
    const auto note = [&](const Result<void>& done) {
        if (!done) sentences.push_back(stillThere(done.error()));
    };
    TRY_ASSIGN(const auto entries, files.list(workspace.folder() / "models"));
    for (const FileEntry& entry : entries) {
        const std::string name = entry.path.filename().string();
        if (models.contains(name) || kept.contains(name)) continue;
        const bool isLeaving = name.starts_with(kRemovedPrefix);
        const std::string id = isLeaving ? name.substr(kRemovedPrefix.size()) : name;
        if (isLeaving && models.contains(id) && !files.exists(workspace.modelFolder(id))) {
            note(files.rename(entry.path, workspace.modelFolder(id)));
        } else if (isLeaving || name.starts_with(kPartialPrefix)) {
            note(files.removeTree(entry.path));
        } else {
            sentences.push_back(notInCatalog(entry.path));
        }
    }
    return sentences;
}

}  // namespace espalier
