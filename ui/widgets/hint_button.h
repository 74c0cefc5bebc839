// SPDX-License-Identifier: GPL-3.0-or-later
// HintButton: the primary button with the keys that do the same beside its word.
//
// Owner: a page. Thread: Qt.
#pragma once

#include <QPushButton>

namespace espalier::ui {

class HintButton : public QPushButton {
    Q_OBJECT
public:
    HintButton(const QString& word, const QString& iconName, QWidget* parent = nullptr);
    void setWord(const QString& word);
    void setHint(const QString& keys);  // empty: none, where there is little room
    QString hint() const { return m_hint; }
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override { return sizeHint(); }

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    int hintWidth() const;

    QString m_hint;
};

}  // namespace espalier::ui
