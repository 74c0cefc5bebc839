// SPDX-License-Identifier: GPL-3.0-or-later
// The control protocol between the daemon, espalierctl and the workbench: names, JSON forms, versions. All three
// include this header; nobody writes a key twice. Version kProtocolVersion stands in GET /control/hello.
//
//   POST /control/<operation>   body: JSON object of arguments, answer: JSON object      (admin key: Bearer)
//   GET  /control/events        one SSE stream; `?after=N` asks for the gap since sequence N
//                                of the same daemon (started_at in hello): each numbers its events from 1
//          id: <sequence>\n event: job|model|serve|log|tenant|adapter\n data: <JSON>     must arrive, numbered
//          event: snapshot\n data: <JSON>                                 newest wins, no id; 10 Hz while serving
//                                                                         or jobs run, 1 Hz idle
//          event: lost\n data: {}                                         the gap is gone: read everything again
//   Errors: HTTP status and {"error":{"code","message","where"}} with the codes of core/base/result.h.
//
// Operations (arguments -> answer; every list is an array under the name shown). Shared by the CLI, whose --json output
// is the answer as it stands:
//   hello {}                                   -> {version, protocol, pid, started_at, workspace, url}
//   status {}                                  -> as `espalierctl status --json`
//   models {bin?}                              -> {models: [ModelRecord]}
//   inspect {model, tensors?}                  -> {config, parameters, bytes, memory{weights_bytes, kv_bytes_per_token,
//                                                  workspace_bytes}, tensors?[{name, shape, dtype, bytes}], record,
//                                                  scan?{at, nan, infinite, tensors[{name, norm, largest, nan,
//                                                  infinite}]}, verified?{at, digest}} of the newest such jobs,
//                                                  speed{tokens_per_s, context, decode_bytes, read_gb_per_s,
//                                                  measured_at, past{runs, error, last?{model, measured, predicted}}}:
//                                                  one answer alone, predicted; null where there is none
//                                                  (core/engine/speed_record.h)
//   card {model}                               -> {file, text, bytes, truncated}; file null when there is none
//   remove {model} restore {id} rename {model, name} empty-bin {}
//   load {model} unload {model}
//   adapters {model?}                          -> {adapters: [AdapterRecord]}
//   adapter-import {path, model, name?, tenant?} -> AdapterRecord        answers when it is checked and copied; of a
//                                                 tenant: no other tenant sees it
//   adapters-import {paths, model, tenant?, job?} -> {imported: [AdapterRecord], failed: [{path, error}]}: each under
//                                                 its folder's name, at most 1,000; who hangs up or cancels ends it
//                                                 after the adapter that is being read, what came in before stays.
//                                                 job: -> {job: id}; paths may then also be folders of adapter
//                                                 folders; its result is {model, imported: count, failed: [{path,
//                                                 message}]}
//   adapter-show {adapter} adapter-reload {adapter, path?} -> AdapterRecord   adapter: "base:name", an id, or a name
//   adapter-remove {adapter}                   -> {removed, base, id}     that only one base has
//   isolation-check {model?, adapters?}        -> {passed, model, adapters, compute_mode, kv, device, compared,
//                                                  scenes: [{name, passed, compared, detail}]}: answers alone against
//                                                  answers among others, bit for bit (core/serving/isolation_check.h)
//   probe {path}                               -> ImportProbe
//   import {path, name?, link?, allow_nonfinite?, quantize?} -> {job: id}
//   scan {model} verify {model} -> {job: id}
//   machine {}                                 -> MachineStats: memory, processors and disk of the daemon's machine
//   jobs {}                                    -> {jobs: [JobRecord]}
//   job {id} / job-cancel {id} / job-pause {id} / job-resume {id} / job-discard {id} -> JobRecord
//   job-wait {id, timeout_s?}                  -> JobRecord (answers early at the timeout)
//   tokenize {model, text | texts, special?, details?} -> {ids, tokens, is_special?} | {results:[{ids, tokens}]}
//   detokenize {model, ids}                    -> {text}
//   template {model, messages, tools?, generation_prompt?, details?} -> {text, ids, tokens?, is_special?}
//   generate {model, prompt | prompt_ids | messages, ...sampling} -> as `espalierctl generate --json`
//                                                 (with stream: true an SSE answer: `text` {text}, then
//                                                 `result` | `error`)
//   perplexity {model, text | ids, context?}   -> as `espalierctl perplexity --json`
//   embed {model, text | texts}                -> {embedding, dim, normalized} | {results:[...]}
//   serve-start {} serve-stop {} serve-drain {} -> {state}
//   cases {} -> {cases: [case]}                                          saved prompts, kept in the workspace
//   case-save {case: {id?, name, ...}} -> case (with its id)             case-remove {id} -> {removed: case}
//   tenants {} -> {tenants: [Tenant]}   tenant {tenant} -> Tenant        core/api/tenant_protocol.h
//   tenant-create {tenant, ...limits, with_key?} -> Tenant with `key`, shown this once (with_key false: without)
//   tenant-limit {tenant, ...limits} -> Tenant                           limits that are absent stay as they are
//   tenant-revoke {tenant} tenant-restore {tenant} -> Tenant             revoking ends the tenant's requests
//   key-create {tenant} key-rotate {key} -> {tenant, key, id, prefix, created_at}    `key` is shown this once
//   key-revoke {key} key-restore {key} -> {tenant, id, prefix, created_at, revoked_at}    by id or first characters
//   usage {tenant?, by?: hour|day, days?, from?, to?} -> {usage: [Usage], by}    times in Unix ms; default: 30 days
//   cancel {call}                              -> {cancelled}    ends the call whose arguments had this "call_id" as
//                                                 if it had been stopped where it was made: it answers with what
//                                                 it has. A daemon only.
//   requests {limit?}                          -> {requests: [RequestRecord], total}    oldest first, at most 1,000
//   request-cancel {id} -> {id}, an id that has ended: no effect
//   steps {limit?} -> {steps: [StepRecord]}, oldest first
//   pages {model, cells?}                      -> {pages, pages_per_cell, page_bytes, adapters: [name],
//                                                 runs: [[cells, owner, request, adapter?]],
//                                                 beside: [[run, pages, owner, adapter]]}: at most `cells` cells
//                                                 (4,096); request 0: none, -1: several; adapter: index of a name,
//                                                 -2: several, -1 or absent: none; beside: a second owner of so many
//                                                 pages in each cell of a run
//   history {seconds}                          -> {points: [HistoryPoint]}
//   log {limit}                                -> {records: [LogRecord]}
//   shutdown {}                                -> {}                     drains, then ends the daemon
#pragma once

