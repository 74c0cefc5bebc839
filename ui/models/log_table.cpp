// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/log_table.h"

#include <algorithm>
#include <iterator>

#include "ui/models/format.h"
#include "ui/shell/icons.h"

namespace espalier::ui {
namespace {

void sortByTime(std::vector<LogRecord>& records) {
    std::stable_sort(records.begin(), records.end(),
                     [](const LogRecord& a, const LogRecord& b) { return a.at < b.at; });
}

bool same(const LogRecord& a, const LogRecord& b) {
    return a.at == b.at && a.level == b.level && a.source == b.source && a.text == b.text;
}

QString wordOf(const std::string& level) {
    switch (severity(level)) {
        case 3:
            return LogTable::tr("Error");
        case 2:
            return LogTable::tr("Warning");
        case 1:
            return LogTable::tr("Info");
        default:
            return level == "debug" ? LogTable::tr("Debug") : text(level);
    }
}

}  // namespace

int severity(const std::string& level) {
    if (level == "error") return 3;
    if (level == "warning") return 2;
    return level == "info" ? 1 : 0;
}

LogTable::LogTable(QObject* parent)
    : RecordTable({{tr("Time")}, {tr("Level")}, {tr("Source")}, {tr("Message")}}, parent) {}

void LogTable::setRecords(std::vector<LogRecord> records) {
    beginResetModel();
    sortByTime(records);
    const std::ptrdiff_t tooMany = std::max<std::ptrdiff_t>(0, std::ptrdiff_t(records.size()) - kCapacity);
    m_records.assign(records.begin() + tooMany, records.end());
    endResetModel();
}

void LogTable::appendAll(std::vector<LogRecord> records) {
    if (records.size() > std::size_t(kCapacity)) records.erase(records.begin(), records.end() - kCapacity);
    if (records.empty()) return;
    const int added = int(records.size()), tooMany = rowCount() + added - kCapacity;
    if (tooMany > 0) {
        beginRemoveRows({}, 0, tooMany - 1);
        m_records.erase(m_records.begin(), m_records.begin() + tooMany);
        endRemoveRows();
    }
    beginInsertRows({}, rowCount(), rowCount() + added - 1);
    m_records.insert(m_records.end(), std::make_move_iterator(records.begin()), std::make_move_iterator(records.end()));
    endInsertRows();
}

std::vector<LogRecord> LogTable::catchUp(std::vector<LogRecord> records) {
    qint64 newest = -1;
    for (const LogRecord& known : m_records)
        if (known.source != kWorkbench) newest = std::max(newest, qint64(known.at));
    sortByTime(records);
    std::erase_if(records, [&](const LogRecord& record) {
        return record.at < newest ||
               (record.at == newest && std::any_of(m_records.begin(), m_records.end(),
                                                   [&](const LogRecord& known) { return same(known, record); }));
    });
    appendAll(records);
    return records;
}

int LogTable::countAtLeast(int least, qint64 after) const {
    return int(std::count_if(m_records.begin(), m_records.end(), [&](const LogRecord& record) {
        return record.at > after && severity(record.level) >= least;
    }));
}

int LogTable::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : int(m_records.size());
}

QVariant LogTable::cell(int row, int column, int role) const {
    const LogRecord& record = m_records[std::size_t(row)];
    const int level = severity(record.level);
    switch (role) {
        case Qt::DisplayRole:
            if (column == Time) return formatClock(record.at);
            if (column == Level) return wordOf(record.level);
            return text(column == Source ? record.source : record.text);
        case Qt::ToolTipRole:
            return column == Message ? QVariant(text(record.text)) : QVariant();
        case SortRole:
            return level;
        case IconRole:
            if (column != Level || level < 2) return {};
            return level == 3 ? QStringLiteral("circle-x") : QStringLiteral("triangle-alert");
        case ToneRole:
            if (column == Level && level >= 2) return int(level == 3 ? Tone::Error : Tone::Warn);
            return int(column == Message ? Tone::Text : Tone::Secondary);
        case MonoRole:
            return column == Message;
        default:
            return {};
    }
}

}  // namespace espalier::ui
