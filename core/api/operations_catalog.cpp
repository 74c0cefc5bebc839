// SPDX-License-Identifier: GPL-3.0-or-later
// Catalog, jobs and what there is to watch.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "core/api/json_fields.h"
#include "core/api/operations.h"
#include "core/api/protocol.h"
#include "core/engine/machine_stats.h"
#include "core/engine/speed_record.h"
#include "core/models/transformer.h"

namespace espalier {
namespace {

constexpr std::int64_t kMaxWaitS = 3600;
constexpr std::size_t kSpeedLogLines = 2000;        // newest of the run log, for what past predictions were worth
constexpr std::uint64_t kMaxCardBytes = 128 << 10;  // of a model card; more is not read on a screen

template <class Record>
Json arrayOf(const std::vector<Record>& records) {
    Json array = Json::array();
    for (const Record& record : records) array.push_back(toJson(record));
    return array;
}

bool hasEnded(JobState state) {
    return state == JobState::Finished || state == JobState::Failed || state == JobState::Cancelled ||
           state == JobState::Interrupted;
}

Json tensorJson(const TensorEntry& tensor) {
    return {
        {"name", tensor.name}, {"shape", tensor.shape}, {"dtype", dtypeName(tensor.dtype)}, {"bytes", tensor.bytes}};
}

// What the newest finished scan and verification of the model found, under "scan" and "verified".
void addFindings(Json& answer, const std::vector<JobRecord>& newestFirst, const std::string& modelId) {
    for (const JobRecord& job : newestFirst) {
        const char* key = job.kind == "scan" ? "scan" : job.kind == "verify" ? "verified" : nullptr;
        if (!key || job.state != JobState::Finished || answer.contains(key)) continue;
        auto result = parseJson(job.result, "the job's result");
        if (!result || !result->is_object() || result->value("model", Json()) != modelId) continue;
        result->erase("model");
        (*result)["at"] = job.endedAt;
        answer[key] = std::move(*result);
    }
}

// Everything up to the last whole character.
std::string_view wholeCharacters(std::string_view text) {
    std::size_t end = text.size();
    for (int back = 0; back < 4 && end > 0; ++back) {
        const auto byte = static_cast<unsigned char>(text[end - 1]);
        if (byte < 0x80) return text.substr(0, end);
        --end;
        if (byte >= 0xC0) return text.substr(0, end);
    }
    return text;
}

// What of the catalog is loaded, and how it is doing.
Json modelStates(const std::vector<ModelRecord>& models, const Snapshot& snapshot) {
    Json list = Json::array();
    for (const ModelRecord& model : models) {
        Json entry{{"id", model.id}, {"name", model.name}, {"state", "unloaded"}, {"running", 0}, {"waiting", 0}};
        for (const LoadedModel& loaded : snapshot.models) {
            if (loaded.name != model.name) continue;
            entry["state"] = loaded.state;
            entry["weights_bytes"] = loaded.weightsBytes;
            entry["running"] = loaded.running;
            entry["waiting"] = loaded.waiting;
        }
        list.push_back(std::move(entry));
    }
    return list;
}

// The page pools of the loaded models, in bytes by what the pages hold.
Json poolBytes(const Snapshot& snapshot) {
    std::int64_t all = 0, kv = 0;
    for (const LoadedModel& model : snapshot.models) {
        all += model.poolPages * model.pageBytes;
        kv += (model.poolPagesUsed + model.poolPagesCached) * model.pageBytes;
    }
    const std::int64_t adapters = snapshot.memory.adapters;
    return {{"bytes", all}, {"kv", kv}, {"adapters", adapters}, {"free", all - kv - adapters}};
}

// Adapters by tier, where requests found theirs, and the newest moves.
Json adapterTiers(const Snapshot& snapshot) {
    const auto counter = [&](const char* name) {
        const auto found = snapshot.counters.find(name);
        return found == snapshot.counters.end() ? std::int64_t{0} : static_cast<std::int64_t>(found->second);
    };
    std::int64_t resident = 0;
    for (const LoadedModel& model : snapshot.models) resident += model.adapters;
    Json whole = toJson(snapshot);
    return {{"pool", resident},
            {"host", snapshot.hostAdapters},
            {"host_bytes", snapshot.hostAdapterBytes},
            {"host_budget_bytes", snapshot.hostAdapterBudget},
            {"found",
             {{"pool", counter("adapter_found_total_pool")},
              {"host", counter("adapter_found_total_host")},
              {"disk", counter("adapter_found_total_disk")}}},
            {"evictions", counter("adapter_evictions_total")},
            {"moves", std::move(whole["moves"])}};
}

}  // namespace

Result<Json> listModels(const ModelAccess& models, const Json& arguments) {
    TRY_ASSIGN(const bool bin, JsonFields(arguments).boolean("bin", false));
    return Json{{"models", arrayOf(bin ? models.engine().bin() : models.engine().models())}};
}

Result<Json> machineOf(const ModelAccess& models) {
    return toJson(machineStats(models.engine().options().workspace));
}

Result<Json> inspectModel(const ModelAccess& models, const Json& arguments) {
    const JsonFields fields(arguments);
    TRY_ASSIGN(const std::string name, fields.requiredString("model"));
    TRY_ASSIGN(const bool withTensors, fields.boolean("tensors", false));
    Engine& engine = models.engine();
    TRY_ASSIGN(const ModelRecord record, engine.findModel(name));
    TRY_ASSIGN(const auto tensors, engine.tensors(name));
    TransformerOptions sizes;
    sizes.maxBatchTokens = engine.options().maxBatchTokens;
    const MemoryEstimate memory =
        estimateMemory(engine.backend(), record.spec, *tensors, engine.options().kvType, sizes);
    Json answer{{"config", toJson(record.spec)},
                {"parameters", record.parameters},
                {"bytes", record.bytes},
                {"memory",
                 {{"weights_bytes", memory.weightsBytes},
                  {"kv_bytes_per_token", memory.kvBytesPerToken},
                  {"workspace_bytes", memory.workspaceBytes},
                  {"kv", dtypeName(engine.options().kvType)}}},
                {"record", toJson(record)}};
    const std::vector<LogRecord> log = engine.newestLog(kSpeedLogLines);
    answer["speed"] =
        speedJson(machineSpeed(models.files(), engine.options().workspace, engine.backend().device().name), memory,
                  record.spec.context, pastSpeeds(log, record.name));
    addFindings(answer, engine.jobs(), record.id);
    if (!withTensors) return answer;
    answer["tensors"] = Json::array();
    for (const TensorEntry& tensor : tensors->tensors()) answer["tensors"].push_back(tensorJson(tensor));
    return answer;
}

Result<Json> modelCard(const ModelAccess& models, const Json& arguments) {
    TRY_ASSIGN(const std::string name, JsonFields(arguments).requiredString("model"));
    TRY_ASSIGN(const ModelRecord record, models.engine().findModel(name));
    const Path file = Path(record.folder) / "README.md";
    Json answer{{"file", nullptr}, {"text", ""}, {"bytes", 0}, {"truncated", false}};
    if (!models.files().exists(file)) return answer;
    TRY_ASSIGN(const FileEntry entry, models.files().stat(file));
    TRY_ASSIGN(const auto reader, models.files().open(file));
    std::vector<std::byte> bytes(static_cast<std::size_t>(std::min<std::uint64_t>(entry.bytes, kMaxCardBytes)));
    TRY_ASSIGN(const std::size_t got, reader->read(0, bytes));
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), got);
    const bool truncated = entry.bytes > got;
    answer["file"] = file.string();
    answer["text"] = truncated ? wholeCharacters(text) : text;
    answer["bytes"] = entry.bytes;
    answer["truncated"] = truncated;
    return answer;
}

