// SPDX-License-Identifier: GPL-3.0-or-later
// Language: the languages the workbench speaks and the one in use, with its numbers and dates. Strings are read when a
// widget is made, so whoever changes the language builds the window again.
//
// Owner: main. Thread: Qt.
#pragma once

#include <QList>
#include <QString>
#include <QTranslator>

namespace espalier::ui {

class Language {
public:
    struct Name {
        QString code;  // "de"
        QString name;  // "Deutsch"
    };
    static QList<Name> available();  // English first; a language whose catalogue was not built is not there

    // An empty or unknown code takes the desktop's language when it is there, else English.
    void use(const QString& code);
    QString code() const { return m_code; }
    static QString chosen(const QString& code);  // which of the available ones `use` would take

private:
    QTranslator m_own, m_qt;
    QString m_code;
};

}  // namespace espalier::ui
