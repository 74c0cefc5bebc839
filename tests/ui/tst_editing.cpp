// SPDX-License-Identifier: GPL-3.0-or-later
// Copy, and the ring around what has the focus, wherever the focus is: tables, plots, texts chosen with the mouse,
// dialogs.
#include <QApplication>
#include <QClipboard>
#include <QDialog>
#include <QFocusFrame>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QMenuBar>
#include <QPlainTextEdit>
#include <QSpinBox>
#include <QTableView>

#include "tests/ui/support/bench.h"
#include "ui/shell/link_strip.h"
#include "ui/widgets/plot.h"

using namespace espalier;
using namespace espalier::ui;
using espalier::test::Bench;

namespace {

QString copied(QWidget* from) {
    QApplication::clipboard()->setText(QStringLiteral("nothing"));
    from->setFocus();
    QTest::keyClick(from, Qt::Key_C, Qt::ControlModifier);
    return QApplication::clipboard()->text();
}

// Runs an entry of the menu bar as the mouse would.
void choose(Bench& bench, const char* id) {
    QAction* wanted = bench.window.actions().get(QString::fromLatin1(id));
    for (QAction* menu : bench.window.menuBar()->actions()) {
        if (!menu->menu() || !menu->menu()->actions().contains(wanted)) continue;
        menu->menu()->popup(bench.window.mapToGlobal(QPoint(20, 40)));
        QVERIFY(QTest::qWaitForWindowExposed(menu->menu()));
        QTest::mouseClick(menu->menu(), Qt::LeftButton, {}, menu->menu()->actionGeometry(wanted).center());
    }
}

}  // namespace

class TestEditing : public QObject {
    Q_OBJECT
private slots:
    void ctrlC_copiesFromAPlotInTheWindow() {
        Bench bench;
        QVERIFY(bench.open(QStringLiteral("serve")));
        auto* plot = bench.find<Plot>(QStringLiteral("Queue, requests"));
        QVERIFY(plot);
        QTRY_VERIFY(copied(plot).contains(QLatin1String("Running")));
    }
    void ctrlC_copiesTheChosenRowOfATable() {
        Bench bench;
        bench.daemon.addModel("tiny");
        QVERIFY(bench.open(QStringLiteral("models")));
        auto* table = bench.find<QTableView>(QStringLiteral("Models"));
        QTRY_VERIFY(table->currentIndex().isValid() || table->model()->rowCount() == 1);
        table->selectRow(0);
        const QString row = copied(table);
        QVERIFY2(row.startsWith(QLatin1String("tiny\tllama\t")), qPrintable(row));
        // And by the menu, which has the focus for a moment itself.
        QApplication::clipboard()->clear();
        choose(bench, action::kCopy);
        QTRY_COMPARE(QApplication::clipboard()->text(), row);
        QVERIFY(!bench.window.actions().get(action::kPaste)->isEnabled());
    }
    void ctrlC_copiesWhatWasChosenWithTheMouseInASentence() {
        Bench bench;
        QVERIFY(bench.open());
        bench.daemon.goAway();
        auto* strip = bench.window.findChild<LinkStrip*>();
        QTRY_VERIFY(strip->isVisible());
        QLabel* why = nullptr;
        for (auto* label : strip->findChildren<QLabel*>())
            if (!label->text().isEmpty()) why = label;
        QVERIFY(why);
        why->setFocus(Qt::MouseFocusReason);
        why->setSelection(0, 10);
        QCOMPARE(copied(why), why->text().left(10));
    }
    void editCommands_areOfTheFieldThatHasTheFocus() {
        Bench bench;
        bench.daemon.addModel("tiny");
        QVERIFY(bench.open(QStringLiteral("playground")));
        auto* input = bench.find<QPlainTextEdit>(QStringLiteral("Message"));
        QTest::keyClicks(input, QStringLiteral("some words"));
        QTest::keyClick(input, Qt::Key_A, Qt::ControlModifier);
        QTest::keyClick(input, Qt::Key_X, Qt::ControlModifier);
        QCOMPARE(input->toPlainText(), QString());
        QCOMPARE(QApplication::clipboard()->text(), QStringLiteral("some words"));
        QTest::keyClick(input, Qt::Key_V, Qt::ControlModifier);
        QCOMPARE(input->toPlainText(), QStringLiteral("some words"));
        auto* seed = bench.find<QSpinBox>(QStringLiteral("Most tokens of an answer"));
        seed->setFocus();
        seed->selectAll();
        QCOMPARE(copied(seed), seed->text());
    }
    void theRingFollowsTheFocusIntoADialogAndBack() {
        Bench bench;
        QVERIFY(bench.open());
        bench.window.openImport(QStringLiteral("/data/tiny"));
        QTRY_VERIFY(bench.find<QLineEdit>(QStringLiteral("Name")));
        auto* name = bench.find<QLineEdit>(QStringLiteral("Name"));
        name->setFocus();
        const auto ring = [] {
            for (QWidget* top : QApplication::topLevelWidgets())
                for (auto* frame : top->findChildren<QFocusFrame*>())
                    if (frame->isVisible()) return frame;
            return static_cast<QFocusFrame*>(nullptr);
        };
        QTRY_VERIFY(ring() && ring()->widget() == name);
        QCOMPARE(ring()->window(), name->window());
        QTest::keyClick(name->window(), Qt::Key_Escape);
        QTRY_VERIFY(!bench.find<QLineEdit>(QStringLiteral("Name")));
        // The dialog took its ring with it or not: the window has one all the same.
        bench.window.activateWindow();
        QVERIFY(QTest::qWaitForWindowActive(&bench.window));
        bench.window.goTo(QStringLiteral("models"));
        auto* filter = bench.find<QLineEdit>(QStringLiteral("Filter models"));
        QVERIFY(filter);
        filter->setFocus();
        QTRY_VERIFY(ring() && ring()->widget() == filter);
    }
};
ESPALIER_TEST(tst_editing, TestEditing)
#include "tst_editing.moc"
