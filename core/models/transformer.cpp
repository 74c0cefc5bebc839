// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/models/transformer.h"

#include <algorithm>
#include <cmath>

#include "core/models/activation_arena.h"
#include "core/models/adapter_pass.h"
#include "core/models/rope_table.h"
#include "core/models/weight_map.h"

namespace espalier {
namespace {

struct NormWeights {
    Buffer weight;
    Buffer bias;
};

struct LayerWeights {
    NormWeights attentionNorm;
    WeightStack qkv;
    Buffer qkvBias;
    Buffer queryNorm;
    Buffer keyNorm;
    WeightMatrix attentionOut;
    Buffer attentionOutBias;
    NormWeights mlpNorm;
    WeightStack gateUp;
    Buffer gateUpBias;
    WeightMatrix down;
    Buffer downBias;
};

struct ModelWeights {
    WeightMatrix embedding;
    WeightMatrix positions;   // no panels when positions are not learned
    WeightMatrix tokenTypes;  // no panels when there are none
    NormWeights embeddingNorm;
    std::vector<LayerWeights> layers;
    NormWeights finalNorm;
    WeightMatrix lmHead;  // no panels when the embedding serves
    std::int64_t deviceBytes = 0;
};

// A vector of f32 on the device; null for a bias the model does not have.
ConstTensorView vectorOf(const Buffer& buffer) {
    if (!buffer.data()) return {};
    return {buffer.data(), DType::F32, {buffer.bytes() / static_cast<std::int64_t>(sizeof(float))}};
}

ActivationKind activationKind(Activation activation) {
    switch (activation) {
        case Activation::Silu:
            return ActivationKind::Silu;
        case Activation::Gelu:
            return ActivationKind::Gelu;
        case Activation::GeluTanh:
            return ActivationKind::GeluTanh;
        case Activation::Relu:
            return ActivationKind::Relu;
    }
    return ActivationKind::Silu;
}

Result<NormWeights> loadNorm(WeightLoader& loader, const TensorStack& weight, const TensorStack& bias) {
    NormWeights norm;
    TRY_ASSIGN(norm.weight, loader.vector(weight));
    TRY_ASSIGN(norm.bias, loader.vector(bias));
    return norm;
}

// A table that the model may not have.
Result<WeightMatrix> loadTable(WeightLoader& loader, const TensorStack& names) {
    if (names.empty()) return WeightMatrix{};
    return loader.matrix(names);
}

Result<LayerWeights> loadLayer(WeightLoader& loader, const LayerTensors& names) {
    LayerWeights layer;
    TRY_ASSIGN(layer.attentionNorm, loadNorm(loader, names.attentionNorm, names.attentionNormBias));
    TRY_ASSIGN(layer.qkv, loader.stack(names.qkv));
    TRY_ASSIGN(layer.qkvBias, loader.vector(names.qkvBias));
    TRY_ASSIGN(layer.queryNorm, loader.vector(names.queryNorm));
    TRY_ASSIGN(layer.keyNorm, loader.vector(names.keyNorm));
    TRY_ASSIGN(layer.attentionOut, loader.matrix(names.attentionOut));
    TRY_ASSIGN(layer.attentionOutBias, loader.vector(names.attentionOutBias));
    TRY_ASSIGN(layer.mlpNorm, loadNorm(loader, names.mlpNorm, names.mlpNormBias));
    TRY_ASSIGN(layer.gateUp, loader.stack(names.gateUp));
    TRY_ASSIGN(layer.gateUpBias, loader.vector(names.gateUpBias));
    TRY_ASSIGN(layer.down, loader.matrix(names.down));
    TRY_ASSIGN(layer.downBias, loader.vector(names.downBias));
    return layer;
}

// Requires: checkWeights passed; allBytes is what it counted.
Result<ModelWeights> loadWeights(Backend& backend, const ArchSpec& spec, const TensorSource& tensors,
                                 std::int64_t allBytes, const TransformerOptions& options) {
    const std::unique_ptr<Stream> stream = backend.makeStream();
    WeightLoader loader(backend, *stream, tensors);
    const auto step = [&]() -> Result<void> {
        if (options.stop.stop_requested()) return fail(ErrorCode::Cancelled, "loading the model was cancelled");
        if (options.progress) options.progress(loader.loadedBytes(), allBytes);
        return {};
    };
    const ModelTensors names = modelTensors(spec, tensors);
    ModelWeights weights;
    TRY(step());
    TRY_ASSIGN(weights.embedding, loader.matrix(names.embedding));
    TRY_ASSIGN(weights.positions, loadTable(loader, names.positions));
    TRY_ASSIGN(weights.tokenTypes, loadTable(loader, names.tokenTypes));
    TRY_ASSIGN(weights.embeddingNorm, loadNorm(loader, names.embeddingNorm, names.embeddingNormBias));
    for (const LayerTensors& layerNames : names.layers) {
        TRY(step());
        TRY_ASSIGN(LayerWeights layer, loadLayer(loader, layerNames));
        weights.layers.push_back(std::move(layer));
    }
    TRY(step());
    TRY_ASSIGN(weights.finalNorm, loadNorm(loader, names.finalNorm, names.finalNormBias));
    TRY_ASSIGN(weights.lmHead, loadTable(loader, names.lmHead));
    TRY(step());
    weights.deviceBytes = loader.deviceBytes();
    return weights;
}

class LoadedTransformer final : public Transformer {
public:
    LoadedTransformer(Backend& backend, const ArchSpec& spec, const TransformerOptions& options, ModelWeights weights,
                      ActivationArena arena)
        : m_ops(backend),
          m_spec(spec),
          m_maxBatchTokens(options.maxBatchTokens),
          m_maxLogitRows(options.maxLogitRows),
          m_attentionScale(static_cast<float>(1.0 / std::sqrt(static_cast<double>(spec.headDim)))),
          m_rope(spec.rope),
          m_weights(std::move(weights)),
          m_arena(std::move(arena)),
          m_adapters(backend),
          m_ropeRows(2 * static_cast<std::size_t>(options.maxBatchTokens) * static_cast<std::size_t>(m_rope.width())),
          m_ids(2 * static_cast<std::size_t>(options.maxBatchTokens)) {}

