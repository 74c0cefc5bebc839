// SPDX-License-Identifier: GPL-3.0-or-later
// Sequence: a request and everything that happened to it so far, as plain data.
// Owner: ServingLoop. Thread: engine.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/clock.h"
#include "core/base/hash.h"
#include "core/serving/adapter_cache.h"
#include "core/serving/fair_share.h"
#include "core/serving/page_pool.h"
#include "core/serving/pooling.h"
#include "core/serving/request.h"
#include "core/serving/sampler.h"
#include "core/serving/stop_matcher.h"
#include "core/tokenizer/tokenizer.h"

namespace espalier {

struct Sequence {
    Request request;
    FairShare::Slot tenant = 0;
    std::int32_t maxTokens = 0;  // of the answer, clipped to the context

    std::vector<TokenId> tokens;               // the prompt, then the answer
    std::int32_t computed = 0;                 // tokens whose KV is in `pages`
    std::int32_t charged = 0;                  // tokens the tenant has paid for; computing them again is free
    std::vector<PageId> pages;                 // page j holds tokens [16 j, 16 j + 16)
    const ResidentAdapter* adapter = nullptr;  // held while it runs with one, a retired one also when preempted
    bool isRunning = false;
    bool isDone = false;
    bool isSized = false;                         // the pages of its adapter are known, and it fits beside them
    AdapterTier adapterFrom = AdapterTier::Pool;  // where it was when the sequence could first have begun

    // Prefix cache: keys of the first full blocks, as far as they were needed; the first `cachedBlocks` pages are
    // pinned there, the rest is the sequence's own.
    Hash128 rootKey{};
    std::vector<Hash128> blockKeys;
    std::int32_t cachedBlocks = 0;
    bool mayPublish = false;

    // Answer
    std::optional<TokenHistory> history;   // when a penalty is set
    std::optional<StreamDecoder> decoder;  // when there is a tokenizer
    std::optional<StopMatcher> stops;
    std::optional<PooledEmbedding> embedding;

    // Record
    std::int32_t scored = 0;        // log probabilities given
    std::int32_t drawn = 0;         // tokens, an ending stop id included
    std::int32_t promptCached = 0;  // tokens found in the prefix cache when first admitted
    TimePoint submitted{};
    std::optional<TimePoint> admitted;
    std::optional<TimePoint> firstToken;
    TimePoint lastToken{};

    std::int32_t promptTokens() const { return static_cast<std::int32_t>(request.prompt.size()); }
    std::int32_t generated() const { return static_cast<std::int32_t>(tokens.size()) - promptTokens(); }

    // Room for all that it may become, so that its steps allocate nothing.
    void reserve() {
        const auto all = static_cast<std::size_t>(promptTokens() + maxTokens);
        tokens.reserve(all);
        pages.reserve(all / kTokensPerPage + 1);
        blockKeys.reserve(all / kTokensPerPage + 1);
    }

    // Tokens to compute until the next one can be drawn, or until all is done. A score does not need its last token.
    std::int32_t target() const {
        const auto known = static_cast<std::int32_t>(tokens.size());
        return request.kind == RequestKind::Score ? std::max(1, known - 1) : known;
    }
};

}  // namespace espalier
