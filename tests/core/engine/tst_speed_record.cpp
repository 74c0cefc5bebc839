// SPDX-License-Identifier: GPL-3.0-or-later
// Predicted tokens per second: what is kept of the machine, what the run log keeps of answers, and that an answer alone
// comes back as the error of its prediction.
#include "core/engine/speed_record.h"
#include "tests/core/engine/engine_fixture.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

class TestSpeedRecord : public QObject {
    Q_OBJECT
private slots:
    void aMeasurementIsOfOneDevice() {
        EngineFixture fixture;
        QVERIFY(fixture.files->makeDirectories(fixture.workspace));
        QVERIFY(!machineSpeed(*fixture.files, fixture.workspace, "cpu, 2 threads"));
        VERIFY_OK(keepMachineSpeed(*fixture.files, fixture.workspace, {"cpu, 2 threads", 40.5, 500.0, 123}));
        const auto kept = machineSpeed(*fixture.files, fixture.workspace, "cpu, 2 threads");
        QVERIFY(kept);
        QCOMPARE(kept->readGigabytesPerSecond, 40.5);
        QCOMPARE(kept->fmaGflops, 500.0);
        QCOMPARE(kept->measuredAt, std::int64_t{123});
        QVERIFY(!machineSpeed(*fixture.files, fixture.workspace, "cpu, 4 threads"));
        for (const char* damaged :
             {"", "[]", "{", R"({"device":"cpu, 2 threads"})", R"({"device":1,"read_gb_per_s":3})",
              R"({"device":"cpu, 2 threads","read_gb_per_s":-3})",
              R"({"device":"cpu, 2 threads","read_gb_per_s":"fast"})"}) {
            writeFile(fixture.workspace / "machine.json", damaged);
            QVERIFY2(!machineSpeed(*fixture.files, fixture.workspace, "cpu, 2 threads"), damaged);
        }
    }

    void aPredictionIsBytesOverBandwidth() {
        MemoryEstimate model;
        const MachineSpeed machine{"cpu", 10.0, 0.0, 0};
        QCOMPARE(predictedTokensPerS(machine, model, 0), 0.0);  // an encoder
        model.decodeBytes = 1'000'000'000;
        model.kvBytesPerToken = 1'000'000;
        QCOMPARE(predictedTokensPerS(machine, model, 0), 10.0);
        QCOMPARE(predictedTokensPerS(machine, model, 1000), 5.0);
        QVERIFY(speedJson(std::nullopt, model, 2048, {}).is_null());
        QVERIFY(speedJson(machine, {}, 2048, {}).is_null());
        QCOMPARE(speedJson(machine, model, 1000, {})["tokens_per_s"].get<double>(), 5.0);
    }

    void linesOfTheRunLogAreReadBack() {
        for (const char* name : {"tiny", "a \"quoted\" name", "x\" answered alone at 3 tokens/s, predicted 4", ""}) {
            const auto back = speedRecordOf(speedLine({name, 12.3, 45.6}));
            QVERIFY2(back, name);
            QCOMPARE(back->model, std::string(name));
            QCOMPARE(back->measured, 12.3);
            QCOMPARE(back->predicted, 45.6);
        }
        for (const char* line : {"", "loading \"tiny\"", "\"tiny\" answered alone at fast tokens/s, predicted 4",
                                 "\"tiny\" answered alone at 3 tokens/s, predicted 0",
                                 "\"tiny\" answered alone at 3 tokens/s, predicted 4 or so",
                                 "\" answered alone at  tokens/s, predicted 4"})
            QVERIFY2(!speedRecordOf(line), line);
    }

    void thePastOfAModelCountsBeforeThatOfOthers() {
        std::vector<LogRecord> log;
        const auto add = [&](const char* model, double measured) {
            LogRecord line;
            line.text = speedLine({model, measured, 100.0});
            log.push_back(line);
        };
        QCOMPARE(pastSpeeds(log, "a").runs, std::int64_t{0});
        for (const double measured : {70.0, 80.0, 95.0}) add("a", measured);
        add("b", 50.0);
        log.push_back({});
        QCOMPARE(pastSpeeds(log, "a").runs, std::int64_t{3});
        QVERIFY(std::abs(pastSpeeds(log, "a").error + 0.2) < 1e-9);
        QCOMPARE(pastSpeeds(log, "a").last->measured, 95.0);
        QCOMPARE(pastSpeeds(log, "c").runs, std::int64_t{4});
    }

    void anAnswerAloneIsHeldAgainstItsPrediction() {
        EngineFixture fixture;
        const Path folder = fixture.makeModel("tiny");
        auto opened = fixture.open();
        VERIFY_OK(opened);
        Engine& engine = **opened;
        VERIFY_OK(importAndWait(engine, {.path = folder.string()}));
        VERIFY_OK(
            keepMachineSpeed(*fixture.files, fixture.workspace, {fixture.backend->device().name, 20.0, 100.0, 1}));
        QCOMPARE(pastSpeeds(engine.newestLog(100), "tiny").runs, std::int64_t{0});
        Collector collector;
        Request request;
        request.prompt = {5, 6, 7};
        request.maxTokens = 80;
        request.stopIds = {};
        request.sink = collector.sink();
        VERIFY_OK(engine.submit("tiny", std::move(request)));
        QCOMPARE(idsOf(collector.wait()).size(), std::size_t{80});
        const auto isWritten = [&] { return pastSpeeds(engine.newestLog(100), "tiny").runs == 1; };
        QTRY_VERIFY_WITH_TIMEOUT(isWritten(), 60000);
        const auto last = pastSpeeds(engine.newestLog(100), "tiny").last;
        QVERIFY(last->measured > 0.0 && last->predicted > last->measured);  // nothing here reads 20 GB/s
    }
};
ESPALIER_TEST(tst_speed_record, TestSpeedRecord)
#include "tst_speed_record.moc"
