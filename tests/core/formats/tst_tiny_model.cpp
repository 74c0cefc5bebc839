// SPDX-License-Identifier: GPL-3.0-or-later
#include <QTemporaryDir>
#include <QTest>

#include "core/formats/arch_spec.h"
#include "core/formats/tensor_source.h"
#include "tests/support/test_main.h"
#include "tests/support/tiny_model.h"

using namespace espalier;
using namespace espalier::test;

class TestTinyModel : public QObject {
    Q_OBJECT
private slots:
    void itsFolderOpensAndItsConfigReads() {
        for (const std::int32_t shards : {1, 3}) {
            const QTemporaryDir temporary;
            const Path folder = temporary.path().toStdString();
            writeTinyModel(folder, {.headDim = 16, .dtype = DType::BF16, .shards = shards});
            const auto files = makeFileSystem();
            const auto source = openModelFolder(*files, folder);
            QVERIFY2(source, source ? "" : source.error().message.c_str());
            QCOMPARE((*source)->tensors().size(), std::size_t{2 * 9 + 3});
            const TensorEntry* query = (*source)->find("model.layers.1.self_attn.q_proj.weight");
            QVERIFY(query);
            QCOMPARE(query->shape, (std::vector<std::int64_t>{64, 48}));
            QCOMPARE(query->dtype, DType::BF16);
            const auto config = parseJson(files->readText(folder / "config.json", 1 << 20).value(), "config.json");
            const auto spec = archSpecFromConfig(*config, "config.json");
            QVERIFY2(spec, spec ? "" : spec.error().message.c_str());
            QCOMPARE(spec->headDim, 16);
            QCOMPARE(spec->eosIds, (std::vector<std::int32_t>{kTinyEnd, kTinyTurnEnd}));
        }
    }
    void theSameOptionsGiveTheSameBytes() {
        const QTemporaryDir temporary;
        const Path folder = temporary.path().toStdString();
        writeTinyModel(folder / "a");
        writeTinyModel(folder / "b");
        const auto files = makeFileSystem();
        QCOMPARE(files->readText(folder / "a/model.safetensors", 1 << 24).value(),
                 files->readText(folder / "b/model.safetensors", 1 << 24).value());
    }
};
ESPALIER_TEST(tst_tiny_model, TestTinyModel)
#include "tst_tiny_model.moc"
