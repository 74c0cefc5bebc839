// SPDX-License-Identifier: GPL-3.0-or-later
// PlaygroundPage: a chat with one model through the path every client takes, with its timing.
#pragma once

#include <QPointer>

#include "ui/models/conversation.h"
#include "ui/pages/page.h"

class QComboBox;
class QDoubleSpinBox;
class QLineEdit;
class QPlainTextEdit;
class QSpinBox;
class QStackedLayout;
class QTextBrowser;

namespace espalier::ui {

class PlaygroundPage : public Page {
    Q_OBJECT
public:
    PlaygroundPage(Workspace& workspace, Actions& actions);
    void fold(Breadth breadth) override;

    void send();  // what is typed, or asks the last question again
    void stop();
    bool isAnswering() const { return m_stream != nullptr; }

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;
    void changeEvent(QEvent* event) override;

private:
    QWidget* header();
    QWidget* systemRow();
    Panel* chatPanel();
    Panel* promptPanel();
    ChatRequest settings() const;
    void ask();
    void regenerate();
    void showModels();
    void showMessages();
    void showFigures(const ChatEnd& end);
    void finish(const ChatEnd& end);
    void failAnswer(const Error& error);
    void setAnswering(bool answering);
    void refreshSend();
    void appendBlock(const QString& who, const QString& text);

    Conversation m_conversation;
    QPointer<ChatStream> m_stream;
    QString m_answer;
    QComboBox* m_model = nullptr;
    QDoubleSpinBox *m_temperature = nullptr, *m_topP = nullptr;
    QLineEdit* m_seed = nullptr;
    QSpinBox* m_maxTokens = nullptr;
    QLineEdit* m_system = nullptr;
    QTextBrowser* m_chat = nullptr;
    QStackedLayout* m_chatStack = nullptr;
    EmptyView* m_empty = nullptr;
    Figure *m_ttft = nullptr, *m_rate = nullptr, *m_tokens = nullptr, *m_prompt = nullptr;
    TextLabel *m_ended = nullptr, *m_hint = nullptr;
    QPlainTextEdit* m_input = nullptr;
    QPushButton *m_send = nullptr, *m_stop = nullptr, *m_regenerate = nullptr, *m_copy = nullptr, *m_curl = nullptr,
                *m_clear = nullptr;
    ErrorStrip* m_error = nullptr;
    std::vector<QWidget*> m_wideOnly;
};

}  // namespace espalier::ui