Result<Json> probeImport(const ModelAccess& models, const Json& arguments) {
    TRY_ASSIGN(const std::string path, JsonFields(arguments).requiredString("path"));
    TRY_ASSIGN(const ImportProbe probe, models.engine().probeImport(path));
    return toJson(probe);
}

Result<Json> startImport(const ModelAccess& models, const Json& arguments) {
    const JsonFields fields(arguments);
    ImportRequest request;
    TRY_ASSIGN(request.path, fields.requiredString("path"));
    TRY_ASSIGN(const auto name, fields.string("name"));
    request.name = name.value_or("");
    TRY_ASSIGN(request.link, fields.boolean("link", false));
    TRY_ASSIGN(request.allowNonFinite, fields.boolean("allow_nonfinite", false));
    TRY_ASSIGN(const auto quantize, fields.string("quantize"));
    request.quantize = quantize.value_or("");
    TRY_ASSIGN(const std::int64_t job, models.engine().startImport(request));
    return Json{{"job", job}};
}

Result<Json> listJobs(const ModelAccess& models) {
    return Json{{"jobs", arrayOf(models.engine().jobs())}};
}

Result<Json> waitForJob(const ModelAccess& models, const Json& arguments, std::stop_token stop) {
    const JsonFields fields(arguments);
    TRY_ASSIGN(const auto id, fields.integer("id", 0, INT64_MAX));
    if (!id) return fields.wrong("id", "the number of a job");
    TRY_ASSIGN(const auto timeout, fields.integer("timeout_s", 0, kMaxWaitS));
    std::mutex mutex;
    std::condition_variable_any changed;
    bool ended = false;
    const auto subscription = models.engine().subscribe([&](const NumberedEvent& event) {
        const auto* job = std::get_if<JobRecord>(&event.event);
        if (!job || job->id != *id || !hasEnded(job->state)) return;
        const std::lock_guard lock(mutex);
        ended = true;
        changed.notify_all();
    });
    TRY_ASSIGN(const JobRecord now, models.engine().job(*id));
    if (!hasEnded(now.state)) {
        std::unique_lock lock(mutex);
        changed.wait_for(lock, stop, std::chrono::seconds(timeout.value_or(kMaxWaitS)), [&] { return ended; });
    }
    TRY_ASSIGN(const JobRecord job, models.engine().job(*id));
    return toJson(job);
}

