// SPDX-License-Identifier: GPL-3.0-or-later
// PlaygroundPage: one prompt to up to four models side by side, through the path every client takes; saved cases that
// are asked again and compared. What is typed, the settings and the chosen models are kept between starts.
#pragma once

#include "ui/models/edit_branch.h"
#include "ui/pages/case_run.h"
#include "ui/pages/chat_lane.h"
#include "ui/pages/page.h"

class QPlainTextEdit;

namespace espalier::ui {

class CasePanel;
class HintButton;
class LaneRow;
class SamplingBar;

class PlaygroundPage : public Page {
    Q_OBJECT
public:
    PlaygroundPage(Workspace& workspace, Actions& actions);
    void fold(Breadth breadth) override;
    void takeFocus() override;
    QJsonObject session() const override;  // models, sampling, system prompt, what was typed
    void restoreSession(const QJsonObject& session) override;

    // What a page made anew goes on with: what was said in each column, answers that are coming, an edit, a run.
    struct Chats {
        std::vector<ChatLane::State> lanes;
        EditBranch edit;
        CaseRun::State run;
    };
    Chats takeChats();
    void goOn(Chats chats);

    void send();  // what is typed; after an edit, from that message on
    void stop();
    void write();  // the field for it takes the keys
    void addModel();
    void newChat();
    void saveCase();  // what is typed, or else was asked last
    bool isAnswering() const;

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    QWidget* header();
    QWidget* systemRow();
    Panel* promptPanel();
    void connectLanes();
    void laneEnded(ChatLane* lane);
    void questionFailed();
    void beginEdit(ChatLane* lane, int turn);
    void endEdit();
    void takeBack();
    ChatRequest request() const;  // what Send would ask the first lane; for the copies
    void loadCase(qint64 id);
    void runCases(const std::vector<qint64>& ids);
    void showModels();
    void refresh();
    QString hint() const;

    LaneRow* m_lanes;
    SamplingBar* m_sampling;
    CasePanel* m_cases;
    CaseRun m_run;
    EditBranch m_edit;
    QPlainTextEdit *m_system = nullptr, *m_input = nullptr;
    QWidget* m_legend = nullptr;
    TextLabel* m_hint = nullptr;
    HintButton* m_send = nullptr;
    QPushButton *m_stop = nullptr, *m_add = nullptr, *m_clear = nullptr, *m_undo = nullptr, *m_cancelEdit = nullptr,
                *m_showCases = nullptr, *m_save = nullptr, *m_curl = nullptr, *m_python = nullptr;
};

}  // namespace espalier::ui
