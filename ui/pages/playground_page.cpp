// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/playground_page.h"

#include <QBoxLayout>
#include <QClipboard>
#include <QDateTime>
#include <QGuiApplication>
#include <QKeyEvent>
#include <QPlainTextEdit>
#include <QScrollArea>
#include <QSettings>
#include <QTextCursor>
#include <QTimer>
#include <algorithm>

#include "ui/models/chat_export.h"
#include "ui/models/format.h"
#include "ui/models/text_diff.h"
#include "ui/pages/case_panel.h"
#include "ui/pages/chat_lane.h"
#include "ui/pages/sampling_bar.h"
#include "ui/widgets/certainty_legend.h"

namespace espalier::ui {
namespace {

constexpr int kCasesWide = 212, kCasesNarrow = 188;
constexpr int kWriteAfterMs = 1500;
constexpr int kPromptHeight = 148, kMostPrompt = 208;
constexpr int kSystemFolded = 28, kSystemOpen = 96;

TextLabel* caption(const QString& text) {
    auto* label = new TextLabel(text, text_size::kTable, QFont::Normal, Tone::Secondary);
    label->setElide(Qt::ElideNone);
    return label;
}

}  // namespace

PlaygroundPage::PlaygroundPage(Workspace& workspace, Actions& actions, QSettings& settings)
    : Page(workspace, actions),
      m_settings(settings),
      m_sampling(new SamplingBar(this)),
      m_cases(new CasePanel(workspace)) {
    auto* prompt = promptPanel();
    prompt->setFixedHeight(qMin(scaled(kPromptHeight), kMostPrompt));
    auto* right = column({LayoutItem(lanesArea(), 1), prompt}, 8);
    setLayout(column({header(), systemRow(), m_sampling->others(),
                      LayoutItem(row({m_cases, LayoutItem(right, 1)}, 8, {12, 0, 12, 12}), 1)},
                     0));
    connect(&workspace, &Workspace::modelsChanged, this, &PlaygroundPage::showModels);
    connect(&engine(), &EngineClient::linkChanged, this, &PlaygroundPage::refresh);
    connect(m_sampling, &SamplingBar::changed, this, &PlaygroundPage::keepSettings);
    connect(m_sampling, &SamplingBar::probabilitiesToggled, this, [this](bool shown) {
        for (ChatLane* lane : m_lanes) lane->setProbabilities(shown);
        m_legend->setVisible(shown);
    });
    connect(m_cases, &CasePanel::chosen, this, &PlaygroundPage::loadCase);
    connect(m_cases, &CasePanel::runRequested, this, &PlaygroundPage::runCases);
    m_pause.setSingleShot(true);
    m_pause.setInterval(kWriteAfterMs);
    connect(&m_pause, &QTimer::timeout, this, &PlaygroundPage::writeSettings);
    readSettings();
    refresh();
}

PlaygroundPage::~PlaygroundPage() {
    if (m_pause.isActive()) writeSettings();
}

QWidget* PlaygroundPage::header() {
    m_title = new TextLabel(tr("Playground"), text_size::kTitle, QFont::DemiBold);
    m_title->setElide(Qt::ElideNone);
    m_showCases = button(tr("Cases"), QStringLiteral("bookmark-plus"));
    m_showCases->setCheckable(true);
    m_showCases->setChecked(true);
    connect(m_showCases, &QPushButton::toggled, m_cases, &QWidget::setVisible);
    m_add = button(tr("Add model"), QStringLiteral("plus"));
    connect(m_add, &QPushButton::clicked, this, [this] {
        addLane({});
        keepSettings();
    });
    auto* bar = new HeaderBar(52);
    bar->setLayout(row({m_title, nullptr, m_sampling->frequent(), m_showCases, m_add}, 8, {16, 0, 12, 1}));
    return bar;
}

QWidget* PlaygroundPage::systemRow() {
    m_system = new QPlainTextEdit;
    m_system->setAccessibleName(tr("System prompt"));
    m_system->setPlaceholderText(tr("How the model should answer; optional"));
    m_system->setTabChangesFocus(true);
    m_system->setFixedHeight(scaled(kSystemFolded));
    m_system->setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    auto* unfold = toolButton(QStringLiteral("chevron-right"), tr("Show more of the system prompt"));
    unfold->setCheckable(true);
    connect(unfold, &QToolButton::toggled, this, [this, unfold](bool open) {
        unfold->setIcon(icon(open ? QStringLiteral("chevron-down") : QStringLiteral("chevron-right")));
        m_system->setFixedHeight(scaled(open ? kSystemOpen : kSystemFolded));
        m_system->setVerticalScrollBarPolicy(open ? Qt::ScrollBarAsNeeded : Qt::ScrollBarAlwaysOff);
    });
    connect(m_system, &QPlainTextEdit::textChanged, this, &PlaygroundPage::keepSettings);
    m_legend = new CertaintyLegend;
    auto* bar = new QWidget;
    bar->setLayout(row({unfold, caption(tr("System")), LayoutItem(m_system, 1), m_legend}, 8, {12, 4, 12, 4}));
    return bar;
}

QWidget* PlaygroundPage::lanesArea() {
    auto* lanes = new QWidget;
    m_laneRow = row({}, 8);
    lanes->setLayout(m_laneRow);
    auto* scroll = new QScrollArea;
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setWidgetResizable(true);
    scroll->setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setFocusPolicy(Qt::NoFocus);
    scroll->setAccessibleName(tr("Models side by side"));
    scroll->setWidget(lanes);
    return scroll;
}

Panel* PlaygroundPage::promptPanel() {
    const auto small = [](const QString& text, const QString& iconName = {}) {
        return button(text, iconName, ButtonRole::Plain, ControlSize::Small);
    };
    m_input = new QPlainTextEdit;
    m_input->setFrameShape(QFrame::NoFrame);
    m_input->setPlaceholderText(tr("Ask something"));
    m_input->setAccessibleName(tr("Message"));
    m_input->setTabChangesFocus(true);
    m_input->document()->setDocumentMargin(11);
    m_input->installEventFilter(this);
    m_hint = new TextLabel({}, text_size::kCaption, QFont::Normal, Tone::Secondary);
    m_send = button(tr("Send"), QStringLiteral("send-horizontal"), ButtonRole::Primary);
    m_send->setAccessibleName(tr("Send"));
    m_send->setToolTip(QStringLiteral("Ctrl+Return"));
    m_stop = button(tr("Stop"), QStringLiteral("square"));
    m_undo = small(tr("Undo"), QStringLiteral("undo-2"));
    m_cancelEdit = small(tr("Cancel the edit"));
    m_clear = small(tr("New chat"), QStringLiteral("plus"));
    m_save = small(tr("Save as case"), QStringLiteral("bookmark-plus"));
    m_curl = small(tr("Copy as curl"), QStringLiteral("copy"));
    m_python = small(tr("Copy as Python"), QStringLiteral("copy"));
    connect(m_send, &QPushButton::clicked, this, &PlaygroundPage::send);
    connect(m_stop, &QPushButton::clicked, this, &PlaygroundPage::stop);
    connect(m_undo, &QPushButton::clicked, this, &PlaygroundPage::undoEdit);
    connect(m_cancelEdit, &QPushButton::clicked, this, &PlaygroundPage::endEdit);
    connect(m_clear, &QPushButton::clicked, this, &PlaygroundPage::newChat);
    connect(m_save, &QPushButton::clicked, this, &PlaygroundPage::saveCase);
    connect(m_curl, &QPushButton::clicked, this,
            [this] { QGuiApplication::clipboard()->setText(asCurl(request(), engine().address())); });
    connect(m_python, &QPushButton::clicked, this,
            [this] { QGuiApplication::clipboard()->setText(asPython(request(), engine().address())); });
    connect(m_input, &QPlainTextEdit::textChanged, this, [this] {
        keepSettings();
        refresh();
    });
    auto* panel = new Panel;
    panel->setAccessibleName(tr("Prompt"));
    panel->setContent(
        column({LayoutItem(m_input, 1), horizontalLine(),
                row({LayoutItem(m_hint, 1), m_cancelEdit, m_undo, m_clear, m_save, m_curl, m_python, m_stop, m_send}, 6,
                    {11, 8, 8, 8})},
               0));
    return panel;
}

void PlaygroundPage::takeFocus() {
    m_input->setFocus(Qt::OtherFocusReason);
}

void PlaygroundPage::fold(Breadth breadth) {
    const bool narrow = breadth == Breadth::Narrow;
    m_title->setVisible(!narrow);
    m_legend->setVisible(!narrow && m_sampling->wantsProbabilities());
    m_cases->setFixedWidth(scaled(breadth == Breadth::Wide ? kCasesWide : kCasesNarrow));
    m_showCases->setChecked(!narrow);
}

ChatLane* PlaygroundPage::addLane(const QString& model) {
    if (int(m_lanes.size()) >= kMostLanes) return nullptr;
    auto* lane = new ChatLane(m_workspace);
    lane->setProbabilities(m_sampling->wantsProbabilities());
    // A new column shows another model than those beside it, if there is one.
    QString chosen = model;
    for (const ModelRecord& record : m_workspace.models().models()) {
        if (!chosen.isEmpty()) break;
        const bool isTaken = std::any_of(m_lanes.begin(), m_lanes.end(),
                                         [&](const ChatLane* other) { return other->model() == text(record.name); });
        if (!isTaken) chosen = text(record.name);
    }
    if (!chosen.isEmpty()) lane->chooseModel(chosen);
    m_lanes.push_back(lane);
    m_laneRow->addWidget(lane, 1);
    connect(lane, &ChatLane::ended, this, [this, lane] { laneEnded(lane); });
    connect(lane, &ChatLane::modelChosen, this, &PlaygroundPage::keepSettings);
    connect(lane, &ChatLane::closeRequested, this, [this, lane] { removeLane(lane); });
    connect(lane, &ChatLane::editRequested, this, [this, lane](int turn) { beginEdit(lane, turn); });
    connect(lane, &ChatLane::regenerateRequested, this, [this, lane] {
        lane->ask(std::nullopt, m_system->toPlainText(), m_sampling->sampling());
        refresh();
    });
    for (ChatLane* each : m_lanes) each->setClosable(m_lanes.size() > 1);
    refresh();
    return lane;
}

void PlaygroundPage::removeLane(ChatLane* lane) {
    if (m_lanes.size() < 2) return;
    lane->stop();
    std::erase(m_lanes, lane);
    m_laneRow->removeWidget(lane);
    lane->hide();
    lane->deleteLater();
    m_cut.reset();
    if (m_run) {
        std::erase(m_run->waiting, lane);
        nextRun();
    }
    for (ChatLane* each : m_lanes) each->setClosable(m_lanes.size() > 1);
    keepSettings();
    refresh();
}

bool PlaygroundPage::isAnswering() const {
    return std::any_of(m_lanes.begin(), m_lanes.end(), [](const ChatLane* lane) { return lane->isAnswering(); });
}

bool PlaygroundPage::eventFilter(QObject* watched, QEvent* event) {
    if (watched == m_input && event->type() == QEvent::KeyPress) {
        const auto* key = static_cast<QKeyEvent*>(event);
        const bool isReturn = key->key() == Qt::Key_Return || key->key() == Qt::Key_Enter;
        if (isReturn && key->modifiers() & Qt::ControlModifier) {
            send();
            return true;
        }
        if (key->key() == Qt::Key_Escape && (isAnswering() || m_editing > 0)) {
            isAnswering() ? stop() : endEdit();
            return true;
        }
    }
    return Page::eventFilter(watched, event);
}

void PlaygroundPage::send() {
    const QString typed = m_input->toPlainText().trimmed();
    if (isAnswering() || typed.isEmpty() || !m_send->isEnabled()) return;
    if (m_editing > 0) {
        m_cut = branch();
        for (ChatLane* lane : m_lanes) lane->conversation().cutFrom(m_editing);
        m_editing = 0;
    } else {
        m_cut.reset();
    }
    ++m_turn;
    m_asked = typed;
    const QString left = std::exchange(m_draft, {});
    m_input->setPlainText(left);
    for (ChatLane* lane : m_lanes) lane->ask(std::pair(m_turn, typed), m_system->toPlainText(), m_sampling->sampling());
    refresh();
}

void PlaygroundPage::stop() {
    m_queue.clear();
    for (ChatLane* lane : m_lanes) lane->stop();
}

void PlaygroundPage::laneEnded(ChatLane* lane) {
    if (lane->conversation().isAnswered()) m_asked.clear();
    if (m_run && std::erase(m_run->waiting, lane) > 0) {
        judge(lane);
        if (m_run->waiting.empty()) nextRun();
    } else if (!isAnswering() && !m_asked.isEmpty()) {
        questionFailed();
    }
    refresh();
}

// No model answered: the question goes back to where it was typed, and nothing is lost.
void PlaygroundPage::questionFailed() {
    const QString question = std::exchange(m_asked, {});
    for (ChatLane* lane : m_lanes) {
        lane->conversation().dropUnanswered();
        lane->showConversation();
    }
    if (m_cut) undoEdit();
    if (m_input->toPlainText().trimmed().isEmpty()) m_input->setPlainText(question);
}

void PlaygroundPage::beginEdit(ChatLane* lane, int number) {
    if (isAnswering()) return;
    for (const Turn& turn : lane->conversation().turns()) {
        if (turn.number != number) continue;
        if (m_editing == 0) m_draft = m_input->toPlainText();
        m_editing = number;
        m_input->setPlainText(turn.question);
        m_input->moveCursor(QTextCursor::End);
        m_input->setFocus();
        refresh();
        return;
    }
}

void PlaygroundPage::endEdit() {
    if (m_editing == 0) return;
    m_editing = 0;
    m_input->setPlainText(std::exchange(m_draft, {}));
    refresh();
}

void PlaygroundPage::undoEdit() {
    if (!m_cut) return;
    stop();
    const Branch branch = *std::exchange(m_cut, std::nullopt);
    for (const auto& [lane, conversation] : branch.lanes) {
        lane->conversation() = conversation;
        lane->showConversation();
    }
    refresh();
}

PlaygroundPage::Branch PlaygroundPage::branch() const {
    Branch branch;
    for (ChatLane* lane : m_lanes) branch.lanes.emplace_back(lane, lane->conversation());
    return branch;
}

std::vector<Conversation> PlaygroundPage::takeChats() {
    stop();
    std::vector<Conversation> chats;
    for (const ChatLane* lane : m_lanes) chats.push_back(lane->conversation());
    return chats;
}

void PlaygroundPage::bringBack(const std::vector<Conversation>& chats) {
    for (std::size_t i = 0; i < chats.size() && i < m_lanes.size(); ++i) {
        m_lanes[i]->conversation() = chats[i];
        m_lanes[i]->showConversation();
        for (const Turn& turn : chats[i].turns()) m_turn = std::max(m_turn, turn.number);
    }
    refresh();
}

void PlaygroundPage::newChat() {
    stop();
    endEdit();
    m_cut = branch();
    m_asked.clear();
    for (ChatLane* lane : m_lanes) {
        lane->conversation().clear();
        lane->showConversation();
    }
    refresh();
    m_input->setFocus();
}

ChatRequest PlaygroundPage::request() const {
    ChatRequest request;
    const ChatLane* lane = m_lanes.front();
    Conversation conversation = lane->conversation();
    const QString typed = m_input->toPlainText().trimmed();
    if (!typed.isEmpty()) conversation.ask(0, typed);
    // Without anything typed it is the last question again, not its answer.
    if (typed.isEmpty()) conversation.dropAnswer();
    request.model = lane->model();
    request.messages = conversation.messages(m_system->toPlainText());
    request.sampling = m_sampling->sampling();
    return request;
}

void PlaygroundPage::saveCase() {
    SavedCase saved;
    saved.prompt = m_input->toPlainText().trimmed();
    const auto& turns = m_lanes.front()->conversation().turns();
    if (saved.prompt.isEmpty() && !turns.empty()) saved.prompt = turns.back().question;
    if (saved.prompt.isEmpty()) return;
    saved.name = saved.prompt.simplified().left(40);
    saved.system = m_system->toPlainText();
    saved.sampling = m_sampling->sampling();
    m_showCases->setChecked(true);
    m_cases->save(std::move(saved));
}

void PlaygroundPage::loadCase(qint64 id) {
    const SavedCase* saved = m_cases->find(id);
    if (!saved || isAnswering()) return;
    endEdit();
    // As if typed, so that the fields' own undo brings back what stood there.
    for (const auto& [field, text] : {std::pair(m_input, saved->prompt), std::pair(m_system, saved->system)}) {
        QTextCursor all(field->document());
        all.select(QTextCursor::Document);
        all.insertText(text);
    }
    m_sampling->setSampling(saved->sampling);
}

void PlaygroundPage::runCases(const std::vector<qint64>& ids) {
    if (isAnswering() || !engine().isAttached()) return;
    m_queue.assign(ids.begin(), ids.end());
    m_cut = branch();
    nextRun();
}

void PlaygroundPage::nextRun() {
    if (m_run && !m_run->waiting.empty()) return;
    m_run.reset();
    while (!m_queue.empty() && !m_run) {
        const qint64 id = m_queue.front();
        m_queue.pop_front();
        const SavedCase* saved = m_cases->find(id);
        if (!saved) continue;
        ++m_turn;
        m_run = Run{id, m_lanes};
        for (ChatLane* lane : std::vector(m_lanes)) {
            lane->conversation().clear();
            lane->ask(std::pair(m_turn, saved->prompt), saved->system, saved->sampling);
        }
    }
    m_cases->setBusy(m_run.has_value());
    refresh();
}

// How the answer stands to what the case expects and to the answer before; kept with the case unless it was cut short.
void PlaygroundPage::judge(ChatLane* lane) {
    const SavedCase* saved = m_cases->find(m_run->id);
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
    const auto before = saved->results.find(lane->model());
    const bool isFirst = before == saved->results.end();
    const bool same = isFirst || before->second.answer == turn.answer;
    words << (isFirst ? tr("First run") : same ? tr("As last time") : tr("Differs from last time"));
    if (!same) verdict.difference = diffWords(before->second.answer, turn.answer);
    verdict.words = words.join(QStringLiteral(" · "));
    changed.results[lane->model()] = {turn.answer, QDateTime::currentMSecsSinceEpoch(), same};
    lane->showVerdict(verdict);
    m_cases->save(std::move(changed));
}

void PlaygroundPage::keepSettings() {
    if (!m_reading) writeSettings();
}

QJsonObject PlaygroundPage::session() const {
    writeSettings();
    return {};
}

void PlaygroundPage::writeSettings() const {
    QStringList models;
    for (const ChatLane* lane : m_lanes) models << lane->wanted();
    m_settings.setValue(QStringLiteral("playground/models"), models);
    m_settings.setValue(QStringLiteral("playground/sampling"),
                        QString::fromStdString(dumpJson(toJson(m_sampling->sampling()))));
    m_settings.setValue(QStringLiteral("playground/probabilities"), m_sampling->wantsProbabilities());
    m_settings.setValue(QStringLiteral("playground/system"), m_system->toPlainText());
    m_settings.setValue(QStringLiteral("playground/draft"), m_editing > 0 ? m_draft : m_input->toPlainText());
}

void PlaygroundPage::readSettings() {
    const std::string kept = m_settings.value(QStringLiteral("playground/sampling")).toString().toStdString();
    if (const auto json = parseJson(kept, "settings")) m_sampling->setSampling(samplingFromJson(*json));
    m_sampling->setWantsProbabilities(m_settings.value(QStringLiteral("playground/probabilities"), true).toBool());
    m_system->setPlainText(m_settings.value(QStringLiteral("playground/system")).toString());
    m_input->setPlainText(m_settings.value(QStringLiteral("playground/draft")).toString());
    QStringList models = m_settings.value(QStringLiteral("playground/models")).toStringList();
    if (models.isEmpty()) models << QString();
    for (const QString& model : models.mid(0, kMostLanes)) addLane(model);
    m_reading = false;
}

void PlaygroundPage::showModels() {
    for (ChatLane* lane : m_lanes) lane->showModels();
    refresh();
}

void PlaygroundPage::refresh() {
    if (m_lanes.empty()) return;
    const bool attached = engine().isAttached(), answering = isAnswering();
    const bool hasModel = !m_lanes.front()->model().isEmpty();
    const bool typed = !m_input->toPlainText().trimmed().isEmpty();
    const bool asked = !m_lanes.front()->conversation().isEmpty();
    m_send->setEnabled(attached && hasModel && typed && !answering);
    m_send->setText(m_lanes.size() > 1 ? tr("Send to %1").arg(m_lanes.size()) : tr("Send"));
    m_send->setAccessibleName(tr("Send"));
    m_stop->setVisible(answering);
    m_add->setEnabled(int(m_lanes.size()) < kMostLanes && !answering);
    m_clear->setEnabled(asked);
    m_save->setEnabled(attached && (typed || asked));
    for (QPushButton* copy : {m_curl, m_python}) copy->setEnabled(hasModel && (typed || asked));
    m_undo->setVisible(m_cut.has_value());
    m_cancelEdit->setVisible(m_editing > 0);
    const auto* last = asked && m_lanes.front()->conversation().isAnswered()
                           ? &m_lanes.front()->conversation().turns().back()
                           : nullptr;
    m_hint->setText(!attached       ? tr("Not attached to a server; what you type is kept")
                    : !hasModel     ? tr("No model in this workspace yet")
                    : m_editing > 0 ? tr("Sending replaces this message and what followed")
                    : last && last->end.promptTokens > 0
                        ? tr("%1 prompt tokens, %2 cached")
                              .arg(formatCount(last->end.promptTokens), formatCount(last->end.cachedTokens))
                        : tr("Ctrl+Return sends"));
}

}  // namespace espalier::ui
