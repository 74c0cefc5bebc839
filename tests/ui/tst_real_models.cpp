// SPDX-License-Identifier: GPL-3.0-or-later
// The window on a real daemon with a tiny model: import, what was found, scan, template, chat, cases. What the other
// tests ask of a fake is answered here by the engine, and no event of the window takes 50 ms of the processor.
#include <QClipboard>
#include <QGuiApplication>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QProcess>
#include <QTableView>
#include <QTemporaryDir>
#include <QTextBlock>
#include <QTreeView>

#include "core/api/daemon.h"
#include "core/compute/cpu/cpu_backend.h"
#include "tests/support/tiny_model.h"
#include "tests/ui/support/bench.h"
#include "ui/widgets/answer_view.h"
#include "ui/widgets/panel.h"
#include "ui/widgets/token_strip.h"

using namespace espalier;
using namespace espalier::ui;
using espalier::test::Bench;

namespace {

template <class T>
T need(Result<T> result) {
    if (!result) qFatal("%s", result.error().message.c_str());
    return std::move(*result);
}

// A bench whose window is attached to a daemon in this process instead of the fake.
struct RealBench : Bench {
    QTemporaryDir root;
    SystemClock clock;
    std::unique_ptr<FileSystem> files = makeFileSystem();
    std::unique_ptr<Backend> backend = makeCpuBackend({.threads = 1, .isa = {}, .memoryLimit = 0});
    std::unique_ptr<Engine> real;
    std::unique_ptr<Daemon> server;

