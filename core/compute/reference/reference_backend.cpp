// SPDX-License-Identifier: GPL-3.0-or-later
// How it differs from the contract: it does not. Each operation is the formula of backend.h in the order it states.
#include "core/compute/reference/reference_backend.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <vector>

#include "core/compute/contract.h"
#include "core/tensor/quantized_block.h"

namespace espalier {
namespace {

float load(DType dtype, const std::byte* data, std::int64_t index) {
    if (dtype == DType::F32) return reinterpret_cast<const float*>(data)[index];
    const std::uint16_t bits = reinterpret_cast<const std::uint16_t*>(data)[index];
    return dtype == DType::BF16 ? bf16ToF32(bits) : f16ToF32(bits);
}

void save(DType dtype, std::byte* data, std::int64_t index, float value) {
    if (dtype == DType::F32)
        reinterpret_cast<float*>(data)[index] = value;
    else
        reinterpret_cast<std::uint16_t*>(data)[index] = dtype == DType::BF16 ? f32ToBf16(value) : f32ToF16(value);
}

float activate(ActivationKind kind, float x) {
    switch (kind) {
        case ActivationKind::Silu:
            return x / (1.0f + std::exp(-x));
        case ActivationKind::Gelu:
            return 0.5f * x * (1.0f + std::erf(x * 0.70710678118654752f));
        case ActivationKind::GeluTanh:
            return 0.5f * x * (1.0f + std::tanh(0.79788456080286536f * (x + 0.044715f * x * x * x)));
        case ActivationKind::Relu:
            return std::max(x, 0.0f);
    }
    return x;
}

// Row t of a [T, D] f32 view whose columns are adjacent.
template <class View>
auto* row(const View& view, std::int64_t t) {
    return view.template as<float>() + t * view.stride[0];
}

// Row n of W, which lies as it was given.
void loadRow(const WeightMatrix& w, std::int64_t n, std::span<float> to) {
    if (isBlock(w.dtype)) return dequantize(w.dtype, w.panels.data() + storedBytes(w.dtype, n * w.cols), to);
    for (std::size_t k = 0; k < to.size(); ++k)
        to[k] = load(w.dtype, w.panels.data(), n * w.cols + static_cast<std::int64_t>(k));
}

// A page holds K [kvHeads][16][headDim], then V in the same form.
struct PageLayout {
    const KvPages& pages;
    std::int64_t index(bool value, std::int64_t page, int head, int slot, int d) const {
        const std::int64_t half = static_cast<std::int64_t>(pages.kvHeads) * kTokensPerPage * pages.headDim;
        const auto element = static_cast<std::int64_t>(bytesOf(pages.dtype));
        return page * (pages.pageBytes / element) + (value ? half : 0) +
               (static_cast<std::int64_t>(head) * kTokensPerPage + slot) * pages.headDim + d;
    }
    float get(bool value, std::int64_t page, int head, int slot, int d) const {
        return load(pages.dtype, pages.base, index(value, page, head, slot, d));
    }
};

// Element [rank, column] of the matrix of `width` columns whose first tile is given.
float loraValue(const LoraModule& module, std::int32_t firstTile, std::int32_t width, int rank, std::int32_t column) {
    const std::int32_t tile =
        firstTile + rank / kLoraSlab * loraTilesAcross(width, module.tileColumns) + column / module.tileColumns;
    const std::byte* at = module.pages[static_cast<std::size_t>(tile / module.tilesPerPage)] +
                          tile % module.tilesPerPage * loraTileBytes(module.tileColumns, module.dtype);
    return load(module.dtype, at, rank % kLoraSlab * module.tileColumns + column % module.tileColumns);
}

class ReferenceBackend final : public Backend {
public:
    DeviceDesc device() const override {
        return {DeviceKind::Cpu, "reference, 1 thread", "reference", std::int64_t{1} << 36, std::int64_t{1} << 36, 1};
    }

