// SPDX-License-Identifier: GPL-3.0-or-later
// Interrupt: SIGINT and SIGTERM as a stop_token. The first asks for a clean end; a second ends the program at once.
#pragma once

#include <stop_token>

namespace espalier::cli {

// Blocks both signals for this thread and those it starts, and waits for them on a thread of its own. Call once, before
// any other thread is made.
std::stop_token installInterrupt();

}  // namespace espalier::cli
