// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/sampling_bar.h"

#include <QBoxLayout>
#include <QCheckBox>
#include <QDoubleSpinBox>
#include <QLineEdit>
#include <QRegularExpressionValidator>
#include <QSpinBox>

#include "ui/widgets/controls.h"

namespace espalier::ui {
namespace {

// As wide as its digits need, beside frame and arrows.
int widthFor(const QString& digits) {
    constexpr int kAround = 44;
    return kAround + QFontMetrics(uiFont(text_size::kBody)).horizontalAdvance(digits);
}

QDoubleSpinBox* fraction(double low, double high, const QString& name) {
    auto* box = new QDoubleSpinBox;
    box->setRange(low, high);
    box->setSingleStep(0.05);
    box->setDecimals(2);
    box->setAccessibleName(name);
    box->setFixedWidth(widthFor(QStringLiteral("0.00")));
    return box;
}

QWidget* named(const QString& name, QWidget* field) {
    auto* part = new QWidget;
    part->setLayout(row({fieldLabel(name), field}, 8, {0, 0, 4, 0}));
    return part;
}

QSpinBox* wholeNumber(int low, int high, const QString& name) {
    auto* box = new QSpinBox;
    box->setRange(low, high);
    box->setAccessibleName(name);
    box->setFixedWidth(widthFor(QStringLiteral("00000")));
    return box;
}

}  // namespace

QString stopsToText(const QStringList& stops) {
    QStringList escaped;
    for (QString stop : stops) {
        stop.replace(QLatin1Char('\\'), QStringLiteral("\\\\"));
        stop.replace(QLatin1Char('|'), QStringLiteral("\\|"));
        stop.replace(QLatin1Char('\n'), QStringLiteral("\\n"));
        escaped << stop;
    }
    return escaped.join(QLatin1Char('|'));
}

QStringList stopsFromText(const QString& text) {
    QStringList stops{QString()};
    for (qsizetype i = 0; i < text.size(); ++i) {
        const bool escapes = text[i] == QLatin1Char('\\') && i + 1 < text.size();
        if (escapes)
            stops.last() += text[++i] == QLatin1Char('n') ? QLatin1Char('\n') : text[i];
        else if (text[i] == QLatin1Char('|'))
            stops << QString();
        else
            stops.last() += text[i];
    }
    stops.removeAll(QString());
    return stops.mid(0, 16);
}

SamplingBar::SamplingBar(QObject* parent) : QObject(parent), m_frequent(new QWidget), m_others(new QWidget) {
    makeFrequent();
    makeOthers();
    setSampling({});
    for (QDoubleSpinBox* box : {m_temperature, m_topP, m_minP, m_repetition, m_presence, m_frequency})
        connect(box, &QDoubleSpinBox::valueChanged, this, &SamplingBar::changed);
    for (QSpinBox* box : {m_topK, m_maxTokens}) connect(box, &QSpinBox::valueChanged, this, &SamplingBar::changed);
    for (QLineEdit* edit : {m_seed, m_stop}) connect(edit, &QLineEdit::textChanged, this, &SamplingBar::changed);
    connect(m_probabilities, &QCheckBox::toggled, this, [this](bool on) {
        emit probabilitiesToggled(on);
        emit changed();
    });
}

void SamplingBar::makeFrequent() {
    m_temperature = fraction(0, 2, tr("Temperature"));
    m_topP = fraction(0.01, 1, tr("Top p"));
    m_seed = new QLineEdit;
    m_seed->setAccessibleName(tr("Seed, empty for a new one each time"));
    m_seed->setToolTip(m_seed->accessibleName());
    m_seed->setPlaceholderText(tr("any"));
    m_seed->setValidator(new QRegularExpressionValidator(QRegularExpression(QStringLiteral("\\d{0,15}")), m_seed));
    m_seed->setFixedWidth(scaled(64));
    m_maxTokens = wholeNumber(1, 1 << 20, tr("Most tokens of an answer"));
    auto* more = toolButton(QStringLiteral("sliders-horizontal"), tr("More sampling settings"));
    more->setCheckable(true);
    connect(more, &QToolButton::toggled, m_others, &QWidget::setVisible);
    m_topPPart = named(tr("Top p"), m_topP);
    m_maxTokensPart = named(tr("Max tokens"), m_maxTokens);
    m_frequentRow =
        row({named(tr("Temperature"), m_temperature), m_topPPart, named(tr("Seed"), m_seed), m_maxTokensPart, more}, 8);
    m_frequent->setLayout(m_frequentRow);
}

void SamplingBar::makeOthers() {
    m_topK = wholeNumber(0, 1 << 20, tr("Top k, 0 for all"));
    m_topK->setSpecialValueText(tr("all"));
    m_minP = fraction(0, 1, tr("Min p"));
    m_repetition = fraction(0.01, 2, tr("Repetition penalty"));
    m_presence = fraction(-2, 2, tr("Presence penalty"));
    m_frequency = fraction(-2, 2, tr("Frequency penalty"));
    m_stop = new QLineEdit;
    m_stop->setAccessibleName(tr("Stop strings"));
    m_stop->setToolTip(tr("| between strings, \\n for a line break, \\| for a bar"));
    m_stop->setPlaceholderText(tr("none; | between them"));
    m_stop->setMinimumWidth(scaled(96));
    m_probabilities = new QCheckBox(tr("Probabilities"));
    m_probabilities->setToolTip(tr("Underline what was not certain; the likeliest tokens under the pointer"));
    m_probabilities->setChecked(true);
    auto* reset = button(tr("Reset"), {}, ButtonRole::Plain, ControlSize::Small);
    connect(reset, &QPushButton::clicked, this, [this] { setSampling({}); });
    m_othersRow = row({fieldLabel(tr("Stop at")), LayoutItem(m_stop, 1), 4, m_probabilities, reset}, 8);
    // Two rows: all of it has to fit beside the folded sidebar of a small window.
    m_others->setLayout(column({row({fieldLabel(tr("Top k")), m_topK, 4, fieldLabel(tr("Min p")), m_minP, 4,
                                     fieldLabel(tr("Repetition")), m_repetition, 4, fieldLabel(tr("Presence")),
                                     m_presence, 4, fieldLabel(tr("Frequency")), m_frequency, nullptr},
                                    8),
                                LayoutItem(m_othersRow)},
                               6, {16, 6, 12, 6}));
    m_others->hide();
}

void SamplingBar::setNarrow(bool narrow) {
    const bool isFolded = m_othersRow->indexOf(m_topPPart) >= 0;
    if (narrow == isFolded) return;
    if (narrow) {
        m_othersRow->insertWidget(0, m_topPPart);
        m_othersRow->insertWidget(1, m_maxTokensPart);
    } else {
        m_frequentRow->insertWidget(1, m_topPPart);
        m_frequentRow->insertWidget(3, m_maxTokensPart);
    }
}

Sampling SamplingBar::sampling() const {
    Sampling s;
    s.temperature = m_temperature->value();
    s.topP = m_topP->value();
    s.minP = m_minP->value();
    s.topK = m_topK->value();
    s.repetitionPenalty = m_repetition->value();
    s.presencePenalty = m_presence->value();
    s.frequencyPenalty = m_frequency->value();
    if (!m_seed->text().isEmpty()) s.seed = m_seed->text().toLongLong();
    s.maxTokens = m_maxTokens->value();
    s.stop = stopsFromText(m_stop->text());
    return s;
}

void SamplingBar::setSampling(const Sampling& s) {
    {
        const QSignalBlocker quiet(this);
        m_temperature->setValue(s.temperature);
        m_topP->setValue(s.topP);
        m_minP->setValue(s.minP);
        m_topK->setValue(s.topK);
        m_repetition->setValue(s.repetitionPenalty);
        m_presence->setValue(s.presencePenalty);
        m_frequency->setValue(s.frequencyPenalty);
        m_seed->setText(s.seed ? QString::number(*s.seed) : QString());
        m_maxTokens->setValue(s.maxTokens);
        m_stop->setText(stopsToText(s.stop));
    }
    emit changed();
}

bool SamplingBar::wantsProbabilities() const {
    return m_probabilities->isChecked();
}

void SamplingBar::setWantsProbabilities(bool wants) {
    m_probabilities->setChecked(wants);
}

}  // namespace espalier::ui
