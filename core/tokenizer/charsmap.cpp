// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/tokenizer/charsmap.h"

#include <algorithm>
#include <utility>

#include "core/tokenizer/utf8.h"

namespace espalier {
namespace {

constexpr std::size_t kMaxBytes = 16u << 20;
constexpr std::size_t kMaxRuleBytes = 256;

// A unit: the label of its edge in the low byte (bit 31 marks a value instead), whether a value hangs below it, and the
// offset of its children.
constexpr std::uint32_t kIsValue = 1u << 31;
constexpr std::uint32_t labelOf(std::uint32_t unit) {
    return unit & (kIsValue | 0xFF);
}
constexpr bool hasValue(std::uint32_t unit) {
    return (unit >> 8 & 1) != 0;
}
constexpr std::uint32_t offsetOf(std::uint32_t unit) {
    return (unit >> 10) << ((unit & (1u << 9)) >> 6);
}

std::uint32_t readU32(std::string_view bytes, std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) value |= std::uint32_t{static_cast<unsigned char>(bytes[at + i])} << (8 * i);
    return value;
}

// The edges of the array by where their parent's children begin.
class Edges {
public:
    explicit Edges(const std::vector<std::uint32_t>& units) {
        for (std::uint32_t at = 0; at < units.size(); ++at)
            if ((units[at] & kIsValue) == 0 && labelOf(units[at]) != 0)
                m_edges.emplace_back(at ^ labelOf(units[at]), at);
        std::sort(m_edges.begin(), m_edges.end());
    }
    std::size_t first(std::uint32_t base) const {
        return static_cast<std::size_t>(std::lower_bound(m_edges.begin(), m_edges.end(), std::pair(base, 0u)) -
                                        m_edges.begin());
    }
    bool isOf(std::size_t edge, std::uint32_t base) const {
        return edge < m_edges.size() && m_edges[edge].first == base;
    }
    std::uint32_t child(std::size_t edge) const { return m_edges[edge].second; }

private:
    std::vector<std::pair<std::uint32_t, std::uint32_t>> m_edges;
};

}  // namespace

Result<Charsmap> Charsmap::parse(std::string_view bytes, const std::string& where) {
    const auto broken = [&](const std::string& sentence) {
        return fail(ErrorCode::CorruptFile, where + " " + sentence, where);
    };
    if (bytes.size() > kMaxBytes)
        return fail(ErrorCode::TooLarge,
                    where + " has " + std::to_string(bytes.size()) + " bytes, at most " + std::to_string(kMaxBytes) +
                        " are read",
                    where);
    if (bytes.size() < 8) return broken("has " + std::to_string(bytes.size()) + " bytes, too few for a trie");
    const std::size_t arrayBytes = readU32(bytes, 0);
    if (arrayBytes < 4 || arrayBytes % 4 != 0 || arrayBytes >= bytes.size() - 4)
        return broken("says that its trie has " + std::to_string(arrayBytes) +
                      " bytes, expected a multiple of 4 below " + std::to_string(bytes.size() - 4));
    Charsmap map;
    map.m_units.resize(arrayBytes / 4);
    for (std::size_t i = 0; i < map.m_units.size(); ++i) map.m_units[i] = readU32(bytes, 4 + 4 * i);
    map.m_replacements = bytes.substr(4 + arrayBytes);
    if (map.m_replacements.back() != '\0') return broken("does not end its replacements with a zero byte");
    if (!isValidUtf8(map.m_replacements)) return broken("holds replacements that are not UTF-8");
    TRY(map.checkTrie(where));
    return map;
}

bool Charsmap::isReplacement(std::size_t at) const {
    return at < m_replacements.size() && (static_cast<unsigned char>(m_replacements[at]) & 0xC0) != 0x80;
}

// Depth first over the bases, each once: branches may share their ends, but none may lead back to itself.
Result<void> Charsmap::checkTrie(const std::string& where) const {
    const auto broken = [&](const std::string& sentence) {
        return fail(ErrorCode::CorruptFile, where + " " + sentence, where);
    };
    enum : std::uint8_t { kNew, kOpen, kDone };
    struct Step {
        std::uint32_t base;
        std::size_t edge;
    };
    const Edges edges(m_units);
    const std::size_t bases = m_units.size() + 256;
    std::vector<std::uint8_t> state(bases, kNew);
    std::vector<std::uint16_t> height(bases, 0);  // bytes of the longest rule below
    std::vector<Step> path;
    const auto open = [&](std::uint32_t base) -> Result<void> {
        if (base >= bases) return broken("leads outside of its trie, to unit " + std::to_string(base));
        if (state[base] == kOpen) return broken("has a trie that leads back into itself");
        if (path.size() + height[base] > kMaxRuleBytes)
            return broken("has a rule of more than " + std::to_string(kMaxRuleBytes) + " bytes");
        if (state[base] == kDone) {
            height[path.back().base] = std::max<std::uint16_t>(height[path.back().base], height[base] + 1);
            return {};
        }
        state[base] = kOpen;
        path.push_back({base, edges.first(base)});
        return {};
    };
    TRY(open(offsetOf(m_units[0])));
    while (!path.empty()) {
        Step& step = path.back();
        if (!edges.isOf(step.edge, step.base)) {
            const std::uint32_t done = step.base;
            state[done] = kDone;
            path.pop_back();
            if (!path.empty())
                height[path.back().base] = std::max<std::uint16_t>(height[path.back().base], height[done] + 1);
            continue;
        }
        const std::uint32_t child = edges.child(step.edge++);
        const std::uint32_t base = child ^ offsetOf(m_units[child]);
        if (hasValue(m_units[child])) {
            if (base >= m_units.size()) return broken("leads outside of its trie, to unit " + std::to_string(base));
            const std::uint32_t value = m_units[base] & ~kIsValue;
            if (!isReplacement(value))
                return broken("has a rule whose replacement is at byte " + std::to_string(value) + " of " +
                              std::to_string(m_replacements.size()));
        }
        TRY(open(base));
    }
    return {};
}

std::string_view Charsmap::replacementAt(std::size_t at) const {
    const std::string_view rest = std::string_view(m_replacements).substr(at);
    return rest.substr(0, rest.find('\0'));
}

// visit(bytes, place of the replacement) for each rule that text begins with, shortest first, until it says stop.
template <class Visit>
void Charsmap::forEachRule(std::string_view text, Visit&& visit) const {
    std::uint32_t base = offsetOf(m_units[0]);
    for (std::size_t taken = 0; taken < text.size();) {
        const std::uint32_t label = static_cast<unsigned char>(text[taken]);
        const std::uint32_t child = base ^ label;
        if (label == 0 || child >= m_units.size() || labelOf(m_units[child]) != label) return;
        ++taken;
        base = child ^ offsetOf(m_units[child]);
        if (hasValue(m_units[child]) && !visit(taken, m_units[base] & ~kIsValue)) return;
    }
}

std::optional<Charsmap::Rule> Charsmap::shortest(std::string_view text) const {
    std::optional<Rule> found;
    forEachRule(text, [&](std::size_t bytes, std::uint32_t at) {
        found = Rule{bytes, replacementAt(at)};
        return false;
    });
    return found;
}

std::optional<Charsmap::Rule> Charsmap::longest(std::string_view text) const {
    std::size_t bytes = 0;
    std::uint32_t place = 0;
    forEachRule(text, [&](std::size_t length, std::uint32_t at) {
        bytes = length;
        place = at;
        return true;
    });
    return bytes == 0 ? std::nullopt : std::optional(Rule{bytes, replacementAt(place)});
}

}  // namespace espalier
