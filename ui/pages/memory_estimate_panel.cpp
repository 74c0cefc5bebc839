// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/memory_estimate_panel.h"

#include <QBoxLayout>
#include <QPainter>
#include <QSpinBox>
#include <array>

#include "ui/models/format.h"
#include "ui/widgets/plot.h"

namespace espalier::ui {
namespace {

enum EstimateColumn { kWeights, kWork, kKv, kEstimateColumns };
constexpr int kMostSequences = 4096;
constexpr int kCurvePoints = 128;

QSpinBox* number(int low, int high, int value, const QString& name) {
    auto* box = new QSpinBox;
    box->setRange(low, high);
    box->setValue(value);
    box->setGroupSeparatorShown(true);
    box->setAccessibleName(name);
    box->setFixedWidth(scaled(96));
    return box;
}

QLayout* field(const QString& name, QWidget* control) {
    auto* label = new TextLabel(name, text_size::kTable, QFont::Normal, Tone::Secondary);
    return row({LayoutItem(label, 1), control}, 8);
}

class Swatch : public QWidget {
public:
    explicit Swatch(MemoryOwner owner) : m_owner(owner) { setFixedSize(10, 10); }

protected:
    void paintEvent(QPaintEvent*) override {
        QPainter painter(this);
        painter.setPen(Qt::NoPen);
        painter.setBrush(ownerBrush(colorsOf(palette()), m_owner));
        painter.drawRoundedRect(rect(), 2, 2);
    }

private:
    MemoryOwner m_owner;
};

QLayout* line(MemoryOwner owner, TextLabel* name, TextLabel* value) {
    value->setElide(Qt::ElideNone);
    return row({new Swatch(owner), LayoutItem(name, 1), value}, 8);
}

}  // namespace

MemoryNeed memoryNeed(const ModelInspection& model, int sequences, int context) {
    return {model.weightsBytes, model.kvBytesPerToken * context * sequences, model.workspaceBytes};
}

double expectedRate(const ModelInspection& model, int context) {
    if (!model.speed) return 0.0;
    return model.speed->bytesPerS / (double(model.speed->decodeBytes) + double(model.kvBytesPerToken) * context);
}

MemoryEstimatePanel::MemoryEstimatePanel(Workspace& workspace)
    : Panel(tr("Memory estimate")),
      m_workspace(workspace),
      m_curve(kEstimateColumns, kCurvePoints + 1),
      m_plot(new Plot(m_curve, tr("Memory by sequences at once, GiB"))),
      m_sequences(number(1, kMostSequences, 8, tr("Sequences at once"))),
      m_context(number(1, 1 << 24, kUsualContext, tr("Context, tokens"))),
      m_weights(new TextLabel({}, text_size::kTable, QFont::Medium)),
      m_kv(new TextLabel({}, text_size::kTable, QFont::Medium)),
      m_kvName(new TextLabel({}, text_size::kTable)),
      m_work(new TextLabel({}, text_size::kTable, QFont::Medium)),
      m_sum(new TextLabel({}, text_size::kTable, QFont::DemiBold)),
      m_device(new TextLabel({}, text_size::kTable, QFont::Normal, Tone::Secondary)),
      m_rate(new TextLabel({}, text_size::kTable, QFont::DemiBold)),
      m_rateError(new TextLabel({}, text_size::kTable, QFont::Normal, Tone::Secondary)),
      m_fit(new Badge) {
    setUnit(tr("GiB by sequences at once"));
    m_fit->hide();
    addTitleWidget(m_fit);
    m_plot->setDivisor(double(1 << 30));
    m_plot->setNoDataText(tr("Choose a model"));
    m_plot->setAreas({{kWeights, MemoryOwner::Weights}, {kWork, MemoryOwner::Work}, {kKv, MemoryOwner::KvRunning}});
    m_sum->setElide(Qt::ElideNone);
    m_device->setElide(Qt::ElideNone);
    m_rate->setElide(Qt::ElideNone);
    m_plot->setMinimumHeight(scaled(140));
    auto* side = new QWidget;
    side->setFixedWidth(scaled(248));
    side->setLayout(column(
        {field(tr("Sequences at once"), m_sequences), field(tr("Context, tokens"), m_context), horizontalLine(),
         line(MemoryOwner::Weights, new TextLabel(tr("Weights"), text_size::kTable), m_weights),
         line(MemoryOwner::KvRunning, m_kvName, m_kv),
         line(MemoryOwner::Work, new TextLabel(tr("Workspace"), text_size::kTable), m_work), horizontalLine(),
         row({LayoutItem(new TextLabel(tr("Together"), text_size::kTable, QFont::DemiBold), 1), m_sum}, 8),
         row({LayoutItem(new TextLabel(tr("Device memory"), text_size::kTable, QFont::Normal, Tone::Secondary), 1),
              m_device},
             8),
         horizontalLine(),
         row({LayoutItem(new TextLabel(tr("One answer, expected"), text_size::kTable), 1), m_rate}, 8), m_rateError,
         nullptr},
        8));
    setContent(row({LayoutItem(m_plot, 1), side}, 12, {0, 0, 11, 8}));
    connect(m_plot, &Plot::markStepped, m_sequences, &QSpinBox::stepBy);
    connect(m_sequences, &QSpinBox::valueChanged, this, &MemoryEstimatePanel::estimate);
    connect(m_context, &QSpinBox::valueChanged, this, [this](int context) {
        m_wantedContext = context;
        estimate();
    });
}

void MemoryEstimatePanel::show(const ModelInspection* model) {
    m_model = model ? std::optional(*model) : std::nullopt;
    if (model && model->record.context > 0) {
        // What was typed holds for every model, as far as its context goes.
        const QSignalBlocker quiet(m_context);
        m_context->setMaximum(model->record.context);
        m_context->setValue(qMin(m_wantedContext, model->record.context));
    }
    estimate();
}

void MemoryEstimatePanel::estimate() {
    m_curve.clear();
    if (!m_model) {
        m_fit->hide();
        for (TextLabel* label : {m_weights, m_kv, m_work, m_sum, m_device, m_rate}) label->setText(QStringLiteral("–"));
        m_kvName->setText(tr("KV"));
        m_rateError->setText({});
        m_plot->refresh();
        return;
    }
    const int sequences = m_sequences->value(), context = m_context->value();
    const int most = qMin(kMostSequences, qMax(16, (sequences * 8 / 3 + 15) / 16 * 16));
    for (int i = 0; i <= kCurvePoints; ++i) {
        const double x = double(most) * i / kCurvePoints;
        const MemoryNeed need = memoryNeed(*m_model, 1, context);
        const std::array<double, kEstimateColumns> values{double(need.weights), double(need.workspace),
                                                          double(need.kv) * x};
        m_curve.append(x, values);
    }
    const MemoryNeed need = memoryNeed(*m_model, sequences, context);
    m_weights->setText(formatBytes(need.weights));
    m_kv->setText(formatBytes(need.kv));
    const QString kvType = m_model->kvType.isEmpty() ? tr("KV") : tr("KV in %1").arg(m_model->kvType);
    m_kvName->setText(tr("%1, %2 a token").arg(kvType, formatBytes(m_model->kvBytesPerToken)));
    m_work->setText(formatBytes(need.workspace));
    m_sum->setText(formatBytes(need.sum()));
    const qint64 total = m_workspace.snapshot() ? m_workspace.snapshot()->memory.total : 0;
    m_device->setText(total > 0 ? formatBytes(total) : QStringLiteral("–"));
    m_plot->setReference(
        total > 0 && double(total) < 4.0 * double(need.sum()) ? std::optional(double(total)) : std::nullopt,
        tr("device %1").arg(formatGib(total)));
    showRate(context);
    m_plot->setRange(0, most);
    m_plot->setMark(sequences, tr("%1 at once").arg(formatCount(sequences)));
    m_plot->refresh();
    m_fit->setVisible(total > 0);
    if (need.sum() <= total)
        m_fit->show(QStringLiteral("check"), tr("Fits: %1 to spare").arg(formatBytes(total - need.sum())),
                    Tone::Accent);
    else
        m_fit->show(QStringLiteral("triangle-alert"), tr("%1 too much").arg(formatBytes(need.sum() - total)),
                    Tone::Warn);
}

void MemoryEstimatePanel::showRate(int context) {
    const double rate = expectedRate(*m_model, context);
    m_rate->setText(rate > 0 ? tr("%1 tokens/s").arg(formatRate(rate)) : QStringLiteral("–"));
    if (rate <= 0)
        m_rateError->setText(tr("no measurement of this machine"));
    else if (m_model->speed->runs == 0)
        m_rateError->setText(tr("no run to compare with yet"));
    else
        m_rateError->setText(
            tr("earlier answers gave %1 % of that").arg(formatCount(qRound64(100 * (1 + m_model->speed->error)))));
}

}  // namespace espalier::ui
