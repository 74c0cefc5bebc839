// SPDX-License-Identifier: GPL-3.0-or-later
// The routes that OpenAI's clients know, and those beside them that vLLM's users know: models, chat and text
// completions, embeddings, tokenize, detokenize, health, version, metrics.
#pragma once

#include <vector>

#include "core/api/generation.h"
#include "core/api/metrics.h"
#include "core/api/router.h"

namespace espalier {

// Requires: models and metrics outlive the routes.
std::vector<Route> openAiRoutes(const ModelAccess& models, RequestMetrics& metrics, const Clock& clock);

}  // namespace espalier
