// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/fake_transformer.h"

#include <bit>
#include <cstring>

namespace espalier::test {
namespace {

constexpr std::uint64_t kFirstState = 0x6A09E667F3BCC908ull;

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {  // splitmix64 over a running state
    std::uint64_t z = a + 0x9E3779B97F4A7C15ull * (b + 1);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
}

// What a page holds per token, in every layer.
struct Slot {
    std::uint64_t state;  // hash of all tokens up to this one
    std::uint64_t token;
};

Slot* slotAt(const KvPages& pages, const Segment& segment, std::int32_t position) {
    const auto page = segment.pages[static_cast<std::size_t>(position / kTokensPerPage)];
    return reinterpret_cast<Slot*>(pages.base + page * pages.pageBytes) + position % kTokensPerPage;
}

// Reads the whole history of a segment from its pages; a wrong slot poisons all that follows.
std::uint64_t historyOf(const KvPages& pages, const Segment& segment) {
    std::uint64_t state = kFirstState;
    for (std::int32_t position = 0; position < segment.position0; ++position) {
        const Slot slot = *slotAt(pages, segment, position);
        state = mix(state, slot.token);
        if (slot.state != state) state = mix(slot.state, 0xBAD);
    }
    return state;
}

}  // namespace

FakeTransformer::FakeTransformer(const FakeTransformerOptions& options) : m_options(options) {
    m_spec.family = "fake";
    m_spec.vocabulary = options.vocabulary;
    m_spec.hidden = options.hidden;
    m_spec.headDim = 8;
    m_spec.context = options.context;
    m_spec.layers = {{2, 2, 8}, {2, 1, 8}};
}

std::uint64_t FakeTransformer::defectOf(const ForwardBatch& batch, const Segment& segment, std::int32_t row) const {
    switch (m_options.defect) {
        case Defect::None:
            return 0;
        case Defect::SeesBatchSize:
            return batch.tokens.size();
        case Defect::SeesChunkBorder:
            return static_cast<std::uint64_t>(row == 0);
        case Defect::SeesPageIds:
            return static_cast<std::uint64_t>(segment.pages[0]);
        case Defect::SeesRowNumber:
            return static_cast<std::uint64_t>(segment.firstRow);
    }
    return 0;
}

Result<Transformer::Output> FakeTransformer::forward(Stream&, const ForwardBatch& batch, std::span<const KvPages> kv) {
    ++m_forwards;
    m_rows += static_cast<std::int64_t>(batch.tokens.size());
    CHECK(static_cast<std::int32_t>(batch.tokens.size()) <= m_options.maxBatchTokens);
    CHECK(static_cast<std::int32_t>(batch.logitRows.size()) <= m_options.maxLogitRows &&
          kv.size() == m_spec.layers.size());
    if (onForward) onForward(batch);
    for (std::size_t layer = 0; batch.gate && layer < kv.size(); ++layer) TRY(batch.gate->await(layer));
    if (m_failure) {
        const Error error = std::move(*m_failure);
        m_failure.reset();
        return error;
    }
    std::vector<std::uint64_t> states(batch.tokens.size());
    for (const Segment& segment : batch.segments) {
        CHECK(static_cast<std::int32_t>(segment.pages.size()) * kTokensPerPage >= segment.position0 + segment.rows);
        std::vector<std::uint64_t> layerStates;
        for (const KvPages& pages : kv) layerStates.push_back(historyOf(pages, segment));
        for (std::int32_t i = 0; i < segment.rows; ++i) {
            const auto row = static_cast<std::size_t>(segment.firstRow + i);
            const auto token = static_cast<std::uint64_t>(batch.tokens[row]);
            for (std::size_t layer = 0; layer < kv.size(); ++layer) {
                layerStates[layer] = mix(layerStates[layer], token);
                *slotAt(kv[layer], segment, segment.position0 + i) = {layerStates[layer], token};
            }
            states[row] = layerStates[0] == layerStates[1] ? layerStates[0] : mix(layerStates[0], layerStates[1]);
            if (const std::uint64_t defect = defectOf(batch, segment, i)) states[row] = mix(states[row], defect);
        }
    }
    const auto vocabulary = static_cast<std::size_t>(m_spec.vocabulary),
               hidden = static_cast<std::size_t>(m_spec.hidden);
    m_logits.assign(batch.logitRows.size() * vocabulary, 0.0f);
    m_hidden.assign(batch.hiddenRows.size() * hidden, 0.0f);
    for (std::size_t i = 0; i < batch.logitRows.size(); ++i)
        writeLogits(states[static_cast<std::size_t>(batch.logitRows[i])], m_logits.data() + i * vocabulary);
    for (std::size_t i = 0; i < batch.hiddenRows.size(); ++i)
        writeHidden(states[static_cast<std::size_t>(batch.hiddenRows[i])], m_hidden.data() + i * hidden);
    const auto view = [](const std::vector<float>& values, std::size_t rows, std::size_t cols) {
        return ConstTensorView(reinterpret_cast<const std::byte*>(values.data()), DType::F32,
                               {static_cast<std::int64_t>(rows), static_cast<std::int64_t>(cols)});
    };
    return Output{view(m_logits, batch.logitRows.size(), vocabulary), view(m_hidden, batch.hiddenRows.size(), hidden)};
}

void FakeTransformer::writeLogits(std::uint64_t state, float* row) const {
    for (std::int32_t id = 0; id < m_spec.vocabulary; ++id)
        row[id] = static_cast<float>(mix(state, static_cast<std::uint64_t>(id)) >> 40) * 0x1p-21f - 4.0f;  // [-4, 4)
}

void FakeTransformer::writeHidden(std::uint64_t state, float* row) const {
    for (std::int32_t i = 0; i < m_spec.hidden; ++i)
        row[i] = static_cast<float>(mix(state, 1000 + static_cast<std::uint64_t>(i)) >> 40) * 0x1p-23f - 1.0f;
}

namespace {
std::uint64_t stateOf(std::span<const TokenId> tokens) {
    std::uint64_t state = kFirstState;
    for (const TokenId token : tokens) state = mix(state, static_cast<std::uint64_t>(token));
    return state;
}
}  // namespace

std::vector<float> FakeTransformer::expectedLogits(std::span<const TokenId> tokens) const {
    std::vector<float> row(static_cast<std::size_t>(m_spec.vocabulary));
    writeLogits(stateOf(tokens), row.data());
    return row;
}

std::vector<float> FakeTransformer::expectedHidden(std::span<const TokenId> tokens) const {
    std::vector<float> row(static_cast<std::size_t>(m_spec.hidden));
    writeHidden(stateOf(tokens), row.data());
    return row;
}

std::uint64_t TestRandom::next() {
    return mix(m_state++, 7);
}

ChunkSink Received::sink() {
    m_self = std::make_shared<Received*>(this);
    return [self = std::weak_ptr(m_self)](const Chunk& chunk) {
        const auto alive = self.lock();
        if (!alive) return;
        Received& received = **alive;
        ++received.chunks;
        received.text += chunk.text;
        received.ids.insert(received.ids.end(), chunk.ids.begin(), chunk.ids.end());
        received.logprobs.insert(received.logprobs.end(), chunk.logprobs.begin(), chunk.logprobs.end());
        if (!chunk.embedding.empty()) received.embedding = chunk.embedding;
        if (!chunk.finish) return;
        ++received.lastChunks;
        received.finish = chunk.finish;
        received.error = chunk.error;
        received.usage = chunk.usage;
        received.timing = chunk.timing;
    };
}

bool sameBits(const Received& a, const Received& b) {
    const auto bits = [](float value) { return std::bit_cast<std::uint32_t>(value); };
    if (a.ids != b.ids || a.text != b.text || a.finish != b.finish || a.logprobs.size() != b.logprobs.size() ||
        a.embedding.size() != b.embedding.size())
        return false;
    for (std::size_t i = 0; i < a.logprobs.size(); ++i) {
        if (a.logprobs[i].id != b.logprobs[i].id || bits(a.logprobs[i].logprob) != bits(b.logprobs[i].logprob) ||
            a.logprobs[i].top.size() != b.logprobs[i].top.size())
            return false;
        for (std::size_t k = 0; k < a.logprobs[i].top.size(); ++k)
            if (a.logprobs[i].top[k].first != b.logprobs[i].top[k].first ||
                bits(a.logprobs[i].top[k].second) != bits(b.logprobs[i].top[k].second))
                return false;
    }
    for (std::size_t i = 0; i < a.embedding.size(); ++i)
        if (bits(a.embedding[i]) != bits(b.embedding[i])) return false;
    return true;
}

namespace {

class PieceTokenizer final : public Tokenizer {
public:
    explicit PieceTokenizer(std::vector<std::string> pieces) : m_pieces(std::move(pieces)) {}

