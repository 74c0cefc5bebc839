// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/test_main.h"

#include <QCoreApplication>
#include <cstdio>
#include <cstring>

namespace espalier::test {

int runTests(int argc, char** argv, std::span<const Entry> entries) {
    QCoreApplication app(argc, argv);
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
    if (!found) {
        std::fprintf(stderr, "no test class of that name\n");
        return 2;
    }
    return failures;
}

}  // namespace espalier::test
