// SPDX-License-Identifier: GPL-3.0-or-later
// Encoders in the serving loop: a text is one chunk, its embedding is that of transformers and the same in any crowd,
// and what an encoder cannot do is refused in words.
#include <QTest>
#include <cmath>
#include <cstring>

#include "core/compute/cpu/cpu_backend.h"
#include "core/serving/serving_loop.h"
#include "tests/support/fake_transformer.h"
#include "tests/support/model_runner.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

namespace {

const Path kFolder = Path(ESPALIER_TEST_DATA) / "models" / "bert-f16";
constexpr std::int32_t kContext = 48;

ServingOptions serving(std::int32_t pages = 64, std::int32_t batchTokens = 256) {
    ServingOptions options;
    options.poolPages = pages;
    options.maxBatchTokens = batchTokens;
    return options;
}

struct Bench {
    explicit Bench(const ServingOptions& options = serving(), int threads = 1, std::int32_t batchTokens = 2 * kContext)
        : backend(makeCpuBackend({.threads = threads, .isa = {}})),
          model(loadModel(*backend, kFolder,
                          {.maxBatchTokens = batchTokens, .maxLogitRows = 8, .progress = {}, .stop = {}})),
          loop(std::move(ServingLoop::create(*backend, *model.transformer, nullptr, options, clock).value())) {}

    Result<void> submit(std::uint64_t id, std::vector<TokenId> tokens, Received& received,
                        RequestKind kind = RequestKind::Embed, Pooling pooling = Pooling::Mean) {
        Request request;
        request.id = {id};
        request.tenant = id % 2 ? "ada" : "bob";
        request.kind = kind;
        request.pooling = pooling;
        request.prompt = std::move(tokens);
        request.sink = received.sink();
        return loop->submit(std::move(request));
    }
    void run() {
        while (!loop->idle()) loop->step();
    }

    ManualClock clock;
    std::unique_ptr<Backend> backend;
    LoadedModel model;
    std::unique_ptr<ServingLoop> loop;
};

std::vector<TokenId> textOf(int number) {
    std::vector<TokenId> tokens;
    for (int i = 0; i < 1 + number * 7 % kContext; ++i) tokens.push_back((i * 31 + number * 17) % 83);
    return tokens;
}

}  // namespace

class TestEncoder : public QObject {
    Q_OBJECT
private slots:
    void embeddingsAreThePooledHiddenStatesOfTransformers() {
        const auto files = makeFileSystem();
        const Json golden = parseJson(*files->readText(kFolder / "golden.json", 1 << 20), "golden.json").value();
        const std::string raw = files->readText(kFolder / "hidden.f32", 1 << 24).value();
        std::vector<float> hidden(raw.size() / sizeof(float));
        std::memcpy(hidden.data(), raw.data(), raw.size());
        const std::vector<std::vector<TokenId>> texts = golden["texts"];
        const std::size_t width = 36;
        // The last text has token type 0 throughout, which is what a request has.
        const std::vector<TokenId>& text = texts.back();
        const auto rows = std::span(hidden).last(text.size() * width);
        for (const Pooling pooling : {Pooling::Mean, Pooling::Cls, Pooling::Last, Pooling::Max}) {
            Bench bench;
            Received received;
            QVERIFY(bench.submit(1, text, received, RequestKind::Embed, pooling));
            bench.run();
            QCOMPARE(received.embedding.size(), width);
            for (std::size_t d = 0; d < width; ++d) {
                double mean = 0, largest = -1e30;
                for (std::size_t t = 0; t < text.size(); ++t) {
                    mean += double{rows[t * width + d]} / static_cast<double>(text.size());
                    largest = std::max(largest, double{rows[t * width + d]});
                }
                const double expected = pooling == Pooling::Mean  ? mean
                                        : pooling == Pooling::Max ? largest
                                        : pooling == Pooling::Cls ? double{rows[d]}
                                                                  : double{rows[(text.size() - 1) * width + d]};
                QVERIFY(std::abs(expected - double{received.embedding[d]}) < 1e-4);
            }
        }
    }

