// SPDX-License-Identifier: GPL-3.0-or-later
// OriginView: where a model came from and what it is known by, as a form to read: digest and paths can be copied whole
// however much of them is seen.
//
// Owner: ModelInspector. Thread: Qt.
#pragma once

#include <QScrollArea>

#include "core/engine/messages.h"
#include "ui/widgets/controls.h"

class QGridLayout;

namespace espalier::ui {

class OriginView : public QScrollArea {
    Q_OBJECT
public:
    OriginView();
    void show(const ModelRecord& model, qint64 verifiedAt);  // Unix milliseconds; 0: not since the import

private:
    TextLabel* addRow(const QString& name, bool isMono);

    QGridLayout* m_form;
    TextLabel *m_digest, *m_verified, *m_id, *m_folder, *m_source, *m_licence;
    TextLabel* m_warningsName;
    QLabel* m_warnings;
};

}  // namespace espalier::ui
