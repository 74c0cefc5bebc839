// SPDX-License-Identifier: GPL-3.0-or-later
#include <QDirIterator>
#include <QFile>
#include <QLocale>
#include <QMenuBar>
#include <QRegularExpression>
#include <QSignalSpy>
#include <QXmlStreamReader>

#include "tests/ui/support/bench.h"
#include "ui/models/error_words.h"
#include "ui/models/format.h"
#include "ui/shell/session.h"

using namespace espalier;
using namespace espalier::ui;
using espalier::test::FakeDaemon;

namespace {

// The texts of one catalogue: source to translation; an unfinished one is empty.
QHash<QString, QString> catalogue() {
    QHash<QString, QString> texts;
    QFile file(QStringLiteral(ESPALIER_RESOURCES "/translations/espalier_de.ts"));
    if (!file.open(QIODevice::ReadOnly)) return texts;
    QXmlStreamReader xml(&file);
    QString source;
    while (!xml.atEnd()) {
        if (xml.readNext() != QXmlStreamReader::StartElement) continue;
        if (xml.name() == QLatin1String("source")) source = xml.readElementText();
        if (xml.name() != QLatin1String("translation")) continue;
        const bool finished = !xml.attributes().hasAttribute(QStringLiteral("type"));
        const QString text = xml.readElementText();
        texts.insert(source, finished ? text : QString());
    }
    return texts;
}

QString unescaped(QString literal) {
    static const QRegularExpression joint(QStringLiteral("\"\\s*\""));
    literal.remove(joint);
    QString text;
    for (int i = 0; i < literal.size(); ++i) {
        const bool isEscape = literal[i] == QLatin1Char('\\') && i + 1 < literal.size();
        const QChar next = isEscape ? literal[++i] : literal[i];
        text += isEscape && next == QLatin1Char('n') ? QLatin1Char('\n') : next;
    }
    return text;
}

// (No raw string: moc stops at a backslash and a quotation mark in one.)
// What the sources hand to tr, translate and QT_TRANSLATE_NOOP as literals.
QStringList sourceTexts() {
    static const QRegularExpression call(
        QStringLiteral("\\b(?:tr|translate\\(\\s*\"[^\"]*\",|QT_TRANSLATE_NOOP\\(\"[^\"]*\",)"
                       "\\s*\\(?\\s*(\"(?:[^\"\\\\]|\\\\.)*\"(?:\\s*\"(?:[^\"\\\\]|\\\\.)*\")*)"));
    QStringList texts;
    QDirIterator walk(QStringLiteral(ESPALIER_UI_SOURCES), {QStringLiteral("*.cpp"), QStringLiteral("*.h")},
                      QDir::Files, QDirIterator::Subdirectories);
    while (walk.hasNext()) {
        QFile file(walk.next());
        if (!file.open(QIODevice::ReadOnly)) continue;
        const QString text = QString::fromUtf8(file.readAll());
        for (auto match = call.globalMatch(text); match.hasNext();) {
            const QString literal = match.next().captured(1);
            texts << unescaped(literal.mid(1, literal.size() - 2));
        }
    }
    texts.removeDuplicates();
    return texts;
}

}  // namespace

