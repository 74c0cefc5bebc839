// SPDX-License-Identifier: GPL-3.0-or-later
#include <QTest>
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "core/serving/philox.h"
#include "core/serving/sampler.h"
#include "tests/support/fake_transformer.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

namespace {

std::vector<float> randomLogits(TestRandom& random, std::int32_t count) {
    std::vector<float> logits;
    for (std::int32_t i = 0; i < count; ++i) logits.push_back(static_cast<float>(random.below(4001) - 2000) / 250.0f);
    return logits;
}

double uniform(std::uint64_t seed, std::uint32_t choice, std::uint64_t index) {
    const auto words =
        philox4x32({static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32), choice, 0},
                   {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)});
    return static_cast<double>((static_cast<std::uint64_t>(words[1]) << 32 | words[0]) >> 11) / 9007199254740992.0;
}

struct Oracle {
    std::vector<std::pair<double, TokenId>> kept;  // probability, id; in the order the draw walks
    TokenId token = 0;
    double margin = 1.0;  // distance of the draw from the nearest border between tokens
};

// request.h's order of steps, written down in fp64 with full sorts.
Oracle oracle(const std::vector<float>& logits, const SamplingParams& params, const std::vector<TokenId>& prompt,
              const std::vector<TokenId>& output, std::uint64_t index) {
    std::vector<double> x(logits.begin(), logits.end());
    for (const auto& [id, bias] : params.logitBias) x[static_cast<std::size_t>(id)] += static_cast<double>(bias);
    for (std::size_t id = 0; id < x.size(); ++id) {
        const auto inPrompt = std::count(prompt.begin(), prompt.end(), static_cast<TokenId>(id));
        const auto inOutput = std::count(output.begin(), output.end(), static_cast<TokenId>(id));
        if (inPrompt + inOutput > 0)
            x[id] = x[id] > 0 ? x[id] / params.repetitionPenalty : x[id] * params.repetitionPenalty;
        if (inOutput > 0) x[id] -= params.presencePenalty + params.frequencyPenalty * static_cast<double>(inOutput);
    }
    Oracle result;
    double total = 0.0;
    for (std::size_t id = 0; id < x.size(); ++id) {
        result.kept.emplace_back(std::exp(x[id] / params.temperature), static_cast<TokenId>(id));
        total += result.kept.back().first;
    }
    for (auto& [p, id] : result.kept) p /= total;
    const auto best = [](const auto& a, const auto& b) {
        return a.first != b.first ? a.first > b.first : a.second < b.second;
    };
    if (params.topK > 0 || params.topP < 1.0) std::sort(result.kept.begin(), result.kept.end(), best);
    if (params.topK > 0 && result.kept.size() > static_cast<std::size_t>(params.topK))
        result.kept.resize(static_cast<std::size_t>(params.topK));
    if (params.topP < 1.0) {
        double all = 0.0, mass = 0.0;
        for (const auto& [p, id] : result.kept) all += p;
        std::size_t count = 0;
        while (count < result.kept.size() && mass < params.topP * all) mass += result.kept[count++].first;
        result.kept.resize(count);
    }
    double top = 0.0;
    for (const auto& [p, id] : result.kept) top = std::max(top, p);
    std::erase_if(result.kept, [&](const auto& c) { return c.first < params.minP * top; });
    double all = 0.0, mass = 0.0;
    for (const auto& [p, id] : result.kept) all += p;
    const double target = uniform(params.seed, params.choice, index);
    bool found = false;
    for (auto& [p, id] : result.kept) {
        p /= all;
        mass += p;
        result.margin = std::min(result.margin, std::abs(mass - target));
        if (!found && mass > target) {
            result.token = id;
            found = true;
        }
    }
    return result;
}

}  // namespace

