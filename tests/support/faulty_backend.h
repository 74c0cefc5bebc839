// SPDX-License-Identifier: GPL-3.0-or-later
// FaultyBackend: a Backend over another one whose device fails on command, and that tells when a weight is packed
// and counts the calls for adapters.
// Thread: as Backend; the faults may be set from any.
#pragma once

#include <atomic>
#include <functional>

#include "core/compute/backend.h"

namespace espalier::test {

class FaultyBackend final : public Backend {
public:
    explicit FaultyBackend(Backend& device) : m_device(device) {}

    // The next `count` calls of synchronize report a device error.
    void failSynchronize(int count) { m_failures = count; }
    void failAllocate(bool fails) { m_failAllocate = fails; }
    // The n-th call from now on (1: the next) fails, and only that one; 0: none. isArmed: it has not come yet.
    void failSynchronizeAt(int n) { m_synchronizeAt = n; }
    void failAllocateAt(int n) { m_allocateAt = n; }
    bool isArmed() const { return m_synchronizeAt > 0 || m_allocateAt > 0; }
    int memoryFaults() const { return m_memoryFaults; }  // calls that failAllocateAt() failed
    std::function<void()> onPackWeight;                  // set before the engine opens
    std::function<void()> onSynchronize;                 // likewise; before each, on its thread
    std::function<void(std::int64_t bytes)> onCopy;      // before each copy, on its thread
    std::function<void(LoraBatch&)> onLora;              // may change what the device is asked for

    DeviceDesc device() const override { return m_device.device(); }
    Result<Buffer> allocate(std::int64_t bytes, MemoryKind kind) override {
        if (m_failAllocate || comesForMemory()) return fail(ErrorCode::PoolExhausted, "planted: no memory left");
        return m_device.allocate(bytes, kind);
    }
    void copy(Stream& stream, void* to, const void* from, std::int64_t bytes) override {
        if (onCopy) onCopy(bytes);
        m_device.copy(stream, to, from, bytes);
    }
    void fill(Stream& stream, void* to, int byte, std::int64_t bytes) override {
        m_device.fill(stream, to, byte, bytes);
    }
    std::unique_ptr<Stream> makeStream() override { return m_device.makeStream(); }
    std::unique_ptr<StreamEvent> record(Stream& stream) override { return m_device.record(stream); }
    void wait(Stream& stream, const StreamEvent& event) override { m_device.wait(stream, event); }
    Result<void> synchronize(Stream& stream) override {
        if (onSynchronize) onSynchronize();
        int left = m_failures;
        while (left > 0 && !m_failures.compare_exchange_weak(left, left - 1)) continue;
        if (left > 0 || comes(m_synchronizeAt)) return fail(ErrorCode::DeviceError, "planted: the device is gone");
        return m_device.synchronize(stream);
    }
    Result<WeightMatrix> packWeight(ConstTensorView source) override {
        if (onPackWeight) onPackWeight();
        if (comesForMemory()) return fail(ErrorCode::PoolExhausted, "planted: no memory left");
        return m_device.packWeight(source);
    }
    std::int64_t packedBytes(std::int64_t rows, std::int64_t cols, DType dtype) const override {
        return m_device.packedBytes(rows, cols, dtype);
    }
    void gemm(Stream& stream, TensorView y, ConstTensorView x, const WeightMatrix& w, const GemmDesc& desc) override {
        m_device.gemm(stream, y, x, w, desc);
    }
    void norm(Stream& stream, TensorView y, ConstTensorView x, ConstTensorView weight, const NormDesc& desc) override {
        m_device.norm(stream, y, x, weight, desc);
    }
    void gather(Stream& stream, TensorView out, const WeightMatrix& table, ConstTensorView ids) override {
        m_device.gather(stream, out, table, ids);
    }
    void rope(Stream& stream, TensorView x, ConstTensorView cos, ConstTensorView sin, const RopeDesc& desc) override {
        m_device.rope(stream, x, cos, sin, desc);
    }
    void storeKv(Stream& stream, const KvPages& pages, ConstTensorView k, ConstTensorView v,
                 std::span<const Segment> segments) override {
        m_device.storeKv(stream, pages, k, v, segments);
    }
    void attention(Stream& stream, TensorView out, ConstTensorView q, const KvPages& pages,
                   std::span<const Segment> segments, const AttentionDesc& desc) override {
        m_device.attention(stream, out, q, pages, segments, desc);
    }
    void activation(Stream& stream, TensorView out, ConstTensorView gate, ConstTensorView up,
                    ActivationKind kind) override {
        m_device.activation(stream, out, gate, up, kind);
    }
    void add(Stream& stream, TensorView y, ConstTensorView x) override { m_device.add(stream, y, x); }
    void loraShrink(Stream& stream, TensorView v, ConstTensorView x, LoraBatch batch) override {
        ++m_loraCalls;
        if (onLora) onLora(batch);
        m_device.loraShrink(stream, v, x, batch);
    }
    void loraExpand(Stream& stream, TensorView y, ConstTensorView v, LoraBatch batch) override {
        ++m_loraCalls;
        if (onLora) onLora(batch);
        m_device.loraExpand(stream, y, v, batch);
    }
    void loraGather(Stream& stream, TensorView v, ConstTensorView ids, LoraBatch batch) override {
        ++m_loraCalls;
        if (onLora) onLora(batch);
        m_device.loraGather(stream, v, ids, batch);
    }
    void loraActivate(Stream& stream, TensorView v, LoraBatch batch) override {
        ++m_loraCalls;
        if (onLora) onLora(batch);
        m_device.loraActivate(stream, v, batch);
    }
    std::int64_t loraCalls() const { return m_loraCalls; }
    std::int64_t kvPageBytes(int kvHeads, int headDim, DType dtype) const override {
        return m_device.kvPageBytes(kvHeads, headDim, dtype);
    }

protected:
    // Buffers belong to the device that made them.
    void release(std::byte*, std::int64_t, MemoryKind) override { CHECK(false); }

private:
    static bool comes(std::atomic<int>& at) {
        int left = at;
        while (left > 0 && !at.compare_exchange_weak(left, left - 1)) continue;
        return left == 1;
    }

    bool comesForMemory() {
        const bool isDue = comes(m_allocateAt);
        m_memoryFaults += isDue;
        return isDue;
    }

    Backend& m_device;
    std::atomic<int> m_memoryFaults = 0;
    std::atomic<int> m_failures = 0, m_synchronizeAt = 0, m_allocateAt = 0;
    std::atomic<bool> m_failAllocate = false;
    std::atomic<std::int64_t> m_loraCalls = 0;
};

}  // namespace espalier::test
