// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/tokenizer/vocabulary.h"

#include <algorithm>

namespace espalier {

bool Vocabulary::insert(std::string token, TokenId id) {
    if (m_tokens.contains(id)) return false;
    const auto [entry, isNew] = m_ids.emplace(std::move(token), id);
    if (!isNew) return false;
    m_tokens.emplace(id, &entry->first);
    m_largest = std::max(m_largest, id);
    return true;
}

std::optional<TokenId> Vocabulary::idOf(std::string_view token) const {
    const auto found = m_ids.find(token);
    return found == m_ids.end() ? std::nullopt : std::optional(found->second);
}

const std::string* Vocabulary::tokenOf(TokenId id) const {
    const auto found = m_tokens.find(id);
    return found == m_tokens.end() ? nullptr : found->second;
}

}  // namespace espalier
