// SPDX-License-Identifier: GPL-3.0-or-later
// Jobs that look at a model of the workspace without changing it.
#pragma once

#include <memory>
#include <string>

#include "core/engine/job_queue.h"
#include "core/engine/workspace.h"

namespace espalier {

// Reads every weight. Result: {"model", "tensors": [{"name", "norm", "largest", "nan", "infinite"}], "nan",
// "infinite"}; norm is Euclidean, largest the largest magnitude, both over the finite values.
std::unique_ptr<Job> makeScanJob(Workspace& workspace, FileSystem& files, std::string modelId);

// Computes the digest again. Result: {"model", "digest"}. Error corrupt_file names each file and tensor that is not
// what was imported.
std::unique_ptr<Job> makeVerifyJob(Workspace& workspace, FileSystem& files, std::string modelId);

}  // namespace espalier
