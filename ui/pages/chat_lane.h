// SPDX-License-Identifier: GPL-3.0-or-later
// ChatLane: one model of the Playground: which it is, its conversation, the figures of its last answer, what can be
// done with that answer. Text is laid out once per frame however fast it comes.
#pragma once

#include <QPointer>
#include <QTimer>

#include "ui/models/conversation.h"
#include "ui/models/workspace.h"
#include "ui/shell/actions.h"
#include "ui/widgets/answer_view.h"
#include "ui/widgets/panel.h"

class QComboBox;
class QStackedLayout;

namespace espalier::ui {

// How a case's answer stands to what was expected and to the answer before.
struct CaseVerdict {
    QString words;
    bool good = true;
    std::vector<DiffPiece> difference;  // empty: there is nothing to compare with, or it is the same
};

class ChatLane : public Panel {
    Q_OBJECT
public:
    ChatLane(Workspace& workspace, Actions& actions);

    QString model() const;
    QString wanted() const { return m_wanted.isEmpty() ? model() : m_wanted; }  // also while it is not there
    void chooseModel(const QString& name);
    void showModels();                // the workspace's list has changed
    void setClosable(bool closable);  // with others beside it
    void setProbabilities(bool shown);

    Conversation& conversation() { return m_conversation; }
    const Conversation& conversation() const { return m_conversation; }
    void showConversation();  // after a change from outside
    // Adds the question, or none to ask the last one again, and streams the answer.
    void ask(std::optional<std::pair<int, QString>> question, const QString& system, const Sampling& sampling);
    void stop();
    bool isAnswering() const { return m_stream != nullptr; }
    void showVerdict(const CaseVerdict& verdict);

    // What a lane made anew goes on with. An answer under way waits for it; a state nobody takes ends it.
    struct State {
        Conversation conversation;
        std::optional<Conversation> before;
        std::unique_ptr<ChatStream> stream;
        QString growing;
        std::shared_ptr<TokenAlignment> tokens;
        CaseVerdict verdict;
    };
    State takeState();
    void goOn(State state);

signals:
    void ended();  // an answer is whole, was stopped or failed
    void modelChosen();
    void regenerateRequested();
    void editRequested(int turn);
    void closeRequested();

private:
    QWidget* head();
    QWidget* foot();
    void follow(ChatStream* stream);
    void drawGrowth();
    void finish(const ChatEnd& end);
    void failAnswer(const Error& error);
    void bringBack();
    void showFacts();
    void showFigures(const ChatEnd& end, const TokenAlignment* tokens);
    void refresh();

    Workspace& m_workspace;
    Conversation m_conversation;
    std::optional<Conversation> m_before;  // with the answer that a new one is to replace
    QPointer<ChatStream> m_stream;
    QString m_growing;
    std::shared_ptr<TokenAlignment> m_tokens;
    QTimer m_frame;
    QString m_wanted;  // the model that was chosen, also while it is not there
    bool m_showsProbabilities = true;
    CaseVerdict m_verdict;
    QComboBox* m_model = nullptr;
    QToolButton *m_close = nullptr, *m_copy = nullptr, *m_edit = nullptr, *m_regenerate = nullptr;
    QPushButton* m_compare = nullptr;
    Figure *m_ttft = nullptr, *m_rate = nullptr, *m_count = nullptr, *m_mean = nullptr;
    AnswerView* m_view;
    QStackedLayout* m_stack = nullptr;
    EmptyView* m_empty = nullptr;
    QPushButton *m_import = nullptr, *m_write = nullptr;  // of the empty view: without a model, with one
    TextLabel* m_state = nullptr;
    ErrorStrip* m_error;
};

}  // namespace espalier::ui
