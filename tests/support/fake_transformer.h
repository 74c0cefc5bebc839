// SPDX-License-Identifier: GPL-3.0-or-later
// A Transformer that is an oracle for everything around it: its logits are a hash of the sequence's tokens, which it
// keeps in KV pages and nowhere else. A page given to two writers, read before it was filled, filled twice, or found
// for the wrong tenant changes the answer, and expectedLogits() says what it should have been. Defects make it depend
// on what an answer must not depend on; tests show with them that they would notice.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/models/transformer.h"
#include "core/serving/request.h"

namespace espalier::test {

enum class Defect { None, SeesBatchSize, SeesChunkBorder, SeesPageIds, SeesRowNumber };

struct FakeTransformerOptions {
    std::int32_t vocabulary = 61;
    std::int32_t context = 256;
    std::int32_t hidden = 8;
    std::int32_t maxBatchTokens = 64;
    std::int32_t maxLogitRows = 64;
    Defect defect = Defect::None;
};

class FakeTransformer final : public Transformer {
public:
    explicit FakeTransformer(const FakeTransformerOptions& options = {});

    const ArchSpec& spec() const override { return m_spec; }
    std::int64_t weightBytes() const override { return 0; }
    std::int64_t workspaceBytes() const override { return 0; }
    std::int32_t maxBatchTokens() const override { return m_options.maxBatchTokens; }
    std::int32_t maxLogitRows() const override { return m_options.maxLogitRows; }
    Result<Output> forward(Stream& stream, const ForwardBatch& batch, std::span<const KvPages> kv) override;

    // What the row of the last of these tokens must be.
    std::vector<float> expectedLogits(std::span<const TokenId> tokens) const;
    std::vector<float> expectedHidden(std::span<const TokenId> tokens) const;

    std::int64_t forwards() const { return m_forwards; }
    std::int64_t rows() const { return m_rows; }
    void failNext(Error error) { m_failure = std::move(error); }
    std::function<void(const ForwardBatch&)> onForward;

private:
    std::uint64_t defectOf(const ForwardBatch& batch, const Segment& segment, std::int32_t row) const;
    void writeLogits(std::uint64_t state, float* row) const;
    void writeHidden(std::uint64_t state, float* row) const;

    FakeTransformerOptions m_options;
    ArchSpec m_spec;
    std::vector<float> m_logits, m_hidden;
    std::int64_t m_forwards = 0, m_rows = 0;
    std::optional<Error> m_failure;
};

// Small deterministic generator for property tests.
class TestRandom {
public:
    explicit TestRandom(std::uint64_t seed) : m_state(seed) {}
    std::uint64_t next();
    std::int32_t below(std::int32_t bound) {
        return static_cast<std::int32_t>(next() % static_cast<std::uint64_t>(bound));
    }

private:
    std::uint64_t m_state;
};

// What a request's sink received.
struct Received {
    std::string text;
    std::vector<TokenId> ids;
    std::vector<TokenLogprob> logprobs;
    std::vector<float> embedding;
    std::optional<FinishReason> finish;
    std::optional<Error> error;
    Usage usage;
    RequestTiming timing;
    int chunks = 0;
    int lastChunks = 0;  // must become 1

    ChunkSink sink();  // chunks that come after the Received is gone are dropped

private:
    std::shared_ptr<Received*> m_self;
};

bool sameBits(const Received& a, const Received& b);  // ids, logprobs, embedding, text, finish

// Pieces of bytes as ids: token i is pieces[i]. Special tokens: none.
std::shared_ptr<const Tokenizer> makePieceTokenizer(std::vector<std::string> pieces);

}  // namespace espalier::test
