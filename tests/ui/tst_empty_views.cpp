// SPDX-License-Identifier: GPL-3.0-or-later
// Where there is nothing yet, every view says so in one sentence and offers one button that does the obvious thing.
#include <QComboBox>
#include <QHeaderView>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QSet>

#include "tests/ui/support/bench.h"
#include "ui/widgets/panel.h"

using namespace espalier;
using namespace espalier::ui;
using espalier::test::Bench;

namespace {

const QStringList kPages{QStringLiteral("home"),        QStringLiteral("models"),   QStringLiteral("serve"),
                         QStringLiteral("playground"),  QStringLiteral("tenants"),  QStringLiteral("workspaces"),
                         QStringLiteral("preferences"), QStringLiteral("commands"), QStringLiteral("about")};

QString sentenceOf(const EmptyView& view) {
    return view.findChild<QLabel*>()->text();
}

QStringList usableButtons(const EmptyView& view) {
    QStringList names;
    for (const auto* button : view.findChildren<QPushButton*>())
        if (button->isVisible() && button->isEnabled()) names << button->text().trimmed();
    return names;
}

// What is seen and empty: sentences into `said`; what has no sentence or no button, and lists that say nothing at all,
// into `silent`.
void look(const QWidget& window, QSet<QString>& said, QStringList& silent) {
    for (const auto* view : window.findChildren<EmptyView*>()) {
        if (!view->isVisible()) continue;
        const QString sentence = sentenceOf(*view);
        if (sentence.isEmpty() || usableButtons(*view).isEmpty()) silent << QStringLiteral("\"%1\"").arg(sentence);
        said.insert(sentence);
    }
    for (const auto* list : window.findChildren<QAbstractItemView*>())
        if (list->isVisible() && !qobject_cast<const QHeaderView*>(list) && list->model()->rowCount() == 0)
            silent << QStringLiteral("the list %1").arg(list->accessibleName());
}

}  // namespace

