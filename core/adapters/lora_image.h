// SPDX-License-Identifier: GPL-3.0-or-later
// LoraImage: an adapter in host memory the way it will lie in the pool: tiles one after the other (core/compute/lora.h)
// for the embedding, for each layer and for the head. Putting it into pages is a copy of bytes, nothing is computed.
// Immutable once made; whoever serves it shares it, so files that are replaced or deleted meanwhile do not matter.
//
// A page id is a page in the array of every layer. A layer's tiles lie in its own array, in the first of the adapter's
// ids; those of the embedding and the head, which may be larger than all layers together, take what is left in any
// array:
//
//   ids of the adapter:      first      second     third
//   array of layer 0:     | layer 0  | layer 0  | embedding |
//   array of layer 1:     | layer 1  | embedding| head      |
//
// Thread: any.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/adapters/adapter_folder.h"
#include "core/adapters/adapter_source.h"

namespace espalier {

struct LoraImage final : AdapterSource, std::enable_shared_from_this<LoraImage> {
    struct Place {
        std::int32_t array = 0;    // a layer's
        std::int32_t ordinal = 0;  // among the ids it takes
    };
    // What a step needs at one point. Places hold `tilesPerPage` tiles each, but for the last.
    struct Part {
        std::vector<std::byte> tiles;
        std::int32_t tileCount = 0;
        std::int32_t tilesPerPage = 0;
        std::vector<Place> places;
    };

    DType dtype = DType::F32;
    std::int32_t tileColumns = 0;
    std::int32_t pages = 0;   // ids it takes
    std::int32_t ranks = 0;   // columns of v that its widest site needs
    LoraStack modules;        // their `pages` are empty; `firstTile` counts in their part
    std::vector<Part> parts;  // in the order of computing: the embedding's, one per layer, the head's; any may be empty

    std::int64_t tileBytes() const { return loraTileBytes(tileColumns, dtype); }
    std::int64_t bytes() const;

    std::shared_ptr<const LoraImage> inMemory() const override { return shared_from_this(); }
    Result<std::shared_ptr<const LoraImage>> read() const override { return shared_from_this(); }
};

// pageBytes: of one page, by layer; not empty. The tile width is chosen for the fewest pages. Errors: pool_exhausted
// (not one tile fits a page), io_error. Requires: spec and tensors came from one readAdapterFolder for a base of these
// layers.
Result<std::shared_ptr<const LoraImage>> makeLoraImage(const AdapterSpec& spec, const TensorSource& tensors,
                                                       std::string digest, std::span<const std::int64_t> pageBytes);

}  // namespace espalier
