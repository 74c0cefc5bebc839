// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/bench_tenancy.h"

#include <algorithm>
#include <map>

#include "app/cli/bench_trace.h"
#include "core/serving/kv_cache.h"

namespace espalier::cli {
namespace {

constexpr std::int32_t kLongest = 128;  // tokens of prompt and answer, as in the CPU set of the trace generator
constexpr std::int32_t kSequences = 32;
constexpr std::int32_t kKvPages = kSequences * 2 * kLongest / kTokensPerPage;  // that so many of the longest take

TraceBenchOptions traceOptions(const BenchModel& model, const TenancyBenchOptions& options, std::int32_t adapters,
                               double rate, std::vector<std::int32_t> ranks) {
    TraceBenchOptions trace;
    const double duration = options.quick ? std::min(options.durationS, 6.0) : options.durationS;
    trace.workload = {.adapters = adapters,
                      .rate = options.rate > 0 ? options.rate : rate,
                      .durationS = duration,
                      .mostTokens = kLongest};
    trace.ranks = std::move(ranks);
    trace.poolBytes = 0;
    trace.hostBytes = INT64_MAX;
    trace.kvType = model.kv;
    return trace;
}

std::int32_t adaptersOf(const TenancyBenchOptions& options, std::int32_t usual) {
    return options.adapters > 0 ? options.adapters : usual;
}

// The same requests to one hierarchical model, the base with its bottleneck adapter, and to thousands of them: a
// sixteenth as wide as the base, as AdapterHub makes them.
Result<void> benchHierarchicalModels(Session& session, BenchModel& model, const TenancyBenchOptions& options,
                                     Report& report) {
    const auto make = [&](std::int32_t adapters) {
        TraceBenchOptions trace = traceOptions(model, options, adapters, 10, {model.transformer->spec().hidden / 16});
        trace.adapterTargets = "bottleneck";
        return TraceBench::make(session, *model.backend, *model.transformer, trace);
    };
    const std::int32_t count = 5 * adaptersOf(options, 2000);
    TRY_ASSIGN(const auto one, make(1));
    TRY_ASSIGN(const auto many, make(count));
    const TraceSetup setup{.poolPages = kKvPages + std::max(one->setPages(), many->setPages() / 10)};
    return compareInTurns(model, options, report,
                          {{"1 bottleneck adapter", [&] { return one->replay(setup); }},
                           {std::to_string(count) + " bottleneck adapters", [&] { return many->replay(setup); }}},
                          "tokens_per_s");
}

// The same requests over five adapters and over thousands, in a pool that has room for a tenth of those that are named.
Result<void> benchManyAdapters(Session& session, BenchModel& model, const TenancyBenchOptions& options,
                               Report& report) {
    const auto make = [&](std::int32_t adapters) {
        return TraceBench::make(session, *model.backend, *model.transformer,
                                traceOptions(model, options, adapters, 10, {8}));
    };
    TRY_ASSIGN(const auto few, make(5));
    TRY_ASSIGN(const auto many, make(adaptersOf(options, 2000)));
    const std::int32_t pages = kKvPages + std::max(few->setPages(), many->setPages() / 10);
    const auto over = [&](TraceBench& bench, TraceSetup setup) {
        setup.poolPages = pages;
        return [&bench, setup] { return bench.replay(setup); };
    };
    const std::string number = std::to_string(adaptersOf(options, 2000)) + " adapters";
    TRY(compareInTurns(model, options, report,
                       {{"5 adapters", over(*few, {})},
                        {number, over(*many, {})},
                        {number + ", no prefetch", over(*many, {.prefetch = false})},
                        {number + ", all in the pool", over(*many, {.isHot = true})}},
                       "tokens_per_s"));
    return benchHierarchicalModels(session, model, options, report);
}

// Answers of the base alone, beside adapters that lie in the pool and in host memory and beside none. The operations
// that the device is asked for must be the same ones.
Result<void> benchBaseTraffic(Session& session, BenchModel& model, const TenancyBenchOptions& options, Report& report) {
    TraceBenchOptions trace = traceOptions(model, options, adaptersOf(options, options.quick ? 100 : 1000), 1, {8});
    trace.workload.durationS = 1;
    trace.hostBytes = 64'000'000;
    trace.poolBytes = (kKvPages + 64) * kvBytesPerPage(*model.backend, model.transformer->spec(), model.kv);
    TRY_ASSIGN(const auto bench,
               TraceBench::make(session, *model.timedBackend, *model.timedTransformer, trace, model.times.get()));
    const std::int32_t answer = options.quick ? 24 : 96;
    std::vector<std::string> traces;
    const auto serve = [&](bool withAdapters) {
        return [&, withAdapters]() -> Result<Json> {
            TRY_ASSIGN(Json row, bench->serveBase(withAdapters, answer));
            traces.push_back(row["trace"].get<std::string>());
            return row;
        };
    };
    TRY(compareInTurns(model, options, report,
                       {{"no adapters", serve(false)}, {"adapters registered and used before", serve(true)}},
                       "tokens_per_s"));
    if (std::ranges::any_of(traces, [&](const std::string& one) { return one != traces.front(); })) {
        session.console().note("the operations are not the same with adapters and without");
        session.foundWrong();
    }
    return {};
}

// A pool half as large as the adapters that requests name, all alike often, KV included. Cold ones are in host memory,
// in the last row on disk alone. Split: three quarters of the pool are the adapters'.
Result<void> benchColdAdapters(Session& session, BenchModel& model, const TenancyBenchOptions& options,
                               Report& report) {
    const auto trace = traceOptions(model, options, adaptersOf(options, 256), options.quick ? 4 : 2, {64});
    TRY_ASSIGN(const auto bench, TraceBench::make(session, *model.backend, *model.transformer, trace));
    TraceBenchOptions fromDisk = trace;
    fromDisk.hostBytes = 1;  // each leaves host memory for the next
    TRY_ASSIGN(const auto disk, TraceBench::make(session, *model.backend, *model.transformer, fromDisk));
    const std::int32_t half = std::max(bench->setPages() / 2, kKvPages / 2);
    const auto over = [&](TraceBench& of, TraceSetup setup) {
        setup.poolPages = half;  // a hot one has room for the adapters besides
        return [&of, setup] { return of.replay(setup); };
    };
    return compareInTurns(model, options, report,
                          {{"all in the pool", over(*bench, {.isHot = true})},
                           {"pool half the adapters", over(*bench, {.isOnHost = true})},
                           {"half, no prefetch", over(*bench, {.isOnHost = true, .prefetch = false})},
                           {"half, split", over(*bench, {.isOnHost = true, .adaptersAlone = 0.75})},
                           {"half, the rest on disk", over(*disk, {})}},
                          "ttft_p95_ms");
}

// Mixed ranks of eight tenants in a pool a tenth of what the trace names, without one thing at a time. Split: half for
// adapters, as a server must that does not know whether long texts or many adapters will come. Padded: every rank is
// the largest. First come first served: tenants count for nothing.
Result<void> benchAblations(Session& session, BenchModel& model, const TenancyBenchOptions& options, Report& report) {
    const std::int32_t adapters = adaptersOf(options, 2000);
    const auto make = [&](std::vector<std::int32_t> ranks) {
        TraceBenchOptions trace = traceOptions(model, options, adapters, 10, std::move(ranks));
        trace.tenants = 8;
        return TraceBench::make(session, *model.backend, *model.transformer, std::move(trace));
    };
    TRY_ASSIGN(const auto mixed, make({64, 32, 16, 8}));
    TRY_ASSIGN(const auto padded, make({64}));
    const std::int32_t pages = kKvPages / 4 + mixed->setPages() / 10;
    const auto over = [&](TraceBench& bench, TraceSetup setup) {
        setup.poolPages = pages;
        return [&bench, setup] { return bench.replay(setup); };
    };
    return compareInTurns(model, options, report,
                          {{"everything", over(*mixed, {})},
                           {"no prefetch", over(*mixed, {.prefetch = false})},
                           {"first come first served", over(*mixed, {.isFirstComeFirstServed = true})},
                           {"pool split in halves", over(*mixed, {.adaptersAlone = 0.5})},
                           {"ranks padded to 64", over(*padded, {})},
                           {"ranks padded to 64, pool split", over(*padded, {.adaptersAlone = 0.5})}},
                          "tokens_per_s");
}

}  // namespace

Result<void> compareInTurns(BenchModel& model, const TenancyBenchOptions& options, Report& report,
                            const std::vector<Variant>& variants, const std::string& against) {
    std::vector<std::vector<Json>> measured(variants.size());
    std::vector<Json> beside(variants.size());
    for (int round = 0; round < (options.quick ? 1 : options.rounds); ++round)
        for (std::size_t i = 0; i < variants.size(); ++i) {
            Beside memory(model);
            TRY_ASSIGN(Json row, variants[i].measure());
            memory.end(beside[i]);
            measured[i].push_back(std::move(row));
        }
    for (std::size_t i = 0; i < variants.size(); ++i) {
        Json row = rowHead(model, "tenancy");
        row["scenario"] = options.scenario;
        row["what"] = variants[i].name;
        row["rounds"] = measured[i].size();
        row.update(measured[i].back());
        for (const auto& [key, value] : measured[i].back().items()) {
            if (!value.is_number_float()) continue;
            std::vector<double> values;
            for (const Json& one : measured[i]) values.push_back(one[key].get<double>());
            row[key] = median(values);
        }
        std::vector<double> ratios;
        for (std::size_t round = 0; round < measured[i].size(); ++round)
            ratios.push_back(measured[i][round][against].get<double>() / measured[0][round][against].get<double>());
        row["ratio"] = median(ratios);
        row["ratio_of"] = against;
        row.update(beside[i]);
        report.add(std::move(row));
    }
    return {};
}

Result<void> runTenancyBench(Session& session, const TenancyBenchOptions& options) {
    using Scenario = Result<void> (*)(Session&, BenchModel&, const TenancyBenchOptions&, Report&);
    static const std::map<std::string, Scenario> scenarios = {{"P5", benchManyAdapters},
                                                              {"P6", benchBaseTraffic},
                                                              {"P7", benchColdAdapters},
                                                              {"P8", benchFairness},
                                                              {"ablations", benchAblations}};
    ModelBenchOptions settings;
    settings.shape = options.shape;
    settings.quick = options.quick;
    settings.isReplay = true;
    settings.breakdown = options.scenario == "P6";
    TRY_ASSIGN(BenchModel model, loadBenchModel(session, settings));
    Report report(session.console(), options.lines);
    TRY(scenarios.at(options.scenario)(session, model, options, report));
    report.end();
    return {};
}

}  // namespace espalier::cli
