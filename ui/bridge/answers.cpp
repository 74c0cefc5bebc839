// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/bridge/answers.h"

#include <QHash>

#include "core/api/protocol.h"

namespace espalier::ui {
namespace {

Result<TensorFact> tensorFact(const Json& json) {
    const JsonReader reader(json, "tensors");
    TensorFact fact;
    TRY_ASSIGN(const std::string name, reader.string("name"));
    TRY_ASSIGN(const std::string dtype, reader.string("dtype"));
    TRY_ASSIGN(fact.bytes, reader.integer("bytes", 0, INT64_MAX));
    fact.name = QString::fromStdString(name);
    fact.dtype = QString::fromStdString(dtype);
    if (const Json* shape = reader.find("shape"); shape && shape->is_array())
        for (const Json& extent : *shape) fact.shape.push_back(extent.is_number_integer() ? extent.get<qint64>() : 0);
    return fact;
}

Result<void> readScan(const Json& scan, ModelInspection& into) {
    const JsonReader reader(scan, "scan");
    TRY_ASSIGN(into.scannedAt, reader.integer("at", 0, INT64_MAX));
    const Json* list = reader.find("tensors");
    if (!list || !list->is_array()) return reader.wrong("tensors", "a list");
    QHash<QString, TensorFinding> findings;
    for (const Json& item : *list) {
        const JsonReader tensor(item, "scan");
        TensorFinding finding;
        TRY_ASSIGN(const std::string name, tensor.string("name"));
        TRY_ASSIGN(finding.norm, tensor.numberOr("norm", 0));
        TRY_ASSIGN(finding.nan, tensor.integerOr("nan", 0, 0, INT64_MAX));
        TRY_ASSIGN(finding.infinite, tensor.integerOr("infinite", 0, 0, INT64_MAX));
        into.finiteTensors += finding.nan == 0 && finding.infinite == 0;
        findings.insert(QString::fromStdString(name), finding);
    }
    for (TensorFact& tensor : into.tensors)
        if (const auto found = findings.constFind(tensor.name); found != findings.constEnd()) tensor.found = *found;
    return {};
}

}  // namespace

Result<ModelInspection> inspectionFromJson(const Json& json) {
    const JsonReader reader(json, "inspect");
    ModelInspection result;
    if (const Json* record = reader.find("record")) {
        TRY_ASSIGN(result.record, modelFromJson(*record));
    }
    if (const Json* memory = reader.find("memory"); memory && memory->is_object()) {
        const JsonReader bytes(*memory, "memory");
        TRY_ASSIGN(result.weightsBytes, bytes.integerOr("weights_bytes", 0, 0, INT64_MAX));
        TRY_ASSIGN(result.kvBytesPerToken, bytes.integerOr("kv_bytes_per_token", 0, 0, INT64_MAX));
        TRY_ASSIGN(result.workspaceBytes, bytes.integerOr("workspace_bytes", 0, 0, INT64_MAX));
        TRY_ASSIGN(const std::string kv, bytes.stringOr("kv", {}));
        result.kvType = QString::fromStdString(kv);
    }
    if (const Json* speed = reader.find("speed"); speed && speed->is_object()) {
        const JsonReader figures(*speed, "speed");
        SpeedPrediction& prediction = result.speed.emplace();
        TRY_ASSIGN(const double read, figures.numberOr("read_gb_per_s", 0));
        prediction.bytesPerS = read * 1e9;
        TRY_ASSIGN(prediction.decodeBytes, figures.integerOr("decode_bytes", 0, 0, INT64_MAX));
        if (const Json* past = figures.find("past"); past && past->is_object()) {
            const JsonReader runs(*past, "past");
            TRY_ASSIGN(prediction.runs, runs.integerOr("runs", 0, 0, INT64_MAX));
            TRY_ASSIGN(prediction.error, runs.numberOr("error", 0));
        }
        if (prediction.decodeBytes <= 0) result.speed.reset();
    }
    if (const Json* tensors = reader.find("tensors")) {
        if (!tensors->is_array()) return reader.wrong("tensors", "a list");
        for (const Json& item : *tensors) {
            TRY_ASSIGN(TensorFact fact, tensorFact(item));
            result.tensors.push_back(std::move(fact));
        }
    }
    if (const Json* scan = reader.find("scan")) TRY(readScan(*scan, result));
    if (const Json* verified = reader.find("verified")) {
        TRY_ASSIGN(result.verifiedAt, JsonReader(*verified, "verified").integerOr("at", 0, 0, INT64_MAX));
    }
    if (const Json* config = reader.find("config")) result.config = QString::fromStdString(dumpJson(*config, 2));
    return result;
}

Result<Tokenization> tokenizationFromJson(const Json& json) {
    Tokenization result;
    const JsonReader reader(json, "tokenize");
    const Json* ids = reader.find("ids");
    const Json* tokens = reader.find("tokens");
    if (!ids || !ids->is_array() || !tokens || !tokens->is_array()) return reader.wrong("ids", "a list");
    for (const Json& id : *ids) result.ids.push_back(id.is_number_integer() ? id.get<qint64>() : -1);
    for (const Json& token : *tokens)
        result.tokens << (token.is_string() ? QString::fromStdString(token.get_ref<const std::string&>()) : QString());
    if (const Json* special = reader.find("is_special"); special && special->is_array())
        for (const Json& flag : *special) result.special.push_back(flag.is_boolean() && flag.get<bool>());
    return result;
}

Result<RenderedTemplate> renderedTemplateFromJson(const Json& json) {
    const JsonReader reader(json, "template");
    RenderedTemplate result;
    TRY_ASSIGN(const std::string text, reader.string("text"));
    result.text = QString::fromStdString(text);
    if (reader.has("ids")) {
        TRY_ASSIGN(result.tokens, tokenizationFromJson(json));
    }
    return result;
}

Result<ModelCard> cardFromJson(const Json& json) {
    const JsonReader reader(json, "card");
    ModelCard card;
    TRY_ASSIGN(const std::string file, reader.stringOr("file", {}));
    TRY_ASSIGN(const std::string text, reader.stringOr("text", {}));
    TRY_ASSIGN(card.bytes, reader.integerOr("bytes", 0, 0, INT64_MAX));
    TRY_ASSIGN(card.truncated, reader.boolOr("truncated", false));
    card.file = QString::fromStdString(file);
    card.text = QString::fromStdString(text);
    return card;
}

}  // namespace espalier::ui
