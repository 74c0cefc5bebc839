// SPDX-License-Identifier: GPL-3.0-or-later
// PieceTrie: the pieces that a text begins with, all of them in one walk. The children of a node lie side by side,
// sorted by their byte: 12 bytes a node.
// Owner: the model that builds it. Thread: any once built.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/tokenizer/tokenizer.h"

namespace espalier {

class PieceTrie {
public:
    using Entry = std::pair<std::string_view, TokenId>;

    // Of equal texts the largest id counts. Error too_large over 16 MiB of text.
    static Result<PieceTrie> build(std::vector<Entry> entries, const std::string& where);

    bool isEmpty() const { return m_nodes.size() <= 1; }

    // Calls visit(bytes, id) for each piece that text begins with, shortest first.
    template <class Visit>
    void forEachPrefix(std::string_view text, Visit&& visit) const {
        if (m_nodes.empty()) return;
        std::size_t node = 0;
        for (std::size_t taken = 0; taken < text.size();) {
            node = childOf(node, static_cast<std::uint8_t>(text[taken]));
            if (node == 0) return;
            ++taken;
            if (m_nodes[node].id >= 0) visit(taken, m_nodes[node].id);
        }
    }

    // The longest of them; 0 bytes when there is none.
    std::pair<std::size_t, TokenId> longestPrefix(std::string_view text) const {
        std::pair<std::size_t, TokenId> longest{0, -1};
        forEachPrefix(text, [&](std::size_t bytes, TokenId id) { longest = {bytes, id}; });
        return longest;
    }

private:
    struct Node {
        std::uint32_t firstChild = 0;
        std::uint16_t children = 0;
        std::uint8_t label = 0;
        TokenId id = -1;
    };

    std::size_t childOf(std::size_t node, std::uint8_t label) const {  // 0: none
        if (node == 0) return m_roots[label];
        const auto first = m_nodes.begin() + m_nodes[node].firstChild;
        const auto last = first + m_nodes[node].children;
        const auto found =
            std::lower_bound(first, last, label, [](const Node& n, std::uint8_t l) { return n.label < l; });
        return found == last || found->label != label ? 0 : static_cast<std::size_t>(found - m_nodes.begin());
    }

    std::vector<Node> m_nodes;  // the root first
    std::vector<std::uint32_t> m_roots;
};

}  // namespace espalier
