// SPDX-License-Identifier: GPL-3.0-or-later
// What the engine tells the world, as plain values: records of the catalog, jobs, events that must arrive, and the
// snapshot of which only the newest counts. Their JSON form is core/api/protocol.h.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/base/result.h"
#include "core/formats/arch_spec.h"
#include "core/serving/adapter_trace.h"
#include "core/serving/page_map.h"
#include "core/serving/step_trace.h"
#include "core/telemetry/log_ring.h"
#include "core/telemetry/window.h"

namespace espalier {

struct ModelRecord {
    std::string id;      // "m-" and 12 hex digits of the digest, unique in the workspace
    std::string name;    // what people and the API call it
    std::string digest;  // "sha256:..."
    std::string family;
    std::string licence;  // from the model card, empty when it names none
    std::int64_t parameters = 0;
    std::int64_t bytes = 0;   // of the tensors as stored
    std::string dtype;        // "bf16", or "mixed"
    std::string derivedFrom;  // digest of the model it was quantised from; empty: as it was found
    std::string source;       // where it was imported from
    std::string folder;       // its folder now (in the workspace unless linked), or the GGUF file linked
    bool linked = false;
    bool hasTokenizer = false;
    bool hasChatTemplate = false;
    std::int32_t context = 0;
    std::int64_t importedAt = 0;            // Unix milliseconds
    std::optional<std::int64_t> removedAt;  // in the bin since
    std::vector<std::string> warnings;
    ArchSpec spec;
};

struct AdapterRecord {
    std::string id;                    // "a-" and 12 hex digits, of this version
    std::string name;                  // unique among the adapters of its base; requests say "base:name"
    std::string baseId;                // of the model it changes
    std::string base;                  // that model's name
    std::string digest;                // "sha256:..." of configuration and tensors: who it is
    std::string kind;                  // "lora", "bottleneck"
    std::int64_t version = 1;          // counts the reloads of this name
    std::int32_t rank = 0;             // the largest of its projections
    std::vector<std::string> targets;  // "q_proj", ...
    std::int64_t bytes = 0;            // of its tensors as stored
    std::string dtype;                 // of its tiles
    std::string source;                // where it was imported from
    std::string folder;                // in the workspace
    std::string trainedOn;             // the base that its configuration names
    std::int64_t importedAt = 0;       // Unix milliseconds
    std::vector<std::string> warnings;
    std::string tenant;  // whose it is: nobody else's keys see it, but the admin's; empty: everyone's
};

enum class JobState : std::uint8_t { Queued, Running, Paused, Interrupted, Finished, Failed, Cancelled };
std::string_view jobStateName(JobState state);

struct JobRecord {
    std::int64_t id = 0;
    std::string kind;     // "import", "scan", "verify"
    std::string title;    // "Import tiny-llama"
    std::string command;  // the equivalent command line; empty: there is none
    JobState state = JobState::Queued;
    double progress = 0.0;  // 0 to 1
    std::int64_t doneBytes = 0;
    std::int64_t allBytes = 0;
    double bytesPerS = 0.0;
    double etaS = -1.0;  // < 0: not known
    std::string step;    // "copying model-00001-of-00002.safetensors"
    std::optional<Error> error;
    std::string result;  // JSON of what the job made ({"model": id})
    std::int64_t createdAt = 0;
    std::int64_t endedAt = 0;
};

// Bytes of device memory by owner; the sum is total. Order and colours are the same on every page.
struct MemoryByOwner {
    std::int64_t weights = 0;
    std::int64_t training = 0;
    std::int64_t kvRunning = 0;
    std::int64_t kvCached = 0;
    std::int64_t adapters = 0;
    std::int64_t domainRows = 0;
    std::int64_t workspace = 0;
    std::int64_t free = 0;
    std::int64_t total = 0;
};

enum class ServeState : std::uint8_t { Stopped, Serving, Draining };
std::string_view serveStateName(ServeState state);

struct LoadedModel {
    std::string name;
    std::string state;  // "loading", "ready"
    double progress = 1.0;
    std::int64_t weightsBytes = 0;
    std::int64_t pageBytes = 0;  // of one pool page, over all layers
    std::int64_t poolPages = 0;
    std::int64_t poolPagesUsed = 0;  // running
    std::int64_t poolPagesCached = 0;
    std::int64_t poolPagesAdapters = 0;      // in use
    std::int64_t poolPagesAdaptersIdle = 0;  // kept for their next request
    std::int64_t poolPagesStaging = 0;       // of adapters on their way in
    std::int32_t adapters = 0;               // in the pool
    std::int32_t running = 0;
    std::int32_t waiting = 0;
};

constexpr std::size_t kMostTenantLoads = 64;
constexpr std::size_t kMostMoves = 32;

// A tenant that uses the engine now, or has just been refused.
struct TenantLoad {
    std::string name;
    std::int32_t running = 0;
    std::int32_t waiting = 0;
    std::int64_t kvPages = 0;  // that its running requests hold, over all models
    std::int64_t kvBytes = 0;
    double tokensPerS = 0;     // generated, over the last second
    std::int64_t refused = 0;  // since the daemon started
    // Over the newest answers of the last minute: from the engine having it to the first token, and between tokens.
    Percentiles ttftMs = {}, tpotMs = {};
    std::string adapter = {};  // that its newest request with one named; empty: none lately
    AdapterTier adapterTier = AdapterTier::Disk;
    bool isAdapterMoving = false;  // to the next tier up
};

// The state of everything, at about 10 Hz while someone looks. Rates are over the last second, percentiles over the
// last minute, counters since the daemon started.
struct Snapshot {
    std::int64_t at = 0;  // Unix milliseconds
    ServeState serve = ServeState::Stopped;
    std::int64_t startedAt = 0;
    MemoryByOwner memory;
    double prefillTokensPerS = 0;
    double decodeTokensPerS = 0;
    double swapInBytesPerS = 0;
    double swapOutBytesPerS = 0;
    std::int32_t running = 0;
    std::int32_t waiting = 0;
    Percentiles ttftMs;
    Percentiles tpotMs;
    std::map<std::string, double> counters;  // metric names without the prefix: "prompt_tokens_total", ...
    std::vector<LoadedModel> models;
    std::vector<TenantLoad> tenants;    // the busiest first, at most kMostTenantLoads
    std::int64_t hostAdapterBytes = 0;  // adapters in host memory, and what they may take
    std::int64_t hostAdapterBudget = 0;
    std::int32_t hostAdapters = 0;
    std::vector<AdapterMove> moves;  // the newest kMostMoves, oldest of them first
    std::vector<JobRecord> jobs;     // not ended, and those that ended in the last minute
    double processorShare = 0;       // of this process, 1 = one core
    std::int64_t residentBytes = 0;
    std::string device;       // "AMD EPYC, 2 threads, avx512"
    std::string computeMode;  // "f32", "bf16", "int8"
};

// A request that has not ended, as people watch it.
struct RequestRecord {
    std::int64_t id = 0;
    std::string model;    // name
    std::string adapter;  // name; empty: none
    std::string tenant;
    std::string kind;   // "generate", "embed", "score"
    std::string state;  // "loading" (its model), "waiting", "prefill", "decode"
    std::int32_t promptTokens = 0;
    std::int32_t cachedTokens = 0;  // of the prompt, found in the prefix cache
    std::int32_t producedTokens = 0;
    std::int32_t maxTokens = 0;
    std::int32_t pages = 0;
    double tokensPerS = 0;
    double ageS = 0;
};
struct RequestList {
    std::vector<RequestRecord> requests;  // oldest first, no more than were asked for
    std::int64_t total = 0;
};

struct ModelChanged {
    std::string id;
    std::string change;  // "imported", "removed", "restored", "renamed", "loaded", "unloaded"
};
struct AdapterChanged {
    std::string base;  // name of the model
    std::string name;
    std::string digest;  // of the version that came, or went
    std::string change;  // "imported", "reloaded", "removed"
};
struct ServeChanged {
    ServeState state = ServeState::Stopped;
};
struct TenantChanged {
    std::string name;
    std::string change;  // "created", "limited", "revoked", "restored", "keys"
};
// Must arrive, in order; each gets a sequence number from the engine.
using Event = std::variant<JobRecord, ModelChanged, ServeChanged, LogRecord, TenantChanged, AdapterChanged>;
struct NumberedEvent {
    std::int64_t sequence = 0;
    Event event;
};

// One point per second for plots that open later: up to an hour.
struct HistoryPoint {
    std::int64_t at = 0;
    MemoryByOwner memory;
    double prefillTokensPerS = 0, decodeTokensPerS = 0;
    std::int32_t running = 0, waiting = 0;
    Percentiles ttftMs, tpotMs;
    double processorShare = 0;
    std::int64_t residentBytes = 0;
    double prefixQueries = 0, prefixHits = 0, preemptions = 0;  // since the daemon started
    double swapInBytesPerS = 0, swapOutBytesPerS = 0;
    double adapterLookups = 0,
           adapterHits = 0;  // since the daemon started: requests with one, those that found it in the pool
};

}  // namespace espalier
