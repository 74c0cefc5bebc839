// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/theme.h"

#include <QApplication>
#include <QDBusConnection>
#include <QDBusMessage>
#include <QDBusPendingCallWatcher>
#include <QDBusPendingReply>
#include <QDBusVariant>
#include <QFontDatabase>

#include "ui/shell/style.h"

// A static library's resources register themselves only when asked to, from outside any namespace.
static void registerResources() {
    Q_INIT_RESOURCE(fonts);
    Q_INIT_RESOURCE(icons);
    Q_INIT_RESOURCE(licences);
}

namespace espalier::ui {
namespace {

constexpr auto kPortal = "org.freedesktop.portal.Desktop";
constexpr auto kPortalPath = "/org/freedesktop/portal/desktop";
constexpr auto kPortalSettings = "org.freedesktop.portal.Settings";
constexpr auto kAppearance = "org.freedesktop.appearance";
constexpr auto kColorScheme = "color-scheme";
constexpr unsigned kPrefersDark = 1;

constexpr auto kDesktop = "org.gnome.desktop.interface";
constexpr auto kAnimations = "enable-animations";
constexpr double kUsualPoints = 10;  // of a desktop's font: 13 px at 96 dpi

// The portal wraps the value once when it announces a change and twice when it is read.
QVariant unwrapped(QVariant value) {
    while (value.userType() == qMetaTypeId<QDBusVariant>()) value = value.value<QDBusVariant>().variant();
    return value;
}

}  // namespace

QPalette paletteOf(const ThemeColors& c) {
    QPalette palette;
    const auto set = [&](QPalette::ColorRole role, QRgb color) { palette.setColor(role, QColor(color)); };
    set(QPalette::Window, c.window);
    set(QPalette::Base, c.base);
    set(QPalette::AlternateBase, c.alternateBase);
    for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText, QPalette::HighlightedText})
        set(role, c.text);
    set(QPalette::PlaceholderText, c.secondary);
    set(QPalette::Button, c.button);
    set(QPalette::Highlight, c.selection);
    set(QPalette::Link, c.accentText);
    set(QPalette::LinkVisited, c.accentText);
    set(QPalette::ToolTipBase, c.tooltip);
    set(QPalette::ToolTipText, c.tooltipText);
    set(QPalette::BrightText, c.error);
    set(QPalette::Light, c.light);
    set(QPalette::Midlight, c.midlight);
    set(QPalette::Mid, c.mid);
    set(QPalette::Dark, c.dark);
    set(QPalette::Shadow, c.shadow);
    for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText, QPalette::HighlightedText,
                            QPalette::PlaceholderText})
        palette.setColor(QPalette::Disabled, role, QColor(c.disabledText));
    return palette;
}

const ThemeColors& colorsOf(const QPalette& palette) {
    return palette.color(QPalette::Active, QPalette::Text).lightness() > 127 ? kDarkTheme : kLightTheme;
}

QFont uiFont(int size, QFont::Weight weight) {
    QFont font = QApplication::font();
    font.setPixelSize(qRound(size * font.pixelSize() / double(text_size::kBody)));
    font.setWeight(weight);
    return font;
}

int scaled(int pixels) {
    return pixels * QApplication::font().pixelSize() / text_size::kBody;
}

QFont monoFont(int size) {
    QFont font = uiFont(size);
    font.setFamilies({QStringLiteral("DejaVu Sans Mono"), QStringLiteral("monospace")});
    font.setStyleHint(QFont::Monospace);
    return font;
}

QString themeChoiceName(ThemeChoice choice) {
    switch (choice) {
        case ThemeChoice::Light:
            return QStringLiteral("light");
        case ThemeChoice::Dark:
            return QStringLiteral("dark");
        case ThemeChoice::System:
            break;
    }
    return QStringLiteral("system");
}

ThemeChoice themeChoiceFromName(const QString& name) {
    if (name == QLatin1String("light")) return ThemeChoice::Light;
    if (name == QLatin1String("dark")) return ThemeChoice::Dark;
    return ThemeChoice::System;
}

Theme::Theme(QApplication& app) : m_app(app), m_desktopFont(app.font()) {
    registerResources();
    for (const char* cut : {"Regular", "Medium", "SemiBold"})
        QFontDatabase::addApplicationFont(QStringLiteral(":/fonts/EspalierSans-%1.otf").arg(QLatin1String(cut)));
    app.setStyle(new Style);
    setTextPercent(0);
    apply();
    askDesktop();
}

void Theme::setTextPercent(int percent) {
    // The desktop's font says how large people want their text.
    const double points = m_desktopFont.pointSizeF();
    const int desktops = points > 0 ? qRound(100 * points / kUsualPoints) : kLeastTextPercent;
    const int used = qBound(kLeastTextPercent, percent > 0 ? percent : desktops, kMostTextPercent);
    QFont font(QStringList{QStringLiteral("Espalier Sans"), m_desktopFont.family()});
    font.setPixelSize(qRound(text_size::kBody * used / 100.0));
    font.setHintingPreference(QFont::PreferNoHinting);
    if (m_app.font() != font) m_app.setFont(font);
}

int Theme::textPercent() const {
    return qRound(100.0 * m_app.font().pixelSize() / text_size::kBody);
}

int Theme::duration(int ms) const {
    const bool still = m_motion == MotionChoice::Reduced || (m_motion == MotionChoice::System && m_desktopIsStill);
    return still ? 0 : ms;
}

void Theme::choose(ThemeChoice choice) {
    if (m_choice == choice) return;
    m_choice = choice;
    apply();
    emit chosen(choice);
}

void Theme::askDesktop() {
    auto bus = QDBusConnection::sessionBus();
    if (!bus.isConnected()) return;
    ask(kAppearance, kColorScheme);
    ask(kDesktop, kAnimations);
    bus.connect(kPortal, kPortalPath, kPortalSettings, QStringLiteral("SettingChanged"), this,
                SLOT(desktopSettingChanged(QString, QString, QDBusVariant)));
}

void Theme::ask(const char* group, const char* key) {
    auto message = QDBusMessage::createMethodCall(kPortal, kPortalPath, kPortalSettings, QStringLiteral("Read"));
    message << QString::fromLatin1(group) << QString::fromLatin1(key);
    auto* watcher = new QDBusPendingCallWatcher(QDBusConnection::sessionBus().asyncCall(message), this);
    connect(watcher, &QDBusPendingCallWatcher::finished, this, [this, watcher, group, key] {
        const QDBusPendingReply<QDBusVariant> reply = *watcher;
        if (reply.isValid())
            take(QString::fromLatin1(group), QString::fromLatin1(key), QVariant::fromValue(reply.value()));
        watcher->deleteLater();
    });
}

void Theme::desktopSettingChanged(const QString& group, const QString& key, const QDBusVariant& value) {
    take(group, key, QVariant::fromValue(value));
}

void Theme::take(const QString& group, const QString& key, QVariant value) {
    value = unwrapped(std::move(value));
    if (group == QLatin1String(kAppearance) && key == QLatin1String(kColorScheme)) {
        m_desktopIsDark = value.toUInt() == kPrefersDark;
        apply();
    } else if (group == QLatin1String(kDesktop) && key == QLatin1String(kAnimations)) {
        m_desktopIsStill = !value.toBool();
    }
}

void Theme::apply() {
    const bool dark = m_choice == ThemeChoice::Dark || (m_choice == ThemeChoice::System && m_desktopIsDark);
    const QPalette palette = paletteOf(dark ? kDarkTheme : kLightTheme);
    if (m_app.palette() != palette) m_app.setPalette(palette);
}

}  // namespace espalier::ui
