// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/models/activation_arena.h"

#include <algorithm>

namespace espalier {
namespace {

constexpr std::int64_t kAlignment = 256;  // wide enough for vector loads and for coalesced device access

struct Widths {
    std::int64_t qkv = 0;
    std::int64_t attended = 0;
    std::int64_t neurons = 0;
};

Widths widestLayer(const ArchSpec& spec) {
    Widths widest;
    for (const LayerSpec& layer : spec.layers) {
        widest.qkv = std::max(widest.qkv, std::int64_t{layer.heads + 2 * layer.kvHeads} * spec.headDim);
        widest.attended = std::max(widest.attended, std::int64_t{layer.heads} * spec.headDim);
        widest.neurons = std::max<std::int64_t>(widest.neurons, layer.neurons);
    }
    return widest;
}

// Hands out places one after the other. With a null base it only measures.
class Places {
public:
    explicit Places(std::byte* base) : m_base(base) {}

    std::byte* take(std::int64_t bytes) {
        std::byte* place = m_base ? m_base + m_bytes : nullptr;
        m_bytes += (bytes + kAlignment - 1) / kAlignment * kAlignment;
        return place;
    }
    ActivationRows rows(std::int64_t maxRows, std::int64_t maxWidth) {
        return {take(maxRows * maxWidth * static_cast<std::int64_t>(sizeof(float))), maxRows, maxWidth};
    }
    std::int64_t bytes() const { return m_bytes; }

private:
    std::byte* m_base;
    std::int64_t m_bytes = 0;
};

void placeDevice(Places& places, const ArchSpec& spec, std::int64_t tokens, ActivationArena& arena) {
    const Widths widest = widestLayer(spec);
    arena.residual = places.rows(tokens, spec.hidden);
    arena.normed = places.rows(tokens, spec.hidden);
    arena.qkv = places.rows(tokens, widest.qkv);
    arena.attended = places.rows(tokens, widest.attended);
    arena.gateUp = places.rows(tokens, (spec.gatedMlp ? 2 : 1) * widest.neurons);
    arena.activated = places.rows(tokens, widest.neurons);
    arena.selected = places.rows(tokens, spec.hidden);
    arena.cos = places.rows(tokens, spec.rope.rotaryDim / 2);
    arena.sin = places.rows(tokens, spec.rope.rotaryDim / 2);
    for (TensorView* ids : {&arena.tokens, &arena.positions, &arena.tokenTypes})
        *ids = TensorView(places.take(tokens * 4), DType::I32, {tokens});
}

void placePinned(Places& places, const ArchSpec& spec, std::int64_t tokens, std::int64_t logitRows,
                 ActivationArena& arena) {
    arena.logits = places.rows(spec.lmHead ? logitRows : 0, spec.vocabulary);
    arena.hidden = places.rows(tokens, spec.hidden);
}

}  // namespace

std::int64_t activationBytes(const ArchSpec& spec, std::int32_t maxBatchTokens, std::int32_t maxLogitRows) {
    ActivationArena measured;
    Places device(nullptr);
    Places pinned(nullptr);
    placeDevice(device, spec, maxBatchTokens, measured);
    placePinned(pinned, spec, maxBatchTokens, maxLogitRows, measured);
    return device.bytes() + pinned.bytes();
}

Result<ActivationArena> makeActivationArena(Backend& backend, const ArchSpec& spec, std::int32_t maxBatchTokens,
                                            std::int32_t maxLogitRows) {
    ActivationArena arena;
    Places device(nullptr);
    Places pinned(nullptr);
    placeDevice(device, spec, maxBatchTokens, arena);
    placePinned(pinned, spec, maxBatchTokens, maxLogitRows, arena);
    TRY_ASSIGN(arena.device, backend.allocate(device.bytes()));
    TRY_ASSIGN(arena.pinned, backend.allocate(pinned.bytes(), MemoryKind::HostPinned));
    device = Places(arena.device.data());
    pinned = Places(arena.pinned.data());
    placeDevice(device, spec, maxBatchTokens, arena);
    placePinned(pinned, spec, maxBatchTokens, maxLogitRows, arena);
    return arena;
}

}  // namespace espalier
