// SPDX-License-Identifier: GPL-3.0-or-later
// The pages of the window in their order, and the names by which --page, the session and tests call them.
#pragma once

#include <array>

namespace espalier::ui {

enum PageIndex { kHome, kModels, kServe, kPlayground, kTenants, kConnect, kPreferences, kCommands, kAbout, kPageCount };
inline constexpr std::array<const char*, kPageCount> kPageNames{
    "home", "models", "serve", "playground", "tenants", "workspaces", "preferences", "commands", "about"};

}  // namespace espalier::ui
