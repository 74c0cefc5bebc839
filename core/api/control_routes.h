// SPDX-License-Identifier: GPL-3.0-or-later
// The control protocol over HTTP: POST /control/<operation> and GET /control/events. `generate` with "stream": true
// answers with server-sent events `text`, then `result` or `error`.
#pragma once

#include <vector>

#include "core/api/control.h"
#include "core/api/event_streams.h"
#include "core/api/router.h"

namespace espalier {

// Requires: control and events outlive the routes.
std::vector<Route> controlRoutes(ControlPort& control, EventStreams& events);

}  // namespace espalier
