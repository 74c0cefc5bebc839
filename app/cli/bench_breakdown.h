// SPDX-License-Identifier: GPL-3.0-or-later
// Where the time of a step goes: a Backend and a Transformer that pass every call on and keep the time it took.
// Thread: the one that runs the steps.
#pragma once

#include <array>
#include <memory>
#include <string_view>

#include "core/base/clock.h"
#include "core/models/transformer.h"

namespace espalier::cli {

// The rest of a forward pass (copies, checks) and the rest of a step (plan, sampling, answers) are differences.
enum class StepPart : std::uint8_t {
    Products,
    Attention,
    StoreKv,
    Norm,
    Rope,
    Activation,
    Add,
    Gather,
    Adapters,
    Forward
};
constexpr std::size_t kStepParts = 10;
constexpr std::array<std::string_view, kStepParts> kStepPartNames = {
    "products", "attention", "store_kv", "norm", "rope", "activation", "add", "gather", "adapters", "forward"};

struct StepTimes {
    std::array<double, kStepParts> seconds{};
    std::int64_t calls = 0;        // of operations
    std::uint64_t operations = 0;  // which they were, in their order, and with how many rows and columns, as a hash
    void note(StepPart part, const ConstTensorView& result) {
        ++calls;
        for (const auto number : {static_cast<std::uint64_t>(part), static_cast<std::uint64_t>(result.rows()),
                                  static_cast<std::uint64_t>(result.cols())})
            operations = (operations ^ number) * 0x100000001B3ull;
    }
    double of(StepPart part) const { return seconds[static_cast<std::size_t>(part)]; }
};

// `backend` and `times` must outlive what is returned; memory and weights made through it belong to `backend`.
std::unique_ptr<Backend> timedBackend(Backend& backend, const Clock& clock, StepTimes& times);
std::unique_ptr<Transformer> timedTransformer(Transformer& transformer, const Clock& clock, StepTimes& times);

}  // namespace espalier::cli
