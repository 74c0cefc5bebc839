// SPDX-License-Identifier: GPL-3.0-or-later
// One list of keys per record, walked by a writer and by a reader: a key is spelled once for both directions.
#include "core/api/protocol.h"

#include <array>
#include <limits>
#include <type_traits>

namespace espalier {
namespace {

// visit(key, member) for every member of the record; `record` may be const.
template <class Record, class Visit>
requires std::is_same_v<std::remove_const_t<Record>, Percentiles>
void visitFields(Record& record, Visit& visit) {
    visit("p50", record.p50);
    visit("p95", record.p95);
    visit("p99", record.p99);
    visit("samples", record.samples);
}

template <class Record, class Visit>
requires std::is_same_v<std::remove_const_t<Record>, MemoryByOwner>
void visitFields(Record& record, Visit& visit) {
    visit("weights", record.weights);
    visit("training", record.training);
    visit("kv_running", record.kvRunning);
    visit("kv_cached", record.kvCached);
    visit("adapters", record.adapters);
    visit("domain_rows", record.domainRows);
    visit("workspace", record.workspace);
    visit("free", record.free);
    visit("total", record.total);
}

template <class Record, class Visit>
requires std::is_same_v<std::remove_const_t<Record>, Error>
void visitFields(Record& record, Visit& visit) {
    visit("code", record.code);
    visit("message", record.message);
    visit("where", record.where);
}

template <class Record, class Visit>
requires std::is_same_v<std::remove_const_t<Record>, ModelRecord>
void visitFields(Record& record, Visit& visit) {
    visit("id", record.id);
    visit("name", record.name);
    visit("digest", record.digest);
    visit("family", record.family);
    visit("licence", record.licence);
    visit("parameters", record.parameters);
    visit("bytes", record.bytes);
    visit("dtype", record.dtype);
    visit("derived_from", record.derivedFrom);
    visit("source", record.source);
    visit("folder", record.folder);
    visit("linked", record.linked);
    visit("has_tokenizer", record.hasTokenizer);
    visit("has_chat_template", record.hasChatTemplate);
    visit("context", record.context);
    visit("imported_at", record.importedAt);
    visit("removed_at", record.removedAt);
    visit("warnings", record.warnings);
    visit("config", record.spec);
}

template <class Record, class Visit>
requires std::is_same_v<std::remove_const_t<Record>, AdapterRecord>
void visitFields(Record& record, Visit& visit) {
    visit("id", record.id);
    visit("name", record.name);
    visit("base_id", record.baseId);
    visit("base", record.base);
    visit("digest", record.digest);
    visit("kind", record.kind);
    visit("version", record.version);
    visit("rank", record.rank);
    visit("targets", record.targets);
    visit("bytes", record.bytes);
    visit("dtype", record.dtype);
    visit("source", record.source);
    visit("folder", record.folder);
    visit("trained_on", record.trainedOn);
    visit("imported_at", record.importedAt);
    visit("warnings", record.warnings);
    visit("tenant", record.tenant);
}

template <class Record, class Visit>
requires std::is_same_v<std::remove_const_t<Record>, AdapterChanged>
void visitFields(Record& record, Visit& visit) {
    visit("base", record.base);
    visit("name", record.name);
    visit("digest", record.digest);
    visit("change", record.change);
}

template <class Record, class Visit>
requires std::is_same_v<std::remove_const_t<Record>, JobRecord>
void visitFields(Record& record, Visit& visit) {
    visit("id", record.id);
    visit("kind", record.kind);
    visit("title", record.title);
    visit("command", record.command);
    visit("state", record.state);
    visit("progress", record.progress);
    visit("done_bytes", record.doneBytes);
    visit("all_bytes", record.allBytes);
    visit("bytes_per_s", record.bytesPerS);
    visit("eta_s", record.etaS);
    visit("step", record.step);
    visit("error", record.error);
    visit.parsed("result", record.result);
    visit("created_at", record.createdAt);
    visit("ended_at", record.endedAt);
}

template <class Record, class Visit>
requires std::is_same_v<std::remove_const_t<Record>, LogRecord>
void visitFields(Record& record, Visit& visit) {
    visit("at", record.at);
    visit("level", record.level);
    visit("source", record.source);
    visit("text", record.text);
}

template <class Record, class Visit>
requires std::is_same_v<std::remove_const_t<Record>, LoadedModel>
void visitFields(Record& record, Visit& visit) {
    visit("name", record.name);
    visit("state", record.state);
    visit("progress", record.progress);
    visit("weights_bytes", record.weightsBytes);
    visit("page_bytes", record.pageBytes);
    visit("pool_pages", record.poolPages);
    visit("pool_pages_used", record.poolPagesUsed);
    visit("pool_pages_cached", record.poolPagesCached);
    visit("pool_pages_adapters", record.poolPagesAdapters);
    visit("pool_pages_adapters_idle", record.poolPagesAdaptersIdle);
    visit("pool_pages_staging", record.poolPagesStaging);
    visit("adapters", record.adapters);
    visit("running", record.running);
    visit("waiting", record.waiting);
}

template <class Record, class Visit>
requires std::is_same_v<std::remove_const_t<Record>, TenantLoad>
void visitFields(Record& record, Visit& visit) {
    visit("name", record.name);
    visit("running", record.running);
    visit("waiting", record.waiting);
    visit("kv_pages", record.kvPages);
    visit("kv_bytes", record.kvBytes);
    visit("tokens_per_s", record.tokensPerS);
    visit("refused", record.refused);
    visit("ttft_ms", record.ttftMs);
    visit("tpot_ms", record.tpotMs);
    visit("adapter", record.adapter);
    visit("adapter_tier", record.adapterTier);
    visit("adapter_moving", record.isAdapterMoving);
}

template <class Record, class Visit>
requires std::is_same_v<std::remove_const_t<Record>, AdapterMove>
void visitFields(Record& record, Visit& visit) {
    visit("sequence", record.sequence);
    visit("at", record.at);
    visit("adapter", record.adapter);
    visit("tenant", record.tenant);
    visit("from", record.from);
    visit("to", record.to);
    visit("bytes", record.bytes);
    visit("seconds", record.seconds);
    visit("cause", record.cause);
    visit("evicted_for", record.evictedFor);
    visit("wasted", record.wasWaste);
    visit("base", record.base);
    visit("waiters", record.waiters);
    visit("waited_seconds", record.waitedSeconds);
}

template <class Record, class Visit>
requires std::is_same_v<std::remove_const_t<Record>, StepRecord>
void visitFields(Record& record, Visit& visit) {
    visit("sequence", record.sequence);
    visit("at", record.at);
    visit("seconds", record.seconds);
    visit("prompt_rows", record.promptRows);
    visit("answer_rows", record.answerRows);
    visit("adapters", record.adapters);
    visit("model", record.model);
}

template <class Record, class Visit>
requires std::is_same_v<std::remove_const_t<Record>, Snapshot>
void visitFields(Record& record, Visit& visit) {
    visit("at", record.at);
    visit("serve", record.serve);
    visit("started_at", record.startedAt);
    visit("memory", record.memory);
    visit("prefill_tokens_per_s", record.prefillTokensPerS);
    visit("decode_tokens_per_s", record.decodeTokensPerS);
    visit("swap_in_bytes_per_s", record.swapInBytesPerS);
    visit("swap_out_bytes_per_s", record.swapOutBytesPerS);
    visit("running", record.running);
    visit("waiting", record.waiting);
    visit("ttft_ms", record.ttftMs);
    visit("tpot_ms", record.tpotMs);
    visit("counters", record.counters);
    visit("models", record.models);
    visit("tenants", record.tenants);
    visit("host_adapter_bytes", record.hostAdapterBytes);
    visit("host_adapter_budget", record.hostAdapterBudget);
    visit("host_adapters", record.hostAdapters);
    visit("moves", record.moves);
    visit("jobs", record.jobs);
    visit("processor_share", record.processorShare);
    visit("resident_bytes", record.residentBytes);
    visit("device", record.device);
    visit("compute_mode", record.computeMode);
}

template <class Record, class Visit>
requires std::is_same_v<std::remove_const_t<Record>, HistoryPoint>
void visitFields(Record& record, Visit& visit) {
    visit("at", record.at);
    visit("memory", record.memory);
    visit("prefill_tokens_per_s", record.prefillTokensPerS);
    visit("decode_tokens_per_s", record.decodeTokensPerS);
    visit("running", record.running);
    visit("waiting", record.waiting);
    visit("ttft_ms", record.ttftMs);
    visit("tpot_ms", record.tpotMs);
    visit("processor_share", record.processorShare);
    visit("resident_bytes", record.residentBytes);
    visit("prefix_queries", record.prefixQueries);
    visit("prefix_hits", record.prefixHits);
    visit("preemptions", record.preemptions);
    visit("swap_in_bytes_per_s", record.swapInBytesPerS);
    visit("swap_out_bytes_per_s", record.swapOutBytesPerS);
    visit("adapter_lookups", record.adapterLookups);
    visit("adapter_hits", record.adapterHits);
}

template <class Record, class Visit>
requires std::is_same_v<std::remove_const_t<Record>, RequestRecord>
void visitFields(Record& record, Visit& visit) {
    visit("id", record.id);
    visit("model", record.model);
    visit("adapter", record.adapter);
    visit("tenant", record.tenant);
    visit("kind", record.kind);
    visit("state", record.state);
    visit("prompt_tokens", record.promptTokens);
    visit("cached_tokens", record.cachedTokens);
    visit("produced_tokens", record.producedTokens);
    visit("max_tokens", record.maxTokens);
    visit("pages", record.pages);
    visit("tokens_per_s", record.tokensPerS);
    visit("age_s", record.ageS);
}

template <class Record, class Visit>
requires std::is_same_v<std::remove_const_t<Record>, RequestList>
void visitFields(Record& record, Visit& visit) {
    visit("requests", record.requests);
    visit("total", record.total);
}

template <class Record, class Visit>
requires std::is_same_v<std::remove_const_t<Record>, ProbedTensor>
void visitFields(Record& record, Visit& visit) {
    visit("name", record.name);
    visit("role", record.role);
    visit("shape", record.shape);
    visit("dtype", record.dtype);
    visit("bytes", record.bytes);
}

template <class Record, class Visit>
requires std::is_same_v<std::remove_const_t<Record>, ImportProbe>
void visitFields(Record& record, Visit& visit) {
    visit("path", record.path);
    visit("suggested_name", record.suggestedName);
    visit("family", record.family);
    visit("architecture", record.architecture);
    visit("dtype", record.dtype);
    visit("licence", record.licence);
    visit("tokenizer", record.tokenizer);
    visit("has_chat_template", record.hasChatTemplate);
    visit("chat_format", record.chatFormat);
    visit("tensors", record.tensors);
    visit("parameters", record.parameters);
    visit("bytes", record.bytes);
    visit("context", record.context);
    visit("layers", record.layers);
    visit("free_bytes", record.freeBytes);
    visit("warnings", record.warnings);
}

template <class Record, class Visit>
requires std::is_same_v<std::remove_const_t<Record>, ModelChanged>
void visitFields(Record& record, Visit& visit) {
    visit("id", record.id);
    visit("change", record.change);
}

template <class Record, class Visit>
requires std::is_same_v<std::remove_const_t<Record>, MachineStats>
void visitFields(Record& record, Visit& visit) {
    visit("memory_bytes", record.memoryBytes);
    visit("memory_free_bytes", record.memoryFreeBytes);
    visit("processors", record.processors);
    visit("disk_bytes", record.diskBytes);
    visit("disk_free_bytes", record.diskFreeBytes);
}

template <class Record, class Visit>
requires std::is_same_v<std::remove_const_t<Record>, ServeChanged>
void visitFields(Record& record, Visit& visit) {
    visit("state", record.state);
}

template <class Record, class Visit>
requires std::is_same_v<std::remove_const_t<Record>, TenantChanged>
void visitFields(Record& record, Visit& visit) {
    visit("name", record.name);
    visit("change", record.change);
}

struct FieldWriter;
struct FieldReader;
template <class T>
concept HasFields = requires(T& record, FieldWriter& writer) {
    visitFields(record, writer);
};

struct FieldWriter {
    Json object = Json::object();