    Path model() const { return Path(root.path().toStdString()) / "tiny"; }
    bool begin(const QString& page) {
        test::writeTinyModel(model(), {.context = 2048});
        EngineOptions options;
        options.workspace = Path(root.path().toStdString()) / "workspace";
        options.stderrLog = LogLevel::Silent;
        options.poolBytes = 16 << 20;
        real = need(Engine::open(options, *backend, *files, clock));
        server = need(Daemon::start({}, *real, *files, clock));
        window.goTo(page);
        window.resize(1440, 900);
        window.show();
        if (!QTest::qWaitForWindowActive(&window)) return false;
        engine.openWorkspace(QString::fromStdString(options.workspace.string()));
        return QTest::qWaitFor([this] { return engine.isAttached() && workspace.hasModelList(); });
    }
    bool importTiny() {
        window.openImport(QString::fromStdString(model().string()));
        if (!click(QStringLiteral("Import"))) return false;
        return QTest::qWaitFor([this] { return workspace.models().rowCount() == 1; }, 10'000);
    }
    ~RealBench() {
        engine.disconnect();
        server.reset();
    }
};

}  // namespace

class TestRealModels : public QObject {
    Q_OBJECT
private slots:
    void init() { test::watchdog().reset(); }
    void cleanup() {
        const auto& longest = test::watchdog().longest();
        qInfo("longest event %.1f ms of processor time (%s, type %d)", longest.cpuMs, qPrintable(longest.receiver),
              longest.eventType);
        QVERIFY(longest.cpuMs < espalier::test::stallLimitMs());
    }
    void aModelIsImportedInspectedAndScanned() {
        RealBench bench;
        QVERIFY(bench.begin(QStringLiteral("models")));
        bench.window.openImport(QString::fromStdString((bench.model() / "config.json").string()));
        QVERIFY(bench.click(QStringLiteral("Tensors and their roles")));
        auto* found = bench.find<QTableView>(QStringLiteral("Tensors found"));
        QVERIFY(found && found->model()->rowCount() > 10);
        QVERIFY(bench.find<TextLabel>(QStringLiteral("ChatML")));
        QCOMPARE(bench.workspace.models().rowCount(), 0);
        QVERIFY(bench.click(QStringLiteral("Import")));
        QTRY_COMPARE_WITH_TIMEOUT(bench.workspace.models().rowCount(), 1, 10'000);
        auto* tree = bench.find<QTreeView>(QStringLiteral("Tensors"));
        QTRY_VERIFY(tree->model()->rowCount() > 2);
        QVERIFY(tree->model()->index(0, 4).data().toString().isEmpty());
        QVERIFY(bench.click(QStringLiteral("Scan")));
        QTRY_VERIFY_WITH_TIMEOUT(!tree->model()->index(0, 4).data().toString().isEmpty(), 10'000);
        auto* tokens = bench.find<TokenStrip>(QStringLiteral("Tokens"));
        QTRY_VERIFY(tokens->tokenCount() > 5);
        QVERIFY(bench.click(QStringLiteral("Try out: Chat template")));
        auto* rendered = bench.find<QPlainTextEdit>(QStringLiteral("Rendered text"));
        QTRY_VERIFY(rendered->toPlainText().contains(QLatin1String("<|im_start|>")));
        QVERIFY(bench.click(QStringLiteral("Verify")));
        QTRY_VERIFY_WITH_TIMEOUT(
            bench.workspace.jobs().rowCount() == 3 && bench.workspace.jobs().jobs().front().state == JobState::Finished,
            10'000);
    }
    void theBinGivesBackAndIsEmptied() {
        RealBench bench;
        QVERIFY(bench.begin(QStringLiteral("models")));
        QVERIFY(bench.importTiny());
        QVERIFY(bench.click(QStringLiteral("Remove")));
        QTRY_COMPARE(bench.workspace.bin().rowCount(), 1);
        QVERIFY(bench.click(QStringLiteral("Restore")));
        QTRY_COMPARE(bench.workspace.models().rowCount(), 1);
        QVERIFY(bench.click(QStringLiteral("Remove")));
        QTRY_COMPARE(bench.workspace.bin().rowCount(), 1);
        QVERIFY(bench.click(QStringLiteral("Empty")));
        QTRY_COMPARE(bench.workspace.bin().rowCount(), 0);
        QCOMPARE(bench.real->bin().size(), std::size_t{0});
    }
    void aChatStreamsWithItsProbabilitiesAndACaseRepeatsIt() {
        RealBench bench;
        QVERIFY(bench.begin(QStringLiteral("playground")));
        QVERIFY(bench.importTiny());
        bench.window.goTo(QStringLiteral("playground"));
        auto* seed = bench.find<QLineEdit>(QStringLiteral("Seed, empty for a new one each time"));
        QTest::keyClicks(seed, QStringLiteral("7"));
        auto* input = bench.find<QPlainTextEdit>(QStringLiteral("Message"));
        QTest::keyClicks(input, QStringLiteral("Hello"));
        QVERIFY(bench.click(QStringLiteral("Save as case")));
        QVERIFY(bench.click(QStringLiteral("Send")));
        QVERIFY(bench.click(QStringLiteral("Copy answer")));  // enabled once the answer is whole
        const QString answer = QGuiApplication::clipboard()->text();
        QVERIFY(!answer.isEmpty());
        // A random model is never certain: its tokens are underlined.
        auto* view = bench.find<AnswerView>(QStringLiteral("Conversation"));
        bool marked = false;
        for (QTextBlock block = view->document()->begin(); block.isValid(); block = block.next())
            for (auto it = block.begin(); !it.atEnd(); ++it)
                marked |= it.fragment().charFormat().hasProperty(AnswerView::kUnlikelyProperty);
        QVERIFY(marked);
        auto* cases = bench.find<QTableView>(QStringLiteral("Saved cases"));
        QTRY_COMPARE(cases->model()->rowCount(), 1);
        for (const QString& outcome : {QStringLiteral("First run"), QStringLiteral("As last time")}) {
            QVERIFY(bench.click(QStringLiteral("Run")));
            QVERIFY(QTest::qWaitFor(
                [&] {
                    for (const TextLabel* label : bench.window.findChildren<TextLabel*>())
                        if (label->isVisible() && label->text() == outcome) return true;
                    return false;
                },
                20'000));
        }
        QVERIFY(QTest::qWaitFor([&] { return bench.files->exists(bench.real->options().workspace / "cases.json"); }));
    }
    // The copy for a shell is run as it is; that for Python where ESPALIER_OPENAI_PYTHON names an interpreter with the
    // openai client, as in the tier of `./dev test --all`.
    void copiesRunAsTheyAre() {
        RealBench bench;
        QVERIFY(bench.begin(QStringLiteral("playground")));
        QVERIFY(bench.importTiny());
        bench.window.goTo(QStringLiteral("playground"));
        QTest::keyClicks(bench.find<QPlainTextEdit>(QStringLiteral("Message")), QStringLiteral("It's \"me\" & $HOME"));
        const auto run = [&](const QString& program, const QString& button, const QProcessEnvironment& environment) {
            if (!bench.click(button)) return QByteArray("no button");
            QProcess process;
            process.setProcessEnvironment(environment);
            process.start(program, {QStringLiteral("-c"), QGuiApplication::clipboard()->text()});
            if (!QTest::qWaitFor([&] { return process.state() == QProcess::NotRunning; }, 60'000))
                return QByteArray("still running");
            return process.readAllStandardOutput() + process.readAllStandardError();
        };
        auto environment = QProcessEnvironment::systemEnvironment();
        environment.insert(QStringLiteral("ESPALIER_KEY"), bench.engine.address().key);
        const QByteArray shell = run(QStringLiteral("sh"), QStringLiteral("Copy as curl"), environment);
        QVERIFY2(shell.contains("chat.completion.chunk") && shell.contains("data: [DONE]"), shell);
        const QString python = environment.value(QStringLiteral("ESPALIER_OPENAI_PYTHON"));
        if (python.isEmpty()) return;
        const QByteArray client = run(python, QStringLiteral("Copy as Python"), environment);
        QVERIFY2(!client.contains("Traceback") && client.trimmed().size() > 4, client);
    }
};
ESPALIER_TEST(tst_real_models, TestRealModels)
#include "tst_real_models.moc"
