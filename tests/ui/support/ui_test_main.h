// SPDX-License-Identifier: GPL-3.0-or-later
// The main of the workbench's tests: one Application with the theme, as in the program; `test_ui tst_x [slot...]` runs
// one class.
#pragma once

#include <QTest>
#include <span>

#include "tests/support/test_main.h"
#include "ui/shell/stall_watchdog.h"
#include "ui/shell/theme.h"

namespace espalier::test {

int runUiTests(int argc, char** argv, std::span<const Entry> entries);
ui::Theme& theme();  // of the application under test
ui::StallWatchdog& watchdog();
double stallLimitMs();  // of one event; a sanitizer makes everything several times slower

}  // namespace espalier::test
