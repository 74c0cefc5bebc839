// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/case_run.h"

#include <QDateTime>
#include <algorithm>

#include "ui/models/text_diff.h"
#include "ui/pages/case_panel.h"
#include "ui/pages/lane_row.h"

namespace espalier::ui {

CaseRun::CaseRun(LaneRow& lanes, CasePanel& cases, QObject* parent) : QObject(parent), m_lanes(lanes), m_cases(cases) {}

void CaseRun::start(const std::vector<qint64>& ids) {
    m_queue.assign(ids.begin(), ids.end());
    next();
}

void CaseRun::next() {
    if (m_now && !m_now->waiting.empty()) return;
    m_now.reset();
    while (!m_queue.empty() && !m_now) {
        const qint64 id = m_queue.front();
        m_queue.pop_front();
        const SavedCase* saved = m_cases.find(id);
        if (!saved) continue;
        const SavedCase asked = *saved;
        const int turn = m_lanes.nextTurn();
        m_now = Now{id, m_lanes.lanes(), asked.results, {}};
        for (ChatLane* lane : std::vector(m_lanes.lanes())) {
            lane->conversation().clear();
            lane->ask(std::pair(turn, asked.prompt), asked.system, asked.sampling);
        }
    }
    m_cases.setBusy(m_now.has_value());
    emit moved();
}

bool CaseRun::laneEnded(ChatLane* lane) {
    if (!m_now || std::erase(m_now->waiting, lane) == 0) return false;
    judge(lane);
    next();
    return true;
}

void CaseRun::laneRemoved(ChatLane* lane) {
    if (m_now && std::erase(m_now->waiting, lane) > 0) next();
}

void CaseRun::judge(ChatLane* lane) {
    const SavedCase* saved = m_cases.find(m_now->id);
    if (!saved || !lane->conversation().isAnswered()) return;
    const Turn& turn = lane->conversation().turns().back();
    if (turn.end.finish != QLatin1String("stop") && turn.end.finish != QLatin1String("length")) return;
    SavedCase changed = *saved;
    CaseVerdict verdict;
    QStringList words;
    if (!saved->expected.trimmed().isEmpty()) {
        verdict.good = saved->passes(turn.answer);
        words << (verdict.good ? tr("Holds what was expected") : tr("Lacks \"%1\"").arg(saved->expected.trimmed()));
    }
    const auto before = m_now->before.find(lane->model());
    const bool isFirst = before == m_now->before.end();
    const bool same = isFirst || before->second.answer == turn.answer;
    words << (isFirst ? tr("First run") : same ? tr("As last time") : tr("Differs from last time"));
    if (!same) verdict.difference = diffWords(before->second.answer, turn.answer);
    verdict.words = words.join(QStringLiteral(" · "));
    // Of two lanes with one model, the answer that differs is the one to know of.
    const auto [fresh, isOnly] = m_now->fresh.try_emplace(lane->model());
    if (isOnly || fresh->second.same)
        fresh->second = {turn.answer, QDateTime::currentMSecsSinceEpoch(), same && !isFirst, isFirst};
    changed.results[lane->model()] = fresh->second;
    lane->showVerdict(verdict);
    m_cases.save(std::move(changed));
}

CaseRun::State CaseRun::takeState() {
    State state{std::exchange(m_queue, {}), 0, {}, {}, {}};
    if (m_now) {
        state.now = m_now->id;
        state.before = std::move(m_now->before);
        state.fresh = std::move(m_now->fresh);
    }
    const auto& lanes = m_lanes.lanes();
    for (int place = 0; m_now && place < int(lanes.size()); ++place)
        if (std::ranges::count(m_now->waiting, lanes[std::size_t(place)]) > 0) state.waiting.push_back(place);
    m_now.reset();
    return state;
}

void CaseRun::goOn(const State& state) {
    m_queue = state.queue;
    if (state.now == 0) return;
    m_now = Now{state.now, {}, state.before, state.fresh};
    for (const int place : state.waiting)
        if (place < int(m_lanes.lanes().size())) m_now->waiting.push_back(m_lanes.lanes()[std::size_t(place)]);
    m_cases.setBusy(true);
    emit moved();
}

}  // namespace espalier::ui
