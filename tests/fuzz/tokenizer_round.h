// SPDX-License-Identifier: GPL-3.0-or-later
// What every fuzzed tokenizer is put through: its ids decode, in one go and streamed, to the same text.
#pragma once

#include <memory>
#include <string_view>

#include "core/base/check.h"
#include "core/tokenizer/tokenizer.h"

namespace espalier {

inline void checkRound(const std::shared_ptr<const Tokenizer>& tokenizer, std::string_view text) {
    const TextRange middle[] = {{text.size() / 3, text.size() / 2}};
    for (const bool addSpecial : {false, true}) {
        const auto ids = tokenizer->encode(text, {.addSpecial = addSpecial, .verbatim = middle});
        if (!ids) continue;
        const auto whole = tokenizer->decode(*ids, true);
        if (!whole) continue;  // a post-processor may name ids that no token has
        StreamDecoder stream(tokenizer, true);
        std::string streamed;
        for (const TokenId id : *ids) streamed += stream.push(id).value();
        CHECK(streamed + stream.finish() == *whole);
    }
}

}  // namespace espalier
