// SPDX-License-Identifier: GPL-3.0-or-later
// KvCache: the memory behind the page pool. One array of N pages per layer, each with that layer's own page size
// (pruned models differ in heads from layer to layer); page id p is the p-th page of every array.
//
//   layer l:  | page 0 | page 1 | ... | page N-1 |     page l bytes = max(8 KiB, kvPageBytes(l) rounded up to 4 KiB)
//
// What a page holds inside belongs to the backend. Owner: ServingLoop. Thread: engine.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/compute/backend.h"
#include "core/formats/arch_spec.h"

namespace espalier {

// Bytes one page id takes over all layers: pool pages = pool bytes / this.
std::int64_t kvBytesPerPage(const Backend& backend, const ArchSpec& spec, DType kvType);

// By layer: what one page takes there. The tiles of adapters are made for it.
std::vector<std::int64_t> layerPageBytes(const Backend& backend, const ArchSpec& spec, DType kvType);

class KvCache {
public:
    // Errors: pool_exhausted, invalid_argument (not one page, or a size beyond 63 bits).
    static Result<KvCache> create(Backend& backend, const ArchSpec& spec, DType kvType, std::int32_t pages);

    std::span<const KvPages> layers() const { return m_layers; }
    std::int64_t bytesPerPage() const { return m_bytesPerPage; }
    std::int64_t bytes() const { return m_bytesPerPage * m_pages; }

private:
    KvCache() = default;

    std::vector<Buffer> m_arrays;
    std::vector<KvPages> m_layers;
    std::int64_t m_bytesPerPage = 0;
    std::int32_t m_pages = 0;
};

}  // namespace espalier