    Result<Buffer> allocate(std::int64_t bytes, MemoryKind kind) override {
        CHECK(bytes > 0);
        const auto size = (static_cast<std::size_t>(bytes) + 4095) / 4096 * 4096;
        void* data = std::aligned_alloc(4096, size);
        if (!data) return fail(ErrorCode::PoolExhausted, "allocating " + std::to_string(bytes) + " bytes");
        std::memset(data, 0, size);
        return Buffer(*this, static_cast<std::byte*>(data), bytes, kind);
    }
    void copy(Stream&, void* to, const void* from, std::int64_t bytes) override {
        if (bytes > 0) std::memcpy(to, from, static_cast<std::size_t>(bytes));  // nothing may come with null
    }
    void fill(Stream&, void* to, int byte, std::int64_t bytes) override {
        std::memset(to, byte, static_cast<std::size_t>(bytes));
    }

    std::unique_ptr<Stream> makeStream() override { return std::make_unique<Stream>(); }
    std::unique_ptr<StreamEvent> record(Stream&) override { return std::make_unique<StreamEvent>(); }
    void wait(Stream&, const StreamEvent&) override {}
    Result<void> synchronize(Stream&) override { return {}; }

    Result<WeightMatrix> packWeight(ConstTensorView source) override {
        CHECK(source.rank == 2 && source.isContiguous() && source.cols() % blockOf(source.dtype).values == 0);
        TRY_ASSIGN(Buffer panels,
                   allocate(packedBytes(source.rows(), source.cols(), source.dtype), MemoryKind::Device));
        std::memcpy(panels.data(), source.data, static_cast<std::size_t>(panels.bytes()));
        return WeightMatrix{source.rows(), source.cols(), source.dtype, std::move(panels)};
    }
    std::int64_t packedBytes(std::int64_t rows, std::int64_t cols, DType dtype) const override {
        return storedBytes(dtype, rows * cols);
    }

    void gemm(Stream&, TensorView y, ConstTensorView x, const WeightMatrix& w, const GemmDesc& desc) override {
        CHECK(x.cols() == w.cols && y.cols() == w.rows && x.rows() == y.rows());
        std::vector<float> weights(static_cast<std::size_t>(w.cols));
        for (std::int64_t n = 0; n < w.rows; ++n) {
            loadRow(w, n, weights);
            for (std::int64_t t = 0; t < x.rows(); ++t) {
                float sum = 0.0f;
                for (std::int64_t k = 0; k < w.cols; ++k) sum += row(x, t)[k] * weights[static_cast<std::size_t>(k)];
                if (desc.bias.data) sum += desc.bias.as<float>()[n];
                row(y, t)[n] = desc.accumulate ? row(y, t)[n] + sum : sum;
            }
        }
    }

    void norm(Stream&, TensorView y, ConstTensorView x, ConstTensorView weight, const NormDesc& desc) override {
        const std::int64_t dim = x.cols() / desc.groups;
        CHECK(y.cols() == x.cols() && dim * desc.groups == x.cols() && weight.count() == dim && y.rows() == x.rows());
        const auto count = static_cast<float>(dim);
        for (std::int64_t group = 0; group < x.rows() * desc.groups; ++group) {
            const std::int64_t first = group % desc.groups * dim;
            const float* in = row(x, group / desc.groups) + first;
            float* out = row(y, group / desc.groups) + first;
            float mean = 0.0f;
            if (desc.kind == NormKind::LayerNorm) {
                for (std::int64_t d = 0; d < dim; ++d) mean += in[d];
                mean /= count;
            }
            float squares = 0.0f;
            for (std::int64_t d = 0; d < dim; ++d) squares += (in[d] - mean) * (in[d] - mean);
            const float scale = 1.0f / std::sqrt(squares / count + desc.eps);
            for (std::int64_t d = 0; d < dim; ++d) {
                const float value = (in[d] - mean) * scale * weight.as<float>()[d];
                out[d] = desc.bias.data ? value + desc.bias.as<float>()[d] : value;
            }
        }
    }

