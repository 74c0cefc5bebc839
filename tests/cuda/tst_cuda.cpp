// SPDX-License-Identifier: GPL-3.0-or-later
// The CUDA module's rows of the parity grid: what DeviceOps promises, against fp64. Skips with the loader's own reason
// where there is no module, driver or device.
#include <QTest>
#include <cmath>
#include <random>
#include <vector>

#include "core/compute/cuda_loader.h"
#include "tests/support/test_main.h"

using namespace espalier;

namespace {

std::vector<float> randomValues(std::int64_t count, std::uint32_t seed) {
    std::mt19937 generator(seed);
    std::vector<float> values(static_cast<std::size_t>(count));
    for (float& value : values) value = static_cast<float>(generator()) / 2147483648.0f - 1.0f;
    return values;
}

std::uint16_t stored(DType dtype, float value) {
    return dtype == DType::BF16 ? f32ToBf16(value) : f32ToF16(value);
}
float read(DType dtype, std::uint16_t bits) {
    return dtype == DType::BF16 ? bf16ToF32(bits) : f16ToF32(bits);
}

}  // namespace

class TestCuda : public QObject {
    Q_OBJECT

    std::unique_ptr<DeviceOps> m_device;
    std::unique_ptr<Stream> m_stream;

    // A device copy of host values.
    Buffer upload(const void* data, std::size_t bytes) {
        auto buffer = m_device->allocate(static_cast<std::int64_t>(bytes));
        if (!buffer) qFatal("%s", buffer.error().message.c_str());
        m_device->copy(*m_stream, buffer->data(), data, static_cast<std::int64_t>(bytes));
        return std::move(*buffer);
    }
    std::vector<float> download(const Buffer& buffer, std::int64_t count) {
        std::vector<float> values(static_cast<std::size_t>(count));
        m_device->copy(*m_stream, values.data(), buffer.data(), count * 4);
        const auto done = m_device->synchronize(*m_stream);
        if (!done) qFatal("%s", done.error().message.c_str());
        return values;
    }

private slots:
    void describingNeverFailsAndSaysWhy() {
        const CudaStatus status = describeCuda();
        QVERIFY(!status.devices.empty() || !status.problem.empty());
        if (status.moduleFound) QVERIFY(status.problem.find("not installed") == std::string::npos);
    }

    void openDevice() {
        auto device = openCudaDevice();
        if (!device) {
            QVERIFY(!device.error().message.empty());
            return;
        }
        m_device = std::move(*device);
        m_stream = m_device->makeStream();
    }

    void gemm_data() {
        QTest::addColumn<int>("dtype");
        QTest::addColumn<int>("t");
        QTest::addColumn<int>("n");
        QTest::addColumn<int>("k");
        for (const DType dtype : {DType::F32, DType::BF16, DType::F16})
            for (const int t : {1, 7, 64, 129})
                for (const int n : {1, 31, 128, 257})
                    for (const int k : {1, 33, 64, 1000})
                        QTest::addRow("%s %d x %d x %d", dtypeName(dtype).data(), t, n, k)
                            << static_cast<int>(dtype) << t << n << k;
    }
    void gemm() {
        if (!m_device) QSKIP(describeCuda().problem.c_str());
        QFETCH(int, dtype);
        QFETCH(int, t);
        QFETCH(int, n);
        QFETCH(int, k);
        const auto type = static_cast<DType>(dtype);
        const auto x = randomValues(t * k, 1);
        const auto bias = randomValues(n, 2);
        const auto old = randomValues(t * n, 3);
        auto w = randomValues(n * k, 4);
        std::vector<std::uint16_t> narrow;
        if (type != DType::F32)
            for (float& value : w) {
                narrow.push_back(stored(type, value));
                value = read(type, narrow.back());
            }
        const void* source = type == DType::F32 ? static_cast<const void*>(w.data()) : narrow.data();
        auto packed = m_device->packWeight({static_cast<const std::byte*>(source), type, {n, k}});
        QVERIFY(packed);
        const Buffer deviceX = upload(x.data(), x.size() * 4);
        const Buffer deviceBias = upload(bias.data(), bias.size() * 4);
        const Buffer deviceY = upload(old.data(), old.size() * 4);
        m_device->gemm(*m_stream, {deviceY.data(), DType::F32, {t, n}}, TensorView(deviceX.data(), DType::F32, {t, k}),
                       *packed, {TensorView(deviceBias.data(), DType::F32, {n}), true});
        const auto y = download(deviceY, t * n);
        for (int row = 0; row < t; ++row)
            for (int column = 0; column < n; ++column) {
                const auto at = static_cast<std::size_t>(row * n + column);
                double sum = bias[static_cast<std::size_t>(column)] + double{old[at]};
                double size = std::abs(sum);
                for (int i = 0; i < k; ++i) {
                    const double product =
                        double{x[static_cast<std::size_t>(row * k + i)]} * w[static_cast<std::size_t>(column * k + i)];
                    sum += product;
                    size += std::abs(product);
                }
                QVERIFY2(
                    std::abs(y[at] - sum) <= 4e-6 * size + 1e-6,
                    qPrintable(QString("row %1 column %2: %3, expected %4").arg(row).arg(column).arg(y[at]).arg(sum)));
            }
    }

