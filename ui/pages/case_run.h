// SPDX-License-Identifier: GPL-3.0-or-later
// CaseRun: saved cases asked one after the other in every lane of the Playground. Each answer is held against what the
// case expects and against what its model answered before this run, however many lanes ask that model, and kept with
// the case unless it was cut short.
#pragma once

#include <QObject>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "ui/models/saved_case.h"

namespace espalier::ui {

class CasePanel;
class ChatLane;
class LaneRow;

class CaseRun : public QObject {
    Q_OBJECT
public:
    CaseRun(LaneRow& lanes, CasePanel& cases, QObject* parent);

    void start(const std::vector<qint64>& ids);
    void cutShort() { m_queue.clear(); }  // what is asked now is the last
    bool isOn() const { return m_now.has_value(); }
    // Requires: it ended. True: it belonged to the run.
    bool laneEnded(ChatLane* lane);
    void laneRemoved(ChatLane* lane);

    // What a page made anew goes on with.
    struct State {
        std::deque<qint64> queue;
        qint64 now = 0;            // 0: none
        std::vector<int> waiting;  // places of the lanes that have not answered yet
        std::map<QString, CaseResult> before, fresh;
    };
    State takeState();
    void goOn(const State& state);

signals:
    void moved();  // to the next case, or to the end

private:
    struct Now {
        qint64 id = 0;
        std::vector<ChatLane*> waiting;
        std::map<QString, CaseResult> before, fresh;  // by model: as the case had it, and of this run
    };
    void next();
    void judge(ChatLane* lane);

    LaneRow& m_lanes;
    CasePanel& m_cases;
    std::deque<qint64> m_queue;
    std::optional<Now> m_now;
};

}  // namespace espalier::ui
