// SPDX-License-Identifier: GPL-3.0-or-later
// Charsmap: the compiled normalisation rules of a SentencePiece model: a double array over byte strings (darts-clone,
// Yata) whose values are places in a list of replacements that zero bytes end. It comes from disk: parse() walks all of
// it, so that a look-up cannot leave it, loop, or give half a character.
// Thread: any once parsed. Layout: <bytes of the array: u32><units: u32 each><replacements>, little-endian.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace espalier {

class Charsmap {
public:
    struct Rule {
        std::size_t bytes;  // of the text that it replaces
        std::string_view replacement;
    };

    // Errors: corrupt_file, too_large (over 16 MiB).
    static Result<Charsmap> parse(std::string_view bytes, const std::string& where);

    std::optional<Rule> shortest(std::string_view text) const;  // that text begins with
    std::optional<Rule> longest(std::string_view text) const;

private:
    Result<void> checkTrie(const std::string& where) const;
    bool isReplacement(std::size_t at) const;
    std::string_view replacementAt(std::size_t at) const;
    template <class Visit>
    void forEachRule(std::string_view text, Visit&& visit) const;

    std::vector<std::uint32_t> m_units;
    std::string m_replacements;  // ends in a zero byte
};

}  // namespace espalier