    void aCrowdChangesNoBit() {
        constexpr int kTexts = 40;
        std::vector<Received> alone(kTexts);
        for (int i = 0; i < kTexts; ++i) {
            Bench bench;
            QVERIFY(bench.submit(1, textOf(i), alone[static_cast<std::size_t>(i)]));
            bench.run();
        }
        struct Crowd {
            std::int32_t pages, batchTokens;
            int threads;
        };
        for (const Crowd& crowd : {Crowd{64, 96, 1}, Crowd{3, 48, 2}, Crowd{9, 61, 3}}) {
            Bench bench(serving(crowd.pages, crowd.batchTokens), crowd.threads);
            std::vector<Received> received(kTexts);
            for (int i = 0; i < kTexts; ++i) {
                const auto submitted =
                    bench.submit(static_cast<std::uint64_t>(i) + 1, textOf(i), received[static_cast<std::size_t>(i)]);
                QVERIFY2(submitted, submitted ? "" : submitted.error().text().c_str());
                if (i % 5 == 0) bench.loop->step();
            }
            bench.run();
            QVERIFY(bench.loop->checkIntegrity());
            for (std::size_t i = 0; i < kTexts; ++i) {
                QVERIFY(!received[i].embedding.empty());
                QVERIFY2(sameBits(alone[i], received[i]), std::to_string(i).c_str());
            }
        }
    }

    // With the last token pooled a decoder would take a cached beginning; here every state depends on what follows it.
    void nothingIsTakenFromThePrefixCache() {
        Bench bench;
        std::vector<Received> received(3);
        std::vector<TokenId> text = textOf(6);
        QVERIFY(text.size() > 3 * kTokensPerPage - 6);
        for (std::size_t i = 0; i < 3; ++i) {
            text.back() = static_cast<TokenId>(i);
            QVERIFY(bench.submit(i + 1, text, received[i], RequestKind::Embed, Pooling::Last));
            bench.run();
            QCOMPARE(received[i].usage.cachedTokens, 0);
        }
        QCOMPARE(bench.loop->stats().counters.prefixQueries, std::int64_t{0});
        QCOMPARE(bench.loop->stats().pages.of(PageOwner::KvCached), 0);
    }

    void aTextBeyondOneStepIsRefusedWithTheNumbers() {
        Bench bench(serving(64, 20), 1);
        QCOMPARE(bench.loop->contextLimit(), 20);
        Received received, other;
        QVERIFY(bench.submit(1, std::vector<TokenId>(20, 5), received));
        const auto refused = bench.submit(2, std::vector<TokenId>(21, 5), other);
        QCOMPARE(refused.error().code, ErrorCode::ContextOverflow);
        QVERIFY(refused.error().message.find("21 tokens") != std::string::npos);
        QVERIFY(refused.error().message.find("at most 20") != std::string::npos);
        bench.run();
        QVERIFY(!received.embedding.empty());
    }

    void askingForTextIsRefused() {
        Bench bench;
        Received received;
        for (const RequestKind kind : {RequestKind::Generate, RequestKind::Score}) {
            const auto refused = bench.submit(1, textOf(1), received, kind);
            QCOMPARE(refused.error().code, ErrorCode::Unsupported);
            QVERIFY(refused.error().message.find("embeddings only") != std::string::npos);
        }
    }

    void theStepOfAnEncoderHoldsItsContext() {
        ArchSpec spec;
        spec.context = 512;
        QCOMPARE(batchTokensFor(spec, 256), 256);
        spec.causal = false;
        QCOMPARE(batchTokensFor(spec, 256), 512);
        QCOMPARE(batchTokensFor(spec, 1024), 1024);
    }
};
ESPALIER_TEST(tst_encoder, TestEncoder)
#include "tst_encoder.moc"
