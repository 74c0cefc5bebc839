// SPDX-License-Identifier: GPL-3.0-or-later
// What a ModelHost keeps of one model. Included by its parts alone: model_host.cpp (loading, requests, steps) and
// model_host_watch.cpp (what people see).
#pragma once

#include <memory>
#include <stop_token>
#include <vector>

#include "core/engine/model_host.h"
#include "core/engine/speed_record.h"

namespace espalier {

struct ModelHost::Hosted {
    enum class State : std::uint8_t { Queued, Loading, Ready };

    ModelRecord record;
    std::shared_ptr<const TextModel> text;
    State state = State::Queued;
    double progress = 0.0;
    std::stop_source stopLoading;
    TimePoint lastUsed{};
    bool deviceFailed = false;
    bool isGivenUp = false;        // its requests have been told how they ended
    std::vector<Request> waiting;  // for the load to end
    std::vector<Ending> open;      // submitted and not finished
    std::unique_ptr<Transformer> transformer;
    std::unique_ptr<ServingLoop> loop;  // after transformer: goes first
    MemoryEstimate estimate;
    bool speedIsLogged = false;

    std::int64_t bytes() const {
        return (transformer ? transformer->weightBytes() + transformer->workspaceBytes() : 0) +
               (loop ? loop->kvBytes() : 0);
    }
};

}  // namespace espalier
