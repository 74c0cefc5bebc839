// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/isolation_run.h"

#include <algorithm>
#include <chrono>
#include <future>

namespace espalier {
namespace {

constexpr Duration kAtOnce = std::chrono::milliseconds(20);  // of the engine thread; one step at least

Error stopped() {
    return fail(ErrorCode::Cancelled, "the isolation check was stopped");
}

// By a request like any other, which loads its model and waits for it.
Result<void> loadAndWait(ServingThread& serving, const ModelToServe& model, RequestId id, std::stop_token stop) {
    const auto ended = std::make_shared<std::promise<Result<void>>>();
    std::future<Result<void>> loaded = ended->get_future();
    const ArchSpec& spec = model.record.spec;
    Request request;
    request.id = id;
    request.tenant = std::string(kOwner);
    request.kind = spec.lmHead && spec.causal ? RequestKind::Generate : RequestKind::Embed;
    request.prompt = {0};
    request.maxTokens = 1;
    request.sink = [ended](const Chunk& chunk) {
        if (!chunk.finish) return;
        if (chunk.error)
            ended->set_value(*chunk.error);
        else if (chunk.finish == FinishReason::Cancelled)
            ended->set_value(stopped());
        else
            ended->set_value(Result<void>());
    };
    TRY(serving.submit(model, std::move(request)));
    const std::stop_callback cancel(stop, [&serving, id] { serving.cancel(id); });
    return loaded.get();
}

Result<void> runToEnd(ServingThread& serving, const ModelRecord& model, IsolationCheck& check,
                      const IsolationRequest& request) {
    bool goesOn = true;
    const auto steps = [&](Backend& backend, Transformer& transformer, const Clock& clock) -> Result<void> {
        const TimePoint begun = clock.now();
        do {
            TRY_ASSIGN(goesOn, check.step(backend, transformer, clock));
        } while (goesOn && clock.now() - begun < kAtOnce);
        return {};
    };
    const auto look = [&](const ModelHost& host) -> Result<bool> {
        TRY(host.lend(model, steps));
        return goesOn;
    };
    while (!request.stop.stop_requested()) {
        TRY(serving.ask<bool>(look));
        if (request.progress) request.progress(check.progress());
        if (!goesOn) return {};
    }
    return stopped();
}

}  // namespace

bool IsolationReport::passed() const {
    return std::ranges::all_of(scenes, &IsolationScene::passed);
}

Result<void> runIsolation(ServingThread& serving, const ModelToServe& model, RequestId id, IsolationCheck& check,
                          const IsolationRequest& request) {
    TRY(loadAndWait(serving, model, id, request.stop));
    const Result<void> done = runToEnd(serving, model.record, check, request);
    // Its pages go back on the thread that owns the device. When that has ended, nobody uses the device any more.
    (void)serving.ask<bool>([&check](const ModelHost&) -> Result<bool> {
        check.stop();
        return true;
    });
    return done;
}

}  // namespace espalier