    void norm_data() {
        QTest::addColumn<bool>("layerNorm");
        QTest::addColumn<int>("rows");
        QTest::addColumn<int>("groups");
        QTest::addColumn<int>("dim");
        for (const bool layerNorm : {false, true})
            for (const int rows : {1, 3, 70})
                for (const int groups : {1, 5})
                    for (const int dim : {1, 255, 256, 257, 4096})
                        QTest::addRow("%s %d x %d x %d", layerNorm ? "layer" : "rms", rows, groups, dim)
                            << layerNorm << rows << groups << dim;
    }
    void norm() {
        if (!m_device) QSKIP(describeCuda().problem.c_str());
        QFETCH(bool, layerNorm);
        QFETCH(int, rows);
        QFETCH(int, dim);
        QFETCH(int, groups);
        const auto x = randomValues(rows * groups * dim, 5);
        const auto weight = randomValues(dim, 6);
        const Buffer deviceX = upload(x.data(), x.size() * 4);
        const Buffer deviceWeight = upload(weight.data(), weight.size() * 4);
        const Buffer deviceY = upload(x.data(), x.size() * 4);
        const NormDesc desc{layerNorm ? NormKind::LayerNorm : NormKind::RmsNorm, 1e-5f, {}, groups};
        m_device->norm(*m_stream, {deviceY.data(), DType::F32, {rows, groups * dim}},
                       TensorView(deviceX.data(), DType::F32, {rows, groups * dim}),
                       TensorView(deviceWeight.data(), DType::F32, {dim}), desc);
        const auto y = download(deviceY, rows * groups * dim);
        for (int row = 0; row < rows * groups; ++row) {
            const float* in = x.data() + row * dim;
            double mean = 0;
            if (layerNorm) {
                for (int d = 0; d < dim; ++d) mean += in[d];
                mean /= dim;
            }
            double squares = 0;
            for (int d = 0; d < dim; ++d) squares += (in[d] - mean) * (in[d] - mean);
            const double scale = 1.0 / std::sqrt(squares / dim + 1e-5);
            for (int d = 0; d < dim; ++d) {
                const double expected = (in[d] - mean) * scale * weight[static_cast<std::size_t>(d)];
                QVERIFY(std::abs(y[static_cast<std::size_t>(row * dim + d)] - expected) <=
                        2e-5 * (1 + std::abs(expected)));
            }
        }
    }

    void cleanupTestCase() {
        m_stream.reset();
        m_device.reset();
    }
};
ESPALIER_TEST(tst_cuda, TestCuda)
#include "tst_cuda.moc"
