// SPDX-License-Identifier: GPL-3.0-or-later
// Any bytes as a tokenizer.json, and what follows the last zero byte as text for it: refused, or a tokenizer whose ids
// decode, in one go and streamed, to the same text.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/check.h"
#include "core/tokenizer/tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace espalier;
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const std::size_t zero = input.rfind('\0');
    const std::string_view file = input.substr(0, zero);
    const std::string_view text =
        zero == std::string_view::npos ? std::string_view("Hello <|eot_id|> 12\n") : input.substr(zero + 1);
    const auto tokenizer = parseTokenizer(file, "fuzz.json");
    if (!tokenizer) return 0;
    const TextRange middle[] = {{text.size() / 3, text.size() / 2}};
    for (const bool addSpecial : {false, true}) {
        const auto ids = (*tokenizer)->encode(text, {.addSpecial = addSpecial, .verbatim = middle});
        if (!ids) continue;
        const auto whole = (*tokenizer)->decode(*ids, true);
        if (!whole) continue;  // a post-processor may name ids that no token has
        StreamDecoder stream(*tokenizer, true);
        std::string streamed;
        for (const TokenId id : *ids) streamed += stream.push(id).value();
        CHECK(streamed + stream.finish() == *whole);
    }
    return 0;
}
