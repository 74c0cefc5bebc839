// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/template_panel.h"

#include <QAbstractTextDocumentLayout>
#include <QBoxLayout>
#include <QCheckBox>
#include <QComboBox>
#include <QPlainTextEdit>
#include <QScrollArea>

#include "ui/models/format.h"

namespace espalier::ui {
namespace {

constexpr int kTemplatePauseMs = 200;
constexpr int kMessageHeight = 28, kMessageLine = 16, kMostLines = 4;  // of one line; each further one
constexpr int kMostMessages = 64;

}  // namespace

MessageRow::MessageRow(const ChatMessage& message, QWidget* parent)
    : QWidget(parent), m_role(new QComboBox), m_text(new QPlainTextEdit(message.content)) {
    m_role->addItems(
        {QStringLiteral("system"), QStringLiteral("user"), QStringLiteral("assistant"), QStringLiteral("tool")});
    m_role->setCurrentText(message.role);
    m_role->setAccessibleName(tr("Role"));
    m_role->setFixedWidth(scaled(104));
    m_text->setAccessibleName(tr("Message text"));
    m_text->setTabChangesFocus(true);
    connect(m_text->document()->documentLayout(), &QAbstractTextDocumentLayout::documentSizeChanged, this,
            &MessageRow::fitHeight);
    fitHeight();
    auto* drop = toolButton(QStringLiteral("x"), tr("Remove the message"));
    setLayout(row({column({m_role, nullptr}, 0), LayoutItem(m_text, 1), column({drop, nullptr}, 0)}, 4));
    connect(m_role, &QComboBox::currentTextChanged, this, &MessageRow::changed);
    connect(m_text, &QPlainTextEdit::textChanged, this, &MessageRow::changed);
    connect(drop, &QToolButton::clicked, this, &MessageRow::removed);
}

// As high as what is typed, to a limit; a plain document measures its height in lines.
void MessageRow::fitHeight() {
    const int lines = qBound(1, int(m_text->document()->size().height()), kMostLines);
    m_text->setFixedHeight(scaled(kMessageHeight + (lines - 1) * kMessageLine));
}

ChatMessage MessageRow::message() const {
    return {m_role->currentText(), m_text->toPlainText()};
}

TemplatePreview::TemplatePreview(Workspace& workspace)
    : m_workspace(workspace),
      m_list(new QVBoxLayout),
      m_prompt(new QCheckBox(tr("Add the answer's opening"))),
      m_text(monoView(tr("Rendered text"))),
      m_count(new TextLabel({}, text_size::kCaption, QFont::Normal, Tone::Secondary)),
      m_error(new ErrorStrip) {
    // Lines mean something to a template, and a special token is one word.
    m_text->setLineWrapMode(QPlainTextEdit::NoWrap);
    m_prompt->setChecked(true);
    m_prompt->setToolTip(tr("Ends with what the template writes before an answer"));
    auto* more = button(tr("Add message"), QStringLiteral("plus"), ButtonRole::Plain, ControlSize::Small);
    m_list->setContentsMargins({});
    m_list->setSpacing(4);
    auto* content = new QWidget;
    content->setBackgroundRole(QPalette::Base);
    content->setLayout(column({LayoutItem(m_list), nullptr}, 0));
    auto* scroll = new QScrollArea;
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setWidgetResizable(true);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->viewport()->setBackgroundRole(QPalette::Base);
    scroll->setAccessibleName(tr("Messages"));
    scroll->setWidget(content);
    auto* left = column({LayoutItem(scroll, 1), row({more, nullptr, m_prompt})}, 4);
    auto* right = column({m_error, LayoutItem(m_text, 1), m_count}, 4);
    setLayout(row({LayoutItem(left, 1), LayoutItem(right, 1)}, 12));
    add({QStringLiteral("system"), tr("You are a careful gardener.")});
    add({QStringLiteral("user"), tr("When do I tie young shoots?")});
    m_first = messages();
    m_pause.setSingleShot(true);
    m_pause.setInterval(kTemplatePauseMs);
    connect(&m_pause, &QTimer::timeout, this, &TemplatePreview::render);
    connect(m_prompt, &QCheckBox::toggled, this, &TemplatePreview::render);
    connect(more, &QPushButton::clicked, this, [this] {
        const auto now = this->messages();
        const bool wasUser = !now.empty() && now.back().role == QLatin1String("user");
        add({wasUser ? QStringLiteral("assistant") : QStringLiteral("user"), {}});
        render();
    });
    connect(&workspace.engine(), &EngineClient::attached, this, &TemplatePreview::render);
}

QList<MessageRow*> TemplatePreview::rows() const {
    QList<MessageRow*> rows;
    for (int i = 0; i < m_list->count(); ++i) rows << static_cast<MessageRow*>(m_list->itemAt(i)->widget());
    return rows;
}

std::vector<ChatMessage> TemplatePreview::messages() const {
    std::vector<ChatMessage> messages;
    for (const MessageRow* row : rows()) messages.push_back(row->message());
    return messages;
}

void TemplatePreview::setMessages(const std::vector<ChatMessage>& messages) {
    for (MessageRow* row : rows()) {
        m_list->removeWidget(row);
        row->hide();
        row->deleteLater();
    }
    for (const ChatMessage& message : messages) add(message);
    render();
}

void TemplatePreview::add(const ChatMessage& message) {
    if (m_list->count() >= kMostMessages) return;
    auto* row = new MessageRow(message);
    m_list->addWidget(row);
    connect(row, &MessageRow::changed, &m_pause, qOverload<>(&QTimer::start));
    connect(row, &MessageRow::changed, this, &TemplatePreview::changed);
    connect(row, &MessageRow::removed, this, [this, row] {
        m_list->removeWidget(row);
        row->hide();
        row->deleteLater();
        render();
        emit changed();
    });
}

void TemplatePreview::show(const ModelRecord* model) {
    const QString id = model ? text(model->id) : QString();
    if (id == m_model) return;
    m_model = id;
    if (isVisible()) render();
}

void TemplatePreview::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    if (m_rendered != m_model) render();
}

void TemplatePreview::render() {
    if (m_model.isEmpty() || !isVisible()) return;
    const int number = ++m_number;
    const QString model = m_model;
    m_workspace.engine().renderTemplate(
        m_model, messages(), m_prompt->isChecked(), this, [this, number, model](Result<RenderedTemplate> rendered) {
            if (number != m_number) return;
            m_rendered = model;
            if (!rendered) {
                m_error->showError(tr("The template refused this"), rendered.error());
                m_text->clear();
                m_count->setText({});
                return;
            }
            m_error->clear();
            m_text->setPlainText(rendered->text);
            const QString size = tr("%1 characters").arg(formatCount(rendered->text.size()));
            m_count->setText(rendered->tokens
                                 ? tr("%1 tokens, %2").arg(formatCount(qint64(rendered->tokens->ids.size())), size)
                                 : size);
        });
}

}  // namespace espalier::ui
