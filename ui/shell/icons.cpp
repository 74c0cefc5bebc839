// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/icons.h"

#include <QApplication>
#include <QFile>
#include <QIconEngine>
#include <QPainter>
#include <QPixmapCache>
#include <QSvgRenderer>

namespace espalier::ui {
namespace {

// Asks the theme for the colour when it paints, so no icon has to be made again after a change of theme.
class ThemedIconEngine : public QIconEngine {
public:
    ThemedIconEngine(QString name, Tone tone) : m_name(std::move(name)), m_tone(tone) {}

    void paint(QPainter* painter, const QRect& rect, QIcon::Mode mode, QIcon::State) override {
        const double ratio = painter->device() ? painter->device()->devicePixelRatioF() : 1.0;
        painter->drawPixmap(rect, iconPixmap(m_name, color(mode), qMin(rect.width(), rect.height()), ratio));
    }
    QPixmap scaledPixmap(const QSize& size, QIcon::Mode mode, QIcon::State, qreal scale) override {
        QPixmap pixmap = iconPixmap(m_name, color(mode), qRound(qMin(size.width(), size.height()) / scale), scale);
        return pixmap;
    }
    QPixmap pixmap(const QSize& size, QIcon::Mode mode, QIcon::State state) override {
        return scaledPixmap(size, mode, state, 1.0);
    }
    QIconEngine* clone() const override { return new ThemedIconEngine(m_name, m_tone); }

private:
    QRgb color(QIcon::Mode mode) const {
        const ThemeColors& colors = colorsOf(QApplication::palette());
        return mode == QIcon::Disabled ? colors.disabledText : toneColor(colors, m_tone);
    }

    QString m_name;
    Tone m_tone;
};

}  // namespace

QRgb toneColor(const ThemeColors& colors, Tone tone) {
    switch (tone) {
        case Tone::Secondary:
            return colors.secondary;
        case Tone::Accent:
            return colors.accentText;
        case Tone::OnAccent:
            return colors.onAccent;
        case Tone::Warn:
            return colors.warn;
        case Tone::Error:
            return colors.error;
        case Tone::Text:
            break;
    }
    return colors.text;
}

QIcon icon(const QString& name, Tone tone) {
    return QIcon(new ThemedIconEngine(name, tone));
}

QPixmap iconPixmap(const QString& name, QRgb color, int size, double pixelRatio) {
    const QString key = QStringLiteral("%1/%2/%3/%4").arg(name).arg(color, 8, 16).arg(size).arg(pixelRatio);
    QPixmap pixmap;
    if (QPixmapCache::find(key, &pixmap)) return pixmap;
    QFile file(QStringLiteral(":/icons/%1.svg").arg(name));
    if (!file.open(QIODevice::ReadOnly)) return pixmap;
    QByteArray svg = file.readAll();
    svg.replace("currentColor", QColor(color).name().toLatin1());
    QSvgRenderer renderer(svg);
    pixmap = QPixmap(QSize(size, size) * pixelRatio);
    pixmap.fill(Qt::transparent);
    QPainter painter(&pixmap);
    painter.setRenderHint(QPainter::Antialiasing);
    renderer.render(&painter);
    painter.end();
    pixmap.setDevicePixelRatio(pixelRatio);
    QPixmapCache::insert(key, pixmap);
    return pixmap;
}

}  // namespace espalier::ui
