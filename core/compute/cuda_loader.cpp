// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/compute/cuda_loader.h"

#include <dlfcn.h>

#include <array>
#include <cstdio>

namespace espalier {
namespace {

// The module's C entry points (cuda/module.cpp). A reason is written into `text` when the answer is negative or null.
struct Module {
    int (*abi)() = nullptr;
    int (*deviceCount)(char* text, int size) = nullptr;
    int (*describe)(int device, char* text, int size) = nullptr;
    DeviceOps* (*create)(int device, char* text, int size) = nullptr;
};

constexpr const char* kFileName = "libespalier_cuda.so";

std::vector<Path> candidates() {
    std::error_code ignored;
    const Path folder = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
    return {folder / kFileName, folder / "../lib" / kFileName, folder / "../lib/espalier" / kFileName};
}

Path findModule() {
    std::error_code ignored;
    for (const Path& path : candidates())
        if (std::filesystem::exists(path, ignored)) return path;
    return {};
}

Result<Module> openModule(const Path& path) {
    if (path.empty())
        return fail(ErrorCode::NotFound, std::string("the CUDA module ") + kFileName +
                                             " is not installed; build with nvcc on the PATH or install the package "
                                             "espalier-cuda");
    void* handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!handle) return fail(ErrorCode::DeviceError, std::string("the CUDA module does not load: ") + ::dlerror());
    Module module;
    const auto find = [&](auto& entry, const char* name) {
        entry = reinterpret_cast<std::remove_reference_t<decltype(entry)>>(::dlsym(handle, name));
        return entry != nullptr;
    };
    const bool complete =
        find(module.abi, "espalier_cuda_abi") && find(module.deviceCount, "espalier_cuda_device_count") &&
        find(module.describe, "espalier_cuda_describe") && find(module.create, "espalier_cuda_create");
    if (!complete || module.abi() != kCudaAbi)
        return fail(ErrorCode::Unsupported, path.string() +
                                                " belongs to another version of Espalier; install both "
                                                "from the same build");
    return module;
}

}  // namespace

CudaStatus describeCuda() {
    CudaStatus status;
    const Path path = findModule();
    status.moduleFound = !path.empty();
    status.module = path.empty() ? candidates().front() : path;
    auto module = openModule(path);
    if (!module) {
        status.problem = module.error().message;
        return status;
    }
    std::array<char, 512> text{};
    const int count = module->deviceCount(text.data(), text.size());
    if (count <= 0) {
        status.problem = count < 0 ? text.data() : "the driver sees no CUDA device";
        return status;
    }
    for (int device = 0; device < count; ++device)
        if (module->describe(device, text.data(), text.size()) == 0) status.devices.emplace_back(text.data());
    return status;
}

Result<std::unique_ptr<DeviceOps>> openCudaDevice(int index) {
    TRY_ASSIGN(const Module module, openModule(findModule()));
    std::array<char, 512> reason{};
    const int count = module.deviceCount(reason.data(), reason.size());
    if (count <= index)
        return fail(ErrorCode::DeviceError, count < 0 ? reason.data()
                                                      : "there is no CUDA device " + std::to_string(index) +
                                                            ", the driver sees " + std::to_string(count));
    DeviceOps* device = module.create(index, reason.data(), reason.size());
    if (!device) return fail(ErrorCode::DeviceError, reason.data());
    return std::unique_ptr<DeviceOps>(device);
}

}  // namespace espalier
