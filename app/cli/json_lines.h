// SPDX-License-Identifier: GPL-3.0-or-later
// Inputs that several commands share: files of JSON strings.
#pragma once

#include <functional>
#include <string>

#include "app/cli/session.h"

namespace espalier::cli {

// Calls the operation with `texts` for the lines of the file, some at a time, and hands over each result in order.
// Error corrupt_file names the line that is not a JSON string; what came before it has been handed over.
Result<void> forEachLine(Session& session, const std::string& path, const std::string& operation, Json arguments,
                         const std::function<void(const Json& result)>& take);

}  // namespace espalier::cli
