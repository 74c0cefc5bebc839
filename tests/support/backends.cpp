// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/backends.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "core/base/check.h"
#include "core/compute/cuda_loader.h"
#include "core/compute/reference/reference_backend.h"
#include "core/tensor/quantized_block.h"

namespace espalier::test {
namespace {

constexpr std::uint32_t kUntouched = 0x7fc0dead;  // a NaN

constexpr const char* kNames[] = {"reference", "plain", "avx2", "avx512", "cuda"};

TestDevice cpuAt(IsaLevel level, int threads) {
    TestDevice device;
    if (level > bestIsa()) {
        device.absent = "this processor stops at " + std::string(isaName(bestIsa()));
        return device;
    }
    auto backend = makeCpuBackend({.threads = threads, .isa = level});
    device.backend = backend.get();
    device.ops = std::move(backend);
    return device;
}

}  // namespace

std::span<const char* const> deviceNames() {
    return kNames;
}

TestDevice openTestDevice(const QByteArray& name, int threads) {
    if (name == "plain") return cpuAt(IsaLevel::Plain, threads);
    if (name == "avx2") return cpuAt(IsaLevel::Avx2, threads);
    if (name == "avx512") return cpuAt(IsaLevel::Avx512, threads);
    TestDevice device;
    if (name == "cuda") {
        auto opened = openCudaDevice();
        if (!opened)
            device.absent = opened.error().message;
        else
            device.ops = std::move(opened).value();
        device.gemmTolerance = 4e-6;  // cuBLASLt's order of summation, and bf16 weights times a split f32
        return device;
    }
    CHECK(name == "reference");
    auto backend = makeReferenceBackend();
    device.backend = backend.get();
    device.ops = std::move(backend);
    return device;
}

std::vector<const char*> backendNames() {
    std::vector<const char*> names = {"reference", "plain"};
    if (bestIsa() >= IsaLevel::Avx2) names.push_back("avx2");
    if (bestIsa() >= IsaLevel::Avx512) names.push_back("avx512");
    return names;
}

DeviceMatrix::DeviceMatrix(DeviceOps& ops, std::int64_t rows, std::int64_t cols, Layout layout)
    : m_ops(ops),
      m_stream(ops.makeStream()),
      m_rows(rows),
      m_cols(cols),
      m_stride(layout == Layout::Contiguous ? cols : cols + 5),
      m_offset(layout == Layout::Offset ? 3 : 0) {
    const std::vector<float> pattern(static_cast<std::size_t>(m_offset + m_rows * m_stride + 1),
                                     std::bit_cast<float>(kUntouched));
    const auto bytes = static_cast<std::int64_t>(pattern.size() * sizeof(float));
    m_buffer = ops.allocate(bytes).value();
    ops.copy(*m_stream, m_buffer.data(), pattern.data(), bytes);
    CHECK(ops.synchronize(*m_stream));
}

DeviceMatrix::DeviceMatrix(DeviceOps& ops, std::int64_t rows, std::int64_t cols, Layout layout,
                           std::span<const float> values)
    : DeviceMatrix(ops, rows, cols, layout) {
    upload(values);
}

void DeviceMatrix::upload(std::span<const float> values) {
    CHECK(static_cast<std::int64_t>(values.size()) == m_rows * m_cols);
    std::vector<float> all = whole();
    for (std::int64_t t = 0; t < m_rows; ++t)
        std::copy_n(values.data() + t * m_cols, m_cols, all.data() + m_offset + t * m_stride);
    m_ops.copy(*m_stream, m_buffer.data(), all.data(), m_buffer.bytes());
    CHECK(m_ops.synchronize(*m_stream));
}

std::vector<float> DeviceMatrix::whole() const {
    std::vector<float> all(static_cast<std::size_t>(m_buffer.bytes()) / sizeof(float));
    m_ops.copy(*m_stream, all.data(), m_buffer.data(), m_buffer.bytes());
    CHECK(m_ops.synchronize(*m_stream));
    return all;
}

std::vector<float> DeviceMatrix::download() const {
    const std::vector<float> all = whole();
    std::vector<float> values;
    for (std::int64_t t = 0; t < m_rows; ++t) {
        const auto first = all.begin() + m_offset + t * m_stride;
        values.insert(values.end(), first, first + m_cols);
    }
    return values;
}

bool DeviceMatrix::intact() const {
    const std::vector<float> all = whole();
    for (std::int64_t i = 0; i < static_cast<std::int64_t>(all.size()); ++i) {
        const std::int64_t in = i - m_offset;
        const bool inside = in >= 0 && in < m_rows * m_stride && in % m_stride < m_cols;
        if (!inside && std::bit_cast<std::uint32_t>(all[static_cast<std::size_t>(i)]) != kUntouched) return false;
    }
    return true;
}

TensorView DeviceMatrix::view() const {
    TensorView view(m_buffer.data() + m_offset * static_cast<std::int64_t>(sizeof(float)), DType::F32,
                    {m_rows, m_cols});
    view.stride[0] = m_stride;
    return view;
}

TensorView DeviceMatrix::vector() const {
    CHECK(m_rows == 1);
    return TensorView(view().data, DType::F32, {m_cols});
}

std::vector<float> normalValues(std::int64_t count, unsigned seed, float scale) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal(0.0f, scale);
    std::vector<float> values(static_cast<std::size_t>(count));
    for (float& value : values) value = normal(random);
    return values;
}

