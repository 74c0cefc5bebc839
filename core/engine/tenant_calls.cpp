// SPDX-License-Identifier: GPL-3.0-or-later
// Tenants, the part that runs for every call: admission, counting, the end.
#include <algorithm>
#include <chrono>
#include <cstdio>

#include "core/base/check.h"
#include "core/engine/tenant_state.h"

namespace espalier {
namespace {

constexpr double kNewCallWeight = 0.2;  // of the newest call in the smoothed duration

std::int32_t wholeSeconds(Duration duration) {
    const auto whole = std::chrono::ceil<std::chrono::seconds>(duration).count();
    return static_cast<std::int32_t>(std::clamp<std::int64_t>(whole, 1, INT32_MAX));
}

std::string utcDate(std::int64_t unixMs) {
    const std::chrono::year_month_day date{std::chrono::floor<std::chrono::days>(
        std::chrono::sys_time<std::chrono::milliseconds>(std::chrono::milliseconds(unixMs)))};
    char text[32];
    std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
    return text;
}

std::string inQuotes(std::string_view name) {
    return "\"" + std::string(name) + "\"";
}

// The limit that will hold a call up longest, so that who waits as told is not refused again for another.
class Refusal {
public:
    void add(std::int32_t retryAfterS, std::string sentence) {
        if (m_error && m_error->retryAfterS >= retryAfterS) return;
        m_error = fail(ErrorCode::Busy, std::move(sentence) + "; try again in " + std::to_string(retryAfterS) + " s");
        m_error->retryAfterS = retryAfterS;
    }
    std::optional<Error>& error() { return m_error; }

private:
    std::optional<Error> m_error;
};

}  // namespace

bool mayUse(const TenantLimits& limits, std::string_view model) {
    if (limits.models.empty()) return true;
    const std::size_t colon = model.find(':');
    const std::string anyAdapter =
        colon == std::string_view::npos ? std::string() : std::string(model.substr(0, colon)) + ":*";
    return std::ranges::any_of(limits.models, [&](const std::string& allowed) {
        return allowed == model || (!anyAdapter.empty() && allowed == anyAdapter);
    });
}

TenantUsage& TenantUsage::operator+=(const TenantUsage& other) {
    requests += other.requests;
    refused += other.refused;
    promptTokens += other.promptTokens;
    cachedTokens += other.cachedTokens;
    generatedTokens += other.generatedTokens;
    return *this;
}

Tenants::Tenant* Tenants::State::find(std::string_view name) {
    const auto found = tenants.find(name.empty() ? kOwner : name);
    return found == tenants.end() ? nullptr : &found->second;
}

void Tenants::State::beginDay(Tenant& tenant) const {
    const std::int64_t now = clock.unixMilliseconds();
    const std::int64_t day = now - now % kDayMs;
    if (tenant.day == day) return;
    tenant.day = day;
    tenant.today = {};
}

void Tenants::State::use(Tenant& tenant, const TenantUsage& more) {
    beginDay(tenant);
    const std::int64_t now = clock.unixMilliseconds();
    tenant.today += more;
    tenant.pending[now - now % kHourMs] += more;
    tenant.sinceStart += more;
    if (!tenant.isNamed && namedCount < kNamedTenants) {
        tenant.isNamed = true;
        ++namedCount;
    }
    (tenant.isNamed ? tenant.untold : others) += more;
}

Result<std::shared_ptr<TenantCall>> Tenants::admit(const CallFacts& facts) {
    const std::lock_guard lock(m_state->mutex);
    Tenant* const tenant = m_state->find(facts.tenant);
    if (!tenant) return fail(ErrorCode::Unauthorized, "there is no tenant " + inQuotes(facts.tenant));
    const std::string name = inQuotes(tenant->row.name);
    const std::int64_t unixMs = m_clock.unixMilliseconds();
    const TenantLimits& limits = tenant->limits;
    if (tenant->isRevoked()) return fail(ErrorCode::Unauthorized, "the tenant " + name + " was revoked");
    if (tenant->isExpired(unixMs))
        return fail(ErrorCode::Unauthorized, "the access of " + name + " ended on " + utcDate(limits.expiresAt));
    if (!mayUse(limits, facts.model))
        return fail(ErrorCode::NotFound, "there is no model " + inQuotes(facts.model) + " for this key", "model");

    const TimePoint now = m_clock.now();
    m_state->beginDay(*tenant);
    const std::int64_t tokens = std::max<std::int64_t>(1, facts.promptTokens);
    const auto count = [&] {
        m_state->use(*tenant, {.refused = 1});
        tenant->lastRefused = now;
    };
    for (const auto& [most, period] : {std::pair(limits.tokensPerMinute, "minute"), {limits.tokensPerDay, "day"}}) {
        if (most == 0 || tokens <= most) continue;
        count();
        return fail(ErrorCode::TooLarge, "the prompts have " + std::to_string(tokens) + " tokens, " + name +
                                             " may use " + std::to_string(most) + " a " + period);
    }
    Refusal refusal;
    if (limits.maxConcurrency > 0 && tenant->callsOpen >= limits.maxConcurrency) {
        // A place falls free when a call ends: as long as one takes, over as many as run.
        const double expected = tenant->callSeconds / static_cast<double>(limits.maxConcurrency);
        refusal.add(std::max(1, static_cast<std::int32_t>(std::min(expected + 0.999, 3600.0))),
                    name + " has " + std::to_string(tenant->callsOpen) + " calls running, as many as it may");
    }
    if (limits.requestsPerMinute > 0)
        if (const Duration wait = tenant->calls.untilAtMost(now, limits.requestsPerMinute - 1); wait > Duration::zero())
            refusal.add(wholeSeconds(wait),
                        name + " has used its " + std::to_string(limits.requestsPerMinute) + " requests a minute");
    if (limits.tokensPerMinute > 0)
        if (const Duration wait = tenant->tokens.untilAtMost(now, limits.tokensPerMinute - tokens);
            wait > Duration::zero())
            refusal.add(wholeSeconds(wait), name + " has used " + std::to_string(tenant->tokens.amount(now)) +
                                                " of its " + std::to_string(limits.tokensPerMinute) +
                                                " tokens a minute");
    if (const std::int64_t used = tenant->today.tokens() + tenant->promptTokensOpen;
        limits.tokensPerDay > 0 && used + tokens > limits.tokensPerDay)
        refusal.add(wholeSeconds(std::chrono::milliseconds(tenant->day + kDayMs - unixMs)),
                    name + " has used " + std::to_string(used) + " of its " + std::to_string(limits.tokensPerDay) +
                        " tokens a day (UTC)");
    if (refusal.error()) {
        count();
        return std::move(*refusal.error());
    }
    tenant->calls.add(now, 1);
    tenant->tokens.add(now, facts.promptTokens);
    tenant->promptTokensOpen += facts.promptTokens;
    ++tenant->callsOpen;
    m_state->use(*tenant, {.requests = 1});
    return std::make_shared<TenantCall>(m_state, tenant->row.name, facts);
}

Result<void> Tenants::begin(Request& request) {
    CHECK(request.call && request.sink);
    TRY(request.call->begin(request.id, request));
    request.sink = [call = request.call, counted = std::int64_t{0}, pace = AnswerPace{m_clock.now()},
                    sink = std::move(request.sink)](const Chunk& chunk) mutable {
        if (!chunk.finish) {
            counted += static_cast<std::int64_t>(chunk.ids.size());
            call->generated(static_cast<std::int64_t>(chunk.ids.size()), pace);
            return sink(chunk);
        }
        const bool wasRevoked = call->ended(chunk.id, chunk, counted, pace);
        if (!wasRevoked) return sink(chunk);
        Chunk last = chunk;
        last.finish = FinishReason::Failed;
        last.error = fail(ErrorCode::Unauthorized, "the access of this key was revoked while it was answered");
        sink(last);
    };
    return {};
}

void Tenants::abandon(const std::shared_ptr<TenantCall>& call, RequestId id) {
    call->abandoned(id);
}

TenantStanding Tenants::standing(std::string_view name) const {
    const std::lock_guard lock(m_state->mutex);
    TenantStanding standing;
    Tenant* const tenant = m_state->find(name);
    if (!tenant) return standing;
    const TimePoint now = m_clock.now();
    const auto limitOf = [now](MinuteWindow& window, std::int64_t most) {
        const Duration reset = window.untilAtMost(now, 0);
        return TenantStanding::Limit{most, std::max<std::int64_t>(0, most - window.amount(now)),
                                     std::chrono::ceil<std::chrono::milliseconds>(reset).count()};
    };
    if (tenant->limits.requestsPerMinute > 0)
        standing.requests = limitOf(tenant->calls, tenant->limits.requestsPerMinute);
    if (tenant->limits.tokensPerMinute > 0) standing.tokens = limitOf(tenant->tokens, tenant->limits.tokensPerMinute);
    return standing;
}

// ---- one call

TenantCall::TenantCall(std::shared_ptr<Tenants::State> state, std::string tenant, const CallFacts& facts)
    : m_state(std::move(state)),
      m_tenant(std::move(tenant)),
      m_began(m_state->clock.now()),
      m_requestsLeft(facts.requests),
      m_promptTokensLeft(facts.promptTokens) {}

TenantCall::~TenantCall() {
    const std::lock_guard lock(m_state->mutex);
    if (m_state->isClosed) return;
    if (Tenants::Tenant* tenant = m_state->find(m_tenant)) release(*tenant);
}

void TenantCall::release(Tenants::Tenant& tenant) {
    if (!std::exchange(m_hasPlace, false)) return;
    --tenant.callsOpen;
    tenant.promptTokensOpen -= m_promptTokensLeft;
    const double took = seconds(m_state->clock.now() - m_began);
    tenant.callSeconds += (tenant.callSeconds > 0 ? kNewCallWeight : 1.0) * (took - tenant.callSeconds);
}

Result<void> TenantCall::begin(RequestId id, Request& request) {
    const std::lock_guard lock(m_state->mutex);
    CHECK(!m_state->isClosed);
    Tenants::Tenant* const tenant = m_state->find(m_tenant);
    if (tenant->isRevoked()) return fail(ErrorCode::Unauthorized, "the tenant " + inQuotes(m_tenant) + " was revoked");
    tenant->requestsOpen.insert(id);
    if (request.adapter) tenant->adapter = request.adapter;
    request.share = tenant->share;
    return {};
}

void Tenants::Pace::read(TimePoint now) {
    if (now < readAgain) return;
    readAgain = now + kReadPeriod;
    ttft = ttftMs.percentiles(now);
    tpot = tpotMs.percentiles(now);
}

void TenantCall::generated(std::int64_t tokens, AnswerPace& pace) {
    const std::lock_guard lock(m_state->mutex);
    if (tokens == 0 || m_state->isClosed) return;
    Tenants::Tenant& tenant = *m_state->find(m_tenant);
    const TimePoint now = m_state->clock.now();
    tenant.tokens.add(now, tokens);
    tenant.generated.add(now, static_cast<double>(tokens));
    tenant.lastGenerated = now;
    if (!tenant.pace) tenant.pace = std::make_unique<Tenants::Pace>();
    const double waited = milliseconds(now - pace.since);
    if (!pace.hasBegun)
        tenant.pace->ttftMs.add(now, waited);
    else
        tenant.pace->tpotMs.add(now, waited / static_cast<double>(tokens));
    pace = {now, true};
    m_state->use(tenant, {.generatedTokens = tokens});
}

void TenantCall::settle(Tenants::Tenant& tenant, RequestId id, std::int64_t promptTokens) {
    tenant.requestsOpen.erase(id);
    const std::int64_t settled = std::min(promptTokens, m_promptTokensLeft);
    m_promptTokensLeft -= settled;
    tenant.promptTokensOpen -= settled;
    // Before the last chunk is told: who has it may send the next call at once.
    if (--m_requestsLeft <= 0) release(tenant);
}

bool TenantCall::ended(RequestId id, const Chunk& last, std::int64_t counted, AnswerPace& pace) {
    if (last.usage.completionTokens > counted) generated(last.usage.completionTokens - counted, pace);
    const std::lock_guard lock(m_state->mutex);
    if (m_state->isClosed) return false;
    Tenants::Tenant& tenant = *m_state->find(m_tenant);
    const bool isFirst = tenant.requestsOpen.contains(id);  // else whoever was to be told could not take it then
    if (isFirst) settle(tenant, id, last.usage.promptTokens);
    // What failed before it gave anything costs nothing.
    if (isFirst && (last.finish != FinishReason::Failed || counted > 0))
        m_state->use(tenant, {.promptTokens = last.usage.promptTokens, .cachedTokens = last.usage.cachedTokens});
    return last.finish == FinishReason::Cancelled && tenant.isRevoked();
}

void TenantCall::abandoned(RequestId id) {
    const std::lock_guard lock(m_state->mutex);
    if (!m_state->isClosed) settle(*m_state->find(m_tenant), id, 0);
}

}  // namespace espalier