    template <class T>
    void operator()(const char* key, const T& value) {
        object[key] = encode(value);
    }
    // A JSON text inside the engine is a JSON value outside.
    void parsed(const char* key, const std::string& text) {
        auto value = parseJson(text, key);
        object[key] = value ? std::move(*value) : Json();
    }
    template <class T>
    static Json encode(const T& value) {
        return value;
    }
    static Json encode(ErrorCode code) { return codeName(code); }
    static Json encode(JobState state) { return jobStateName(state); }
    static Json encode(ServeState state) { return serveStateName(state); }
    static Json encode(AdapterTier tier) { return adapterTierName(tier); }
    static Json encode(MoveCause cause) { return moveCauseName(cause); }
    static Json encode(const ArchSpec& spec) { return toJson(spec); }
    template <class T>
    static Json encode(const std::optional<T>& value) {
        return value ? encode(*value) : Json();
    }
    template <HasFields T>
    static Json encode(const T& record);
    template <HasFields T>
    static Json encode(const std::vector<T>& records) {
        Json array = Json::array();
        for (const T& record : records) array.push_back(encode(record));
        return array;
    }
};

template <HasFields T>
Json FieldWriter::encode(const T& record) {
    FieldWriter writer;
    visitFields(record, writer);
    return std::move(writer.object);
}

// Fills members from an object. Absent and null keep the member's default; a wrong type is the error.
struct FieldReader {
    const Json& object;
    std::string where;
    std::optional<Error> error;

