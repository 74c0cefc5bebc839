// SPDX-License-Identifier: GPL-3.0-or-later
// The shared main of the test executables: `test_base` runs every class, `test_base tst_hash [slot...]` runs one.
#pragma once

#include <QTest>
#include <span>

namespace espalier::test {

struct Entry {
    const char* name;
    int (*run)(int argc, char** argv);
};

int runTests(int argc, char** argv, std::span<const Entry> entries);

}  // namespace espalier::test

// Ends a tst_ file: ESPALIER_TEST(tst_hash, TestHash) makes the class known to the generated main.
#define ESPALIER_TEST(stem, Class)              \
    int run_##stem(int argc, char** argv) {     \
        Class test;                             \
        return QTest::qExec(&test, argc, argv); \
    }
