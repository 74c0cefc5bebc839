// SPDX-License-Identifier: GPL-3.0-or-later
// Adapters beside what changes around them: their source and their base's files while they come in, their base on its
// way into the bin and out of the workspace, the list of models of their tenant.
#include <atomic>
#include <fstream>
#include <thread>

#include "core/engine/workspace.h"
#include "tests/core/engine/adapter_fixture.h"
#include "tests/support/fault_injection.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

class TestAdapterSurroundings : public QObject {
    Q_OBJECT

private slots:
    void aFullListOfModels_isSaidBeforeAnythingComesIn() {
        AdapterFixture fixture;
        VERIFY_OK(fixture.start());
        TenantLimits limits;
        for (std::size_t i = 0; i + 1 < kMostTenantModels; ++i) limits.models.push_back("m" + std::to_string(i));
        VERIFY_OK(fixture.engine->tenants().create("bo", limits));
        auto requests = fixture.requests(3);
        for (AdapterImport& request : requests) request.tenant = "bo";
        const auto answers = fixture.engine->importAdapters(requests);
        VERIFY_OK(answers[0]);
        for (const std::size_t i : {1, 2}) {
            QCOMPARE(answers[i].error().code, ErrorCode::TooLarge);
            QVERIFY2(answers[i].error().message.find("tiny:*") != std::string::npos,
                     answers[i].error().message.c_str());
        }
        QCOMPARE(fixture.folders(), std::vector<std::string>{answers[0]->id});
        VERIFY_OK(fixture.engine->removeAdapter("tiny:v0"));  // its name leaves the list with it
        QCOMPARE(fixture.engine->tenants().limitsOf("bo")->models, limits.models);
        VERIFY_OK(fixture.engine->importAdapter(requests[1]));
        limits.models = {"tiny:*"};
        VERIFY_OK(fixture.engine->tenants().limit("bo", limits));
        VERIFY_OK(fixture.engine->importAdapter(requests[2]));
        QCOMPARE(fixture.engine->tenants().limitsOf("bo")->models, limits.models);
        limits.models = {"tiny:v2"};
        VERIFY_OK(fixture.engine->tenants().limit("bo", limits));
        VERIFY_OK(fixture.engine->removeAdapter("tiny:v2"));
        QCOMPARE(fixture.engine->tenants().limitsOf("bo")->models, limits.models);  // none would allow all
    }

    void aListThatFillsMeanwhile_isAWarningOfWhatCameIn() {
        AdapterFixture fixture;
        VERIFY_OK(fixture.start());
        VERIFY_OK(fixture.engine->tenants().create("bo", {.models = {"tiny"}}));
        const Path math = fixture.makeAdapter("math");
        fixture.reopenFaulty();
        TenantLimits full;
        for (std::size_t i = 0; i < kMostTenantModels; ++i) full.models.push_back("m" + std::to_string(i));
        std::once_flag once;
        fixture.faulty.atEachCall([&](std::int64_t, const Path&) {
            std::call_once(once, [&] { CHECK(fixture.engine->tenants().limit("bo", full)); });
        });
        const auto adapter =
            fixture.engine->importAdapter({.path = math.string(), .base = "tiny", .name = {}, .tenant = "bo"});
        VERIFY_OK(adapter);
        QCOMPARE(adapter->warnings.size(), std::size_t{1});
        QVERIFY2(adapter->warnings[0].find("may not use it yet") != std::string::npos, adapter->warnings[0].c_str());
        QCOMPARE(fixture.engine->tenants().limitsOf("bo")->models, full.models);
        QCOMPARE(fixture.engine->adapters().size(), std::size_t{1});
    }
};

ESPALIER_TEST(tst_adapter_surroundings, TestAdapterSurroundings)
#include "tst_adapter_surroundings.moc"
