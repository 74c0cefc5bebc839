// SPDX-License-Identifier: GPL-3.0-or-later
// LaneRow: the chats of the Playground side by side, one to four, each with its model; they scroll sideways where the
// window is narrow. It counts the questions, so that a turn has the same number in every lane.
#pragma once

#include <QScrollArea>

#include "ui/pages/chat_lane.h"

class QBoxLayout;

namespace espalier::ui {

class LaneRow : public QScrollArea {
    Q_OBJECT
public:
    static constexpr int kMost = 4;
    LaneRow(Workspace& workspace, Actions& actions);

    const std::vector<ChatLane*>& lanes() const { return m_lanes; }
    ChatLane& first() const { return *m_lanes.front(); }  // Requires: one was added
    // An empty name: a model that is not shown yet, if there is one. Null when there is no room.
    ChatLane* add(const QString& model);
    void remove(ChatLane* lane);  // the last one stays
    bool isFull() const { return int(m_lanes.size()) >= kMost; }
    QStringList models() const;  // as they were chosen, also while they are not there

    int nextTurn() { return ++m_turn; }
    bool isAnswering() const;
    void stop();
    void showModels();  // the workspace's list has changed
    void setProbabilities(bool shown);

    std::vector<Conversation> conversations() const;
    void setConversations(const std::vector<Conversation>& conversations);  // lane by lane, as many as there are

    // What a row made anew goes on with; answers that come keep coming.
    std::vector<ChatLane::State> takeStates();
    void goOn(std::vector<ChatLane::State> states);

signals:
    void removed(espalier::ui::ChatLane* lane,
                 int place);  // it goes with the next turn of the loop, and speaks no more
    void ended(espalier::ui::ChatLane* lane);
    void changed();      // the lanes or their models
    void modelChosen();  // by a person, or a lane came or went
    void editRequested(espalier::ui::ChatLane* lane, int turn);
    void regenerateRequested(espalier::ui::ChatLane* lane);

private:
    QString freeModel() const;
    void showClosable();

    Workspace& m_workspace;
    Actions& m_actions;
    std::vector<ChatLane*> m_lanes;
    QBoxLayout* m_row;
    bool m_showsProbabilities = true;
    int m_turn = 0;  // of the last question
};

}  // namespace espalier::ui
