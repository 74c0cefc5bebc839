// SPDX-License-Identifier: GPL-3.0-or-later
#include <QTest>
#include <stdexcept>

#include "core/base/caught.h"
#include "tests/support/allocations.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

class TestCaught : public QObject {
    Q_OBJECT

private slots:
    void whatNothingThrows_isGivenAsItIs() {
        QCOMPARE(caught("the test", []() -> Result<int> { return 7; }).value(), 7);
        const auto failed = caught("the test", []() -> Result<int> { return fail(ErrorCode::NotFound, "no"); });
        QCOMPARE(failed.error().code, ErrorCode::NotFound);
    }

    void anException_isAnErrorThatSaysWhomItBefell() {
        const auto surprised = caught("the test", []() -> Result<void> { throw std::runtime_error("boo"); });
        QCOMPARE(surprised.error().code, ErrorCode::Internal);
        QCOMPARE(surprised.error().message, std::string("the test met a surprise: boo"));
        const auto strange = caught("the test", []() -> Result<void> { throw 1; });
        QCOMPARE(strange.error().code, ErrorCode::Internal);
        const auto starved = caught("the test", []() -> Result<void> { throw std::bad_alloc(); });
        QCOMPARE(starved.error().code, ErrorCode::PoolExhausted);
        QCOMPARE(starved.error().message, std::string("the test ran out of memory; ask again"));
    }

    void withoutMemoryForTheSentence_theErrorStands() {
        const auto starved = caught("the test of what is left", []() -> Result<void> {
            failAllocation(1);  // the next one is the sentence's
            throw std::bad_alloc();
        });
        QCOMPARE(failAllocation(0), 0);  // it has failed
        QCOMPARE(starved.error().code, ErrorCode::PoolExhausted);
        QCOMPARE(starved.error().message, std::string("no memory"));
        const auto surprised = caught("the test", []() -> Result<void> {
            const std::runtime_error boo("boo");
            failAllocation(1);
            throw boo;
        });
        QCOMPARE(failAllocation(0), 0);
        QCOMPARE(surprised.error().code, ErrorCode::Internal);
    }
};

ESPALIER_TEST(tst_caught, TestCaught)
#include "tst_caught.moc"
