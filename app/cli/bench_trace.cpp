// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/bench_trace.h"

#include <stdlib.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "app/cli/bench_run.h"
#include "core/adapters/adapter_folder.h"
#include "core/serving/adapter_tiers.h"
#include "core/serving/kv_cache.h"
#include "core/serving/serving_loop.h"

namespace espalier::cli {
namespace {

constexpr std::size_t kFolders = 64;  // that adapters share out: files in the page cache either way
constexpr std::int32_t kTraceBatchTokens = 256;
constexpr Duration kPatience = std::chrono::milliseconds(50);

double meanOf(const std::vector<double>& values) {
    double sum = 0;
    for (const double value : values) sum += value;
    return values.empty() ? 0.0 : sum / static_cast<double>(values.size());
}

// Lets the serving thread sleep until something has landed.
class Bell {
public:
    void ring() {
        {
            const std::lock_guard lock(m_mutex);
            m_rang = true;
        }
        m_changed.notify_all();
    }
    void wait(Duration atMost) {
        std::unique_lock lock(m_mutex);
        m_changed.wait_for(lock, atMost, [this] { return m_rang; });
        m_rang = false;
    }

private:
    std::mutex m_mutex;
    std::condition_variable m_changed;
    bool m_rang = false;
};

}  // namespace

struct TraceBench::Source final : AdapterSource {
    FileSystem* files = nullptr;
    Path folder;
    const ArchSpec* spec = nullptr;
    std::shared_ptr<const std::vector<std::int64_t>> pageBytes;

    Result<std::shared_ptr<const LoraImage>> read() const override {
        TRY_ASSIGN(const AdapterFolder adapter, readAdapterFolder(*files, folder, *spec));
        return makeLoraImage(adapter.spec, *adapter.tensors, digest, *pageBytes);
    }
};

// One replay: lanes, host memory, loop, and what came out.
struct TraceBench::Run {
    Run(TraceBench& bench, const TraceSetup& setup)
        : tiers(reader, copier, bench.m_session.clock(), setup.isHot ? INT64_MAX : bench.m_options.hostBytes,
                [this] { bell.ring(); }) {
        options.maxBatchTokens = kTraceBatchTokens;
        options.maxSequences = setup.sequences;
        options.maxWaiting = INT32_MAX;
        options.kvType = bench.m_options.kvType;
        options.prefixCache = false;
        options.prefetch = setup.prefetch;
        options.isFirstComeFirstServed = setup.isFirstComeFirstServed;
        options.tiers = &tiers;
        const ArchSpec& spec = bench.m_transformer.spec();
        options.poolPages = setup.poolPages;
        if (options.poolPages == 0)
            options.poolPages = static_cast<std::int32_t>(bench.m_options.poolBytes /
                                                          kvBytesPerPage(bench.m_backend, spec, options.kvType));
        if (setup.isHot) options.poolPages += bench.m_setPages;
        options.pagesForAdapters = static_cast<std::int32_t>(setup.adaptersAlone * options.poolPages);
    }
    Result<void> submit(Request request, double lateS) {
        request.sink = [this, lateS](const Chunk& chunk) {
            if (!chunk.finish) return;
            if (chunk.error && !error) error = chunk.error;
            generated += chunk.usage.completionTokens;
            prompts += chunk.usage.promptTokens;
            ttftS.push_back(chunk.timing.ttftMs / 1000.0 + lateS);
        };
        return loop->submit(std::move(request));
    }
    // One turn; sleeps when there is nothing to compute.
    Result<void> turn(Duration atMost) {
        tiers.arena.collect();
        if (!loop->step() && atMost > Duration::zero()) bell.wait(atMost);
        return error ? Result<void>(*error) : Result<void>();
    }