    const ArchSpec& spec() const override { return m_spec; }
    std::int64_t weightBytes() const override { return m_weights.deviceBytes; }
    std::int64_t workspaceBytes() const override { return m_arena.device.bytes() + m_arena.pinned.bytes(); }
    std::int32_t maxBatchTokens() const override { return m_maxBatchTokens; }
    std::int32_t maxLogitRows() const override { return m_maxLogitRows; }

    Result<Output> forward(Stream& stream, const ForwardBatch& batch, std::span<const KvPages> kv) override {
        checkBatch(batch, kv);
        const auto rows = static_cast<std::int64_t>(batch.tokens.size());
        placeRopeRows(stream, batch.segments, rows);
        TRY(await(batch, 0));
        embed(stream, batch, rows);
        for (std::size_t i = 0; i < m_spec.layers.size(); ++i) {
            TRY(await(batch, i));
            const LayerStep step{batch, i, m_spec.layers[i], m_weights.layers[i], kv[i], rows};
            attentionBlock(stream, step);
            mlpBlock(stream, step);
        }
        if (!batch.logitRows.empty()) TRY(await(batch, m_spec.layers.size()));
        const Output output{logitsOf(stream, batch), hiddenOf(stream, batch.hiddenRows)};
        TRY(m_ops.synchronize(stream));
        return output;
    }

private:
    // One layer of one step.
    struct LayerStep {
        const ForwardBatch& batch;
        std::size_t index;
        const LayerSpec& layer;
        const LayerWeights& weights;
        const KvPages& pages;
        std::int64_t rows;
    };

    // How a block gives its result to the residual.
    struct BlockEnd {
        const WeightMatrix& weight;
        const Buffer& bias;
        const NormWeights& norm;
        LoraSite lora, after;
    };

    static Result<void> await(const ForwardBatch& batch, std::size_t layer) {
        return batch.gate ? batch.gate->await(layer) : Result<void>();
    }

