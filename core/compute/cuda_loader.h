// SPDX-License-Identifier: GPL-3.0-or-later
// Finds the CUDA module (libespalier_cuda.so), opens it with dlopen and makes its device. Nothing is ever linked:
// without the module, the CUDA libraries, a driver or a device the answer is a sentence, and the product runs on the
// CPU. Thread: any.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/base/file_system.h"
#include "core/compute/backend.h"

namespace espalier {

// Raised whenever the module's entry points or DeviceOps change: a module of another build is refused, not called.
constexpr int kCudaAbi = 1;

struct CudaStatus {
    bool moduleFound = false;
    Path module;                       // where it is, or where it was looked for first
    std::vector<std::string> devices;  // "NVIDIA H200, sm_90, 139.8 GiB"
    std::string problem;               // why there is no device, and what mends it; empty when there is one
};

// What this machine has, for `espalierctl doctor` and the status bar. Costs about 0.2 s when a driver is there.
CudaStatus describeCuda();

// Device `index` of the module. Errors: not_found (no module), device_error (no driver, no device), unsupported (other
// build). The module stays open until the program ends.
Result<std::unique_ptr<DeviceOps>> openCudaDevice(int index = 0);

}  // namespace espalier
