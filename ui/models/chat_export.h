// SPDX-License-Identifier: GPL-3.0-or-later
// A request of the Playground as a program somebody can run: the key is a variable of the environment, never in the
// text.
#pragma once

#include "ui/bridge/chat_stream.h"
#include "ui/bridge/daemon_launcher.h"

namespace espalier::ui {

// For a POSIX shell. ESPALIER_KEY is used when it is set, else the key file of the daemon is read where one is known.
QString asCurl(const ChatRequest& request, const DaemonAddress& address);
// For the `openai` client; what OpenAI's API does not know goes into extra_body.
QString asPython(const ChatRequest& request, const DaemonAddress& address);

}  // namespace espalier::ui
