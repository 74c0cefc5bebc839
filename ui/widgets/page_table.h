// SPDX-License-Identifier: GPL-3.0-or-later
// PageTable: the twin of the page map, a row for each stretch of pages that has one owner.
#pragma once

#include <functional>

#include "core/engine/messages.h"
#include "ui/models/record_table.h"

namespace espalier::ui {

class PageTable : public RecordTable {
    Q_OBJECT
public:
    enum Column { Pages, Count, Owner, Reader };
    // `about` says in one line who a request is; empty when it is not known any more.
    using About = std::function<QString(qint64 request)>;
    explicit PageTable(About about, QObject* parent = nullptr);

    void setMap(const PageMap& map);
    int rowCount(const QModelIndex& parent = {}) const override;

protected:
    QVariant cell(int row, int column, int role) const override;

private:
    struct Row {
        qint64 first = 0, pages = 0;
        PageRun run;
        QString adapter, beside;
    };
    QString readerOf(const Row& row) const;

    About m_about;
    std::vector<Row> m_rows;
};

}  // namespace espalier::ui
