// SPDX-License-Identifier: GPL-3.0-or-later
// A row's bits depend on that row's sequence alone: not on chunks, pages, neighbours or earlier work.
#include <QTemporaryDir>
#include <QTest>
#include <cmath>
#include <random>

#include "tests/support/backends.h"
#include "tests/support/model_runner.h"
#include "tests/support/test_main.h"
#include "tests/support/tiny_model.h"

using namespace espalier;
using namespace espalier::test;

namespace {

std::vector<std::int32_t> randomTokens(std::int32_t count, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    std::vector<std::int32_t> tokens;
    for (std::int32_t i = 0; i < count; ++i) tokens.push_back(static_cast<std::int32_t>(random() % kTinyVocabulary));
    return tokens;
}

// Chunks of 1 to `most` tokens.
std::vector<float> runInChunks(Backend& ops, const LoadedModel& model, KvMemory& memory,
                               std::span<const std::int32_t> tokens, std::uint64_t seed, std::size_t most) {
    std::mt19937_64 random(seed);
    SequenceRunner sequence(ops, *model.transformer, memory, static_cast<std::int32_t>(tokens.size()));
    std::vector<float> logits;
    while (!tokens.empty()) {
        const std::size_t count = std::min<std::size_t>(tokens.size(), 1 + random() % most);
        const std::vector<float> rows = sequence.append(tokens.first(count));
        logits.insert(logits.end(), rows.begin(), rows.end());
        tokens = tokens.subspan(count);
    }
    return logits;
}

RawTensor rawTensor(const TensorSource& source, const TensorEntry& entry) {
    return {entry.name, "F32", entry.shape, readTensor(source, entry).value()};
}

// Keeps the given rows (or columns) of an f32 matrix.
RawTensor keepRows(RawTensor tensor, std::int64_t first, std::int64_t count) {
    const std::int64_t rowBytes = tensor.shape[1] * 4;
    tensor.bytes = {tensor.bytes.begin() + first * rowBytes, tensor.bytes.begin() + (first + count) * rowBytes};
    tensor.shape[0] = count;
    return tensor;
}
RawTensor keepColumns(const RawTensor& tensor, std::int64_t first, std::int64_t count) {
    RawTensor kept{tensor.name, tensor.dtype, {tensor.shape[0], count}, {}};
    for (std::int64_t row = 0; row < tensor.shape[0]; ++row) {
        const auto begin = tensor.bytes.begin() + (row * tensor.shape[1] + first) * 4;
        kept.bytes.insert(kept.bytes.end(), begin, begin + count * 4);
    }
    return kept;
}
RawTensor clearColumns(RawTensor tensor, std::int64_t first, std::int64_t count) {
    for (std::int64_t row = 0; row < tensor.shape[0]; ++row) {
        const auto begin = tensor.bytes.begin() + (row * tensor.shape[1] + first) * 4;
        std::fill(begin, begin + count * 4, std::byte{0});
    }
    return tensor;
}

}  // namespace

class TestTransformer : public QObject {
    Q_OBJECT
    QTemporaryDir m_temporary;
    Path m_folder;

    void eachBackend() {
        QTest::addColumn<QByteArray>("name");
        for (const char* name : backendNames()) QTest::newRow(name) << QByteArray(name);
    }

private slots:
    void initTestCase() {
        m_folder = m_temporary.path().toStdString();
        writeTinyModel(m_folder / "tiny", {.dtype = DType::BF16});
        writeTinyModel(m_folder / "odd", {.hidden = 40,
                                          .heads = 3,
                                          .kvHeads = 1,
                                          .headDim = 14,
                                          .neurons = 33,
                                          .tied = true,
                                          .attentionBias = true,
                                          .mlpBias = true});
    }

    void decodingTokenByTokenEqualsPrefillBitForBit_data() { eachBackend(); }
    void decodingTokenByTokenEqualsPrefillBitForBit() {
        QFETCH(QByteArray, name);
        const TestDevice device = openTestDevice(name);
        Backend* ops = device.backend;
        for (const char* folder : {"tiny", "odd"}) {
            const LoadedModel model = loadModel(*ops, m_folder / folder);
            const std::vector<std::int32_t> tokens = randomTokens(67, 1);
            KvMemory memory(*ops, model.spec, 32);
            SequenceRunner whole(*ops, *model.transformer, memory, 67);
            const std::vector<float> expected = whole.append(tokens);
            QVERIFY(runInChunks(*ops, model, memory, tokens, 0, 1) == expected);
        }
    }

