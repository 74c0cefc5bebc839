// SPDX-License-Identifier: GPL-3.0-or-later
// Regex: a pattern of a tokenizer.json (to split at, to replace), written for Oniguruma (Ruby syntax), run by PCRE2
// with JIT. Constructs that the two read differently are spelled anew or refused by name (pattern_translator.h).
// Character properties are those of PCRE2's Unicode version. Thread: any; findAll is const and keeps its working memory
// to itself.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/tokenizer/marked_text.h"

namespace espalier {

class Regex {
public:
    // Errors: too_large over 16 KiB; unsupported with the construct or PCRE2's own sentence.
    static Result<Regex> compile(std::string_view pattern, std::string_view where);
    // A pattern that matches exactly these bytes.
    static Result<Regex> literal(std::string_view text, std::string_view where);

    // The member `key`: {"Regex": pattern} or {"String": text}.
    static Result<Regex> fromJson(const JsonReader& reader, std::string_view key, std::string_view where);

    // Appends every match in order, as Oniguruma's scan does: an empty match is not taken right after another match.
    // Requires: text is well-formed UTF-8. Error unsupported when the pattern needs more steps than are allowed:
    // some thousands at a place, some millions and a few per byte for the places of a text that need more.
    Result<void> findAll(std::string_view text, std::vector<TextRange>& matches) const;

private:
    struct Compiled;
    class Walk;
    explicit Regex(std::shared_ptr<const Compiled> compiled) : m_compiled(std::move(compiled)) {}

    std::shared_ptr<const Compiled> m_compiled;
};

}  // namespace espalier
