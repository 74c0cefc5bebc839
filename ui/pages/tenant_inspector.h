// SPDX-License-Identifier: GPL-3.0-or-later
// TenantInspector: one tenant: its state, keys, limits, the models and adapters it may use, and what it used. Shows
// what it is given and says what a person wants changed; the page asks the daemon.
#pragma once

#include <map>

#include "core/base/json.h"
#include "ui/models/tenant_table.h"
#include "ui/models/workspace.h"
#include "ui/widgets/panel.h"

class QStackedLayout;

namespace espalier::ui {

class Actions;
class LimitEdit;
class ModelChoice;
class TenantUsageView;

class TenantInspector : public Panel {
    Q_OBJECT
public:
    TenantInspector(Workspace& workspace, Actions& actions);
    // null: none is chosen. Fields that are being edited keep what is typed.
    void show(const TenantRecord* tenant, const TenantDays* days);
    void setInPlace(bool inPlace);  // of the list: the way back is shown and takes the focus
    void editLimits();              // the first field takes the focus
    void rotateKey();               // the only one; of several none is meant, and the first button takes the focus
    void revokeKey();               // likewise
    void chooseModels();
    void toggleHours();
    void refuse();  // the last edit did not hold: the fields show again what does
    const std::string& tenant() const { return m_tenant.name; }  // empty: none is shown
    bool isByHour() const;
    void setHours(const std::vector<UsageRow>& rows, std::int64_t now);

signals:
    void rotateWanted(const QString& keyId);
    void keyRevokeWanted(const QString& keyId);
    void revokeWanted(bool revoke);                                               // false: restore
    void limitEdited(const espalier::Json& before, const espalier::Json& after);  // arguments of tenant-limit
    void hoursWanted(const QString& tenant);                                      // answered by setHours
    void left();                                                                  // by Esc or by the way back

protected:
    void keyPressEvent(QKeyEvent* event) override;

private:
    QWidget* titleRow(Actions& actions);
    QWidget* keysPart(Actions& actions);
    QWidget* limitsPart();
    void commit(const QString& key);
    void showKeys();
    void makeKeyLines(const std::vector<const TenantKey*>& live);
    void showLimits();

    TenantRecord m_tenant;
    QStackedLayout* m_stack = nullptr;
    TextLabel *m_name = nullptr, *m_facts = nullptr;
    Badge* m_badge = nullptr;
    QPushButton *m_back = nullptr, *m_revoke = nullptr;
    QPushButton* m_newKey = nullptr;
    struct KeyLine {
        std::string id;
        TextLabel* lastUsed;
        QPushButton *rotate, *revoke;
    };
    QBoxLayout* m_keys = nullptr;
    QWidget* m_keyGrid = nullptr;
    std::vector<KeyLine> m_keyLines;
    std::map<QString, LimitEdit*> m_fields;  // by the key of the limit
    QLabel* m_misread = nullptr;
    ModelChoice* m_models;
    TenantUsageView* m_usage;
};

}  // namespace espalier::ui