    Result<std::vector<TokenId>> encode(std::string_view, const EncodeOptions&) const override {
        return fail(ErrorCode::Unsupported, "this tokenizer only decodes");
    }
    Result<std::string> decode(std::span<const TokenId> ids, bool skipSpecial) const override {
        std::string text;
        for (const TokenId id : ids) {
            TRY_ASSIGN(const std::string piece, decodePiece(id, skipSpecial, text.empty()));
            text += piece;
        }
        return text;
    }
    Result<std::string> decodePiece(TokenId id, bool, bool) const override {
        if (id < 0 || id >= vocabularySize()) return fail(ErrorCode::InvalidArgument, "no such id");
        return m_pieces[static_cast<std::size_t>(id)];
    }
    std::int64_t vocabularySize() const override { return static_cast<std::int64_t>(m_pieces.size()); }
    std::optional<TokenId> idOf(std::string_view) const override { return std::nullopt; }
    std::optional<std::string> tokenOf(TokenId) const override { return std::nullopt; }
    bool isSpecial(TokenId) const override { return false; }

private:
    std::vector<std::string> m_pieces;
};

}  // namespace

std::shared_ptr<const Tokenizer> makePieceTokenizer(std::vector<std::string> pieces) {
    return std::make_shared<PieceTokenizer>(std::move(pieces));
}

}  // namespace espalier::test
