// SPDX-License-Identifier: GPL-3.0-or-later
// A decode step allocates nothing: not in the plan, not in the model, not for the answer. What a sequence needs it gets
// when it is admitted, what a step needs stays from the first one like it.
#include <QTest>

#include "core/compute/cpu/cpu_backend.h"
#include "core/serving/serving_loop.h"
#include "tests/support/allocations.h"
#include "tests/support/fake_transformer.h"
#include "tests/support/model_runner.h"
#include "tests/support/test_main.h"
#include "tests/support/tiny_model.h"

using namespace espalier;
using namespace espalier::test;

namespace {

constexpr std::int32_t kAnswer = 100;

ServingOptions optionsOf(DType kv, bool prefixCache) {
    ServingOptions options;
    options.poolPages = 200;
    options.maxSequences = 8;
    options.kvType = kv;
    options.prefixCache = prefixCache;
    return options;
}

}  // namespace

class TestStepMemory : public QObject {
    Q_OBJECT
private slots:
    void aDecodeStepAllocatesNothing_data() {
        QTest::addColumn<int>("weights");
        QTest::addColumn<int>("kv");
        QTest::addColumn<int>("mode");
        QTest::addColumn<bool>("prefixCache");
        const auto row = [](const char* name, DType weights, DType kv, ComputeMode mode, bool cache) {
            QTest::addRow("%s", name) << static_cast<int>(weights) << static_cast<int>(kv) << static_cast<int>(mode)
                                      << cache;
        };
        row("f32", DType::F32, DType::F32, ComputeMode::F32, false);
        row("bf16 in bf16, kv bf16", DType::BF16, DType::BF16, ComputeMode::Bf16, false);
        row("f16, kv f16", DType::F16, DType::F16, ComputeMode::F32, false);
        row("f32, prefix cache", DType::F32, DType::F32, ComputeMode::F32, true);
    }
    void aDecodeStepAllocatesNothing() {
        QFETCH(int, weights);
        QFETCH(int, kv);
        QFETCH(int, mode);
        QFETCH(bool, prefixCache);
        QTemporaryDir folder;
        const Path path = Path(folder.path().toStdString()) / "model";
        TinyModelOptions tiny;
        tiny.dtype = static_cast<DType>(weights);
        writeTinyModel(path, tiny);
        const auto backend = makeCpuBackend({.threads = 2, .compute = static_cast<ComputeMode>(mode)});
        const LoadedModel model = loadModel(*backend, path);
        SystemClock clock;
        const auto loop = std::move(ServingLoop::create(*backend, *model.transformer, nullptr,
                                                        optionsOf(static_cast<DType>(kv), prefixCache), clock)
                                        .value());
        int chunks = 0, ended = 0;
        for (std::uint64_t i = 0; i < 8; ++i) {
            Request request;
            request.id = {i + 1};
            request.tenant = i % 2 ? "ada" : "bo";
            for (std::int32_t t = 0; t < 20 + static_cast<std::int32_t>(i); ++t)
                request.prompt.push_back(4 + (t * 7 + static_cast<std::int32_t>(i)) % 200);
            request.maxTokens = kAnswer;
            if (i % 3 == 1) {  // the ways of the sampler
                request.sampling.temperature = 0.8;
                request.sampling.topK = 20;
                request.sampling.topP = 0.9;
            } else if (i % 3 == 2) {
                request.sampling.temperature = 1.0;
                request.sampling.topP = 0.95;
            }
            request.sink = [&](const Chunk& chunk) {
                ++chunks;
                ended += chunk.finish.has_value();
            };
            QVERIFY(loop->submit(std::move(request)));
        }
        while (chunks < 8 * 30) QVERIFY(loop->step());
        int steps = 0;
        std::int64_t allocations = 0;
        while (chunks < 8 * (kAnswer - 2)) {
            const std::int64_t before = allocationCount();
            QVERIFY(loop->step());
            allocations += allocationCount() - before;
            ++steps;
        }
        QCOMPARE(ended, 0);
        QVERIFY(steps > 50);
        // The cache's own: a block that became full takes a node of its table, and a table may grow once or twice.
        const std::int64_t blocks = 8 * (steps / kTokensPerPage + 1);
        QVERIFY2(allocations <= (prefixCache ? blocks + 2 : 0), qPrintable(QString::number(allocations)));
    }

    void allocationsAreSeen() {
        const std::int64_t before = allocationCount();
        const auto one = std::make_unique<std::vector<int>>(100);
        QVERIFY(!one->empty());
        QCOMPARE(allocationCount() - before, 2);
    }
};
ESPALIER_TEST(tst_step_memory, TestStepMemory)
#include "tst_step_memory.moc"
