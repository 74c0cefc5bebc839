// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>

#include "app/cli/bench_run.h"
#include "app/cli/bench_tenancy.h"
#include "app/cli/bench_trace.h"
#include "app/cli/commands.h"
#include "core/compute/bench_ops.h"

namespace espalier::cli {
namespace {

struct OpsBenchOptions {
    std::string shape = "1b", op;
    bool quick = false, lines = false;
};

constexpr std::int32_t kServeStreams = 32;

struct Finished {
    std::vector<Chunk> last;
};

Result<void> serveTaken(ServingLoop& loop, std::vector<Request>& requests, Finished& finished, std::stop_token stop) {
    for (std::size_t i = 0; i < requests.size(); ++i) {
        requests[i].id = RequestId{i + 1};
        requests[i].sink = [&finished](const Chunk& chunk) {
            if (chunk.finish) finished.last.push_back(chunk);
        };
        TRY(loop.submit(std::move(requests[i])));
    }
    while (loop.step())
        if (stop.stop_requested()) return fail(ErrorCode::Cancelled, "cancelled");
    return {};
}

// Serves the requests together until all have ended, or the stop. None is left in the loop, whose sinks know
// `finished`.
Result<Finished> serveAll(BenchModel& model, std::vector<Request> requests, std::stop_token stop) {
    Finished finished;
    const auto served = serveTaken(*model.loop, requests, finished, stop);
    for (std::size_t i = 0; i < requests.size(); ++i) model.loop->cancel(RequestId{i + 1});
    if (!served) return served.error();
    return finished;
}

Request promptOf(std::int32_t tokens, std::int32_t answer, std::int32_t start) {
    Request request;
    for (std::int32_t i = 0; i < tokens; ++i) request.prompt.push_back((start + i * 7) % 31000 + 1);
    request.maxTokens = answer;
    return request;
}

// Tokens per second of `streams` answers at once, each with an adapter of its own while there are enough of them.
Result<double> decodeRate(Session& session, BenchModel& model, std::int32_t streams, std::int32_t answer,
                          bool adapted) {
    std::vector<Request> requests;
    for (std::int32_t i = 0; i < streams; ++i) {
        requests.push_back(promptOf(32, answer, i * 131));
        if (adapted) requests.back().adapter = model.adapters[static_cast<std::size_t>(i) % model.adapters.size()];
    }
    TRY_ASSIGN(const Finished finished, serveAll(model, std::move(requests), session.stop()));
    double sum = 0;
    for (const Chunk& chunk : finished.last) sum += chunk.timing.tokensPerS;
    return sum;
}

// The shares of the parts of a step in which every one of `streams` answers gets a token and none begins or ends.
Result<void> addBreakdown(Session& session, BenchModel& model, std::int32_t streams, std::int32_t answer, Json& row) {
    std::vector<Request> requests;
    std::int32_t tokens = 0;
    for (std::int32_t i = 0; i < streams; ++i) {
        Request& request = requests.emplace_back(promptOf(32, answer, i * 131));
        request.id = RequestId{static_cast<std::uint64_t>(i) + 1};
        request.sink = [&tokens](const Chunk&) { ++tokens; };
        if (!model.adapters.empty())
            request.adapter = model.adapters[static_cast<std::size_t>(i) % model.adapters.size()];
        TRY(model.loop->submit(request));
    }
    std::int64_t steps = 0;
    double all = 0.0;
    while (tokens < streams * 2) model.loop->step();
    *model.times = {};
    while (tokens < streams * (answer - 1) && !session.stop().stop_requested()) {
        const TimePoint began = session.clock().now();
        model.loop->step();
        all += seconds(session.clock().now() - began);
        ++steps;
    }
    for (std::int32_t i = 0; i < streams; ++i) model.loop->cancel(RequestId{static_cast<std::uint64_t>(i) + 1});
    if (session.stop().stop_requested()) return fail(ErrorCode::Cancelled, "cancelled");
    Json parts = Json::object();
    const StepTimes& times = *model.times;
    double operations = 0.0;
    for (std::size_t i = 0; i < kStepParts; ++i) {
        if (static_cast<StepPart>(i) == StepPart::Forward) continue;
        parts[std::string(kStepPartNames[i])] = times.seconds[i] / all;
        operations += times.seconds[i];
    }
    const double forward = times.of(StepPart::Forward);
    parts["rest_of_forward"] = (forward - operations) / all;
    parts["plan_and_sampling"] = (all - forward) / all;
    row["step_ms"] = all * 1e3 / static_cast<double>(steps);
    row["shares"] = parts;
    row["share_beside_products_and_attention"] =
        1.0 - (times.of(StepPart::Products) + times.of(StepPart::Attention) + times.of(StepPart::Adapters)) / all;
    return {};
}

// With adapters a row also says what part of the base's rate is kept: runs of the base and of the adapters in turns,
// the median of the ratios of neighbours.
Result<void> benchDecode(Session& session, BenchModel& model, const ModelBenchOptions& options, Report& report) {
    const std::int32_t answer = options.quick ? 24 : 64;
    for (const std::int32_t streams : options.streams) {
        Beside beside(model);
        std::vector<double> rates, kept;
        for (int round = 0; round < (options.quick ? 1 : 3); ++round) {
            TRY_ASSIGN(const double base, decodeRate(session, model, streams, answer, false));
            rates.push_back(base);
            if (model.adapters.empty()) continue;
            TRY_ASSIGN(rates.back(), decodeRate(session, model, streams, answer, true));
            kept.push_back(rates.back() / base);
        }
        Json row = rowHead(model, "decode");
        row["streams"] = streams;
        row["tokens_per_s"] = median(rates);
        row["weights_gb_per_s"] =
            median(rates) / streams * static_cast<double>(model.transformer->weightBytes()) * 1e-9;
        if (!kept.empty()) {
            row["adapters"] = std::min<std::int64_t>(streams, std::ssize(model.adapters));
            row["rank"] = options.rank;
            row["adapter_mb"] = static_cast<double>(model.adapters.front()->bytes()) * 1e-6;
            row["share_of_base"] = median(kept);
        }
        if (options.breakdown) TRY(addBreakdown(session, model, streams, answer, row));
        beside.end(row);
        report.add(std::move(row));
    }
    return {};
}

Result<void> benchPrefill(Session& session, BenchModel& model, const ModelBenchOptions& options, Report& report) {
    for (const std::int32_t tokens : {64, 512}) {
        double best = 0;
        Beside beside(model);
        for (int repeat = 0; repeat < (options.quick ? 2 : 5); ++repeat) {
            TRY_ASSIGN(const Finished finished, serveAll(model, {promptOf(tokens, 1, repeat * 977)}, session.stop()));
            best = std::max(best, tokens / (finished.last.front().timing.ttftMs / 1000.0));
        }
        Json row = rowHead(model, "prefill");
        row["prompt_tokens"] = tokens;
        row["tokens_per_s"] = best;
        beside.end(row);
        report.add(std::move(row));
    }
    return {};
}

// A trace three times: with every adapter in the pool, with prefetch and without.
Result<void> benchReplay(Session& session, BenchModel& model, const ModelBenchOptions& options, Report& report) {
    TraceBenchOptions settings;
    settings.workload = {.adapters = options.adapters,
                         .alpha = options.alpha,
                         .rate = options.rate,
                         .cv = options.cv,
                         .durationS = options.quick ? std::min(options.durationS, 15.0) : options.durationS,
                         .mostTokens = options.mostTokens};
    settings.ranks = options.ranks;
    settings.adapterType = *dtypeFromName(options.adapterType);
    settings.adapterTargets = options.adapterTargets;
    settings.poolBytes = options.poolMb * 1'000'000;
    settings.hostBytes = options.hostMb * 1'000'000;
    settings.kvType = model.kv;
    TRY_ASSIGN(const auto bench, TraceBench::make(session, *model.backend, *model.transformer, settings));
    for (const auto& [setup, name] : {std::pair{TraceSetup{.isHot = true}, "hot"},
                                      {TraceSetup{}, "prefetch"},
                                      {TraceSetup{.prefetch = false}, "on demand"}}) {
        Beside beside(model);
        TRY_ASSIGN(const Json measured, bench->replay(setup));
        Json row = rowHead(model, "serve_trace");
        row["adapters_are"] = name;
        row["adapters"] = options.adapters;
        row["ranks"] = options.ranks;
        row["targets"] = options.adapterTargets;
        row["rate"] = options.rate;
        row["alpha"] = options.alpha;
        row["cv"] = options.cv;
        row["duration_s"] = settings.workload.durationS;
        row["lengths"] = {settings.workload.leastTokens, settings.workload.mostTokens};
        row["pool_mb"] = options.poolMb;
        row["host_mb"] = options.hostMb;
        row.update(measured);
        beside.end(row);
        report.add(std::move(row));
    }
    return {};
}

Result<void> benchServe(Session& session, BenchModel& model, const ModelBenchOptions& options, Report& report) {
    if (options.isReplay) return benchReplay(session, model, options, report);
    std::vector<Request> requests;
    for (std::int32_t i = 0; i < kServeStreams; ++i)
        requests.push_back(promptOf(32 + i * 13 % 200, (options.quick ? 8 : 32) + i * 5 % 32, i * 131));
    Beside beside(model);
    const TimePoint started = session.clock().now();
    TRY_ASSIGN(const Finished finished, serveAll(model, std::move(requests), session.stop()));
    const double elapsed = seconds(session.clock().now() - started);
    std::vector<double> ttft, tpot;
    double prompt = 0, generated = 0;
    for (const Chunk& chunk : finished.last) {
        prompt += chunk.usage.promptTokens;
        generated += chunk.usage.completionTokens;
        ttft.push_back(chunk.timing.ttftMs);
        if (chunk.timing.tokensPerS > 0) tpot.push_back(1000.0 / chunk.timing.tokensPerS);
    }
    Json row = rowHead(model, "serve");
    row["requests"] = finished.last.size();
    row["prompt_tokens_per_s"] = prompt / elapsed;
    row["tokens_per_s"] = generated / elapsed;
    row["ttft_p50_ms"] = nearestRank(ttft, 0.5);
    row["ttft_p95_ms"] = nearestRank(ttft, 0.95);
    row["tpot_p50_ms"] = nearestRank(tpot, 0.5);
    beside.end(row);
    report.add(std::move(row));
    return {};
}

Json opRow(const OpFigure& figure, const Backend& backend) {
    return {{"bench", "ops"},
            {"op", figure.op},
            {"shape", figure.shape},
            {"dtype", figure.dtype},
            {"rows", figure.rows},
            {"cold", figure.cold},
            {"us", figure.microseconds},
            {"gb_per_s", figure.gigabytesPerSecond},
            {"gflops", figure.gflops},
            {"share_of_bandwidth", figure.shareOfBandwidth},
            {"share_of_peak", figure.shareOfPeak},
            {"bandwidth_gb_per_s", figure.bandwidth},
            {"peak_gflops", figure.peak},
            {"steady", figure.steady},
            {"mode", computeModeName(figure.mode)},
            {"threads", backend.device().threads},
            {"isa", backend.device().isa}};
}

Result<void> runOpsBench(Session& session, const OpsBenchOptions& options) {
    TRY_ASSIGN(Backend * backend, session.backend());
    Report report(session.console(), options.lines);
    BenchOptions settings;
    settings.shape = options.shape;
    settings.quick = options.quick;
    settings.op = options.op;
    settings.stop = session.stop();
    settings.onFigure = [&](const OpFigure& figure) { report.add(opRow(figure, *backend)); };
    TRY(benchOps(*backend, settings));
    report.end();
    return {};
}

auto modelBench(Result<void> (*measure)(Session&, BenchModel&, const ModelBenchOptions&, Report&)) {
    return [measure](Session& session, ModelBenchOptions options) -> Result<void> {
        options.isReplay = measure == benchServe && options.adapters > 0;
        TRY_ASSIGN(BenchModel model, loadBenchModel(session, options));
        Report report(session.console(), options.lines);
        TRY(measure(session, model, options, report));
        report.end();
        return {};
    };
}

void addDecodeOptions(CLI::App& command, ModelBenchOptions& options) {
    command.add_option("--streams", options.streams, "Answers at once (default 1,8,32)")
        ->delimiter(',')
        ->take_all()
        ->check(CLI::Range(1, kMaxStreams));
    command
        .add_option("--adapters", options.adapters, "Random LoRA adapters that the answers share out (default none)")
        ->check(CLI::Range(0, 4096));
    command.add_option("--rank", options.rank, "Rank of the adapters (default 16)")->check(CLI::Range(1, 256));
    command.add_option("--adapter-type", options.adapterType, "Stored type of the adapters (default bf16)")
        ->check(CLI::IsMember({"f32", "bf16", "f16"}));
    command
        .add_option("--adapter-targets", options.adapterTargets, "all projections, or those of attention (default all)")
        ->check(CLI::IsMember({"all", "attention"}));
    command.add_flag("--breakdown", options.breakdown, "Also the share of each operation in a step of decodes");
}

void addReplayOptions(CLI::App& command, ModelBenchOptions& options) {
    options.adapterTargets = "attention";
    command
        .add_option("--adapters", options.adapters,
                    "Replay a trace over so many adapters (default: none, a mixed load)")
        ->check(CLI::Range(0, 100000));
    command.add_option("--ranks", options.ranks, "Of the adapters, in turns (default 8)")
        ->delimiter(',')
        ->take_all()
        ->check(CLI::Range(1, 256));
    command.add_option("--adapter-type", options.adapterType, "Stored type of the adapters (default bf16)")
        ->check(CLI::IsMember({"f32", "bf16", "f16"}));
    command
        .add_option("--adapter-targets", options.adapterTargets,
                    "all projections, or those of attention (default attention)")
        ->check(CLI::IsMember({"all", "attention"}));
    command.add_option("--rate", options.rate, "Requests a second (default 2)")->check(CLI::PositiveNumber);
    command.add_option("--alpha", options.alpha, "1: adapters all alike, less: a few far more often (default 1)")
        ->check(CLI::PositiveNumber);
    command.add_option("--cv", options.cv, "Variation of the arrivals, 1: Poisson (default 1)")
        ->check(CLI::Range(1.0, 100.0));
    command.add_option("--duration", options.durationS, "Seconds of arrivals (default 60)")->check(CLI::PositiveNumber);
    command
        .add_option("--lengths", options.mostTokens, "Prompts and answers have 8 tokens to below this (default 128)")
        ->check(CLI::Range(9, 1024));
    command.add_option("--pool-mb", options.poolMb, "Pool of KV pages and adapters, 10^6 bytes (default 64)")
        ->check(CLI::Range(1, 1 << 20));
    command.add_option("--host-cache-mb", options.hostMb, "Host memory for adapters, 10^6 bytes (default 256)")
        ->check(CLI::Range(1, 1 << 20));
}

}  // namespace

void addBenchCommands(Commands& commands) {
    auto [bench, none] = commands.add<NoOptions>("bench", "Measure this machine", "espalierctl bench decode --shape 1b",
                                                 [](Session&, const NoOptions&) { return Result<void>(); });
    bench->require_subcommand(1);
    const auto add = [&commands, parent = bench](const char* name, const char* what, auto run) {
        auto [command, options] = commands.addTo<ModelBenchOptions>(
            *parent, name, what, std::string("espalierctl bench ") + name + " --shape 160m --quick --jsonl", run);
        command->add_option("--shape", options->shape, "tiny, 160m or 1b (default 160m)")
            ->check(CLI::IsMember({"tiny", "160m", "1b"}));
        command
            ->add_option("--weights", options->weights,
                         "Stored type of the weights: bf16, f16, f32 or a block type such as q8_0 (default bf16)")
            ->check(
                CLI::IsMember({"bf16", "f16", "f32", "q8_0", "q4_0", "q4_1", "q5_0", "q5_1", "q4_k", "q5_k", "q6_k"}));
        if (std::string_view(name) == "decode") addDecodeOptions(*command, *options);
        if (std::string_view(name) == "serve") addReplayOptions(*command, *options);
        command->add_flag("--quick", options->quick, "A few seconds, rougher");
        command->add_flag("--jsonl", options->lines, "One JSON line per row instead of a table");
    };
    auto [ops, o] =
        commands.addTo<OpsBenchOptions>(*bench, "ops", "Single operations beside the limits of this machine",
                                        "espalierctl bench ops --shape 1b --quick", runOpsBench);
    ops->add_option("--shape", o->shape, "Shape of the model (default 1b)")->check(CLI::IsMember(benchShapes()));
    ops->add_option("--op", o->op, "One operation alone (default all)")
        ->check(CLI::IsMember({"gemm", "attention", "norm", "activation"}));
    ops->add_flag("--quick", o->quick, "A few seconds, rougher");
    ops->add_flag("--jsonl", o->lines, "One JSON line per row instead of a table");
    add("decode", "Tokens per second of 1, 8, 32 or as many answers at once", modelBench(benchDecode));
    add("prefill", "Tokens per second of prompts", modelBench(benchPrefill));
    add("serve", "A mixed load: throughput and latencies", modelBench(benchServe));
    auto [tenancy, t] = commands.addTo<TenancyBenchOptions>(
        *bench, "tenancy", "Thousands of adapters and several tenants, beside the engine without what serves them",
        "espalierctl bench tenancy --scenario P7 --shape 160m --quick", runTenancyBench);
    tenancy
        ->add_option("--scenario", t->scenario,
                     "P5 many adapters, P6 base traffic, P7 cold adapters, P8 fairness, ablations")
        ->required()
        ->check(CLI::IsMember({"P5", "P6", "P7", "P8", "ablations"}));
    tenancy->add_option("--shape", t->shape, "tiny, 160m or 1b (default 160m)")
        ->check(CLI::IsMember({"tiny", "160m", "1b"}));
    tenancy->add_option("--adapters", t->adapters, "Registered adapters (default: 2000; P6 1000, P7 256)")
        ->check(CLI::Range(1, 100000));
    tenancy->add_option("--rate", t->rate, "Requests a second (default 10; P7 2)")->check(CLI::PositiveNumber);
    tenancy->add_option("--duration", t->durationS, "Seconds of arrivals (default 60)")->check(CLI::PositiveNumber);
    tenancy->add_option("--rounds", t->rounds, "What is compared, in turns (default 3)")->check(CLI::Range(1, 100));
    tenancy->add_option("--load", t->load, "P8: what the calm tenants ask for, of their share (default 0.67)")
        ->check(CLI::Range(0.05, 1.0));
    tenancy->add_flag("--quick", t->quick, "One short round");
    tenancy->add_flag("--jsonl", t->lines, "One JSON line per row instead of a table");
}

}  // namespace espalier::cli
