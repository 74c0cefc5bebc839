// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/playground_page.h"

#include <QBoxLayout>
#include <QClipboard>
#include <QGuiApplication>
#include <QJsonArray>
#include <QKeyEvent>
#include <QKeySequence>
#include <QPlainTextEdit>
#include <QTextCursor>

#include "ui/models/chat_export.h"
#include "ui/models/format.h"
#include "ui/pages/case_panel.h"
#include "ui/pages/lane_row.h"
#include "ui/pages/sampling_bar.h"
#include "ui/widgets/certainty_legend.h"
#include "ui/widgets/hint_button.h"

namespace espalier::ui {
namespace {

constexpr int kCasesWide = 212, kCasesNarrow = 188;
constexpr int kPromptHeight = 148, kMostPrompt = 208;
constexpr int kSystemFolded = 28, kSystemOpen = 96;

QString sendKeys() {
    return QKeySequence(Qt::CTRL | Qt::Key_Return).toString(QKeySequence::NativeText);
}

}  // namespace

PlaygroundPage::PlaygroundPage(Workspace& workspace, Actions& actions)
    : Page(workspace, actions),
      m_lanes(new LaneRow(workspace, actions)),
      m_sampling(new SamplingBar(this)),
      m_cases(new CasePanel(workspace, actions)),
      m_run(*m_lanes, *m_cases, this) {
    auto* prompt = promptPanel();
    prompt->setFixedHeight(qMin(scaled(kPromptHeight), kMostPrompt));
    auto* right = column({LayoutItem(m_lanes, 1), prompt}, 8);
    setLayout(column({header(), systemRow(), m_sampling->others(), horizontalLine(),
                      LayoutItem(row({m_cases, LayoutItem(right, 1)}, 8, {12, 8, 12, 12}), 1)},
                     0));
    connect(&workspace, &Workspace::modelsChanged, this, &PlaygroundPage::showModels);
    connect(&workspace, &Workspace::adaptersChanged, this, &PlaygroundPage::showModels);
    connect(&engine(), &EngineClient::linkChanged, this, &PlaygroundPage::refresh);
    connect(m_sampling, &SamplingBar::changed, this, &Page::sessionChanged);
    connect(m_sampling, &SamplingBar::probabilitiesToggled, this, [this](bool shown) {
        m_lanes->setProbabilities(shown);
        m_legend->setVisible(shown);
    });
    connect(m_cases, &CasePanel::chosen, this, &PlaygroundPage::loadCase);
    connect(m_cases, &CasePanel::runRequested, this, &PlaygroundPage::runCases);
    connectLanes();
    m_lanes->setProbabilities(m_sampling->wantsProbabilities());
    m_lanes->add({});
    refresh();
}

void PlaygroundPage::connectLanes() {
    connect(m_lanes, &LaneRow::ended, this, &PlaygroundPage::laneEnded);
    connect(m_lanes, &LaneRow::changed, this, &PlaygroundPage::refresh);
    connect(m_lanes, &LaneRow::modelChosen, this, &Page::sessionChanged);
    connect(m_lanes, &LaneRow::editRequested, this, &PlaygroundPage::beginEdit);
    connect(m_lanes, &LaneRow::regenerateRequested, this, [this](ChatLane* lane) {
        lane->ask(std::nullopt, m_system->toPlainText(), m_sampling->sampling());
        refresh();
    });
    connect(m_lanes, &LaneRow::removed, this, [this](ChatLane* lane, int place) {
        m_edit.forget(place);
        m_run.laneRemoved(lane);
    });
    connect(&m_run, &CaseRun::moved, this, &PlaygroundPage::refresh);
}

QWidget* PlaygroundPage::header() {
    auto* title = new TextLabel(tr("Playground"), text_size::kTitle, QFont::DemiBold);
    title->setElide(Qt::ElideNone);
    m_showCases = button(tr("Cases"), QStringLiteral("bookmark-plus"));
    m_showCases->setCheckable(true);
    m_showCases->setChecked(true);
    connect(m_showCases, &QPushButton::toggled, m_cases, &QWidget::setVisible);
    m_add = button(tr("Add model"), QStringLiteral("plus"));
    connect(m_add, &QPushButton::clicked, this, &PlaygroundPage::addModel);
    auto* bar = new HeaderBar(52);
    bar->setLayout(row({title, nullptr, m_sampling->frequent(), m_showCases, m_add}, 8, {16, 0, 12, 1}));
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
    connect(m_system, &QPlainTextEdit::textChanged, this, &Page::sessionChanged);
    m_legend = new CertaintyLegend;
    auto* bar = new QWidget;
    bar->setLayout(row({unfold, fieldLabel(tr("System")), LayoutItem(m_system, 1), m_legend}, 8, {12, 4, 12, 4}));
    return bar;
}

Panel* PlaygroundPage::promptPanel() {
    m_input = new QPlainTextEdit;
    m_input->setFrameShape(QFrame::NoFrame);
    m_input->setPlaceholderText(tr("Ask something"));
    m_input->setAccessibleName(tr("Message"));
    m_input->setTabChangesFocus(true);
    m_input->document()->setDocumentMargin(11);
    m_input->installEventFilter(this);
    m_hint = new TextLabel({}, text_size::kCaption, QFont::Normal, Tone::Secondary);
    m_send = new HintButton(tr("Send"), QStringLiteral("send-horizontal"));
    m_send->setToolTip(sendKeys());
    m_stop = button(tr("Stop"), QStringLiteral("square"));
    m_undo = smallButton(tr("Undo"), QStringLiteral("undo-2"));
    m_cancelEdit = smallButton(tr("Cancel the edit"));
    m_clear = smallButton(tr("New chat"), QStringLiteral("plus"));
    m_save = smallButton(tr("Save as case"), QStringLiteral("bookmark-plus"));
    m_curl = smallButton(tr("Copy as curl"), QStringLiteral("copy"));
    m_python = smallButton(tr("Copy as Python"), QStringLiteral("copy"));
    connect(m_send, &QPushButton::clicked, this, &PlaygroundPage::send);
    connect(m_stop, &QPushButton::clicked, this, &PlaygroundPage::stop);
    connect(m_undo, &QPushButton::clicked, this, &PlaygroundPage::takeBack);
    connect(m_cancelEdit, &QPushButton::clicked, this, &PlaygroundPage::endEdit);
    connect(m_clear, &QPushButton::clicked, this, &PlaygroundPage::newChat);
    connect(m_save, &QPushButton::clicked, this, &PlaygroundPage::saveCase);
    connect(m_curl, &QPushButton::clicked, this,
            [this] { QGuiApplication::clipboard()->setText(asCurl(request(), engine().address())); });
    connect(m_python, &QPushButton::clicked, this,
            [this] { QGuiApplication::clipboard()->setText(asPython(request(), engine().address())); });
    connect(m_input, &QPlainTextEdit::textChanged, this, [this] {
        emit sessionChanged();
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
    m_sampling->setNarrow(narrow);
    m_send->setHint(narrow ? QString() : sendKeys());
    m_hint->setText(hint());
    m_cases->setFixedWidth(scaled(breadth == Breadth::Wide ? kCasesWide : kCasesNarrow));
    m_showCases->setChecked(!narrow);
}

bool PlaygroundPage::isAnswering() const {
    return m_lanes->isAnswering();
}

bool PlaygroundPage::eventFilter(QObject* watched, QEvent* event) {
    if (watched == m_input && event->type() == QEvent::KeyPress) {
        const auto* key = static_cast<QKeyEvent*>(event);
        const bool isReturn = key->key() == Qt::Key_Return || key->key() == Qt::Key_Enter;
        if (isReturn && key->modifiers() & Qt::ControlModifier) {
            send();
            return true;
        }
        if (key->key() == Qt::Key_Escape && (isAnswering() || m_edit.isEditing())) {
            isAnswering() ? stop() : endEdit();
            return true;
        }
    }
    return Page::eventFilter(watched, event);
}

void PlaygroundPage::send() {
    const QString typed = m_input->toPlainText().trimmed();
    if (isAnswering() || typed.isEmpty() || !m_send->isEnabled()) return;
    m_edit.cut.reset();
    if (m_edit.isEditing()) {
        m_edit.cut = m_lanes->conversations();
        for (ChatLane* lane : m_lanes->lanes()) lane->conversation().cutFrom(m_edit.editing);
        m_edit.editing = 0;
    }
    const int turn = m_lanes->nextTurn();
    m_edit.asked = typed;
    m_input->setPlainText(std::exchange(m_edit.draft, {}));
    for (ChatLane* lane : m_lanes->lanes())
        lane->ask(std::pair(turn, typed), m_system->toPlainText(), m_sampling->sampling());
    refresh();
}

void PlaygroundPage::write() {
    m_input->setFocus(Qt::OtherFocusReason);
}

void PlaygroundPage::addModel() {
    if (m_lanes->isFull() || isAnswering()) return;
    m_lanes->add({});
    emit sessionChanged();
}

void PlaygroundPage::stop() {
    m_run.cutShort();
    m_lanes->stop();
}

void PlaygroundPage::laneEnded(ChatLane* lane) {
    if (lane->conversation().isAnswered()) m_edit.asked.clear();
    if (!m_run.laneEnded(lane) && !isAnswering() && !m_edit.asked.isEmpty()) questionFailed();
    refresh();
}

// No model answered: the question goes back to where it was typed, and nothing is lost.
void PlaygroundPage::questionFailed() {
    const QString question = std::exchange(m_edit.asked, {});
    for (ChatLane* lane : m_lanes->lanes()) {
        lane->conversation().dropUnanswered();
        lane->showConversation();
    }
    if (m_edit.cut) takeBack();
    if (m_input->toPlainText().trimmed().isEmpty()) m_input->setPlainText(question);
}

void PlaygroundPage::beginEdit(ChatLane* lane, int number) {
    if (isAnswering()) return;
    for (const Turn& turn : lane->conversation().turns()) {
        if (turn.number != number) continue;
        if (!m_edit.isEditing()) m_edit.draft = m_input->toPlainText();
        m_edit.editing = number;
        m_input->setPlainText(turn.question);
        m_input->moveCursor(QTextCursor::End);
        m_input->setFocus();
        refresh();
        return;
    }
}

void PlaygroundPage::endEdit() {
    if (!m_edit.isEditing()) return;
    m_edit.editing = 0;
    m_input->setPlainText(std::exchange(m_edit.draft, {}));
    refresh();
}

// Brings back the conversations as they were before an edit, a new chat or a run of cases.
void PlaygroundPage::takeBack() {
    if (!m_edit.cut) return;
    stop();
    m_lanes->setConversations(*std::exchange(m_edit.cut, std::nullopt));
    refresh();
}

void PlaygroundPage::newChat() {
    stop();
    endEdit();
    m_edit.cut = m_lanes->conversations();
    m_edit.asked.clear();
    m_lanes->setConversations(std::vector<Conversation>(m_lanes->lanes().size()));
    refresh();
    m_input->setFocus();
}

PlaygroundPage::Chats PlaygroundPage::takeChats() {
    CaseRun::State run = m_run.takeState();
    return {m_lanes->takeStates(), std::exchange(m_edit, {}), std::move(run)};
}

void PlaygroundPage::goOn(Chats chats) {
    m_edit = std::move(chats.edit);
    m_lanes->goOn(std::move(chats.lanes));
    m_run.goOn(chats.run);
    refresh();
}

ChatRequest PlaygroundPage::request() const {
    ChatRequest request;
    const ChatLane& lane = m_lanes->first();
    Conversation conversation = lane.conversation();
    if (m_edit.isEditing()) conversation.cutFrom(m_edit.editing);
    const QString typed = m_input->toPlainText().trimmed();
    if (!typed.isEmpty()) conversation.ask(0, typed);
    // Without anything typed it is the last question again, not its answer.
    if (typed.isEmpty()) conversation.dropAnswer();
    request.model = lane.model();
    request.messages = conversation.messages(m_system->toPlainText());
    request.sampling = m_sampling->sampling();
    return request;
}

void PlaygroundPage::saveCase() {
    SavedCase saved;
    saved.prompt = m_input->toPlainText().trimmed();
    const auto& turns = m_lanes->first().conversation().turns();
    if (saved.prompt.isEmpty() && !turns.empty()) saved.prompt = turns.back().question;
    if (saved.prompt.isEmpty()) return write();
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
    endEdit();
    m_edit.cut = m_lanes->conversations();
    m_run.start(ids);
}

QJsonObject PlaygroundPage::session() const {
    return {{QStringLiteral("models"), QJsonArray::fromStringList(m_lanes->models())},
            {QStringLiteral("sampling"), QString::fromStdString(dumpJson(toJson(m_sampling->sampling())))},
            {QStringLiteral("probabilities"), m_sampling->wantsProbabilities()},
            {QStringLiteral("system"), m_system->toPlainText()},
            {QStringLiteral("draft"), m_edit.isEditing() ? m_edit.draft : m_input->toPlainText()}};
}

void PlaygroundPage::restoreSession(const QJsonObject& session) {
    const std::string sampling = session.value(QStringLiteral("sampling")).toString().toStdString();
    if (const auto json = parseJson(sampling, "session")) m_sampling->setSampling(samplingFromJson(*json));
    m_sampling->setWantsProbabilities(session.value(QStringLiteral("probabilities")).toBool(true));
    m_system->setPlainText(session.value(QStringLiteral("system")).toString());
    m_input->setPlainText(session.value(QStringLiteral("draft")).toString());
    const QJsonArray models = session.value(QStringLiteral("models")).toArray();
    for (qsizetype i = 0; i < qMin<qsizetype>(models.size(), LaneRow::kMost); ++i) {
        ChatLane* lane = i < qsizetype(m_lanes->lanes().size()) ? m_lanes->lanes()[std::size_t(i)] : m_lanes->add({});
        if (const QString model = models[i].toString(); !model.isEmpty()) lane->chooseModel(model);
    }
    refresh();
}

void PlaygroundPage::showModels() {
    m_lanes->showModels();
    refresh();
}

void PlaygroundPage::refresh() {
    if (m_lanes->lanes().empty()) return;
    const bool attached = engine().isAttached(), answering = isAnswering();
    const bool hasModel = !m_lanes->first().model().isEmpty();
    const bool typed = !m_input->toPlainText().trimmed().isEmpty();
    const bool asked = !m_lanes->first().conversation().isEmpty();
    const auto columns = m_lanes->lanes().size();
    m_send->setEnabled(attached && hasModel && typed && !answering);
    m_send->setWord(columns > 1 ? tr("Send to %1").arg(columns) : tr("Send"));
    m_stop->setVisible(answering);
    m_add->setEnabled(!m_lanes->isFull() && !answering);
    m_clear->setEnabled(asked);
    m_save->setEnabled(attached && (typed || asked));
    m_cases->setSaveable(m_save->isEnabled());
    for (QPushButton* copy : {m_curl, m_python}) copy->setEnabled(hasModel && (typed || asked));
    m_undo->setVisible(m_edit.cut.has_value());
    m_cancelEdit->setVisible(m_edit.isEditing());
    m_hint->setText(hint());
}

QString PlaygroundPage::hint() const {
    if (!engine().isAttached()) return tr("Not attached to a server; what you type is kept");
    const ChatLane& lane = m_lanes->first();
    if (lane.model().isEmpty()) return tr("No model in this workspace yet");
    if (m_edit.isEditing()) return tr("Sending replaces this message and what followed");
    const Turn* last = lane.conversation().isAnswered() ? &lane.conversation().turns().back() : nullptr;
    if (!last || last->end.promptTokens == 0)
        return m_send->hint().isEmpty() ? tr("%1 sends").arg(sendKeys()) : QString();
    return tr("%1 prompt tokens, %2 cached")
        .arg(formatCount(last->end.promptTokens), formatCount(last->end.cachedTokens));
}

}  // namespace espalier::ui
