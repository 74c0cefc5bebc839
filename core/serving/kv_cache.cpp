// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/serving/kv_cache.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace espalier {
namespace {

constexpr std::int64_t kPageAlignment = 4096;
constexpr std::int64_t kMinPageBytes = 8192;

std::int64_t pageBytesOf(const Backend& backend, const ArchSpec& spec, const LayerSpec& layer, DType kvType) {
    const std::int64_t needed = backend.kvPageBytes(layer.kvHeads, spec.headDim, kvType);
    return std::max(kMinPageBytes, (needed + kPageAlignment - 1) / kPageAlignment * kPageAlignment);
}

}  // namespace

std::vector<std::int64_t> layerPageBytes(const Backend& backend, const ArchSpec& spec, DType kvType) {
    std::vector<std::int64_t> bytes;
    for (const LayerSpec& layer : spec.layers) bytes.push_back(pageBytesOf(backend, spec, layer, kvType));
    return bytes;
}

std::int64_t kvBytesPerPage(const Backend& backend, const ArchSpec& spec, DType kvType) {
    const auto layers = layerPageBytes(backend, spec, kvType);
    return std::accumulate(layers.begin(), layers.end(), std::int64_t{0});
}

Result<KvCache> KvCache::create(Backend& backend, const ArchSpec& spec, DType kvType, std::int32_t pages) {
    KvCache cache;
    cache.m_bytesPerPage = kvBytesPerPage(backend, spec, kvType);
    cache.m_pages = pages;
    if (pages < 1 || cache.m_bytesPerPage > std::numeric_limits<std::int64_t>::max() / pages)
        return fail(ErrorCode::InvalidArgument, "a KV pool of " + std::to_string(pages) + " pages cannot be made");
    for (const LayerSpec& layer : spec.layers) {
        const std::int64_t pageBytes = pageBytesOf(backend, spec, layer, kvType);
        auto array = backend.allocate(pageBytes * pages);
        if (!array)
            return std::move(array.error())
                .context("a KV pool of " + std::to_string(pages) + " pages (" + std::to_string(cache.bytes()) +
                         " bytes)");
        cache.m_layers.push_back({array->data(), pageBytes, layer.kvHeads, spec.headDim, kvType});
        cache.m_arrays.push_back(std::move(*array));
    }
    return cache;
}

}  // namespace espalier
