// SPDX-License-Identifier: GPL-3.0-or-later
// Published config.json files of every family and what must come out; what a family cannot do is refused by name.
#include <QTest>

#include "core/formats/arch_spec.h"
#include "core/formats/family.h"
#include "tests/support/test_main.h"

using namespace espalier;

namespace {

Json mistral() {
    return Json::parse(R"({"architectures": ["MistralForCausalLM"], "bos_token_id": 1, "eos_token_id": 2,
        "hidden_act": "silu", "hidden_size": 4096, "initializer_range": 0.02, "intermediate_size": 14336,
        "max_position_embeddings": 32768, "model_type": "mistral", "num_attention_heads": 32, "num_hidden_layers": 32,
        "num_key_value_heads": 8, "rms_norm_eps": 1e-05, "rope_theta": 10000.0, "sliding_window": 4096,
        "tie_word_embeddings": false, "torch_dtype": "bfloat16", "use_cache": true, "vocab_size": 32000})");
}

Json qwen25() {
    return Json::parse(R"({"architectures": ["Qwen2ForCausalLM"], "attention_dropout": 0.0, "bos_token_id": 151643,
        "eos_token_id": 151645, "hidden_act": "silu", "hidden_size": 896, "intermediate_size": 4864,
        "max_position_embeddings": 32768, "max_window_layers": 21, "model_type": "qwen2", "num_attention_heads": 14,
        "num_hidden_layers": 24, "num_key_value_heads": 2, "rms_norm_eps": 1e-06, "rope_theta": 1000000.0,
        "sliding_window": 32768, "tie_word_embeddings": true, "torch_dtype": "bfloat16", "use_cache": true,
        "use_sliding_window": false, "vocab_size": 151936})");
}

Json qwen3() {
    return Json::parse(R"({"architectures": ["Qwen3ForCausalLM"], "attention_bias": false, "bos_token_id": 151643,
        "eos_token_id": 151645, "head_dim": 128, "hidden_act": "silu", "hidden_size": 1024, "intermediate_size": 3072,
        "max_position_embeddings": 40960, "max_window_layers": 28, "model_type": "qwen3", "num_attention_heads": 16,
        "num_hidden_layers": 28, "num_key_value_heads": 8, "rms_norm_eps": 1e-06, "rope_scaling": null,
        "rope_theta": 1000000, "sliding_window": null, "tie_word_embeddings": true, "torch_dtype": "bfloat16",
        "use_cache": true, "use_sliding_window": false, "vocab_size": 151936})");
}

Json gpt2() {
    return Json::parse(R"({"activation_function": "gelu_new", "architectures": ["GPT2LMHeadModel"],
        "attn_pdrop": 0.1, "bos_token_id": 50256, "embd_pdrop": 0.1, "eos_token_id": 50256, "initializer_range": 0.02,
        "layer_norm_epsilon": 1e-05, "model_type": "gpt2", "n_ctx": 1024, "n_embd": 768, "n_head": 12, "n_layer": 12,
        "n_positions": 1024, "resid_pdrop": 0.1, "summary_activation": null, "vocab_size": 50257})");
}

Json bert() {
    return Json::parse(R"({"architectures": ["BertForMaskedLM"], "attention_probs_dropout_prob": 0.1,
        "gradient_checkpointing": false, "hidden_act": "gelu", "hidden_dropout_prob": 0.1, "hidden_size": 768,
        "initializer_range": 0.02, "intermediate_size": 3072, "layer_norm_eps": 1e-12, "max_position_embeddings": 512,
        "model_type": "bert", "num_attention_heads": 12, "num_hidden_layers": 12, "pad_token_id": 0,
        "position_embedding_type": "absolute", "transformers_version": "4.6.0.dev0", "type_vocab_size": 2,
        "use_cache": true, "vocab_size": 30522})");
}

Json with(Json config, const char* patch) {
    config.merge_patch(Json::parse(patch));
    return config;
}

ArchSpec read(const Json& config) {
    const auto spec = archSpecFromConfig(config, "config.json");
    if (!spec) qFatal("%s", spec.error().text().c_str());
    return *spec;
}

std::vector<std::int32_t> windowsOf(const ArchSpec& spec) {
    std::vector<std::int32_t> windows;
    for (const LayerSpec& layer : spec.layers) windows.push_back(layer.window);
    return windows;
}

}  // namespace