    void anyChunkingAndAnyPageOrderGiveTheSameBits_data() { eachBackend(); }
    void anyChunkingAndAnyPageOrderGiveTheSameBits() {
        QFETCH(QByteArray, name);
        const TestDevice device = openTestDevice(name);
        Backend* ops = device.backend;
        const LoadedModel model = loadModel(*ops, m_folder / "odd");
        const std::vector<std::int32_t> tokens = randomTokens(70, 2);
        KvMemory straight(*ops, model.spec, 8);
        SequenceRunner whole(*ops, *model.transformer, straight, 70);
        const std::vector<float> expected = whole.append(tokens);
        for (std::uint64_t seed = 1; seed <= 6; ++seed) {
            KvMemory memory(*ops, model.spec, 40);
            memory.shuffle(seed);
            QVERIFY2(runInChunks(*ops, model, memory, tokens, seed, 4 * seed) == expected,
                     std::to_string(seed).c_str());
        }
    }

    void neighboursInABatchChangeNoBit_data() { eachBackend(); }
    void neighboursInABatchChangeNoBit() {
        QFETCH(QByteArray, name);
        const TestDevice device = openTestDevice(name);
        Backend* ops = device.backend;
        const LoadedModel model = loadModel(*ops, m_folder / "tiny");
        const auto width = static_cast<std::size_t>(model.spec.vocabulary);
        const std::vector<std::int32_t> lengths = {1, 21, 16, 33};
        KvMemory memory(*ops, model.spec, 40);
        memory.shuffle(5);
        std::vector<float> expected;
        std::vector<std::int32_t> tokens;
        std::vector<Segment> segments;
        std::vector<std::vector<std::int32_t>> pages;
        for (const std::int32_t length : lengths) {
            const std::vector<std::int32_t> own = randomTokens(length, static_cast<std::uint64_t>(length));
            SequenceRunner alone(*ops, *model.transformer, memory, length);
            const std::vector<float> logits = alone.append(own);
            expected.insert(expected.end(), logits.end() - static_cast<std::ptrdiff_t>(width), logits.end());
            pages.push_back(memory.take(length));
            tokens.insert(tokens.end(), own.begin(), own.end());
        }
        std::vector<std::int32_t> lastRows;
        std::int32_t row = 0;
        for (std::size_t i = 0; i < lengths.size(); ++i) {
            segments.push_back({row, lengths[i], 0, pages[i]});
            row += lengths[i];
            lastRows.push_back(row - 1);
        }
        const auto stream = ops->makeStream();
        const auto output = model.transformer->forward(
            *stream, {.tokens = tokens, .segments = segments, .logitRows = lastRows, .hiddenRows = {}},
            memory.layers());
        QVERIFY(output);
        QVERIFY(floatsOf(output->logits) == expected);
    }

    void hiddenRowsTimesTheHeadAreTheLogits_data() { eachBackend(); }
    void hiddenRowsTimesTheHeadAreTheLogits() {
        QFETCH(QByteArray, name);
        const TestDevice device = openTestDevice(name);
        Backend* ops = device.backend;
        const LoadedModel model = loadModel(*ops, m_folder / "odd");
        const std::vector<std::int32_t> tokens = randomTokens(20, 3);
        KvMemory memory(*ops, model.spec, 2);
        const auto pages = memory.take(20);
        const Segment segments[] = {{0, 20, 0, pages}};
        const std::vector<std::int32_t> wanted = {0, 1, 7, 19};
        const auto stream = ops->makeStream();
        const auto output = model.transformer->forward(
            *stream, {.tokens = tokens, .segments = segments, .logitRows = wanted, .hiddenRows = wanted},
            memory.layers());
        QVERIFY(output);
        const auto table = readTensor(*model.source, *model.source->find("model.embed_tokens.weight")).value();
        const auto* head = reinterpret_cast<const float*>(table.data());
        const std::vector<float> hidden = floatsOf(output->hidden);
        const std::vector<float> logits = floatsOf(output->logits);
        QCOMPARE(hidden.size(), wanted.size() * 40);
        for (std::size_t row = 0; row < wanted.size(); ++row)
            for (std::size_t token = 0; token < kTinyVocabulary; ++token) {
                double sum = 0;
                for (std::size_t d = 0; d < 40; ++d) sum += double{hidden[row * 40 + d]} * double{head[token * 40 + d]};
                QVERIFY(std::abs(sum - double{logits[row * kTinyVocabulary + token]}) < 1e-4);
            }
    }

