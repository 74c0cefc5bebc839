// SPDX-License-Identifier: GPL-3.0-or-later
// Normalizer: the first stage of a tokenizer.json, text to text. One small unit per "type"; marks of verbatim bytes
// follow their characters.
// Owner: the tokenizer. Thread: any; apply is const.
#pragma once

#include <memory>
#include <string>

#include "core/base/json.h"
#include "core/tokenizer/marked_text.h"

namespace espalier {

class Normalizer {
public:
    virtual ~Normalizer() = default;
    // Requires: text is well-formed UTF-8. Errors: unsupported when a pattern gives up; too_large when the text grows
    // beyond `most` bytes at any stage: rules are data from outside, and a few of them can double a text often.
    Result<MarkedText> apply(MarkedText text, std::size_t most) const;

protected:
    static Error grownBeyond(std::size_t most);

private:
    // Requires: what makes far more of a text than it was asks `most` before it does.
    virtual Result<MarkedText> rewrite(MarkedText text, std::size_t most) const = 0;
};

// spec: the "normalizer" member; null gives null. Errors: unsupported names the type; corrupt_file.
Result<std::unique_ptr<const Normalizer>> parseNormalizer(const Json& spec, const std::string& where);

}  // namespace espalier
