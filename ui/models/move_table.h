// SPDX-License-Identifier: GPL-3.0-or-later
// MoveTable: the moves of adapters between disk, RAM and the pool, newest first: what, where, why, for whom, what it
// cost. Gathers what snapshots bring, so that more is seen than one of them holds; also the table twin of MoveTimeline.
#pragma once

#include <deque>

#include "core/serving/adapter_trace.h"
#include "ui/models/record_table.h"

namespace espalier::ui {

class MoveTable : public RecordTable {
    Q_OBJECT
public:
    enum Column { Time, Adapter, Way, Why, Tenant, Size, Took };
    explicit MoveTable(QObject* parent = nullptr);

    // Those it has not seen are added. Sequence numbers that begin anew are another daemon's: the old ones go.
    void add(const std::vector<AdapterMove>& moves);
    void clear();
    const std::deque<AdapterMove>& moves() const { return m_moves; }  // newest first

    int rowCount(const QModelIndex& parent = {}) const override;

    static QString wayText(const AdapterMove& move);  // "RAM → Device"
    static QString whyText(const AdapterMove& move);  // "Room for math"

protected:
    QVariant cell(int row, int column, int role) const override;

private:
    std::deque<AdapterMove> m_moves;
};

}  // namespace espalier::ui
