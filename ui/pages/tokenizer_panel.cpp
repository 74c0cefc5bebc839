// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/tokenizer_panel.h"

#include <QBoxLayout>
#include <QCheckBox>
#include <QLocale>
#include <QPlainTextEdit>
#include <QScrollArea>
#include <QStackedLayout>
#include <algorithm>

#include "ui/models/format.h"
#include "ui/pages/template_panel.h"
#include "ui/shell/actions.h"
#include "ui/widgets/token_strip.h"

namespace espalier::ui {
namespace {

constexpr int kTokenizerPauseMs = 150;
constexpr qsizetype kLongestText = 20'000;
constexpr int kTextHeight = 48;
enum TokenizerPart { kText, kTemplate, kEmpty };

qint64 characters(const QString& text) {
    return qint64(text.toUcs4().size());
}

}  // namespace

TokenizerPanel::TokenizerPanel(Workspace& workspace, Actions& actions)
    : Panel(tr("Tokenizer")),
      m_workspace(workspace),
      m_part(new SegmentedSwitch({tr("Text"), tr("Chat template")}, tr("Try out"))),
      m_text(new QPlainTextEdit(tr("The gardener tied the young shoots to the wire in spring."))),
      m_special(new QCheckBox(tr("Add special tokens"))),
      m_tokens(new TokenStrip),
      m_count(new TextLabel({}, text_size::kCaption, QFont::Normal, Tone::Secondary)),
      m_error(new ErrorStrip),
      m_template(new TemplatePreview(workspace)) {
    setUnit(tr("try-out"));
    m_part->setCurrent(0);
    addTitleWidget(m_part);
    m_importModel = buttonFor(actions.get(action::kImport), tr("Import model"));
    m_tryText = button(tr("Try out a text"));
    connect(m_tryText, &QPushButton::clicked, this, [this] {
        m_part->setCurrent(kText);
        showPart();
    });
    m_empty = new EmptyView(QStringLiteral("message-square-text"), {}, m_importModel);
    m_empty->offer(m_tryText);
    auto* holder = new QWidget;
    m_stack = new QStackedLayout(holder);
    m_stack->addWidget(textPart());
    auto* rendered = new QWidget;
    rendered->setLayout(column({LayoutItem(m_template, 1)}, 0, {11, 0, 11, 8}));
    m_stack->addWidget(rendered);
    m_stack->addWidget(m_empty);
    setContent(holder);
    m_pause.setSingleShot(true);
    m_pause.setInterval(kTokenizerPauseMs);
    connect(m_text, &QPlainTextEdit::textChanged, &m_pause, qOverload<>(&QTimer::start));
    connect(m_special, &QCheckBox::toggled, this, &TokenizerPanel::tokenize);
    connect(&m_pause, &QTimer::timeout, this, &TokenizerPanel::tokenize);
    connect(m_part, &SegmentedSwitch::chosen, this, &TokenizerPanel::showPart);
    connect(&workspace.engine(), &EngineClient::attached, this, &TokenizerPanel::tokenize);
    show(nullptr);
}

QWidget* TokenizerPanel::textPart() {
    m_text->setAccessibleName(tr("Text to tokenize"));
    m_text->setTabChangesFocus(true);
    m_text->setFixedHeight(scaled(kTextHeight));
    m_special->setChecked(true);
    auto* scroll = new QScrollArea;
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setWidgetResizable(true);
    scroll->setWidget(m_tokens);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setAccessibleName(tr("Tokens"));
    scroll->viewport()->setBackgroundRole(QPalette::Base);
    scroll->setMinimumHeight(scaled(40));
    m_tokens->setBackgroundRole(QPalette::Base);
    auto* part = new QWidget;
    part->setLayout(
        column({m_text, m_error, LayoutItem(scroll, 1), row({LayoutItem(m_count, 1), m_special})}, 8, {11, 0, 11, 8}));
    return part;
}

void TokenizerPanel::show(const ModelRecord* model) {
    const bool usable = model && model->hasTokenizer;
    m_hasModel = model != nullptr;
    m_hasTemplate = model && model->hasChatTemplate;
    const QString id = usable ? text(model->id) : QString();
    m_template->show(m_hasTemplate ? model : nullptr);
    const bool another = id != m_model;
    m_model = id;
    showPart();
    if (!another) return;
    m_tokens->setTokens({});
    m_count->setText({});
    if (usable) tokenize();
}

void TokenizerPanel::showPart() {
    const bool wantsTemplate = m_part->current() == kTemplate;
    const bool usable = wantsTemplate ? m_hasTemplate : !m_model.isEmpty();
    m_empty->setSentence(!m_hasModel     ? tr("Choose a model to try its tokenizer.")
                         : wantsTemplate ? tr("This model has no chat template: it completes text.")
                                         : tr("This model was imported without a tokenizer: it takes ids."));
    m_empty->showOnly(m_hasModel && wantsTemplate && !m_model.isEmpty() ? m_tryText : m_importModel);
    m_stack->setCurrentIndex(!usable ? kEmpty : wantsTemplate ? kTemplate : kText);
}

void TokenizerPanel::tokenize() {
    if (m_model.isEmpty()) return;
    const QString shown = m_text->toPlainText().left(kLongestText);
    const int number = ++m_number;
    m_workspace.engine().tokenize(
        m_model, shown, m_special->isChecked(), this, [this, shown, number](Result<Tokenization> tokens) {
            if (number != m_number) return;
            if (!tokens) {
                m_error->showError(tr("The text was not tokenized"), tokens.error());
                return;
            }
            m_error->clear();
            const auto count = qint64(tokens->ids.size());
            const auto special = std::count(tokens->special.begin(), tokens->special.end(), true);
            const qint64 length = characters(shown);
            QStringList facts{tr("%1 for %2")
                                  .arg(counted(count, tr("%1 token"), tr("%1 tokens")),
                                       counted(length, tr("%1 character"), tr("%1 characters")))};
            if (count > special)
                facts << tr("%1 characters per token")
                             .arg(QLocale().toString(double(length) / double(count - special), 'f', 2));
            if (special > 0) facts << tr("%1 special").arg(formatCount(special));
            m_count->setText(facts.join(QStringLiteral(" · ")));
            m_tokens->setTokens(std::move(*tokens));
        });
}

}  // namespace espalier::ui
