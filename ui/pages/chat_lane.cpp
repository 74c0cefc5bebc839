// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/chat_lane.h"

#include <QBoxLayout>
#include <QClipboard>
#include <QComboBox>
#include <QElapsedTimer>
#include <QGuiApplication>
#include <QLocale>
#include <QStackedLayout>

#include "ui/models/format.h"

namespace espalier::ui {
namespace {

constexpr int kFrameMs = 16, kSlowestFrameMs = 200;
constexpr int kAlternatives = 5;
constexpr int kEmptyWidth = 240;

QString endOf(const ChatEnd& end) {
    if (end.finish == QLatin1String("stop")) return ChatLane::tr("Stopped at end of turn");
    if (end.finish == QLatin1String("length")) return ChatLane::tr("Stopped at the most tokens");
    if (end.finish == QLatin1String("failed")) return ChatLane::tr("Failed");
    return ChatLane::tr("Stopped by you");
}

}  // namespace

ChatLane::ChatLane(Workspace& workspace, Actions& actions)
    : m_workspace(workspace), m_view(new AnswerView), m_error(new ErrorStrip) {
    m_import = buttonFor(actions.get(action::kImport), tr("Import model"));
    m_write = buttonFor(actions.get(action::kWrite), tr("Write a message"));
    setAccessibleName(tr("Chat"));
    m_empty = new EmptyView(QStringLiteral("message-square-text"), {}, m_import);
    m_empty->setSentenceWidth(kEmptyWidth);
    m_empty->offer(m_write);
    auto* holder = new QWidget;
    m_stack = new QStackedLayout(holder);
    m_stack->addWidget(m_view);
    m_stack->addWidget(m_empty);
    m_ttft = new Figure(tr("TTFT"), text_size::kTable);
    m_rate = new Figure(tr("Decode"), text_size::kTable);
    m_count = new Figure(tr("Tokens"), text_size::kTable);
    m_mean = new Figure(tr("Mean logprob"), text_size::kTable);
    setContent(column({head(), horizontalLine(), row({m_ttft, m_rate, m_count, m_mean, nullptr}, 20, {11, 8, 11, 8}),
                       horizontalLine(), LayoutItem(holder, 1), row({LayoutItem(m_error, 1)}, 0, {8, 0, 8, 6}),
                       horizontalLine(), foot()},
                      0));
    setMinimumWidth(scaled(260));
    m_frame.setSingleShot(true);
    m_frame.setInterval(kFrameMs);
    connect(&m_frame, &QTimer::timeout, this, &ChatLane::drawGrowth);
    connect(m_view, &AnswerView::editRequested, this, &ChatLane::editRequested);
    showModels();
    showConversation();
}

QWidget* ChatLane::head() {
    m_model = new QComboBox;
    m_model->setAccessibleName(tr("Model"));
    m_model->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    m_model->setMinimumContentsLength(8);
    m_model->setPlaceholderText(tr("No model"));
    connect(m_model, &QComboBox::textActivated, this, [this](const QString& name) {
        m_wanted = name;
        refresh();
        emit modelChosen();
    });
    m_close = toolButton(QStringLiteral("x"), tr("Close this column"));
    connect(m_close, &QToolButton::clicked, this, &ChatLane::closeRequested);
    auto* widget = new QWidget;
    widget->setLayout(row({LayoutItem(m_model, 1), m_close}, 4, {7, 6, 7, 6}));
    return widget;
}

QWidget* ChatLane::foot() {
    m_state = new TextLabel({}, text_size::kCaption, QFont::Normal, Tone::Secondary);
    m_compare = button(tr("Compare"), {}, ButtonRole::Plain, ControlSize::Small);
    m_compare->setCheckable(true);
    m_copy = toolButton(QStringLiteral("copy"), tr("Copy answer"));
    m_edit = toolButton(QStringLiteral("pencil"), tr("Edit the last message"));
    m_regenerate = toolButton(QStringLiteral("refresh-cw"), tr("Regenerate"));
    connect(m_compare, &QPushButton::toggled, this, [this](bool on) {
        if (on)
            m_view->showDifference(m_verdict.difference);
        else
            m_view->showTurns(m_conversation.turns(), model());
    });
    connect(m_copy, &QToolButton::clicked, this, [this] {
        if (m_conversation.isAnswered()) QGuiApplication::clipboard()->setText(m_conversation.turns().back().answer);
    });
    connect(m_edit, &QToolButton::clicked, this, [this] {
        if (!m_conversation.isEmpty()) emit editRequested(m_conversation.turns().back().number);
    });
    connect(m_regenerate, &QToolButton::clicked, this, &ChatLane::regenerateRequested);
    auto* widget = new QWidget;
    widget->setFixedHeight(scaled(36));
    widget->setLayout(row({LayoutItem(m_state, 1), m_compare, m_copy, m_edit, m_regenerate}, 4, {11, 0, 7, 0}));
    return widget;
}

QString ChatLane::model() const {
    return m_model->currentText();
}

void ChatLane::chooseModel(const QString& name) {
    m_wanted = name;
    if (!name.isEmpty()) m_model->setPlaceholderText(name);
    if (const int index = m_model->findText(name); index >= 0) m_model->setCurrentIndex(index);
    refresh();
}

void ChatLane::showModels() {
    QStringList names;
    for (const ModelRecord& model : m_workspace.models().models()) {
        names << text(model.name);
        for (const AdapterRecord& adapter : m_workspace.adapters())
            if (adapter.baseId == model.id) names << text(model.name + ":" + adapter.name);
    }
    QStringList shown;
    for (int i = 0; i < m_model->count(); ++i) shown << m_model->itemText(i);
    if (names != shown) {
        const QString before = m_model->currentText();
        if (!before.isEmpty()) m_model->setPlaceholderText(before);  // read while there is no list
        m_model->clear();
        m_model->addItems(names);
        const QString wanted = names.contains(m_wanted) ? m_wanted : before;
        // With a placeholder the first entry is not chosen by itself.
        m_model->setCurrentIndex(int(qMax<qsizetype>(0, names.indexOf(wanted))));
    }
    refresh();
}

void ChatLane::setClosable(bool closable) {
    m_close->setVisible(closable);
}

void ChatLane::setProbabilities(bool shown) {
    m_showsProbabilities = shown;
    m_view->setProbabilities(shown);
}

void ChatLane::showConversation() {
    m_verdict = {};
    m_compare->setChecked(false);
    m_view->showTurns(m_conversation.turns(), wanted());
    showFacts();
}

void ChatLane::showFacts() {
    const bool answered = m_conversation.isAnswered();
    const Turn* last = answered ? &m_conversation.turns().back() : nullptr;
    showFigures(last ? last->end : ChatEnd{}, last ? last->tokens.get() : nullptr);
    m_state->setText(last ? endOf(last->end) : QString());
    refresh();
}

void ChatLane::ask(std::optional<std::pair<int, QString>> question, const QString& system, const Sampling& sampling) {
    stop();
    m_before.reset();
    if (question) {
        m_conversation.dropUnanswered();  // of a failure before: templates want the roles to alternate
        m_conversation.ask(question->first, question->second);
    } else {
        if (m_conversation.isAnswered()) m_before = m_conversation;
        m_conversation.dropAnswer();
    }
    if (m_conversation.isEmpty()) return;
    m_error->clear();
    showConversation();
    m_growing.clear();
    m_frame.setInterval(kFrameMs);
    m_tokens = m_showsProbabilities ? std::make_shared<TokenAlignment>() : nullptr;
    ChatRequest request;
    request.model = model();
    request.messages = m_conversation.messages(system);
    request.sampling = sampling;
    request.topLogprobs = m_showsProbabilities ? kAlternatives : -1;
    follow(m_workspace.engine().chat(request, this));
}

void ChatLane::follow(ChatStream* stream) {
    m_stream = stream;
    connect(m_stream, &ChatStream::tokens, this, [this](const std::vector<ChatToken>& tokens) {
        if (m_tokens) m_tokens->append(tokens);
    });
    connect(m_stream, &ChatStream::text, this, [this](const QString& piece) {
        m_growing += piece;
        if (!m_frame.isActive()) m_frame.start();
    });
    connect(m_stream, &ChatStream::progressed, this,
            [this](const ChatEnd& soFar) { showFigures(soFar, m_tokens.get()); });
    connect(m_stream, &ChatStream::finished, this, &ChatLane::finish);
    connect(m_stream, &ChatStream::failed, this, &ChatLane::failAnswer);
    m_state->setText(tr("Answering"));
    refresh();
}

ChatLane::State ChatLane::takeState() {
    State state{m_conversation, m_before, {}, m_growing, m_tokens, m_verdict};
    if (!m_stream) return state;
    m_frame.stop();
    m_stream->disconnect(this);
    m_stream->setParent(nullptr);
    state.stream.reset(m_stream);
    m_stream = nullptr;
    return state;
}

void ChatLane::goOn(State state) {
    m_conversation = std::move(state.conversation);
    m_before = std::move(state.before);
    showConversation();
    if (!state.verdict.words.isEmpty()) showVerdict(state.verdict);
    if (!state.stream) return;
    m_growing = std::move(state.growing);
    m_tokens = std::move(state.tokens);
    if (!m_growing.isEmpty()) drawGrowth();
    ChatStream* stream = state.stream.release();
    stream->setParent(this);
    follow(stream);
}

void ChatLane::drawGrowth() {
    QElapsedTimer clock;
    clock.start();
    if (m_tokens) m_tokens->extend(m_growing);
    m_view->grow(m_growing, m_tokens);
    // A long block costs more to lay out: then frames come further apart, so that the window stays quick.
    m_frame.setInterval(qBound(kFrameMs, int(clock.elapsed()) * 3, kSlowestFrameMs));
}

void ChatLane::stop() {
    if (m_stream) m_stream->cancel();
}

void ChatLane::finish(const ChatEnd& end) {
    m_stream = nullptr;
    m_frame.stop();
    if (m_growing.isEmpty() && m_before && end.finish == QLatin1String("cancelled")) {
        bringBack();
        emit ended();
        return;
    }
    if (m_tokens) m_tokens->extend(m_growing);
    m_conversation.answer(m_growing, m_tokens, end);
    m_view->grow(m_growing, m_tokens);
    m_view->settle(m_conversation.turns());
    showFacts();
    emit ended();
}

// Nothing came in the place of the old answer: it stands again.
void ChatLane::bringBack() {
    m_conversation = *std::exchange(m_before, std::nullopt);
    showConversation();
}

void ChatLane::failAnswer(const Error& error) {
    m_stream = nullptr;
    m_frame.stop();
    if (!m_growing.isEmpty()) {
        ChatEnd end;
        end.finish = QStringLiteral("failed");
        m_conversation.answer(m_growing, m_tokens, end);
        m_view->grow(m_growing, m_tokens);
        m_view->settle(m_conversation.turns());
    } else if (m_before) {
        bringBack();
    }
    showFacts();
    m_state->setText(tr("Failed"));
    m_error->showError(tr("The answer failed"), error);
    emit ended();
}

void ChatLane::showVerdict(const CaseVerdict& verdict) {
    m_verdict = verdict;
    m_state->setText(verdict.words);
    m_state->setTone(verdict.good ? Tone::Secondary : Tone::Error);
    refresh();
}

void ChatLane::showFigures(const ChatEnd& end, const TokenAlignment* tokens) {
    const QString none = QStringLiteral("–");
    m_ttft->setValue(end.ttftMs > 0 ? formatMs(end.ttftMs) : none, tr("ms"));
    m_rate->setValue(end.tokensPerS > 0 ? formatRate(end.tokensPerS) : none, tr("tok/s"));
    m_count->setValue(end.completionTokens > 0 ? formatCount(end.completionTokens) : none);
    const bool known = tokens && !tokens->tokens().empty() && end.completionTokens > 0;
    m_mean->setValue(known ? QLocale().toString(tokens->meanLogprob(), 'f', 2).replace(QLatin1Char('-'), QChar(0x2212))
                           : none);
}

void ChatLane::refresh() {
    const bool idle = !isAnswering();
    m_model->setEnabled(idle && m_model->count() > 0);
    m_copy->setEnabled(idle && m_conversation.isAnswered());
    m_regenerate->setEnabled(idle && !m_conversation.isEmpty());
    m_edit->setEnabled(idle && !m_conversation.isEmpty());
    m_compare->setVisible(!m_verdict.difference.empty());
    if (m_verdict.words.isEmpty()) m_state->setTone(Tone::Secondary);
    m_stack->setCurrentIndex(m_conversation.isEmpty() ? 1 : 0);
    const bool mayImport = m_workspace.engine().access() == Access::Owner;
    m_empty->showOnly(m_model->count() > 0 ? m_write : mayImport ? m_import : nullptr);
    m_empty->setSentence(m_model->count() == 0 ? tr("Import a model, then chat with it here.")
                                               : tr("Ask %1 something.").arg(model()));
}

}  // namespace espalier::ui
