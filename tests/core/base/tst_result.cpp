// SPDX-License-Identifier: GPL-3.0-or-later
#include <QTest>

#include "core/base/json.h"
#include "core/base/result.h"
#include "tests/support/test_main.h"

using namespace espalier;

class TestResult : public QObject {
    Q_OBJECT
private slots:
    void everyCodeHasANameThatReadsBack() {
        for (int i = 0; i <= static_cast<int>(ErrorCode::Internal); ++i) {
            const auto code = static_cast<ErrorCode>(i);
            QCOMPARE(codeFromName(codeName(code)), std::optional(code));
        }
    }
    void json_refusesDuplicateKeysAndDeepNesting() {
        const auto twice = parseJson(R"({"a":1,"b":{"c":1,"c":2}})", "x.json");
        QVERIFY(!twice);
        QVERIFY(twice.error().message.find("\"c\" stands twice") != std::string::npos);
        QCOMPARE(parseJson(std::string(100, '['), "x.json").error().code, ErrorCode::CorruptFile);
        QVERIFY(parseJson(R"({"a":[{"a":1},{"a":2}]})", "x.json").has_value());
    }
};
ESPALIER_TEST(tst_result, TestResult)
#include "tst_result.moc"
