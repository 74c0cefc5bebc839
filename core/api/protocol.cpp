// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/api/protocol.h"

#include <array>

#include "core/api/record_fields.h"
#include "core/api/record_json.h"

namespace espalier {
namespace {

constexpr std::array<std::string_view, std::variant_size_v<Event>> kEventNames{"job", "model",  "serve",
                                                                               "log", "tenant", "adapter"};

}  // namespace

Json toJson(const Error& error) {
    Json json = FieldWriter::encode(error);
    if (error.retryAfterS > 0) json["retry_after_s"] = error.retryAfterS;
    return json;
}
Json toJson(const ModelRecord& model) {
    return FieldWriter::encode(model);
}
Json toJson(const AdapterRecord& adapter) {
    return FieldWriter::encode(adapter);
}
Json toJson(const LogRecord& record) {
    return FieldWriter::encode(record);
}
Json toJson(const MemoryByOwner& memory) {
    return FieldWriter::encode(memory);
}
Json toJson(const Percentiles& percentiles) {
    return FieldWriter::encode(percentiles);
}
Json toJson(const Snapshot& snapshot) {
    return FieldWriter::encode(snapshot);
}
Json toJson(const HistoryPoint& point) {
    return FieldWriter::encode(point);
}
Json toJson(const MachineStats& stats) {
    return FieldWriter::encode(stats);
}
Json toJson(const ImportProbe& probe) {
    return FieldWriter::encode(probe);
}
Json toJson(const RequestList& list) {
    return FieldWriter::encode(list);
}
Json toJson(const StepRecord& step) {
    return FieldWriter::encode(step);
}
Json toJson(const JobRecord& job) {
    return FieldWriter::encode(job);
}

std::string_view eventName(const Event& event) {
    return kEventNames[event.index()];
}
Json toJson(const Event& event) {
    return std::visit([](const auto& value) { return FieldWriter::encode(value); }, event);
}

Error errorFromJson(const Json& json) {
    Error error;
    FieldReader reader{json, "error", std::nullopt};
    if (json.is_object()) visitFields(error, reader);
    if (json.is_object()) reader("retry_after_s", error.retryAfterS);
    if (error.message.empty()) error.message = "the answer does not say what went wrong: " + dumpJson(json);
    return error;
}
Result<ModelRecord> modelFromJson(const Json& json) {
    return readNamed<ModelRecord>(json, "model", "id");
}
Result<AdapterRecord> adapterFromJson(const Json& json) {
    return readNamed<AdapterRecord>(json, "adapter", "id");
}
Result<JobRecord> jobFromJson(const Json& json) {
    return readNamed<JobRecord>(json, "job", "id");
}
Result<LogRecord> logFromJson(const Json& json) {
    return readRecord<LogRecord>(json, "log record");
}
Result<Snapshot> snapshotFromJson(const Json& json) {
    return readRecord<Snapshot>(json, "snapshot");
}
Result<HistoryPoint> historyPointFromJson(const Json& json) {
    return readRecord<HistoryPoint>(json, "history point");
}
Result<MachineStats> machineFromJson(const Json& json) {
    return readRecord<MachineStats>(json, "machine");
}
Result<ImportProbe> probeFromJson(const Json& json) {
    return readRecord<ImportProbe>(json, "import probe");
}

Result<RequestList> requestsFromJson(const Json& json) {
    return readNamed<RequestList>(json, "request list", "requests");
}

Result<std::vector<StepRecord>> stepsFromJson(const Json& json) {
    const auto wrong = [] { return fail(ErrorCode::CorruptFile, "steps: \"steps\" must be an array", "steps"); };
    if (!json.is_object()) return wrong();
    const auto list = json.find("steps");
    if (list == json.end() || !list->is_array()) return wrong();
    std::vector<StepRecord> steps;
    for (const Json& item : *list) {
        TRY_ASSIGN(StepRecord step, readRecord<StepRecord>(item, "step"));
        steps.push_back(std::move(step));
    }
    return steps;
}

Result<Event> eventFromJson(std::string_view name, const Json& json) {
    if (name == "job") {
        TRY_ASSIGN(auto job, jobFromJson(json));
        return Event(std::move(job));
    }
    if (name == "model") {
        TRY_ASSIGN(auto change, readRecord<ModelChanged>(json, "model event"));
        return Event(std::move(change));
    }
    if (name == "serve") {
        TRY_ASSIGN(auto change, readRecord<ServeChanged>(json, "serve event"));
        return Event(change);
    }
    if (name == "log") {
        TRY_ASSIGN(auto record, logFromJson(json));
        return Event(std::move(record));
    }
    if (name == "tenant") {
        TRY_ASSIGN(auto change, readRecord<TenantChanged>(json, "tenant event"));
        return Event(std::move(change));
    }
    if (name == "adapter") {
        TRY_ASSIGN(auto change, readRecord<AdapterChanged>(json, "adapter event"));
        return Event(std::move(change));
    }
    return fail(ErrorCode::CorruptFile, "unknown event \"" + std::string(name) + "\"", std::string(name));
}

}  // namespace espalier
