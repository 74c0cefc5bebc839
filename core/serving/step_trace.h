// SPDX-License-Identifier: GPL-3.0-or-later
// StepTrace: the newest steps of a serving loop, to look at beside the moves of adapters: what was computed while they
// were on their way.
//
// Owner: ServingLoop. Thread: engine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace espalier {

constexpr std::size_t kMostStepsKept = 512;

struct StepRecord {
    std::int64_t sequence = 0;    // counts up from 1 for each load of a model
    std::int64_t at = 0;          // Unix milliseconds, when it was over
    double seconds = 0;           // of the forward pass
    std::int32_t promptRows = 0;  // tokens of prompts
    std::int32_t answerRows = 0;  // tokens that continue an answer
    std::int32_t adapters = 0;    // different ones
    std::string model = {};       // name; whoever knows the model fills it in
};

class StepTrace {
public:
    StepTrace() { m_steps.reserve(kMostStepsKept); }  // a step allocates nothing
    void add(StepRecord step);
    std::vector<StepRecord> newest(std::size_t most) const;  // oldest of them first

private:
    std::vector<StepRecord> m_steps;  // a ring once it is full
    std::size_t m_next = 0;
    std::int64_t m_last = 0;
};

}  // namespace espalier
