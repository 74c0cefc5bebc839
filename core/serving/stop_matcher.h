// SPDX-License-Identifier: GPL-3.0-or-later
// StopMatcher: finds stop strings in text that comes in pieces. Text that may be the beginning of a stop string is held
// back until it is known not to be one; the stop string and all after it are dropped, as the OpenAI API defines it. The
// stop that is complete first wins; of two complete at the same byte, the longer one. One Knuth-Morris-Pratt automaton
// per string: each byte costs amortised O(number of stops), whatever the strings are.
//
// Owner: a sequence. Thread: engine.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace espalier {

class StopMatcher {
public:
    // Requires: no stop is empty and none begins inside a UTF-8 character (so that held text begins at one).
    explicit StopMatcher(const std::vector<std::string>& stops);

    // Takes the next piece, appends to `text` what may be shown now. true: a stop string is complete, nothing more will
    // be shown; later calls have no effect.
    bool push(std::string_view piece, std::string& text);

    // The answer ended otherwise: appends what was held back.
    void flush(std::string& text);

private:
    struct Automaton {
        std::string stop;
        std::vector<std::size_t> fallback;  // [i]: longest proper border of the first i bytes
        std::size_t matched = 0;
        void advance(char byte);
    };
    std::vector<Automaton> m_automata;
    std::string m_held;
    bool m_stopped = false;
};

}  // namespace espalier
