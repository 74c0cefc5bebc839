// SPDX-License-Identifier: GPL-3.0-or-later
// TokenDecoder: the last stage of a tokenizer.json, tokens back to bytes. Every supported "type" works on one token at
// a time (and knows whether it is the first), which is what lets text stream.
// Owner: the tokenizer. Thread: any; decode is const.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/base/json.h"

namespace espalier {

class TokenDecoder {
public:
    virtual ~TokenDecoder() = default;
    // The bytes that `token` adds to the text; isFirst when no token came before it.
    virtual std::string decode(std::string token, bool isFirst) const = 0;
    virtual bool dropsFinalSpace() const { return false; }  // a space that ends the whole text is not part of it
};

// spec: the "decoder" member; null joins tokens with spaces. Errors: unsupported names the type; corrupt_file.
Result<std::unique_ptr<const TokenDecoder>> parseTokenDecoder(const Json& spec, const std::string& where);

}  // namespace espalier