Result<Json> statusOf(const ModelAccess& models, const Clock& clock, const ControlHost& host) {
    const auto snapshot = models.engine().snapshot();
    Json daemon{{"running", !host.url.empty()}, {"url", nullptr}, {"pid", nullptr}, {"uptime_s", nullptr}};
    if (!host.url.empty()) {
        daemon["url"] = host.url;
        daemon["pid"] = ::getpid();
        daemon["uptime_s"] = static_cast<double>(clock.unixMilliseconds() - host.startedAt) / 1000.0;
    }
    return Json{
        {"daemon", std::move(daemon)},
        {"serve", serveStateName(models.engine().serving())},
        {"models", modelStates(models.engine().models(), *snapshot)},
        {"pool", poolBytes(*snapshot)},
        {"adapters", adapterTiers(*snapshot)},
        {"memory", toJson(snapshot->memory)},
        {"queue", {{"running", snapshot->running}, {"waiting", snapshot->waiting}}},
        {"rates",
         {{"prefill_tokens_per_s", snapshot->prefillTokensPerS}, {"decode_tokens_per_s", snapshot->decodeTokensPerS}}},
        {"jobs", arrayOf(models.engine().jobs())},
        {"device", snapshot->device},
        {"compute", snapshot->computeMode}};
}

Result<Json> listRequests(const ModelAccess& models, const Json& arguments) {
    TRY_ASSIGN(const auto limit, JsonFields(arguments).integer("limit", 1, kMostRequestsListed));
    TRY_ASSIGN(const RequestList list,
               models.engine().requests(static_cast<std::int32_t>(limit.value_or(kMostRequestsListed))));
    return toJson(list);
}

Result<Json> cancelRequest(const ModelAccess& models, const Json& arguments) {
    const JsonFields fields(arguments);
    TRY_ASSIGN(const auto id, fields.integer("id", 1, INT64_MAX));
    if (!id) return fields.wrong("id", "the number of a request");
    models.engine().cancel(RequestId{static_cast<std::uint64_t>(*id)});
    return Json{{"id", *id}};
}

Result<Json> pageMapOf(const ModelAccess& models, const Json& arguments) {
    const JsonFields fields(arguments);
    TRY_ASSIGN(const std::string model, fields.requiredString("model"));
    TRY_ASSIGN(const auto cells, fields.integer("cells", 1, kMostPageCells));
    TRY_ASSIGN(const PageMap map,
               models.engine().pageMap(model, static_cast<std::int32_t>(cells.value_or(kMostPageCells))));
    return toJson(map);
}

Result<Json> listSteps(const ModelAccess& models, const Json& arguments) {
    constexpr auto kMost = static_cast<std::int64_t>(kMostStepsKept);
    TRY_ASSIGN(const auto limit, JsonFields(arguments).integer("limit", 1, kMost));
    TRY_ASSIGN(const auto steps, models.engine().steps(static_cast<std::int32_t>(limit.value_or(kMost))));
    return Json{{"steps", arrayOf(steps)}};
}

Result<Json> history(const ModelAccess& models, const Json& arguments) {
    TRY_ASSIGN(const auto seconds, JsonFields(arguments).integer("seconds", 1, 3600));
    return Json{{"points", arrayOf(models.engine().history(seconds.value_or(60)))}};
}

Result<Json> newestLog(const ModelAccess& models, const Json& arguments) {
    TRY_ASSIGN(const auto limit, JsonFields(arguments).integer("limit", 1, 10000));
    return Json{{"records", arrayOf(models.engine().newestLog(static_cast<std::size_t>(limit.value_or(200))))}};
}

}  // namespace espalier
