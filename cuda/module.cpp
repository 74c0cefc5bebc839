// SPDX-License-Identifier: GPL-3.0-or-later
// The module's C entry points, the only visible symbols (core/compute/cuda_loader.cpp looks them up).
#include <cstdio>

#include "core/compute/cuda_loader.h"
#include "cuda/cuda_device.h"

#define ESPALIER_ENTRY extern "C" __attribute__((visibility("default")))

ESPALIER_ENTRY int espalier_cuda_abi() {
    return espalier::kCudaAbi;
}

// Number of devices, or -1 with the reason in text.
ESPALIER_ENTRY int espalier_cuda_device_count(char* text, int size) {
    int count = 0;  // the runtime leaves it untouched when there is no driver
    const cudaError_t status = cudaGetDeviceCount(&count);
    if (status == cudaErrorNoDevice) return 0;
    if (status == cudaSuccess) return count;
    std::snprintf(text, static_cast<std::size_t>(size),
                  "no usable NVIDIA driver: %s; install the driver for this device", cudaGetErrorString(status));
    return -1;
}

// 0, and one line for people in text.
ESPALIER_ENTRY int espalier_cuda_describe(int device, char* text, int size) {
    cudaDeviceProp properties{};
    if (cudaGetDeviceProperties(&properties, device) != cudaSuccess) return -1;
    std::snprintf(text, static_cast<std::size_t>(size), "%s, sm_%d%d, %.1f GiB", properties.name, properties.major,
                  properties.minor, static_cast<double>(properties.totalGlobalMem) / (1u << 30));
    return 0;
}

// The caller deletes it. Null with the reason in text.
ESPALIER_ENTRY espalier::DeviceOps* espalier_cuda_create(int device, char* text, int size) {
    auto created = espalier::cuda::CudaDevice::create(device);
    if (!created) {
        std::snprintf(text, static_cast<std::size_t>(size), "%s", created.error().message.c_str());
        return nullptr;
    }
    return std::move(*created).release();
}
