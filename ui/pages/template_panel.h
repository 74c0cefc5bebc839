// SPDX-License-Identifier: GPL-3.0-or-later
// TemplatePreview: a conversation written by hand, rendered by the chosen model's chat template as it is typed: the
// text, how many tokens it is, or why the template refused it.
#pragma once

#include <QTimer>

#include "ui/models/workspace.h"
#include "ui/widgets/panel.h"

class QCheckBox;
class QComboBox;
class QPlainTextEdit;
class QVBoxLayout;

namespace espalier::ui {

// One message: role, text, a button that removes it.
class MessageRow : public QWidget {
    Q_OBJECT
public:
    MessageRow(const ChatMessage& message, QWidget* parent = nullptr);
    ChatMessage message() const;

signals:
    void changed();
    void removed();

private:
    void fitHeight();

    QComboBox* m_role;
    QPlainTextEdit* m_text;
};

class TemplatePreview : public QWidget {
    Q_OBJECT
public:
    explicit TemplatePreview(Workspace& workspace);
    void show(const ModelRecord* model);  // renders when it is visible
    std::vector<ChatMessage> messages() const;
    void setMessages(const std::vector<ChatMessage>& messages);
    bool isChanged() const { return messages() != m_first; }  // since it was made

signals:
    void changed();

protected:
    void showEvent(QShowEvent* event) override;

private:
    void add(const ChatMessage& message);
    void render();
    QList<MessageRow*> rows() const;

    Workspace& m_workspace;
    std::vector<ChatMessage> m_first;
    QString m_model, m_rendered;  // ids; m_rendered: of the text shown
    QVBoxLayout* m_list;
    QCheckBox* m_prompt;
    QPlainTextEdit* m_text;
    TextLabel* m_count;
    ErrorStrip* m_error;
    QTimer m_pause;
    int m_number = 0;
};

}  // namespace espalier::ui
