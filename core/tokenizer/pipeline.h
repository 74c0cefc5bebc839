// SPDX-License-Identifier: GPL-3.0-or-later
// Pipeline: the units of a tokenizer put together, whatever kind of file they were read from (tokenizer.json,
// tokenizer.model, a GGUF vocabulary).
// Thread: any; the tokenizer it makes is const.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/tokenizer/added_tokens.h"
#include "core/tokenizer/normalizer.h"
#include "core/tokenizer/post_processor.h"
#include "core/tokenizer/pre_tokenizer.h"
#include "core/tokenizer/token_decoder.h"
#include "core/tokenizer/token_model.h"
#include "core/tokenizer/tokenizer.h"

namespace espalier {

struct PipelineParts {
    std::unique_ptr<const Normalizer> normalizer;      // null: none
    std::unique_ptr<const PreTokenizer> preTokenizer;  // null: none
    std::unique_ptr<const TokenModel> model;           // never null
    std::unique_ptr<const TokenDecoder> decoder;       // never null
    PostProcessor postProcessor;
    std::vector<AddedToken> addedTokens;  // in the order of the file; an empty one is skipped
};

// Errors: corrupt_file when an added token contradicts the vocabulary.
Result<std::shared_ptr<const Tokenizer>> makePipeline(PipelineParts parts, const std::string& where);

}  // namespace espalier
