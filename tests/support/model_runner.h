// SPDX-License-Identifier: GPL-3.0-or-later
// Runs a Transformer over sequences of tokens without a server: pages are taken from a small pool of its own, in any
// order a test wants.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/file_system.h"
#include "core/compute/backend.h"
#include "core/models/transformer.h"

namespace espalier::test {

// A model folder loaded on a backend; any failure is a failed CHECK that prints the error.
struct LoadedModel {
    std::unique_ptr<FileSystem> files;
    std::unique_ptr<TensorSource> source;
    ArchSpec spec;
    std::unique_ptr<Transformer> transformer;
};
LoadedModel loadModel(Backend& backend, const Path& folder, const TransformerOptions& options = {});
LoadedModel loadModel(Backend& backend, const Path& folder, const ArchSpec& spec,
                      const TransformerOptions& options = {});

// KV memory of some sequences. Page ids of a sequence are taken from a shuffled pool when a seed is given.
class KvMemory {
public:
    KvMemory(Backend& backend, const ArchSpec& spec, std::int32_t pages, DType dtype = DType::F32);

    std::span<const KvPages> layers() const { return m_layers; }
    std::vector<std::int32_t> take(std::int32_t tokens);  // pages for that many tokens
    void shuffle(std::uint64_t seed);                     // the order in which later takes find pages

private:
    std::vector<Buffer> m_buffers;
    std::vector<KvPages> m_layers;
    std::vector<std::int32_t> m_free;
};

// One sequence that grows chunk by chunk.
class SequenceRunner {
public:
    SequenceRunner(Backend& backend, Transformer& model, KvMemory& memory, std::int32_t maxTokens)
        : m_backend(backend),
          m_model(model),
          m_memory(memory),
          m_pages(memory.take(maxTokens)),
          m_stream(backend.makeStream()) {}

    // Appends the tokens; returns the logits of every one of them, row after row.
    std::vector<float> append(std::span<const std::int32_t> tokens);
    std::int32_t position() const { return m_position; }
    Segment segment(std::int32_t firstRow, std::int32_t rows) const { return {firstRow, rows, m_position, m_pages}; }

private:
    Backend& m_backend;
    Transformer& m_model;
    KvMemory& m_memory;
    std::vector<std::int32_t> m_pages;
    std::unique_ptr<Stream> m_stream;
    std::int32_t m_position = 0;
};

std::vector<std::int32_t> ascendingRows(std::int32_t count);  // 0, 1, ..., count - 1
std::vector<float> floatsOf(ConstTensorView view);            // contiguous f32
std::int32_t largest(std::span<const float> values);          // index of the first largest

}  // namespace espalier::test
