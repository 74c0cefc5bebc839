// SPDX-License-Identifier: GPL-3.0-or-later
// Any lines as a GGUF vocabulary: "k MODEL", "p PRE", "t TYPE SCORE TOKEN" (one letter each for type and score),
// "m MERGE", "b", "e", "u" (the special ids, a letter), "r RULES", "c TEMPLATE": refused, or a tokenizer whose ids
// decode, in one go and streamed, to the same text.
#include <cstddef>
#include <cstdint>

#include "core/tokenizer/gguf_vocabulary.h"
#include "tests/fuzz/tokenizer_round.h"

namespace {

void readLine(std::string_view line, espalier::GgufVocabulary& vocabulary) {
    if (line.size() < 2) return;
    const std::string rest(line.substr(2));
    const std::int64_t id = line.back() - 'A';
    switch (line.front()) {
        case 'k':
            vocabulary.model = rest;
            break;
        case 'p':
            vocabulary.pre = rest;
            break;
        case 't':
            if (line.size() < 6) break;
            vocabulary.types.push_back(line[2] - '0');
            vocabulary.scores.push_back(static_cast<float>('0' - line[4]));
            vocabulary.tokens.emplace_back(line.substr(6));
            break;
        case 'm':
            vocabulary.merges.push_back(rest);
            break;
        case 'b':
            vocabulary.bosId = id;
            break;
        case 'e':
            vocabulary.eosId = id;
            break;
        case 'u':
            vocabulary.unknownId = id;
            break;
        case 'r':
            vocabulary.precompiledCharsmap = rest;
            break;
        case 'c':
            vocabulary.chatTemplate = rest;
            break;
        default:
            break;
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace espalier;
    std::string_view input(reinterpret_cast<const char*>(data), size);
    GgufVocabulary vocabulary;
    while (!input.empty()) {
        const std::size_t end = std::min(input.find('\n'), input.size());
        readLine(input.substr(0, end), vocabulary);
        input.remove_prefix(std::min(end + 1, input.size()));
    }
    const auto model = textModelOf(std::move(vocabulary), "fuzz.gguf");
    if (model) checkRound(model->tokenizer, "abab  Hello</s> 12 \xE4\xBD\xA0\n");
    return 0;
}
