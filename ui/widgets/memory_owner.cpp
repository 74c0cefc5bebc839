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
    const auto tr = [](const char* name) { return QCoreApplication::translate("MemoryOwner", name); };
    switch (owner) {
        case MemoryOwner::Weights:
            return tr("Weights");
        case MemoryOwner::Training:
            return tr("Training");
        case MemoryOwner::KvRunning:
            return brief ? tr("KV") : tr("KV, running");
        case MemoryOwner::KvCached:
            return brief ? tr("KV cached") : tr("KV, cached prefixes");
        case MemoryOwner::Adapters:
            return tr("Adapters");
        case MemoryOwner::DomainRows:
            return brief ? tr("Rows") : tr("Domain rows");
        case MemoryOwner::Work:
            return brief ? tr("Work") : tr("Workspace");
        case MemoryOwner::Free:
            break;
    }
    return tr("Free");
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
