// SPDX-License-Identifier: GPL-3.0-or-later
// Plots through real events. ctest runs it again at 1.5 and 2 pixels of the device to one of the window.
#include <QAbstractItemModelTester>
#include <QAction>
#include <QApplication>
#include <QClipboard>
#include <QFileDialog>
#include <QFileInfo>
#include <QMenu>
#include <QTableView>
#include <QTemporaryDir>
#include <QVBoxLayout>
#include <QWheelEvent>
#include <array>
#include <cmath>

#include "tests/ui/support/ui_test_main.h"
#include "ui/widgets/plot.h"
#include "ui/widgets/plot_canvas.h"
#include "ui/widgets/plot_export.h"
#include "ui/widgets/plot_overlay.h"

using namespace espalier;
using namespace espalier::ui;

namespace {

constexpr double kStart = 1'700'000'000;  // Unix seconds, a whole minute less 40 s

QString oneDecimal(double value) {
    return QString::number(value, 'f', 1);
}

// Two plots on a page.
struct PlotDesk : QWidget {
    SampleRing ring{2, 1000};
    EventMarks marks;
    Dashboard* dashboard = new Dashboard(ring, this);
    Plot *first, *second;
    bool wasTaken = false;

    PlotDesk() {
        resize(640, 400);
        auto* layout = new QVBoxLayout(this);
        for (Plot** plot : {&first, &second}) {
            *plot = new Plot(ring, *dashboard, plot == &first ? QStringLiteral("Tokens/s") : QStringLiteral("Queue"));
            (*plot)->setUnit(QStringLiteral("tok/s"));
            (*plot)->setFormat(oneDecimal);
            (*plot)->setNoDataText(QStringLiteral("No samples yet"));
            (*plot)->setLines({{QStringLiteral("Decode"), 0, 0}, {QStringLiteral("Prefill"), 1, 1}});
            layout->addWidget(*plot);
        }
        dashboard->setSpan(60);
    }
    void fill(int from = 0, int to = 60) {
        for (int i = from; i < to; ++i) ring.append(kStart + i, std::array{10.0 + i % 7, 40.0});
        first->refresh();
        second->refresh();
    }
    bool open() {
        show();
        if (!QTest::qWaitForWindowActive(this)) return false;
        first->refresh();
        second->refresh();
        QTest::qWait(20);
        return true;
    }
    QWidget* overlay(Plot* plot) const { return plot->findChild<PlotOverlay*>(); }
    PlotCanvas* canvas(Plot* plot) const { return plot->findChild<PlotCanvas*>(); }
    void drag(Plot* plot, double fromX, double toX) {
        const int y = canvas(plot)->inside().center().y();
        const QPoint from(qRound(canvas(plot)->pixelOfX(fromX)), y), to(qRound(canvas(plot)->pixelOfX(toX)), y);
        QTest::mousePress(overlay(plot), Qt::LeftButton, {}, from);
        move(plot, (from + to) / 2);
        move(plot, to);
        QTest::mouseRelease(overlay(plot), Qt::LeftButton, {}, to);
    }
    void move(Plot* plot, QPoint to) const {
        QMouseEvent event(QEvent::MouseMove, to, overlay(plot)->mapToGlobal(to), Qt::NoButton, Qt::LeftButton, {});
        QApplication::sendEvent(overlay(plot), &event);
    }
    void turnWheel(Plot* plot, int steps, Qt::KeyboardModifiers keys) {
        const QPointF at = canvas(plot)->inside().center();
        QWheelEvent event(at, overlay(plot)->mapToGlobal(at), {}, QPoint(0, 120 * steps), Qt::NoButton, keys,
                          Qt::NoScrollPhase, false);
        QApplication::sendEvent(overlay(plot), &event);
        wasTaken = event.isAccepted();  // else the page scrolls
    }
    QImage image(QWidget* widget) const { return widget->grab().toImage(); }
};

// A plot of ten numbers on x, each with the same two values.
struct NumberPlot {
    SampleRing ring{2, 20};
    Plot plot{ring, QStringLiteral("Usage")};
    explicit NumberPlot(std::array<double, 2> values) {
        for (int x = 0; x < 10; ++x) ring.append(x, values);
        plot.setRange(-0.5, 9.5);
        plot.resize(480, 200);
    }
    bool open() {
        plot.show();
        if (!QTest::qWaitForWindowExposed(&plot)) return false;
        plot.refresh();
        QTest::qWait(20);
        return true;
    }
    PlotCanvas* canvas() const { return plot.findChild<PlotCanvas*>(); }
};

QAction* actionOf(const QWidget* widget, const QString& text) {
    for (QAction* action : widget->actions())
        if (action->text() == text) return action;
    return nullptr;
}

// Device pixels that are this colour or a blend of it with the ground, within a rectangle in pixels of the window.
int count(const QImage& image, QRect rect, QRgb color) {
    const auto parts = [](QRgb rgb) { return std::array{double(qRed(rgb)), double(qGreen(rgb)), double(qBlue(rgb))}; };
    const auto ground = parts(kLightTheme.base), wanted = parts(color);
    const double ratio = image.devicePixelRatio();
    int found = 0;
    for (int y = int(rect.top() * ratio); y < int((rect.bottom() + 1) * ratio); ++y)
        for (int x = int(rect.left() * ratio); x < int((rect.right() + 1) * ratio); ++x) {
            const auto pixel = parts(image.pixel(x, y));
            double along = 0, length = 0, off = 0;
            for (std::size_t k = 0; k < 3; ++k) {
                along += (pixel[k] - ground[k]) * (wanted[k] - ground[k]);
                length += (wanted[k] - ground[k]) * (wanted[k] - ground[k]);
            }
            const double share = along / length;
            for (std::size_t k = 0; k < 3; ++k)
                off = std::max(off, std::abs(pixel[k] - ground[k] - share * (wanted[k] - ground[k])));
            found += share > 0.3 && off < 25;
        }
    return found;
}

}  // namespace

