// SPDX-License-Identifier: GPL-3.0-or-later
// LimitRow: a tenant that has used most or all of its tokens of today, and the way to its limits.
//
// Owner: HomePage. Thread: Qt.
#pragma once

#include "core/engine/tenants.h"
#include "ui/widgets/controls.h"

class QBoxLayout;

namespace espalier::ui {

class LimitRow : public QWidget {
    Q_OBJECT
public:
    explicit LimitRow(const QString& tenant);
    QString tenant() const { return m_tenant; }
    void show(const TenantRecord& tenant);

signals:
    void asked(const QString& tenant);

private:
    QString m_tenant;
    TextLabel *m_what, *m_why;
};

}  // namespace espalier::ui
