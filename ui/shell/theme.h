// SPDX-License-Identifier: GPL-3.0-or-later
// Theme: every colour and font size of the workbench as plain values, and the object that applies them. No other file
// of ui names a colour. Widgets ask colorsOf(palette()), so a change of theme is a repaint and nothing is rebuilt.
//
// Owner of Theme: main. Thread: Qt.
#pragma once

#include <QFont>
#include <QObject>
#include <QPalette>
#include <array>

class QApplication;
class QDBusVariant;

namespace espalier::ui {

struct ThemeColors {
    // roles of QPalette
    QRgb window, base, alternateBase, text, secondary, button, selection, tooltip, tooltipText, light, midlight, mid,
        dark, shadow, disabledText;
    // own tokens
    QRgb side;     // menu bar, sidebar, status bar
    QRgb line;     // panel borders, splitters
    QRgb grid;     // plot lines, row lines
    QRgb control;  // borders of buttons and fields, axes
    QRgb accent, accentText, onAccent, accentHover, hover;
    QRgb warn, warnGround, error, errorGround;
    QRgb leaf, leafTint;
    // owners of device memory
    QRgb weights, training, kvRunning, kvCached, adapters, domainRows, free;
    QRgb cachedLines, freeDots;    // second cues
    QRgb nameOnDark, nameOnLight;  // names written on fills
    std::array<QRgb, 5> series;    // lines of plots, by position
};

constexpr QRgb opaque(std::uint32_t rgb) {
    return 0xFF000000u | rgb;
}

inline constexpr ThemeColors kLightTheme{
    .window = opaque(0xF1F3F1),
    .base = opaque(0xFFFFFF),
    .alternateBase = opaque(0xF7F9F7),
    .text = opaque(0x1A1F1C),
    .secondary = opaque(0x56605A),
    .button = opaque(0xFBFCFB),
    .selection = opaque(0xDCECE4),
    .tooltip = opaque(0x242A27),
    .tooltipText = opaque(0xF1F4F2),
    .light = opaque(0xFFFFFF),
    .midlight = opaque(0xF1F3F1),
    .mid = opaque(0xD7DCD8),
    .dark = opaque(0x7F8983),
    .shadow = opaque(0x56605A),
    .disabledText = opaque(0x949D97),
    .side = opaque(0xE8EBE8),
    .line = opaque(0xD7DCD8),
    .grid = opaque(0xE7EBE8),
    .control = opaque(0x7F8983),
    .accent = opaque(0x1B6E53),
    .accentText = opaque(0x1B6E53),
    .onAccent = opaque(0xFFFFFF),
    .accentHover = opaque(0x155942),
    .hover = opaque(0xEDF1EE),
    .warn = opaque(0x855600),
    .warnGround = opaque(0xFFF3D6),
    .error = opaque(0xB3261E),
    .errorGround = opaque(0xFCE8E6),
    .leaf = opaque(0x2A6B50),
    .leafTint = opaque(0xCFE3D8),
    .weights = opaque(0x5F646B),
    .training = opaque(0xB678AC),
    .kvRunning = opaque(0x14599A),
    .kvCached = opaque(0x9BCDEF),
    .adapters = opaque(0xDD7522),
    .domainRows = opaque(0x3F9875),
    .free = opaque(0xE9EDEA),
    .cachedLines = opaque(0x3F83BA),
    .freeDots = opaque(0xC3CAC5),
    .nameOnDark = opaque(0xFFFFFF),
    .nameOnLight = opaque(0x141716),
    .series = {opaque(0x0061B0), opaque(0xCE5B00), opaque(0x239268), opaque(0xA0577B), opaque(0x39444E)}};

inline constexpr ThemeColors kDarkTheme{
    .window = opaque(0x141716),
    .base = opaque(0x1B1F1E),
    .alternateBase = opaque(0x202524),
    .text = opaque(0xE2E7E4),
    .secondary = opaque(0xA0ABA6),
    .button = opaque(0x252B29),
    .selection = opaque(0x1F3A30),
    .tooltip = opaque(0xE2E7E4),
    .tooltipText = opaque(0x141716),
    .light = opaque(0x2F3634),
    .midlight = opaque(0x252B29),
    .mid = opaque(0x2F3634),
    .dark = opaque(0x6F7A75),
    .shadow = opaque(0x000000),
    .disabledText = opaque(0x68726D),
    .side = opaque(0x101312),
    .line = opaque(0x2F3634),
    .grid = opaque(0x292F2D),
    .control = opaque(0x6F7A75),
    .accent = opaque(0x25795C),
    .accentText = opaque(0x6CCBA4),
    .onAccent = opaque(0xFFFFFF),
    .accentHover = opaque(0x20694F),
    .hover = opaque(0x242A28),
    .warn = opaque(0xF0B453),
    .warnGround = opaque(0x33290F),
    .error = opaque(0xFF8F80),
    .errorGround = opaque(0x3B1E1B),
    .leaf = opaque(0x3F9673),
    .leafTint = opaque(0x21392F),
    .weights = opaque(0x697079),
    .training = opaque(0xC28BBB),
    .kvRunning = opaque(0x1D75C4),
    .kvCached = opaque(0xB3DCF5),
    .adapters = opaque(0xE89031),
    .domainRows = opaque(0x40B388),
    .free = opaque(0x252B29),
    .cachedLines = opaque(0x5E94BF),
    .freeDots = opaque(0x434B48),
    .nameOnDark = opaque(0xFFFFFF),
    .nameOnLight = opaque(0x141716),
    .series = {opaque(0x6C9EEB), opaque(0xFAB55B), opaque(0x67DEB5), opaque(0xC674A0), opaque(0xCADEEB)}};

QPalette paletteOf(const ThemeColors& colors);
const ThemeColors& colorsOf(const QPalette& palette);  // the table whose window colour the palette shows

// Sizes of look: captions, tables, body, titles, figures. In pixels at 1x, scaled with the application font.
namespace text_size {
inline constexpr int kCaption = 11, kTable = 12, kBody = 13, kTitle = 16, kFigure = 20;
}
inline constexpr int kSwatch = 10;    // the square of a series or an owner in legends and tables
inline constexpr int kCellSide = 12;  // room left and right of a table cell's text, in headers and rows alike
QFont uiFont(int size, QFont::Weight weight = QFont::Normal);
QFont monoFont(int size = text_size::kCaption);
int scaled(int pixels);  // a height or width that grows with the text

enum class ThemeChoice { System, Light, Dark };
QString themeChoiceName(ThemeChoice choice);  // "system", "light", "dark"
ThemeChoice themeChoiceFromName(const QString& name);

enum class MotionChoice { System, Full, Reduced };
inline constexpr int kLeastTextPercent = 100, kMostTextPercent = 200;

class Theme : public QObject {
    Q_OBJECT
public:
    // Loads the bundled fonts, installs the style and the palette, and asks the desktop for its preference without
    // waiting for the answer.
    explicit Theme(QApplication& app);

    ThemeChoice choice() const { return m_choice; }
    void choose(ThemeChoice choice);

    // Text size in per cent of look's sizes; 0 takes the desktop's. Widgets made before keep their fonts: whoever calls
    // builds the window again.
    void setTextPercent(int percent);
    int textPercent() const;  // in use

    void chooseMotion(MotionChoice choice) { m_motion = choice; }
    int duration(int ms) const;  // of a movement; 0 when motion is reduced

signals:
    void chosen(espalier::ui::ThemeChoice choice);

private slots:
    void desktopSettingChanged(const QString& group, const QString& key, const QDBusVariant& value);

private:
    void askDesktop();
    void ask(const char* group, const char* key);
    void take(const QString& group, const QString& key, QVariant value);
    void apply();

    QApplication& m_app;
    QFont m_desktopFont;
    ThemeChoice m_choice = ThemeChoice::System;
    MotionChoice m_motion = MotionChoice::System;
    bool m_desktopIsDark = false, m_desktopIsStill = false;
};

}  // namespace espalier::ui
