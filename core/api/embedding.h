// SPDX-License-Identifier: GPL-3.0-or-later
// Requests for embeddings: how a model pools, whether it normalises and how much text it reads, as its modules.json and
// the files beside it say (the layout of sentence-transformers), or a GGUF file's pooling_type; without them mean
// pooling, not normalised.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/generation.h"

namespace espalier {

struct EmbeddingMode {
    Pooling pooling = Pooling::Mean;
    bool normalize = false;
    bool lowerCase = false;                 // text, before it is tokenised
    std::optional<std::int32_t> maxTokens;  // of a text with its special tokens; none: the tokenizer's
                                            // limit or the model's context
};

// Errors: corrupt_file; unsupported names the pooling or the module (a Dense layer, ...).
Result<EmbeddingMode> embeddingMode(FileSystem& files, const Path& folder);

// What becomes of text beyond the limit. A cut keeps what the post-processor put around it ([CLS] ... [SEP]).
enum class LongText { Refuse, Cut };

struct BoundEmbeddings {
    std::vector<Request> requests;  // one per prompt, without sinks
    std::vector<bool> truncated;
    EmbeddingMode mode;
};
Result<BoundEmbeddings> bindEmbeddings(FileSystem& files, const ServedModel& model, const std::vector<Prompt>& prompts,
                                       std::string_view tenant, LongText longText);

std::string base64Text(std::string_view bytes);

}  // namespace espalier
