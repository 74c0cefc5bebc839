// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/model_inspector.h"

#include <QBoxLayout>
#include <QKeyEvent>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QSortFilterProxyModel>
#include <QStackedLayout>
#include <QTabBar>

#include "ui/models/format.h"
#include "ui/widgets/table_view.h"

namespace espalier::ui {
namespace {

// Enter keeps the new name, Esc and leaving drop it.
class NameEdit : public QLineEdit {
public:
    using QLineEdit::QLineEdit;
    std::function<void()> cancel;

protected:
    void keyPressEvent(QKeyEvent* event) override {
        if (event->key() == Qt::Key_Escape)
            cancel();
        else
            QLineEdit::keyPressEvent(event);
    }
    void focusOutEvent(QFocusEvent* event) override {
        QLineEdit::focusOutEvent(event);
        cancel();
    }
};

QPlainTextEdit* monoText(const QString& name) {
    auto* edit = new QPlainTextEdit;
    edit->setReadOnly(true);
    edit->setFont(monoFont());
    edit->setFrameShape(QFrame::NoFrame);
    edit->setAccessibleName(name);
    edit->setTabChangesFocus(true);
    return edit;
}

QString headsText(const ArchSpec& spec) {
    if (spec.layers.empty()) return QStringLiteral("–");
    const LayerSpec& layer = spec.layers.front();
    return layer.heads == layer.kvHeads ? formatCount(layer.heads)
                                        : QStringLiteral("%1 / %2").arg(layer.heads).arg(layer.kvHeads);
}

QString notesOf(const ModelRecord& model) {
    QStringList lines{
        ModelInspector::tr("Digest   %1").arg(text(model.digest)),
        ModelInspector::tr("Folder   %1").arg(text(model.folder)),
        ModelInspector::tr("Source   %1").arg(text(model.source)),
        ModelInspector::tr("Licence  %1")
            .arg(model.licence.empty() ? ModelInspector::tr("the folder names none") : text(model.licence))};
    if (!model.warnings.empty()) lines << QString() << ModelInspector::tr("Warnings at import");
    for (const std::string& warning : model.warnings) lines << QStringLiteral("- ") + text(warning);
    return lines.join(QLatin1Char('\n'));
}

}  // namespace

ModelInspector::ModelInspector(Workspace& workspace, Actions& actions)
    : m_workspace(workspace), m_actions(actions), m_error(new ErrorStrip) {
    auto* figures = new QHBoxLayout;
    figures->setContentsMargins(11, 8, 11, 0);
    for (const QString& name : {tr("Layers"), tr("Hidden"), tr("Heads"), tr("Head"), tr("MLP"), tr("Context")}) {
        auto* figure = new Figure(name, text_size::kBody);
        m_figures.push_back(figure);
        figures->addWidget(figure);
        if (m_figures.size() < 6) figures->addStretch(1);
    }
    m_tabs = new QTabBar;
    m_tabs->setDrawBase(false);
    m_tabs->setExpanding(false);
    m_tabs->setAccessibleName(tr("Parts of the model"));
    for (const QString& name : {tr("Tensors"), tr("Config"), tr("Card")}) m_tabs->addTab(name);
    m_config = monoText(tr("Configuration"));
    m_notes = monoText(tr("Card"));
    auto* tabs = new QWidget;
    m_tabStack = new QStackedLayout(tabs);
    m_tabStack->addWidget(tensorsTab());
    m_tabStack->addWidget(m_config);
    m_tabStack->addWidget(m_notes);
    connect(m_tabs, &QTabBar::currentChanged, m_tabStack, &QStackedLayout::setCurrentIndex);

    auto* buttons =
        row({buttonFor(actions.get(action::kLoad), tr("Load")), buttonFor(actions.get(action::kVerify), tr("Verify")),
             buttonFor(actions.get(action::kScan), tr("Scan")), nullptr,
             buttonFor(actions.get(action::kRemove), tr("Remove"))},
            8, {11, 8, 11, 8});
    auto* full = new QWidget;
    full->setLayout(
        column({titleRow(), figures, row({m_tabs, nullptr}, 0, {7, 8, 7, 0}), horizontalLine(),
                row({LayoutItem(m_error, 1)}, 0, {8, 0, 8, 0}), LayoutItem(tabs, 1), horizontalLine(), buttons},
               0));
    auto* holder = new QWidget;
    m_stack = new QStackedLayout(holder);
    m_stack->addWidget(full);
    m_stack->addWidget(new EmptyView(QStringLiteral("box"), tr("Choose a model to see its layers and tensors.")));
    setContent(holder);
    setAccessibleName(tr("Model"));
    show(nullptr);
}

QWidget* ModelInspector::titleRow() {
    m_name = new TextLabel({}, text_size::kTitle, QFont::DemiBold);
    auto* rename = new NameEdit;
    rename->cancel = [this] { m_titleStack->setCurrentIndex(0); };
    m_rename = rename;
    m_rename->setAccessibleName(tr("New name"));
    connect(m_rename, &QLineEdit::returnPressed, this, &ModelInspector::commitRename);
    m_badge = new Badge;
    m_origin = new TextLabel({}, text_size::kTable, QFont::Normal, Tone::Secondary);
    auto* pencil = toolButton(QStringLiteral("pencil"), tr("Rename"));
    connect(pencil, &QToolButton::clicked, m_actions.get(action::kRename), &QAction::trigger);
    auto* shown = new QWidget;
    shown->setLayout(row({m_name, m_badge, nullptr}, 8));
    auto* names = new QWidget;
    names->setFixedHeight(28);
    m_titleStack = new QStackedLayout(names);
    m_titleStack->addWidget(shown);
    m_titleStack->addWidget(m_rename);
    auto* widget = new QWidget;
    widget->setLayout(column({row({LayoutItem(names, 1), pencil}, 8), m_origin}, 2, {11, 8, 11, 0}));
    return widget;
}

QWidget* ModelInspector::tensorsTab() {
    m_filtered = new QSortFilterProxyModel(this);
    m_filtered->setSourceModel(&m_tensors);
    m_filtered->setRecursiveFilteringEnabled(true);
    m_filtered->setFilterKeyColumn(-1);
    m_filtered->setFilterCaseSensitivity(Qt::CaseInsensitive);
    m_tree = new TreeView(m_filtered, tr("Tensors"), {44, 30, 12, 18});
    auto* filter = new QLineEdit;
    filter->setPlaceholderText(tr("Name or shape"));
    filter->setAccessibleName(tr("Filter tensors by name or shape"));
    filter->addAction(icon(QStringLiteral("search"), Tone::Secondary), QLineEdit::LeadingPosition);
    setControlSize(filter, ControlSize::Small);
    filter->setMaximumWidth(200);
    connect(filter, &QLineEdit::textChanged, this, [this](const QString& text) {
        m_filtered->setFilterFixedString(text);
        if (!text.isEmpty()) m_tree->expandAll();
    });
    auto* widget = new QWidget;
    widget->setLayout(column({row({filter, nullptr}, 8, {11, 6, 11, 6}), LayoutItem(m_tree, 1)}, 0));
    return widget;
}

void ModelInspector::show(const ModelRecord* model) {
    m_stack->setCurrentIndex(model ? 0 : 1);
    if (!model) {
        m_id.clear();
        return;
    }
    const bool another = m_id != text(model->id);
    m_id = text(model->id);
    m_name->setText(text(model->name));
    m_badge->show(model->linked ? QStringLiteral("arrow-up") : QStringLiteral("circle-check"),
                  model->linked ? tr("Linked") : tr("Copied"), model->linked ? Tone::Secondary : Tone::Accent);
    if (!model->warnings.empty())
        m_badge->show(QStringLiteral("triangle-alert"),
                      counted(qint64(model->warnings.size()), tr("%1 warning"), tr("%1 warnings")), Tone::Warn);
    m_origin->setText(tr("Imported %1 from %2").arg(formatDay(model->importedAt), text(model->source)));
    const ArchSpec& spec = model->spec;
    const QStringList values{formatCount(qint64(spec.layers.size())),
                             formatCount(spec.hidden),
                             headsText(spec),
                             formatCount(spec.headDim),
                             spec.layers.empty() ? QStringLiteral("–") : formatCount(spec.layers.front().neurons),
                             formatCount(model->context)};
    for (std::size_t i = 0; i < m_figures.size(); ++i) m_figures[i]->setValue(values[qsizetype(i)]);
    m_notes->setPlainText(notesOf(*model));
    if (!another) return;
    m_error->clear();
    m_tensors.setTensors({});
    m_config->clear();
    m_titleStack->setCurrentIndex(0);
}

void ModelInspector::setInspection(const ModelInspection& inspection) {
    m_tensors.setTensors(inspection.tensors);
    m_config->setPlainText(inspection.config);
}

void ModelInspector::beginRename() {
    m_rename->setText(m_name->text());
    m_titleStack->setCurrentIndex(1);
    m_rename->selectAll();
    m_rename->setFocus();
}

void ModelInspector::commitRename() {
    const QString name = m_rename->text().trimmed();
    m_titleStack->setCurrentIndex(0);
    if (name.isEmpty() || name == m_name->text()) return;
    m_workspace.engine().call(QStringLiteral("rename"), {{"model", m_id.toStdString()}, {"name", name.toStdString()}},
                              this, [this](const Result<Json>& answer) {
                                  if (!answer)
                                      m_error->showError(tr("The model was not renamed"), answer.error());
                                  else
                                      m_workspace.refreshModels();
                              });
}

}  // namespace espalier::ui
