// SPDX-License-Identifier: GPL-3.0-or-later
// LogTable: the newest lines of the daemon's log, oldest first, at most kCapacity. Lines of the workbench itself stand
// among them under the source kWorkbench.
#pragma once

#include <deque>

#include "core/engine/messages.h"
#include "ui/models/record_table.h"

namespace espalier::ui {

int severity(const std::string& level);  // debug 0, info 1, warning 2, error 3

class LogTable : public RecordTable {
    Q_OBJECT
public:
    enum Column { Time, Level, Source, Message };
    static constexpr int kCapacity = 5000;
    static constexpr auto kWorkbench = "workbench";
    explicit LogTable(QObject* parent = nullptr);

    void setRecords(std::vector<LogRecord> records);
    void append(const LogRecord& record) { appendAll({record}); }
    void appendAll(std::vector<LogRecord> records);  // one insertion, however many
    // The daemon's newest lines after a while without it: those that are not here yet are appended, and returned.
    std::vector<LogRecord> catchUp(std::vector<LogRecord> records);
    const std::deque<LogRecord>& records() const { return m_records; }
    int countAtLeast(int severity, qint64 after = -1) const;  // of the lines written after that, Unix milliseconds

    int rowCount(const QModelIndex& parent = {}) const override;

protected:
    QVariant cell(int row, int column, int role) const override;

private:
    std::deque<LogRecord> m_records;
};

}  // namespace espalier::ui
