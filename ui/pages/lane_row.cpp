// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/lane_row.h"

#include <QBoxLayout>
#include <algorithm>

#include "ui/models/format.h"

namespace espalier::ui {

LaneRow::LaneRow(Workspace& workspace, Actions& actions)
    : m_workspace(workspace), m_actions(actions), m_row(row({}, 8)) {
    auto* lanes = new QWidget;
    lanes->setLayout(m_row);
    setFrameShape(QFrame::NoFrame);
    setWidgetResizable(true);
    setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setFocusPolicy(Qt::NoFocus);
    setAccessibleName(tr("Models side by side"));
    setWidget(lanes);
}

// A new column shows another model than those beside it, if there is one.
QString LaneRow::freeModel() const {
    for (const ModelRecord& record : m_workspace.models().models()) {
        const QString name = text(record.name);
        if (std::ranges::none_of(m_lanes, [&](const ChatLane* lane) { return lane->model() == name; })) return name;
    }
    return {};
}

ChatLane* LaneRow::add(const QString& model) {
    if (isFull()) return nullptr;
    auto* lane = new ChatLane(m_workspace, m_actions);
    lane->setProbabilities(m_showsProbabilities);
    if (const QString chosen = model.isEmpty() ? freeModel() : model; !chosen.isEmpty()) lane->chooseModel(chosen);
    m_lanes.push_back(lane);
    m_row->addWidget(lane, 1);
    connect(lane, &ChatLane::ended, this, [this, lane] { emit ended(lane); });
    connect(lane, &ChatLane::modelChosen, this, &LaneRow::modelChosen);
    connect(lane, &ChatLane::closeRequested, this, [this, lane] { remove(lane); });
    connect(lane, &ChatLane::editRequested, this, [this, lane](int turn) { emit editRequested(lane, turn); });
    connect(lane, &ChatLane::regenerateRequested, this, [this, lane] { emit regenerateRequested(lane); });
    showClosable();
    emit changed();
    return lane;
}

void LaneRow::remove(ChatLane* lane) {
    const auto at = std::ranges::find(m_lanes, lane);
    if (at == m_lanes.end() || m_lanes.size() < 2) return;
    lane->disconnect(this);
    lane->stop();
    const int place = int(at - m_lanes.begin());
    m_lanes.erase(at);
    m_row->removeWidget(lane);
    lane->hide();
    lane->deleteLater();
    showClosable();
    emit removed(lane, place);
    emit changed();
    emit modelChosen();
}

void LaneRow::showClosable() {
    for (ChatLane* lane : m_lanes) lane->setClosable(m_lanes.size() > 1);
}

QStringList LaneRow::models() const {
    QStringList models;
    for (const ChatLane* lane : m_lanes) models << lane->wanted();
    return models;
}

bool LaneRow::isAnswering() const {
    return std::ranges::any_of(m_lanes, &ChatLane::isAnswering);
}

void LaneRow::stop() {
    for (ChatLane* lane : m_lanes) lane->stop();
}

void LaneRow::showModels() {
    for (ChatLane* lane : m_lanes) lane->showModels();
}

void LaneRow::setProbabilities(bool shown) {
    m_showsProbabilities = shown;
    for (ChatLane* lane : m_lanes) lane->setProbabilities(shown);
}

std::vector<Conversation> LaneRow::conversations() const {
    std::vector<Conversation> conversations;
    for (const ChatLane* lane : m_lanes) conversations.push_back(lane->conversation());
    return conversations;
}

void LaneRow::setConversations(const std::vector<Conversation>& conversations) {
    for (std::size_t i = 0; i < std::min(conversations.size(), m_lanes.size()); ++i) {
        m_lanes[i]->conversation() = conversations[i];
        m_lanes[i]->showConversation();
    }
}

std::vector<ChatLane::State> LaneRow::takeStates() {
    std::vector<ChatLane::State> states;
    for (ChatLane* lane : m_lanes) states.push_back(lane->takeState());
    return states;
}

void LaneRow::goOn(std::vector<ChatLane::State> states) {
    while (m_lanes.size() < states.size() && add({})) continue;
    for (std::size_t i = 0; i < std::min(states.size(), m_lanes.size()); ++i) {
        for (const Turn& turn : states[i].conversation.turns()) m_turn = std::max(m_turn, turn.number);
        m_lanes[i]->goOn(std::move(states[i]));
    }
    emit changed();
}

}  // namespace espalier::ui
