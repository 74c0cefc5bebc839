// SPDX-License-Identifier: GPL-3.0-or-later
// LoraImage: an adapter in host memory the way it will lie in the pool: per layer, its tiles one after the other
// (core/compute/lora.h). Putting it into pages is a copy of bytes, nothing is computed. Immutable once made; whoever
// serves it shares it, so files that are replaced or deleted meanwhile do not matter.
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
    struct Layer {
        std::vector<std::byte> tiles;
        std::int32_t tileCount = 0;
        LoraLayer modules;  // their `pages` are empty
    };

    DType dtype = DType::F32;
    std::int32_t tileColumns = 0;
    std::int32_t pages = 0;  // ids it takes: the most that any layer needs
    std::int32_t ranks = 0;  // columns of v that its widest site needs
    std::vector<Layer> layers;

    std::int64_t tileBytes() const { return loraTileBytes(tileColumns, dtype); }
    std::int64_t bytes() const;

    std::shared_ptr<const LoraImage> inMemory() const override { return shared_from_this(); }
    Result<std::shared_ptr<const LoraImage>> read() const override { return shared_from_this(); }
};

// pageBytes: of one page, by layer. The tile width is chosen for the fewest pages. Errors: pool_exhausted (not one tile
// fits a page), io_error. Requires: spec and tensors came from one readAdapterFolder for a base of these layers.
Result<std::shared_ptr<const LoraImage>> makeLoraImage(const AdapterSpec& spec, const TensorSource& tensors,
                                                       std::string digest, std::span<const std::int64_t> pageBytes);

}  // namespace espalier
