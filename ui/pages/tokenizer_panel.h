// SPDX-License-Identifier: GPL-3.0-or-later
// TokenizerPanel: the chosen model's way from text to ids, tried out as it is typed: a text cut into tokens, or a
// conversation rendered by the chat template.
#pragma once

#include <QTimer>

#include "ui/models/workspace.h"
#include "ui/widgets/panel.h"

class QCheckBox;
class QPlainTextEdit;
class QStackedLayout;

namespace espalier::ui {

class TemplatePreview;
class TokenStrip;

class Actions;

class TokenizerPanel : public Panel {
    Q_OBJECT
public:
    TokenizerPanel(Workspace& workspace, Actions& actions);
    void show(const ModelRecord* model);
    TemplatePreview& preview() { return *m_template; }

private:
    QWidget* textPart();
    void showPart();
    void tokenize();

    Workspace& m_workspace;
    QString m_model;
    bool m_hasModel = false, m_hasTemplate = false;
    SegmentedSwitch* m_part;
    QPlainTextEdit* m_text;
    QCheckBox* m_special;
    TokenStrip* m_tokens;
    TextLabel* m_count;
    ErrorStrip* m_error;
    TemplatePreview* m_template;
    QStackedLayout* m_stack;
    EmptyView* m_empty;
    QPushButton *m_importModel, *m_tryText;  // of the empty view
    QTimer m_pause;
    int m_number = 0;
};

}  // namespace espalier::ui
