// SPDX-License-Identifier: GPL-3.0-or-later
// Vocabulary: the two-way table between a model's tokens, as spelled in the file, and their ids.
// Owner: the model that reads it. Thread: any once filled.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/tokenizer/tokenizer.h"

namespace espalier {

class Vocabulary {
public:
    // False when the token or the id is there already.
    bool insert(std::string token, TokenId id);

    std::optional<TokenId> idOf(std::string_view token) const;
    const std::string* tokenOf(TokenId id) const;  // nullptr when there is none
    template <class Visit>
    void forEach(Visit&& visit) const {  // visit(token, id), in no order
        for (const auto& [token, id] : m_ids) visit(std::string_view(token), id);
    }
    std::size_t size() const { return m_ids.size(); }
    TokenId largestId() const { return m_largest; }  // -1 when empty

private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
    };
    std::unordered_map<std::string, TokenId, Hash, std::equal_to<>> m_ids;
    std::unordered_map<TokenId, const std::string*> m_tokens;  // keys of m_ids: their addresses never change
    TokenId m_largest = -1;
};

}  // namespace espalier
