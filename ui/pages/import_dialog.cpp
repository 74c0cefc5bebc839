// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/import_dialog.h"

#include <QBoxLayout>
#include <QCheckBox>
#include <QDir>
#include <QFileDialog>
#include <QGridLayout>
#include <QLineEdit>
#include <QPainter>
#include <QTimer>

#include "ui/models/format.h"

namespace espalier::ui {
namespace {

constexpr int kProbeDelayMs = 300;  // typing a path asks once it pauses

TextLabel* fieldLabel(const QString& text) {
    auto* label = new TextLabel(text, text_size::kBody, QFont::Normal, Tone::Secondary);
    label->setElide(Qt::ElideNone);
    return label;
}

}  // namespace

ImportDialog::ImportDialog(Workspace& workspace, const QString& path, QWidget* parent)
    : QDialog(parent),
      m_workspace(workspace),
      m_path(new QLineEdit(path)),
      m_name(new QLineEdit),
      m_mode(new SegmentedSwitch({tr("Copy into the workspace"), tr("Link in place")}, tr("Files"))),
      m_allowNonFinite(new QCheckBox(tr("Import even if weights hold NaN or infinity"))),
      m_state(new TextLabel(tr("Choose a folder with config.json and safetensors files"), text_size::kTable,
                            QFont::Normal, Tone::Secondary)),
      m_facts(facts()),
      m_warnings(paragraph({})),
      m_error(new ErrorStrip),
      m_import(button(tr("Import"), QStringLiteral("import"), ButtonRole::Primary)) {
    setWindowTitle(tr("Import model"));
    setFixedWidth(640);
    m_path->setAccessibleName(tr("Folder"));
    m_name->setAccessibleName(tr("Name"));
    m_mode->setCurrent(0);
    m_warnings->hide();
    m_facts->hide();
    m_import->setEnabled(false);
    m_import->setDefault(true);
    auto* choose = button(tr("Browse…"));
    auto* cancel = button(tr("Cancel"));
    auto* form = new QGridLayout;
    form->setColumnMinimumWidth(0, 88);
    form->setHorizontalSpacing(12);
    form->addWidget(fieldLabel(tr("Folder")), 0, 0);
    form->addLayout(row({LayoutItem(m_path, 1), choose}), 0, 1);
    form->addWidget(fieldLabel(tr("Name")), 1, 0);
    form->addWidget(m_name, 1, 1);
    form->addWidget(fieldLabel(tr("Files")), 2, 0);
    form->addLayout(row({m_mode, nullptr}), 2, 1);
    form->addWidget(m_allowNonFinite, 3, 1);
    setLayout(column(
        {form, horizontalLine(), m_state, m_facts, m_warnings, m_error, nullptr, row({nullptr, cancel, m_import})}, 12,
        {16, 16, 16, 16}));

    auto* pause = new QTimer(this);
    pause->setSingleShot(true);
    pause->setInterval(kProbeDelayMs);
    connect(m_path, &QLineEdit::textChanged, pause, qOverload<>(&QTimer::start));
    connect(pause, &QTimer::timeout, this, &ImportDialog::probe);
    connect(choose, &QPushButton::clicked, this, &ImportDialog::browse);
    connect(cancel, &QPushButton::clicked, this, &QDialog::reject);
    connect(m_import, &QPushButton::clicked, this, &ImportDialog::start);
    if (!path.isEmpty()) probe();
}

QWidget* ImportDialog::facts() {
    auto* widget = new QWidget;
    auto* grid = new QGridLayout(widget);
    grid->setContentsMargins({});
    grid->setHorizontalSpacing(24);
    grid->setVerticalSpacing(8);
    const QStringList names{tr("Family"),    tr("Parameters"),    tr("Size"),    tr("Type"),        tr("Context"),
                            tr("Tokenizer"), tr("Chat template"), tr("Licence"), tr("Free on disk")};
    for (int i = 0; i < names.size(); ++i) {
        auto* caption = new TextLabel(names[i], text_size::kCaption, QFont::Normal, Tone::Secondary);
        auto* value = new TextLabel({}, text_size::kBody, QFont::Medium);
        m_values.push_back(value);
        grid->addLayout(column({caption, value}, 0), i / 3, i % 3);
        grid->setColumnStretch(i % 3, 1);
    }
    return widget;
}

void ImportDialog::browse() {
    const QString folder = QFileDialog::getExistingDirectory(this, tr("Choose a model folder"), m_path->text());
    if (!folder.isEmpty()) m_path->setText(folder);
}

void ImportDialog::probe() {
    const int number = ++m_probeNumber;
    m_import->setEnabled(false);
    m_error->clear();
    const QString path = m_path->text().trimmed();
    if (path.isEmpty()) return;
    m_state->setText(tr("Reading %1").arg(path));
    m_workspace.engine().probe(path, this, [this, number](Result<ImportProbe> answer) {
        if (number != m_probeNumber) return;  // the path has changed since
        if (!answer) {
            m_facts->hide();
            m_warnings->hide();
            m_state->setText(tr("This cannot be imported"));
            m_error->showError(tr("The folder was not understood"), answer.error());
            adjustSize();
            return;
        }
        show(*answer);
    });
}

void ImportDialog::show(const ImportProbe& probe) {
    const bool fits = probe.bytes <= probe.freeBytes || m_mode->current() == 1;
    m_state->setText(fits ? tr("%1 can be imported").arg(text(probe.architecture))
                          : tr("There is not enough room to copy it; link it in place"));
    const QString none = QStringLiteral("–");
    const QStringList values{text(probe.family),
                             formatShort(double(probe.parameters)),
                             formatBytes(probe.bytes),
                             text(probe.dtype),
                             formatCount(probe.context),
                             probe.tokenizer.empty() ? tr("none, ids only") : text(probe.tokenizer),
                             probe.hasChatTemplate ? tr("yes") : tr("no"),
                             probe.licence.empty() ? none : text(probe.licence),
                             formatBytes(probe.freeBytes)};
    for (std::size_t i = 0; i < m_values.size(); ++i) m_values[i]->setText(values[qsizetype(i)]);
    m_facts->show();
    QStringList warnings;
    for (const std::string& warning : probe.warnings) warnings << text(warning);
    m_warnings->setText(warnings.join(QLatin1Char('\n')));
    m_warnings->setVisible(!warnings.isEmpty());
    if (m_name->text().isEmpty()) m_name->setText(text(probe.suggestedName));
    m_import->setEnabled(true);
    m_import->setFocus();
    adjustSize();
}

void ImportDialog::start() {
    ImportRequest request;
    request.path = m_path->text().trimmed().toStdString();
    request.name = m_name->text().trimmed().toStdString();
    request.link = m_mode->current() == 1;
    request.allowNonFinite = m_allowNonFinite->isChecked();
    m_import->setEnabled(false);
    m_workspace.engine().startImport(request, this, [this](Result<qint64> job) {
        if (!job) {
            m_import->setEnabled(true);
            m_error->showError(tr("The import did not start"), job.error());
            adjustSize();
            return;
        }
        emit started(*job);
        accept();
    });
}

}  // namespace espalier::ui
