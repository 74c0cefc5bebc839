// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/connect_page.h"

#include <QApplication>
#include <QBoxLayout>
#include <QCheckBox>
#include <QDir>
#include <QFormLayout>
#include <QLineEdit>
#include <QPointer>
#include <QScrollArea>
#include <QStackedWidget>
#include <QStandardItemModel>
#include <QThreadPool>

#include "ui/models/format.h"
#include "ui/models/record_table.h"
#include "ui/widgets/table_view.h"

namespace espalier::ui {
namespace {

enum FolderColumn { kFolderName, kFolderPlace, kFolderState };
constexpr int kLeastList = 124;  // what an empty one says has room around it

QStandardItem* item(const QString& text, const QString& id, bool strong = false, Tone tone = Tone::Text) {
    auto* made = new QStandardItem(text);
    made->setData(id, IdRole);
    made->setData(strong, StrongRole);
    made->setData(int(tone), ToneRole);
    made->setData(text, Qt::ToolTipRole);
    made->setData(text, Qt::AccessibleTextRole);
    return made;
}

TextLabel* formLabel(const QString& text) {
    auto* made = fieldLabel(text, text_size::kBody);
    made->setFixedHeight(scaled(28));
    return made;
}

}  // namespace

ConnectPage::ConnectPage(Workspace& workspace, Actions& actions, PreferenceStore& preferences, ServerBook& servers)
    : Page(workspace, actions),
      m_preferences(preferences),
      m_servers(servers),
      m_header(new PageHeader(tr("Workspaces and servers"))),
      m_folderModel(new QStandardItemModel(0, 3, this)),
      m_serverModel(new QStandardItemModel(0, 2, this)) {
    m_folderModel->setHorizontalHeaderLabels({tr("Workspace"), tr("Folder"), tr("Engine")});
    m_serverModel->setHorizontalHeaderLabels({tr("Server"), tr("Key")});
    m_header->add(buttonFor(actions.get(action::kOpenSample), tr("Open sample")));
    m_header->add(buttonFor(actions.get(action::kOpenWorkspace), tr("Open a folder…"), ButtonRole::Primary));
    m_panels = row({LayoutItem(workspacesPanel(), 1), LayoutItem(serverPanel(), 1)}, 8, {12, 8, 12, 12});
    auto* content = new QWidget;
    content->setLayout(m_panels);
    auto* scroll = new QScrollArea;
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setWidgetResizable(true);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setFocusPolicy(Qt::NoFocus);
    scroll->setWidget(content);
    setLayout(column({m_header, LayoutItem(scroll, 1)}, 0));
    connect(&preferences, &PreferenceStore::recentChanged, this, &ConnectPage::showWorkspaces);
    connect(&servers, &ServerBook::changed, this, &ConnectPage::showServers);
    connect(&workspace.engine(), &EngineClient::linkChanged, this, &ConnectPage::showLink);
    showServers();
    showLink();
    if (servers.trouble()) m_error->showError(tr("The kept servers were not read"), *servers.trouble());
}

Panel* ConnectPage::workspacesPanel() {
    auto* panel = new Panel(tr("Workspaces on this machine"));
    panel->addTitleLine();
    m_folders = new TableView(m_folderModel, tr("Workspaces"), kListRow, {26, 52, 22});
    m_open = smallButton(tr("Open"), QStringLiteral("hard-drive"));
    m_forgetFolder = smallButton(tr("Remove from this list"), QStringLiteral("x"));
    m_folderStack = new QStackedWidget;
    m_folderStack->setMinimumHeight(scaled(kLeastList));
    m_folderStack->addWidget(m_folders);
    m_folderStack->addWidget(new EmptyView(QStringLiteral("hard-drive"),
                                           tr("Workspaces that you open are listed here."),
                                           buttonFor(m_actions.get(action::kOpenSample), tr("Open the sample"))));
    panel->setContent(column(
        {LayoutItem(m_folderStack, 1), horizontalLine(), row({m_open, m_forgetFolder, nullptr}, 8, {8, 4, 8, 4})}, 0));
    const auto open = [this] {
        if (!chosenFolder().isEmpty()) emit workspaceChosen(chosenFolder());
    };
    connect(m_open, &QPushButton::clicked, this, open);
    connect(m_folders, &QTableView::activated, this, open);
    connect(m_forgetFolder, &QPushButton::clicked, this, [this] { m_preferences.forget(chosenFolder()); });
    connect(m_folders->selectionModel(), &QItemSelectionModel::selectionChanged, this, [this] {
        m_open->setEnabled(!chosenFolder().isEmpty());
        m_forgetFolder->setEnabled(!chosenFolder().isEmpty());
    });
    m_open->setEnabled(false);
    m_forgetFolder->setEnabled(false);
    return panel;
}

Panel* ConnectPage::serverPanel() {
    auto* panel = new Panel(tr("Server of a colleague"));
    panel->addTitleLine();
    m_url = new QLineEdit;
    m_url->setPlaceholderText(QStringLiteral("http://192.168.1.20:8420"));
    m_url->setAccessibleName(tr("Address"));
    m_key = new QLineEdit;
    m_key->setEchoMode(QLineEdit::Password);
    m_key->setPlaceholderText(tr("the admin key, or a key for its models"));
    m_key->setAccessibleName(tr("Key"));
    m_keep = new QCheckBox(tr("Keep the key on this machine"));
    m_keep->setAccessibleName(m_keep->text());
    m_keep->setToolTip(tr("In %1, which only you may read").arg(m_servers.file()));
    m_attach = button(tr("Attach"), QStringLiteral("plug"));
    m_attach->setEnabled(false);
    m_forgetServer = smallButton(tr("Forget this server"), QStringLiteral("x"));
    m_forgetServer->setEnabled(false);
    m_error = new ErrorStrip;
    m_known = new TableView(m_serverModel, tr("Servers"), kListRow, {70, 30});
    m_serverStack = new QStackedWidget;
    m_serverStack->setMinimumHeight(scaled(kLeastList));
    m_serverStack->addWidget(m_known);
    m_serverStack->addWidget(new EmptyView(QStringLiteral("plug"), tr("Servers that you attach to are listed here."),
                                           buttonFor(m_actions.get(action::kAttach), tr("Enter an address"))));
    auto* form = new QFormLayout;
    form->setHorizontalSpacing(12);
    form->setVerticalSpacing(8);
    form->addRow(formLabel(tr("Address")), m_url);
    form->addRow(formLabel(tr("Key")), m_key);
    form->addRow(new QWidget, m_keep);
    panel->setContent(
        column({row({LayoutItem(form, 1)}, 0, {12, 12, 12, 0}), row({LayoutItem(m_error, 1)}, 0, {12, 8, 12, 0}),
                row({nullptr, m_attach}, 8, {12, 8, 12, 12}), horizontalLine(), LayoutItem(m_serverStack, 1),
                horizontalLine(), row({m_forgetServer, nullptr}, 8, {8, 4, 8, 4})},
               0));
    connect(m_url, &QLineEdit::textChanged, this, [this] { m_attach->setEnabled(serverUrl(m_url->text()).isValid()); });
    for (QLineEdit* edit : {m_url, m_key}) connect(edit, &QLineEdit::returnPressed, m_attach, &QPushButton::click);
    connect(m_attach, &QPushButton::clicked, this, &ConnectPage::attach);
    connect(m_known->selectionModel(), &QItemSelectionModel::selectionChanged, this, &ConnectPage::takeServer);
    connect(m_forgetServer, &QPushButton::clicked, this, [this] {
        if (auto done = m_servers.forget(chosenServer()); !done)
            m_error->showError(tr("The list of servers was not saved"), done.error());
    });
    return panel;
}

void ConnectPage::fold(Breadth breadth) {
    m_panels->setDirection(breadth == Breadth::Narrow ? QBoxLayout::TopToBottom : QBoxLayout::LeftToRight);
}

void ConnectPage::askForServer(const QUrl& url) {
    if (url.isValid()) m_url->setText(url.toString());
    (url.isValid() ? m_key : m_url)->setFocus(Qt::OtherFocusReason);
}

void ConnectPage::showEvent(QShowEvent* event) {
    Page::showEvent(event);
    showWorkspaces();
}

// Whether an engine runs is read from the folders on another thread: one may lie on a disk that sleeps.
void ConnectPage::showWorkspaces() {
    if (!isVisible()) return;
    const QString open = engine().isForeign() ? QString() : engine().folder();
    QThreadPool::globalInstance()->start(
        [self = QPointer<ConnectPage>(this), open, recent = m_preferences.recentWorkspaces()] {
            const QStringList folders = PreferenceStore::existing(recent);
            std::vector<bool> runs;
            for (const QString& folder : folders) runs.push_back(findDaemon(folder).has_value());
            QMetaObject::invokeMethod(
                qApp,
                [self, open, folders, runs] {
                    if (!self) return;
                    const QString chosen = self->chosenFolder();
                    self->m_folderModel->removeRows(0, self->m_folderModel->rowCount());
                    for (qsizetype i = 0; i < folders.size(); ++i) {
                        const QString& folder = folders[i];
                        const QString state = folder == open         ? tr("Open here")
                                              : runs[std::size_t(i)] ? tr("Runs")
                                                                     : QStringLiteral("–");
                        auto* place = item(QDir::toNativeSeparators(folder), folder, false, Tone::Secondary);
                        place->setData(true, MonoRole);
                        self->m_folderModel->appendRow({item(QDir(folder).dirName(), folder, true), place,
                                                        item(state, folder, false, Tone::Secondary)});
                        if (folder == chosen) self->m_folders->selectRow(int(i));
                    }
                    self->m_folderStack->setCurrentIndex(folders.isEmpty() ? 1 : 0);
                },
                Qt::QueuedConnection);
        });
}

void ConnectPage::showServers() {
    m_serverModel->removeRows(0, m_serverModel->rowCount());
    for (const KnownServer& server : m_servers.servers()) {
        const QString url = server.url.toString();
        m_serverModel->appendRow({item(url, url, true), item(server.key.isEmpty() ? tr("Asked for") : tr("Kept"), url,
                                                             false, Tone::Secondary)});
    }
    m_forgetServer->setEnabled(chosenServer().isValid());
    m_serverStack->setCurrentIndex(m_serverModel->rowCount() == 0 ? 1 : 0);
}

void ConnectPage::showLink() {
    const EngineClient& client = engine();
    m_header->setFacts(client.isAttached() ? tr("Attached to %1").arg(m_workspace.name()) : tr("Not attached"));
    if (!m_wish) return;
    if (!client.isForeign() || client.address().url != m_wish->url) {
        m_wish.reset();  // another workspace or server was chosen meanwhile
        return;
    }
    if (client.isAttached()) {
        m_error->clear();
        const auto kept = m_servers.remember(m_wish->url, m_wish->key);
        m_wish.reset();
        if (!kept) m_error->showError(tr("The server was not kept"), kept.error());
    } else if (client.link() == Link::Refused || client.link() == Link::Lost) {
        if (client.trouble()) m_error->showError(tr("Not attached to %1").arg(m_workspace.name()), *client.trouble());
    }
}

void ConnectPage::takeServer() {
    const QUrl url = chosenServer();
    m_forgetServer->setEnabled(url.isValid());
    if (!url.isValid()) return;
    m_url->setText(url.toString());
    m_key->setText(m_servers.keyOf(url));
    m_keep->setChecked(!m_key->text().isEmpty());
}

void ConnectPage::attach() {
    const QUrl url = serverUrl(m_url->text());
    if (!url.isValid()) return;
    m_error->clear();
    const QString key = m_key->text().trimmed();
    m_wish = KnownServer{url, m_keep->isChecked() ? key : QString()};
    engine().attach(url, key);
}

QString ConnectPage::chosenFolder() const {
    const int row = m_folders->currentRow();
    return row < 0 ? QString() : m_folderModel->index(row, kFolderName).data(IdRole).toString();
}

QUrl ConnectPage::chosenServer() const {
    const int row = m_known->currentRow();
    return row < 0 ? QUrl() : QUrl(m_serverModel->index(row, 0).data(IdRole).toString());
}

}  // namespace espalier::ui