    // residual = embedding of the tokens + that of their types + that of their positions, then a norm: what there is.
    void embed(Stream& stream, const ForwardBatch& batch, std::int64_t rows) {
        const TensorView residual = m_arena.residual.view(rows);
        const TensorView addend = m_arena.normed.view(rows);
        const auto addRows = [&](const WeightMatrix& table, const TensorView& place,
                                 std::span<const std::int32_t> ids) {
            m_ops.gather(stream, addend, table, copyIds(stream, place, ids));
            m_ops.add(stream, residual, addend);
        };
        const TensorView tokens = copyIds(stream, m_arena.tokens, batch.tokens);
        m_ops.gather(stream, residual, m_weights.embedding, tokens);
        m_adapters.addToEmbedding(stream, batch, residual, tokens);
        if (m_spec.tokenTypes > 0) {
            const auto types = std::span(m_ids).first(batch.tokens.size());
            std::fill(types.begin(), types.end(), 0);
            std::copy(batch.tokenTypes.begin(), batch.tokenTypes.end(), types.begin());
            addRows(m_weights.tokenTypes, m_arena.tokenTypes, types);
        }
        if (m_spec.learnedPositions) {
            const auto positions = std::span(m_ids).last(batch.tokens.size());
            auto at = positions.begin();
            for (const Segment& segment : batch.segments)
                for (std::int32_t i = 0; i < segment.rows; ++i) *at++ = m_spec.firstPosition + segment.position0 + i;
            addRows(m_weights.positions, m_arena.positions, positions);
        }
        if (m_spec.embeddingNorm) normalise(stream, residual, residual, m_weights.embeddingNorm);
    }

    TensorView copyIds(Stream& stream, const TensorView& place, std::span<const std::int32_t> ids) {
        m_ops.copy(stream, place.data, ids.data(), static_cast<std::int64_t>(ids.size_bytes()));
        return place.firstRows(static_cast<std::int64_t>(ids.size()));
    }

    // What a block reads: the residual, normalised where norms come first.
    TensorView blockInput(Stream& stream, const NormWeights& norm, std::int64_t rows) {
        const TensorView residual = m_arena.residual.view(rows);
        if (m_spec.normPlace == NormPlace::AfterBlock) return residual;
        const TensorView normed = m_arena.normed.view(rows);
        normalise(stream, normed, residual, norm);
        return normed;
    }

    // residual += W x, with what adapters make of it, normalised where norms come last. The addend gets a place of its
    // own only when a bottleneck adapter reads it; the sum has the same bits either way.
    void endBlock(Stream& stream, const LayerStep& step, const BlockEnd& end, ConstTensorView x) {
        const TensorView residual = m_arena.residual.view(step.rows), scratch = m_arena.normed.view(step.rows);
        const auto isReadBy = [&](BottleneckInput input) {
            return m_adapters.takeBottlenecks(step.batch, step.index, end.after, input);
        };
        const bool isNormed = m_spec.normPlace == NormPlace::AfterBlock, isRead = isReadBy(BottleneckInput::Addend);
        m_ops.gemm(stream, isRead ? scratch : residual, x, end.weight,
                   {.bias = vectorOf(end.bias), .accumulate = !isRead});
        if (isRead) {
            m_ops.add(stream, residual, scratch);
            m_adapters.addBottlenecks(stream, step.batch, residual, scratch);
        }
        m_adapters.addToProjection(stream, step.batch, step.index, end.lora, residual, x);
        if (isReadBy(BottleneckInput::Sum)) {
            if (isNormed) normalise(stream, scratch, residual, end.norm);
            m_adapters.addBottlenecks(stream, step.batch, residual, isNormed ? scratch : residual);
        }
        if (isNormed) normalise(stream, residual, residual, end.norm);
    }

