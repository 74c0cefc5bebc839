// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/shell_text.h"

namespace espalier {

std::string shellQuoted(std::string_view word) {
    const bool isPlain = !word.empty() && word.find_first_not_of(
                                              "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                              "0123456789_-./:=@%+,") == std::string_view::npos;
    if (isPlain) return std::string(word);
    std::string quoted = "'";
    for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return quoted + "'";
}

}  // namespace espalier
