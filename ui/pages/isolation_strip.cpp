// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/isolation_strip.h"

#include <QBoxLayout>
#include <QComboBox>
#include <QUuid>

#include "ui/models/format.h"

namespace espalier::ui {
namespace {

constexpr const char* kPrefixScene = "prefix_cache";

QString sceneText(const std::string& name) {
    if (name == "crowd") return IsolationStrip::tr("Everyone at once");
    if (name == "ends") return IsolationStrip::tr("Each first and last");
    if (name == "base_beside") return IsolationStrip::tr("The base beside adapters");
    if (name == "eviction") return IsolationStrip::tr("After eviction and reuse of pages");
    if (name == kPrefixScene) return IsolationStrip::tr("Prefixes of other tenants and adapters");
    return text(name);
}

// Passing there means that nothing was found, elsewhere that nothing changed.
QString passedText(const std::string& name) {
    return name == kPrefixScene ? IsolationStrip::tr("none found") : IsolationStrip::tr("same bits");
}

}  // namespace

IsolationStrip::IsolationStrip(Workspace& workspace)
    : m_workspace(workspace),
      m_model(new QComboBox),
      m_badge(new Badge),
      m_text(new TextLabel({}, text_size::kTable)),
      m_scenes(paragraph({})),
      m_start(button(tr("Start"), QStringLiteral("shield-check"), ButtonRole::Plain, ControlSize::Small)),
      m_cancel(button(tr("Cancel"), QStringLiteral("x"), ButtonRole::Plain, ControlSize::Small)) {
    m_model->setAccessibleName(tr("Model to check"));
    setControlSize(m_model, ControlSize::Small);
    m_cancel->setAccessibleName(tr("Cancel the isolation check"));
    auto* hide = toolButton(QStringLiteral("x"), tr("Close the isolation check"));
    connect(m_start, &QPushButton::clicked, this, &IsolationStrip::start);
    connect(m_cancel, &QPushButton::clicked, this, &IsolationStrip::cancel);
    connect(hide, &QToolButton::clicked, this, &IsolationStrip::dismiss);
    connect(&workspace, &Workspace::modelsChanged, this, &IsolationStrip::showModels);
    connect(&workspace, &Workspace::left, this, &IsolationStrip::dismiss);
    auto* parts = column({row({m_badge, m_model, LayoutItem(m_text, 1), m_start, m_cancel, hide}, 8), m_scenes}, 4,
                         {12, 6, 8, 6});
    setLayout(column({horizontalLine(), parts}, 0));
    QWidget::hide();
}

void IsolationStrip::showModels() {
    const QString chosen = m_model->currentText();
    m_model->clear();
    for (const ModelRecord& model : m_workspace.models().models()) m_model->addItem(text(model.name));
    m_model->setCurrentText(chosen);
}

void IsolationStrip::open() {
    showModels();
    show();
    if (!m_call.empty()) return;
    m_text->setText(tr("Answers alone against answers among others, bit for bit"));
    m_scenes->hide();
    m_badge->hide();
    m_isDone = false;
    showState();
    if (m_model->count() == 1) return start();
    m_model->setFocus(Qt::ShortcutFocusReason);
}

void IsolationStrip::dismiss() {
    cancel();
    QWidget::hide();
}

void IsolationStrip::showState() {
    m_start->setText(QLatin1Char(' ') + (m_isDone ? tr("Check again") : tr("Start")));
    m_start->setAccessibleName(m_isDone ? tr("Check again whether answers are isolated")
                                        : tr("Start the isolation check"));
    m_start->setVisible(!isRunning());
    m_start->setEnabled(m_model->count() > 0);
    m_cancel->setVisible(isRunning());
    m_model->setVisible(!isRunning() && m_model->count() > 1);
    emit changed();
}

void IsolationStrip::start() {
    if (!m_call.empty() || m_model->currentText().isEmpty()) return;
    m_isDone = false;
    m_call = QUuid::createUuid().toString(QUuid::WithoutBraces).toStdString();
    m_badge->show(QStringLiteral("circle-play"), tr("Running"), Tone::Accent);
    m_badge->QWidget::show();
    m_text->setText(
        tr("Serving %1 alone and among others; everybody else is served in between").arg(m_model->currentText()));
    m_scenes->hide();
    showState();
    const Json arguments{{"model", m_model->currentText().toStdString()}, {"call_id", m_call}};
    m_workspace.engine().call(QStringLiteral("isolation-check"), arguments, this,
                              [this, call = m_call](const Result<Json>& answer) {
                                  if (call != m_call) return;  // cancelled meanwhile
                                  m_call.clear();
                                  showState();
                                  if (answer) return showReport(*answer);
                                  QWidget::hide();
                                  emit failed(answer.error());
                              });
}

void IsolationStrip::cancel() {
    if (m_call.empty()) return;
    m_workspace.engine().call(QStringLiteral("cancel"), {{"call", std::exchange(m_call, {})}}, this,
                              [](const Result<Json>&) {});
    m_badge->hide();
    m_text->setText(tr("Cancelled"));
    showState();
}

void IsolationStrip::showReport(const Json& report) {
    const bool passed = report.value("passed", false);
    m_isDone = true;
    showState();
    m_badge->show(passed ? QStringLiteral("shield-check") : QStringLiteral("circle-x"),
                  passed ? tr("Isolated") : tr("Not isolated"), passed ? Tone::Accent : Tone::Error);
    m_badge->QWidget::show();
    m_text->setText(
        tr("%1 with %2: %3 answers compared; compute %4, KV %5")
            .arg(text(report.value("model", std::string())),
                 counted(qint64(report.value("adapters", Json::array()).size()), tr("%1 adapter"), tr("%1 adapters")),
                 formatCount(report.value("compared", std::int64_t{0})),
                 text(report.value("compute_mode", std::string())), text(report.value("kv", std::string()))));
    QStringList lines;
    const Json scenes = report.value("scenes", Json::array());
    for (const Json& scene : scenes) {
        const bool isSame = scene.value("passed", false);
        const std::string name = scene.value("name", std::string());
        lines << sceneText(name) + QStringLiteral(": ") +
                     (isSame ? passedText(name) : tr("different, %1").arg(text(scene.value("detail", std::string()))));
    }
    m_scenes->setText(lines.join(QLatin1Char('\n')));
    m_scenes->show();
}

}  // namespace espalier::ui
