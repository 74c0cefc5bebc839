// SPDX-License-Identifier: GPL-3.0-or-later
// SamplingBar: how answers are drawn. The four controls that are turned most stand in a row for the page's header, two
// of them where there is little room; the others fold out below it.
#pragma once

#include <QWidget>

#include "ui/bridge/chat_stream.h"

class QBoxLayout;
class QCheckBox;
class QDoubleSpinBox;
class QLineEdit;
class QSpinBox;

namespace espalier::ui {

// Stop strings in one line: "|" between them, "\n" for a line break, "\|" for a bar.
QString stopsToText(const QStringList& stops);
QStringList stopsFromText(const QString& text);

class SamplingBar : public QObject {
    Q_OBJECT
public:
    explicit SamplingBar(QObject* parent);

    QWidget* frequent() const { return m_frequent; }  // for the header; owned by whoever lays it out
    QWidget* others() const { return m_others; }      // folded away at first
    void setNarrow(bool narrow);
    Sampling sampling() const;
    void setSampling(const Sampling& sampling);
    bool wantsProbabilities() const;
    void setWantsProbabilities(bool wants);

signals:
    void changed();
    void probabilitiesToggled(bool shown);

private:
    void makeFrequent();
    void makeOthers();

    QWidget *m_frequent, *m_others;
    QWidget *m_topPPart = nullptr, *m_maxTokensPart = nullptr;  // the two that fold
    QBoxLayout *m_frequentRow = nullptr, *m_othersRow = nullptr;
    QDoubleSpinBox *m_temperature, *m_topP, *m_minP, *m_repetition, *m_presence, *m_frequency;
    QSpinBox *m_topK, *m_maxTokens;
    QLineEdit *m_seed, *m_stop;
    QCheckBox* m_probabilities;
};

}  // namespace espalier::ui