class TestLanguage : public QObject {
    Q_OBJECT
private slots:
    void everyTextOfTheWorkbenchIsTranslated() {
        const auto texts = catalogue();
        const QStringList wanted = sourceTexts();
        QVERIFY(wanted.size() > 300);
        QStringList missing;
        for (const QString& text : wanted)
            if (!text.isEmpty() && texts.value(text).isEmpty()) missing << text;
        QVERIFY2(missing.isEmpty(), qPrintable(QStringLiteral("%1 texts have no German: \n").arg(missing.size()) +
                                               missing.join(QLatin1Char('\n'))));
    }
    void placeholdersAreTheSameInBoth() {
        static const QRegularExpression place(QStringLiteral("%[0-9]"));
        const auto texts = catalogue();
        for (auto text = texts.begin(); text != texts.end(); ++text) {
            QStringList here, there;
            for (auto match = place.globalMatch(text.key()); match.hasNext();) here << match.next().captured();
            for (auto match = place.globalMatch(text.value()); match.hasNext();) there << match.next().captured();
            here.sort();
            there.sort();
            if (!text.value().isEmpty()) QCOMPARE(there.join(QLatin1Char(' ')), here.join(QLatin1Char(' ')));
        }
    }
    void theWindowChangesItsLanguageWhileItRuns() {
        QCOMPARE(Language::available().size(), 2);
        FakeDaemon daemon;
        daemon.addModel("tiny");
        QTemporaryDir folder;
        QSettings settings(folder.filePath(QStringLiteral("s.ini")), QSettings::IniFormat);
        PreferenceStore preferences(settings);
        ServerBook servers(folder.path());
        Preferences wanted = preferences.now();
        wanted.language = QStringLiteral("en");
        preferences.set(wanted);
        Session session(espalier::test::theme(), preferences, servers, nullptr, {});
        session.window().show();
        session.engine().attach(daemon.url(), daemon.key);
        QTRY_COMPARE(session.workspace().models().rowCount(), 1);
        QCOMPARE(session.window().menuBar()->actions().front()->text(), QStringLiteral("File"));
        QCOMPARE(formatCount(1234567), QStringLiteral("1,234,567"));
        session.window().goTo(QStringLiteral("models"));
        QSignalSpy made(&session, &Session::windowMade);
        wanted.language = QStringLiteral("de");
        preferences.set(wanted);
        QTRY_COMPARE(made.count(), 1);
        QCOMPARE(session.window().menuBar()->actions().front()->text(), QStringLiteral("Datei"));
        QCOMPARE(session.window().page(), QStringLiteral("models"));
        QCOMPARE(formatCount(1234567), QStringLiteral("1.234.567"));
        QCOMPARE(formatGib(3ll << 30), QStringLiteral("3,00"));
        QTRY_COMPARE(session.workspace().models().rowCount(), 1);
        QCOMPARE(session.workspace().models().headerData(0, Qt::Horizontal, Qt::DisplayRole).toString(),
                 QStringLiteral("Name"));
        QCOMPARE(session.workspace().jobs().headerData(0, Qt::Horizontal, Qt::DisplayRole).toString(),
                 QStringLiteral("Auftrag"));
        // No control kept its English name: those that are the same in both languages are few.
        const auto texts = catalogue();
        QStringList english;
        for (const QAction* action : session.window().actions().all())
            if (texts.contains(action->text()) && texts.value(action->text()) != action->text())
                english << action->text();
        for (const auto* widget : session.window().findChildren<QAbstractButton*>())
            if (texts.contains(widget->text()) && texts.value(widget->text()) != widget->text())
                english << widget->text();
        QCOMPARE(english.join(QLatin1Char('|')), QString());
        wanted.language = QStringLiteral("en");
        preferences.set(wanted);
        QTRY_COMPARE(made.count(), 2);
        QCOMPARE(session.window().menuBar()->actions().front()->text(), QStringLiteral("File"));
    }
    void errorsOfTheEngineHaveTheirKindInTheLanguageOfTheWindow() {
        const Error error = fail(ErrorCode::DiskFull, "writing /srv/m/model.safetensors: No space left on device");
        JobRecord job;
        job.title = "Import tiny";
        Language language;
        language.use(QStringLiteral("en"));
        QCOMPARE(wordsOf(error), QStringLiteral("Writing /srv/m/model.safetensors: No space left on device"));
        QCOMPARE(wordsOf(fail(ErrorCode::CorruptFile, "model.safetensors: the header is cut")),
                 QStringLiteral("model.safetensors: the header is cut"));
        QCOMPARE(wordsOf(fail(ErrorCode::Busy, "sample answers 3 requests")),
                 QStringLiteral("sample answers 3 requests"));
        QCOMPARE(titleOf(job), QStringLiteral("Import tiny"));
        language.use(QStringLiteral("de"));
        QCOMPARE(
            wordsOf(error),
            QStringLiteral("Der Datenträger ist voll.\nWriting /srv/m/model.safetensors: No space left on device"));
        QCOMPARE(titleOf(job), QStringLiteral("Import von tiny"));
        language.use(QStringLiteral("en"));
    }
    void anUnknownLanguageIsEnglish() {
        QCOMPARE(Language::chosen(QStringLiteral("xx")), QStringLiteral("en"));
        QCOMPARE(Language::chosen(QStringLiteral("de")), QStringLiteral("de"));
    }
};
ESPALIER_TEST(tst_language, TestLanguage)
#include "tst_language.moc"
