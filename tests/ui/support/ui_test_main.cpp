// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/ui/support/ui_test_main.h"

#include <QStandardPaths>

#include "ui/shell/language.h"

namespace espalier::test {
namespace {

ui::Theme* currentTheme = nullptr;

}  // namespace

int runUiTests(int argc, char** argv, std::span<const Entry> entries) {
    QStandardPaths::setTestModeEnabled(true);
    ui::Application app(argc, argv);
    ui::Theme theme(app);
    theme.choose(ui::ThemeChoice::Light);
    ui::Language language;
    language.use(QStringLiteral("en"));
    currentTheme = &theme;
    int failures = 0;
    bool found = false;
    for (const Entry& entry : entries) {
        const bool named = argc > 1 && std::strcmp(argv[1], entry.name) == 0;
        if (argc > 1 && !named) continue;
        found = true;
        const int skip = named ? 1 : 0;
        argv[skip] = argv[0];
        failures += entry.run(argc - skip, argv + skip);
    }
    if (found) return failures;
    std::fprintf(stderr, "no test class of that name\n");
    return 2;
}

ui::Theme& theme() {
    return *currentTheme;
}

double stallLimitMs() {
#ifdef __SANITIZE_ADDRESS__
    return 8 * ui::StallWatchdog::kLimitMs;
#else
    return ui::StallWatchdog::kLimitMs;
#endif
}

ui::StallWatchdog& watchdog() {
    return static_cast<ui::Application*>(qApp)->watchdog();
}

}  // namespace espalier::test
