// SPDX-License-Identifier: GPL-3.0-or-later
// TenantInspector: one tenant: its state, keys, limits, the models it may use, and its last thirty days. Shows what it
// is given and says what a person wants changed; the page asks the daemon.
#pragma once

#include <map>

#include "core/base/json.h"
#include "ui/models/sample_ring.h"
#include "ui/models/tenant_table.h"
#include "ui/models/workspace.h"
#include "ui/widgets/panel.h"

class QLineEdit;
class QListWidget;
class QStackedLayout;

namespace espalier::ui {

class Plot;

class TenantInspector : public Panel {
    Q_OBJECT
public:
    explicit TenantInspector(Workspace& workspace);
    // null: none is chosen. Fields that are being edited keep what is typed.
    void show(const TenantRecord* tenant, const TenantDays* days);
    void refuse();  // the last edit did not hold: the fields show again what does

signals:
    void keyWanted();
    void rotateWanted(const QString& keyId);
    void keyRevokeWanted(const QString& keyId);
    void revokeWanted(bool revoke);                                               // false: restore
    void limitEdited(const espalier::Json& before, const espalier::Json& after);  // arguments of tenant-limit
    void exportWanted();
    void leftByEsc();

protected:
    void keyPressEvent(QKeyEvent* event) override;

private:
    QWidget* titleRow();
    QWidget* keysPart();
    QWidget* limitsPart();
    QWidget* modelsPart();
    QWidget* usagePart();
    void commit(const QString& key);
    void commitModels();
    void showKeys();
    void showLimits();
    void showModels();
    void showDays(const TenantDays* days);

    Workspace& m_workspace;
    TenantRecord m_tenant;
    QStackedLayout* m_stack = nullptr;
    TextLabel *m_name = nullptr, *m_facts = nullptr;
    Badge* m_badge = nullptr;
    QPushButton *m_revoke = nullptr, *m_newKey = nullptr;
    QBoxLayout* m_keys = nullptr;
    std::map<QString, QLineEdit*> m_fields;  // by the key of the limit
    QListWidget* m_models = nullptr;
    bool m_isShowing = false;
    SampleRing m_days{2, kUsageDays};
    Plot* m_plot = nullptr;
};

// "2.5 M", "30k", "120": a count as people write it; none and 0 are no limit. Nothing when it is not a count.
std::optional<std::int64_t> countFromText(const QString& text);

}  // namespace espalier::ui
