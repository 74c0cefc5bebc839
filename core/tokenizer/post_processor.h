// SPDX-License-Identifier: GPL-3.0-or-later
// PostProcessor: the ids that a file wants around a text (BOS and the like). Every supported "type" comes down to ids
// before and ids after; pairs of texts are not part of serving a model and are not read.
// Owner: the tokenizer. Thread: any (plain value).
#pragma once

#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/tokenizer/tokenizer.h"

namespace espalier {

struct PostProcessor {
    std::vector<TokenId> before;
    std::vector<TokenId> after;
};

// spec: the "post_processor" member; null adds nothing. Errors: unsupported names the type; corrupt_file.
Result<PostProcessor> parsePostProcessor(const Json& spec, const std::string& where);

}  // namespace espalier