    // residual += o(attention(rope(q), rope(k), v)), with q, k, v = qkv(input)
    void attentionBlock(Stream& stream, const LayerStep& step) {
        const LayerSpec& layer = step.layer;
        const LayerWeights& weights = step.weights;
        const std::int64_t rows = step.rows;
        const std::int64_t queryWidth = std::int64_t{layer.heads} * m_spec.headDim;
        const std::int64_t keyWidth = std::int64_t{layer.kvHeads} * m_spec.headDim;
        const TensorView qkv = m_arena.qkv.view(rows, queryWidth + 2 * keyWidth);
        const TensorView query = qkv.columns(0, queryWidth);
        const TensorView key = qkv.columns(queryWidth, keyWidth);
        const TensorView value = qkv.columns(queryWidth + keyWidth, keyWidth);
        const TensorView attended = m_arena.attended.view(rows, queryWidth);

        const TensorView input = blockInput(stream, weights.attentionNorm, rows);
        multiply(m_ops, stream, qkv, input, weights.qkv, {.bias = vectorOf(weights.qkvBias)});
        m_adapters.addToProjection(stream, step.batch, step.index, LoraSite::Qkv, qkv, input);
        if (m_spec.queryKeyNorm) {
            normaliseHeads(stream, query, weights.queryNorm, layer.heads);
            normaliseHeads(stream, key, weights.keyNorm, layer.kvHeads);
        }
        if (m_rope.width() > 0) {
            rotate(stream, query, layer.heads, rows);
            rotate(stream, key, layer.kvHeads, rows);
        }
        m_ops.storeKv(stream, step.pages, key, value, step.batch.segments);
        m_ops.attention(
            stream, attended, query, step.pages, step.batch.segments,
            {.heads = layer.heads, .scale = m_attentionScale, .window = layer.window, .causal = m_spec.causal});
        endBlock(stream, step,
                 {weights.attentionOut, weights.attentionOutBias, weights.attentionNorm, LoraSite::AttentionOut,
                  LoraSite::AfterAttention},
                 attended);
    }

    // residual += down(activation(gate) * up), with gate, up = gateUp(input); down(activation(up)) without a gate
    void mlpBlock(Stream& stream, const LayerStep& step) {
        const LayerSpec& layer = step.layer;
        const LayerWeights& weights = step.weights;
        const std::int64_t rows = step.rows;
        const std::int64_t neurons = layer.neurons;
        const TensorView gateUp = m_arena.gateUp.view(rows, m_spec.gatedMlp ? 2 * neurons : neurons);
        const TensorView activated = m_arena.activated.view(rows, neurons);

        const TensorView input = blockInput(stream, weights.mlpNorm, rows);
        multiply(m_ops, stream, gateUp, input, weights.gateUp, {.bias = vectorOf(weights.gateUpBias)});
        m_adapters.addToProjection(stream, step.batch, step.index, LoraSite::GateUp, gateUp, input);
        m_ops.activation(stream, activated, gateUp.columns(0, neurons),
                         m_spec.gatedMlp ? gateUp.columns(neurons, neurons) : TensorView{},
                         activationKind(m_spec.activation));
        endBlock(stream, step, {weights.down, weights.downBias, weights.mlpNorm, LoraSite::Down, LoraSite::AfterMlp},
                 activated);
    }

    // Final norm and vocabulary projection of the wanted rows alone.
    ConstTensorView logitsOf(Stream& stream, const ForwardBatch& batch) {
        const auto rows = static_cast<std::int64_t>(batch.logitRows.size());
        const TensorView logits = m_arena.logits.view(rows);
        if (rows == 0) return logits;
        const TensorView selected = selectRows(stream, batch.logitRows);
        finish(stream, selected, selected);
        m_ops.gemm(stream, logits, selected, m_spec.tiedEmbeddings ? m_weights.embedding : m_weights.lmHead, {});
        m_adapters.addToLogits(stream, batch, logits, selected);
        return logits;
    }

    ConstTensorView hiddenOf(Stream& stream, std::span<const std::int32_t> wanted) {
        const TensorView hidden = m_arena.hidden.view(static_cast<std::int64_t>(wanted.size()));
        if (!wanted.empty()) finish(stream, hidden, selectRows(stream, wanted));
        return hidden;
    }

    // y = final norm of x, or x where the last block ended with one. Both contiguous.
    void finish(Stream& stream, TensorView y, TensorView x) {
        if (m_spec.normPlace == NormPlace::BeforeBlock)
            normalise(stream, y, x, m_weights.finalNorm);
        else if (y.data != x.data)
            m_ops.copy(stream, y.data, x.data, x.count() * static_cast<std::int64_t>(sizeof(float)));
    }

