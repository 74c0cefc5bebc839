// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/serving/stop_matcher.h"

#include <algorithm>

#include "core/base/check.h"

namespace espalier {

StopMatcher::StopMatcher(const std::vector<std::string>& stops) {
    for (const std::string& stop : stops) {
        CHECK(!stop.empty() && (static_cast<unsigned char>(stop[0]) & 0xC0) != 0x80);
        Automaton automaton{stop, std::vector<std::size_t>(stop.size() + 1, 0), 0};
        for (std::size_t i = 1, border = 0; i < stop.size(); ++i) {
            while (border > 0 && stop[i] != stop[border]) border = automaton.fallback[border];
            if (stop[i] == stop[border]) ++border;
            automaton.fallback[i + 1] = border;
        }
        m_automata.push_back(std::move(automaton));
    }
}

void StopMatcher::Automaton::advance(char byte) {
    while (matched > 0 && stop[matched] != byte) matched = fallback[matched];
    if (stop[matched] == byte) ++matched;
}

bool StopMatcher::push(std::string_view piece, std::string& text) {
    if (m_stopped) return true;
    for (const char byte : piece) {
        m_held.push_back(byte);
        std::size_t complete = 0;
        for (Automaton& automaton : m_automata) {
            automaton.advance(byte);
            if (automaton.matched == automaton.stop.size()) complete = std::max(complete, automaton.matched);
        }
        if (complete > 0) {
            text.append(m_held, 0, m_held.size() - complete);
            m_held.clear();
            return m_stopped = true;
        }
    }
    std::size_t begun = 0;
    for (const Automaton& automaton : m_automata) begun = std::max(begun, automaton.matched);
    text.append(m_held, 0, m_held.size() - begun);
    m_held.erase(0, m_held.size() - begun);
    return false;
}

void StopMatcher::flush(std::string& text) {
    if (!m_stopped) text += m_held;
    m_held.clear();
    for (Automaton& automaton : m_automata) automaton.matched = 0;
}

}  // namespace espalier