    template <class T>
    void operator()(const char* key, T& member) {
        if (error) return;
        const auto found = object.find(key);
        if (found == object.end() || found->is_null()) return;
        const std::string expected = decode(*found, member);
        if (!expected.empty())
            error = fail(ErrorCode::CorruptFile, where + ": \"" + key + "\" must be " + expected, where);
    }

    void parsed(const char* key, std::string& member) {
        const auto found = object.find(key);
        if (found != object.end() && !found->is_null()) member = dumpJson(*found);
    }

    // What was expected when the value does not fit; empty when it does.
    std::string decode(const Json& value, std::string& member) {
        if (!value.is_string()) return "a string";
        member = value.get_ref<const std::string&>();
        return {};
    }
    std::string decode(const Json& value, bool& member) {
        if (!value.is_boolean()) return "true or false";
        member = value.get<bool>();
        return {};
    }
    std::string decode(const Json& value, double& member) {
        if (!value.is_number()) return "a number";
        member = value.get<double>();
        return {};
    }
    template <class T>
    requires std::is_same_v<T, std::int32_t> || std::is_same_v<T, std::int64_t> std::string decode(const Json& value,
                                                                                                   T& member) {
        if (!value.is_number_integer()) return "an integer";
        const bool huge = value.is_number_unsigned() &&
                          value.get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<T>::max());
        const auto number = value.get<std::int64_t>();
        if (huge || number < std::numeric_limits<T>::min() || number > std::numeric_limits<T>::max())
            return "an integer in range";
        member = static_cast<T>(number);
        return {};
    }
    std::string decode(const Json& value, ErrorCode& member) {
        const auto code = value.is_string() ? codeFromName(value.get_ref<const std::string&>()) : std::nullopt;
        member = code.value_or(ErrorCode::Internal);  // a newer daemon may know more codes
        return value.is_string() ? "" : "a string";
    }
    std::string decode(const Json& value, JobState& member) {
        return decodeName(value, member, jobStateName, JobState::Cancelled);
    }
    std::string decode(const Json& value, ServeState& member) {
        return decodeName(value, member, serveStateName, ServeState::Draining);
    }
    std::string decode(const Json& value, AdapterTier& member) {
        return decodeName(value, member, adapterTierName, AdapterTier::Pool);
    }
    std::string decode(const Json& value, MoveCause& member) {
        return decodeName(value, member, moveCauseName, MoveCause::Unload);
    }
    template <class Enum>
    std::string decodeName(const Json& value, Enum& member, std::string_view (*name)(Enum), Enum last) {
        std::string names;
        for (int i = 0; i <= static_cast<int>(last); ++i) {
            const auto candidate = static_cast<Enum>(i);
            if (value.is_string() && value.get_ref<const std::string&>() == name(candidate)) {
                member = candidate;
                return {};
            }
            names += (i == 0 ? "" : ", ") + std::string(name(candidate));
        }
        return "one of " + names;
    }
    std::string decode(const Json& value, ArchSpec& member) {
        auto spec = archSpecFromJson(value, where);
        if (!spec) return "an architecture (" + spec.error().message + ")";
        member = std::move(*spec);
        return {};
    }
    std::string decode(const Json& value, std::map<std::string, double>& member) {
        if (!value.is_object()) return "an object of numbers";
        for (const auto& [name, number] : value.items())
            if (number.is_number()) member[name] = number.get<double>();
        return {};
    }
    template <class T>
    std::string decode(const Json& value, std::optional<T>& member) {
        return decode(value, member.emplace());
    }
    template <class T>
    std::string decode(const Json& value, std::vector<T>& member) {
        if (!value.is_array()) return "an array";
        for (const Json& item : value)
            if (auto expected = decode(item, member.emplace_back()); !expected.empty())
                return "an array of " + expected;
        return {};
    }
    template <class T>
    requires HasFields<T> std::string decode(const Json& value, T& member) {
        if (!value.is_object()) return "an object";
        FieldReader inner{value, where, std::nullopt};
        visitFields(member, inner);
        return inner.error ? "as expected (" + inner.error->message + ")" : "";
    }
};

template <class T>
Result<T> read(const Json& json, const char* where) {
    if (!json.is_object()) return fail(ErrorCode::CorruptFile, std::string(where) + " must be a JSON object", where);
    T record{};
    FieldReader reader{json, where, std::nullopt};
    visitFields(record, reader);
    if (reader.error) return std::move(*reader.error);
    return record;
}

template <class T>
Result<T> readNamed(const Json& json, const char* where, const char* key) {
    if (!json.is_object() || !json.contains(key))
        return fail(ErrorCode::CorruptFile, std::string(where) + ": \"" + key + "\" is missing", where);
    return read<T>(json, where);
}

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
    return read<LogRecord>(json, "log record");
}
Result<Snapshot> snapshotFromJson(const Json& json) {
    return read<Snapshot>(json, "snapshot");
}
Result<HistoryPoint> historyPointFromJson(const Json& json) {
    return read<HistoryPoint>(json, "history point");
}
Result<MachineStats> machineFromJson(const Json& json) {
    return read<MachineStats>(json, "machine");
}
Result<ImportProbe> probeFromJson(const Json& json) {
    return read<ImportProbe>(json, "import probe");
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
        TRY_ASSIGN(StepRecord step, read<StepRecord>(item, "step"));
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
        TRY_ASSIGN(auto change, read<ModelChanged>(json, "model event"));
        return Event(std::move(change));
    }
    if (name == "serve") {
        TRY_ASSIGN(auto change, read<ServeChanged>(json, "serve event"));
        return Event(change);
    }
    if (name == "log") {
        TRY_ASSIGN(auto record, logFromJson(json));
        return Event(std::move(record));
    }
    if (name == "tenant") {
        TRY_ASSIGN(auto change, read<TenantChanged>(json, "tenant event"));
        return Event(std::move(change));
    }
    if (name == "adapter") {
        TRY_ASSIGN(auto change, read<AdapterChanged>(json, "adapter event"));
        return Event(std::move(change));
    }
    return fail(ErrorCode::CorruptFile, "unknown event \"" + std::string(name) + "\"", std::string(name));
}

}  // namespace espalier
