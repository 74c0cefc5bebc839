// SPDX-License-Identifier: GPL-3.0-or-later
// How the families spell the layer a tensor belongs to: "model.layers.3.mlp.up_proj.weight", "h.3.attn.c_attn.weight",
// "blk.3.ffn_up.weight", "encoder.layer.3.output.dense.bias".
#pragma once

#include <QString>
#include <optional>

namespace espalier::ui {

struct LayerName {
    QString layer;  // "layers.3"; what wraps the whole model ("model.", "transformer.") is left out
    int number = 0;
    QString part;  // "mlp.up_proj.weight"
};
std::optional<LayerName> layerOf(const QString& tensor);  // none: it belongs to no layer

}  // namespace espalier::ui
