// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/adapters/lora_image.h"

#include <algorithm>
#include <cstring>
#include <optional>

namespace espalier {
namespace {

constexpr std::int32_t kTileWidths[] = {512, 256, 128};

std::size_t siteOf(const LoraPair& pair) { return static_cast<std::size_t>(pair.target.site); }

LoraModule moduleOf(const LoraPair& pair, std::int32_t tileColumns, DType dtype) {
    LoraModule module;
    module.rank = pair.rank;
    module.inputs = pair.target.inputs;
    module.outputs = pair.target.outputs;
    module.firstOutput = pair.target.firstOutput;
    module.tileColumns = tileColumns;
    module.dtype = dtype;
    module.scale = pair.scale;
    return module;
}

// Pages an adapter takes with tiles of this width; none when a tile does not fit a page.
std::optional<std::int64_t> pagesWith(std::int32_t tileColumns, const AdapterSpec& spec,
                                      std::span<const std::int64_t> pageBytes) {
    std::vector<std::int64_t> tiles(pageBytes.size());
    for (const LoraPair& pair : spec.pairs)
        tiles[static_cast<std::size_t>(pair.target.layer)] += moduleOf(pair, tileColumns, spec.dtype).tiles();
    std::int64_t most = 0;
    for (std::size_t layer = 0; layer < tiles.size(); ++layer) {
        const std::int64_t perPage = pageBytes[layer] / loraTileBytes(tileColumns, spec.dtype);
        if (perPage == 0) return std::nullopt;
        most = std::max(most, (tiles[layer] + perPage - 1) / perPage);
    }
    return most;
}

// One element as it lies in `from`, written as f32. Types differ only when an adapter mixes them.
void putWidened(std::byte* at, const std::byte* source, DType from) {
    std::uint16_t bits;
    std::memcpy(&bits, source, sizeof bits);
    const float value = from == DType::BF16 ? bf16ToF32(bits) : f16ToF32(bits);
    std::memcpy(at, &value, sizeof value);
}

// Writes the matrix into the layer's tiles from `firstTile` on. A lies as [rank, inputs]; B as [outputs, rank] and goes in
// transposed.
void putMatrix(LoraImage::Layer& layer, const LoraModule& module, std::int32_t firstTile, std::int32_t width,
               std::span<const std::byte> stored, DType dtype, bool transposed) {
    const auto from = static_cast<std::int64_t>(bytesOf(dtype)), to = static_cast<std::int64_t>(bytesOf(module.dtype));
    const std::int64_t tileBytes = loraTileBytes(module.tileColumns, module.dtype);
    const std::int64_t across = loraTilesAcross(width, module.tileColumns);
    const std::int64_t step = transposed ? module.rank * from : from;  // to the next column
    const auto putRows = [&](auto putElement) {
        for (std::int64_t j = 0; j < module.rank; ++j)
            for (std::int64_t column = 0; column < across; ++column) {
                const std::int64_t first = column * module.tileColumns;
                const std::int64_t count = std::min<std::int64_t>(module.tileColumns, width - first);
                std::byte* at = layer.tiles.data() + (firstTile + j / kLoraSlab * across + column) * tileBytes +
                                j % kLoraSlab * module.tileColumns * to;
                const std::byte* source = stored.data() + (transposed ? first * module.rank + j : j * width + first) * from;
                for (std::int64_t i = 0; i < count; ++i) putElement(at + i * to, source + i * step);
            }
    };
    if (dtype != module.dtype)
        putRows([&](std::byte* at, const std::byte* source) { putWidened(at, source, dtype); });
    else if (from == 4)
        putRows([](std::byte* at, const std::byte* source) { std::memcpy(at, source, 4); });
    else
        putRows([](std::byte* at, const std::byte* source) { std::memcpy(at, source, 2); });
}

Result<void> putPair(LoraImage::Layer& layer, const LoraPair& pair, const LoraModule& module, const TensorSource& tensors) {
    const TensorEntry* a = tensors.find(pair.a);
    const TensorEntry* b = tensors.find(pair.b);
    CHECK(a && b);
    TRY_ASSIGN(const auto storedA, readTensor(tensors, *a));
    putMatrix(layer, module, module.firstTile, module.inputs, storedA, a->dtype, false);
    TRY_ASSIGN(const auto storedB, readTensor(tensors, *b));
    putMatrix(layer, module, module.firstTileOfB(), module.outputs, storedB, b->dtype, true);
    return {};
}

}  // namespace

std::int64_t LoraImage::bytes() const {
    std::int64_t sum = 0;
    for (const Layer& layer : layers) sum += static_cast<std::int64_t>(layer.tiles.size());
    return sum;
}

Result<std::shared_ptr<const LoraImage>> makeLoraImage(const AdapterSpec& spec, const TensorSource& tensors,
                                                       std::string digest, std::span<const std::int64_t> pageBytes) {
    auto image = std::make_shared<LoraImage>();
    image->digest = std::move(digest);
    image->dtype = spec.dtype;
    std::optional<std::int64_t> fewest;
    for (const std::int32_t width : kTileWidths)
        if (const auto pages = pagesWith(width, spec, pageBytes); pages && (!fewest || *pages < *fewest)) {
            fewest = pages;
            image->tileColumns = width;
        }
    if (!fewest || *fewest > INT32_MAX)
        return fail(ErrorCode::PoolExhausted, "the pages of this base are too small for the tiles of an adapter");
    image->pages = static_cast<std::int32_t>(*fewest);
    image->layers.resize(pageBytes.size());

    // Where everything goes, then the bytes.
    std::vector<std::pair<LoraImage::Layer*, LoraModule>> placed;
    for (const LoraPair& pair : spec.pairs) {
        LoraImage::Layer& layer = image->layers[static_cast<std::size_t>(pair.target.layer)];
        auto& modules = layer.modules[siteOf(pair)];
        LoraModule module = moduleOf(pair, image->tileColumns, spec.dtype);
        module.firstTile = layer.tileCount;
        if (!modules.empty()) module.firstRank = modules.back().firstRank + loraSlabs(modules.back().rank) * kLoraSlab;
        layer.tileCount += module.tiles();
        image->ranks = std::max(image->ranks, module.firstRank + loraSlabs(module.rank) * kLoraSlab);
        modules.push_back(module);
        placed.emplace_back(&layer, module);
    }
    for (LoraImage::Layer& layer : image->layers)
        layer.tiles.resize(static_cast<std::size_t>(layer.tileCount * image->tileBytes()));
    for (std::size_t i = 0; i < placed.size(); ++i) TRY(putPair(*placed[i].first, spec.pairs[i], placed[i].second, tensors));
    return std::shared_ptr<const LoraImage>(std::move(image));
}

}  // namespace espalier
