// SPDX-License-Identifier: GPL-3.0-or-later
// COMPARE_JSON(actual, expected): equal as JSON values; the failure shows the actual one.
#pragma once

#include <QTest>

#include "core/base/json.h"

#define COMPARE_JSON(actual, expected) \
    QVERIFY2(::espalier::Json(actual) == ::espalier::Json(expected), ::espalier::dumpJson(actual).c_str())
