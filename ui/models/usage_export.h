// SPDX-License-Identifier: GPL-3.0-or-later
// What tenants used, as a file: CSV with the columns of `espalierctl usage --csv`, or the JSON of `espalierctl usage
// --json`.
#pragma once

#include <QString>

#include "core/base/json.h"
#include "core/base/result.h"

namespace espalier::ui {

QString usageCsv(const Json& usage);  // an array of Usage (core/api/tenant_protocol.h)
// By the name's ending: ".json", anything else is CSV. Nothing is left half written. Error io_error.
Result<void> saveUsage(const QString& path, const Json& usage);

}  // namespace espalier::ui
