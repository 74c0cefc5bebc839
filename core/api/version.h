// SPDX-License-Identifier: GPL-3.0-or-later
// The version of the program, from CMake's project().
#pragma once

namespace espalier {
constexpr const char* kVersion = ESPALIER_VERSION;
}
