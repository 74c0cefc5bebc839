// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/memory_estimate_panel.h"

#include <QBoxLayout>
#include <QComboBox>
#include <QPainter>
#include <QSpinBox>
#include <array>

#include "ui/models/brief_bytes.h"
#include "ui/models/format.h"
#include "ui/widgets/plot.h"

namespace espalier::ui {
namespace {

enum EstimateColumn { kWeights, kAdapters, kWork, kKv, kEstimateColumns };
constexpr int kMostSequences = 4096, kMostResident = 9999;
constexpr int kCurvePoints = 128;
constexpr int kSideWidth = 248, kSideGap = 24, kWidePanel = 880;

QSpinBox* number(int low, int high, int value, const QString& name) {
    auto* box = new QSpinBox;
    box->setRange(low, high);
    box->setValue(value);
    box->setGroupSeparatorShown(true);
    box->setAccessibleName(name);
    box->setFixedWidth(scaled(96));
    setControlSize(box, ControlSize::Small);
    return box;
}

QWidget* field(const QString& name, QWidget* control) {
    auto* label = new TextLabel(name, text_size::kTable, QFont::Normal, Tone::Secondary);
    auto* made = new QWidget;
    made->setLayout(row({LayoutItem(label, 1), control}, 8));
    return made;
}

// Bytes of a number in K and V; what `serve --kv` takes.
int bytesOfKv(const QString& type) {
    return type == QLatin1String("f32") ? 4 : 2;
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

QWidget* line(MemoryOwner owner, TextLabel* name, TextLabel* value) {
    value->setElide(Qt::ElideNone);
    auto* made = new QWidget;
    made->setLayout(row({new Swatch(owner), LayoutItem(name, 1), value}, 8));
    return made;
}

}  // namespace

MemoryNeed memoryNeed(const ModelInspection& model, const MemoryWish& wish) {
    qint64 kv = model.kvBytesPerToken * wish.context * wish.sequences;
    if (!wish.kvType.isEmpty() && !model.kvType.isEmpty()) kv = kv / bytesOfKv(model.kvType) * bytesOfKv(wish.kvType);
    return {model.weightsBytes, wish.adapterBytes * wish.adapters, kv, model.workspaceBytes};
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
      m_resident(number(0, kMostResident, 0, tr("Adapters resident"))),
      m_kvType(new QComboBox),
      m_weights(new TextLabel({}, text_size::kTable, QFont::Medium)),
      m_adapters(new TextLabel({}, text_size::kTable, QFont::Medium)),
      m_adaptersName(new TextLabel({}, text_size::kTable)),
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
    m_plot->setAreas({{kWeights, MemoryOwner::Weights},
                      {kAdapters, MemoryOwner::Adapters},
                      {kWork, MemoryOwner::Work},
                      {kKv, MemoryOwner::KvRunning}});
    m_kvType->addItems({QStringLiteral("f32"), QStringLiteral("bf16"), QStringLiteral("f16")});
    m_kvType->setAccessibleName(tr("KV type"));
    m_kvType->setToolTip(tr("The engine takes it with --kv when it starts"));
    m_kvType->setFixedWidth(scaled(96));
    setControlSize(m_kvType, ControlSize::Small);
    m_residentField = field(tr("Adapters resident"), m_resident);
    m_adaptersLine = line(MemoryOwner::Adapters, m_adaptersName, m_adapters);
    m_sum->setElide(Qt::ElideNone);
    m_device->setElide(Qt::ElideNone);
    m_rate->setElide(Qt::ElideNone);
    m_plot->setMinimumHeight(scaled(140));
    setContent(row({LayoutItem(m_plot, 1), sidePart()}, 12, {0, 0, 11, 8}));
    connect(m_plot, &Plot::markStepped, m_sequences, &QSpinBox::stepBy);
    connect(m_sequences, &QSpinBox::valueChanged, this, &MemoryEstimatePanel::estimate);
    connect(m_context, &QSpinBox::valueChanged, this, [this](int context) {
        m_wantedContext = context;
        estimate();
    });
    connect(m_resident, &QSpinBox::valueChanged, this, [this] {
        m_isResidentTyped = true;
        estimate();
    });
    connect(m_kvType, &QComboBox::activated, this, [this] { m_isKvTyped = true; });
    connect(m_kvType, &QComboBox::currentIndexChanged, this, &MemoryEstimatePanel::estimate);
    connect(&workspace, &Workspace::adaptersChanged, this, [this] {
        countAdapters();
        estimate();
    });
    countAdapters();
}

QWidget* MemoryEstimatePanel::sidePart() {
    const auto named = [](const QString& name, TextLabel* value, QFont::Weight weight = QFont::Normal,
                          Tone tone = Tone::Text) {
        return LayoutItem(row({LayoutItem(new TextLabel(name, text_size::kTable, weight, tone), 1), value}, 8));
    };
    m_sideLine = horizontalLine();
    auto* wishes = column({field(tr("Sequences at once"), m_sequences), field(tr("Context, tokens"), m_context),
                           m_residentField, field(tr("KV type"), m_kvType), m_sideLine, nullptr},
                          4);
    auto* needs = column({line(MemoryOwner::Weights, new TextLabel(tr("Weights"), text_size::kTable), m_weights),
                          m_adaptersLine, line(MemoryOwner::KvRunning, m_kvName, m_kv),
                          line(MemoryOwner::Work, new TextLabel(tr("Workspace"), text_size::kTable), m_work),
                          horizontalLine(), named(tr("Together"), m_sum, QFont::DemiBold),
                          named(tr("Device memory"), m_device, QFont::Normal, Tone::Secondary), horizontalLine(),
                          named(tr("One answer, expected"), m_rate), m_rateError, nullptr},
                         4);
    m_sideParts = column({LayoutItem(wishes), LayoutItem(needs, 1)}, 0);
    m_side = new QWidget;
    m_side->setFixedWidth(scaled(kSideWidth));
    m_side->setLayout(m_sideParts);
    return m_side;
}

// A wide panel is a low one, below a list: there they stand side by side, and nothing of the plot is cut.
void MemoryEstimatePanel::resizeEvent(QResizeEvent* event) {
    Panel::resizeEvent(event);
    const bool isWide = width() >= scaled(kWidePanel);
    m_sideParts->setDirection(isWide ? QBoxLayout::LeftToRight : QBoxLayout::TopToBottom);
    m_sideParts->setStretch(0, isWide ? 1 : 0);
    m_sideParts->setSpacing(isWide ? kSideGap : 4);
    m_sideLine->setVisible(!isWide);
    m_side->setFixedWidth(scaled(kSideWidth) * (isWide ? 2 : 1) + (isWide ? kSideGap : 0));
}

// All of a model's adapters, until a person says another number.
void MemoryEstimatePanel::countAdapters() {
    qint64 count = 0, bytes = 0;
    for (const AdapterRecord& adapter : m_workspace.adapters()) {
        if (!m_model || adapter.baseId != m_model->record.id) continue;
        ++count;
        bytes += adapter.bytes;
    }
    m_adapterBytes = count > 0 ? bytes / count : 0;
    m_residentField->setVisible(count > 0);
    m_adaptersLine->setVisible(count > 0);
    if (m_isResidentTyped) return;
    const QSignalBlocker quiet(m_resident);
    m_resident->setValue(int(qMin<qint64>(count, kMostResident)));
}

MemoryWish MemoryEstimatePanel::wish() const {
    return {.sequences = m_sequences->value(),
            .context = m_context->value(),
            .adapters = m_resident->value(),
            .adapterBytes = m_adapterBytes,
            .kvType = m_kvType->currentText()};
}

void MemoryEstimatePanel::show(const ModelInspection* model) {
    const bool another = model && (!m_model || m_model->record.id != model->record.id);
    m_model = model ? std::optional(*model) : std::nullopt;
    if (another) m_isResidentTyped = false;
    if (model && !m_isKvTyped) {
        const QSignalBlocker quiet(m_kvType);
        m_kvType->setCurrentIndex(qMax(0, m_kvType->findText(model->kvType)));
    }
    m_kvType->setEnabled(model && !model->kvType.isEmpty());
    countAdapters();
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
        for (TextLabel* label : {m_weights, m_adapters, m_kv, m_work, m_sum, m_device, m_rate})
            label->setText(QStringLiteral("–"));
        m_kvName->setText(tr("KV"));
        m_rateError->setText({});
        m_plot->refresh();
        return;
    }
    const MemoryWish wanted = wish();
    const MemoryNeed need = memoryNeed(*m_model, wanted);
    m_weights->setText(formatBytes(need.weights));
    m_adapters->setText(formatBytes(need.adapters));
    m_adaptersName->setText(tr("Adapters, %1 each").arg(formatBytes(m_adapterBytes)));
    m_kv->setText(formatBytes(need.kv));
    const qint64 perToken = memoryNeed(*m_model, {.context = 1, .kvType = wanted.kvType}).kv;
    m_kvName->setText(tr("KV, %1 a token").arg(formatBytes(perToken)));
    m_work->setText(formatBytes(need.workspace));
    m_sum->setText(formatBytes(need.sum()));
    const qint64 total = m_workspace.snapshot() ? m_workspace.snapshot()->memory.total : 0;
    m_device->setText(total > 0 ? formatBytesBriefly(total) : QStringLiteral("–"));
    showRate(wanted.context);
    drawCurve(wanted, total, need);
    m_fit->setVisible(total > 0);
    if (need.sum() <= total)
        m_fit->show(QStringLiteral("check"), tr("Fits: %1 to spare").arg(formatBytesBriefly(total - need.sum())),
                    Tone::Accent);
    else
        m_fit->show(QStringLiteral("triangle-alert"), tr("%1 too much").arg(formatBytesBriefly(need.sum() - total)),
                    Tone::Warn);
}

void MemoryEstimatePanel::drawCurve(const MemoryWish& wanted, qint64 total, const MemoryNeed& need) {
    const int most = qMin(kMostSequences, qMax(16, (wanted.sequences * 8 / 3 + 15) / 16 * 16));
    const double kvOfOne = double(need.kv) / wanted.sequences;
    for (int i = 0; i <= kCurvePoints; ++i) {
        const double x = double(most) * i / kCurvePoints;
        const std::array<double, kEstimateColumns> values{double(need.weights), double(need.adapters),
                                                          double(need.workspace), kvOfOne * x};
        m_curve.append(x, values);
    }
    m_plot->setReference(
        total > 0 && double(total) < 4.0 * double(need.sum()) ? std::optional(double(total)) : std::nullopt,
        tr("device %1").arg(formatGib(total)));
    m_plot->setRange(0, most);
    m_plot->setMark(wanted.sequences, tr("%1 at once").arg(formatCount(wanted.sequences)));
    m_plot->refresh();
}

void MemoryEstimatePanel::showRate(int context) {
    const double rate = expectedRate(*m_model, context);
    m_rate->setText(rate > 0 ? tr("%1 tok/s").arg(formatRate(rate)) : QStringLiteral("–"));
    if (rate <= 0)
        m_rateError->setText(tr("no measurement of this machine"));
    else if (m_model->speed->runs == 0)
        m_rateError->setText(tr("no run to compare with yet"));
    else
        m_rateError->setText(
            tr("earlier answers gave %1 % of that").arg(formatCount(qRound64(100 * (1 + m_model->speed->error)))));
}

}  // namespace espalier::ui
