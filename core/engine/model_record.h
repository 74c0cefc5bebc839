// SPDX-License-Identifier: GPL-3.0-or-later
// A model's record as the engine speaks of it, to and from the catalog's row.
#pragma once

#include "core/engine/messages.h"
#include "core/store/catalog.h"

namespace espalier {

Result<ModelRecord> modelRecordOf(const CatalogRow& row);  // error database: the row's JSON does not read

// What the digest makes of a model's id.
std::string modelIdOf(std::string_view digest);

}  // namespace espalier
