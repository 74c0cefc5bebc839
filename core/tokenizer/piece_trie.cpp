// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/tokenizer/piece_trie.h"

#include "core/tokenizer/token_limits.h"

namespace espalier {
namespace {

constexpr std::size_t kMaxTextBytes = 16u << 20;

}  // namespace

Result<PieceTrie> PieceTrie::build(std::vector<Entry> entries, const std::string& where) {
    std::size_t bytes = 0;
    for (const Entry& entry : entries) bytes += entry.first.size();
    if (bytes > kMaxTextBytes) return tooMany(where, "bytes in the tokens together", bytes, kMaxTextBytes);
    std::sort(entries.begin(), entries.end());
    PieceTrie trie;
    // Level by level: each node knows which entries pass through it.
    struct Range {
        std::size_t begin, end;
    };
    std::vector<Range> level{{0, entries.size()}};
    trie.m_nodes.emplace_back();
    for (std::size_t depth = 0, node = 0; !level.empty(); ++depth) {
        std::vector<Range> below;
        for (const Range& range : level) {
            std::size_t at = range.begin;
            while (at < range.end && entries[at].first.size() == depth) trie.m_nodes[node].id = entries[at++].second;
            trie.m_nodes[node].firstChild = static_cast<std::uint32_t>(trie.m_nodes.size());
            while (at < range.end) {
                const auto label = static_cast<std::uint8_t>(entries[at].first[depth]);
                const std::size_t begin = at;
                while (at < range.end && static_cast<std::uint8_t>(entries[at].first[depth]) == label) ++at;
                below.push_back({begin, at});
                trie.m_nodes.push_back({.label = label});
                ++trie.m_nodes[node].children;
            }
            ++node;
        }
        level = std::move(below);
    }
    trie.m_roots.assign(256, 0);
    for (std::size_t i = 0; i < trie.m_nodes[0].children; ++i)
        trie.m_roots[trie.m_nodes[1 + i].label] = static_cast<std::uint32_t>(1 + i);
    return trie;
}

}  // namespace espalier
