// SPDX-License-Identifier: GPL-3.0-or-later
// Panel: a quiet surface with a title row; EmptyView: what a panel or page shows while there is nothing yet;
// ErrorStrip: what stands in the place of the failed thing.
#pragma once

#include <QFrame>

#include "core/base/result.h"
#include "ui/widgets/controls.h"

class QBoxLayout;
class QLineEdit;
class QVBoxLayout;

namespace espalier::ui {

class Panel : public QFrame {
    Q_OBJECT
public:
    // An empty title gives a panel without a title row. Lists and forms have a line under the title.
    explicit Panel(const QString& title = {}, QWidget* parent = nullptr);

    void setUnit(const QString& unit);     // or scope, beside the title
    void addTitleWidget(QWidget* widget);  // at the right of the title row
    void addTitleLine();
    void setContent(QWidget* content, QMargins margins = {});
    void setContent(QLayout* content);
    void setFramed(bool framed);  // false: as part of another panel
    QVBoxLayout* body() const { return m_body; }

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    QVBoxLayout* m_body;
    QWidget* m_titleRow = nullptr;
    TextLabel* m_unit = nullptr;
    bool m_framed = true;
};

// What a person can do about an error of this kind; empty when the sentence says it already or nothing helps.
QString adviceFor(const Error& error);

// An icon, one sentence, and one button that does the obvious thing about it.
class EmptyView : public QWidget {
    Q_OBJECT
public:
    // Requires: action is not null.
    EmptyView(const QString& iconName, const QString& sentence, QPushButton* action, QWidget* parent = nullptr);
    void setSentence(const QString& sentence);
    void setSentenceWidth(int width);  // at 1x; where the place is narrow
    // Another button, beside the first or in its place.
    void offer(QPushButton* action);
    void showOnly(QPushButton* action);  // of those offered; null: none, where nothing is allowed

private:
    QLabel* m_sentence;
    QBoxLayout* m_actions;
};

// For a list of which the filter leaves nothing; its button clears the field.
EmptyView* filterMiss(QLineEdit* filter);

// What failed, why, what to do; the code and place fold out; Copy takes it all.
class ErrorStrip : public QFrame {
    Q_OBJECT
public:
    explicit ErrorStrip(QWidget* parent = nullptr);  // hidden until showError
    // What to do comes from the error's code unless `advice` says it.
    void showError(const QString& what, const Error& error, const QString& advice = {});
    void clear();
    QString text() const;

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    TextLabel* m_what;
    QLabel* m_why;
    QLabel* m_details;
    QPushButton* m_fold;
};

}  // namespace espalier::ui
