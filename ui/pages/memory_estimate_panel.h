// SPDX-License-Identifier: GPL-3.0-or-later
// MemoryEstimatePanel: what a model needs on the device for a number of sequences at once and a context, line by line,
// and as a curve over the number of sequences against what the device has.
#pragma once

#include "ui/models/sample_ring.h"
#include "ui/models/workspace.h"
#include "ui/widgets/panel.h"

class QSpinBox;

namespace espalier::ui {

class Plot;

struct MemoryNeed {
    qint64 weights = 0, kv = 0, workspace = 0;
    qint64 sum() const { return weights + kv + workspace; }
};
MemoryNeed memoryNeed(const ModelInspection& model, int sequences, int context);
// Tokens per second of one answer alone with `context` tokens before it; 0: not known.
double expectedRate(const ModelInspection& model, int context);

class MemoryEstimatePanel : public Panel {
    Q_OBJECT
public:
    explicit MemoryEstimatePanel(Workspace& workspace);
    void show(const ModelInspection* model);  // null: nothing is known yet

private:
    void estimate();
    void showRate(int context);

    Workspace& m_workspace;
    static constexpr int kUsualContext = 2048;

    std::optional<ModelInspection> m_model;
    int m_wantedContext = kUsualContext;
    SampleRing m_curve;
    Plot* m_plot;
    QSpinBox *m_sequences, *m_context;
    TextLabel *m_weights, *m_kv, *m_kvName, *m_work, *m_sum, *m_device, *m_rate, *m_rateError;
    Badge* m_fit;
};

}  // namespace espalier::ui
