// SPDX-License-Identifier: GPL-3.0-or-later
// Adapters: import, list, show, reload, remove.
#include "core/api/json_fields.h"
#include "core/api/operations.h"
#include "core/api/protocol.h"

namespace espalier {

Result<Json> listAdapters(const ModelAccess& models, const Json& arguments) {
    TRY_ASSIGN(const auto model, JsonFields(arguments).string("model"));
    if (model) TRY(models.engine().findModel(*model));
    Json list = Json::array();
    for (const AdapterRecord& adapter : models.engine().adapters(model.value_or(""))) list.push_back(toJson(adapter));
    return Json{{"adapters", std::move(list)}};
}

Result<Json> importAdapter(const ModelAccess& models, const Json& arguments) {
    const JsonFields fields(arguments);
    AdapterImport request;
    TRY_ASSIGN(request.path, fields.requiredString("path"));
    TRY_ASSIGN(request.base, fields.requiredString("model"));
    TRY_ASSIGN(const auto name, fields.string("name"));
    request.name = name.value_or("");
    TRY_ASSIGN(const AdapterRecord adapter, models.engine().importAdapter(request));
    return toJson(adapter);
}

Result<Json> showAdapter(const ModelAccess& models, const Json& arguments) {
    TRY_ASSIGN(const std::string reference, JsonFields(arguments).requiredString("adapter"));
    TRY_ASSIGN(const AdapterRecord adapter, models.engine().findAdapter(reference));
    return toJson(adapter);
}

Result<Json> reloadAdapter(const ModelAccess& models, const Json& arguments) {
    const JsonFields fields(arguments);
    TRY_ASSIGN(const std::string reference, fields.requiredString("adapter"));
    TRY_ASSIGN(const auto path, fields.string("path"));
    TRY_ASSIGN(const AdapterRecord adapter, models.engine().reloadAdapter(reference, path.value_or("")));
    return toJson(adapter);
}

Result<Json> removeAdapter(const ModelAccess& models, const Json& arguments) {
    TRY_ASSIGN(const std::string reference, JsonFields(arguments).requiredString("adapter"));
    TRY_ASSIGN(const AdapterRecord adapter, models.engine().findAdapter(reference));
    TRY(models.engine().removeAdapter(adapter.id));
    return Json{{"removed", adapter.name}, {"base", adapter.base}, {"id", adapter.id}};
}

}  // namespace espalier
