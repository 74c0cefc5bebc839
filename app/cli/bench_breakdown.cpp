// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/bench_breakdown.h"

namespace espalier::cli {
namespace {

// Adds the time of its life to a part.
class Timing {
public:
    Timing(const Clock& clock, StepTimes& times, StepPart part)
        : m_clock(clock), m_seconds(times.seconds[static_cast<std::size_t>(part)]), m_began(clock.now()) {}
    ~Timing() { m_seconds += seconds(m_clock.now() - m_began); }
    Timing(const Timing&) = delete;

private:
    const Clock& m_clock;
    double& m_seconds;
    TimePoint m_began;
};

class TimedBackend final : public Backend {
public:
    TimedBackend(Backend& backend, const Clock& clock, StepTimes& times)
        : m_backend(backend), m_clock(clock), m_times(times) {}

    DeviceDesc device() const override { return m_backend.device(); }
    Result<Buffer> allocate(std::int64_t bytes, MemoryKind kind) override { return m_backend.allocate(bytes, kind); }
    void copy(Stream& s, void* to, const void* from, std::int64_t bytes) override {
        m_backend.copy(s, to, from, bytes);
    }
    void fill(Stream& s, void* to, int byte, std::int64_t bytes) override { m_backend.fill(s, to, byte, bytes); }
    std::unique_ptr<Stream> makeStream() override { return m_backend.makeStream(); }
    std::unique_ptr<StreamEvent> record(Stream& s) override { return m_backend.record(s); }
    void wait(Stream& s, const StreamEvent& event) override { m_backend.wait(s, event); }
    Result<void> synchronize(Stream& s) override { return m_backend.synchronize(s); }
    Result<WeightMatrix> packWeight(ConstTensorView source) override { return m_backend.packWeight(source); }
    std::int64_t packedBytes(std::int64_t rows, std::int64_t cols, DType dtype) const override {
        return m_backend.packedBytes(rows, cols, dtype);
    }
    std::int64_t kvPageBytes(int kvHeads, int headDim, DType dtype) const override {
        return m_backend.kvPageBytes(kvHeads, headDim, dtype);
    }

    void gemm(Stream& s, TensorView y, ConstTensorView x, const WeightMatrix& w, const GemmDesc& desc) override {
        m_times.note(StepPart::Products, y);
        const Timing timing(m_clock, m_times, StepPart::Products);
        m_backend.gemm(s, y, x, w, desc);
    }
    void norm(Stream& s, TensorView y, ConstTensorView x, ConstTensorView weight, const NormDesc& desc) override {
        m_times.note(StepPart::Norm, y);
        const Timing timing(m_clock, m_times, StepPart::Norm);
        m_backend.norm(s, y, x, weight, desc);
    }
    void gather(Stream& s, TensorView out, const WeightMatrix& table, ConstTensorView ids) override {
        m_times.note(StepPart::Gather, out);
        const Timing timing(m_clock, m_times, StepPart::Gather);
        m_backend.gather(s, out, table, ids);
    }
    void rope(Stream& s, TensorView x, ConstTensorView cos, ConstTensorView sin, const RopeDesc& desc) override {
        m_times.note(StepPart::Rope, x);
        const Timing timing(m_clock, m_times, StepPart::Rope);
        m_backend.rope(s, x, cos, sin, desc);
    }
    void storeKv(Stream& s, const KvPages& pages, ConstTensorView k, ConstTensorView v,
                 std::span<const Segment> segments) override {
        m_times.note(StepPart::StoreKv, k);
        const Timing timing(m_clock, m_times, StepPart::StoreKv);
        m_backend.storeKv(s, pages, k, v, segments);
    }
    void attention(Stream& s, TensorView out, ConstTensorView q, const KvPages& pages,
                   std::span<const Segment> segments, const AttentionDesc& desc) override {
        m_times.note(StepPart::Attention, out);
        const Timing timing(m_clock, m_times, StepPart::Attention);
        m_backend.attention(s, out, q, pages, segments, desc);
    }
    void activation(Stream& s, TensorView out, ConstTensorView gate, ConstTensorView up, ActivationKind kind) override {
        m_times.note(StepPart::Activation, out);
        const Timing timing(m_clock, m_times, StepPart::Activation);
        m_backend.activation(s, out, gate, up, kind);
    }
    void add(Stream& s, TensorView y, ConstTensorView x) override {
        m_times.note(StepPart::Add, y);
        const Timing timing(m_clock, m_times, StepPart::Add);
        m_backend.add(s, y, x);
    }
    void loraShrink(Stream& s, TensorView v, ConstTensorView x, LoraBatch batch) override {
        m_times.note(StepPart::Adapters, v);
        const Timing timing(m_clock, m_times, StepPart::Adapters);
        m_backend.loraShrink(s, v, x, batch);
    }
    void loraExpand(Stream& s, TensorView y, ConstTensorView v, LoraBatch batch) override {
        m_times.note(StepPart::Adapters, y);
        const Timing timing(m_clock, m_times, StepPart::Adapters);
        m_backend.loraExpand(s, y, v, batch);
    }
    void loraGather(Stream& s, TensorView v, ConstTensorView ids, LoraBatch batch) override {
        m_times.note(StepPart::Adapters, v);
        const Timing timing(m_clock, m_times, StepPart::Adapters);
        m_backend.loraGather(s, v, ids, batch);
    }
    void loraActivate(Stream& s, TensorView v, LoraBatch batch) override {
        m_times.note(StepPart::Adapters, v);
        const Timing timing(m_clock, m_times, StepPart::Adapters);
        m_backend.loraActivate(s, v, batch);
    }

private:
    void release(std::byte*, std::int64_t, MemoryKind) override { CHECK(false); }  // every Buffer knows its own backend

    Backend& m_backend;
    const Clock& m_clock;
    StepTimes& m_times;
};

class TimedTransformer final : public Transformer {
public:
    TimedTransformer(Transformer& transformer, const Clock& clock, StepTimes& times)
        : m_transformer(transformer), m_clock(clock), m_times(times) {}

    const ArchSpec& spec() const override { return m_transformer.spec(); }
    std::int64_t weightBytes() const override { return m_transformer.weightBytes(); }
    std::int64_t workspaceBytes() const override { return m_transformer.workspaceBytes(); }
    std::int32_t maxBatchTokens() const override { return m_transformer.maxBatchTokens(); }
    std::int32_t maxLogitRows() const override { return m_transformer.maxLogitRows(); }
    Result<Output> forward(Stream& stream, const ForwardBatch& batch, std::span<const KvPages> kv) override {
        const Timing timing(m_clock, m_times, StepPart::Forward);
        return m_transformer.forward(stream, batch, kv);
    }

private:
    Transformer& m_transformer;
    const Clock& m_clock;
    StepTimes& m_times;
};

}  // namespace

std::unique_ptr<Backend> timedBackend(Backend& backend, const Clock& clock, StepTimes& times) {
    return std::make_unique<TimedBackend>(backend, clock, times);
}

std::unique_ptr<Transformer> timedTransformer(Transformer& transformer, const Clock& clock, StepTimes& times) {
    return std::make_unique<TimedTransformer>(transformer, clock, times);
}

}  // namespace espalier::cli
