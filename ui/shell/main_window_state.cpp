// SPDX-License-Identifier: GPL-3.0-or-later
// MainWindow, what is kept: in the settings for the next start, and in memory for a window made anew.
#include <QAbstractSpinBox>
#include <QCheckBox>
#include <QComboBox>
#include <QFile>
#include <QJsonDocument>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QSplitter>
#include <QStackedWidget>

#include "ui/pages/models_page.h"
#include "ui/pages/playground_page.h"
#include "ui/shell/docks.h"
#include "ui/shell/main_window.h"
#include "ui/shell/page_names.h"
#include "ui/shell/status_strip.h"

namespace espalier::ui {
namespace {

constexpr int kLayoutVersion = 1;
constexpr auto kFirstValue = "espalierFirstValue";
constexpr auto kSizesKey = "window/splitters";

bool isReadOnly(const QWidget* field) {
    return field->property("readOnly").toBool();
}

// Fields a person types into; those inside a spin box or combo box are theirs. Of combo boxes those that have a name
// of their own: the lists of the others come from the server.
bool isField(const QWidget* widget) {
    const QWidget* parent = widget->parentWidget();
    if (qobject_cast<const QAbstractSpinBox*>(parent) || qobject_cast<const QComboBox*>(parent)) return false;
    if (qobject_cast<const QComboBox*>(widget)) return !widget->objectName().isEmpty();
    return qobject_cast<const QLineEdit*>(widget) || qobject_cast<const QPlainTextEdit*>(widget) ||
           qobject_cast<const QAbstractSpinBox*>(widget) || qobject_cast<const QCheckBox*>(widget);
}

const char* valueOf(const QWidget* field) {
    if (qobject_cast<const QPlainTextEdit*>(field)) return "plainText";
    if (qobject_cast<const QCheckBox*>(field)) return "checked";
    if (qobject_cast<const QLineEdit*>(field)) return "text";
    return qobject_cast<const QComboBox*>(field) ? "currentIndex" : "value";
}

// The named fields of this window, without those of its dialogs.
QHash<QString, QWidget*> namedFields(const QWidget* window) {
    QHash<QString, QWidget*> fields;
    for (auto* widget : window->findChildren<QWidget*>())
        if (widget->window() == window && isField(widget) && !widget->objectName().isEmpty())
            fields.insert(widget->objectName(), widget);
    return fields;
}

}  // namespace

struct MainWindow::Handover {
    QVariantHash typed;  // by the name of the field
    PlaygroundPage::Chats chats;
    qint64 logReadUntil = -1;
};

// The same code makes the same fields in the same order; later they may move from page to tab and back. What stands in
// them now is not typed: a window in another language has its own words there.
void MainWindow::nameFields() {
    int number = 0;
    for (auto* widget : findChildren<QWidget*>()) {
        if (!isField(widget) || isReadOnly(widget)) continue;
        if (widget->objectName().isEmpty()) widget->setObjectName(QStringLiteral("field-%1").arg(number++));
        widget->setProperty(kFirstValue, widget->property(valueOf(widget)));
    }
}

std::shared_ptr<MainWindow::Handover> MainWindow::handOver() {
    auto handover = std::make_shared<Handover>();
    const auto fields = namedFields(this);
    for (auto field = fields.begin(); field != fields.end(); ++field) {
        const QVariant value = (*field)->property(valueOf(*field));
        if (value != (*field)->property(kFirstValue)) handover->typed.insert(field.key(), value);
    }
    handover->chats = m_playground->takeChats();
    handover->logReadUntil = m_status->logReadUntil();
    return handover;
}

void MainWindow::goOn(const std::shared_ptr<Handover>& handover) {
    const auto fields = namedFields(this);
    for (auto typed = handover->typed.begin(); typed != handover->typed.end(); ++typed) {
        QWidget* field = fields.value(typed.key());
        if (field && field->property(valueOf(field)) != *typed) field->setProperty(valueOf(field), *typed);
    }
    m_playground->goOn(std::move(handover->chats));
    m_status->setLogReadUntil(handover->logReadUntil);
}

void MainWindow::restore() {
    const QSettings& kept = m_preferences.settings();
    resize(1440, 900);
    restoreGeometry(kept.value(QStringLiteral("window/geometry")).toByteArray());
    restoreState(kept.value(QStringLiteral("window/layout")).toByteArray(), kLayoutVersion);
    if (!goTo(kept.value(QStringLiteral("window/page")).toString())) showPage(kHome);
    m_splitterSizes = kept.value(QLatin1String(kSizesKey)).toHash();
    const auto splitters = m_stack->findChildren<QSplitter*>();
    for (qsizetype i = 0; i < splitters.size(); ++i)
        connect(splitters[i], &QSplitter::splitterMoved, this, [this, i, splitter = splitters[i]] {
            QVariantList sizes;
            for (const int size : splitter->sizes()) sizes << size;
            m_splitterSizes.insert(splitterKey(i), sizes);
            keepSoon();
        });
    foldTo(width());
    for (std::size_t i = 0; i < m_pages.size(); ++i) {
        const QByteArray json =
            kept.value(QStringLiteral("session/") + QLatin1String(kPageNames[i])).toString().toUtf8();
        if (!json.isEmpty()) m_pages[i]->restoreSession(QJsonDocument::fromJson(json).object());
        connect(m_pages[i], &Page::sessionChanged, this, &MainWindow::keepSoon);
    }
    m_keptModel = kept.value(QStringLiteral("session/model")).toString();
    m_status->setLogReadUntil(kept.value(QStringLiteral("session/log-read-until"), -1).toLongLong());
}

// Splitters are known by their order, which is that of the code; a size means something in the layout it was chosen in.
QString MainWindow::splitterKey(qsizetype index) const {
    return QStringLiteral("%1/%2").arg(index).arg(int(m_breadth.value_or(Breadth::Wide)));
}

// After the pages have folded: what a person chose for this layout, where it still has as many parts.
void MainWindow::restoreSplitters() {
    const auto splitters = m_stack->findChildren<QSplitter*>();
    for (qsizetype i = 0; i < splitters.size(); ++i) {
        QList<int> sizes;
        for (const QVariant& size : m_splitterSizes.value(splitterKey(i)).toList()) sizes << size.toInt();
        if (!sizes.isEmpty() && sizes.size() == splitters[i]->count()) splitters[i]->setSizes(sizes);
    }
}

// One write for many keys, and none while somebody types.
void MainWindow::keepSoon() {
    m_keep.start();
}

void MainWindow::keepSession() {
    m_keep.stop();
    QSettings& kept = m_preferences.settings();
    kept.setValue(QStringLiteral("window/geometry"), saveGeometry());
    kept.setValue(QStringLiteral("window/layout"), saveState(kLayoutVersion));
    kept.setValue(QStringLiteral("window/page"), page());
    kept.setValue(QLatin1String(kSizesKey), m_splitterSizes);
    for (std::size_t i = 0; i < m_pages.size(); ++i) {
        const QJsonObject session = m_pages[i]->session();
        const QByteArray json =
            session.isEmpty() ? QByteArray() : QJsonDocument(session).toJson(QJsonDocument::Compact);
        kept.setValue(QStringLiteral("session/") + QLatin1String(kPageNames[i]), QString::fromUtf8(json));
    }
    kept.setValue(QStringLiteral("session/model"),
                  m_models->currentId().isEmpty() ? m_keptModel : m_models->currentId());
    kept.setValue(QStringLiteral("session/log-read-until"), m_status->logReadUntil());
    // What was typed is its owner's alone; later writes keep the mode.
    kept.sync();
    QFile::setPermissions(kept.fileName(), QFile::ReadOwner | QFile::WriteOwner);
}

}  // namespace espalier::ui
