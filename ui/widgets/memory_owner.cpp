// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/memory_owner.h"

#include <QCoreApplication>
#include <QPainter>
#include <QPixmap>
#include <QPixmapCache>

namespace espalier::ui {
namespace {

QRgb ground(const ThemeColors& c, MemoryOwner owner) {
    switch (owner) {
        case MemoryOwner::Weights:
            return c.weights;
        case MemoryOwner::Training:
            return c.training;
        case MemoryOwner::KvRunning:
            return c.kvRunning;
        case MemoryOwner::KvCached:
            return c.kvCached;
        case MemoryOwner::Adapters:
            return c.adapters;
        case MemoryOwner::DomainRows:
            return c.domainRows;
        case MemoryOwner::Work:
            return c.control;
        case MemoryOwner::Free:
            break;
    }
    return c.free;
}

QPixmap slanted(QRgb fill, QRgb lines) {
    QPixmap tile(6, 6);
    tile.fill(QColor(fill));
    QPainter painter(&tile);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(QColor(lines), 1));
    painter.drawLine(-1, 7, 7, -1);
    painter.drawLine(-1, 1, 1, -1);
    painter.drawLine(5, 7, 7, 5);
    return tile;
}

QPixmap dotted(QRgb fill, QRgb dots) {
    QPixmap tile(6, 6);
    tile.fill(QColor(fill));
    QPainter painter(&tile);
    painter.fillRect(2, 2, 1, 1, QColor(dots));
    return tile;
}

}  // namespace

QString ownerName(MemoryOwner owner, bool brief) {
    switch (owner) {
        case MemoryOwner::Weights:
            return QCoreApplication::translate("MemoryOwner", "Weights");
        case MemoryOwner::Training:
            return QCoreApplication::translate("MemoryOwner", "Training");
        case MemoryOwner::KvRunning:
            return brief ? QCoreApplication::translate("MemoryOwner", "KV")
                         : QCoreApplication::translate("MemoryOwner", "KV, running");
        case MemoryOwner::KvCached:
            return brief ? QCoreApplication::translate("MemoryOwner", "KV cached")
                         : QCoreApplication::translate("MemoryOwner", "KV, cached prefixes");
        case MemoryOwner::Adapters:
            return QCoreApplication::translate("MemoryOwner", "Adapters");
        case MemoryOwner::DomainRows:
            return brief ? QCoreApplication::translate("MemoryOwner", "Rows")
                         : QCoreApplication::translate("MemoryOwner", "Domain rows");
        case MemoryOwner::Work:
            return brief ? QCoreApplication::translate("MemoryOwner", "Work")
                         : QCoreApplication::translate("MemoryOwner", "Workspace");
        case MemoryOwner::Free:
            break;
    }
    return QCoreApplication::translate("MemoryOwner", "Free");
}

QBrush ownerBrush(const ThemeColors& c, MemoryOwner owner) {
    const QRgb fill = ground(c, owner);
    if (owner != MemoryOwner::KvCached && owner != MemoryOwner::Free) return QBrush(QColor(fill));
    const QString key = QStringLiteral("owner/%1/%2").arg(int(owner)).arg(fill);
    QPixmap tile;
    if (!QPixmapCache::find(key, &tile)) {
        tile = owner == MemoryOwner::KvCached ? slanted(fill, c.cachedLines) : dotted(fill, c.freeDots);
        QPixmapCache::insert(key, tile);
    }
    return QBrush(tile);
}

QRgb ownerNameColor(const ThemeColors& c, MemoryOwner owner) {
    if (owner == MemoryOwner::Weights || owner == MemoryOwner::KvRunning) return c.nameOnDark;
    return owner == MemoryOwner::Free ? c.text : c.nameOnLight;
}

bool isCountedInMib(const MemoryByOwner& memory) {
    const qint64 used = memory.total - memory.free;
    return used > 0 && used < (qint64(1) << 30);
}

qint64 bytesOf(const MemoryByOwner& memory, MemoryOwner owner) {
    switch (owner) {
        case MemoryOwner::Weights:
            return memory.weights;
        case MemoryOwner::Training:
            return memory.training;
        case MemoryOwner::KvRunning:
            return memory.kvRunning;
        case MemoryOwner::KvCached:
            return memory.kvCached;
        case MemoryOwner::Adapters:
            return memory.adapters;
        case MemoryOwner::DomainRows:
            return memory.domainRows;
        case MemoryOwner::Work:
            return memory.workspace;
        case MemoryOwner::Free:
            break;
    }
    return memory.free;
}

}  // namespace espalier::ui
