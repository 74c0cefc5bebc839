// SPDX-License-Identifier: GPL-3.0-or-later
// Any bytes as a tokenizer.json, and what follows the last zero byte as text for it: refused, or a tokenizer whose ids
// decode, in one go and streamed, to the same text.
#include <cstddef>
#include <cstdint>

#include "tests/fuzz/tokenizer_round.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace espalier;
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const std::size_t zero = input.rfind('\0');
    const std::string_view text =
        zero == std::string_view::npos ? std::string_view("Hello <|eot_id|> 12\n") : input.substr(zero + 1);
    if (const auto tokenizer = parseTokenizer(input.substr(0, zero), "fuzz.json")) checkRound(*tokenizer, text);
    return 0;
}
