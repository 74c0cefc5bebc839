// SPDX-License-Identifier: GPL-3.0-or-later
#include <QTest>

#include "core/compute/bench_ops.h"
#include "core/compute/cpu/cpu_backend.h"
#include "core/compute/measure.h"
#include "core/compute/reference/reference_backend.h"
#include "tests/support/test_main.h"

using namespace espalier;

class TestMeasure : public QObject {
    Q_OBJECT
private slots:
    void figuresAreThereAndPositive() {
        const auto backend = makeCpuBackend({.threads = 2});
        const auto machine = measureMachine(*backend);
        QVERIFY(machine);
        QVERIFY(machine->readGigabytesPerSecond > 0.0 && machine->fmaGflops > 0.0);
        QCOMPARE(machine->threads, 2);
        QCOMPARE(machine->isa, std::string(isaName(bestIsa())));
    }
    void benchOps_reportsEachFigureOnce() {
        const auto backend = makeCpuBackend({.threads = 2});
        int reported = 0;
        BenchOptions options{"tiny", true, "", 16 << 20, [&](const OpFigure&) { ++reported; }};
        const auto figures = benchOps(*backend, options);
        QVERIFY(figures);
        QCOMPARE(static_cast<int>(figures->size()), reported);
        QVERIFY(reported >= 12);
        for (const OpFigure& figure : *figures)
            QVERIFY(figure.microseconds > 0.0 && figure.gigabytesPerSecond > 0.0 && figure.shareOfBandwidth > 0.0);
        options.op = "norm";
        const auto norms = benchOps(*backend, options);
        QVERIFY(norms && !norms->empty());
        for (const OpFigure& figure : *norms) QCOMPARE(figure.op, std::string("norm"));
    }
    // More threads than processors, one that has no companion, a block smaller than a slice of each.
    void probes_endWithAnyNumberOfThreads() {
        for (const int threads : {1, 2, 7}) {
            const auto backend = makeCpuBackend({.threads = threads});
            auto probe = BandwidthProbe::make(*backend, 1 << 20);
            QVERIFY(probe);
            for (int i = 0; i < 3; ++i) QVERIFY(probe->gigabytesPerSecond() > 0.0);
            QVERIFY(peakGflops(*backend).value() > 0.0);
        }
    }
    void aStop_endsTheMeasuringWithinAFigure() {
        const auto backend = makeCpuBackend({.threads = 1});
        std::stop_source stop;
        int reported = 0;
        BenchOptions options{"tiny", true, "", 16 << 20, {}, stop.get_token()};
        options.onFigure = [&](const OpFigure&) {
            ++reported;
            stop.request_stop();
        };
        QCOMPARE(benchOps(*backend, options).error().code, ErrorCode::Cancelled);
        QCOMPARE(reported, 1);
    }
    void errors_nameWhatIsWrong() {
        const auto backend = makeCpuBackend({.threads = 1});
        const auto unknown = benchOps(*backend, {"13x", true, "", 1 << 20, {}});
        QCOMPARE(unknown.error().code, ErrorCode::InvalidArgument);
        QVERIFY(unknown.error().message.find("llama-7b") != std::string::npos);
        const auto reference = makeReferenceBackend();
        QCOMPARE(measureMachine(*reference).error().code, ErrorCode::Unsupported);
        const auto small = makeCpuBackend({.threads = 1, .memoryLimit = 1 << 20});
        QCOMPARE(benchOps(*small, {"tiny", true, "", 16 << 20, {}}).error().code, ErrorCode::PoolExhausted);
    }
};
ESPALIER_TEST(tst_measure, TestMeasure)
#include "tst_measure.moc"
