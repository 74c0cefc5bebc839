// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/docks.h"

#include <QApplication>
#include <QBoxLayout>
#include <QClipboard>
#include <QComboBox>
#include <QFileDialog>
#include <QGuiApplication>
#include <QLineEdit>
#include <QPainter>
#include <QPointer>
#include <QRegularExpression>
#include <QSaveFile>
#include <QScrollBar>
#include <QSortFilterProxyModel>
#include <QStackedWidget>
#include <QSysInfo>
#include <QThreadPool>

#include "ui/models/format.h"
#include "ui/shell/actions.h"
#include "ui/widgets/table_view.h"

namespace espalier::ui {
namespace {

class DockGround : public QWidget {
protected:
    void paintEvent(QPaintEvent*) override {
        const ThemeColors& c = colorsOf(palette());
        QPainter painter(this);
        painter.fillRect(rect(), QColor(c.base));
        painter.fillRect(QRect(0, 0, width(), 1), QColor(c.line));
    }
    QSize sizeHint() const override { return QSize(400, scaled(kDockHeight)); }
};

void setUpDock(QDockWidget* dock, const QString& id, const QString& name, QLayout* content) {
    dock->setObjectName(id);
    dock->setWindowTitle(name);
    dock->setAllowedAreas(Qt::BottomDockWidgetArea);
    dock->setFeatures(QDockWidget::DockWidgetClosable);
    dock->setTitleBarWidget(new QWidget);
    auto* ground = new DockGround;
    ground->setLayout(content);
    dock->setWidget(ground);
    dock->setAccessibleName(name);
}

QToolButton* closeButton(QDockWidget* dock) {
    auto* close = toolButton(QStringLiteral("x"), QDockWidget::tr("Close"));
    QObject::connect(close, &QToolButton::clicked, dock, &QWidget::hide);
    return close;
}

enum JobFilter { kAllJobs, kActiveJobs, kWaitingJobs, kFailedJobs };

bool isShown(const JobRecord& job, int filter) {
    switch (filter) {
        case kActiveJobs:
            return job.state == JobState::Running || job.state == JobState::Queued;
        case kWaitingJobs:
            return job.state == JobState::Paused || job.state == JobState::Interrupted;
        case kFailedJobs:
            return job.state == JobState::Failed;
        default:
            return true;
    }
}

class JobsFilter : public QSortFilterProxyModel {
public:
    JobsFilter(JobTable& jobs, QObject* parent) : QSortFilterProxyModel(parent), m_jobs(jobs) { setSourceModel(&jobs); }
    void setShown(int filter) {
        m_shown = filter;
        invalidateFilter();
    }

protected:
    bool filterAcceptsRow(int row, const QModelIndex&) const override {
        return isShown(m_jobs.jobs()[std::size_t(row)], m_shown);
    }

private:
    JobTable& m_jobs;
    int m_shown = kAllJobs;
};

class LogFilter : public QSortFilterProxyModel {
public:
    using QSortFilterProxyModel::QSortFilterProxyModel;
    void setLeast(int level) {
        m_least = level;
        invalidateFilter();
    }

protected:
    bool filterAcceptsRow(int row, const QModelIndex& parent) const override {
        return sourceModel()->index(row, LogTable::Level, parent).data(SortRole).toInt() >= m_least &&
               QSortFilterProxyModel::filterAcceptsRow(row, parent);
    }

private:
    int m_least = 1;
};

}  // namespace

JobsDock::JobsDock(Workspace& workspace, Actions& actions, QWidget* parent)
    : QDockWidget(parent),
      m_workspace(workspace),
      m_filtered(new JobsFilter(workspace.jobs(), this)),
      m_table(new TableView(m_filtered, tr("Jobs"), kShortRow, {24, 10, 14, 22, 12, 12})),
      m_stack(new QStackedWidget),
      m_cancel(button(tr("Cancel"), {}, ButtonRole::Plain, ControlSize::Small)),
      m_pause(button(tr("Pause"), QStringLiteral("pause"), ButtonRole::Plain, ControlSize::Small)),
      m_resume(button(tr("Resume"), QStringLiteral("play"), ButtonRole::Plain, ControlSize::Small)),
      m_discard(button(tr("Discard"), {}, ButtonRole::Plain, ControlSize::Small)),
      m_copy(button(tr("Copy command"), QStringLiteral("copy"), ButtonRole::Plain, ControlSize::Small)),
      m_error(new ErrorStrip) {
    auto* title = new TextLabel(tr("Jobs"), text_size::kTable, QFont::DemiBold);
    title->setElide(Qt::ElideNone);
    auto* promise = new TextLabel(tr("They run in the engine: closing this window stops none of them"),
                                  text_size::kTable, QFont::Normal, Tone::Secondary);
    auto* shown = new QComboBox;
    shown->addItems({tr("All jobs"), tr("Running or queued"), tr("Paused or interrupted"), tr("Failed")});
    shown->setAccessibleName(tr("Jobs shown"));
    shown->setObjectName(QStringLiteral("jobs-shown"));
    setControlSize(shown, ControlSize::Small);
    connect(shown, &QComboBox::currentIndexChanged, this, [this](int filter) {
        static_cast<JobsFilter*>(m_filtered)->setShown(filter);
        showList();
    });
    auto* bar =
        row({title, LayoutItem(promise, 1), shown, m_copy, m_pause, m_resume, m_cancel, m_discard, closeButton(this)},
            8, {12, 4, 8, 4});
    setUpDock(this, QStringLiteral("jobs-dock"), tr("Jobs"),
              column({bar, row({LayoutItem(m_error, 1)}, 0, {8, 0, 8, 0}), LayoutItem(m_stack, 1)}, 0));
    auto* all = button(tr("Show all jobs"));
    connect(all, &QPushButton::clicked, this, [shown] { shown->setCurrentIndex(kAllJobs); });
    m_stack->addWidget(m_table);
    m_stack->addWidget(new EmptyView(QStringLiteral("list-checks"), tr("No jobs yet: an import is the first."),
                                     buttonFor(actions.get(action::kImport), tr("Import model"))));
    m_stack->addWidget(new EmptyView(QStringLiteral("list-checks"), tr("No job is in this state."), all));
    connect(m_cancel, &QPushButton::clicked, this, [this] { act(QStringLiteral("job-cancel")); });
    connect(m_pause, &QPushButton::clicked, this, [this] { act(QStringLiteral("job-pause")); });
    connect(m_resume, &QPushButton::clicked, this, [this] { act(QStringLiteral("job-resume")); });
    connect(m_discard, &QPushButton::clicked, this, [this] {
        const JobRecord* job = current();
        if (!job) return;
        m_error->clear();
        m_workspace.discardJob(
            job->id, this, [this](const Error& error) { m_error->showError(tr("The job was not discarded"), error); });
    });
    connect(m_copy, &QPushButton::clicked, this, [this] {
        if (const JobRecord* job = current()) QGuiApplication::clipboard()->setText(text(job->command));
    });
    connect(m_table->selectionModel(), &QItemSelectionModel::selectionChanged, this, &JobsDock::showCurrent);
    connect(&workspace, &Workspace::jobsChanged, this, &JobsDock::showList);
    showList();
}

void JobsDock::showList() {
    const bool isEmpty = m_workspace.jobs().rowCount() == 0;
    m_stack->setCurrentIndex(isEmpty ? 1 : m_filtered->rowCount() == 0 ? 2 : 0);
    showCurrent();
}

const JobRecord* JobsDock::current() const {
    const int row = m_table->currentRow();
    if (row < 0) return nullptr;
    return &m_workspace.jobs().jobs()[std::size_t(m_filtered->mapToSource(m_filtered->index(row, 0)).row())];
}

void JobsDock::showCurrent() {
    const JobRecord* job = current();
    const JobControls can = job ? controlsOf(*job) : JobControls();
    m_cancel->setEnabled(can.cancel);
    m_pause->setEnabled(can.pause);
    m_resume->setEnabled(can.resume);
    m_discard->setEnabled(can.discard);
    m_copy->setEnabled(job && !job->command.empty());
    // What is said belongs to the job it was said of.
    const std::pair shown{job ? qint64(job->id) : -1, job && job->error};
    if (shown == m_errorOf) return;
    m_errorOf = shown;
    if (job && job->error)
        m_error->showError(tr("%1 failed").arg(titleOf(*job)), *job->error);
    else
        m_error->clear();
}

void JobsDock::act(const QString& operation) {
    const JobRecord* job = current();
    if (!job) return;
    m_error->clear();
    m_workspace.engine().call(operation, {{"id", job->id}}, this, [this](const Result<Json>& answer) {
        if (!answer) m_error->showError(tr("The job did not take this"), answer.error());
    });
}

LogDock::LogDock(Workspace& workspace, QWidget* parent)
    : QDockWidget(parent),
      m_workspace(workspace),
      m_filtered(new LogFilter(this)),
      m_level(new QComboBox),
      m_stack(new QStackedWidget),
      m_error(new ErrorStrip) {
    m_filtered->setSourceModel(&workspace.log());
    m_filtered->setFilterKeyColumn(LogTable::Message);
    m_filtered->setFilterCaseSensitivity(Qt::CaseInsensitive);
    m_table = new TableView(m_filtered, tr("Log"), kLiveRow, {9, 9, 9, 73});
    m_level->addItems({tr("Everything"), tr("Info"), tr("Warnings"), tr("Errors")});
    m_level->setCurrentIndex(1);
    m_level->setAccessibleName(tr("Least level shown"));
    m_level->setObjectName(QStringLiteral("log-level"));
    setControlSize(m_level, ControlSize::Small);
    auto* search = new QLineEdit;
    search->setPlaceholderText(tr("Search"));
    search->setAccessibleName(tr("Search the log"));
    search->setFixedWidth(scaled(200));
    setControlSize(search, ControlSize::Small);
    auto* copy = button(tr("Copy diagnostics"), QStringLiteral("copy"), ButtonRole::Plain, ControlSize::Small);
    auto* save = button(tr("Save…"), QStringLiteral("download"), ButtonRole::Plain, ControlSize::Small);
    auto* title = new TextLabel(tr("Log"), text_size::kTable, QFont::DemiBold);
    setUpDock(this, QStringLiteral("log-dock"), tr("Log"),
              column({row({title, nullptr, m_level, search, copy, save, closeButton(this)}, 8, {12, 4, 8, 4}),
                      row({LayoutItem(m_error, 1)}, 0, {8, 0, 8, 0}), LayoutItem(m_stack, 1)},
                     0));
    auto* all = button(tr("Show everything"));
    connect(all, &QPushButton::clicked, this, [this, search] {
        search->clear();
        m_level->setCurrentIndex(0);
    });
    m_stack->addWidget(m_table);
    m_stack->addWidget(new EmptyView(QStringLiteral("scroll-text"), tr("The log has no such line."), all));
    connect(save, &QPushButton::clicked, this, &LogDock::askWhereToSave);
    connect(m_level, &QComboBox::currentIndexChanged, this, [this](int index) {
        static_cast<LogFilter*>(m_filtered)->setLeast(index);
        showList();
    });
    connect(search, &QLineEdit::textChanged, m_filtered, &QSortFilterProxyModel::setFilterFixedString);
    connect(search, &QLineEdit::textChanged, this, &LogDock::showList);
    connect(&workspace, &Workspace::logChanged, this, &LogDock::showList);
    showList();
    connect(copy, &QPushButton::clicked, this, &LogDock::copyAll);
    const auto goToNewest = [this] {
        QMetaObject::invokeMethod(m_table, &QTableView::scrollToBottom, Qt::QueuedConnection);
    };
    connect(this, &QDockWidget::visibilityChanged, this, [goToNewest](bool isVisible) {
        if (isVisible) goToNewest();
    });
    connect(m_filtered, &QAbstractItemModel::modelReset, this, goToNewest);
    connect(m_filtered, &QAbstractItemModel::rowsInserted, this, [this, goToNewest] {
        const QScrollBar* bar = m_table->verticalScrollBar();
        if (bar->value() >= bar->maximum() - 2 * scaled(kLiveRow)) goToNewest();
    });
}

void LogDock::showList() {
    m_stack->setCurrentIndex(m_filtered->rowCount() == 0 ? 1 : 0);
}

QString LogDock::diagnostics() const {
    QString out = QStringLiteral("Espalier " ESPALIER_VERSION ", Qt %1, %2\n")
                      .arg(QString::fromLatin1(qVersion()), QSysInfo::prettyProductName());
    if (const Snapshot* s = m_workspace.snapshot())
        out += QStringLiteral("%1, %2, %3\n").arg(text(s->device), text(s->computeMode), formatBytes(s->residentBytes));
    for (const LogRecord& record : m_workspace.log().records())
        out += QStringLiteral("%1 %2 %3 %4\n")
                   .arg(formatClock(record.at), text(record.level), text(record.source), text(record.text));
    return withoutSecrets(out);
}

void LogDock::copyAll() const {
    QGuiApplication::clipboard()->setText(diagnostics());
}

void LogDock::askWhereToSave() {
    auto* dialog = new QFileDialog(this, tr("Save the log"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setAcceptMode(QFileDialog::AcceptSave);
    dialog->setDefaultSuffix(QStringLiteral("txt"));
    dialog->selectFile(QStringLiteral("espalier-log.txt"));
    connect(dialog, &QFileDialog::fileSelected, this, &LogDock::save);
    dialog->open();
}

// A log of 5,000 lines is a megabyte at most; the disk may still be slow, so another thread writes it.
void LogDock::save(const QString& path) {
    QThreadPool::globalInstance()->start([self = QPointer<LogDock>(this), path, bytes = diagnostics().toUtf8()] {
        QSaveFile out(path);
        if (out.open(QIODevice::WriteOnly) && out.write(bytes) == bytes.size() && out.commit()) return;
        const Error error = fail(ErrorCode::IoError, out.errorString().toStdString(), path.toStdString());
        QMetaObject::invokeMethod(
            qApp,
            [self, path, error] {
                if (!self) return;
                self->m_error->showError(tr("%1 was not written").arg(path), error);
                self->show();
            },
            Qt::QueuedConnection);
    });
}

QString withoutSecrets(const QString& text) {
    static const QRegularExpression key(QStringLiteral("\\besp_[A-Za-z0-9_-]{4,}"));
    static const QRegularExpression bearer(QStringLiteral("(Bearer\\s+)\\S+"),
                                           QRegularExpression::CaseInsensitiveOption);
    QString out = text;
    out.replace(bearer, QStringLiteral("\\1[removed]"));
    return out.replace(key, QStringLiteral("esp_[removed]"));
}

}  // namespace espalier::ui
