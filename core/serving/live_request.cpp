// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/serving/live_request.h"

#include "core/serving/sequence.h"

namespace espalier {

LiveRequest liveRequestOf(const Sequence& sequence, TimePoint now) {
    LiveRequest live;
    live.id = sequence.request.id;
    live.tenant = sequence.request.tenant;
    live.adapter = sequence.request.adapterName;
    live.kind = sequence.request.kind;
    live.isRunning = sequence.isRunning;
    live.promptTokens = sequence.promptTokens();
    live.cachedTokens = sequence.promptCached;
    live.computedTokens = sequence.computed;
    live.producedTokens = sequence.generated();
    live.maxTokens = sequence.maxTokens;
    live.pages = static_cast<std::int32_t>(sequence.pages.size());
    live.ageS = seconds(now - sequence.submitted);
    const double after = sequence.firstToken ? seconds(sequence.lastToken - *sequence.firstToken) : 0.0;
    if (after > 0.0) live.tokensPerS = (sequence.drawn - 1) / after;
    return live;
}

}  // namespace espalier
