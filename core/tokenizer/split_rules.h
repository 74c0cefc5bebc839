// SPDX-License-Identifier: GPL-3.0-or-later
// SplitRule: what the name in `tokenizer.ggml.pre` of a GGUF file stands for: the patterns that the published
// tokenizer.json of that family splits by, and what else the name implies.
// Thread: any (constant table).
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace espalier {

// Radford et al. 2019, as published with GPT-2.
inline constexpr std::string_view kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

struct SplitRule {
    std::string_view name;
    std::array<std::string_view, 5> patterns;  // each cuts the pieces of the one before; empty ones end the list
    bool ignoresMerges = false;
    bool addsBos = false;     // when the file does not say
    bool isComposed = false;  // the text is brought to NFC first
};

const SplitRule* findSplitRule(std::string_view name);  // nullptr when unknown
std::string splitRuleNames();                           // "bloom, chatglm-bpe, ..."

}  // namespace espalier
