// SPDX-License-Identifier: GPL-3.0-or-later
// The isolation check passes on a model and adapters as they are, and notices what it is there to notice: answers that
// depend on neighbours, places, pages or another's prefix.
#include <QTemporaryDir>
#include <QTest>

#include "core/compute/reference/reference_backend.h"
#include "core/serving/isolation_check.h"
#include "core/serving/kv_cache.h"
#include "tests/support/adapter_data.h"
#include "tests/support/fake_transformer.h"
#include "tests/support/faulty_backend.h"
#include "tests/support/model_runner.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

namespace {

constexpr int kMostSteps = 100'000;

struct Ran {
    std::optional<Error> error;
    std::vector<IsolationScene> scenes;
    bool passed = false;

    const IsolationScene* scene(const std::string& name) const {
        const auto found = std::ranges::find(scenes, name, &IsolationScene::name);
        return found == scenes.end() ? nullptr : &*found;
    }
    std::string wrongScenes() const {
        std::string names;
        for (const IsolationScene& scene : scenes)
            if (!scene.passed) names += scene.name + " (" + scene.detail + ") ";
        return names;
    }
};

Ran runCheck(Backend& backend, Transformer& transformer, std::vector<IsolationSubject> subjects) {
    ManualClock clock;
    IsolationCheck check(std::move(subjects), DType::F32);
    Ran ran;
    for (int i = 0; i < kMostSteps; ++i) {
        const auto more = check.step(backend, transformer, clock);
        if (!more) ran.error = more.error();
        if (!more || !*more) break;
    }
    ran.scenes = check.scenes();
    ran.passed = check.passed();
    check.stop();
    return ran;
}

}  // namespace

class TestIsolationCheck : public QObject {
    Q_OBJECT

    QTemporaryDir m_folder;
    std::unique_ptr<Backend> m_device = makeReferenceBackend();
    FaultyBackend m_backend{*m_device};
    std::optional<LoadedModel> m_model;

    std::vector<IsolationSubject> subjects(int adapters) {
        std::vector<IsolationSubject> all{{"tiny", nullptr}};
        const auto pageBytes = layerPageBytes(m_backend, m_model->spec, DType::F32);
        for (int i = 0; i < adapters; ++i)
            all.push_back({"tiny:" + std::to_string(i),
                           tinyImage(m_model->spec, pageBytes,
                                     {.rank = 1 + 7 * i, .strength = 0.3f, .seed = 40u + static_cast<unsigned>(i)})});
        return all;
    }

private slots:
    void initTestCase() {
        const Path folder = Path(m_folder.path().toStdString()) / "tiny";
        writeTinyModel(folder, {.tokenizer = false});
        const auto files = makeFileSystem();
        const ArchSpec spec =
            archSpecFromConfig(*parseJson(*files->readText(folder / "config.json", 1 << 20), ""), "").value();
        m_model.emplace(
            loadModel(m_backend, folder, spec, {.maxBatchTokens = 64, .maxLogitRows = 64, .progress = {}, .stop = {}}));
    }
    void aModelAndItsAdaptersPass_data() {
        QTest::addColumn<int>("adapters");
        QTest::addColumn<int>("scenes");
        QTest::newRow("the base alone") << 0 << 4;
        QTest::newRow("one adapter") << 1 << 5;
        QTest::newRow("four adapters of mixed ranks") << 4 << 5;
    }
    void aModelAndItsAdaptersPass() {
        QFETCH(int, adapters);
        QFETCH(int, scenes);
        const Ran ran = runCheck(m_backend, *m_model->transformer, subjects(adapters));
        QVERIFY2(!ran.error, ran.error ? ran.error->message.c_str() : "");
        QVERIFY2(ran.passed, ran.wrongScenes().c_str());
        QCOMPARE(ran.scenes.size(), std::size_t(scenes));
        for (const IsolationScene& scene : ran.scenes) QVERIFY2(scene.compared >= 2, scene.name.c_str());
    }
    void anAdapterThatReachesItsNeighbour_isSeen() {
        // The rows of whoever comes after an adapter are computed with it: the failure of a peer.
        m_backend.onLora = [rows = std::vector<LoraRows>()](LoraBatch& batch) mutable {
            rows.assign(batch.begin(), batch.end());
            if (rows.size() > 1) rows[1].modules = rows[0].modules;
            batch = rows;
        };
        const Ran ran = runCheck(m_backend, *m_model->transformer, subjects(2));
        m_backend.onLora = nullptr;
        QVERIFY(!ran.error);
        QVERIFY(!ran.passed);
        QVERIFY(!ran.scene("crowd")->passed);
        QVERIFY(!ran.scene("ends")->passed);
        QVERIFY2(ran.scene("crowd")->detail.find("tiny") != std::string::npos, ran.scene("crowd")->detail.c_str());
    }
    void twoAdaptersThatAreTakenForOne_areSeen() {
        auto mixed = subjects(2);
        auto copy = std::make_shared<LoraImage>(*mixed[2].adapter);
        copy->digest = mixed[1].adapter->digest;  // the pool and the prefix cache know them by it
        mixed[2].adapter = std::move(copy);
        const Ran ran = runCheck(m_backend, *m_model->transformer, std::move(mixed));
        QVERIFY(!ran.error);
        QVERIFY(!ran.scene("crowd")->passed);
        QVERIFY(!ran.scene("base_beside") || ran.scene("base_beside")->compared > 0);
        QVERIFY2(!ran.scene("prefix_cache")->passed, "a prefix of one adapter was found for another");
    }
    void whatDependsOnNeighboursOrPages_isSeen_data() {
        QTest::addColumn<int>("defect");
        QTest::newRow("batch size") << int(Defect::SeesBatchSize);
        QTest::newRow("row number") << int(Defect::SeesRowNumber);
        QTest::newRow("page numbers") << int(Defect::SeesPageIds);
    }
    void whatDependsOnNeighboursOrPages_isSeen() {
        QFETCH(int, defect);
        FakeTransformer sound;
        const Ran good = runCheck(*m_device, sound, {{"fake", nullptr}});
        QVERIFY2(!good.error && good.passed, good.wrongScenes().c_str());
        FakeTransformer broken({.defect = static_cast<Defect>(defect)});
        const Ran bad = runCheck(*m_device, broken, {{"fake", nullptr}});
        QVERIFY(!bad.error);
        QVERIFY(!bad.passed);
    }
    void aDeviceThatFails_isAnErrorAndNoVerdict() {
        m_backend.failSynchronize(1);
        const Ran ran = runCheck(m_backend, *m_model->transformer, subjects(1));
        QVERIFY(ran.error);
        QCOMPARE(ran.error->code, ErrorCode::DeviceError);
    }
};
ESPALIER_TEST(tst_isolation_check, TestIsolationCheck)
#include "tst_isolation_check.moc"
