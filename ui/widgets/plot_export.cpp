// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/plot_export.h"

#include <QDateTime>
#include <QImageWriter>
#include <QPainter>
#include <QSaveFile>
#include <QWidget>
#include <cmath>

namespace espalier::ui {
namespace {

constexpr int kCaptionHeight = 28, kExportSide = 12;

QString quoted(QString field) {
    if (!field.contains(QLatin1Char(',')) && !field.contains(QLatin1Char('"'))) return field;
    return QLatin1Char('"') + field.replace(QLatin1Char('"'), QLatin1String("\"\"")) + QLatin1Char('"');
}

QString isoTime(double unixSeconds) {
    return QDateTime::fromMSecsSinceEpoch(std::llround(unixSeconds * 1000), Qt::UTC).toString(Qt::ISODateWithMs);
}

// Swatch and name of each series, from the right.
void paintLegend(QPainter& painter, const ThemeColors& c, const PlotContent& content, QRect room) {
    const auto columns = columnsOf(content);
    int x = room.right();
    for (std::size_t i = columns.size(); i-- > 0;) {
        const int width = painter.fontMetrics().horizontalAdvance(columns[i].name);
        x -= width;
        if (x - kSwatch - 4 < room.left()) return;
        painter.setPen(QColor(c.secondary));
        painter.drawText(QRect(x, room.top(), width + 1, room.height()), Qt::AlignVCenter, columns[i].name);
        x -= kSwatch + 4;
        if (content.bars) {
            painter.fillRect(QRect(x, room.center().y() - kSwatch / 2, kSwatch, kSwatch),
                             linePen(content, c, content.lines[i]).color());
        } else if (content.areas.empty()) {
            QPen pen = linePen(content, c, content.lines[i]);
            pen.setWidth(2);
            painter.setPen(pen);
            painter.drawLine(x, room.center().y(), x + kSwatch, room.center().y());
        } else {
            painter.fillRect(QRect(x, room.center().y() - kSwatch / 2, kSwatch, kSwatch),
                             ownerBrush(c, content.areas[i].owner));
        }
        x -= kExportSide;
    }
}

Error cannotWrite(const QString& path, const QString& why) {
    return fail(ErrorCode::IoError, QStringLiteral("%1 cannot be written: %2").arg(path, why).toStdString(),
                path.toStdString());
}

}  // namespace

FrozenPlot frozen(const PlotContent& content, std::shared_ptr<const SampleRing> samples) {
    if (!samples) samples = std::make_shared<const SampleRing>(content.source);
    return {std::move(samples), columnsOf(content),          content.unit, content.divisor, content.from(),
            content.to(),       content.dashboard != nullptr};
}

QString csvOf(const FrozenPlot& plot) {
    QStringList head = plot.isTime ? QStringList{QStringLiteral("time_utc"), QStringLiteral("unix_seconds")}
                                   : QStringList{QStringLiteral("x")};
    for (const PlotColumn& column : plot.columns)
        head << quoted(plot.unit.isEmpty() ? column.name : QStringLiteral("%1 (%2)").arg(column.name, plot.unit));
    QString out = head.join(QLatin1Char(',')) + QLatin1String("\r\n");
    const SampleRing& samples = *plot.samples;
    for (int i = samples.lowerBound(plot.from); i < samples.size() && samples.x(i) <= plot.to; ++i) {
        if (plot.isTime) out += isoTime(samples.x(i)) + QLatin1Char(',');
        out += QString::number(samples.x(i), 'f', 3);
        for (const PlotColumn& column : plot.columns) {
            const double value = samples.value(i, column.column) / plot.divisor;
            out += QLatin1Char(',') + (std::isnan(value) ? QString() : QString::number(value, 'g', 12));
        }
        out += QLatin1String("\r\n");
    }
    return out;
}

QPixmap pictureOf(const PlotContent& content, QWidget& surface) {
    const ThemeColors& c = colorsOf(surface.palette());
    const double ratio = surface.devicePixelRatioF();
    QPixmap picture((QSizeF(surface.width(), surface.height() + kCaptionHeight) * ratio).toSize());
    picture.setDevicePixelRatio(ratio);
    picture.fill(QColor(c.base));
    QPainter painter(&picture);
    const QRect title(kExportSide, 0, surface.width() - 2 * kExportSide, kCaptionHeight);
    painter.setFont(uiFont(text_size::kTable, QFont::DemiBold));
    painter.setPen(QColor(c.text));
    painter.drawText(title, Qt::AlignLeft | Qt::AlignVCenter, content.name);
    const int named = painter.fontMetrics().horizontalAdvance(content.name) + kExportSide;
    painter.setFont(uiFont(text_size::kCaption));
    paintLegend(painter, c, content, title.adjusted(named, 0, 0, 0));
    painter.drawPixmap(0, kCaptionHeight, surface.grab());
    return picture;
}

QString fileStem(const QString& plotName) {
    QString stem;
    for (const QChar letter : plotName.section(QLatin1Char(','), 0, 0).toLower())
        stem += letter.isLetterOrNumber() ? letter : QLatin1Char('-');
    return stem;
}

Result<void> saveCsv(const FrozenPlot& plot, const QString& path) {
    QSaveFile file(path);
    const QByteArray bytes = csvOf(plot).toUtf8();
    if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size() || !file.commit())
        return cannotWrite(path, file.errorString());
    return {};
}

Result<void> savePicture(const QImage& picture, const QString& path) {
    QSaveFile file(path);
    if (!file.open(QIODevice::WriteOnly)) return cannotWrite(path, file.errorString());
    QImageWriter writer(&file, "png");
    if (!writer.write(picture)) return cannotWrite(path, writer.errorString());
    if (!file.commit()) return cannotWrite(path, file.errorString());
    return {};
}

}  // namespace espalier::ui
