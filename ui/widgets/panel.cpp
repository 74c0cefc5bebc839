// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/panel.h"

#include <QBoxLayout>
#include <QClipboard>
#include <QGuiApplication>
#include <QLineEdit>
#include <QPainter>

#include "ui/models/error_words.h"
#include "ui/widgets/sentence.h"

namespace espalier::ui {
namespace {

constexpr int kTitleHeight = 32;
constexpr int kSentenceWidth = 320;

void paintGround(QWidget* widget, QRgb fill, QRgb border) {
    QPainter painter(widget);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QColor(border));
    painter.setBrush(QColor(fill));
    painter.drawRoundedRect(QRectF(widget->rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6);
}

}  // namespace

Panel::Panel(const QString& title, QWidget* parent) : QFrame(parent), m_body(new QVBoxLayout(this)) {
    m_body->setContentsMargins(1, title.isEmpty() ? 3 : 1, 1, 4);  // content stays clear of the round corners
    m_body->setSpacing(0);
    if (title.isEmpty()) return;
    auto* name = new TextLabel(title, text_size::kTable, QFont::DemiBold);
    name->setElide(Qt::ElideNone);
    m_unit = new TextLabel({}, text_size::kCaption, QFont::Normal, Tone::Secondary);
    m_titleRow = new QWidget;
    m_titleRow->setFixedHeight(scaled(kTitleHeight));
    m_titleRow->setLayout(row({name, LayoutItem(m_unit, 1)}, 8, {11, 0, 7, 0}));
    m_body->addWidget(m_titleRow);
    setAccessibleName(title);
}

void Panel::setUnit(const QString& unit) {
    m_unit->setText(unit);
}

void Panel::addTitleWidget(QWidget* widget) {
    m_titleRow->layout()->addWidget(widget);
}

void Panel::addTitleLine() {
    m_body->addWidget(horizontalLine());
}

void Panel::setContent(QWidget* content, QMargins margins) {
    if (margins.isNull()) {
        m_body->addWidget(content, 1);
    } else {
        m_body->addLayout(column({LayoutItem(content, 1)}, 0, margins), 1);
    }
}

void Panel::setContent(QLayout* content) {
    m_body->addLayout(content, 1);
}

void Panel::setFramed(bool framed) {
    m_framed = framed;
    update();
}

void Panel::paintEvent(QPaintEvent*) {
    if (!m_framed) {
        QPainter(this).fillRect(rect(), palette().base());
        return;
    }
    const ThemeColors& c = colorsOf(palette());
    paintGround(this, c.base, c.line);
}

EmptyView::EmptyView(const QString& iconName, const QString& sentence, QPushButton* action, QWidget* parent)
    : QWidget(parent), m_sentence(new Sentence(sentence)), m_actions(row({})) {
    setSentenceWidth(kSentenceWidth);
    setLayout(column({nullptr, row({nullptr, new IconMark(iconName, 24, Tone::Secondary), nullptr}),
                      row({nullptr, m_sentence, nullptr}), row({nullptr, m_actions, nullptr}), nullptr},
                     8, {0, 4, 0, 4}));
    offer(action);
}

void EmptyView::setSentenceWidth(int width) {
    m_sentence->setFixedWidth(scaled(width));
}

// In a holder each: whether a button itself is seen is its action's.
void EmptyView::offer(QPushButton* action) {
    auto* holder = new QWidget;
    holder->setLayout(row({action}, 0));
    m_actions->addWidget(holder);
}

void EmptyView::showOnly(QPushButton* action) {
    for (int i = 0; i < m_actions->count(); ++i) {
        QWidget* holder = m_actions->itemAt(i)->widget();
        holder->setVisible(action && holder->isAncestorOf(action));
    }
}

void EmptyView::setSentence(const QString& sentence) {
    m_sentence->setText(sentence);
}

EmptyView* filterMiss(QLineEdit* filter) {
    auto* clear = button(EmptyView::tr("Clear the filter"), QStringLiteral("x"));
    QObject::connect(clear, &QPushButton::clicked, filter, [filter] {
        filter->clear();
        filter->setFocus(Qt::OtherFocusReason);
    });
    return new EmptyView(QStringLiteral("search"), EmptyView::tr("Nothing matches the filter."), clear);
}

QString adviceFor(const Error& error) {
    switch (error.code) {
        case ErrorCode::DiskFull:
            return ErrorStrip::tr("Make room and resume, or import again with the files linked in place.");
        case ErrorCode::CorruptFile:
        case ErrorCode::MissingTensor:
        case ErrorCode::ShapeMismatch:
            return ErrorStrip::tr("The files are not whole or do not belong together: fetch them again.");
        case ErrorCode::NonFinite:
            return ErrorStrip::tr("Fetch the weights again, or import once more and allow NaN and infinity.");
        case ErrorCode::Locked:
            return ErrorStrip::tr("End the other program that has the workspace open, then try again.");
        case ErrorCode::Busy:
            return ErrorStrip::tr("Try again in a moment.");
        case ErrorCode::PoolExhausted:
            return ErrorStrip::tr("Unload another model, or start the server with a larger budget.");
        case ErrorCode::ContextOverflow:
            return ErrorStrip::tr("Shorten the conversation or begin a new chat.");
        case ErrorCode::Draining:
            return ErrorStrip::tr("Start the server on the Serve page.");
        case ErrorCode::Network:
            return ErrorStrip::tr("It works again once the server answers; what you typed stays here.");
        default:
            return {};
    }
}

ErrorStrip::ErrorStrip(QWidget* parent)
    : QFrame(parent),
      m_what(new TextLabel({}, text_size::kTable, QFont::Medium, Tone::Error)),
      m_why(paragraph({}, text_size::kTable, Tone::Text)),
      m_details(paragraph({}, text_size::kCaption, Tone::Text)),
      m_fold(button(tr("Details"), {}, ButtonRole::Plain, ControlSize::Small)) {
    auto* copy = button(tr("Copy"), QStringLiteral("copy"), ButtonRole::Plain, ControlSize::Small);
    auto* close = toolButton(QStringLiteral("x"), tr("Dismiss"));
    m_details->setFont(monoFont());
    m_details->hide();
    setLayout(
        row({column({new IconMark(QStringLiteral("circle-x"), 16, Tone::Error), nullptr}, 0),
             LayoutItem(column({m_what, m_why, m_details}, 2), 1), column({row({m_fold, copy, close}, 4), nullptr}, 0)},
            8, {12, 8, 8, 8}));
    connect(m_fold, &QPushButton::clicked, this, [this] { m_details->setVisible(!m_details->isVisible()); });
    connect(copy, &QPushButton::clicked, this, [this] { QGuiApplication::clipboard()->setText(text()); });
    connect(close, &QToolButton::clicked, this, &ErrorStrip::clear);
    setAccessibleName(tr("Error"));
    hide();
}

void ErrorStrip::showError(const QString& what, const Error& error, const QString& advice) {
    if (error.code == ErrorCode::Cancelled) return clear();  // nobody waits for it any more: that is no failure
    m_what->setText(what);
    const QString help = advice.isEmpty() ? adviceFor(error) : advice;
    const QString why = wordsOf(error);
    m_why->setText(help.isEmpty() ? why : why + QLatin1Char('\n') + help);
    const auto code = codeName(error.code);
    QString details = QString::fromUtf8(code.data(), qsizetype(code.size()));
    if (!error.where.empty()) details += QStringLiteral(" · ") + QString::fromStdString(error.where);
    m_details->setText(details);
    m_details->hide();
    setAccessibleDescription(text());
    show();
}

void ErrorStrip::clear() {
    hide();
}

QString ErrorStrip::text() const {
    return m_what->text() + QLatin1Char('\n') + m_why->text() + QLatin1Char('\n') + m_details->text();
}

void ErrorStrip::paintEvent(QPaintEvent*) {
    const ThemeColors& c = colorsOf(palette());
    paintGround(this, c.errorGround, c.error);
}

}  // namespace espalier::ui
