// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/model_runner.h"

#include <algorithm>
#include <cstdio>
#include <numeric>
#include <random>

namespace espalier::test {
namespace {

template <class T>
T valueOf(Result<T> result) {
    if (!result) std::fprintf(stderr, "%s\n", result.error().text().c_str());
    CHECK(result);
    return std::move(result).value();
}

}  // namespace

LoadedModel loadModel(Backend& backend, const Path& folder, const TransformerOptions& options) {
    const auto files = makeFileSystem();
    const Json config = valueOf(parseJson(valueOf(files->readText(folder / "config.json", 1 << 20)), "config.json"));
    return loadModel(backend, folder, valueOf(archSpecFromConfig(config, "config.json")), options);
}

LoadedModel loadModel(Backend& backend, const Path& folder, const ArchSpec& spec, const TransformerOptions& options) {
    LoadedModel model;
    model.files = makeFileSystem();
    model.source = valueOf(openModelFolder(*model.files, folder));
    model.spec = spec;
    model.transformer = valueOf(Transformer::load(backend, spec, *model.source, options));
    return model;
}

KvMemory::KvMemory(Backend& backend, const ArchSpec& spec, std::int32_t pages, DType dtype)
    : m_free(ascendingRows(pages)) {
    for (const LayerSpec& layer : spec.layers) {
        const std::int64_t pageBytes = backend.kvPageBytes(layer.kvHeads, spec.headDim, dtype);
        m_buffers.push_back(valueOf(backend.allocate(pages * pageBytes)));
        m_layers.push_back({m_buffers.back().data(), pageBytes, layer.kvHeads, spec.headDim, dtype});
    }
}

std::vector<std::int32_t> KvMemory::take(std::int32_t tokens) {
    const auto count = static_cast<std::size_t>((tokens + kTokensPerPage - 1) / kTokensPerPage);
    CHECK(count <= m_free.size());
    const std::vector<std::int32_t> pages(m_free.begin(), m_free.begin() + static_cast<std::ptrdiff_t>(count));
    m_free.erase(m_free.begin(), m_free.begin() + static_cast<std::ptrdiff_t>(count));
    return pages;
}

void KvMemory::shuffle(std::uint64_t seed) {
    std::mt19937_64 random(seed);
    for (std::size_t i = m_free.size(); i > 1; --i) std::swap(m_free[i - 1], m_free[random() % i]);
}

std::vector<float> SequenceRunner::append(std::span<const std::int32_t> tokens) {
    const auto rows = static_cast<std::int32_t>(tokens.size());
    const Segment segments[] = {segment(0, rows)};
    const std::vector<std::int32_t> wanted = ascendingRows(rows);
    const auto output = valueOf(m_model.forward(
        *m_stream, {.tokens = tokens, .segments = segments, .logitRows = wanted, .hiddenRows = {}}, m_memory.layers()));
    m_position += rows;
    return floatsOf(output.logits);
}

std::vector<std::int32_t> ascendingRows(std::int32_t count) {
    std::vector<std::int32_t> rows(static_cast<std::size_t>(count));
    std::iota(rows.begin(), rows.end(), 0);
    return rows;
}

std::vector<float> floatsOf(ConstTensorView view) {
    CHECK(view.isContiguous());
    return {view.as<float>(), view.as<float>() + view.count()};
}

std::int32_t largest(std::span<const float> values) {
    return static_cast<std::int32_t>(std::max_element(values.begin(), values.end()) - values.begin());
}

}  // namespace espalier::test