    void gather(Stream&, TensorView out, const WeightMatrix& table, ConstTensorView ids) override {
        CHECK(out.cols() == table.cols && ids.count() == out.rows());
        for (std::int64_t t = 0; t < out.rows(); ++t) {
            const std::int64_t id = ids.as<std::int32_t>()[t];
            CHECK(id >= 0 && id < table.rows);
            loadRow(table, id, {row(out, t), static_cast<std::size_t>(table.cols)});
        }
    }

    void rope(Stream&, TensorView x, ConstTensorView cos, ConstTensorView sin, const RopeDesc& desc) override {
        const int half = desc.rotaryDim / 2;
        CHECK(x.cols() == desc.heads * desc.headDim && cos.cols() == half && sin.cols() == half);
        for (std::int64_t t = 0; t < x.rows(); ++t)
            for (int head = 0; head < desc.heads; ++head) {
                float* pair = row(x, t) + head * desc.headDim;
                for (int i = 0; i < half; ++i) {
                    const float c = row(cos, t)[i];
                    const float s = row(sin, t)[i];
                    const float first = pair[i];
                    const float second = pair[i + half];
                    pair[i] = first * c - second * s;
                    pair[i + half] = second * c + first * s;
                }
            }
    }

    void storeKv(Stream&, const KvPages& pages, ConstTensorView k, ConstTensorView v,
                 std::span<const Segment> segments) override {
        const PageLayout layout{pages};
        for (const Segment& segment : segments)
            for (int i = 0; i < segment.rows; ++i) {
                const int position = segment.position0 + i;
                const std::int64_t page = segment.pages[static_cast<std::size_t>(position / kTokensPerPage)];
                for (int head = 0; head < pages.kvHeads; ++head)
                    for (int d = 0; d < pages.headDim; ++d) {
                        const int column = head * pages.headDim + d;
                        const int slot = position % kTokensPerPage;
                        save(pages.dtype, pages.base, layout.index(false, page, head, slot, d),
                             row(k, segment.firstRow + i)[column]);
                        save(pages.dtype, pages.base, layout.index(true, page, head, slot, d),
                             row(v, segment.firstRow + i)[column]);
                    }
            }
    }

    void attention(Stream&, TensorView out, ConstTensorView q, const KvPages& pages, std::span<const Segment> segments,
                   const AttentionDesc& desc) override {
        CHECK(desc.heads % pages.kvHeads == 0);
        for (const Segment& segment : segments)
            for (int i = 0; i < segment.rows; ++i)
                for (int head = 0; head < desc.heads; ++head)
                    attendOne(row(out, segment.firstRow + i) + head * pages.headDim,
                              row(q, segment.firstRow + i) + head * pages.headDim, pages, segment,
                              segment.position0 + i, head / (desc.heads / pages.kvHeads), desc);
    }

    void activation(Stream&, TensorView out, ConstTensorView gate, ConstTensorView up, ActivationKind kind) override {
        CHECK(out.cols() == gate.cols() && out.rows() == gate.rows());
        for (std::int64_t t = 0; t < out.rows(); ++t)
            for (std::int64_t f = 0; f < out.cols(); ++f) {
                const float value = activate(kind, row(gate, t)[f]);
                row(out, t)[f] = up.data ? value * row(up, t)[f] : value;
            }
    }

    void add(Stream&, TensorView y, ConstTensorView x) override {
        CHECK(y.cols() == x.cols() && y.rows() == x.rows());
        for (std::int64_t t = 0; t < y.rows(); ++t)
            for (std::int64_t d = 0; d < y.cols(); ++d) row(y, t)[d] += row(x, t)[d];
    }

    void loraShrink(Stream&, TensorView v, ConstTensorView x, LoraBatch batch) override {
        contract::loraShrink(v, x, batch);
        for (const LoraRows& part : batch)
            for (const LoraModule& module : part.modules)
                for (std::int64_t t = part.firstRow; t < part.firstRow + part.rows; ++t)
                    for (int j = 0; j < loraSlabs(module.rank) * kLoraSlab; ++j) {
                        float sum = 0.0f;
                        for (std::int32_t k = 0; k < module.inputs; ++k)
                            sum += row(x, t)[k] * loraValue(module, module.firstTile, module.inputs, j, k);
                        row(v, t)[module.firstRank + j] = module.activation ? sum : module.scale * sum;
                    }
    }

