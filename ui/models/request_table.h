// SPDX-License-Identifier: GPL-3.0-or-later
// RequestTable: what the daemon is answering or has waiting, oldest first. Rows stay where they are while their request
// lives, so that one can be chosen and cancelled.
#pragma once

#include "core/engine/messages.h"
#include "ui/models/record_table.h"

namespace espalier::ui {

class RequestTable : public RecordTable {
    Q_OBJECT
public:
    enum Column { Id, Model, Tenant, State, Prompt, Cached, Produced, Rate, Pages, Age };
    explicit RequestTable(QObject* parent = nullptr);

    void setRequests(const std::vector<RequestRecord>& requests);  // ascending ids
    const RequestRecord* find(qint64 id) const;
    qint64 idAt(int row) const { return m_requests[std::size_t(row)].id; }
    static QString modelText(const RequestRecord& request);  // "tiny:cook", as the request named it

    int rowCount(const QModelIndex& parent = {}) const override;

protected:
    QVariant cell(int row, int column, int role) const override;

private:
    QVariant shown(const RequestRecord& request, int column) const;
    std::vector<RequestRecord> m_requests;
};

}  // namespace espalier::ui