class TestFamilies : public QObject {
    Q_OBJECT
private slots:
    void mistral_hasAWindowInEveryLayer() {
        const ArchSpec spec = read(mistral());
        QCOMPARE(spec.family, std::string("mistral"));
        QCOMPARE(windowsOf(spec), std::vector<std::int32_t>(32, 4096));
        QCOMPARE(spec.layers[0].kvHeads, 8);
        QVERIFY(!spec.attentionBias && !spec.mlpBias && spec.lmHead && spec.causal);
    }
    void mistral_withoutTheKeyHasTheWindowOfTheFirstAndWithNullNone() {
        Json config = mistral();
        config["sliding_window"] = nullptr;
        QCOMPARE(windowsOf(read(config)), std::vector<std::int32_t>(32, 0));
        config.erase("sliding_window");
        QCOMPARE(windowsOf(read(config)), std::vector<std::int32_t>(32, 4096));
    }
    void qwen25_hasBiasesOnQueryKeyValueAndNoWindowUnlessItIsSwitchedOn() {
        const ArchSpec spec = read(qwen25());
        QVERIFY(spec.attentionBias && !spec.attentionOutBias && !spec.mlpBias && spec.tiedEmbeddings);
        QCOMPARE(spec.rope.theta, 1000000.0);
        QCOMPARE(windowsOf(spec), std::vector<std::int32_t>(24, 0));
        std::vector<std::int32_t> expected(24, 0);
        std::fill(expected.begin() + 21, expected.end(), 32768);
        QCOMPARE(windowsOf(read(with(qwen25(), R"({"use_sliding_window": true})"))), expected);
    }
    void qwen3_layerTypesSayWhichLayersSlide() {
        const ArchSpec spec = read(qwen3());
        QVERIFY(spec.queryKeyNorm && !spec.attentionBias);
        QCOMPARE(spec.headDim, 128);
        Json config = with(qwen3(), R"({"use_sliding_window": true, "sliding_window": 9, "num_hidden_layers": 3,
                                        "layer_types": ["full_attention", "sliding_attention", "full_attention"]})");
        QCOMPARE(windowsOf(read(config)), (std::vector<std::int32_t>{0, 9, 0}));
        config["layer_types"] = {"full_attention", "chunked_attention", "full_attention"};
        QCOMPARE(archSpecFromConfig(config, "config.json").error().code, ErrorCode::CorruptFile);
        config["layer_types"] = {"full_attention"};
        QCOMPARE(archSpecFromConfig(config, "config.json").error().code, ErrorCode::CorruptFile);
    }
    // What the configuration classes of transformers say when the file is silent; null is not silent.
    void silentConfigsHaveTheDefaultsOfTheirFamily() {
        struct Silent {
            Json config;
            const char* contextKey;
            std::int32_t kvHeads, context;
        };
        const Json llama = with(mistral(), R"({"architectures": ["LlamaForCausalLM"], "model_type": "llama"})");
        const Silent all[] = {
            {llama, "max_position_embeddings", 32, 2048},
            {mistral(), "max_position_embeddings", 8, 131072},
            {with(qwen25(), R"({"num_attention_heads": 64, "head_dim": 14})"), "max_position_embeddings", 32, 32768},
            {with(qwen3(), R"({"num_attention_heads": 64})"), "max_position_embeddings", 32, 32768},
            {gpt2(), "n_positions", 12, 1024},
            {bert(), "max_position_embeddings", 12, 512},
            {with(bert(), R"({"architectures": ["RobertaModel"], "pad_token_id": 1})"), "max_position_embeddings", 12,
             510}};
        for (const Silent& silent : all) {
            Json config = silent.config;
            config.erase("num_key_value_heads");
            config.erase(silent.contextKey);
            const ArchSpec spec = read(config);
            QCOMPARE(spec.layers[0].kvHeads, silent.kvHeads);
            QCOMPARE(spec.context, silent.context);
            config["num_key_value_heads"] = nullptr;
            QCOMPARE(read(config).layers[0].kvHeads, spec.layers[0].heads);
        }
    }
    void qwen3_withoutHeadDimHas128() { QCOMPARE(read(with(qwen3(), R"({"head_dim": null})")).headDim, 128); }
    void gpt2_readsItsOwnKeys() {
        const ArchSpec spec = read(gpt2());
        QCOMPARE(spec.hidden, 768);
        QCOMPARE(spec.layers.size(), std::size_t{12});
        QCOMPARE(spec.layers[0].neurons, 4 * 768);
        QCOMPARE(spec.context, 1024);
        QVERIFY(spec.activation == Activation::GeluTanh && spec.norm == NormFamily::LayerNorm);
        QVERIFY(spec.normPlace == NormPlace::BeforeBlock);
        QVERIFY(spec.learnedPositions && spec.rope.rotaryDim == 0 && !spec.gatedMlp && spec.transposedLinears);
        QVERIFY(spec.tiedEmbeddings && spec.attentionBias && spec.attentionOutBias && spec.mlpBias);
        QCOMPARE(read(with(gpt2(), R"({"n_inner": 100})")).layers[11].neurons, 100);
    }
    void bert_isAnEncoderWithoutAHead() {
        const ArchSpec spec = read(bert());
        QCOMPARE(spec.architecture, std::string("BertForMaskedLM"));
        QVERIFY(!spec.causal && !spec.lmHead);
        QVERIFY(spec.normPlace == NormPlace::AfterBlock && spec.embeddingNorm && spec.learnedPositions);
        QCOMPARE(spec.tokenTypes, 2);
        QCOMPARE(spec.normEps, 1e-12);
        QVERIFY(spec.activation == Activation::Gelu);
    }
    void aModelWithoutItsHeadGivesHiddenStatesOnly() {
        const ArchSpec spec = read(with(mistral(), R"({"architectures": ["MistralModel"]})"));
        QVERIFY(!spec.lmHead && spec.causal);
    }
    void modelTypeAloneIsEnough() {
        for (const Json& config : {mistral(), qwen25(), qwen3(), gpt2(), bert()}) {
            ArchSpec spec = read(with(config, R"({"architectures": null})"));
            spec.architecture = read(config).architecture;
            QVERIFY(spec == read(config));
        }
    }
    void whatChangesTheModelIsRefusedByName_data() {
        QTest::addColumn<QByteArray>("config");
        QTest::addColumn<QByteArray>("key");
        const auto row = [](const char* name, const Json& config, const char* key) {
            QTest::newRow(name) << QByteArray::fromStdString(config.dump()) << QByteArray(key);
        };
        row("a decoder", with(bert(), R"({"is_decoder": true})"), "is_decoder");
        row("relative positions", with(bert(), R"({"position_embedding_type": "relative_key"})"),
            "position_embedding_type");
        row("unscaled", with(gpt2(), R"({"scale_attn_weights": false})"), "scale_attn_weights");
        row("scaled by layer", with(gpt2(), R"({"scale_attn_by_inverse_layer_idx": true})"),
            "scale_attn_by_inverse_layer_idx");
        row("cross attention", with(gpt2(), R"({"add_cross_attention": true})"), "add_cross_attention");
        row("rotation per kind", with(qwen3(), R"({"rope_parameters": {
            "full_attention": {"rope_type": "default", "rope_theta": 1e6},
            "sliding_attention": {"rope_type": "default", "rope_theta": 1e4}}})"),
            "rope_parameters");
        row("a classifier", with(bert(), R"({"architectures": ["BertForSequenceClassification"]})"),
            "BertForSequenceClassification");
    }
    void whatChangesTheModelIsRefusedByName() {
        QFETCH(QByteArray, config);
        QFETCH(QByteArray, key);
        const auto spec = archSpecFromConfig(Json::parse(config.toStdString()), "config.json");
        QVERIFY(!spec);
        QCOMPARE(spec.error().code, ErrorCode::Unsupported);
        QVERIFY2(spec.error().message.find(key.toStdString()) != std::string::npos, spec.error().message.c_str());
    }
    void rotationPerKindOfLayerReadsWhenAllAreTheSame() {
        const Json config = with(qwen3(), R"({"rope_theta": null, "rope_parameters": {
            "full_attention": {"rope_type": "linear", "factor": 2.0, "rope_theta": 5e5},
            "sliding_attention": {"rope_type": "linear", "factor": 2.0, "rope_theta": 5e5}}})");
        QCOMPARE(read(config).rope.theta, 5e5);
        QVERIFY(read(config).rope.scaling == RopeScaling::Linear);
    }
    void anUnknownArchitectureListsAllKnownOnes() {
        const auto spec = archSpecFromConfig(with(bert(), R"({"architectures": ["MambaForCausalLM"]})"), "config.json");
        for (const Family& family : knownFamilies())
            for (const Architecture& architecture : family.architectures)
                QVERIFY(spec.error().message.find(architecture.name) != std::string::npos);
        QVERIFY(spec.error().message.find("\"MambaForCausalLM\"") != std::string::npos);
    }
    void everyFamilyReadsBackFromItsNormalisedForm() {
        for (const Json& config : {mistral(), qwen25(), qwen3(), gpt2(), bert()}) {
            const ArchSpec spec = read(config);
            const auto again = archSpecFromJson(toJson(spec), "workspace");
            QVERIFY2(again, again ? "" : again.error().text().c_str());
            QVERIFY(*again == spec);
        }
    }
    // What a workspace of version 0.1.0 holds: none of the keys that came with the families.
    void anOlderNormalisedFormReadsAsBefore() {
        ArchSpec spec = read(mistral());
        for (LayerSpec& layer : spec.layers) layer.window = 0;
        Json old = toJson(spec);
        for (const char* key : {"norm_place", "learned_positions", "first_position", "token_types", "embedding_norm",
                                "query_key_norm", "causal", "lm_head", "transposed_linears"})
            QCOMPARE(old.erase(key), std::size_t{1});
        for (Json& layer : old["layers"]) layer.erase("window");
        QVERIFY(archSpecFromJson(old, "workspace").value() == spec);
    }
    void contradictionsInANormalisedFormAreRefused() {
        const Json good = toJson(read(bert()));
        for (const char* patch : {R"({"lm_head": true})", R"({"first_position": -1})", R"({"token_types": -1})",
                                  R"({"norm_place": "around"})", R"({"causal": "yes"})"})
            QVERIFY2(!archSpecFromJson(with(good, patch), "workspace"), patch);
        Json windowed = good;
        windowed["layers"][1]["window"] = 8;
        QVERIFY(!archSpecFromJson(windowed, "workspace"));
    }
};
ESPALIER_TEST(tst_families, TestFamilies)
#include "tst_families.moc"
