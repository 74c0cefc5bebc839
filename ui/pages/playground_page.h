// SPDX-License-Identifier: GPL-3.0-or-later
// PlaygroundPage: one prompt to up to four models side by side, through the path every client takes; saved cases that
// are asked again and compared. What is typed, the settings and the chosen models are kept between starts.
#pragma once

#include <QTimer>
#include <deque>

#include "ui/models/conversation.h"
#include "ui/models/saved_case.h"
#include "ui/pages/page.h"

class QPlainTextEdit;
class QSettings;

namespace espalier::ui {

class CasePanel;
class ChatLane;
class SamplingBar;

class PlaygroundPage : public Page {
    Q_OBJECT
public:
    static constexpr int kMostLanes = 4;
    // Requires: settings outlives the page.
    PlaygroundPage(Workspace& workspace, Actions& actions, QSettings& settings);
    ~PlaygroundPage() override;
    void fold(Breadth breadth) override;
    void takeFocus() override;
    QJsonObject session() const override;  // nothing of its own: its settings are written now
    // What was said, column by column, for a window made anew; answers that run are stopped and kept as they are.
    std::vector<Conversation> takeChats();
    void bringBack(const std::vector<Conversation>& chats);

    void send();  // what is typed; after an edit, from that message on
    void stop();
    bool isAnswering() const;

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    struct Branch {  // what an edit, a run of cases or a new chat took away, lane by lane
        std::vector<std::pair<ChatLane*, Conversation>> lanes;
    };
    struct Run {  // a case that is being asked
        qint64 id = 0;
        std::vector<ChatLane*> waiting;
    };

    QWidget* header();
    QWidget* systemRow();
    QWidget* lanesArea();
    Panel* promptPanel();
    ChatLane* addLane(const QString& model);
    void removeLane(ChatLane* lane);
    void laneEnded(ChatLane* lane);
    void questionFailed();
    void beginEdit(ChatLane* lane, int turn);
    void endEdit();
    void undoEdit();
    void newChat();
    Branch branch() const;
    void writeSettings() const;
    ChatRequest request() const;  // what Send would ask the first lane; for the copies
    void saveCase();
    void loadCase(qint64 id);
    void runCases(const std::vector<qint64>& ids);
    void nextRun();
    void judge(ChatLane* lane);
    void keepSettings();
    void readSettings();
    void showModels();
    void refresh();

    QSettings& m_settings;
    QTimer m_pause;         // of typing, before settings are written
    bool m_reading = true;  // settings are on their way in, not out
    std::vector<ChatLane*> m_lanes;
    SamplingBar* m_sampling;
    CasePanel* m_cases;
    QPlainTextEdit *m_system = nullptr, *m_input = nullptr;
    QWidget* m_legend = nullptr;
    QBoxLayout* m_laneRow = nullptr;
    TextLabel *m_title = nullptr, *m_hint = nullptr;
    QPushButton *m_send = nullptr, *m_stop = nullptr, *m_add = nullptr, *m_clear = nullptr, *m_undo = nullptr,
                *m_cancelEdit = nullptr, *m_showCases = nullptr, *m_save = nullptr, *m_curl = nullptr,
                *m_python = nullptr;
    int m_turn = 0;     // of the last question
    int m_editing = 0;  // the turn that Send replaces; 0: none
    QString m_draft;    // what was typed before the edit began
    std::optional<Branch> m_cut;
    QString m_asked;  // the question under way, until one lane has answered it
    std::deque<qint64> m_queue;
    std::optional<Run> m_run;
};

}  // namespace espalier::ui