std::vector<float> roundedTo(DType dtype, std::vector<float> values) {
    for (float& value : values) {
        if (dtype == DType::BF16) value = bf16ToF32(f32ToBf16(value));
        if (dtype == DType::F16) value = f16ToF32(f32ToF16(value));
    }
    return values;
}

std::vector<std::byte> storedAs(DType dtype, std::span<const float> values) {
    std::vector<std::byte> bytes(values.size() * bytesOf(dtype));
    for (std::size_t i = 0; i < values.size(); ++i) {
        const std::uint16_t half = dtype == DType::BF16 ? f32ToBf16(values[i]) : f32ToF16(values[i]);
        const void* from = dtype == DType::F32 ? static_cast<const void*>(&values[i]) : &half;
        std::memcpy(&bytes[i * bytesOf(dtype)], from, bytesOf(dtype));
    }
    return bytes;
}

std::vector<double> widened(std::span<const float> values) {
    return {values.begin(), values.end()};
}

WeightMatrix packed(DeviceOps& ops, DType dtype, std::span<const float> values, std::int64_t n, std::int64_t k) {
    const std::vector<std::byte> bytes = storedAs(dtype, values);
    return ops.packWeight(ConstTensorView(bytes.data(), dtype, {n, k})).value();
}

WeightMatrix WeightSample::packed(DeviceOps& ops, std::int64_t first, std::int64_t count) const {
    const std::byte* rows = stored.data() + storedBytes(dtype, first * k);
    return ops.packWeight(ConstTensorView(rows, dtype, {count < 0 ? n - first : count, k})).value();
}

WeightSample weightSample(DType dtype, std::int64_t n, std::int64_t k, unsigned seed) {
    WeightSample sample{dtype, n, k, {}, {}};
    if (!isBlock(dtype)) {
        sample.values = roundedTo(dtype, normalValues(n * k, seed));
        sample.stored = storedAs(dtype, sample.values);
        return sample;
    }
    std::mt19937 random(seed);
    sample.stored.resize(static_cast<std::size_t>(storedBytes(dtype, n * k)));
    for (std::byte& byte : sample.stored) byte = static_cast<std::byte>(random());
    const auto size = static_cast<std::size_t>(blockOf(dtype).bytes);
    for (std::size_t block = 0; block < sample.stored.size(); block += size)
        for (const int offset : scaleOffsets(dtype)) {
            const float scale = (static_cast<float>(random() % 2000) - 1000.0f) / 16000.0f;
            const std::uint16_t bits = f32ToF16(scale);
            std::memcpy(&sample.stored[block + static_cast<std::size_t>(offset)], &bits, sizeof bits);
        }
    sample.values.resize(static_cast<std::size_t>(n * k));
    dequantize(dtype, sample.stored.data(), sample.values);
    return sample;
}

}  // namespace espalier::test
