// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/adapters/lora_image.h"

#include <algorithm>
#include <cstring>
#include <optional>

namespace espalier {
namespace {

constexpr std::int32_t kTileWidths[] = {512, 256, 128};

std::size_t partOf(const LoraTarget& target, std::size_t layers) {
    if (target.isEmbedding()) return 0;
    return target.isLmHead() ? layers + 1 : static_cast<std::size_t>(target.layer) + 1;
}

std::vector<LoraModule>& siteOf(LoraStack& stack, const LoraTarget& target) {
    if (target.isEmbedding()) return stack.embedding;
    if (target.isLmHead()) return stack.lmHead;
    return stack.layers[static_cast<std::size_t>(target.layer)][static_cast<std::size_t>(target.site)];
}

LoraModule moduleOf(const LoraPair& pair, std::int32_t tileColumns, DType dtype) {
    LoraModule module;
    module.rank = pair.rank + (pair.activation ? 1 : 0);  // the last row of B^T is its bias
    module.activation = pair.activation;
    module.inputs = pair.target.inputs;
    module.outputs = pair.target.outputs;
    module.firstOutput = pair.target.firstOutput;
    module.tileColumns = tileColumns;
    module.dtype = dtype;
    module.scale = pair.scale;
    return module;
}

// How the parts lie in pages with tiles of one width.
struct Layout {
    std::int32_t tileColumns = 0;
    std::int64_t pages = 0;                  // ids
    std::vector<std::int64_t> tilesPerPage;  // by part; so with what follows
    std::vector<std::int64_t> pagesOf;       // of its tiles
};

std::int64_t divideUp(std::int64_t a, std::int64_t b) {
    return (a + b - 1) / b;
}

// None when a tile does not fit a page.
std::optional<Layout> layoutWith(std::int32_t tileColumns, const AdapterSpec& spec,
                                 std::span<const std::int64_t> pageBytes) {
    const std::size_t layers = pageBytes.size();
    const std::int64_t tileBytes = loraTileBytes(tileColumns, spec.dtype);
    const std::int64_t least = std::ranges::min(pageBytes) / tileBytes;  // the embedding and the head lie in any array
    if (least == 0) return std::nullopt;
    std::vector<std::int64_t> tiles(layers + 2);
    for (const LoraPair& pair : spec.pairs)
        tiles[partOf(pair.target, layers)] += moduleOf(pair, tileColumns, spec.dtype).tiles();
    Layout layout{tileColumns, 0, std::vector<std::int64_t>(layers + 2, least), {}};
    for (std::size_t i = 0; i < layers; ++i) layout.tilesPerPage[i + 1] = pageBytes[i] / tileBytes;
    std::int64_t all = 0;
    for (std::size_t part = 0; part < tiles.size(); ++part) {
        const std::int64_t pages = layout.pagesOf.emplace_back(divideUp(tiles[part], layout.tilesPerPage[part]));
        all += pages;
        if (part != 0 && part <= layers) layout.pages = std::max(layout.pages, pages);
    }
    layout.pages = std::max(layout.pages, divideUp(all, static_cast<std::int64_t>(layers)));
    return layout;
}

// Every page of every part has its place, and no two the same.
void placeParts(LoraImage& image, const Layout& layout) {
    const std::size_t layers = layout.pagesOf.size() - 2;
    std::vector<LoraImage::Place> left;
    for (std::int32_t ordinal = 0; ordinal < image.pages; ++ordinal)
        for (std::size_t layer = 0; layer < layers; ++layer) {
            const LoraImage::Place place{static_cast<std::int32_t>(layer), ordinal};
            (ordinal < layout.pagesOf[layer + 1] ? image.parts[layer + 1].places : left).push_back(place);
        }
    const auto embedding = static_cast<std::size_t>(layout.pagesOf.front()),
               head = static_cast<std::size_t>(layout.pagesOf.back());
    const auto from = std::span(left);
    image.parts.front().places.assign(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(embedding));
    const auto rest = from.subspan(embedding, head);
    image.parts.back().places.assign(rest.begin(), rest.end());
}

// One element as it lies in `from`, written as f32. Types differ only when an adapter mixes them.
void putWidened(std::byte* at, const std::byte* source, DType from) {
    std::uint16_t bits;
    std::memcpy(&bits, source, sizeof bits);
    const float value = from == DType::BF16 ? bf16ToF32(bits) : f16ToF32(bits);
    std::memcpy(at, &value, sizeof value);
}

// Rows [firstRow, firstRow + rows) of a matrix of this width that lies in tiles from `firstTile` on.
struct TileRows {
    std::int32_t firstTile, width, firstRow, rows;
};

// Stored is [rows, width], or transposed.
void putRows(LoraImage::Part& part, const LoraModule& module, const TileRows& to, std::span<const std::byte> stored,
             DType dtype, bool transposed) {
    const auto from = static_cast<std::int64_t>(bytesOf(dtype)),
               size = static_cast<std::int64_t>(bytesOf(module.dtype));
    const std::int64_t tileBytes = loraTileBytes(module.tileColumns, module.dtype);
    const std::int64_t across = loraTilesAcross(to.width, module.tileColumns);
    const std::int64_t step = transposed ? to.rows * from : from;  // to the next column
    const auto put = [&](auto putElement) {
        for (std::int64_t j = 0; j < to.rows; ++j)
            for (std::int64_t column = 0; column < across; ++column) {
                const std::int64_t first = column * module.tileColumns, row = to.firstRow + j;
                const std::int64_t count = std::min<std::int64_t>(module.tileColumns, to.width - first);
                std::byte* at = part.tiles.data() + (to.firstTile + row / kLoraSlab * across + column) * tileBytes +
                                row % kLoraSlab * module.tileColumns * size;
                const std::byte* source =
                    stored.data() + (transposed ? first * to.rows + j : j * to.width + first) * from;
                for (std::int64_t i = 0; i < count; ++i) putElement(at + i * size, source + i * step);
            }
    };
    if (dtype != module.dtype)
        put([&](std::byte* at, const std::byte* source) { putWidened(at, source, dtype); });
    else if (from == 4)
        put([](std::byte* at, const std::byte* source) { std::memcpy(at, source, 4); });
    else
        put([](std::byte* at, const std::byte* source) { std::memcpy(at, source, 2); });
}

Result<void> putPair(LoraImage::Part& part, const LoraPair& pair, const LoraModule& module,
                     const TensorSource& tensors) {
    const auto put = [&](const std::string& name, const TileRows& to, bool transposed) -> Result<void> {
        const TensorEntry* entry = tensors.find(name);
        CHECK(entry);
        TRY_ASSIGN(const auto stored, readTensor(tensors, *entry));
        putRows(part, module, to, stored, entry->dtype, transposed);
        return {};
    };
    TRY(put(pair.a, {module.firstTile, module.inputs, 0, pair.rank}, false));
    TRY(put(pair.b, {module.firstTileOfB(), module.outputs, 0, pair.rank}, true));
    if (!pair.activation) return {};
    TRY(put(pair.aBias, {module.firstTileOfBias(), pair.rank, 0, 1}, false));
    return put(pair.bBias, {module.firstTileOfB(), module.outputs, pair.rank, 1}, false);
}

}  // namespace

std::int64_t LoraImage::bytes() const {
    std::int64_t sum = 0;
    for (const Part& part : parts) sum += static_cast<std::int64_t>(part.tiles.size());
    return sum;
}

Result<std::shared_ptr<const LoraImage>> makeLoraImage(const AdapterSpec& spec, const TensorSource& tensors,
                                                       std::string digest, std::span<const std::int64_t> pageBytes) {
    CHECK(!pageBytes.empty());
    std::optional<Layout> best;
    for (const std::int32_t width : kTileWidths)
        if (auto layout = layoutWith(width, spec, pageBytes); layout && (!best || layout->pages < best->pages))
            best = std::move(layout);
    if (!best || best->pages > INT32_MAX)
        return fail(ErrorCode::PoolExhausted, "the pages of this base are too small for the tiles of an adapter");
    auto image = std::make_shared<LoraImage>();
    image->digest = std::move(digest);
    image->dtype = spec.dtype;
    image->tileColumns = best->tileColumns;
    image->pages = static_cast<std::int32_t>(best->pages);
    image->modules.layers.resize(pageBytes.size());
    image->modules.bottleneckInput = spec.bottleneckInput;
    image->parts.resize(pageBytes.size() + 2);
    for (std::size_t part = 0; part < image->parts.size(); ++part)
        image->parts[part].tilesPerPage = static_cast<std::int32_t>(best->tilesPerPage[part]);
    placeParts(*image, *best);

    // Where everything goes, then the bytes.
    std::vector<std::pair<LoraImage::Part*, LoraModule>> placed;
    for (const LoraPair& pair : spec.pairs) {
        LoraImage::Part& part = image->parts[partOf(pair.target, pageBytes.size())];
        auto& modules = siteOf(image->modules, pair.target);
        LoraModule module = moduleOf(pair, image->tileColumns, spec.dtype);
        module.firstTile = part.tileCount;
        module.tilesPerPage = part.tilesPerPage;
        if (!modules.empty()) module.firstRank = modules.back().firstRank + loraSlabs(modules.back().rank) * kLoraSlab;
        part.tileCount += module.tiles();
        image->ranks = std::max(image->ranks, module.firstRank + loraSlabs(module.rank) * kLoraSlab);
        modules.push_back(module);
        placed.emplace_back(&part, module);
    }
    for (LoraImage::Part& part : image->parts)
        part.tiles.resize(static_cast<std::size_t>(part.tileCount * image->tileBytes()));
    for (std::size_t i = 0; i < placed.size(); ++i)
        TRY(putPair(*placed[i].first, spec.pairs[i], placed[i].second, tensors));
    return std::shared_ptr<const LoraImage>(std::move(image));
}

}  // namespace espalier
