// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/import_dialog.h"

#include <QBoxLayout>
#include <QCheckBox>
#include <QDropEvent>
#include <QFileDialog>
#include <QFileInfo>
#include <QGridLayout>
#include <QLineEdit>
#include <QMimeData>
#include <QTimer>
#include <array>

#include "ui/models/format.h"
#include "ui/shell/drop_overlay.h"
#include "ui/widgets/table_view.h"

namespace espalier::ui {
namespace {

constexpr int kProbeDelayMs = 300;  // typing a path asks once it pauses
constexpr int kImportWidth = 640;
constexpr int kMappingHeight = 196;
constexpr int kAround = 32;  // between the dialog and the edges of the window behind it
constexpr int kMostWarnings = 6;
constexpr int kLink = 1;       // of the switch for the files
constexpr int kAsTheyAre = 0;  // of the switch for the weights
constexpr std::array kQuantizations{"", "q8_0", "q4_0"};

QString templateText(const ImportProbe& probe) {
    if (!probe.hasChatTemplate) return ImportDialog::tr("none");
    return probe.chatFormat.empty() ? ImportDialog::tr("yes") : text(probe.chatFormat);
}

QString warningsText(const std::vector<std::string>& warnings) {
    QStringList lines;
    for (const std::string& warning : warnings) {
        if (lines.size() == kMostWarnings) break;
        lines << text(warning).left(400);
    }
    const auto more = qint64(warnings.size()) - lines.size();
    if (more > 0) lines << ImportDialog::tr("and %1 more").arg(more);
    return lines.join(QLatin1Char('\n'));
}

}  // namespace

QString importPathOf(const QString& path) {
    // By name alone: the disk belongs to the daemon, and looking at it here could hold up the window.
    const QString name = path.section(QLatin1Char('/'), -1);
    const bool isPart = name.endsWith(QLatin1String(".safetensors")) || name.endsWith(QLatin1String(".json"));
    const qsizetype slash = path.lastIndexOf(QLatin1Char('/'));
    return isPart && slash > 0 ? path.left(slash) : path;
}

ImportDialog::ImportDialog(Workspace& workspace, const QString& path, QWidget* parent)
    : QDialog(parent),
      m_workspace(workspace),
      m_path(new QLineEdit(importPathOf(path))),
      m_name(new QLineEdit),
      m_mode(
          new SegmentedSwitch({tr("Copy into the workspace"), tr("Link in place")}, tr("Files"), ControlSize::Normal)),
      m_precision(new SegmentedSwitch({tr("As they are"), QStringLiteral("Q8_0"), QStringLiteral("Q4_0")},
                                      tr("Weights"), ControlSize::Normal)),
      m_allowNonFinite(new QCheckBox(tr("Import even if weights hold NaN or infinity"))),
      m_state(new TextLabel(tr("Choose a folder with config.json and weights, or a model file"), text_size::kTable,
                            QFont::Normal, Tone::Secondary)),
      m_facts(facts()),
      m_mapping(mapping()),
      m_warnings(paragraph({})),
      m_error(new ErrorStrip),
      m_import(button(tr("Import"), QStringLiteral("import"), ButtonRole::Primary)) {
    setWindowTitle(tr("Import model"));
    setFixedWidth(qMin(scaled(kImportWidth), parent ? parent->width() - kAround : scaled(kImportWidth)));
    m_path->setAccessibleName(tr("Folder or file"));
    m_name->setAccessibleName(tr("Name"));
    m_mode->setCurrent(0);
    m_precision->setCurrent(0);
    m_precision->setToolTip(tr("Q8_0 and Q4_0 store linear weights in blocks of 8 or 4 bits: smaller, less exact"));
    m_warnings->setAccessibleName(tr("Warnings"));
    for (QWidget* later : std::initializer_list<QWidget*>{m_warnings, m_facts, m_mapping}) later->hide();
    m_import->setEnabled(false);
    m_import->setDefault(true);
    auto* cancel = button(tr("Cancel"));
    setLayout(column({form(), horizontalLine(), m_state, m_facts, m_warnings, m_mapping, m_error, nullptr,
                      row({nullptr, cancel, m_import})},
                     12, {16, 16, 16, 16}));

    auto* pause = new QTimer(this);
    pause->setSingleShot(true);
    pause->setInterval(kProbeDelayMs);
    connect(m_path, &QLineEdit::textChanged, this, [this, pause] {
        m_isKnown = false;
        m_import->setEnabled(false);
        pause->start();
    });
    connect(pause, &QTimer::timeout, this, &ImportDialog::probe);
    connect(m_mode, &SegmentedSwitch::chosen, this, [this](int mode) {
        // A linked model is used as it is.
        if (mode == kLink) m_precision->setCurrent(kAsTheyAre);
        m_precision->setEnabled(mode != kLink);
        showFit();
    });
    connect(cancel, &QPushButton::clicked, this, &QDialog::reject);
    connect(m_import, &QPushButton::clicked, this, &ImportDialog::start);
    // A server that comes back is asked again: what was typed is still here.
    connect(&workspace.engine(), &EngineClient::attached, this, [this] {
        if (!m_isKnown) probe();
    });
    m_drop = new DropOverlay(this);
    setAcceptDrops(true);
    for (QWidget* taker : std::initializer_list<QWidget*>{this, m_path, m_name}) taker->installEventFilter(this);
    if (!path.isEmpty()) probe();
}

QLayout* ImportDialog::form() {
    auto* folder = button(tr("Folder…"));
    auto* file = button(tr("File…"));
    connect(folder, &QPushButton::clicked, this, &ImportDialog::browseFolder);
    connect(file, &QPushButton::clicked, this, &ImportDialog::browseFile);
    auto* form = new QGridLayout;
    form->setColumnMinimumWidth(0, scaled(88));
    form->setHorizontalSpacing(12);
    form->addWidget(fieldLabel(tr("Folder or file"), text_size::kBody), 0, 0);
    form->addLayout(row({LayoutItem(m_path, 1), folder, file}), 0, 1);
    form->addWidget(fieldLabel(tr("Name"), text_size::kBody), 1, 0);
    form->addWidget(m_name, 1, 1);
    form->addWidget(fieldLabel(tr("Files"), text_size::kBody), 2, 0);
    form->addLayout(row({m_mode, nullptr}), 2, 1);
    form->addWidget(fieldLabel(tr("Weights"), text_size::kBody), 3, 0);
    form->addLayout(row({m_precision, nullptr}), 3, 1);
    form->addWidget(m_allowNonFinite, 4, 1);
    return form;
}

QWidget* ImportDialog::facts() {
    auto* widget = new QWidget;
    auto* grid = new QGridLayout(widget);
    grid->setContentsMargins({});
    grid->setHorizontalSpacing(24);
    grid->setVerticalSpacing(8);
    const QStringList names{tr("Family"), tr("Parameters"), tr("Size"),          tr("Type"),    tr("Context"),
                            tr("Layers"), tr("Tokenizer"),  tr("Chat template"), tr("Licence"), tr("Free on disk")};
    for (int i = 0; i < names.size(); ++i) {
        auto* caption = new TextLabel(names[i], text_size::kCaption, QFont::Normal, Tone::Secondary);
        auto* value = new TextLabel({}, text_size::kBody, QFont::Medium);
        m_values.push_back(value);
        grid->addLayout(column({caption, value}, 0), i / 4, i % 4);
        grid->setColumnStretch(i % 4, 1);
    }
    return widget;
}

QWidget* ImportDialog::mapping() {
    m_fold = button({}, QStringLiteral("chevron-right"), ButtonRole::Plain, ControlSize::Small);
    m_table = new TableView(&m_tensors, tr("Tensors found"), kLiveRow, {36, 26, 17, 10, 13});
    m_table->setFixedHeight(scaled(kMappingHeight));
    m_table->hide();
    connect(m_fold, &QPushButton::clicked, this, [this] { showMapping(m_table->isHidden()); });
    auto* widget = new QWidget;
    widget->setLayout(column({row({m_fold, nullptr}), m_table}, 4));
    return widget;
}

void ImportDialog::showMapping(bool shown) {
    m_table->setVisible(shown);
    m_fold->setIcon(icon(shown ? QStringLiteral("chevron-down") : QStringLiteral("chevron-right")));
    fitHeight();
}

// As high as what is shown needs, and never higher than the window behind it.
void ImportDialog::fitHeight() {
    layout()->activate();
    adjustSize();
    if (const QWidget* behind = parentWidget()) resize(width(), qMin(height(), behind->window()->height() - kAround));
}

void ImportDialog::browseFolder() {
    auto* dialog = new QFileDialog(this, tr("Choose a model folder"), m_path->text());
    dialog->setFileMode(QFileDialog::Directory);
    dialog->setOption(QFileDialog::ShowDirsOnly);
    choose(dialog);
}

void ImportDialog::browseFile() {
    choose(new QFileDialog(this, tr("Choose a model file"), m_path->text(),
                           tr("Models (*.gguf *.safetensors config.json);;All files (*)")));
}

void ImportDialog::choose(QFileDialog* dialog) {
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    connect(dialog, &QFileDialog::fileSelected, this,
            [this](const QString& path) { m_path->setText(importPathOf(path)); });
    dialog->open();
}

// A model dropped on the dialog is the one to import; the field under the pointer would take its address as text.
bool ImportDialog::eventFilter(QObject* watched, QEvent* event) {
    const bool isDrag = event->type() == QEvent::DragEnter || event->type() == QEvent::DragMove;
    if (event->type() == QEvent::DragLeave) m_drop->hide();
    if (!isDrag && event->type() != QEvent::Drop) return QDialog::eventFilter(watched, event);
    auto* drop = static_cast<QDropEvent*>(event);
    const QList<QUrl> urls = drop->mimeData()->urls();
    const QString path = urls.isEmpty() ? QString() : importPathOf(urls.first().toLocalFile());
    if (path.isEmpty()) return QDialog::eventFilter(watched, event);
    drop->acceptProposedAction();
    if (isDrag) {
        m_drop->cover(tr("Drop to import %1").arg(QFileInfo(path).fileName()));
    } else {
        m_drop->hide();
        m_path->setText(path);
    }
    return true;
}

void ImportDialog::probe() {
    const int number = ++m_probeNumber;
    m_isKnown = false;
    m_import->setEnabled(false);
    m_error->clear();
    const QString path = m_path->text().trimmed();
    if (path.isEmpty()) return;
    m_state->setText(tr("Reading %1").arg(path));
    m_workspace.engine().probe(path, this, [this, number](Result<ImportProbe> answer) {
        if (number != m_probeNumber) return;  // the path has changed since
        if (answer) {
            show(*answer);
            return;
        }
        for (QWidget* unknown : std::initializer_list<QWidget*>{m_warnings, m_facts, m_mapping}) unknown->hide();
        m_state->setText(tr("This cannot be imported"));
        const ErrorCode code = answer.error().code;
        const bool isMissing = code == ErrorCode::NotFound || code == ErrorCode::IoError;
        m_error->showError(
            isMissing ? tr("There is no model to read there") : tr("The model was not understood"), answer.error(),
            isMissing ? tr("Check the path: a folder with config.json and weights, or a model file.") : QString());
        fitHeight();
    });
}

void ImportDialog::show(const ImportProbe& probe) {
    const QStringList values{text(probe.family),
                             formatShort(double(probe.parameters)),
                             formatBytes(probe.bytes),
                             text(probe.dtype),
                             formatCount(probe.context),
                             probe.layers > 0 ? formatCount(probe.layers) : QStringLiteral("–"),
                             probe.tokenizer.empty() ? tr("none, ids only") : text(probe.tokenizer),
                             templateText(probe),
                             probe.licence.empty() ? tr("none named") : text(probe.licence),
                             formatBytes(probe.freeBytes)};
    for (std::size_t i = 0; i < m_values.size(); ++i) m_values[i]->setText(values[qsizetype(i)]);
    m_facts->show();
    m_warnings->setText(warningsText(probe.warnings));
    m_warnings->setVisible(!probe.warnings.empty());
    m_tensors.setTensors(probe.tensors);
    const int unused = m_tensors.unusedCount();
    m_fold->setText(unused > 0 ? tr("%1 tensors, %2 not used").arg(m_tensors.rowCount()).arg(unused)
                               : counted(m_tensors.rowCount(), tr("%1 tensor"), tr("%1 tensors, each with a role")));
    m_fold->setAccessibleName(tr("Tensors and their roles"));
    m_mapping->setVisible(m_tensors.rowCount() > 0);
    // A name somebody typed stays; one that an earlier probe proposed follows the path.
    if (m_name->text().isEmpty() || m_name->text() == m_suggested) m_name->setText(text(probe.suggestedName));
    m_suggested = text(probe.suggestedName);
    m_bytes = probe.bytes;
    m_freeBytes = probe.freeBytes;
    m_architecture = text(probe.architecture);
    m_isKnown = true;
    showFit();
    if (m_import->isEnabled() && !m_name->hasFocus()) m_import->setFocus();
    fitHeight();
}

void ImportDialog::showFit() {
    if (!m_isKnown) return;
    const bool fits = m_bytes <= m_freeBytes || m_mode->current() == kLink;
    m_state->setTone(fits ? Tone::Secondary : Tone::Warn);
    m_state->setText(fits ? tr("%1 can be imported").arg(m_architecture)
                          : tr("A copy needs %1, %2 are free: make room, or link the files in place")
                                .arg(formatBytes(m_bytes), formatBytes(m_freeBytes)));
    m_import->setEnabled(fits);
}

void ImportDialog::start() {
    ImportRequest request;
    request.path = m_path->text().trimmed().toStdString();
    request.name = m_name->text().trimmed().toStdString();
    request.link = m_mode->current() == kLink;
    request.quantize = kQuantizations[std::size_t(m_precision->current())];
    request.allowNonFinite = m_allowNonFinite->isChecked();
    m_import->setEnabled(false);
    m_error->clear();
    m_workspace.engine().startImport(request, this, [this](Result<qint64> job) {
        if (!job) {
            m_import->setEnabled(true);
            m_error->showError(tr("The import did not start"), job.error());
            fitHeight();
            return;
        }
        emit started(*job);
        accept();
    });
}

}  // namespace espalier::ui
