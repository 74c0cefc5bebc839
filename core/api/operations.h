// SPDX-License-Identifier: GPL-3.0-or-later
// The operations of core/api/protocol.h over an engine, by subject. LocalControl holds them under their names.
#pragma once

#include "core/api/control.h"

namespace espalier {

// catalog
Result<Json> listModels(const ModelAccess& models, const Json& arguments);
Result<Json> inspectModel(const ModelAccess& models, const Json& arguments);
Result<Json> modelCard(const ModelAccess& models, const Json& arguments);
Result<Json> probeImport(const ModelAccess& models, const Json& arguments);
Result<Json> startImport(const ModelAccess& models, const Json& arguments);

// adapters
Result<Json> listAdapters(const ModelAccess& models, const Json& arguments);
Result<Json> importAdapter(const ModelAccess& models, const Json& arguments, const CallOptions& options);
// Of many folders, some of which may fail; or as a job.
Result<Json> importAdapters(const ModelAccess& models, const Json& arguments, const CallOptions& options);
Result<Json> showAdapter(const ModelAccess& models, const Json& arguments);
Result<Json> reloadAdapter(const ModelAccess& models, const Json& arguments, const CallOptions& options);
Result<Json> removeAdapter(const ModelAccess& models, const Json& arguments);
Result<Json> checkIsolation(const ModelAccess& models, const Json& arguments, const CallOptions& options);

// machine
Result<Json> machineOf(const ModelAccess& models);

// jobs
Result<Json> listJobs(const ModelAccess& models);
Result<Json> waitForJob(const ModelAccess& models, const Json& arguments, std::stop_token stop);

// text
Result<Json> tokenizeText(const ModelAccess& models, const Json& arguments);
Result<Json> detokenizeIds(const ModelAccess& models, const Json& arguments);
Result<Json> renderTemplate(const ModelAccess& models, const Json& arguments);

// inference
Result<Json> generate(const ModelAccess& models, const Json& arguments, const CallOptions& options);
Result<Json> perplexity(const ModelAccess& models, const Json& arguments, const CallOptions& options);
Result<Json> embed(const ModelAccess& models, const Json& arguments, const CallOptions& options);

// tenants (tenant_operations.cpp)
Result<Json> listTenants(const ModelAccess& models, const Json& arguments);
Result<Json> showTenant(const ModelAccess& models, const Json& arguments);
Result<Json> createTenant(const ModelAccess& models, const Clock& clock, const Json& arguments);
Result<Json> limitTenant(const ModelAccess& models, const Clock& clock, const Json& arguments);
Result<Json> revokeTenant(const ModelAccess& models, const Json& arguments);
Result<Json> restoreTenant(const ModelAccess& models, const Json& arguments);
Result<Json> createKey(const ModelAccess& models, const Json& arguments);
Result<Json> rotateKey(const ModelAccess& models, const Json& arguments);
Result<Json> revokeKey(const ModelAccess& models, const Json& arguments);
Result<Json> restoreKey(const ModelAccess& models, const Json& arguments);
Result<Json> tenantUsage(const ModelAccess& models, const Clock& clock, const Json& arguments);

// watching
Result<Json> statusOf(const ModelAccess& models, const Clock& clock, const ControlHost& host);
Result<Json> listRequests(const ModelAccess& models, const Json& arguments);
Result<Json> cancelRequest(const ModelAccess& models, const Json& arguments);
Result<Json> pageMapOf(const ModelAccess& models, const Json& arguments);
Result<Json> listSteps(const ModelAccess& models, const Json& arguments);
Result<Json> history(const ModelAccess& models, const Json& arguments);
Result<Json> newestLog(const ModelAccess& models, const Json& arguments);

}  // namespace espalier
