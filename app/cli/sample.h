// SPDX-License-Identifier: GPL-3.0-or-later
// The sample that ships with the program, and the import it shares with the command.
#pragma once

#include "app/cli/session.h"

namespace espalier::cli {

// Imports with a progress bar; the answer is the model's record.
Result<Json> importModel(Session& session, const Json& arguments);

// {workspace, models, tenants, adapters}: a model, its adapters, and three tenants, each with an adapter that only its
// keys may name. Tenants come without keys: a key is shown once, to whoever asks for it. What a workspace has already
// stays as it is.
Result<Json> makeSampleWorkspace(Session& session, const std::string& folder);

}  // namespace espalier::cli
