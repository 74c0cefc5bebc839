// SPDX-License-Identifier: GPL-3.0-or-later
// P8: fair shares in a running loop. Two tenants with work waiting all the time, against the bound of VTC (arXiv
// 2401.00588, theorem 4.8); and three calm tenants beside one that asks for ten times its share, against themselves
// alone.
#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <thread>

#include "app/cli/bench_tenancy.h"
#include "core/serving/fair_share.h"
#include "core/serving/kv_cache.h"

namespace espalier::cli {
namespace {

constexpr std::int32_t kPlaces = 16, kMostPrompt = 64, kMostAnswer = 32;
constexpr std::size_t kTenants = 4, kNoisyTenant = 3;

// A loop and what its tenants got of it.
class SharedLoop {
public:
    static Result<std::unique_ptr<SharedLoop>> make(Session& session, BenchModel& model, bool fcfs) {
        std::unique_ptr<SharedLoop> shared(new SharedLoop(session));
        ServingOptions options;
        options.maxBatchTokens = 256;
        options.maxSequences = kPlaces;
        options.maxWaiting = INT32_MAX;
        options.poolPages = 2 * kPlaces * (kMostPrompt + kMostAnswer) / kTokensPerPage;
        options.kvType = model.kv;
        options.prefixCache = false;
        options.isFirstComeFirstServed = fcfs;
        TRY_ASSIGN(shared->m_loop,
                   ServingLoop::create(*model.backend, *model.transformer, nullptr, options, session.clock()));
        return shared;
    }
    Result<void> submit(std::size_t tenant, std::int32_t prompt, std::int32_t answer, double lateS = 0) {
        Request request;
        request.id = RequestId{++m_requests};
        request.tenant = std::to_string(tenant);
        request.prompt.assign(static_cast<std::size_t>(prompt), static_cast<TokenId>(m_requests % 30000 + 1));
        request.maxTokens = answer;
        request.sink = [this, tenant, lateS](const Chunk& chunk) {
            if (!chunk.finish) return;
            ++finished;
            done[tenant] +=
                kPromptTokenCost * chunk.usage.promptTokens + kGeneratedTokenCost * chunk.usage.completionTokens;
            if (*chunk.finish == FinishReason::Length) ttftMs[tenant].push_back(chunk.timing.ttftMs + lateS * 1e3);
        };
        return m_loop->submit(std::move(request));
    }
    Result<bool> step() {
        if (m_session.stop().stop_requested()) return fail(ErrorCode::Cancelled, "cancelled");
        return m_loop->step();
    }
    // Of those that have ended and of those that are here.
    std::array<double, kTenants> service() const {
        std::array<double, kTenants> all = done;
        for (const LiveRequest& live : m_loop->requests())
            all[static_cast<std::size_t>(live.tenant[0] - '0')] +=
                kPromptTokenCost * std::min(live.computedTokens, live.promptTokens) +
                kGeneratedTokenCost * live.producedTokens;
        return all;
    }
    bool isWaiting(std::size_t tenant) const {
        const std::vector<LiveRequest> requests = m_loop->requests();
        return std::ranges::any_of(
            requests, [&](const LiveRequest& one) { return one.tenant == std::to_string(tenant) && !one.isRunning; });
    }
    const ServingLoop& loop() const { return *m_loop; }

    std::array<std::vector<double>, kTenants> ttftMs;
    std::array<double, kTenants> done{};
    std::int64_t finished = 0;

private:
    explicit SharedLoop(Session& session) : m_session(session) {}