#include <string_view>

#include "core/base/json.h"
#include "core/engine/engine.h"
#include "core/engine/machine_stats.h"
#include "core/engine/messages.h"

namespace espalier {

constexpr int kProtocolVersion = 1;
constexpr int kDefaultPort = 8420;
constexpr int kMostPageCells = 4096;
constexpr int kMostRequestsListed = 1000;
constexpr int kMostAdaptersAtOnce = 1000;  // of one adapters-import

// File in the workspace through which a running daemon is found: {"url", "pid", "key_file"}, mode 0600.
constexpr std::string_view kDaemonFile = "daemon.json";

Json toJson(const Error& error);
Json toJson(const ModelRecord& model);
Json toJson(const AdapterRecord& adapter);
Json toJson(const JobRecord& job);
Json toJson(const LogRecord& record);
Json toJson(const MemoryByOwner& memory);
Json toJson(const Percentiles& percentiles);
Json toJson(const Snapshot& snapshot);
Json toJson(const HistoryPoint& point);
Json toJson(const ImportProbe& probe);
Json toJson(const RequestList& list);
Json toJson(const PageMap& map);
Json toJson(const StepRecord& step);
Json toJson(const MachineStats& stats);
std::string_view eventName(const Event& event);  // "job", "model", "serve", "log", "tenant", "adapter"
Json toJson(const Event& event);

// Readers for clients; error corrupt_file names the key. Unknown keys are ignored, so that versions may differ.
Error errorFromJson(const Json& json);  // the object under "error"; never fails, an unreadable one says so
Result<ModelRecord> modelFromJson(const Json& json);
Result<AdapterRecord> adapterFromJson(const Json& json);
Result<JobRecord> jobFromJson(const Json& json);
Result<LogRecord> logFromJson(const Json& json);
Result<Snapshot> snapshotFromJson(const Json& json);
Result<HistoryPoint> historyPointFromJson(const Json& json);
Result<ImportProbe> probeFromJson(const Json& json);
Result<RequestList> requestsFromJson(const Json& json);
Result<PageMap> pageMapFromJson(const Json& json);                // at most kMostPageCells cells
Result<std::vector<StepRecord>> stepsFromJson(const Json& json);  // the answer to "steps"
Result<MachineStats> machineFromJson(const Json& json);
Result<Event> eventFromJson(std::string_view name, const Json& json);

}  // namespace espalier
