// SPDX-License-Identifier: GPL-3.0-or-later
// Which processors this process may use, which of them share a core, and threads that keep to one of them.
//
// Thread: any; keepTo and the like speak of the calling thread.
#pragma once

#include <sched.h>

#include <optional>
#include <string>
#include <vector>

namespace espalier {

struct Processor {
    int id = 0;
    int core = 0;  // equal for processors that share one
};

struct Processors {
    std::vector<Processor> allowed;  // ascending
    bool areAll = false;             // nobody narrowed the choice: every processor that is online
};
Processors processorsHere();

// A processor for each of `threads` threads, each on a core of its own. Empty where the system places them better:
// fewer cores than threads, or a choice that somebody narrowed (who does that has plans of their own), or one thread
// alone.
std::vector<int> placesFor(const Processors& processors, int threads);

// From now on this thread runs on `processor` alone; false when the system refuses.
bool keepTo(int processor);
// Where this thread could run before it was told to keep to one; nothing when it never was. A thread that it starts
// inherits its place and wants to take this instead.
std::optional<cpu_set_t> homeBeforeKeeping();
void returnTo(const std::optional<cpu_set_t>& home);

// Held by the one engine of this machine that places its threads: two of them would put theirs on the same cores and
// wait for each other. Lasts as long as the object, and no longer than the process.
class PlacingRight {
public:
    PlacingRight() = default;
    PlacingRight(PlacingRight&& other) noexcept;
    PlacingRight& operator=(PlacingRight&& other) noexcept;
    ~PlacingRight();

    // Not held when somebody else on this machine holds the right of that name.
    static PlacingRight take(const std::string& name = "espalier-placing");
    bool isHeld() const { return m_socket >= 0; }

private:
    int m_socket = -1;
};

}  // namespace espalier