    Bell bell;
    ThreadLane reader, copier;
    AdapterTiers tiers;
    ServingOptions options;
    std::unique_ptr<ServingLoop> loop;  // goes first
    std::vector<double> ttftS;
    std::int64_t generated = 0, prompts = 0;
    std::optional<Error> error;
};

Result<std::unique_ptr<TraceBench>> TraceBench::make(Session& session, Backend& backend, Transformer& transformer,
                                                     TraceBenchOptions options, StepTimes* times) {
    std::unique_ptr<TraceBench> bench(new TraceBench(session, backend, transformer, std::move(options), times));
    TRY_ASSIGN(bench->m_trace, makeWorkload(bench->m_options.workload));
    TRY(bench->writeFolders());
    return bench;
}

TraceBench::~TraceBench() {
    if (!m_folder.empty()) (void)m_session.files().removeTree(m_folder);
}

Result<void> TraceBench::writeFolders() {
    FileSystem& files = m_session.files();
    const ArchSpec& spec = m_transformer.spec();
    std::string pattern = (std::filesystem::temp_directory_path() / "espalier-bench-XXXXXX").string();
    if (!::mkdtemp(pattern.data())) return fail(ErrorCode::IoError, pattern + ": the folder cannot be made");
    m_folder = pattern;
    const auto pageBytes =
        std::make_shared<const std::vector<std::int64_t>>(layerPageBytes(m_backend, spec, m_options.kvType));
    const auto count = static_cast<std::size_t>(m_options.workload.adapters);
    const std::size_t ranks = m_options.ranks.size();
    const std::size_t folders = std::min(count, (kFolders + ranks - 1) / ranks * ranks);
    std::vector<std::int64_t> bytes, pages;
    for (std::size_t i = 0; i < folders; ++i) {
        const BenchAdapter adapter{m_options.ranks[i % ranks], m_options.adapterType, m_options.adapterTargets};
        TRY(writeRandomAdapter(files, m_folder / std::to_string(i), spec, adapter));
        TRY_ASSIGN(const auto image, randomAdapter(spec, adapter, static_cast<int>(i), *pageBytes));
        bytes.push_back(image->bytes());
        pages.push_back(image->pages);
    }
    for (std::size_t i = 0; i < count; ++i) {
        auto source = std::make_shared<Source>();
        source->digest = "bench:" + std::to_string(i);
        source->name = std::to_string(i);
        source->storedBytes = bytes[i % folders];
        source->files = &files;
        source->folder = m_folder / std::to_string(i % folders);
        source->spec = &spec;
        source->pageBytes = pageBytes;
        m_sources.push_back(std::move(source));
    }
    std::vector<bool> seen(count);
    for (const WorkloadRequest& request : m_trace) {
        const auto adapter = static_cast<std::size_t>(request.adapter);
        if (seen[adapter]) continue;
        seen[adapter] = true;
        ++m_distinct;
        m_setBytes += bytes[adapter % folders];
        m_setPages += static_cast<std::int32_t>(pages[adapter % folders]);
    }
    return {};
}

// The first token tells the requests apart, so that no cache can flatter anybody.
Request TraceBench::requestOf(std::size_t number) const {
    const WorkloadRequest& asked = m_trace[number];
    Request request;
    request.id = RequestId{number + 1};
    request.adapter = m_sources[static_cast<std::size_t>(asked.adapter)];
    request.tenant = std::to_string(asked.adapter % m_options.tenants);
    request.prompt.push_back(static_cast<TokenId>(number % 30000 + 1));
    while (std::ssize(request.prompt) < asked.promptTokens) request.prompt.push_back(7);
    request.maxTokens = asked.answerTokens;
    return request;
}

Result<void> TraceBench::finishAll(Run& run) {
    while (!run.loop->idle()) {
        TRY(run.turn(kPatience));
        if (m_session.stop().stop_requested()) return fail(ErrorCode::Cancelled, "cancelled");
    }
    return {};
}

std::vector<std::size_t> TraceBench::firstOfEach() const {
    std::vector<std::size_t> firsts;
    std::vector<bool> seen(m_sources.size());
    for (std::size_t i = 0; i < m_trace.size(); ++i) {
        const auto adapter = static_cast<std::size_t>(m_trace[i].adapter);
        if (!seen[adapter]) firsts.push_back(i);
        seen[adapter] = true;
    }
    return firsts;
}

Result<void> TraceBench::warm(Run& run, const TraceSetup& setup) {
    for (const std::size_t number : firstOfEach()) {
        Request request = requestOf(number);
        if (setup.isHot) {
            request.prompt.resize(1);
            request.maxTokens = 1;
            TRY(run.submit(std::move(request), 0.0));
        } else if (setup.isOnHost) {
            while (run.tiers.arena.state(*request.adapter) != HostArena::State::Ready) {
                if (m_session.stop().stop_requested()) return fail(ErrorCode::Cancelled, "cancelled");
                (void)run.tiers.arena.want(request.adapter, MoveCause::Prefetch, {});
                run.bell.wait(kPatience);
                run.tiers.arena.collect();
            }
        }
    }
    TRY(finishAll(run));
    run.ttftS.clear();
    run.generated = run.prompts = 0;
    run.tiers.trace.traffic() = {};
    return {};
}

Result<Json> TraceBench::replay(const TraceSetup& setup) {
    Run run(*this, setup);
    const Clock& clock = m_session.clock();
    TRY_ASSIGN(run.loop, ServingLoop::create(m_backend, m_transformer, nullptr, run.options, clock));
    TRY(warm(run, setup));
    const ServingCounters before = run.loop->stats().counters;
    const TimePoint began = clock.now();
    for (std::size_t next = 0; next < m_trace.size() || !run.loop->idle();) {
        if (m_session.stop().stop_requested()) return fail(ErrorCode::Cancelled, "cancelled");
        double elapsed = seconds(clock.now() - began);
        for (; next < m_trace.size() && m_trace[next].arrivalS <= elapsed; ++next)
            TRY(run.submit(requestOf(next), elapsed - m_trace[next].arrivalS));
        const double untilNext = next < m_trace.size() ? m_trace[next].arrivalS - elapsed : 1.0;
        TRY(run.turn(
            std::min(kPatience, std::chrono::duration_cast<Duration>(std::chrono::duration<double>(untilNext)))));
    }
    const double took = seconds(clock.now() - began);
    const ServingCounters after = run.loop->stats().counters;
    const AdapterTraffic& traffic = run.tiers.trace.traffic();
    std::sort(run.ttftS.begin(), run.ttftS.end());
    const auto within = [&](double limit) {
        return static_cast<double>(std::upper_bound(run.ttftS.begin(), run.ttftS.end(), limit) - run.ttftS.begin()) /
               static_cast<double>(std::max<std::size_t>(1, run.ttftS.size()));
    };
    return Json{{"requests", m_trace.size()},
                {"distinct_adapters", m_distinct},
                {"working_set_mb", static_cast<double>(m_setBytes) * 1e-6},
                {"pool_pages", run.options.poolPages},
                {"seconds", took},
                {"requests_per_s", static_cast<double>(m_trace.size()) / took},
                {"prompt_tokens_per_s", static_cast<double>(run.prompts) / took},
                {"tokens_per_s", static_cast<double>(run.generated) / took},
                {"ttft_mean_ms", meanOf(run.ttftS) * 1e3},
                {"ttft_p50_ms", nearestRank(run.ttftS, 0.5) * 1e3},
                {"ttft_p95_ms", nearestRank(run.ttftS, 0.95) * 1e3},
                {"within_1s", within(1.0)},
                {"within_6s", within(6.0)},
                {"found_pool", traffic.foundInPool},
                {"found_host", traffic.foundOnHost},
                {"found_disk", traffic.foundOnDisk},
                {"read_mb", static_cast<double>(traffic.toHostBytes) * 1e-6},
                {"copied_mb", static_cast<double>(traffic.toPoolBytes) * 1e-6},
                {"copy_gb_per_s", 1.0 / run.tiers.copyCost.secondsFor(1e9)},
                {"evictions", after.adapterEvictions - before.adapterEvictions},
                {"prefetch_used", traffic.prefetchUsed},
                {"prefetch_wasted", traffic.prefetchWasted},
                {"preemptions", after.preemptions - before.preemptions}};
}

Result<Json> TraceBench::serveBase(bool withAdapters, std::int32_t answerTokens) {
    constexpr std::int32_t kAnswers = 32, kPrompt = 32;
    Run run(*this, {});
    const Clock& clock = m_session.clock();
    TRY_ASSIGN(run.loop, ServingLoop::create(m_backend, m_transformer, nullptr, run.options, clock));
    const TimePoint before = clock.now();
    for (std::size_t i = 0; withAdapters && i < m_sources.size(); ++i) {
        Request request;
        request.id = RequestId{i + 1};
        request.adapter = m_sources[i];
        request.prompt = {7};
        request.maxTokens = 1;
        TRY(run.submit(std::move(request), 0.0));
    }
    TRY(finishAll(run));
    const double brought = seconds(clock.now() - before);
    const std::int32_t residents = run.loop->stats().adapters, onHost = run.tiers.arena.images();
    run.generated = 0;
    if (m_times) *m_times = {};
    const TimePoint began = clock.now();
    for (std::int32_t i = 0; i < kAnswers; ++i) {
        Request request;
        request.id = RequestId{static_cast<std::uint64_t>(i) + 1};
        request.prompt.assign(kPrompt, static_cast<TokenId>(i * 131 + 1));
        request.maxTokens = answerTokens;
        TRY(run.submit(std::move(request), 0.0));
    }
    TRY(finishAll(run));
    const double took = seconds(clock.now() - began);
    return Json{{"adapters", withAdapters ? m_sources.size() : 0},
                {"in_pool", residents},
                {"on_host", onHost},
                {"adapters_per_s", withAdapters ? static_cast<double>(m_sources.size()) / brought : 0.0},
                {"tokens_per_s", static_cast<double>(run.generated) / took},
                {"operations", m_times ? m_times->calls : 0},
                {"trace", m_times ? std::to_string(m_times->operations) : ""}};
}

}  // namespace espalier::cli
