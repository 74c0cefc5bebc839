// SPDX-License-Identifier: GPL-3.0-or-later
#include <QAbstractItemModelTester>
#include <QSignalSpy>
#include <QPersistentModelIndex>
#include <cmath>
#include <random>

#include "tests/ui/support/ui_test_main.h"
#include "ui/models/brief_bytes.h"
#include "ui/models/format.h"
#include "ui/models/job_table.h"
#include "ui/models/loaded_table.h"
#include "ui/models/log_table.h"
#include "ui/models/model_table.h"
#include "ui/models/sample_ring.h"
#include "ui/models/tensor_name.h"
#include "ui/models/tensor_tree.h"
#include "ui/pages/memory_estimate_panel.h"
#include "ui/shell/docks.h"
#include "ui/widgets/ticks.h"

using namespace espalier;
using namespace espalier::ui;

namespace {

constexpr auto kFatal = QAbstractItemModelTester::FailureReportingMode::QtTest;

ModelRecord model(const std::string& id) {
    ModelRecord record;
    record.id = record.name = id;
    return record;
}

JobRecord job(std::int64_t id, JobState state = JobState::Running) {
    JobRecord record;
    record.id = id;
    record.state = state;
    return record;
}

}  // namespace

class TestModels : public QObject {
    Q_OBJECT
private slots:
    void modelTable_keepsRowsThatStay() {
        ModelTable table;
        QAbstractItemModelTester tester(&table, kFatal);
        table.setModels({model("a"), model("b"), model("c")});
        const QPersistentModelIndex c = table.index(2, 0);
        table.setModels({model("c"), model("d"), model("a")});
        QCOMPARE(c.row(), 0);
        QCOMPARE(table.rowCount(), 3);
        QCOMPARE(table.index(1, 0).data().toString(), QStringLiteral("d"));
        table.setModels({});
        QVERIFY(!c.isValid());
    }
    void modelTable_survivesRandomChanges() {
        ModelTable table;
        QAbstractItemModelTester tester(&table, kFatal);
        const unsigned seed = 20260101;
        std::mt19937 random(seed);
        for (int round = 0; round < 200; ++round) {
            std::vector<ModelRecord> models;
            for (int i = 0; i < 8; ++i)
                if (random() % 2) models.push_back(model(std::string(1, char('a' + i))));
            std::shuffle(models.begin(), models.end(), random);
            table.setModels(models);
            for (int row = 0; row < table.rowCount(); ++row)
                QVERIFY2(table.index(row, 0).data(IdRole).toString().toStdString() == models[std::size_t(row)].id,
                         qPrintable(QStringLiteral("seed %1, round %2").arg(seed).arg(round)));
        }
    }
    void jobTable_isNewestFirstAndUpdatesInPlace() {
        JobTable table;
        QAbstractItemModelTester tester(&table, kFatal);
        table.setJobs({job(1), job(5), job(3)});
        table.update(job(4));
        table.update(job(9));
        table.update(job(3, JobState::Failed));
        std::vector<qlonglong> ids;
        for (int row = 0; row < table.rowCount(); ++row) ids.push_back(table.index(row, 0).data(IdRole).toLongLong());
        QCOMPARE(ids, (std::vector<qlonglong>{9, 5, 4, 3, 1}));
        QCOMPARE(table.index(3, JobTable::State).data().toString(), QStringLiteral("Failed"));
        table.remove(5);
        QCOMPARE(table.rowCount(), 4);
    }
    void jobTable_keepsRowsThatStayWhenTheListIsReadAgain() {
        JobTable table;
        QAbstractItemModelTester tester(&table, kFatal);
        table.setJobs({job(1), job(3), job(5)});
        const QPersistentModelIndex three = table.index(1, 0);
        table.setJobs({job(3, JobState::Finished), job(7), job(5)});
        QVERIFY(three.isValid());
        QCOMPARE(three.row(), 2);
        QCOMPARE(table.index(2, JobTable::State).data().toString(), QStringLiteral("Finished"));
        QCOMPARE(table.rowCount(), 3);
        table.setJobs({});
        QVERIFY(!three.isValid());
    }
    void jobControls_areWhatTheDaemonTakes() {
        const auto can = [](JobState state, const char* kind) {
            JobRecord record = job(1, state);
            record.kind = kind;
            const JobControls controls = controlsOf(record);
            QString letters;
            if (controls.pause) letters += QLatin1Char('p');
            if (controls.resume) letters += QLatin1Char('r');
            if (controls.cancel) letters += QLatin1Char('c');
            if (controls.discard) letters += QLatin1Char('d');
            return letters;
        };
        QCOMPARE(can(JobState::Running, "import"), QStringLiteral("pc"));
        QCOMPARE(can(JobState::Running, "scan"), QStringLiteral("c"));
        QCOMPARE(can(JobState::Queued, "import"), QStringLiteral("c"));
        QCOMPARE(can(JobState::Paused, "import"), QStringLiteral("rd"));
        QCOMPARE(can(JobState::Interrupted, "import"), QStringLiteral("rd"));
        for (const JobState ended : {JobState::Finished, JobState::Failed, JobState::Cancelled})
            QCOMPARE(can(ended, "import"), QStringLiteral("d"));
    }
    void logTable_takesAfterAGapOnlyWhatIsNew() {
        LogTable table;
        QAbstractItemModelTester tester(&table, kFatal);
        for (int i = 1; i <= 4; ++i) table.append({i, "info", "test", "line " + std::to_string(i)});
        table.append({9, "warning", LogTable::kWorkbench, "ours, by another clock"});
        const QPersistentModelIndex second = table.index(1, 0);
        const QSignalSpy inserted(&table, &QAbstractItemModel::rowsInserted);
        const auto added = table.catchUp({{5, "info", "test", "line 5"},
                                          {4, "info", "test", "line 4"},
                                          {4, "info", "test", "another of that moment"},
                                          {3, "info", "test", "line 3"}});
        QCOMPARE(added.size(), 2u);
        QCOMPARE(inserted.count(), 1);  // views and filters follow once, not line by line
        QCOMPARE(table.rowCount(), 7);
        QCOMPARE(second.row(), 1);
        QCOMPARE(table.index(6, LogTable::Message).data().toString(), QStringLiteral("line 5"));
        QCOMPARE(table.countAtLeast(2), 1);
        QCOMPARE(table.countAtLeast(2, 9), 0);
    }
    void logTable_holdsTheNewestLines() {
        LogTable table;
        for (int i = 0; i < LogTable::kCapacity + 10; ++i)
            table.append({i, i % 100 == 0 ? "warning" : "info", "test", std::to_string(i)});
        QCOMPARE(table.rowCount(), LogTable::kCapacity);
        QCOMPARE(table.index(0, LogTable::Message).data().toString(), QStringLiteral("10"));
        QCOMPARE(table.countAtLeast(2), LogTable::kCapacity / 100);
        // The tester looks at every row after each change, so it watches the last few only.
        QAbstractItemModelTester tester(&table, kFatal);
        for (int i = 0; i < 3; ++i) table.append({i, "info", "test", "more"});
        QCOMPARE(table.rowCount(), LogTable::kCapacity);
        table.appendAll({{10'000, "info", "test", "two"}, {10'001, "info", "test", "at once"}});
        QCOMPARE(table.rowCount(), LogTable::kCapacity);
        QCOMPARE(table.index(LogTable::kCapacity - 1, LogTable::Message).data().toString(), QStringLiteral("at once"));
        QCOMPARE(table.index(0, LogTable::Message).data().toString(), QStringLiteral("15"));
    }
    void loadedTable_growsAndShrinks() {
        LoadedTable table;
        QAbstractItemModelTester tester(&table, kFatal);
        LoadedModel loaded;
        loaded.poolPages = 100;
        loaded.poolPagesUsed = 30;
        loaded.poolPagesCached = 20;
        table.setModels({loaded, loaded});
        QCOMPARE(table.index(0, LoadedTable::Pool).data().toString(), QStringLiteral("50 %"));
        table.setModels({});
        table.setModels({loaded});
        QCOMPARE(table.rowCount(), 1);
    }
    void loadedTable_keepsAModelsRowWhenOneBeforeItGoes() {
        LoadedTable table;
        QAbstractItemModelTester tester(&table, kFatal);
        const auto named = [](const char* name) {
            LoadedModel loaded;
            loaded.name = name;
            return loaded;
        };
        table.setModels({named("a"), named("b"), named("c")});
        const QPersistentModelIndex b = table.index(1, 0);
        table.setModels({named("b"), named("c")});
        QCOMPARE(b.row(), 0);
        table.setModels({named("c"), named("b"), named("d")});
        QCOMPARE(b.row(), 1);
        QCOMPARE(table.index(1, 0).data().toString(), QStringLiteral("b"));
    }
    void layers_areFoundInTheNamesOfEveryFamily_data() {
        QTest::addColumn<QString>("tensor");
        QTest::addColumn<QString>("layer");
        QTest::addColumn<int>("number");
        QTest::addColumn<QString>("part");
        const auto row = [](const char* tensor, const char* layer, int number, const char* part) {
            QTest::addRow("%s", tensor) << QString::fromLatin1(tensor) << QString::fromLatin1(layer) << number
                                        << QString::fromLatin1(part);
        };
        row("model.layers.10.mlp.up_proj.weight", "layers.10", 10, "mlp.up_proj.weight");
        row("h.3.attn.c_attn.weight", "h.3", 3, "attn.c_attn.weight");
        row("transformer.h.3.attn.c_attn.weight", "h.3", 3, "attn.c_attn.weight");
        row("blk.0.ffn_up.weight", "blk.0", 0, "ffn_up.weight");
        row("encoder.layer.7.output.dense.bias", "layer.7", 7, "output.dense.bias");
        row("decoder.layers.2.fc1.weight", "decoder.layers.2", 2, "fc1.weight");
        row("model.layers.1.experts.layers.9.w", "layers.1", 1, "experts.layers.9.w");
        row("model.embed_tokens.weight", "", -1, "");
        row("players.0.weight", "", -1, "");
        row("layers.99999999999999999999.w", "", -1, "");
    }
    void layers_areFoundInTheNamesOfEveryFamily() {
        QFETCH(QString, tensor);
        QFETCH(QString, layer);
        const auto found = layerOf(tensor);
        QCOMPARE(found.has_value(), !layer.isEmpty());
        if (!found) return;
        QCOMPARE(found->layer, layer);
        QTEST(found->number, "number");
        QTEST(found->part, "part");
    }
    void tensorTree_keepsItsNodesWhenAScanOfTheSameTensorsCame() {
        TensorTree tree;
        QAbstractItemModelTester tester(&tree, kFatal);
        std::vector<TensorFact> tensors;
        for (const char* name : {"blk.0.ffn_up.weight", "blk.1.ffn_up.weight"})
            tensors.push_back({QString::fromLatin1(name), {4, 4}, QStringLiteral("bf16"), 32});
        tree.setTensors(tensors);
        QCOMPARE(tree.rowCount(), 2);
        const QPersistentModelIndex part = tree.index(0, TensorTree::Norm, tree.index(1, 0));
        QVERIFY(part.isValid());
        tensors[1].found = TensorFinding{2.5, 0, 0};
        tree.setTensors(tensors);
        QVERIFY(part.isValid());
        QCOMPARE(part.data().toString(), QStringLiteral("2.500"));
        tensors.pop_back();
        tree.setTensors(tensors);
        QVERIFY(!part.isValid());
        QCOMPARE(tree.rowCount(), 1);
    }
    void tensorTree_groupsByLayerInNumberOrder() {
        TensorTree tree;
        QAbstractItemModelTester tester(&tree, kFatal);
        std::vector<TensorFact> tensors{
            {QStringLiteral("model.embed_tokens.weight"), {10, 4}, QStringLiteral("bf16"), 80}};
        for (const int layer : {10, 2, 0})
            for (const char* part : {"mlp.up_proj", "input_layernorm"})
                tensors.push_back({QStringLiteral("model.layers.%1.%2.weight").arg(layer).arg(QLatin1String(part)),
                                   {4, 4},
                                   QStringLiteral("bf16"),
                                   32});
        tree.setTensors(tensors);
        QStringList names;
        for (int row = 0; row < tree.rowCount(); ++row) names << tree.index(row, 0).data().toString();
        QCOMPARE(names, (QStringList{QStringLiteral("embed_tokens"), QStringLiteral("layers.0"),
                                     QStringLiteral("layers.2"), QStringLiteral("layers.10")}));
        const QModelIndex layer = tree.index(1, 0);
        QCOMPARE(tree.rowCount(layer), 2);
        QCOMPARE(tree.index(0, 0, layer).data().toString(), QStringLiteral("mlp.up_proj"));
        QCOMPARE(tree.index(0, TensorTree::Shape, layer).data().toString(), QStringLiteral("4 × 4"));
        QCOMPARE(tree.index(1, TensorTree::Size).data().toString(), QStringLiteral("64 B"));
    }
    void sampleRing_forgetsTheOldestAndFindsByX() {
        SampleRing ring(1, 4);
        for (int i = 0; i < 7; ++i) ring.append(i, std::array{double(i * i)});
        ring.append(6, std::array{99.0});  // not after the newest: dropped
        QCOMPARE(ring.size(), 4);
        QCOMPARE(ring.x(0), 3.0);
        QCOMPARE(ring.value(3, 0), 36.0);
        QCOMPARE(ring.lowerBound(4.5), 2);
        QCOMPARE(ring.nearest(4.4), 1);
        QCOMPARE(ring.nearest(100), 3);
        QCOMPARE(SampleRing(1, 4).nearest(0), -1);
    }
    void decimatedLine_keepsEveryExtreme() {
        SampleRing ring(1, 20'000);
        std::mt19937 random(7);
        for (int i = 0; i < 20'000; ++i) ring.append(i, std::array{double(random() % 1000)});
        ring.append(20'000, std::array{5000.0});
        const int pixels = 100;
        const auto points = decimateLine(ring, 0, 0, 20'001, pixels, 10);
        QVERIFY(points.size() <= std::size_t(4 * (pixels + 2)));
        double greatest = 0;
        for (std::size_t i = 0; i < points.size(); ++i) {
            greatest = std::max(greatest, points[i].y);
            if (i > 0) QVERIFY(points[i].x > points[i - 1].x);
        }
        QCOMPARE(greatest, 5000.0);
    }
    void decimatedLine_showsGapsAsGaps() {
        SampleRing ring(1, 100);
        for (int i = 0; i < 10; ++i) ring.append(i, std::array{1.0});
        ring.append(10, std::array{kGap});
        for (int i = 50; i < 60; ++i) ring.append(i, std::array{2.0});
        int gaps = 0;
        for (const PlotPoint& point : decimateLine(ring, 0, 0, 60, 600, 5)) gaps += std::isnan(point.y);
        QCOMPARE(gaps, 1);
        QVERIFY(decimateLine(SampleRing(1, 4), 0, 0, 1, 100, 5).empty());
    }
    void decimatedStack_addsUp() {
        SampleRing ring(2, 100);
        for (int i = 0; i < 50; ++i) ring.append(i, std::array{double(i), 10.0});
        const auto edges = decimateStack(ring, std::array{0, 1}, 0, 49, 1000, 5);
        QCOMPARE(edges[0].size(), 50u);
        for (std::size_t i = 0; i < 50; ++i) QCOMPARE(edges[1][i].y, edges[0][i].y + 10.0);
    }
    void ticksAreRoundAndFew() {
        for (const double range : {0.003, 0.7, 1.0, 3.2, 46.0, 999.0, 123456.0}) {
            const double step = niceStep(range, 4);
            QVERIFY2(range / step >= 2 && range / step <= 8, qPrintable(QString::number(range)));
        }
        QCOMPARE(niceTimeStep(900, 5), 180.0);
        QCOMPARE(niceTimeStep(60, 6), 10.0);
        QCOMPARE(logTicks(81, 372, 5), (std::vector<double>{50, 100, 200, 500}));
        QVERIFY(logTicks(5, 5, 4).size() >= 2);
        QVERIFY(logTicks(0.01, 100'000, 4).size() <= 6);
        // Too many for 1, 2 and 5: whole decades, each as far from the next.
        QCOMPARE(logTicks(1.28, 372, 2), (std::vector<double>{1, 10, 100, 1000}));
        QCOMPARE(logRange(0.56, 17), (std::pair<double, double>{0.5, 20}));
        QCOMPARE(logRange(5, 5), (std::pair<double, double>{5, 5}));
        const auto wide = logTicks(0.01, 100'000, 4);
        for (std::size_t i = 2; i < wide.size(); ++i) QVERIFY(qFuzzyCompare(wide[i] / wide[i - 1], wide[1] / wide[0]));
        QVERIFY(logTicks(0.01, 100'000, 4).back() >= 100'000);
        QCOMPARE(tickText(4000, 1000), QStringLiteral("4k"));
        QCOMPARE(tickText(0.25, 0.05), QStringLiteral("0.25"));
        QCOMPARE(tickText(1.2e6, 1e5), QStringLiteral("1.2M"));
    }
    void numbersReadAsTheHouseWritesThem() {
        QCOMPARE(formatCount(128256), QStringLiteral("128,256"));
        QCOMPARE(formatShort(8.03e9), QStringLiteral("8.03 B"));
        QCOMPARE(formatShort(412e6), QStringLiteral("412 M"));
        QCOMPARE(formatBytes(16'060'522'496), QStringLiteral("14.96 GiB"));
        QCOMPARE(formatBytes(8192), QStringLiteral("8.0 KiB"));
        QCOMPARE(formatBytes(0), QStringLiteral("0 B"));
        QCOMPARE(formatGib(0), QStringLiteral("0"));
        QCOMPARE(formatGib(3 << 20), QStringLiteral("<0.01"));
        QCOMPARE(formatGib(19'648'225'280), QStringLiteral("18.3"));
        QCOMPARE(formatMib(3 << 20), QStringLiteral("3.00"));
        QCOMPARE(formatMib(18LL << 30), QStringLiteral("18,432"));
        QCOMPARE(formatTransfer(27.32e9), QStringLiteral("27.3 GB/s"));
        QCOMPARE(formatTransfer(412e6), QStringLiteral("412 MB/s"));
        QCOMPARE(formatAge(0.42), QStringLiteral("0.4 s"));
        QCOMPARE(formatAge(9.97), QStringLiteral("10 s"));
        QCOMPARE(formatDuration(18'840), QStringLiteral("5 h 14 min"));
        QCOMPARE(formatDuration(200), QStringLiteral("3 min 20 s"));
        QCOMPARE(formatDigest("sha256:3f9a1c0000000000000000000000000070e2"), QStringLiteral("3f9a1c…70e2"));
    }
    void estimate_growsWithSequencesAndContext() {
        ModelInspection inspection;
        inspection.weightsBytes = 1000;
        inspection.kvBytesPerToken = 10;
        inspection.workspaceBytes = 50;
        QCOMPARE(memoryNeed(inspection, {.sequences = 4, .context = 100}).sum(), 1000 + 4000 + 50);
        const MemoryWish wish{.sequences = 4, .context = 100, .adapters = 3, .adapterBytes = 70};
        QCOMPARE(memoryNeed(inspection, wish).adapters, 210);
        QCOMPARE(memoryNeed(inspection, wish).sum(), 1000 + 210 + 4000 + 50);
    }
    void estimate_takesAnotherTypeOfKvThanTheEnginesOwn() {
        ModelInspection inspection;
        inspection.kvBytesPerToken = 12;
        MemoryWish wish{.sequences = 2, .context = 10, .kvType = QStringLiteral("bf16")};
        QCOMPARE(memoryNeed(inspection, wish).kv, 240);  // the engine does not say its own
        inspection.kvType = QStringLiteral("f32");
        QCOMPARE(memoryNeed(inspection, wish).kv, 120);
        inspection.kvType = QStringLiteral("f16");
        QCOMPARE(memoryNeed(inspection, wish).kv, 240);
        wish.kvType = QStringLiteral("f32");
        QCOMPARE(memoryNeed(inspection, wish).kv, 480);
    }
    void briefBytes_haveThreeFigures() {
        QCOMPARE(formatBytesBriefly(0), QStringLiteral("0 B"));
        QCOMPARE(formatBytesBriefly(999), QStringLiteral("999 B"));
        QCOMPARE(formatBytesBriefly(9'437'184), QStringLiteral("9.00 MiB"));
        QCOMPARE(formatBytesBriefly(54'696'000'000), QStringLiteral("50.9 GiB"));
        QCOMPARE(formatBytesBriefly(300LL << 30), QStringLiteral("300 GiB"));
        QCOMPARE(formatBytesBriefly(1'072'900'000), QStringLiteral("1.00 GiB"));  // not 1,023 MiB
        QCOMPARE(formatBytesBriefly(1'020LL << 20), QStringLiteral("1.00 GiB"));
    }
    void modelTable_countsTenantsAndSaysWhereAModelIs() {
        ModelTable table;
        QAbstractItemModelTester tester(&table, kFatal);
        table.setModels({model("a"), model("b")});
        QCOMPARE(table.index(0, ModelTable::Where).data().toString(), QStringLiteral("Disk"));
        QCOMPARE(table.index(0, ModelTable::UsedBy).data().toString(), QStringLiteral("0"));
        table.setLoaded({QStringLiteral("b")});
        table.setTenants({{QStringLiteral("b"), 3}});
        QCOMPARE(table.index(1, ModelTable::Where).data().toString(), QStringLiteral("Device"));
        QCOMPARE(table.index(1, ModelTable::Where).data(TierRole).toInt(), int(AdapterTier::Pool));
        QCOMPARE(table.index(1, ModelTable::UsedBy).data().toString(), QStringLiteral("3"));
        QCOMPARE(table.index(1, ModelTable::UsedBy).data(Qt::ToolTipRole).toString(),
                 QStringLiteral("3 tenants may use it"));
    }
    void expectedRate_isBytesPerSecondOverBytesPerToken() {
        ModelInspection inspection;
        inspection.kvBytesPerToken = 10;
        QCOMPARE(expectedRate(inspection, 100), 0.0);  // nothing is known of the machine
        const auto read = inspectionFromJson(Json::parse(
            R"({"memory":{"kv_bytes_per_token":10},"speed":{"read_gb_per_s":2,"decode_bytes":1000,"past":{"runs":3,"error":-0.1}}})"));
        QVERIFY(read && read->speed);
        QCOMPARE(expectedRate(*read, 100), 1e6);
        QCOMPARE(read->speed->runs, 3);
        QCOMPARE(read->speed->error, -0.1);
        QVERIFY(!inspectionFromJson(Json::parse(R"({"speed":null})"))->speed);
        QVERIFY(!inspectionFromJson(Json::parse(R"({"speed":{"read_gb_per_s":2}})"))->speed);
        QVERIFY(!inspectionFromJson(Json::parse(R"({"speed":{"decode_bytes":"x"}})")));
    }
    void diagnostics_holdNoSecrets() {
        const QString clean =
            withoutSecrets(QStringLiteral("Authorization: Bearer esp_7Qk2abcdef then esp_Lw9fxyz in a line"));
        QVERIFY(!clean.contains(QLatin1String("7Qk2")));
        QVERIFY(!clean.contains(QLatin1String("Lw9f")));
    }
};
ESPALIER_TEST(tst_models, TestModels)
#include "tst_models.moc"
