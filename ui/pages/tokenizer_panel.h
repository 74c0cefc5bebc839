// SPDX-License-Identifier: GPL-3.0-or-later
// TokenizerPanel: a line of text, cut by the chosen model's tokenizer as it is typed.
#pragma once

#include <QTimer>

#include "ui/models/workspace.h"
#include "ui/widgets/panel.h"

class QLineEdit;
class QStackedLayout;

namespace espalier::ui {

class TokenStrip;

class TokenizerPanel : public Panel {
    Q_OBJECT
public:
    explicit TokenizerPanel(Workspace& workspace);
    void show(const ModelRecord* model);

private:
    void tokenize();

    Workspace& m_workspace;
    QString m_model;
    QLineEdit* m_text;
    TokenStrip* m_tokens;
    TextLabel* m_count;
    ErrorStrip* m_error;
    QStackedLayout* m_stack;
    EmptyView* m_empty;
    QTimer m_pause;
    int m_number = 0;
};

}  // namespace espalier::ui
