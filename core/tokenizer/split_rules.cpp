// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/tokenizer/split_rules.h"

#include <algorithm>

namespace espalier {
namespace {

constexpr std::string_view kDigit = R"(\p{N})";
constexpr std::string_view kLlama3 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kQwen2 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kQwen35 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kO200k =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|)"
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|)"
    R"(\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kTekken = R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|)"
                                     R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|)"
                                     R"(\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kDeepseek3 =
    R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|)"
    R"(\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kBloom = R"( ?[^(\s|.,!?…。，、।۔،)]+)";

// Sorted by name.
constexpr SplitRule kRules[] = {
    {"bloom", {kBloom}},
    {"chatglm-bpe", {kLlama3}},
    {"codeshell", {kDigit, kGpt2Pattern}},
    {"command-r", {kDigit, kGpt2Pattern}, false, false, true},
    {"dbrx", {kLlama3}},
    {"deepseek-coder", {R"([\r\n])", R"(\s?\p{L}+)", R"(\s?\p{P}+)", "[一-龥ࠀ-一가-퟿]+", kDigit}},
    {"deepseek-r1-qwen", {kQwen2}},
    {"deepseek-v3", {R"(\p{N}{1,3})", "[一-龥぀-ゟ゠-ヿ]+", kDeepseek3}},
    {"default", {R"([\p{P}\$\+<=>\^~\|]+)", kGpt2Pattern, R"(\p{N}+)", "[0-9][0-9][0-9]"}},
    {"exaone", {kDigit, kGpt2Pattern}},
    {"exaone4", {kGpt2Pattern}},
    {"falcon", {R"([\p{P}\$\+<=>\^~\|`]+)", kGpt2Pattern, "[0-9][0-9][0-9]"}},
    {"falcon3", {kLlama3}, true, true},
    {"gigachat", {kGpt2Pattern}},
    {"glm4", {kLlama3}},
    {"gpt-2", {kGpt2Pattern}},
    {"gpt-4o", {kO200k}},
    {"gpt3-finnish", {kBloom}},
    {"grok-2", {kQwen2}},
    {"hunyuan", {kQwen2}},
    {"hunyuan-dense", {R"(\p{N}{1,3})", "[一-龥぀-ゟ゠-ヿ]+", kDeepseek3}},
    {"jais", {kGpt2Pattern}},
    {"jina-v1-en", {kGpt2Pattern}},
    {"jina-v2-code", {kGpt2Pattern}},
    {"jina-v2-de", {kGpt2Pattern}},
    {"jina-v2-es", {kGpt2Pattern}},
    {"lfm2", {kLlama3}, true, true},
    {"llama-bpe", {kLlama3}, true, true},
    {"llama-v3", {kLlama3}, true, true},
    {"llama3", {kLlama3}, true, true},
    {"llama4", {kO200k}},
    {"megrez", {kQwen2}},
    {"minerva-7b", {kDigit, kGpt2Pattern}},
    {"mpt", {kGpt2Pattern}},
    {"olmo", {kGpt2Pattern}},
    {"phi-2", {kGpt2Pattern}},
    {"pixtral", {kLlama3}, true, true},
    {"poro-chat", {kBloom}},
    {"qwen2", {kQwen2}, false, false, true},
    {"qwen35", {kQwen35}, false, false, true},
    {"refact", {kDigit, kGpt2Pattern}},
    {"roberta-bpe", {kGpt2Pattern}},
    {"smaug-bpe", {kLlama3}},
    {"smollm", {kDigit, kGpt2Pattern}},
    {"solar-open", {kQwen2}},
    {"stablelm2", {kQwen2}},
    {"starcoder", {kDigit, kGpt2Pattern}},
    {"tekken", {kTekken}, true, true},
    {"trillion", {kGpt2Pattern}},
    {"viking", {kBloom, kDigit}},
};

}  // namespace

const SplitRule* findSplitRule(std::string_view name) {
    const auto* found =
        std::find_if(std::begin(kRules), std::end(kRules), [&](const auto& r) { return r.name == name; });
    return found == std::end(kRules) ? nullptr : found;
}

std::string splitRuleNames() {
    std::string names;
    for (const SplitRule& rule : kRules) names.append(names.empty() ? "" : ", ").append(rule.name);
    return names;
}

}  // namespace espalier
