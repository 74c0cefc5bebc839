// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/language.h"

#include <QCoreApplication>
#include <QFile>
#include <QLibraryInfo>
#include <QLocale>

namespace espalier::ui {
namespace {

constexpr auto kEnglish = "en";

QString catalogue(const QString& code) {
    return QStringLiteral(":/translations/espalier_%1.qm").arg(code);
}

}  // namespace

QList<Language::Name> Language::available() {
    QList<Name> names{{QString::fromLatin1(kEnglish), QStringLiteral("English")}};
    for (const Name& other : {Name{QStringLiteral("de"), QStringLiteral("Deutsch")}})
        if (QFile::exists(catalogue(other.code))) names << other;
    return names;
}

QString Language::chosen(const QString& code) {
    const QString wanted = code.isEmpty() ? QLocale::system().name().section(QLatin1Char('_'), 0, 0) : code;
    for (const Name& name : available())
        if (name.code == wanted) return wanted;
    return QString::fromLatin1(kEnglish);
}

void Language::use(const QString& code) {
    const QString wanted = chosen(code);
    if (wanted == m_code) return;
    m_code = wanted;
    QCoreApplication::removeTranslator(&m_own);
    QCoreApplication::removeTranslator(&m_qt);
    if (wanted == QLatin1String(kEnglish)) {
        QLocale::setDefault(QLocale(QLocale::English, QLocale::UnitedStates));
        return;
    }
    QLocale::setDefault(QLocale(wanted));
    if (m_own.load(catalogue(wanted))) QCoreApplication::installTranslator(&m_own);
    const QString folder = QLibraryInfo::path(QLibraryInfo::TranslationsPath);
    if (m_qt.load(QStringLiteral("qtbase_") + wanted, folder)) QCoreApplication::installTranslator(&m_qt);
}

}  // namespace espalier::ui