    void loraExpand(Stream&, TensorView y, ConstTensorView v, LoraBatch batch) override {
        contract::loraExpand(y, v, batch);
        for (const LoraRows& part : batch)
            for (const LoraModule& module : part.modules)
                for (std::int64_t t = part.firstRow; t < part.firstRow + part.rows; ++t)
                    for (std::int32_t n = 0; n < module.outputs; ++n) {
                        float sum = 0.0f;
                        for (int j = 0; j < module.rank; ++j)
                            sum += row(v, t)[module.firstRank + j] *
                                   loraValue(module, module.firstTileOfB(), module.outputs, j, n);
                        row(y, t)[module.firstOutput + n] += sum;
                    }
    }

    void loraGather(Stream&, TensorView v, ConstTensorView ids, LoraBatch batch) override {
        contract::loraGather(v, ids, batch);
        for (const LoraRows& part : batch)
            for (const LoraModule& module : part.modules)
                for (std::int64_t t = part.firstRow; t < part.firstRow + part.rows; ++t)
                    for (int j = 0; j < loraSlabs(module.rank) * kLoraSlab; ++j)
                        row(v, t)[module.firstRank + j] =
                            module.scale *
                            loraValue(module, module.firstTile, module.inputs, j, ids.as<std::int32_t>()[t]);
    }

    void loraActivate(Stream&, TensorView v, LoraBatch batch) override {
        contract::loraActivate(v, batch);
        for (const LoraRows& part : batch)
            for (const LoraModule& module : part.modules)
                for (std::int64_t t = part.firstRow; t < part.firstRow + part.rows; ++t) {
                    float* ranks = row(v, t) + module.firstRank;
                    for (int j = 0; j < module.rank - 1; ++j) {
                        const float bias = loraValue(module, module.firstTileOfBias(), module.rank, 0, j);
                        ranks[j] = module.scale * activate(*module.activation, ranks[j] + bias);
                    }
                    ranks[module.rank - 1] = module.scale;
                }
    }

    std::int64_t kvPageBytes(int kvHeads, int headDim, DType dtype) const override {
        return 2LL * kvHeads * kTokensPerPage * headDim * static_cast<std::int64_t>(bytesOf(dtype));
    }

private:
    // One query of one head: all scores, their maximum, then exponentials and values in ascending key order.
    static void attendOne(float* out, const float* q, const KvPages& pages, const Segment& segment, int position,
                          int kvHead, const AttentionDesc& desc) {
        const PageLayout layout{pages};
        const int first = desc.window > 0 ? std::max(0, position - desc.window + 1) : 0;
        const int last = desc.causal ? position : segment.rows - 1;
        const auto page = [&](int j) { return segment.pages[static_cast<std::size_t>(j / kTokensPerPage)]; };
        std::vector<float> weights;
        float largest = -std::numeric_limits<float>::infinity();
        for (int j = first; j <= last; ++j) {
            float score = 0.0f;
            for (int d = 0; d < pages.headDim; ++d)
                score += q[d] * layout.get(false, page(j), kvHead, j % kTokensPerPage, d);
            weights.push_back(score * desc.scale);
            largest = std::max(largest, weights.back());
        }
        float sum = 0.0f;
        for (float& weight : weights) sum += weight = std::exp(weight - largest);
        std::fill_n(out, pages.headDim, 0.0f);
        for (int j = first; j <= last; ++j)
            for (int d = 0; d < pages.headDim; ++d)
                out[d] += weights[static_cast<std::size_t>(j - first)] *
                          layout.get(true, page(j), kvHead, j % kTokensPerPage, d);
        for (int d = 0; d < pages.headDim; ++d) out[d] /= sum;
    }

    void release(std::byte* data, std::int64_t, MemoryKind) override { std::free(data); }
};

}  // namespace

std::unique_ptr<Backend> makeReferenceBackend() {
    return std::make_unique<ReferenceBackend>();
}

}  // namespace espalier
