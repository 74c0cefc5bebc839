// SPDX-License-Identifier: GPL-3.0-or-later
#include <QDirIterator>
#include <QFile>
#include <QFontDatabase>
#include <QFontMetrics>
#include <QPainter>
#include <QRegularExpression>
#include <cmath>

#include "tests/ui/support/ui_test_main.h"
#include "ui/shell/icons.h"

using namespace espalier::ui;

namespace {

// Relative luminance and contrast as WCAG 2.1 defines them.
double luminance(QRgb color) {
    const auto linear = [](int channel) {
        const double c = channel / 255.0;
        return c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4);
    };
    return 0.2126 * linear(qRed(color)) + 0.7152 * linear(qGreen(color)) + 0.0722 * linear(qBlue(color));
}

double contrast(QRgb a, QRgb b) {
    const double x = luminance(a), y = luminance(b);
    return (std::max(x, y) + 0.05) / (std::min(x, y) + 0.05);
}

}  // namespace

class TestTheme : public QObject {
    Q_OBJECT
private slots:
    void contrast_data() {
        QTest::addColumn<QRgb>("front");
        QTest::addColumn<QRgb>("ground");
        QTest::addColumn<double>("least");
        const auto pair = [](const char* theme, const char* name, QRgb front, QRgb ground, double least) {
            QTest::addRow("%s: %s", theme, name) << front << ground << least;
        };
        for (const auto& [name, c] : {std::pair{"light", kLightTheme}, std::pair{"dark", kDarkTheme}}) {
            for (const QRgb ground : {c.base, c.window, c.selection, c.side, c.hover, c.alternateBase, c.button}) {
                pair(name, "text", c.text, ground, 4.5);
                pair(name, "secondary", c.secondary, ground, 4.5);
                pair(name, "accentText", c.accentText, ground, 4.5);
            }
            pair(name, "onAccent", c.onAccent, c.accent, 4.5);
            pair(name, "onAccent over", c.onAccent, c.accentHover, 4.5);
            pair(name, "warn on base", c.warn, c.base, 4.5);
            pair(name, "warn on its ground", c.warn, c.warnGround, 4.5);
            pair(name, "error on base", c.error, c.base, 4.5);
            pair(name, "error on its ground", c.error, c.errorGround, 4.5);
            pair(name, "text on the error ground", c.text, c.errorGround, 4.5);
            pair(name, "text on the warning ground", c.text, c.warnGround, 4.5);
            pair(name, "warn in the status bar", c.warn, c.side, 4.5);
            pair(name, "error in the status bar", c.error, c.side, 4.5);
            pair(name, "warn on the selection", c.warn, c.selection, 4.5);
            pair(name, "error on the selection", c.error, c.selection, 4.5);
            pair(name, "name on cached prefixes", c.nameOnLight, c.kvCached, 4.5);
            pair(name, "name on domain rows", c.nameOnLight, c.domainRows, 4.5);
            pair(name, "lines of cached prefixes on base", c.cachedLines, c.base, 3.0);
            pair(name, "control on side", c.control, c.side, 3.0);
            pair(name, "focus on base", c.accentText, c.base, 3.0);
            pair(name, "focus on side", c.accentText, c.side, 3.0);
            pair(name, "check on accent", c.onAccent, c.accent, 3.0);
            pair(name, "tooltip", c.tooltipText, c.tooltip, 4.5);
            pair(name, "name on weights", c.nameOnDark, c.weights, 4.5);
            pair(name, "name on KV", c.nameOnDark, c.kvRunning, 4.5);
            pair(name, "name on training", c.nameOnLight, c.training, 4.5);
            pair(name, "name on adapters", c.nameOnLight, c.adapters, 4.5);
            pair(name, "control on base", c.control, c.base, 3.0);
            pair(name, "control on window", c.control, c.window, 3.0);
            pair(name, "focus on window", c.accentText, c.window, 3.0);
            for (const QRgb series : c.series) pair(name, "series", series, c.base, 3.0);
            for (const QRgb owner : {c.weights, c.training, c.kvRunning, c.adapters, c.domainRows})
                pair(name, "owner", owner, c.base, 3.0);
            pair(name, "leaf", c.leaf, c.base, 3.0);
        }
    }
    void contrast() {
        QFETCH(QRgb, front);
        QFETCH(QRgb, ground);
        QFETCH(double, least);
        const double measured = ::contrast(front, ground);
        QVERIFY2(measured >= least, qPrintable(QStringLiteral("%1, at least %2").arg(measured).arg(least)));
    }
    // The figures that the description of the look states, to a tenth.
    void statedContrast_data() {
        QTest::addColumn<QRgb>("front");
        QTest::addColumn<QRgb>("ground");
        QTest::addColumn<double>("stated");
        const auto row = [](const char* name, QRgb ThemeColors::*front, QRgb ThemeColors::*ground, double light,
                            double dark) {
            QTest::addRow("light: %s", name) << kLightTheme.*front << kLightTheme.*ground << light;
            QTest::addRow("dark: %s", name) << kDarkTheme.*front << kDarkTheme.*ground << dark;
        };
        using C = ThemeColors;
        row("text on base", &C::text, &C::base, 16.7, 13.3);
        row("text on window", &C::text, &C::window, 15.0, 14.4);
        row("text on selection", &C::text, &C::selection, 13.7, 9.8);
        row("secondary on base", &C::secondary, &C::base, 6.5, 7.0);
        row("secondary on window", &C::secondary, &C::window, 5.9, 7.6);
        row("secondary on selection", &C::secondary, &C::selection, 5.3, 5.2);
        row("accentText on base", &C::accentText, &C::base, 6.2, 8.5);
        row("accentText on selection", &C::accentText, &C::selection, 5.0, 6.3);
        row("onAccent on accent", &C::onAccent, &C::accent, 6.2, 5.3);
        row("warn on base", &C::warn, &C::base, 6.3, 9.0);
        row("warn on its ground", &C::warn, &C::warnGround, 5.7, 7.8);
        row("error on base", &C::error, &C::base, 6.5, 7.5);
        row("error on its ground", &C::error, &C::errorGround, 5.6, 6.8);
        row("control on base", &C::control, &C::base, 3.6, 3.7);
        row("control on window", &C::control, &C::window, 3.2, 4.1);
        row("focus on window", &C::accentText, &C::window, 5.5, 9.2);
        row("leaf on base", &C::leaf, &C::base, 6.3, 4.6);
    }
    void statedContrast() {
        QFETCH(QRgb, front);
        QFETCH(QRgb, ground);
        QFETCH(double, stated);
        const double measured = ::contrast(front, ground);
        QVERIFY2(std::abs(measured - stated) <= 0.06, qPrintable(QStringLiteral("%1").arg(measured)));
    }
    void icons_areDrawnAtTheRatioOfTheScreen_data() {
        QTest::addColumn<double>("ratio");
        for (const double ratio : {1.0, 1.5, 2.0}) QTest::addRow("%.1f", ratio) << ratio;
    }
    void icons_areDrawnAtTheRatioOfTheScreen() {
        QFETCH(double, ratio);
        QImage page(QSize(32, 32) * ratio, QImage::Format_ARGB32_Premultiplied);
        page.setDevicePixelRatio(ratio);
        page.fill(Qt::transparent);
        QPainter painter(&page);
        icon(QStringLiteral("house")).paint(&painter, QRect(8, 8, 16, 16));
        painter.end();
        const QPixmap own = iconPixmap(QStringLiteral("house"), kLightTheme.text, 16, ratio);
        QCOMPARE(own.size(), QSize(16, 16) * ratio);
        // Not one pixel is scaled: what stands on the page is what was drawn from the SVG at this ratio.
        const QImage there = page.copy(QRect(QPoint(8, 8) * ratio, own.size())).convertToFormat(QImage::Format_ARGB32);
        const QImage drawn = own.toImage().convertToFormat(QImage::Format_ARGB32);
        int different = 0;
        for (int y = 0; y < drawn.height(); ++y)
            for (int x = 0; x < drawn.width(); ++x) different += there.pixel(x, y) != drawn.pixel(x, y);
        QCOMPARE(different, 0);
    }
    void noOtherFileOfTheWorkbenchNamesAColour() {
        static const QRegularExpression hex(
            QStringLiteral("#[0-9A-Fa-f]{6}\\b|0x[0-9A-Fa-f]{6}\\b|Qt::(?:red|green|blue|white|black|gray)\\b"));
        int files = 0;
        QDirIterator walk(QStringLiteral(ESPALIER_UI_SOURCES), {QStringLiteral("*.cpp"), QStringLiteral("*.h")},
                          QDir::Files, QDirIterator::Subdirectories);
        while (walk.hasNext()) {
            QFile file(walk.next());
            if (file.fileName().endsWith(QLatin1String("/shell/theme.h"))) continue;
            QVERIFY(file.open(QIODevice::ReadOnly));
            ++files;
            const auto match = hex.match(QString::fromUtf8(file.readAll()));
            QVERIFY2(!match.hasMatch(), qPrintable(file.fileName() + QStringLiteral(": ") + match.captured()));
        }
        QVERIFY(files > 30);
    }
    void paletteKnowsItsTheme() {
        QCOMPARE(&colorsOf(paletteOf(kLightTheme)), &kLightTheme);
        QCOMPARE(&colorsOf(paletteOf(kDarkTheme)), &kDarkTheme);
    }
    void bundledFontHasDigitsOfOneWidth() {
        for (const QFont::Weight weight : {QFont::Normal, QFont::Medium, QFont::DemiBold}) {
            const QFont font = uiFont(text_size::kBody, weight);
            QCOMPARE(QFontInfo(font).family().left(13), QStringLiteral("Espalier Sans"));
            const QFontMetricsF metrics(font);
            for (const QChar digit : QStringLiteral("023456789"))
                QCOMPARE(metrics.horizontalAdvance(digit), metrics.horizontalAdvance(QLatin1Char('1')));
            for (const QChar letter : QStringLiteral("äßőλЖ→×–"))
                QVERIFY2(metrics.inFont(letter), qPrintable(QString(letter)));
        }
    }
    void everyBundledIconDrawsAndIsUsed() {
        QString sources;
        QDirIterator files(QStringLiteral(ESPALIER_UI_SOURCES), {QStringLiteral("*.cpp")}, QDir::Files,
                           QDirIterator::Subdirectories);
        while (files.hasNext()) {
            QFile file(files.next());
            QVERIFY(file.open(QIODevice::ReadOnly));
            sources += QString::fromUtf8(file.readAll());
        }
        int icons = 0;
        QDirIterator walk(QStringLiteral(":/icons"));
        while (walk.hasNext()) {
            walk.next();
            const QString name = walk.fileName().chopped(4);
            QVERIFY2(!iconPixmap(name, kLightTheme.text, 16, 1).isNull(), qPrintable(name));
            QVERIFY2(sources.contains(QLatin1Char('"') + name + QLatin1Char('"')),
                     qPrintable(name + QStringLiteral(" is not used")));
            ++icons;
        }
        QVERIFY(icons >= 30);
    }
    void icon_followsAChangeOfTheme() {
        const QIcon house = icon(QStringLiteral("house"));
        const auto ink = [&] {
            const QImage image = house.pixmap(16, 16).toImage();
            for (int y = 0; y < image.height(); ++y)
                for (int x = 0; x < image.width(); ++x)
                    if (qAlpha(image.pixel(x, y)) == 255) return image.pixelColor(x, y);
            return QColor();
        };
        const QColor light = ink();
        espalier::test::theme().choose(ThemeChoice::Dark);
        const QColor dark = ink();
        espalier::test::theme().choose(ThemeChoice::Light);
        QVERIFY(light.isValid() && dark.isValid());
        QVERIFY(light.lightness() < dark.lightness());
    }
};
ESPALIER_TEST(tst_theme, TestTheme)
#include "tst_theme.moc"
