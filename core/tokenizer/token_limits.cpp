// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/tokenizer/token_limits.h"

namespace espalier {

Error tooMany(const std::string& where, std::string_view what, std::size_t found, std::size_t most) {
    return fail(ErrorCode::TooLarge,
                where + ": " + std::to_string(found) + " " + std::string(what) + ", at most " + std::to_string(most) +
                    " are supported",
                where);
}

Error unknownType(const std::string& where, std::string_view what, std::string_view type, std::string_view known) {
    return fail(ErrorCode::Unsupported,
                where + ": the " + std::string(what) + " " + inQuotes(type) + " is not supported; understood are " +
                    std::string(known),
                where);
}

std::string inQuotes(std::string_view text) {
    return brief(Json(text));
}

std::string byteTokenName(unsigned char byte) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    return {'<', '0', 'x', kDigits[byte >> 4], kDigits[byte & 15], '>'};
}

}  // namespace espalier
