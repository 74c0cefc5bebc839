// SPDX-License-Identifier: GPL-3.0-or-later
// The records of protocol.h, member by member: one list of keys per record, walked by a writer and by a reader
// (record_json.h), so that a key is spelled once for both directions.
#pragma once

#include <type_traits>

#include "core/api/protocol.h"

namespace espalier {

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

}  // namespace espalier
