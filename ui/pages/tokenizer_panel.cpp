// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/tokenizer_panel.h"

#include <QBoxLayout>
#include <QLineEdit>
#include <QScrollArea>
#include <QStackedLayout>

#include "ui/models/format.h"
#include "ui/widgets/token_strip.h"

namespace espalier::ui {
namespace {

constexpr int kTypingPauseMs = 150;
constexpr int kLongestText = 20'000;

}  // namespace

TokenizerPanel::TokenizerPanel(Workspace& workspace)
    : Panel(tr("Tokenizer")),
      m_workspace(workspace),
      m_text(new QLineEdit(tr("The gardener tied the young shoots to the wire in spring."))),
      m_tokens(new TokenStrip),
      m_count(new TextLabel({}, text_size::kCaption, QFont::Normal, Tone::Secondary)),
      m_error(new ErrorStrip) {
    setUnit(tr("try-out"));
    m_text->setMaxLength(kLongestText);
    m_text->setAccessibleName(tr("Text to tokenize"));
    auto* scroll = new QScrollArea;
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setWidgetResizable(true);
    scroll->setWidget(m_tokens);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setAccessibleName(tr("Tokens"));
    scroll->viewport()->setBackgroundRole(QPalette::Base);
    m_tokens->setBackgroundRole(QPalette::Base);
    auto* full = new QWidget;
    full->setLayout(column({m_text, m_error, LayoutItem(scroll, 1), m_count}, 8, {11, 0, 11, 8}));
    m_empty = new EmptyView(QStringLiteral("message-square-text"), {});
    auto* holder = new QWidget;
    m_stack = new QStackedLayout(holder);
    m_stack->addWidget(full);
    m_stack->addWidget(m_empty);
    setContent(holder);
    m_pause.setSingleShot(true);
    m_pause.setInterval(kTypingPauseMs);
    connect(m_text, &QLineEdit::textChanged, &m_pause, qOverload<>(&QTimer::start));
    connect(&m_pause, &QTimer::timeout, this, &TokenizerPanel::tokenize);
    show(nullptr);
}

void TokenizerPanel::show(const ModelRecord* model) {
    const bool usable = model && model->hasTokenizer;
    m_empty->setSentence(model ? tr("This model was imported without a tokenizer: it takes ids.")
                               : tr("Choose a model to try its tokenizer."));
    m_stack->setCurrentIndex(usable ? 0 : 1);
    const QString id = usable ? text(model->id) : QString();
    if (id == m_model) return;
    m_model = id;
    m_tokens->setTokens({});
    m_count->setText({});
    if (usable) tokenize();
}

void TokenizerPanel::tokenize() {
    if (m_model.isEmpty()) return;
    const QString shown = m_text->text();
    const int number = ++m_number;
    m_workspace.engine().tokenize(m_model, shown, this, [this, shown, number](Result<Tokenization> tokens) {
        if (number != m_number) return;
        if (!tokens) {
            m_error->showError(tr("The text was not tokenized"), tokens.error());
            return;
        }
        m_error->clear();
        const int count = int(tokens->ids.size());
        m_tokens->setTokens(std::move(*tokens));
        m_count->setText(tr("%1 tokens for %2 characters").arg(formatCount(count), formatCount(shown.size())));
    });
}

}  // namespace espalier::ui