class TestPlot : public QObject {
    Q_OBJECT
private slots:
    void aDrag_zoomsEveryPlotOfThePage_andADoubleClickGoesBack() {
        PlotDesk desk;
        desk.fill();
        QVERIFY(desk.open());
        const double from = desk.dashboard->from(), to = desk.dashboard->to();
        desk.drag(desk.first, kStart + 20, kStart + 40);
        QVERIFY(desk.dashboard->isZoomed());
        QVERIFY(std::abs(desk.dashboard->from() - (kStart + 20)) < 0.5);
        QVERIFY(std::abs(desk.dashboard->to() - (kStart + 40)) < 0.5);
        QVERIFY(std::abs(desk.canvas(desk.second)->xAt(desk.canvas(desk.second)->inside().left()) - (kStart + 20)) <
                0.5);
        desk.fill(60, 90);  // time goes on, the zoom stands
        QVERIFY(std::abs(desk.dashboard->to() - (kStart + 40)) < 0.5);
        QTest::mouseDClick(desk.overlay(desk.second), Qt::LeftButton, {}, desk.canvas(desk.second)->inside().center());
        QVERIFY(!desk.dashboard->isZoomed());
        QCOMPARE(desk.dashboard->to() - desk.dashboard->from(), to - from);
        QCOMPARE(desk.dashboard->to(), kStart + 89);
    }
    void aClick_zoomsNothing_andEscTakesOneStepBack() {
        PlotDesk desk;
        desk.fill();
        QVERIFY(desk.open());
        QTest::mouseClick(desk.overlay(desk.first), Qt::LeftButton, {}, desk.canvas(desk.first)->inside().center());
        QVERIFY(!desk.dashboard->isZoomed());
        QVERIFY(desk.first->hasFocus());
        desk.drag(desk.first, kStart + 20, kStart + 40);
        QVERIFY(desk.dashboard->isZoomed() && desk.dashboard->cursor());
        QTest::keyClick(desk.first, Qt::Key_Escape);
        QVERIFY(!desk.dashboard->isZoomed());
        QVERIFY(desk.dashboard->cursor());
        QTest::keyClick(desk.first, Qt::Key_Escape);
        QVERIFY(!desk.dashboard->cursor());
        // Esc in the middle of a drag draws nothing and zooms nothing.
        const QPoint at = desk.canvas(desk.first)->inside().center();
        QTest::mousePress(desk.overlay(desk.first), Qt::LeftButton, {}, at);
        desk.move(desk.first, at + QPoint(60, 0));
        QTest::keyClick(desk.first, Qt::Key_Escape);
        QTest::mouseRelease(desk.overlay(desk.first), Qt::LeftButton, {}, at + QPoint(60, 0));
        QVERIFY(!desk.dashboard->isZoomed());
    }
    void theWheel_zoomsWithCtrl_andElseBelongsToThePage() {
        PlotDesk desk;
        desk.fill();
        QVERIFY(desk.open());
        desk.turnWheel(desk.first, 1, {});
        QVERIFY(!desk.wasTaken);
        QVERIFY(!desk.dashboard->isZoomed());
        const double middle = (desk.dashboard->from() + desk.dashboard->to()) / 2;
        desk.turnWheel(desk.first, 2, Qt::ControlModifier);
        QVERIFY(desk.wasTaken);
        QVERIFY(desk.dashboard->isZoomed());
        QVERIFY(desk.dashboard->to() - desk.dashboard->from() < 45);
        QVERIFY(std::abs((desk.dashboard->from() + desk.dashboard->to()) / 2 - middle) < 1);
        desk.turnWheel(desk.first, -5, Qt::ControlModifier);
        QVERIFY(!desk.dashboard->isZoomed());
    }
    void keys_moveTheCursorAndZoom() {
        PlotDesk desk;
        desk.fill();
        QVERIFY(desk.open());
        desk.first->setFocus();
        QTest::keyClick(desk.first, Qt::Key_Left);
        const double one = *desk.dashboard->cursor();
        QTest::keyClick(desk.first, Qt::Key_Left, Qt::ControlModifier);
        const double eleven = *desk.dashboard->cursor();
        QVERIFY(std::abs((desk.dashboard->to() - eleven) / (desk.dashboard->to() - one) - 11) < 0.01);
        QVERIFY(desk.first->accessibleDescription().contains(QStringLiteral("Prefill 40.0 tok/s")));
        QTest::keyClick(desk.first, Qt::Key_Home);
        QVERIFY(std::abs(*desk.dashboard->cursor() - desk.dashboard->from()) < 0.5);
        QTest::keyClick(desk.first, Qt::Key_End);
        QCOMPARE(*desk.dashboard->cursor(), desk.dashboard->to());
        QTest::keyClick(desk.first, Qt::Key_Plus);
        QVERIFY(desk.dashboard->isZoomed());
        QTest::keyClick(desk.first, Qt::Key_Minus);
        QVERIFY(!desk.dashboard->isZoomed());
    }
    void aZoomIsNeverShorterThanASecond() {
        PlotDesk desk;
        desk.fill();
        desk.dashboard->zoom(kStart + 10, kStart + 10.01);
        QCOMPARE(desk.dashboard->to() - desk.dashboard->from(), Dashboard::kLeastZoom);
        desk.dashboard->zoom(kStart + 30, kStart + 20);  // drawn from right to left
        QCOMPARE(desk.dashboard->from(), kStart + 20);
    }
    void pausing_keepsSampling() {
        PlotDesk desk;
        desk.fill(0, 50);
        QVERIFY(desk.open());
        desk.dashboard->setPaused(true);
        desk.fill(50, 60);
        QCOMPARE(desk.dashboard->to(), kStart + 49);
        QCOMPARE(desk.dashboard->samplesBehind(), 11);
        QCOMPARE(desk.dashboard->pausedAt(), kStart + 49);
        desk.dashboard->setPaused(false);
        QCOMPARE(desk.dashboard->to(), kStart + 59);
    }
    void aGap_isAGapInTheLineAndInTheReading() {
        PlotDesk desk;
        desk.fill(0, 20);
        desk.fill(40, 60);
        QVERIFY(desk.open());
        desk.first->refresh();
        QTest::qWait(50);
        PlotCanvas* canvas = desk.canvas(desk.first);
        const QImage image = desk.image(canvas);
        const QRgb prefill = kLightTheme.series[1];
        const auto between = [&](double from, double to) {
            QRect rect = canvas->inside();
            rect.setLeft(qRound(canvas->pixelOfX(kStart + from)));
            rect.setRight(qRound(canvas->pixelOfX(kStart + to)));
            return count(image, rect, prefill);
        };
        QVERIFY(between(5, 15) > 20);
        QCOMPARE(between(22, 37), 0);
        QVERIFY(between(45, 55) > 20);
        desk.dashboard->setCursor(kStart + 30);
        QVERIFY(std::isnan(desk.first->valueAt(0, kStart + 30)));
        QVERIFY(readingText(desk.first->content(), kStart + 30).contains(QStringLiteral("Decode –")));
    }
    void flags_sayWhatHappened() {
        PlotDesk desk;
        desk.fill();
        desk.marks.add({kStart + 30, MarkKind::Model, QStringLiteral("tiny loaded")});
        desk.marks.add({kStart + 30, MarkKind::Model, QStringLiteral("tiny loaded")});  // said once
        desk.marks.add({kStart + 50, MarkKind::Error, QStringLiteral("Error: disk")});
        QCOMPARE(desk.marks.all().size(), 2u);
        QVERIFY(desk.open());
        QTest::qWait(50);
        const QImage before = desk.image(desk.overlay(desk.first)->parentWidget());
        desk.first->setEvents(&desk.marks);
        QTest::qWait(50);
        const QRect head(desk.canvas(desk.first)->inside().topLeft(),
                         QSize(desk.canvas(desk.first)->inside().width(), 8));
        const QImage after = desk.image(desk.overlay(desk.first)->parentWidget());
        QCOMPARE(count(before, head, kLightTheme.error), 0);
        QVERIFY(count(after, head, kLightTheme.error) > 5);
        const int x = qRound(desk.canvas(desk.first)->pixelOfX(kStart + 30));
        QCOMPARE(desk.first->overlay().eventsAt(x).count(QLatin1Char('\n')), 0);
        QVERIFY(desk.first->overlay().eventsAt(x).endsWith(QLatin1String("tiny loaded")));
        QVERIFY(desk.first->overlay().eventsAt(x + 60).isEmpty());
    }
    void aLimit_isALineWithItsName() {
        PlotDesk desk;
        desk.fill();
        QVERIFY(desk.open());
        desk.first->setReference(80, QStringLiteral("limit 80"));
        desk.first->refresh();
        QTest::qWait(50);
        PlotCanvas* canvas = desk.canvas(desk.first);
        const int y = qRound(canvas->pixelOfY(80));
        QVERIFY(canvas->inside().contains(canvas->inside().center().x(), y));
        const QImage image = desk.image(desk.first);
        const QRect along(canvas->inside().left(), y - 1, canvas->inside().width(), 3);
        QVERIFY(count(image, along, kLightTheme.text) > along.width() / 3);
    }
    void bars_standUponEachOther() {
        NumberPlot desk(std::array{10.0, 30.0});
        desk.plot.setBars(true);
        desk.plot.setLines({{QStringLiteral("Prompt"), 0, 0}, {QStringLiteral("Completion"), 1, 1}});
        QVERIFY(desk.open());
        const QImage image = desk.plot.grab().toImage();
        const auto at = [&](double x, double y) {
            const double ratio = image.devicePixelRatio();
            return image.pixelColor(int(desk.canvas()->pixelOfX(x) * ratio), int(desk.canvas()->pixelOfY(y) * ratio));
        };
        QCOMPARE(at(3, 5), QColor(kLightTheme.series[0]));
        QCOMPARE(at(3, 15), QColor(kLightTheme.series[1]));
        QCOMPARE(at(3, 39), QColor(kLightTheme.series[1]));
        QVERIFY(at(3, 41) != QColor(kLightTheme.series[1]));
        QVERIFY(at(3.5, 5) != QColor(kLightTheme.series[0]));  // between two
    }
    void linesOnBothSidesOfZero_areSolidAndReadAsPositive() {
        NumberPlot desk(std::array{10.0, 30.0});
        desk.plot.setLines({{QStringLiteral("In"), 0, 0}, {QStringLiteral("Out"), 1, 1, false, true}});
        QVERIFY(desk.open());
        const QImage image = desk.plot.grab().toImage();
        const QRect inside = desk.canvas()->inside();
        const int zero = int(desk.canvas()->pixelOfY(0));
        QVERIFY(zero > inside.top() && zero < inside.bottom());
        const QRect above(inside.left(), inside.top(), inside.width(), zero - inside.top() - 2);
        const QRect below(inside.left(), zero + 2, inside.width(), inside.bottom() - zero - 2);
        QCOMPARE(count(image, above, kLightTheme.series[1]), 0);
        QCOMPARE(count(image, below, kLightTheme.series[0]), 0);
        QVERIFY(count(image, below, kLightTheme.series[1]) >= inside.width() - 4);  // without the gaps of its dashes
        QVERIFY(readingText(desk.plot.content(), 4).contains(QStringLiteral("Out 30")));
    }
    void aTag_leavesNoHalfOfALabelBesideIt() {
        NumberPlot desk(std::array{10.0, 30.0});
        desk.plot.setLines({{QStringLiteral("Prompt"), 0, 0}});
        desk.plot.setXText(4, [](double) { return QStringLiteral("a rather long label"); });
        QVERIFY(desk.open());
        QVERIFY(!desk.canvas()->tickLabels().empty());
        const QRect label = desk.canvas()->tickLabels()[1].toAlignedRect();
        const QRect left(label.left(), label.top(), 12, label.height());
        QVERIFY(count(desk.plot.grab().toImage(), left, kLightTheme.secondary) > 0);
        desk.plot.setMark(4, QStringLiteral("4"));
        QCOMPARE(count(desk.plot.grab().toImage(), left, kLightTheme.secondary), 0);
    }
    void withoutData_aSentenceStandsInTheMiddle() {
        PlotDesk desk;
        QVERIFY(desk.open());
        const QImage said = desk.image(desk.first);
        desk.first->setNoDataText({});
        desk.first->refresh();
        QTest::qWait(50);
        const QRect inside = desk.canvas(desk.first)->inside();
        QVERIFY(count(said, inside, kLightTheme.secondary) >
                count(desk.image(desk.first), inside, kLightTheme.secondary));
    }
    void csv_hasTimesUnitsAndEmptyGaps() {
        PlotDesk desk;
        desk.ring.append(kStart, std::array{1.5, kGap});
        desk.ring.append(kStart + 0.25, std::array{2.0, 3.0});
        const QString csv = desk.first->csv();
        QCOMPARE(csv, QStringLiteral("time_utc,unix_seconds,Decode (tok/s),Prefill (tok/s)\r\n"
                                     "2023-11-14T22:13:20.000Z,1700000000.000,1.5,\r\n"
                                     "2023-11-14T22:13:20.250Z,1700000000.250,2,3\r\n"));
        desk.first->setLines({{QStringLiteral("a, \"b\""), 0, 0}});
        QVERIFY(desk.first->csv().contains(QStringLiteral(",\"a, \"\"b\"\" (tok/s)\"\r\n")));
    }
    void theContextMenu_savesFiles() {
        PlotDesk desk;
        desk.fill();
        QVERIFY(desk.open());
        QTemporaryDir folder;
        for (const auto& [text, file] : {std::pair{QStringLiteral("Save as CSV…"), QStringLiteral("a.csv")},
                                         std::pair{QStringLiteral("Save as PNG…"), QStringLiteral("a.png")}}) {
            QContextMenuEvent event(QContextMenuEvent::Keyboard, {10, 10}, desk.first->mapToGlobal(QPoint(10, 10)));
            QApplication::sendEvent(desk.first, &event);
            auto* menu = desk.first->findChild<QMenu*>();
            QVERIFY(menu && menu->isVisible());
            QAction* action = actionOf(menu, text);
            QVERIFY(action);
            action->trigger();
            menu->close();
            QTRY_VERIFY(desk.first->findChild<QFileDialog*>());
            auto* dialog = desk.first->findChild<QFileDialog*>();
            dialog->setDirectory(folder.path());
            dialog->selectFile(folder.filePath(file));
            QMetaObject::invokeMethod(dialog, "accept");
            QTRY_VERIFY(QFileInfo::exists(folder.filePath(file)));
            QTRY_VERIFY(!desk.first->findChild<QFileDialog*>());
            QTRY_VERIFY(!desk.first->findChild<QMenu*>());
        }
        const QImage png(folder.filePath(QStringLiteral("a.png")));
        const double ratio = desk.first->devicePixelRatioF();
        QVERIFY(std::abs(png.width() - desk.first->width() * ratio) <= 2);
        QVERIFY(png.height() > desk.first->height() * ratio);  // and a title
        QCOMPARE(
            savePicture(desk.first->picture().toImage(), folder.filePath(QStringLiteral("none/a.png"))).error().code,
            ErrorCode::IoError);
    }
    void theTwin_showsTheSameValuesAndIsReachedByKeys() {
        PlotDesk desk;
        desk.fill();
        QVERIFY(desk.open());
        desk.first->setFocus();
        QTest::keyClick(desk.first, Qt::Key_T, Qt::ControlModifier);
        QVERIFY(desk.first->isTableShown());
        auto* table = desk.first->findChild<QTableView*>();
        QVERIFY(table && table->isVisible() && table->hasFocus());
        QCOMPARE(table->accessibleName(), QStringLiteral("Tokens/s, table"));
        QAbstractItemModelTester tester(table->model(), QAbstractItemModelTester::FailureReportingMode::QtTest);
        QCOMPARE(table->model()->headerData(1, Qt::Horizontal).toString(), QStringLiteral("Decode"));
        QCOMPARE(table->model()->rowCount(), 60);
        const double x = table->model()->index(0, 0).data(Qt::UserRole).toDouble();
        QCOMPARE(x, kStart + 59);
        for (int row = 0; row < 60; ++row)
            QCOMPARE(table->model()->index(row, 1).data(Qt::UserRole).toDouble(), 10.0 + (59 - row) % 7);
        // A chosen moment stays chosen while time goes on.
        table->selectRow(3);
        const QString chosen = table->model()->index(3, 0).data().toString();
        desk.fill(60, 65);
        QTRY_COMPARE(table->model()->index(0, 0).data(Qt::UserRole).toDouble(), kStart + 64);
        QCOMPARE(table->currentIndex().siblingAtColumn(0).data().toString(), chosen);
        QTest::keyClick(table, Qt::Key_T, Qt::ControlModifier);
        QVERIFY(!desk.first->isTableShown());
        QVERIFY(desk.first->hasFocus());
    }
    void copy_putsTheReadingOnTheClipboard() {
        PlotDesk desk;
        desk.fill();
        QVERIFY(desk.open());
        desk.dashboard->setCursor(kStart + 14);
        desk.first->setFocus();
        QTest::keyClick(desk.first, Qt::Key_C, Qt::ControlModifier);
        QCOMPARE(QApplication::clipboard()->text(), QStringLiteral("22:13:34, Decode 10.0 tok/s, Prefill 40.0 tok/s"));
    }
    void whereOnlyTheTimeGoesOn_aPlotIsDrawnNowAndThen() {
        PlotDesk desk;
        for (int i = 0; i < 60; ++i) desk.ring.append(kStart + i, std::array{10.0, kGap});
        desk.first->setStillShare(0.1);
        QVERIFY(desk.open());
        const auto* canvas = desk.first->findChild<PlotCanvas*>();
        desk.first->refresh();
        QVERIFY(!canvas->isTimeToDraw());
        for (int i = 60; i < 64; ++i) {
            desk.ring.append(kStart + i, std::array{10.0, kGap});
            QVERIFY2(!canvas->isTimeToDraw(), qPrintable(QString::number(i)));
        }
        desk.ring.append(kStart + 64, std::array{10.0, kGap});
        QVERIFY(canvas->isTimeToDraw());  // five seconds by now
        desk.first->refresh();
        desk.ring.append(kStart + 65, std::array{11.0, kGap});
        QVERIFY(canvas->isTimeToDraw());  // another value is seen at once
        desk.first->refresh();
        desk.ring.append(kStart + 66, std::array{11.0, 1.0});
        QVERIFY(canvas->isTimeToDraw());  // and so is one where there was none
        desk.first->refresh();
        desk.ring.append(kStart + 67, std::array{11.01, 1.0});
        QVERIFY(!canvas->isTimeToDraw());  // less than half a pixel
    }
    void whoIsToldOfSamples_ticksForThemAndSleepsWithoutAny() {
        PlotDesk desk;
        QVERIFY(desk.open());
        int ticks = 0;
        connect(desk.dashboard, &Dashboard::tick, &desk, [&] { ++ticks; });
        desk.dashboard->arrived();
        QTRY_VERIFY(!desk.dashboard->isRunning());
        QVERIFY(ticks > 0);
        const int before = ticks;
        QTest::qWait(350);
        QCOMPARE(ticks, before);
        desk.dashboard->arrived();
        QTRY_VERIFY(ticks > before);
        QTRY_VERIFY(!desk.dashboard->isRunning());
        desk.hide();
        desk.dashboard->arrived();
        QVERIFY(!desk.dashboard->isRunning());
        desk.show();
        QVERIFY(desk.dashboard->isRunning());  // what came meanwhile is drawn
    }
    void theTimer_runsOnlyWhileThePageCanBeSeen() {
        PlotDesk desk;
        QVERIFY(!desk.dashboard->isRunning());
        QVERIFY(desk.open());
        QVERIFY(desk.dashboard->isRunning());
        desk.showMinimized();
        QTRY_VERIFY(!desk.dashboard->isRunning());
        desk.showNormal();
        QTRY_VERIFY(desk.dashboard->isRunning());
        desk.hide();
        QVERIFY(!desk.dashboard->isRunning());
    }
    void aChangeOfTheme_repaintsPictureAndAxes() {
        PlotDesk desk;
        desk.fill();
        QVERIFY(desk.open());
        const auto ground = [&] { return desk.image(desk.canvas(desk.first)).pixel(3, 3); };
        QCOMPARE(ground(), kLightTheme.base);
        desk.hide();
        espalier::test::theme().choose(ThemeChoice::Dark);
        desk.show();
        QTest::qWait(50);
        const QRgb dark = ground();
        espalier::test::theme().choose(ThemeChoice::Light);
        QTest::qWait(50);
        QCOMPARE(dark, kDarkTheme.base);
        QCOMPARE(ground(), kLightTheme.base);
    }
    void dashes_areAsLongOnAFineScreen() {
        QCOMPARE(seriesPen(kLightTheme, 1, 1).dashPattern(), (QVector<qreal>{5, 2}));
        QCOMPARE(seriesPen(kLightTheme, 1, 2).dashPattern(), (QVector<qreal>{10, 4}));
        QCOMPARE(seriesPen(kLightTheme, 0, 2).widthF(), 0.0);
    }
    void theMainLine_isDrawnAtEveryRatio() {
        PlotDesk desk;
        for (int i = 0; i < 60; ++i) desk.ring.append(kStart + i, std::array{20.0, 40.0});
        QVERIFY(desk.open());
        desk.first->refresh();
        QTest::qWait(50);
        PlotCanvas* canvas = desk.canvas(desk.first);
        const int y = qRound(canvas->pixelOfY(20));
        const QRect along(canvas->inside().left() + 40, y - 2, canvas->inside().width() - 80, 5);
        const QImage image = desk.image(canvas);
        const double ratio = image.devicePixelRatio();
        QVERIFY(std::abs(ratio - desk.devicePixelRatioF()) < 0.01);
        QVERIFY(count(image, along, kLightTheme.series[0]) >= along.width() * ratio * 0.9);
    }
};
ESPALIER_TEST(tst_plot, TestPlot)
#include "tst_plot.moc"
