// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/move_table.h"

#include <algorithm>

#include "ui/models/format.h"
#include "ui/shell/icons.h"

namespace espalier::ui {
namespace {

constexpr int kMostMovesKept = 512;

}  // namespace

MoveTable::MoveTable(QObject* parent)
    : RecordTable({{tr("Time")},
                   {tr("Adapter")},
                   {tr("Way")},
                   {tr("Why")},
                   {tr("Tenant")},
                   {tr("Size"), true},
                   {tr("ms"), true}},
                  parent) {}

void MoveTable::add(const std::vector<AdapterMove>& moves) {
    if (moves.empty()) return;
    const std::int64_t known = m_moves.empty() ? 0 : m_moves.front().sequence;
    if (moves.back().sequence < known) clear();
    const auto fresh = std::ranges::find_if(
        moves, [this](const AdapterMove& move) { return m_moves.empty() || move.sequence > m_moves.front().sequence; });
    const int count = int(moves.end() - fresh);
    if (count == 0) return;
    beginInsertRows({}, 0, count - 1);
    for (auto move = fresh; move != moves.end(); ++move) m_moves.push_front(*move);
    endInsertRows();
    if (rowCount() <= kMostMovesKept) return;
    beginRemoveRows({}, kMostMovesKept, rowCount() - 1);
    m_moves.resize(kMostMovesKept);
    endRemoveRows();
}

void MoveTable::clear() {
    beginResetModel();
    m_moves.clear();
    endResetModel();
}

int MoveTable::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : int(m_moves.size());
}

QString MoveTable::wayText(const AdapterMove& move) {
    const auto name = [](AdapterTier tier) {
        return tier == AdapterTier::Disk ? tr("Disk") : tier == AdapterTier::Host ? tr("RAM") : tr("Device");
    };
    return name(move.from) + QStringLiteral(" → ") + name(move.to);
}

QString MoveTable::whyText(const AdapterMove& move) {
    switch (move.cause) {
        case MoveCause::Miss:
            return tr("Asked for by a request");
        case MoveCause::Prefetch:
            return tr("Ahead of its turn");
        case MoveCause::Evicted:
            return move.evictedFor == "kv" ? tr("Room for KV pages") : tr("Room for %1").arg(text(move.evictedFor));
        case MoveCause::Reload:
            return tr("A new version came");
        case MoveCause::Unload:
            return tr("It was removed");
    }
    return {};
}

QVariant MoveTable::cell(int row, int column, int role) const {
    const AdapterMove& move = m_moves[std::size_t(row)];
    const bool hasCost = move.seconds > 0;
    switch (role) {
        case Qt::DisplayRole:
            switch (column) {
                case Time:
                    return formatClock(move.at);
                case Adapter:
                    return text(move.adapter);
                case Way:
                    return wayText(move);
                case Why:
                    return whyText(move);
                case Tenant:
                    return move.tenant.empty() ? QStringLiteral("–") : text(move.tenant);
                case Size:
                    return formatBytes(move.bytes);
                default:
                    return hasCost ? formatMs(move.seconds * 1000) : QStringLiteral("–");
            }
        case ToneRole:
            return (column == Took && !hasCost) || (column == Tenant && move.tenant.empty())
                       ? QVariant(int(Tone::Secondary))
                       : QVariant();
        case StrongRole:
            return column == Adapter;
        case IdRole:
            return qint64(move.sequence);
        default:
            return {};
    }
}

}  // namespace espalier::ui
