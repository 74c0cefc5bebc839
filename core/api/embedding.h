// SPDX-License-Identifier: GPL-3.0-or-later
// Requests for embeddings: how a model pools and whether it normalises, as its modules.json says (the layout of
// sentence-transformers); without one mean pooling, not normalised.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/api/generation.h"

namespace espalier {

struct EmbeddingMode {
    Pooling pooling = Pooling::Mean;
    bool normalize = false;
};

// Errors: corrupt_file; unsupported names the pooling.
Result<EmbeddingMode> embeddingMode(FileSystem& files, const Path& folder);

enum class LongText { Refuse, Cut };  // what becomes of text beyond the model's context

struct BoundEmbeddings {
    std::vector<Request> requests;  // one per prompt, without sinks
    std::vector<bool> truncated;
    EmbeddingMode mode;
};
Result<BoundEmbeddings> bindEmbeddings(FileSystem& files, const ServedModel& model, const std::vector<Prompt>& prompts,
                                       std::string_view tenant, LongText longText);

std::string base64Text(std::string_view bytes);

}  // namespace espalier