    // The wanted rows of the residual, one below the other; neighbours travel in one copy.
    TensorView selectRows(Stream& stream, std::span<const std::int32_t> wanted) {
        const std::int64_t rowBytes = std::int64_t{m_spec.hidden} * static_cast<std::int64_t>(sizeof(float));
        const std::byte* from = m_arena.residual.data;
        std::byte* to = m_arena.selected.data;
        for (std::size_t first = 0; first < wanted.size();) {
            std::size_t end = first + 1;
            while (end < wanted.size() && wanted[end] == wanted[end - 1] + 1) ++end;
            const auto count = static_cast<std::int64_t>(end - first);
            m_ops.copy(stream, to + static_cast<std::int64_t>(first) * rowBytes, from + wanted[first] * rowBytes,
                       count * rowBytes);
            first = end;
        }
        return m_arena.selected.view(static_cast<std::int64_t>(wanted.size()));
    }

    void normalise(Stream& stream, TensorView y, ConstTensorView x, const NormWeights& norm) {
        m_ops.norm(stream, y, x, vectorOf(norm.weight),
                   {.kind = m_spec.norm == NormFamily::RmsNorm ? NormKind::RmsNorm : NormKind::LayerNorm,
                    .eps = static_cast<float>(m_spec.normEps),
                    .bias = vectorOf(norm.bias)});
    }

    void normaliseHeads(Stream& stream, TensorView x, const Buffer& weight, std::int32_t heads) {
        m_ops.norm(stream, x, x, vectorOf(weight),
                   {.kind = NormKind::RmsNorm, .eps = static_cast<float>(m_spec.normEps), .bias = {}, .groups = heads});
    }

    void rotate(Stream& stream, TensorView x, std::int32_t heads, std::int64_t rows) {
        m_ops.rope(stream, x, m_arena.cos.view(rows), m_arena.sin.view(rows),
                   {.heads = heads, .headDim = m_spec.headDim, .rotaryDim = m_spec.rope.rotaryDim});
    }

    void placeRopeRows(Stream& stream, std::span<const Segment> segments, std::int64_t rows) {
        const auto width = static_cast<std::size_t>(m_rope.width());
        const std::span<float> cos = std::span(m_ropeRows).first(static_cast<std::size_t>(rows) * width);
        const std::span<float> sin = std::span(m_ropeRows).subspan(cos.size(), cos.size());
        std::size_t at = 0;
        for (const Segment& segment : segments)
            for (std::int32_t i = 0; i < segment.rows; ++i, at += width)
                m_rope.fill(segment.position0 + i, cos.subspan(at, width), sin.subspan(at, width));
        m_ops.copy(stream, m_arena.cos.data, cos.data(), static_cast<std::int64_t>(cos.size_bytes()));
        m_ops.copy(stream, m_arena.sin.data, sin.data(), static_cast<std::int64_t>(sin.size_bytes()));
    }

    void checkBatch(const ForwardBatch& batch, std::span<const KvPages> kv) const {
        const auto rows = static_cast<std::int64_t>(batch.tokens.size());
        CHECK(rows > 0 && rows <= m_maxBatchTokens);
        CHECK(kv.size() == m_spec.layers.size());
        CHECK(batch.logitRows.size() <= static_cast<std::size_t>(m_maxLogitRows));
        for (const std::int32_t token : batch.tokens) CHECK(token >= 0 && token < m_spec.vocabulary);
        std::int64_t covered = 0;
        for (const Segment& segment : batch.segments) {
            CHECK(segment.firstRow == covered && segment.rows > 0 && segment.position0 >= 0);
            CHECK(m_spec.causal || segment.position0 == 0);
            const std::int64_t end = std::int64_t{segment.position0} + segment.rows;
            CHECK(!m_spec.learnedPositions || end <= m_spec.context);
            CHECK(static_cast<std::int64_t>(segment.pages.size()) * kTokensPerPage >= end);
            covered += segment.rows;
        }
        CHECK(covered == rows);
        CHECK(m_spec.lmHead || batch.logitRows.empty());
        for (const AdapterRows& part : batch.adapters) CHECK(part.adapter->layers.size() == m_spec.layers.size());
        CHECK(batch.tokenTypes.empty() || batch.tokenTypes.size() == batch.tokens.size());
        for (const std::int32_t type : batch.tokenTypes) CHECK(type >= 0 && type < m_spec.tokenTypes);
        for (const auto wanted : {batch.logitRows, batch.hiddenRows})
            for (std::size_t i = 0; i < wanted.size(); ++i)
                CHECK(wanted[i] >= 0 && wanted[i] < rows && (i == 0 || wanted[i] > wanted[i - 1]));
    }