    void noWantedRowsGiveNoLogitsButFillTheCache_data() { eachBackend(); }
    void noWantedRowsGiveNoLogitsButFillTheCache() {
        QFETCH(QByteArray, name);
        const TestDevice device = openTestDevice(name);
        Backend* ops = device.backend;
        const LoadedModel model = loadModel(*ops, m_folder / "tiny");
        const std::vector<std::int32_t> tokens = randomTokens(18, 4);
        KvMemory memory(*ops, model.spec, 4);
        SequenceRunner whole(*ops, *model.transformer, memory, 18);
        const std::vector<float> expected = whole.append(tokens);
        const auto pages = memory.take(18);
        const auto stream = ops->makeStream();
        const Segment first[] = {{0, 17, 0, pages}};
        const auto silent = model.transformer->forward(
            *stream, {.tokens = std::span(tokens).first(17), .segments = first, .logitRows = {}, .hiddenRows = {}},
            memory.layers());
        QVERIFY(silent);
        QCOMPARE(silent->logits.count(), std::int64_t{0});
        const Segment last[] = {{0, 1, 17, pages}};
        const std::vector<std::int32_t> row = {0};
        const auto output = model.transformer->forward(
            *stream, {.tokens = std::span(tokens).last(1), .segments = last, .logitRows = row, .hiddenRows = {}},
            memory.layers());
        QVERIFY(floatsOf(output->logits) == std::vector<float>(expected.end() - kTinyVocabulary, expected.end()));
    }

    // Layer 1 without its second key-value group and its last 30 neurons, against the whole model in which the same
    // heads and neurons contribute zero.
    void aPrunedLayerEqualsTheWholeOneWithSilentParts_data() { eachBackend(); }
    void aPrunedLayerEqualsTheWholeOneWithSilentParts() {
        QFETCH(QByteArray, name);
        const TestDevice device = openTestDevice(name);
        Backend* ops = device.backend;
        writeTinyModel(m_folder / "whole");  // 4 heads of 12 over 2 groups, 80 neurons
        const LoadedModel original = loadModel(*ops, m_folder / "whole");
        std::vector<RawTensor> silent;
        std::vector<RawTensor> pruned;
        for (const TensorEntry& entry : original.source->tensors()) {
            const RawTensor tensor = rawTensor(*original.source, entry);
            silent.push_back(tensor);
            pruned.push_back(tensor);
            const auto is = [&](const char* role) {
                return entry.name == std::string("model.layers.1.") + role + ".weight";
            };
            if (is("self_attn.q_proj")) pruned.back() = keepRows(tensor, 0, 24);
            if (is("self_attn.k_proj") || is("self_attn.v_proj")) pruned.back() = keepRows(tensor, 0, 12);
            if (is("mlp.gate_proj") || is("mlp.up_proj")) pruned.back() = keepRows(tensor, 0, 50);
            if (is("self_attn.o_proj")) {
                pruned.back() = keepColumns(tensor, 0, 24);
                silent.back() = clearColumns(tensor, 24, 24);
            }
            if (is("mlp.down_proj")) {
                pruned.back() = keepColumns(tensor, 0, 50);
                silent.back() = clearColumns(tensor, 50, 30);
            }
        }
        for (const auto& [folder, tensors] : {std::pair("silent", &silent), std::pair("pruned", &pruned)}) {
            std::filesystem::create_directories(m_folder / folder);
            writeFile(m_folder / folder / "model.safetensors", safetensorsBytes(*tensors));
        }
        ArchSpec spec = original.spec;
        const LoadedModel full = loadModel(*ops, m_folder / "silent", spec);
        spec.layers[1] = {.heads = 2, .kvHeads = 1, .neurons = 50};
        const LoadedModel less = loadModel(*ops, m_folder / "pruned", spec);
        const std::vector<std::int32_t> tokens = randomTokens(25, 6);
        KvMemory fullMemory(*ops, full.spec, 2);
        KvMemory lessMemory(*ops, less.spec, 2);
        const auto expected = SequenceRunner(*ops, *full.transformer, fullMemory, 25).append(tokens);
        const auto found = SequenceRunner(*ops, *less.transformer, lessMemory, 25).append(tokens);
        for (std::size_t i = 0; i < expected.size(); ++i) QVERIFY(std::abs(expected[i] - found[i]) < 1e-4f);
        QVERIFY(less.transformer->weightBytes() < full.transformer->weightBytes());
    }
};
ESPALIER_TEST(tst_transformer, TestTransformer)
#include "tst_transformer.moc"