class TestEmptyViews : public QObject {
    Q_OBJECT
private slots:
    void eachHasASentenceAndAButton() {
        Bench bench;
        QVERIFY(bench.open());
        for (const char* dock : {action::kJobsDock, action::kLogDock}) bench.window.actions().get(dock)->trigger();
        QSet<QString> said;
        QStringList silent;
        const auto lookNow = [&](const QString& where) {
            QTest::qWait(1);
            QStringList here;
            look(bench.window, said, here);
            for (const QString& what : here) silent << where + QStringLiteral(": ") + what;
        };
        for (const QString& page : kPages) {
            QVERIFY(bench.window.goTo(page));
            lookNow(page);
            if (page != QLatin1String("serve")) continue;
            for (const char* view : {"Models", "Tenants", "Swap", "Requests"}) {
                QVERIFY(bench.click(QStringLiteral("What is shown below: ") + QLatin1String(view)));
                lookNow(page + QLatin1Char(' ') + QLatin1String(view));
            }
        }
        QCOMPARE(silent.join(QLatin1Char('\n')), QString());
        // As many as an empty workspace has, so that one that is not reached any more is missed.
        QVERIFY2(said.size() >= 14, qPrintable(said.values().join(QLatin1Char('\n'))));
    }
    void aFilterThatLeavesNothingSaysSoAndGoes_data() {
        QTest::addColumn<QString>("page");
        QTest::addColumn<QString>("filter");
        QTest::addRow("models") << QStringLiteral("models") << QStringLiteral("Filter models");
        QTest::addRow("tenants") << QStringLiteral("tenants") << QStringLiteral("Filter tenants");
        QTest::addRow("commands") << QStringLiteral("commands") << QStringLiteral("Filter commands");
    }
    void aFilterThatLeavesNothingSaysSoAndGoes() {
        QFETCH(QString, page);
        QFETCH(QString, filter);
        Bench bench;
        bench.daemon.addModel("tiny");
        QVERIFY(bench.daemon.tenants.registry().create("ada", {}));
        QVERIFY(bench.open(page));
        auto* field = bench.find<QLineEdit>(filter);
        QVERIFY(field);
        QTRY_VERIFY(!bench.find<QAbstractButton>(QStringLiteral("Clear the filter")) &&
                    bench.workspace.tenants().rowCount() == 1);
        QTest::keyClicks(field, QStringLiteral("no such thing"));
        QTRY_VERIFY(bench.find<QAbstractButton>(QStringLiteral("Clear the filter")));
        QSet<QString> said;
        QStringList silent;
        look(bench.window, said, silent);
        QVERIFY(said.contains(QStringLiteral("Nothing matches the filter.")));
        QVERIFY(
            !silent.join(QLatin1Char(' ')).contains(QLatin1String("the list ") + page.left(3), Qt::CaseInsensitive));
        QVERIFY(bench.click(QStringLiteral("Clear the filter")));
        QCOMPARE(field->text(), QString());
        QVERIFY(!bench.find<QAbstractButton>(QStringLiteral("Clear the filter")));
    }
    void docksSayWhatAFilterHides() {
        Bench bench;
        JobRecord job;
        job.id = 3;
        job.title = "Import tiny";
        job.state = JobState::Running;
        bench.daemon.jobs = {job};
        QVERIFY(bench.open());
        bench.window.actions().get(action::kJobsDock)->trigger();
        QTRY_COMPARE(bench.workspace.jobs().rowCount(), 1);
        auto* shown = bench.find<QComboBox>(QStringLiteral("Jobs shown"));
        QVERIFY(shown);
        shown->setCurrentIndex(3);
        QVERIFY(bench.click(QStringLiteral("Show all jobs")));
        QCOMPARE(shown->currentIndex(), 0);
        QVERIFY(!bench.find<QAbstractButton>(QStringLiteral("Show all jobs")));
        bench.window.actions().get(action::kLogDock)->trigger();
        auto* search = bench.find<QLineEdit>(QStringLiteral("Search the log"));
        QVERIFY(search);
        QTest::keyClicks(search, QStringLiteral("no such line"));
        QVERIFY(bench.click(QStringLiteral("Show everything")));
        QCOMPARE(search->text(), QString());
    }
    void whatTheButtonsOfServeLeadTo() {
        Bench bench;
        QVERIFY(bench.open(QStringLiteral("serve")));
        const auto leads = [&](const char* view, const char* button) {
            bench.window.goTo(QStringLiteral("serve"));
            if (!bench.click(QStringLiteral("What is shown below: ") + QLatin1String(view))) return QString();
            return bench.click(QLatin1String(button)) ? bench.window.page() : QString();
        };
        QCOMPARE(leads("Requests", "Ask in the Playground"), QStringLiteral("playground"));
        QCOMPARE(leads("Tenants", "Tenants and their keys"), QStringLiteral("tenants"));
        QCOMPARE(leads("Swap", "Ask an adapter"), QStringLiteral("playground"));
        QCOMPARE(leads("Models", "Choose a model to load"), QStringLiteral("models"));
    }
    void theCasesOfferToWriteAndThenToSave() {
        Bench bench;
        bench.daemon.addModel("tiny");
        QVERIFY(bench.open(QStringLiteral("playground")));
        bench.window.setFocus();
        QVERIFY(bench.click(QStringLiteral("Write a prompt")));
        auto* input = bench.find<QPlainTextEdit>(QStringLiteral("Message"));
        QVERIFY(input && input->hasFocus());
        QVERIFY(!bench.find<QAbstractButton>(QStringLiteral("Save the prompt")));
        QTest::keyClicks(input, QStringLiteral("When do I prune?"));
        QVERIFY(bench.click(QStringLiteral("Save the prompt")));
        QTRY_COMPARE(bench.daemon.cases.size(), std::size_t{1});
        QTRY_VERIFY(!bench.find<QAbstractButton>(QStringLiteral("Write a prompt")));
    }
    void aGuestIsOfferedNothingThatIsNotAllowed() {
        Bench bench;
        QVERIFY(bench.open(QStringLiteral("playground")));
        QTRY_VERIFY(bench.find<QAbstractButton>(QStringLiteral("Import model")));
        bench.engine.attach(bench.daemon.url(), bench.daemon.guestKey);
        QTRY_COMPARE(bench.engine.access(), Access::Guest);
        QTRY_VERIFY(!bench.find<QAbstractButton>(QStringLiteral("Import model")));
    }
};
ESPALIER_TEST(tst_empty_views, TestEmptyViews)
#include "tst_empty_views.moc"
