// SPDX-License-Identifier: GPL-3.0-or-later
// KeyField: a secret in one line: dots until it is asked for, and a copy button. The key is never part of an accessible
// text or a tooltip while it is hidden.
#pragma once

#include <QWidget>

class QToolButton;

namespace espalier::ui {

class TextLabel;

class KeyField : public QWidget {
    Q_OBJECT
public:
    explicit KeyField(QWidget* parent = nullptr);
    void setKey(const QString& key, const QString& file);  // file: where it is kept; may be empty
    bool isShown() const { return m_shown; }

private:
    void reveal(bool shown);

    TextLabel* m_text;
    QToolButton *m_eye, *m_copy;
    QString m_key, m_file;
    bool m_shown = false;
};

}  // namespace espalier::ui
