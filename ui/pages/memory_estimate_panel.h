// SPDX-License-Identifier: GPL-3.0-or-later
// MemoryEstimatePanel: what a model needs on the device for a number of sequences at once, a context, adapters that
// stay and a type of KV, line by line, and as a curve over the number of sequences against what the device has.
#pragma once

#include "ui/models/sample_ring.h"
#include "ui/models/workspace.h"
#include "ui/widgets/panel.h"

class QBoxLayout;
class QComboBox;
class QSpinBox;

namespace espalier::ui {

class Plot;

struct MemoryNeed {
    qint64 weights = 0, adapters = 0, kv = 0, workspace = 0;
    qint64 sum() const { return weights + adapters + kv + workspace; }
};
// What is wanted beyond a model's weights. Bytes of an adapter: of its tensors, as an average of the model's.
struct MemoryWish {
    int sequences = 1, context = 0, adapters = 0;
    qint64 adapterBytes = 0;
    QString kvType = {};  // empty: as the engine was started
};
MemoryNeed memoryNeed(const ModelInspection& model, const MemoryWish& wish);
// Tokens per second of one answer alone with `context` tokens before it; 0: not known.
double expectedRate(const ModelInspection& model, int context);

class MemoryEstimatePanel : public Panel {
    Q_OBJECT
public:
    explicit MemoryEstimatePanel(Workspace& workspace);
    void show(const ModelInspection* model);  // null: nothing is known yet

protected:
    void resizeEvent(QResizeEvent* event) override;

private:
    QWidget* sidePart();
    MemoryWish wish() const;
    void estimate();
    void drawCurve(const MemoryWish& wanted, qint64 total, const MemoryNeed& need);
    void showRate(int context);
    void countAdapters();

    Workspace& m_workspace;
    static constexpr int kUsualContext = 2048;

    std::optional<ModelInspection> m_model;
    int m_wantedContext = kUsualContext;
    SampleRing m_curve;
    Plot* m_plot;
    QSpinBox *m_sequences, *m_context, *m_resident;
    QComboBox* m_kvType;
    QWidget* m_side = nullptr;
    QBoxLayout* m_sideParts = nullptr;  // what is asked, and below or beside it what is answered
    QFrame* m_sideLine = nullptr;       // between them
    QWidget *m_residentField = nullptr, *m_adaptersLine = nullptr;  // of a model that has adapters
    bool m_isResidentTyped = false, m_isKvTyped = false;
    qint64 m_adapterBytes = 0;  // of one
    TextLabel *m_weights, *m_adapters, *m_adaptersName, *m_kv, *m_kvName, *m_work, *m_sum, *m_device, *m_rate,
        *m_rateError;
    Badge* m_fit;
};

}  // namespace espalier::ui
