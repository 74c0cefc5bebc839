// SPDX-License-Identifier: GPL-3.0-or-later
// Drives an IsolationCheck on the engine thread, a few steps at a time, while everybody else is served in between.
#pragma once

#include "core/engine/engine.h"
#include "core/engine/serving_thread.h"

namespace espalier {

// Loads the model, runs the check to its end and gives its pages back; waits. `id` is of the request that loads.
// Errors: those of Engine::checkIsolation.
Result<void> runIsolation(ServingThread& serving, const ModelToServe& model, RequestId id, IsolationCheck& check,
                          const IsolationRequest& request);

}  // namespace espalier
