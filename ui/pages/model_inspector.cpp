// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/model_inspector.h"

#include <QBoxLayout>
#include <QPlainTextEdit>
#include <QSortFilterProxyModel>
#include <QStackedLayout>
#include <QStackedWidget>
#include <QTabBar>

#include "ui/models/format.h"
#include "ui/pages/adapters_panel.h"
#include "ui/pages/origin_view.h"
#include "ui/widgets/markdown_view.h"
#include "ui/widgets/name_edit.h"
#include "ui/widgets/table_view.h"

namespace espalier::ui {
namespace {

QString headsText(const ArchSpec& spec) {
    if (spec.layers.empty()) return QStringLiteral("–");
    const LayerSpec& layer = spec.layers.front();
    return layer.heads == layer.kvHeads ? formatCount(layer.heads)
                                        : QStringLiteral("%1 / %2").arg(layer.heads).arg(layer.kvHeads);
}

}  // namespace

ModelInspector::ModelInspector(Workspace& workspace, Actions& actions)
    : m_workspace(workspace), m_actions(actions), m_error(new ErrorStrip) {
    m_tabs = new QTabBar;
    m_tabs->setDrawBase(false);
    m_tabs->setExpanding(false);
    m_tabs->setAccessibleName(tr("Parts of the model"));
    m_config = monoView(tr("Configuration"));
    m_config->setFrameShape(QFrame::NoFrame);
    m_config->document()->setDocumentMargin(10);
    m_notes = new OriginView;
    m_tabStack = new QStackedWidget;
    addTab(tr("Tensors"), tensorsTab());
    addTab(tr("Layers"), layersTab());
    m_adapters = new AdaptersPanel(workspace);
    addTab(tr("Adapters"), m_adapters);
    addTab(tr("Config"), m_config);
    addTab(tr("Card"), cardTab());
    addTab(tr("Origin"), m_notes);
    connect(m_tabs, &QTabBar::currentChanged, this, [this](int index) {
        m_tabStack->setCurrentIndex(index);
        readCard();
    });

    auto* buttons =
        row({buttonFor(actions.get(action::kLoad), tr("Load")), buttonFor(actions.get(action::kVerify), tr("Verify")),
             nullptr, buttonFor(actions.get(action::kRemove), tr("Remove"))},
            8, {11, 8, 11, 8});
    auto* full = new QWidget;
    full->setLayout(
        column({titleRow(), figureRow(), row({LayoutItem(m_tabs, 1)}, 0, {7, 8, 7, 0}), horizontalLine(),
                row({LayoutItem(m_error, 1)}, 0, {8, 0, 8, 0}), LayoutItem(m_tabStack, 1), horizontalLine(), buttons},
               0));
    auto* holder = new QWidget;
    m_stack = new QStackedLayout(holder);
    m_stack->addWidget(full);
    auto* begin = buttonFor(m_actions.get(action::kImport), tr("Import model"));
    m_stack->addWidget(
        new EmptyView(QStringLiteral("box"), tr("Choose a model to see its layers and tensors."), begin));
    setContent(holder);
    setAccessibleName(tr("Model"));
    show(nullptr);
}

void ModelInspector::addTab(const QString& name, QWidget* content) {
    m_tabStack->addWidget(content);
    m_tabs->addTab(name);
}

void ModelInspector::lendTab(const QString& name, QWidget* content) {
    if (m_tabStack->indexOf(content) < 0) addTab(name, content);
}

void ModelInspector::returnTab(QWidget* content) {
    const int index = m_tabStack->indexOf(content);
    if (index < 0) return;
    if (m_tabs->currentIndex() == index) m_tabs->setCurrentIndex(0);
    m_tabStack->removeWidget(content);
    m_tabs->removeTab(index);
    m_tabStack->setCurrentIndex(m_tabs->currentIndex());
}

QLayout* ModelInspector::figureRow() {
    auto* figures = new QHBoxLayout;
    figures->setContentsMargins(11, 8, 11, 0);
    for (const QString& name : {tr("Layers"), tr("Hidden"), tr("Heads"), tr("Head"), tr("MLP"), tr("Context")}) {
        auto* figure = new Figure(name, text_size::kBody);
        m_figures.push_back(figure);
        figures->addWidget(figure);
        if (m_figures.size() < 6) figures->addStretch(1);
    }
    return figures;
}

QWidget* ModelInspector::titleRow() {
    m_name = new TextLabel({}, text_size::kTitle, QFont::DemiBold);
    auto* rename = new NameEdit;
    connect(rename, &NameEdit::dropped, this, [this] { m_titleStack->setCurrentIndex(0); });
    m_rename = rename;
    m_rename->setAccessibleName(tr("New name"));
    connect(m_rename, &QLineEdit::returnPressed, this, &ModelInspector::commitRename);
    m_badge = new Badge;
    m_origin = fieldLabel({});
    m_source = new TextLabel({}, text_size::kTable, QFont::Normal, Tone::Secondary);
    m_source->setMono();
    m_source->setElide(Qt::ElideMiddle);
    auto* pencil = toolButton(QStringLiteral("pencil"), tr("Rename"));
    connect(pencil, &QToolButton::clicked, m_actions.get(action::kRename), &QAction::trigger);
    auto* shown = new QWidget;
    shown->setLayout(row({m_name, m_badge, nullptr}, 8));
    auto* names = new QWidget;
    names->setFixedHeight(scaled(28));
    m_titleStack = new QStackedLayout(names);
    m_titleStack->addWidget(shown);
    m_titleStack->addWidget(m_rename);
    auto* widget = new QWidget;
    widget->setLayout(column({row({LayoutItem(names, 1), pencil}, 8), row({m_origin, LayoutItem(m_source, 1)}, 4)}, 2,
                             {11, 8, 11, 0}));
    return widget;
}

QWidget* ModelInspector::tensorsTab() {
    m_filtered = new QSortFilterProxyModel(this);
    m_filtered->setSourceModel(&m_tensors);
    m_filtered->setRecursiveFilteringEnabled(true);
    m_filtered->setFilterKeyColumn(-1);
    m_filtered->setFilterCaseSensitivity(Qt::CaseInsensitive);
    m_tree = new TreeView(m_filtered, tr("Tensors"), {35, 25, 13, 15, 14});
    m_finite = new Badge;
    m_finite->hide();
    m_scan = buttonFor(m_actions.get(action::kScan), tr("Scan"), ButtonRole::Plain, ControlSize::Small);
    auto* filter = new QLineEdit;
    filter->setPlaceholderText(tr("Name or shape"));
    filter->setAccessibleName(tr("Filter tensors by name or shape"));
    filter->addAction(icon(QStringLiteral("search"), Tone::Secondary), QLineEdit::LeadingPosition);
    setControlSize(filter, ControlSize::Small);
    filter->setMaximumWidth(scaled(200));
    connect(filter, &QLineEdit::textChanged, this, [this](const QString& text) {
        m_filtered->setFilterFixedString(text);
        if (!text.isEmpty()) m_tree->expandAll();
    });
    auto* widget = new QWidget;
    widget->setLayout(column(
        {row({LayoutItem(filter, 20), nullptr, m_finite, m_scan}, 8, {11, 6, 11, 6}), LayoutItem(m_tree, 1)}, 0));
    return widget;
}

QWidget* ModelInspector::layersTab() {
    return new TableView(&m_layers, tr("Layers"), kLiveRow, {14, 16, 18, 18, 16, 18});
}

QWidget* ModelInspector::cardTab() {
    m_card = new MarkdownView(tr("Model card"));
    m_cardSize = fieldLabel({}, text_size::kCaption);
    m_cardNote = new TextLabel({}, text_size::kCaption, QFont::Normal, Tone::Secondary);
    m_cardNote->setMono();
    m_cardNote->setElide(Qt::ElideMiddle);
    auto* again = button(tr("Look again"), QStringLiteral("refresh-cw"));
    connect(again, &QPushButton::clicked, this, [this] {
        m_cardOf.clear();
        readCard();
    });
    m_noCard = new EmptyView(QStringLiteral("scroll-text"), {}, again);
    auto* shown = new QWidget;
    shown->setLayout(column(
        {LayoutItem(m_card, 1), horizontalLine(), row({m_cardSize, LayoutItem(m_cardNote, 1)}, 4, {11, 4, 11, 4})}, 0));
    auto* tab = new QWidget;
    m_cardStack = new QStackedLayout(tab);
    m_cardStack->addWidget(shown);
    m_cardStack->addWidget(m_noCard);
    return tab;
}

// The card is a file of its own: it is asked for when its tab is opened.
void ModelInspector::readCard() {
    if (m_id.isEmpty() || m_cardOf == m_id || !m_cardStack->parentWidget()->isVisibleTo(this)) return;
    const QString id = m_id;
    m_cardOf = id;
    m_workspace.engine().card(id, this, [this, id](Result<ModelCard> card) {
        if (id != m_id) return;
        if (!card) {
            m_cardOf.clear();
            m_error->showError(tr("The model card was not read"), card.error());
            return;
        }
        m_noCard->setSentence(tr("The folder has no README.md."));
        m_cardStack->setCurrentIndex(card->file.isEmpty() ? 1 : 0);
        m_card->showMarkdown(card->text);
        m_cardSize->setVisible(card->truncated);
        m_cardSize->setText(tr("The first %1 of %2; all of it is in")
                                .arg(formatBytes(card->text.toUtf8().size()), formatBytes(card->bytes)));
        m_cardNote->setText(card->file);
    });
}

// Warnings of the import come first; that a model was verified stays until another one is shown.
void ModelInspector::showBadge(const ModelRecord& model) {
    if (!model.warnings.empty())
        m_badge->show(QStringLiteral("triangle-alert"),
                      counted(qint64(model.warnings.size()), tr("%1 warning"), tr("%1 warnings")), Tone::Warn);
    else if (m_verifiedAt > 0)
        m_badge->show(QStringLiteral("shield-check"), tr("Verified"), Tone::Accent);
    else if (model.linked)
        m_badge->show(QStringLiteral("arrow-up"), tr("Linked"), Tone::Secondary);
    else
        m_badge->show(QStringLiteral("circle-check"), tr("Copied"), Tone::Accent);
}

void ModelInspector::show(const ModelRecord* model) {
    m_stack->setCurrentIndex(model ? 0 : 1);
    m_adapters->show(model);
    if (!model) {
        m_id.clear();
        return;
    }
    const bool another = m_id != text(model->id);
    m_id = text(model->id);
    m_name->setText(text(model->name));
    if (another) m_verifiedAt = 0;
    showBadge(*model);
    m_origin->setText(tr("Imported %1 from").arg(formatDay(model->importedAt)));
    m_source->setText(text(model->source));
    const ArchSpec& spec = model->spec;
    const QStringList values{formatCount(qint64(spec.layers.size())),
                             formatCount(spec.hidden),
                             headsText(spec),
                             formatCount(spec.headDim),
                             spec.layers.empty() ? QStringLiteral("–") : formatCount(spec.layers.front().neurons),
                             formatCount(model->context)};
    for (std::size_t i = 0; i < m_figures.size(); ++i) m_figures[i]->setValue(values[qsizetype(i)]);
    if (!another) return;
    m_notes->show(*model, 0);
    m_error->clear();
    m_tensors.setTensors({});
    m_layers.clear();
    m_config->clear();
    m_card->clear();
    m_finite->hide();
    showScan(false);
    m_titleStack->setCurrentIndex(0);
    readCard();
}

void ModelInspector::setInspection(const ModelInspection& inspection) {
    m_tensors.setTensors(inspection.tensors);
    m_layers.setInspection(inspection);
    m_config->setPlainText(inspection.config);
    m_notes->show(inspection.record, inspection.verifiedAt);
    showFindings(inspection);
}

void ModelInspector::showFindings(const ModelInspection& inspection) {
    const int all = int(inspection.tensors.size()), finite = inspection.finiteTensors;
    m_finite->show(finite == all ? QStringLiteral("check") : QStringLiteral("triangle-alert"),
                   tr("%1 of %2 finite").arg(formatCount(finite), formatCount(all)),
                   finite == all ? Tone::Accent : Tone::Error);
    m_finite->setVisible(inspection.scannedAt > 0);
    showScan(inspection.scannedAt > 0);
    m_finite->setToolTip(tr("Scanned %1 %2").arg(formatDay(inspection.scannedAt), formatClock(inspection.scannedAt)));
    m_verifiedAt = inspection.verifiedAt;
    showBadge(inspection.record);
}

void ModelInspector::showScan(bool isScanned) {
    m_scan->setText(QLatin1Char(' ') + (isScanned ? tr("Scan again") : tr("Scan")));
    m_scan->setAccessibleName(m_scan->text().trimmed());
}

void ModelInspector::importAdapters(const QStringList& folders) {
    if (m_id.isEmpty()) return;
    m_tabs->setCurrentIndex(m_tabStack->indexOf(m_adapters));
    m_adapters->import(folders);
}

void ModelInspector::chooseAdapter() {
    if (m_id.isEmpty()) return;
    m_tabs->setCurrentIndex(m_tabStack->indexOf(m_adapters));
    m_adapters->chooseFolder();
}

void ModelInspector::beginRename() {
    m_rename->setText(m_name->text());
    m_titleStack->setCurrentIndex(1);
    m_rename->selectAll();
    m_rename->setFocus();
}

void ModelInspector::commitRename() {
    const QString name = m_rename->text().trimmed();
    m_error->clear();
    m_titleStack->setCurrentIndex(0);
    if (name.isEmpty() || name == m_name->text()) return;
    m_workspace.engine().call(QStringLiteral("rename"), {{"model", m_id.toStdString()}, {"name", name.toStdString()}},
                              this, [this, name, id = m_id](const Result<Json>& answer) {
                                  if (answer) {
                                      m_workspace.refreshModels();
                                      return;
                                  }
                                  if (id != m_id) return;  // another one is shown by now
                                  m_error->showError(tr("The model was not renamed"), answer.error());
                                  beginRename();  // with what was typed
                                  m_rename->setText(name);
                              });
}

}  // namespace espalier::ui
