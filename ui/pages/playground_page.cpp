// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/playground_page.h"

#include <QClipboard>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QGuiApplication>
#include <QKeyEvent>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QRegularExpressionValidator>
#include <QScrollBar>
#include <QStackedLayout>
#include <QTextBlock>
#include <QTextBrowser>

#include "ui/models/format.h"

namespace espalier::ui {
namespace {

TextLabel* caption(const QString& text) {
    auto* label = new TextLabel(text, text_size::kTable, QFont::Normal, Tone::Secondary);
    label->setElide(Qt::ElideNone);
    return label;
}

QDoubleSpinBox* fraction(double low, double high, double value, const QString& name) {
    auto* box = new QDoubleSpinBox;
    box->setRange(low, high);
    box->setSingleStep(0.05);
    box->setDecimals(2);
    box->setValue(value);
    box->setAccessibleName(name);
    box->setFixedWidth(72);
    return box;
}

}  // namespace

PlaygroundPage::PlaygroundPage(Workspace& workspace, Actions& actions) : Page(workspace, actions) {
    auto* chat = chatPanel();
    auto* prompt = promptPanel();
    prompt->setFixedHeight(132);
    setLayout(
        column({header(), systemRow(), LayoutItem(column({LayoutItem(chat, 1), prompt}, 8, {12, 0, 12, 12}), 1)}, 0));
    connect(&workspace, &Workspace::modelsChanged, this, &PlaygroundPage::showModels);
    connect(&engine(), &EngineClient::linkChanged, this, &PlaygroundPage::refreshSend);
    setFocusProxy(m_input);
    showModels();
    showMessages();
    setAnswering(false);
}

QWidget* PlaygroundPage::header() {
    m_model = new QComboBox;
    m_model->setAccessibleName(tr("Model"));
    m_model->setMinimumWidth(180);
    m_model->setMaximumWidth(260);
    m_temperature = fraction(0, 2, 0.7, tr("Temperature"));
    m_topP = fraction(0.01, 1, 0.95, tr("Top p"));
    m_seed = new QLineEdit;
    m_seed->setAccessibleName(tr("Seed, empty for a new one each time"));
    m_seed->setToolTip(m_seed->accessibleName());
    m_seed->setPlaceholderText(tr("any"));
    m_seed->setValidator(new QRegularExpressionValidator(QRegularExpression(QStringLiteral("\\d{0,15}")), m_seed));
    m_seed->setFixedWidth(64);
    m_maxTokens = new QSpinBox;
    m_maxTokens->setRange(1, 1 << 20);
    m_maxTokens->setValue(256);
    m_maxTokens->setAccessibleName(tr("Most tokens of an answer"));
    m_maxTokens->setFixedWidth(80);
    auto* title = new TextLabel(tr("Playground"), text_size::kTitle, QFont::DemiBold);
    title->setElide(Qt::ElideNone);
    auto* most = caption(tr("Max tokens"));
    m_wideOnly.push_back(title);
    auto* bar = new HeaderBar(52);
    bar->setLayout(row({title, LayoutItem(m_model, 1), nullptr, caption(tr("Temperature")), m_temperature, 4,
                        caption(tr("Top p")), m_topP, 4, caption(tr("Seed")), m_seed, 4, most, m_maxTokens},
                       8, {16, 0, 12, 1}));
    return bar;
}

QWidget* PlaygroundPage::systemRow() {
    m_system = new QLineEdit;
    m_system->setAccessibleName(tr("System prompt"));
    m_system->setPlaceholderText(tr("How the model should answer; optional"));
    setControlSize(m_system, ControlSize::Small);
    auto* bar = new QWidget;
    bar->setFixedHeight(36);
    bar->setLayout(row({caption(tr("System")), LayoutItem(m_system, 1)}, 8, {16, 0, 12, 0}));
    return bar;
}

Panel* PlaygroundPage::chatPanel() {
    m_ttft = new Figure(tr("TTFT"), text_size::kTable);
    m_rate = new Figure(tr("Decode"), text_size::kTable);
    m_tokens = new Figure(tr("Tokens"), text_size::kTable);
    m_prompt = new Figure(tr("Prompt"), text_size::kTable);
    m_chat = new QTextBrowser;
    m_chat->setFrameShape(QFrame::NoFrame);
    m_chat->setFont(uiFont(text_size::kBody));
    m_chat->setAccessibleName(tr("Conversation"));
    m_chat->document()->setDocumentMargin(12);
    m_chat->setOpenLinks(false);
    m_empty = new EmptyView(QStringLiteral("message-square-text"), {});
    auto* holder = new QWidget;
    m_chatStack = new QStackedLayout(holder);
    m_chatStack->addWidget(m_chat);
    m_chatStack->addWidget(m_empty);
    m_error = new ErrorStrip;
    m_ended = new TextLabel({}, text_size::kCaption, QFont::Normal, Tone::Secondary);
    m_regenerate = button(tr("Regenerate"), QStringLiteral("refresh-cw"), ButtonRole::Plain, ControlSize::Small);
    m_copy = button(tr("Copy answer"), QStringLiteral("copy"), ButtonRole::Plain, ControlSize::Small);
    m_curl = button(tr("Copy as curl"), QStringLiteral("copy"), ButtonRole::Plain, ControlSize::Small);
    m_clear = button(tr("New chat"), QStringLiteral("plus"), ButtonRole::Plain, ControlSize::Small);
    connect(m_regenerate, &QPushButton::clicked, this, &PlaygroundPage::regenerate);
    connect(m_copy, &QPushButton::clicked, this, [this] {
        const auto& messages = m_conversation.messages();
        if (!messages.empty()) QGuiApplication::clipboard()->setText(messages.back().content);
    });
    connect(m_curl, &QPushButton::clicked, this, [this] {
        QGuiApplication::clipboard()->setText(asCurl(m_conversation.request(settings()), engine().address()));
    });
    connect(m_clear, &QPushButton::clicked, this, [this] {
        stop();
        m_conversation.clear();
        m_error->clear();
        showMessages();
        showFigures({});
        setAnswering(false);
    });
    auto* panel = new Panel;
    panel->setAccessibleName(tr("Chat"));
    panel->setContent(column({row({m_ttft, m_rate, m_tokens, m_prompt, nullptr}, 24, {11, 8, 11, 8}), horizontalLine(),
                              LayoutItem(holder, 1), row({LayoutItem(m_error, 1)}, 0, {8, 0, 8, 0}), horizontalLine(),
                              row({LayoutItem(m_ended, 1), m_clear, m_curl, m_copy, m_regenerate}, 8, {11, 6, 8, 6})},
                             0));
    return panel;
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
    m_send = button(tr("Send"), QStringLiteral("send-horizontal"), ButtonRole::Primary);
    m_send->setToolTip(QStringLiteral("Ctrl+Return"));
    m_stop = button(tr("Stop"), QStringLiteral("square"));
    connect(m_send, &QPushButton::clicked, this, &PlaygroundPage::send);
    connect(m_stop, &QPushButton::clicked, this, &PlaygroundPage::stop);
    connect(m_input, &QPlainTextEdit::textChanged, this, &PlaygroundPage::refreshSend);
    auto* panel = new Panel;
    panel->setAccessibleName(tr("Prompt"));
    panel->setContent(column(
        {LayoutItem(m_input, 1), horizontalLine(), row({LayoutItem(m_hint, 1), m_stop, m_send}, 8, {11, 8, 8, 8})}, 0));
    return panel;
}

void PlaygroundPage::fold(Breadth breadth) {
    for (QWidget* widget : m_wideOnly) widget->setVisible(breadth != Breadth::Narrow);
    m_model->setMinimumWidth(breadth == Breadth::Narrow ? 140 : 180);
}

bool PlaygroundPage::eventFilter(QObject* watched, QEvent* event) {
    if (watched == m_input && event->type() == QEvent::KeyPress) {
        const auto* key = static_cast<QKeyEvent*>(event);
        const bool isReturn = key->key() == Qt::Key_Return || key->key() == Qt::Key_Enter;
        if (isReturn && key->modifiers() & Qt::ControlModifier) {
            send();
            return true;
        }
        if (key->key() == Qt::Key_Escape && isAnswering()) {
            stop();
            return true;
        }
    }
    return Page::eventFilter(watched, event);
}

void PlaygroundPage::changeEvent(QEvent* event) {
    Page::changeEvent(event);
    if (event->type() == QEvent::PaletteChange && m_chat) showMessages();
}

ChatRequest PlaygroundPage::settings() const {
    ChatRequest request;
    request.model = m_model->currentText();
    request.temperature = m_temperature->value();
    request.topP = m_topP->value();
    if (!m_seed->text().isEmpty()) request.seed = m_seed->text().toLongLong();
    request.maxTokens = m_maxTokens->value();
    return request;
}

void PlaygroundPage::send() {
    const QString typed = m_input->toPlainText().trimmed();
    if (isAnswering() || typed.isEmpty() || !m_send->isEnabled()) return;
    m_conversation.addUser(typed);
    m_input->clear();
    ask();
}

void PlaygroundPage::regenerate() {
    if (!isAnswering() && m_conversation.dropAnswer()) ask();
}

void PlaygroundPage::ask() {
    m_conversation.setSystem(m_system->text());
    m_error->clear();
    m_answer.clear();
    showMessages();
    appendBlock(m_model->currentText(), {});
    showFigures({});
    m_stream = engine().chat(m_conversation.request(settings()), this);
    connect(m_stream, &ChatStream::text, this, [this](const QString& piece) {
        m_answer += piece;
        // The view follows the text unless its reader has scrolled away.
        QScrollBar* bar = m_chat->verticalScrollBar();
        const bool follows = bar->value() >= bar->maximum() - 4;
        QTextCursor cursor(m_chat->document());
        cursor.movePosition(QTextCursor::End);
        cursor.insertText(piece);
        if (follows) bar->setValue(bar->maximum());
    });
    connect(m_stream, &ChatStream::progressed, this, &PlaygroundPage::showFigures);
    connect(m_stream, &ChatStream::finished, this, &PlaygroundPage::finish);
    connect(m_stream, &ChatStream::failed, this, &PlaygroundPage::failAnswer);
    setAnswering(true);
}

void PlaygroundPage::stop() {
    if (m_stream) m_stream->cancel();
}

void PlaygroundPage::finish(const ChatEnd& end) {
    m_stream = nullptr;
    m_conversation.addAnswer(m_answer);
    showFigures(end);
    const QString reason = end.finish == QLatin1String("stop")     ? tr("Stopped at end of turn")
                           : end.finish == QLatin1String("length") ? tr("Stopped at the most tokens")
                                                                   : tr("Stopped by you");
    setAnswering(false);
    m_ended->setText(reason);
}

void PlaygroundPage::failAnswer(const Error& error) {
    m_stream = nullptr;
    if (m_answer.isEmpty()) {
        // The question goes back to where it was typed: nothing is lost.
        if (m_input->toPlainText().isEmpty() && !m_conversation.messages().empty())
            m_input->setPlainText(m_conversation.messages().back().content);
        m_conversation.dropUnanswered();
    } else {
        m_conversation.addAnswer(m_answer);
    }
    showMessages();
    m_error->showError(tr("The answer failed"), error);
    setAnswering(false);
}

void PlaygroundPage::setAnswering(bool answering) {
    m_stop->setVisible(answering);
    const bool answered = !answering && !m_conversation.messages().empty() &&
                          m_conversation.messages().back().role == QLatin1String("assistant");
    for (QPushButton* made : {m_regenerate, m_copy}) made->setEnabled(answered);
    m_curl->setEnabled(!m_conversation.messages().empty());
    m_ended->setText(answering ? tr("Answering") : QString());
    refreshSend();
}

void PlaygroundPage::refreshSend() {
    const bool attached = engine().isAttached();
    const bool ready = attached && m_model->count() > 0 && !isAnswering();
    m_send->setEnabled(ready && !m_input->toPlainText().trimmed().isEmpty());
    m_hint->setText(!attached               ? tr("Not attached to a server")
                    : m_model->count() == 0 ? tr("No model in this workspace yet")
                                            : tr("Ctrl+Return sends"));
}

void PlaygroundPage::showModels() {
    const QString chosen = m_model->currentText();
    QStringList names;
    for (const ModelRecord& model : m_workspace.models().models()) names << text(model.name);
    QStringList shown;
    for (int i = 0; i < m_model->count(); ++i) shown << m_model->itemText(i);
    if (names != shown) {
        m_model->clear();
        m_model->addItems(names);
        if (names.contains(chosen)) m_model->setCurrentText(chosen);
    }
    m_empty->setSentence(names.isEmpty() ? tr("Import a model, then chat with it here.")
                                         : tr("Ask %1 something.").arg(m_model->currentText()));
    refreshSend();
}

void PlaygroundPage::appendBlock(const QString& who, const QString& content) {
    QTextCursor cursor(m_chat->document());
    cursor.movePosition(QTextCursor::End);
    const bool first = m_chat->document()->isEmpty();
    QTextBlockFormat head;
    head.setTopMargin(first ? 0 : 12);
    QTextCharFormat quiet;
    quiet.setForeground(QColor(colorsOf(palette()).secondary));
    quiet.setFont(uiFont(text_size::kCaption, QFont::Medium));
    if (first)
        cursor.setBlockFormat(head);
    else
        cursor.insertBlock(head);
    cursor.insertText(who, quiet);
    QTextBlockFormat body;
    body.setTopMargin(2);
    body.setLineHeight(20, QTextBlockFormat::MinimumHeight);
    QTextCharFormat plain;
    plain.setForeground(QColor(colorsOf(palette()).text));
    plain.setFont(uiFont(text_size::kBody));
    cursor.insertBlock(body, plain);
    cursor.insertText(content, plain);
}

void PlaygroundPage::showMessages() {
    m_chat->clear();
    for (const ChatMessage& message : m_conversation.messages())
        appendBlock(message.role == QLatin1String("user") ? tr("You") : m_model->currentText(), message.content);
    if (isAnswering()) appendBlock(m_model->currentText(), m_answer);
    m_chatStack->setCurrentIndex(m_conversation.messages().empty() ? 1 : 0);
    m_chat->verticalScrollBar()->setValue(m_chat->verticalScrollBar()->maximum());
}

void PlaygroundPage::showFigures(const ChatEnd& end) {
    const QString none = QStringLiteral("–");
    m_ttft->setValue(end.ttftMs > 0 ? formatMs(end.ttftMs) : none, tr("ms"));
    m_rate->setValue(end.tokensPerS > 0 ? formatRate(end.tokensPerS) : none, tr("tok/s"));
    m_tokens->setValue(end.completionTokens > 0 ? formatCount(end.completionTokens) : none);
    m_prompt->setValue(end.promptTokens > 0
                           ? tr("%1, %2 cached").arg(formatCount(end.promptTokens), formatCount(end.cachedTokens))
                           : none);
}

}  // namespace espalier::ui
