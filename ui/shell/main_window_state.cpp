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
void MainWindow::nameFields(QWidget* part, const QString& name) {
    int number = 0;
    for (auto* widget : part->findChildren<QWidget*>()) {
        if (!isField(widget) || isReadOnly(widget)) continue;
        if (widget->objectName().isEmpty())
            widget->setObjectName(QStringLiteral("%1-field-%2").arg(name).arg(number++));
        widget->setProperty(kFirstValue, widget->property(valueOf(widget)));
    }
}

std::shared_ptr<MainWindow::Handover> MainWindow::handOver() {
    auto handover = std::make_shared<Handover>();
    handover->typed = m_typed;  // for pages that were never opened here
    const auto fields = namedFields(this);
    for (auto field = fields.begin(); field != fields.end(); ++field) {
        const QVariant value = (*field)->property(valueOf(*field));
        if (value != (*field)->property(kFirstValue)) handover->typed.insert(field.key(), value);
    }
    if (isMade(kPlayground)) handover->chats = playground().takeChats();
    handover->logReadUntil = m_status->logReadUntil();
    return handover;
}

void MainWindow::goOn(const std::shared_ptr<Handover>& handover) {
    m_typed = handover->typed;
    takeTyped(this);
    if (!handover->chats.lanes.empty()) playground().goOn(std::move(handover->chats));
    m_status->setLogReadUntil(handover->logReadUntil);
}

// What was handed over for fields that are there now.
void MainWindow::takeTyped(const QWidget* part) {
    const auto fields = namedFields(this);
    for (auto typed = m_typed.begin(); typed != m_typed.end();) {
        QWidget* field = fields.value(typed.key());
        if (!field || (part != this && !part->isAncestorOf(field))) {
            ++typed;
            continue;
        }
        if (field->property(valueOf(field)) != *typed) field->setProperty(valueOf(field), *typed);
        typed = m_typed.erase(typed);
    }
}

// A page that has just been made: as it was left, in this window or in the last one.
void MainWindow::restorePage(int index) {
    Page* page = m_pages[std::size_t(index)];
    const QString name = QLatin1String(kPageNames[std::size_t(index)]);
    nameFields(page, name);
    followSplitters(index);
    if (m_breadth) page->fold(*m_breadth);
    restoreSplitters(index);
    const QByteArray json = m_preferences.settings().value(QStringLiteral("session/") + name).toString().toUtf8();
    if (!json.isEmpty()) page->restoreSession(QJsonDocument::fromJson(json).object());
    takeTyped(page);
    if (index == kModels) selectKeptModel();
}

void MainWindow::restore() {
    const QSettings& kept = m_preferences.settings();
    resize(1440, 900);
    restoreGeometry(kept.value(QStringLiteral("window/geometry")).toByteArray());
    restoreState(kept.value(QStringLiteral("window/layout")).toByteArray(), kLayoutVersion);
    m_splitterSizes = kept.value(QLatin1String(kSizesKey)).toHash();
    m_keptModel = kept.value(QStringLiteral("session/model")).toString();
    foldTo(width());
    if (!goTo(kept.value(QStringLiteral("window/page")).toString())) showPage(kHome);
    m_status->setLogReadUntil(kept.value(QStringLiteral("session/log-read-until"), -1).toLongLong());
}

// Splitters are known by their order, which is that of the code; a size means something in the layout it was chosen in.
QString MainWindow::splitterKey(int page, qsizetype index) const {
    return QStringLiteral("%1/%2/%3")
        .arg(QLatin1String(kPageNames[std::size_t(page)]))
        .arg(index)
        .arg(int(m_breadth.value_or(Breadth::Wide)));
}

void MainWindow::followSplitters(int page) {
    QList<QSplitter*>& splitters = m_splitters[std::size_t(page)];
    splitters = m_pages[std::size_t(page)]->findChildren<QSplitter*>();
    for (qsizetype i = 0; i < splitters.size(); ++i)
        connect(splitters[i], &QSplitter::splitterMoved, this, [this, page, i, splitter = splitters[i]] {
            QVariantList sizes;
            for (const int size : splitter->sizes()) sizes << size;
            m_splitterSizes.insert(splitterKey(page, i), sizes);
            keepSoon();
        });
}

// After the pages have folded: what a person chose for this layout, where it still has as many parts.
void MainWindow::restoreSplitters(int page) {
    const QList<QSplitter*>& splitters = m_splitters[std::size_t(page)];
    for (qsizetype i = 0; i < splitters.size(); ++i) {
        QList<int> sizes;
        for (const QVariant& size : m_splitterSizes.value(splitterKey(page, i)).toList()) sizes << size.toInt();
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
        if (!m_pages[i]) continue;  // what was kept of it stands
        const QJsonObject session = m_pages[i]->session();
        const QByteArray json =
            session.isEmpty() ? QByteArray() : QJsonDocument(session).toJson(QJsonDocument::Compact);
        kept.setValue(QStringLiteral("session/") + QLatin1String(kPageNames[i]), QString::fromUtf8(json));
    }
    const QString model = isMade(kModels) ? chosenModel() : m_keptModel;
    kept.setValue(QStringLiteral("session/model"), model.isEmpty() ? m_keptModel : model);
    kept.setValue(QStringLiteral("session/log-read-until"), m_status->logReadUntil());
    // What was typed is its owner's alone; later writes keep the mode.
    kept.sync();
    QFile::setPermissions(kept.fileName(), QFile::ReadOwner | QFile::WriteOwner);
}

}  // namespace espalier::ui
