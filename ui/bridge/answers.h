// SPDX-License-Identifier: GPL-3.0-or-later
// What the daemon answers about models, as plain values, and the readers that make them from its JSON.
//
// Thread: any. Errors: corrupt_file naming the key.
#pragma once

#include <QStringList>
#include <optional>
#include <vector>

#include "core/base/json.h"
#include "core/engine/messages.h"

namespace espalier::ui {

struct TensorFinding {
    double norm = 0;  // Euclidean, of the finite values
    qint64 nan = 0, infinite = 0;
};

struct TensorFact {
    QString name;
    std::vector<qint64> shape;
    QString dtype;
    qint64 bytes = 0;
    std::optional<TensorFinding> found = {};  // by the last scan
};

// One answer alone reads decodeBytes and its own K and V for every token.
struct SpeedPrediction {
    double bytesPerS = 0.0;
    qint64 decodeBytes = 0;
    qint64 runs = 0;     // measured after such a prediction
    double error = 0.0;  // their median of measured / predicted - 1
};

struct ModelInspection {
    ModelRecord record;
    qint64 weightsBytes = 0, kvBytesPerToken = 0, workspaceBytes = 0;
    QString kvType;
    std::optional<SpeedPrediction> speed = {};
    std::vector<TensorFact> tensors;
    QString config;                        // indented JSON
    qint64 scannedAt = 0, verifiedAt = 0;  // Unix milliseconds; 0: never
    int finiteTensors = 0;                 // of the last scan
};
Result<ModelInspection> inspectionFromJson(const Json& json);

struct Tokenization {
    std::vector<qint64> ids;
    QStringList tokens;
    std::vector<bool> special;  // empty: not known
};
Result<Tokenization> tokenizationFromJson(const Json& json);

struct RenderedTemplate {
    QString text;
    std::optional<Tokenization> tokens;  // none: the model has no tokenizer
};
Result<RenderedTemplate> renderedTemplateFromJson(const Json& json);

struct ModelCard {
    QString file;  // empty: the folder has none
    QString text;
    qint64 bytes = 0;
    bool truncated = false;
};
Result<ModelCard> cardFromJson(const Json& json);

}  // namespace espalier::ui
