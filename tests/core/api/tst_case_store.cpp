// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/api/case_store.h"

#include <QTemporaryDir>
#include <QTest>

#include "tests/support/json_compare.h"
#include "tests/support/test_main.h"
#include "tests/support/tiny_model.h"

using namespace espalier;
using namespace espalier::test;

class TestCaseStore : public QObject {
    Q_OBJECT
private slots:
    void cases_surviveTheStoreAndKeepWhatTheyHold() {
        const QTemporaryDir folder;
        const auto files = makeFileSystem();
        const Path workspace = folder.path().toStdString();
        CaseStore store(*files, workspace);
        COMPARE_JSON((*store.list())["cases"], Json::array());
        const auto first = store.save({{"case", {{"name", "Letter"}, {"prompt", "Write one"}, {"extra", {1, 2}}}}});
        QVERIFY(first.has_value());
        COMPARE_JSON((*first)["id"], 1);
        QCOMPARE((*store.save({{"case", {{"name", "Note"}}}}))["id"].get<int>(), 2);
        Json changed = *first;
        changed["name"] = "Letter, short";
        QVERIFY(store.save({{"case", changed}}).has_value());

        CaseStore later(*files, workspace);
        const Json cases = (*later.list())["cases"];
        QCOMPARE(cases.size(), std::size_t{2});
        COMPARE_JSON(cases[0], changed);
        const auto removed = later.remove({{"id", 1}});
        COMPARE_JSON((*removed)["removed"], changed);
        QCOMPARE((*later.list())["cases"].size(), std::size_t{1});
    }
    void errors_nameWhatIsWrong() {
        const QTemporaryDir folder;
        const auto files = makeFileSystem();
        const Path workspace = folder.path().toStdString();
        CaseStore store(*files, workspace);
        QCOMPARE(store.save({{"case", "x"}}).error().where, std::string("case"));
        QCOMPARE(store.save({{"case", {{"name", ""}}}}).error().where, std::string("name"));
        QCOMPARE(store.save({{"case", {{"name", "a"}, {"id", 7}}}}).error().code, ErrorCode::NotFound);
        QCOMPARE(store.remove({{"id", 7}}).error().code, ErrorCode::NotFound);
        QCOMPARE(store.remove(Json::object()).error().code, ErrorCode::InvalidArgument);
        const std::string huge(CaseStore::kMostBytes, 'x');
        QCOMPARE(store.save({{"case", {{"name", "a"}, {"prompt", huge}}}}).error().code, ErrorCode::TooLarge);
        QVERIFY(!files->exists(workspace / "cases.json"));
    }
    void aFileThatIsNotOurs_isReportedAndNotOverwritten() {
        for (const char* text : {"[]", "{\"cases\": 3}", "{\"cases\": [{\"id\": \"1\"}]}", "{\"cases\": [1]}", "{"}) {
            const QTemporaryDir folder;
            const auto files = makeFileSystem();
            const Path workspace = folder.path().toStdString();
            writeFile(workspace / "cases.json", text);
            CaseStore store(*files, workspace);
            QCOMPARE(store.list().error().code, ErrorCode::CorruptFile);
            QVERIFY(store.list().error().message.find("cases.json") != std::string::npos);
            QCOMPARE(store.save({{"case", {{"name", "a"}}}}).error().code, ErrorCode::CorruptFile);
            QCOMPARE(*files->readText(workspace / "cases.json", 100), std::string(text));
        }
    }
};
ESPALIER_TEST(tst_case_store, TestCaseStore)
#include "tst_case_store.moc"
