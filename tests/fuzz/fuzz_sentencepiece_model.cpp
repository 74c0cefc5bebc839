// SPDX-License-Identifier: GPL-3.0-or-later
// Any bytes as a tokenizer.model: refused, or a tokenizer whose ids decode, in one go and streamed, to the same text.
#include <cstddef>
#include <cstdint>

#include "core/tokenizer/sentencepiece_model.h"
#include "tests/fuzz/tokenizer_round.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace espalier;
    auto model = parseSentencePieceModel({reinterpret_cast<const char*>(data), size}, "fuzz.model");
    if (!model) return 0;
    const auto tokenizer = makeSentencePieceTokenizer(std::move(model).value(), {{}, true, true}, "fuzz.model");
    if (tokenizer) checkRound(*tokenizer, "Hello  w\xC3\xB6rld</s> 12 \xE4\xBD\xA0\xE5\xA5\xBD\n");
    return 0;
}
