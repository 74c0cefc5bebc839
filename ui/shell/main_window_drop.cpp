// SPDX-License-Identifier: GPL-3.0-or-later
// MainWindow, dropping: files may be dropped anywhere in the window, also on a text field, and the overlay says what a
// drop would do before it is done.
#include <QDir>
#include <QDragEnterEvent>
#include <QFileInfo>
#include <QMimeData>

#include "ui/models/adapter_folders.h"
#include "ui/models/format.h"
#include "ui/pages/connect_page.h"
#include "ui/pages/models_page.h"
#include "ui/shell/drop_overlay.h"
#include "ui/shell/main_window.h"
#include "ui/shell/page_names.h"

namespace espalier::ui {

enum class Drop { Nothing, OpenWorkspace, Import, ImportAdapter, CannotImport, Attach };

struct Dropped {
    Drop what = Drop::Nothing;
    QString path;
    QUrl server;
    QStringList adapters = {};  // folders of them, or folders that hold such
    bool holdsAdapters = false;
};

namespace {

// Those of what is dropped that are adapters or hold some.
QStringList adapterFolders(const QMimeData* data) {
    QStringList folders;
    for (const QUrl& url : data->urls()) {
        const QString path = url.isLocalFile() ? QFileInfo(url.toLocalFile()).absoluteFilePath() : QString();
        if (QFileInfo(path).isDir() && (isAdapterFolder(path) || holdsAdapterFolders(path))) folders << path;
    }
    return folders;
}

// A model may be dropped as its folder or as one of its files.
Dropped meaningOf(const QMimeData* data, bool attached, bool foreign) {
    for (const QUrl& url : data->urls()) {
        if (!url.isLocalFile()) {
            const QUrl server = serverUrl(url.toString(QUrl::RemovePath | QUrl::RemoveQuery | QUrl::RemoveFragment));
            if (server.isValid()) return {Drop::Attach, {}, server};
            continue;
        }
        const QFileInfo info(url.toLocalFile());
        const bool ofAModel = info.isFile() && info.suffix() != QLatin1String("gguf");
        const QString folder = ofAModel ? info.absolutePath() : info.absoluteFilePath();
        if (info.isDir() && QFileInfo::exists(QDir(folder).filePath(QStringLiteral("workspace.db"))))
            return {Drop::OpenWorkspace, folder, {}};
        if (!attached) return {};
        if (foreign) return {Drop::CannotImport, folder, {}};
        if (isAdapterFolder(folder)) {
            const QStringList several = adapterFolders(data);
            return {Drop::ImportAdapter, folder, {}, several.isEmpty() ? QStringList{folder} : several};
        }
        if (info.isDir() && holdsAdapterFolders(folder))
            return {Drop::ImportAdapter, folder, {}, adapterFolders(data), true};
        return {Drop::Import, folder, {}};
    }
    return {};
}

QString adapterDropText(const Dropped& dropped, const QString& base) {
    const QString name = QFileInfo(dropped.path).fileName();
    if (dropped.adapters.size() > 1)
        return MainWindow::tr("Drop to import the adapters of %1 folders for %2")
            .arg(formatCount(dropped.adapters.size()), base);
    return (dropped.holdsAdapters ? MainWindow::tr("Drop to import the adapters in %1 for %2")
                                  : MainWindow::tr("Drop to import the adapter %1 for %2"))
        .arg(name, base);
}

}  // namespace

// True: the event is done with. Editors would take a file's path as text, so files are taken before they see them.
bool MainWindow::dragOver(QObject* watched, QEvent* event) {
    auto* widget = qobject_cast<QWidget*>(watched);
    if (!widget || widget->window() != this) return false;
    if (event->type() == QEvent::DragLeave) {
        m_drop->hide();
        return false;
    }
    auto* drop = static_cast<QDropEvent*>(event);
    if (!drop->mimeData()->hasUrls()) return false;
    if (event->type() == QEvent::Drop) {
        m_drop->hide();
        drop->acceptProposedAction();
        take(drop->mimeData());
        return true;
    }
    const EngineClient& engine = m_workspace.engine();
    // Looked at once for a drag: it moves with the pointer, and the disk may sleep.
    if (!m_dragged || event->type() == QEvent::DragEnter || m_draggedUrls != drop->mimeData()->urls()) {
        m_draggedUrls = drop->mimeData()->urls();
        m_dragged = std::make_shared<Dropped>(meaningOf(drop->mimeData(), engine.isAttached(), engine.isForeign()));
    }
    const Dropped& dropped = *m_dragged;
    const QString name = QFileInfo(dropped.path).fileName();
    switch (dropped.what) {
        case Drop::Import:
            m_drop->cover(tr("Drop to import %1").arg(name));
            break;
        case Drop::ImportAdapter: {
            const ModelRecord* base = m_workspace.models().find(chosenModel());
            m_drop->cover(base ? adapterDropText(dropped, text(base->name))
                               : tr("An adapter needs its model: import that first"));
            if (base) break;
            drop->ignore();
            return true;
        }
        case Drop::OpenWorkspace:
            m_drop->cover(tr("Drop to open the workspace %1").arg(name));
            break;
        case Drop::Attach:
            m_drop->cover(tr("Drop to attach to %1").arg(dropped.server.host()));
            break;
        case Drop::CannotImport:
            m_drop->cover(tr("Models are imported on the machine of %1, not from here").arg(m_workspace.name()));
            drop->ignore();
            return true;
        case Drop::Nothing:
            drop->ignore();
            return true;
    }
    drop->acceptProposedAction();
    return true;
}

void MainWindow::take(const QMimeData* data) {
    const EngineClient& engine = m_workspace.engine();
    const Dropped dropped = meaningOf(data, engine.isAttached(), engine.isForeign());
    if (dropped.what == Drop::Import) openImport(dropped.path);
    if (dropped.what == Drop::ImportAdapter) {
        showPage(kModels);
        models().importAdapters(dropped.adapters);
    }
    if (dropped.what == Drop::OpenWorkspace) emit workspaceChosen(dropped.path);
    if (dropped.what != Drop::Attach) return;
    showPage(kConnect);
    connecting().askForServer(dropped.server);
}

}  // namespace espalier::ui
