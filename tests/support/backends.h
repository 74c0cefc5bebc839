// SPDX-License-Identifier: GPL-3.0-or-later
// The devices that compute tests run on, and matrices that lie on them in every layout the seam allows.
#pragma once

#include <QByteArray>
#include <functional>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "core/compute/backend.h"
#include "core/compute/cpu/cpu_backend.h"

namespace espalier::test {

struct TestDevice {
    std::unique_ptr<DeviceOps> ops;
    Backend* backend = nullptr;  // ops again, when it has the whole forward pass
    std::string absent;          // why there is none here; empty when there is
    double gemmTolerance = 0.0;  // a device's stated floor, on sum |x w|
};

// "reference", "plain", "avx2", "avx512", "cuda": a device of its own per call.
std::span<const char* const> deviceNames();
TestDevice openTestDevice(const QByteArray& name, int threads = 2);

// Those with the whole Backend that this machine can run, for tests of properties.
std::vector<const char*> backendNames();

enum class Layout { Contiguous, Strided, Offset };
constexpr Layout kLayouts[] = {Layout::Contiguous, Layout::Strided, Layout::Offset};

// [rows, cols] f32 on a device. The bytes around and between the rows hold a pattern: a kernel that reads them gets
// NaN, one that writes them is found out by `intact`.
class DeviceMatrix {
public:
    DeviceMatrix(DeviceOps& ops, std::int64_t rows, std::int64_t cols, Layout layout = Layout::Contiguous);
    DeviceMatrix(DeviceOps& ops, std::int64_t rows, std::int64_t cols, Layout layout, std::span<const float> values);

    void upload(std::span<const float> values);
    std::vector<float> download() const;
    bool intact() const;
    TensorView view() const;    // rank 2
    TensorView vector() const;  // rank 1; requires rows == 1

private:
    std::vector<float> whole() const;

    DeviceOps& m_ops;
    std::unique_ptr<Stream> m_stream;
    std::int64_t m_rows, m_cols, m_stride, m_offset;
    Buffer m_buffer;
};

// Values a model could hold: normal, reproducible.
std::vector<float> normalValues(std::int64_t count, unsigned seed, float scale = 1.0f);
std::vector<float> roundedTo(DType dtype, std::vector<float> values);
std::vector<std::byte> storedAs(DType dtype, std::span<const float> values);
std::vector<double> widened(std::span<const float> values);

// W [n, k] packed on the device, from values already of that type.
WeightMatrix packed(DeviceOps& ops, DType dtype, std::span<const float> values, std::int64_t n, std::int64_t k);

// Weights [n, k] of any stored type, as they lie in a file and as f32: normal values rounded to a plain type; for a
// block type random numbers under plausible scales.
struct WeightSample {
    DType dtype;
    std::int64_t n, k;
    std::vector<std::byte> stored;
    std::vector<float> values;
    // Rows [first, first + count) packed on the device.
    WeightMatrix packed(DeviceOps& ops, std::int64_t first = 0, std::int64_t count = -1) const;
};
WeightSample weightSample(DType dtype, std::int64_t n, std::int64_t k, unsigned seed);

constexpr DType kBlockTypes[] = {DType::Q8_0, DType::Q4_0, DType::Q4_1, DType::Q5_0,
                                 DType::Q5_1, DType::Q4_K, DType::Q5_K, DType::Q6_K};

}  // namespace espalier::test
