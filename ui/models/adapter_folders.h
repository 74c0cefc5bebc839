// SPDX-License-Identifier: GPL-3.0-or-later
// What a folder of this machine is to an import of adapters; looked at on the disk, no more than needed.
#pragma once

#include <QString>

namespace espalier::ui {

bool isAdapterFolder(const QString& folder);
// A folder that is no model and holds adapter folders; of very many entries only the first few hundred are looked at.
bool holdsAdapterFolders(const QString& folder);

}  // namespace espalier::ui