    Backend& m_ops;
    ArchSpec m_spec;
    std::int32_t m_maxBatchTokens;
    std::int32_t m_maxLogitRows;
    float m_attentionScale;
    RopeTable m_rope;
    ModelWeights m_weights;
    ActivationArena m_arena;
    AdapterPass m_adapters;
    std::vector<float> m_ropeRows;    // cosines of a step, then its sines; host side
    std::vector<std::int32_t> m_ids;  // token types of a step, then its positions; host side
};

}  // namespace

Result<std::unique_ptr<Transformer>> Transformer::load(Backend& backend, const ArchSpec& spec,
                                                       const TensorSource& tensors, const TransformerOptions& options) {
    CHECK(options.maxBatchTokens > 0 && options.maxLogitRows > 0);
    TRY_ASSIGN(const WeightReport report, checkWeights(spec, tensors));
    TRY_ASSIGN(ModelWeights weights, loadWeights(backend, spec, tensors, report.bytes, options));
    TRY_ASSIGN(ActivationArena arena, makeActivationArena(backend, spec, options.maxBatchTokens, options.maxLogitRows));
    return std::unique_ptr<Transformer>(
        new LoadedTransformer(backend, spec, options, std::move(weights), std::move(arena)));
}

MemoryEstimate estimateMemory(const Backend& backend, const ArchSpec& spec, const TensorSource& tensors, DType kvType,
                              const TransformerOptions& options) {
    MemoryEstimate estimate;
    const auto matrix = [&](const TensorStack& stack) {
        for (const StackPart& part : partsOf(stack, tensors))
            estimate.weightsBytes += backend.packedBytes(part.rows, part.cols, part.dtype);
    };
    const auto vector = [&](const TensorStack& stack) {
        for (const StackPart& part : partsOf(stack, tensors))
            estimate.weightsBytes += part.rows * static_cast<std::int64_t>(sizeof(float));
    };
    const ModelTensors names = modelTensors(spec, tensors);
    for (const LayerTensors& layer : names.layers) {
        for (const TensorStack* stack : {&layer.qkv, &layer.attentionOut, &layer.gateUp, &layer.down}) matrix(*stack);
        for (const TensorStack* stack :
             {&layer.attentionNorm, &layer.attentionNormBias, &layer.mlpNorm, &layer.mlpNormBias, &layer.qkvBias,
              &layer.queryNorm, &layer.keyNorm, &layer.attentionOutBias, &layer.gateUpBias, &layer.downBias})
            vector(*stack);
    }
    matrix(names.lmHead);
    if (spec.tiedEmbeddings) matrix(names.embedding);
    const std::int64_t read = estimate.weightsBytes;
    for (const TensorStack* stack : {&names.positions, &names.tokenTypes}) matrix(*stack);
    if (!spec.tiedEmbeddings) matrix(names.embedding);
    const std::int64_t tables = estimate.weightsBytes - read;  // of which a token takes a row each
    for (const TensorStack* stack :
         {&names.embeddingNorm, &names.embeddingNormBias, &names.finalNorm, &names.finalNormBias})
        vector(*stack);
    for (const LayerSpec& layer : spec.layers)
        estimate.kvBytesPerToken += backend.kvPageBytes(layer.kvHeads, spec.headDim, kvType) / kTokensPerPage;
    if (spec.causal && spec.lmHead) estimate.decodeBytes = estimate.weightsBytes - tables;
    estimate.workspaceBytes = activationBytes(spec, options.maxBatchTokens, options.maxLogitRows);
    return estimate;
}

}  // namespace espalier
