// SPDX-License-Identifier: GPL-3.0-or-later
// The routes that OpenAI's clients know, and those beside them that vLLM's users know: models, chat and text
// completions, embeddings, tokenize, detokenize, health, version, metrics.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "core/api/generation.h"
#include "core/api/metrics.h"
#include "core/api/router.h"

namespace espalier {

// What the routes stand on. An answer may outlive its server: the engine ends it later, with nobody there to read it.
struct OpenAiHost {
    const ModelAccess& models;
    const Clock& clock;
    std::shared_ptr<RequestMetrics> metrics;
    WorkQueue answers;  // makes the answers; never refuses a task before it ends
    // Where /v1/load_lora_adapter may read: canonical folders; without a value everywhere.
    std::optional<std::vector<Path>> adapterFolders = {};
};

// Requires: models, clock and the workers behind `answers` outlive the routes.
std::vector<Route> openAiRoutes(const OpenAiHost& host);

}  // namespace espalier