class TestSampler : public QObject {
    Q_OBJECT
private slots:
    void philoxGivesThePublishedVectors() {  // Random123's known answers for philox4x32-10
        using Words = std::array<std::uint32_t, 4>;
        QCOMPARE(philox4x32({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
        QCOMPARE(philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
                 (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
        QCOMPARE(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
                 (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
    }
    void theExponentialIsWithinTwoUlp() {
        QCOMPARE(expNegative(0.0f), 1.0f);
        QCOMPARE(expNegative(-1000.0f), 0.0f);
        QCOMPARE(expNegative(-std::numeric_limits<float>::infinity()), 0.0f);
        for (int i = 0; i < 870000; ++i) {
            const float x = -static_cast<float>(i) * 1e-4f;
            const double exact = std::exp(static_cast<double>(x));
            const auto rounded = static_cast<float>(exact);
            const double ulp = static_cast<double>(std::nextafter(rounded, 2.0f)) - static_cast<double>(rounded);
            QVERIFY2(std::abs(static_cast<double>(expNegative(x)) - exact) <= 2.0 * ulp,
                     qPrintable(QString::number(x)));
        }
    }
    void greedyTakesTheLargestAndTheLowestIdOnATie() {
        Sampler sampler;
        QCOMPARE(sampler.sample(std::vector<float>{1, 5, 2, 5}, {}, nullptr, 0).value(), 1);
        SamplingParams biased;
        biased.logitBias = {{3, 0.5f}};
        QCOMPARE(sampler.sample(std::vector<float>{1, 5, 2, 5}, biased, nullptr, 0).value(), 3);
    }
    void everyStepEqualsTheFp64Oracle() {
        Sampler sampler;
        int compared = 0;
        for (std::uint64_t seed = 1; seed <= 4000; ++seed) {
            TestRandom random(seed);
            const std::int32_t vocabulary = 2 + random.below(random.below(4) == 0 ? 1500 : 40);
            const auto logits = randomLogits(random, vocabulary);
            SamplingParams params;
            params.seed = random.next();
            params.choice = static_cast<std::uint32_t>(random.below(3));
            params.temperature = 0.1 + 0.1 * random.below(19);
            if (random.below(2)) params.topK = 1 + random.below(30);
            if (random.below(2)) params.topP = 0.05 + 0.1 * random.below(10);
            if (random.below(3) == 0) params.minP = 0.05 * random.below(10);
            std::vector<TokenId> prompt, output;
            TokenHistory history;
            bool usesHistory = false;
            if (random.below(2)) {
                usesHistory = true;
                params.repetitionPenalty = 0.7 + 0.2 * random.below(5);
                params.presencePenalty = 0.3 * random.below(5) - 0.5;
                params.frequencyPenalty = 0.2 * random.below(5) - 0.3;
                for (int i = 0; i < 6; ++i) prompt.push_back(random.below(vocabulary));
                for (int i = 0; i < 6; ++i) output.push_back(random.below(vocabulary));
                history.addPrompt(prompt);
                for (const TokenId id : output) history.addOutput(id);
            }
            if (random.below(3) == 0)
                params.logitBias = {{random.below(vocabulary), 3.0f}, {random.below(vocabulary), -100.0f}};
            const std::uint64_t index = static_cast<std::uint64_t>(random.below(1000));
            const Oracle expected = oracle(logits, params, prompt, output, index);
            if (expected.margin < 1e-5) continue;  // the draw falls on a border; f32 may round either way
            const auto token = sampler.sample(logits, params, usesHistory ? &history : nullptr, index);
            QVERIFY2(token && *token == expected.token, qPrintable(QString("seed %1").arg(seed)));
            ++compared;
        }
        QVERIFY(compared > 3900);
    }
    void drawsFollowTheDistribution() {
        Sampler sampler;
        const std::vector<float> logits{1.0f, 0.0f, -1.0f, 2.0f, 0.5f, -3.0f};
        SamplingParams params;
        params.temperature = 0.8;
        params.seed = 12345;
        constexpr int kDraws = 40000;
        std::map<TokenId, int> counts;
        for (int i = 0; i < kDraws; ++i)
            ++counts[sampler.sample(logits, params, nullptr, static_cast<std::uint64_t>(i)).value()];
        double total = 0.0, chiSquare = 0.0;
        for (const float logit : logits) total += std::exp(static_cast<double>(logit) / 0.8);
        for (std::size_t i = 0; i < logits.size(); ++i) {
            const double expected = kDraws * std::exp(static_cast<double>(logits[i]) / 0.8) / total;
            const double difference = counts[static_cast<TokenId>(i)] - expected;
            chiSquare += difference * difference / expected;
        }
        QVERIFY2(chiSquare < 20.5, qPrintable(QString::number(chiSquare)));  // 99.9 % quantile at 5 degrees of freedom
        QVERIFY(chiSquare > 0.2);  // a draw that repeats itself would fit too well or not at all
    }
    void logprobsAreThoseOfTheModelsOwnDistribution() {
        Sampler sampler;
        TestRandom random(9);
        const auto logits = randomLogits(random, 1000);
        double total = 0.0;
        for (const float logit : logits) total += std::exp(static_cast<double>(logit));
        std::vector<TokenId> ids(logits.size());
        std::iota(ids.begin(), ids.end(), 0);
        std::stable_sort(ids.begin(), ids.end(), [&](TokenId a, TokenId b) {
            return logits[static_cast<std::size_t>(a)] > logits[static_cast<std::size_t>(b)];
        });
        const auto result = sampler.logprob(logits, 7, 5);
        QVERIFY(result);
        QCOMPARE(result->id, 7);
        QVERIFY(std::abs(static_cast<double>(result->logprob) - (static_cast<double>(logits[7]) - std::log(total))) <
                1e-5);
        QCOMPARE(result->top.size(), std::size_t{5});
        for (std::size_t i = 0; i < 5; ++i) {
            QCOMPARE(result->top[i].first, ids[i]);
            QVERIFY(std::abs(static_cast<double>(result->top[i].second) -
                             (static_cast<double>(logits[static_cast<std::size_t>(ids[i])]) - std::log(total))) < 1e-5);
        }
        QCOMPARE(sampler.logprob(std::vector<float>{1, 2}, 0, 20)->top.size(), std::size_t{2});
    }
    void logitsThatAreNotFiniteAreAnError() {
        Sampler sampler;
        const float infinity = std::numeric_limits<float>::infinity();
        for (const std::vector<float>& logits :
             {std::vector<float>{1, std::nanf(""), 2}, {1, infinity}, {-infinity, -infinity}}) {
            for (const double temperature : {0.0, 1.0}) {
                SamplingParams params;
                params.temperature = temperature;
                QCOMPARE(sampler.sample(logits, params, nullptr, 0).error().code, ErrorCode::NonFinite);
            }
            QCOMPARE(sampler.logprob(logits, 0, 1).error().code, ErrorCode::NonFinite);
        }
        QCOMPARE(sampler.sample(std::vector<float>{-infinity, 3}, {}, nullptr, 0).value(), 1);
    }
    void extremeTemperaturesStayDefined() {
        Sampler sampler;
        for (const double temperature : {1e-300, 1e-30, 1e-3, 2.0}) {
            SamplingParams params;
            params.temperature = temperature;
            const auto token = sampler.sample(std::vector<float>{0, 9, -9}, params, nullptr, 3);
            QVERIFY(token && (temperature > 1 || *token == 1));
        }
    }
    void parametersOutOfRangeAreNamed_data() {
        QTest::addColumn<QString>("field");
        for (const char* field : {"temperature", "top_k", "top_p", "min_p", "presence_penalty", "frequency_penalty",
                                  "repetition_penalty", "logit_bias"})
            QTest::newRow(field) << field;
    }
    void parametersOutOfRangeAreNamed() {
        QFETCH(QString, field);
        SamplingParams params;
        QVERIFY(params.validate());
        if (field == "temperature") params.temperature = std::nan("");
        if (field == "top_k") params.topK = -1;
        if (field == "top_p") params.topP = 0.0;
        if (field == "min_p") params.minP = 1.5;
        if (field == "presence_penalty") params.presencePenalty = 2.1;
        if (field == "frequency_penalty") params.frequencyPenalty = -2.1;
        if (field == "repetition_penalty") params.repetitionPenalty = 0.0;
        if (field == "logit_bias") params.logitBias = {{1, 101.0f}};
        QCOMPARE(params.validate().error().where, field.toStdString());
    }
};
ESPALIER_TEST(tst_sampler, TestSampler)
#include "tst_sampler.moc"