    Session& m_session;
    std::uint64_t m_requests = 0;
    std::unique_ptr<ServingLoop> m_loop;  // goes first
};

// Long prompts with short answers against short prompts with long answers, all there from the beginning.
Result<Json> backloggedTenants(Session& session, BenchModel& model, const TenancyBenchOptions& options, bool fcfs) {
    TRY_ASSIGN(const auto shared, SharedLoop::make(session, model, fcfs));
    const std::int32_t each = options.quick ? 60 : 300;
    // The second's all come after the first's: first come first served gives it nothing until then.
    for (std::int32_t i = 0; i < each; ++i) TRY(shared->submit(0, kMostPrompt, kMostAnswer / 4));
    for (std::int32_t i = 0; i < each; ++i) TRY(shared->submit(1, kMostPrompt / 4, kMostAnswer));
    double worst = 0;
    while (shared->isWaiting(0) && shared->isWaiting(1)) {
        TRY(shared->step());
        const auto service = shared->service();
        worst = std::max(worst, std::abs(service[0] - service[1]));
    }
    const auto service = shared->service();
    const double batch = kGeneratedTokenCost * kPlaces * kMostAnswer + kPromptTokenCost * 256;
    const double bound = 2 * std::max(kPromptTokenCost * kMostPrompt, batch);
    return Json{{"worst_difference", worst}, {"bound_2u", bound}, {"service_0", service[0]}, {"service_1", service[1]}};
}

// Requests a second that the loop ends when there are always more.
Result<double> capacity(Session& session, BenchModel& model, bool quick) {
    TRY_ASSIGN(const auto shared, SharedLoop::make(session, model, false));
    const std::int32_t count = quick ? 100 : 300;
    for (std::int32_t i = 0; i < count; ++i) TRY(shared->submit(0, kMostPrompt * 3 / 4, kMostAnswer * 3 / 4));
    const TimePoint began = session.clock().now();
    while (!shared->loop().idle()) TRY(shared->step());
    return count / seconds(session.clock().now() - began);
}

struct Crowd {
    double requestsPerS = 0;  // of one calm tenant
    double noisyPerS = 0;     // 0: it is not there
    double durationS = 0;
    bool fcfs = false;
};

// Poisson arrivals, the same ones of each tenant whoever else is there.
Result<Json> serveCrowd(Session& session, BenchModel& model, const Crowd& crowd) {
    TRY_ASSIGN(const auto shared, SharedLoop::make(session, model, crowd.fcfs));
    const Clock& clock = session.clock();
    std::array<std::mt19937, kTenants> random{std::mt19937(1), std::mt19937(2), std::mt19937(3), std::mt19937(4)};
    std::array<double, kTenants> next{};
    const auto gap = [&](std::size_t tenant) {
        const double rate = tenant == kNoisyTenant ? crowd.noisyPerS : crowd.requestsPerS;
        return -std::log(1.0 - random[tenant]() / 4294967296.0) / rate;
    };
    const std::size_t tenants = crowd.noisyPerS > 0 ? kTenants : kTenants - 1;
    for (std::size_t tenant = 0; tenant < tenants; ++tenant) next[tenant] = gap(tenant);
    const TimePoint began = clock.now();
    double now = 0;
    for (; now < crowd.durationS; now = seconds(clock.now() - began)) {
        for (std::size_t tenant = 0; tenant < tenants; ++tenant)
            for (; next[tenant] <= now; next[tenant] += gap(tenant))
                TRY(shared->submit(tenant, kMostPrompt * 3 / 4, kMostAnswer * 3 / 4, now - next[tenant]));
        TRY_ASSIGN(const bool worked, shared->step());
        if (!worked) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    const std::int64_t finished = shared->finished;
    std::vector<double> victims;
    for (std::size_t tenant = 0; tenant < kNoisyTenant; ++tenant)
        victims.insert(victims.end(), shared->ttftMs[tenant].begin(), shared->ttftMs[tenant].end());
    return Json{{"requests_per_s", static_cast<double>(finished) / now},
                {"calm_answers", victims.size()},
                {"calm_ttft_p50_ms", nearestRank(victims, 0.5)},
                {"calm_ttft_p95_ms", nearestRank(victims, 0.95)},
                {"noisy_ttft_p95_ms", nearestRank(shared->ttftMs[kNoisyTenant], 0.95)}};
}

}  // namespace

Result<void> benchFairness(Session& session, BenchModel& model, const TenancyBenchOptions& options, Report& report) {
    for (const bool fcfs : {false, true}) {
        TRY_ASSIGN(const Json measured, backloggedTenants(session, model, options, fcfs));
        const double worst = measured["worst_difference"].get<double>(), bound = measured["bound_2u"].get<double>();
        session.console().note("two backlogged tenants, " +
                               std::string(fcfs ? "first come first served" : "fair shares") + ": service differs by " +
                               fixedText(worst, 0) + " at most, 2U is " + fixedText(bound, 0));
        if (!fcfs && worst > bound) session.foundWrong();
        if (!options.lines) continue;
        Json row = rowHead(model, "tenancy");
        row["scenario"] = "P8";
        row["what"] = fcfs ? "two backlogged, first come first served" : "two backlogged";
        row.update(measured);
        report.add(std::move(row));
    }
    TRY_ASSIGN(const double most, capacity(session, model, options.quick));
    const double share = most / kTenants, durationS = options.quick ? 8 : options.durationS;
    const auto with = [&](double noisy, bool fcfs) {
        const Crowd crowd{options.load * share, noisy * share, durationS, fcfs};
        return [&session, &model, crowd] { return serveCrowd(session, model, crowd); };
    };
    return compareInTurns(model, options, report,
                          {{"calm tenants alone", with(0, false)},
                           {"beside a noisy one", with(10, false)},
                           {"beside a noisy one, first come first served", with(10, true)}},
                          "calm_ttft_p95_ms");
}

}  // namespace espalier::cli
