// SPDX-License-Identifier: GPL-3.0-or-later
// SparkDelegate: the last days of a tenant as a small line. The number is in the cell's text and its tooltip, for those
// who cannot see it.
#pragma once

#include "ui/widgets/table_view.h"

namespace espalier::ui {

class TenantTable;

class SparkDelegate : public CellDelegate {
    Q_OBJECT
public:
    SparkDelegate(const TenantTable& tenants, int rowHeight, QObject* parent)
        : CellDelegate(rowHeight, parent), m_tenants(tenants) {}
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override;

private:
    const TenantTable& m_tenants;
};

}  // namespace espalier::ui
