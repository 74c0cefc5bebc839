// SPDX-License-Identifier: GPL-3.0-or-later
// Sizes in three significant figures, where they are read and not compared: "50.9 GiB", "1.17 GiB", "362 MiB".
#pragma once

#include <QString>

namespace espalier::ui {

QString formatBytesBriefly(qint64 bytes);

}  // namespace espalier::ui
