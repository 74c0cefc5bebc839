// SPDX-License-Identifier: GPL-3.0-or-later
#include <QTest>

#include "core/formats/arch_spec.h"
#include "core/formats/generation_config.h"
#include "tests/support/test_main.h"

using namespace espalier;

namespace {

// Llama 2 7B as published, in the old spelling.
Json llama2() {
    return Json::parse(
        R"({"architectures": ["LlamaForCausalLM"], "bos_token_id": 1, "eos_token_id": 2, "hidden_act": "silu",
        "hidden_size": 4096, "initializer_range": 0.02, "intermediate_size": 11008, "max_position_embeddings": 4096,
        "model_type": "llama", "num_attention_heads": 32, "num_hidden_layers": 32, "num_key_value_heads": 32,
        "pretraining_tp": 1, "rms_norm_eps": 1e-05, "rope_scaling": null, "tie_word_embeddings": false,
        "torch_dtype": "float16", "transformers_version": "4.31.0.dev0", "use_cache": true, "vocab_size": 32000})");
}

// Llama 3.2 1B as published.
Json llama32() {
    return Json::parse(R"({"architectures": ["LlamaForCausalLM"], "attention_bias": false, "attention_dropout": 0.0,
        "bos_token_id": 128000, "eos_token_id": [128001, 128008, 128009], "head_dim": 64, "hidden_act": "silu",
        "hidden_size": 2048, "initializer_range": 0.02, "intermediate_size": 8192, "max_position_embeddings": 131072,
        "mlp_bias": false, "model_type": "llama", "num_attention_heads": 32, "num_hidden_layers": 16,
        "num_key_value_heads": 8, "pretraining_tp": 1, "rms_norm_eps": 1e-05,
        "rope_scaling": {"factor": 32.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0,
                         "original_max_position_embeddings": 8192, "rope_type": "llama3"},
        "rope_theta": 500000.0, "tie_word_embeddings": true, "torch_dtype": "bfloat16", "vocab_size": 128256})");
}

struct BadConfig {
    const char* name;
    const char* patch;  // merged into llama32; null removes a key
    ErrorCode code;
    const char* names;
};

const BadConfig kBadConfigs[] = {
    {"other architecture", R"({"architectures": ["MambaForCausalLM"]})", ErrorCode::Unsupported,
     "\"MambaForCausalLM\" is not supported; known: LlamaForCausalLM"},
    {"no architecture and other type", R"({"architectures": null, "model_type": "rwkv"})", ErrorCode::Unsupported,
     "\"rwkv\""},
    {"no architecture and no type", R"({"architectures": null, "model_type": null})", ErrorCode::CorruptFile,
     "model_type"},
    {"architectures is a string", R"({"architectures": "LlamaForCausalLM"})", ErrorCode::CorruptFile, "architectures"},
    {"architectures is empty", R"({"architectures": []})", ErrorCode::CorruptFile, "architectures"},
    {"missing hidden size", R"({"hidden_size": null})", ErrorCode::CorruptFile,
     "\"hidden_size\" must be an integer from 1 to 1048576, it is missing"},
    {"fractional hidden size", R"({"hidden_size": 2048.0})", ErrorCode::CorruptFile, "found 2048.0"},
    {"hidden size in quotes", R"({"hidden_size": "2048"})", ErrorCode::CorruptFile, "hidden_size"},
    {"negative hidden size", R"({"hidden_size": -1})", ErrorCode::CorruptFile, "hidden_size"},
    {"zero layers", R"({"num_hidden_layers": 0})", ErrorCode::CorruptFile, "num_hidden_layers"},
    {"a billion layers", R"({"num_hidden_layers": 1000000000})", ErrorCode::CorruptFile, "num_hidden_layers"},
    {"layers over 64 bits", R"({"num_hidden_layers": 18446744073709551617})", ErrorCode::CorruptFile,
     "num_hidden_layers"},
    {"a billion heads", R"({"num_attention_heads": 1000000000})", ErrorCode::CorruptFile, "num_attention_heads"},
    {"absurd vocabulary", R"({"vocab_size": 4611686018427387904})", ErrorCode::CorruptFile, "vocab_size"},
    {"absurd width", R"({"intermediate_size": 2147483648})", ErrorCode::CorruptFile, "intermediate_size"},
    {"absurd context", R"({"max_position_embeddings": 1e300})", ErrorCode::CorruptFile, "max_position_embeddings"},
    {"kv heads do not divide", R"({"num_key_value_heads": 5})", ErrorCode::CorruptFile, "found 5 and 32"},
    {"more kv heads than heads", R"({"num_key_value_heads": 64})", ErrorCode::CorruptFile, "found 64 and 32"},
    {"zero kv heads", R"({"num_key_value_heads": 0})", ErrorCode::CorruptFile, "num_key_value_heads"},
    {"odd head_dim", R"({"head_dim": 63})", ErrorCode::CorruptFile, "must be even, found 63"},
    {"odd head_dim by division", R"({"head_dim": null, "hidden_size": 2016})", ErrorCode::CorruptFile,
     "must be even, found 63"},
    {"hidden not a multiple of heads", R"({"head_dim": null, "hidden_size": 2047})", ErrorCode::CorruptFile,
     "hidden_size"},
    {"unknown activation", R"({"hidden_act": "snake"})", ErrorCode::Unsupported,
     "the hidden_act \"snake\" is not supported; known: silu"},
    {"activation is a number", R"({"hidden_act": 1})", ErrorCode::CorruptFile, "hidden_act"},
    {"negative theta", R"({"rope_theta": -10000.0})", ErrorCode::CorruptFile, "rope_theta"},
    {"zero theta", R"({"rope_theta": 0})", ErrorCode::CorruptFile, "rope_theta"},
    {"negative theta in the new spelling",
     R"({"rope_scaling": null, "rope_parameters": {"rope_type": "default", "rope_theta": -1}})", ErrorCode::CorruptFile,
     "rope_parameters: \"rope_theta\""},
    {"unknown rope type", R"({"rope_scaling": {"rope_type": "spiral", "factor": 2.0}})", ErrorCode::Unsupported,
     "\"spiral\""},
    {"rope type yarn", R"({"rope_scaling": {"rope_type": null, "type": "yarn"}})", ErrorCode::Unsupported, "\"yarn\""},
    {"rope_scaling is a list", R"({"rope_scaling": [1]})", ErrorCode::CorruptFile, "rope_scaling"},
    {"linear without factor",
     R"({"rope_scaling": {"rope_type": "linear", "factor": null, "low_freq_factor": null, "high_freq_factor": null}})",
     ErrorCode::CorruptFile, "\"factor\""},
    {"negative factor", R"({"rope_scaling": {"factor": -8.0}})", ErrorCode::CorruptFile, "\"factor\""},
    {"equal frequency factors", R"({"rope_scaling": {"low_freq_factor": 4.0}})", ErrorCode::CorruptFile,
     "low_freq_factor"},
    {"fractional original context", R"({"rope_scaling": {"original_max_position_embeddings": 8192.5}})",
     ErrorCode::CorruptFile, "original_max_position_embeddings"},
    {"partial rotation", R"({"partial_rotary_factor": 0.5})", ErrorCode::Unsupported, "partial_rotary_factor"},
    {"negative epsilon", R"({"rms_norm_eps": -1e-5})", ErrorCode::CorruptFile, "epsilon"},
    {"epsilon in quotes", R"({"rms_norm_eps": "1e-5"})", ErrorCode::CorruptFile, "rms_norm_eps"},
    {"tied is a number", R"({"tie_word_embeddings": 1})", ErrorCode::CorruptFile, "tie_word_embeddings"},
    {"bias is a string", R"({"attention_bias": "no"})", ErrorCode::CorruptFile, "attention_bias"},
    {"dtype that is a number", R"({"torch_dtype": 8})", ErrorCode::CorruptFile, "torch_dtype"},
    {"eos over 31 bits", R"({"eos_token_id": [2, 2147483648]})", ErrorCode::CorruptFile, "eos_token_id"},
    {"eos is a list of lists", R"({"eos_token_id": [[2]]})", ErrorCode::CorruptFile, "eos_token_id"},
    {"GPTQ", R"({"quantization_config": {"quant_method": "gptq", "bits": 4}})", ErrorCode::Unsupported, "GPTQ"},
    {"AWQ", R"({"quantization_config": {"quant_method": "awq"}})", ErrorCode::Unsupported, "AWQ"},
    {"FP8", R"({"quantization_config": {"quant_method": "fp8"}})", ErrorCode::Unsupported, "FP8"},
    {"quantisation without a method", R"({"quantization_config": {}})", ErrorCode::Unsupported, "config.json"},
    {"quantisation is a string", R"({"quantization_config": "4bit"})", ErrorCode::CorruptFile, "quantization_config"},
};

Json patched(const char* patch) {
    Json config = llama32();
    config.merge_patch(Json::parse(patch));
    return config;
}

ArchSpec read(const Json& config) {
    return archSpecFromConfig(config, "config.json").value();
}

}  // namespace

class TestArchSpec : public QObject {
    Q_OBJECT
private slots:
    void badConfigsAreRefusedByName_data() {
        QTest::addColumn<int>("index");
        int index = 0;
        for (const BadConfig& bad : kBadConfigs) QTest::newRow(bad.name) << index++;
    }
    void badConfigsAreRefusedByName() {
        QFETCH(int, index);
        const BadConfig& bad = kBadConfigs[index];
        const auto spec = archSpecFromConfig(patched(bad.patch), "config.json");
        QVERIFY(!spec);
        const std::string text = spec.error().text();
        QVERIFY2(spec.error().code == bad.code, text.c_str());
        QVERIFY2(text.find(bad.names) != std::string::npos, text.c_str());
        QVERIFY2(text.find("config.json") != std::string::npos, text.c_str());
    }
    void aConfigThatIsNoObjectIsRefused() {
        for (const char* text : {"[]", "null", "3", "\"llama\""})
            QCOMPARE(archSpecFromConfig(Json::parse(text), "config.json").error().code, ErrorCode::CorruptFile);
    }
    void llama2Reads() {
        const ArchSpec spec = read(llama2());
        QCOMPARE(spec.family, std::string("llama"));
        QCOMPARE(spec.layers.size(), std::size_t{32});
        QCOMPARE(spec.headDim, 128);
        QCOMPARE(spec.rope.theta, 10000.0);
        QCOMPARE(spec.rope.rotaryDim, 128);
        QVERIFY(spec.rope.scaling == RopeScaling::None);
        QCOMPARE(spec.dtype, DType::F16);
        QCOMPARE(spec.eosIds, (std::vector<std::int32_t>{2}));
    }
    void llama1WithoutKeyValueHeadsHasAsManyAsHeads() {
        Json config = llama2();
        config.erase("num_key_value_heads");
        config.erase("max_position_embeddings");
        config["rms_norm_eps"] = 1e-6;
        const ArchSpec spec = read(config);
        QCOMPARE(spec.layers[0].kvHeads, 32);
        QCOMPARE(spec.context, 2048);
    }
    void llama32Reads() {
        const ArchSpec spec = read(llama32());
        QCOMPARE(spec.layers[15].kvHeads, 8);
        QVERIFY(spec.tiedEmbeddings);
        QVERIFY(spec.rope.scaling == RopeScaling::Llama3);
        QCOMPARE(spec.rope.factor, 32.0);
        QCOMPARE(spec.rope.originalContext, 8192);
        QCOMPARE(spec.eosIds, (std::vector<std::int32_t>{128001, 128008, 128009}));
        QCOMPARE(spec.bosIds, (std::vector<std::int32_t>{128000}));
    }
    void bothSpellingsGiveTheSameSpec() {
        Json modern = llama32();
        Json rope = modern["rope_scaling"];
        rope["rope_theta"] = modern["rope_theta"];
        modern["rope_parameters"] = rope;
        modern["dtype"] = modern["torch_dtype"];
        for (const char* key : {"rope_scaling", "rope_theta", "torch_dtype"}) modern.erase(key);
        QVERIFY(read(modern) == read(llama32()));
    }
    void oldLinearScalingReads() {
        Json config = llama2();
        config["rope_scaling"] = {{"type", "linear"}, {"factor", 4}};
        QVERIFY(read(config).rope.scaling == RopeScaling::Linear);
        QCOMPARE(read(config).rope.factor, 4.0);
        config["rope_scaling"] = {{"rope_type", "default"}};
        QVERIFY(read(config).rope.scaling == RopeScaling::None);
    }
    void llama3WithoutOriginalContextTakesTheModelsOwn() {
        QCOMPARE(read(patched(R"({"rope_scaling": {"original_max_position_embeddings": null}})")).rope.originalContext,
                 131072);
    }
    void biasesFollowTheirKeys() {
        const ArchSpec spec = read(patched(R"({"attention_bias": true, "mlp_bias": true})"));
        QVERIFY(spec.attentionBias && spec.attentionOutBias && spec.mlpBias);
        QVERIFY(!read(llama32()).attentionBias);
    }
    void theNormalisedFormReadsBack() {
        ArchSpec spec = read(llama32());
        spec.layers[3] = {.heads = 16, .kvHeads = 4, .neurons = 5000};  // as a pruned model has it
        const auto again = archSpecFromJson(toJson(spec), "workspace");
        QVERIFY2(again, again ? "" : again.error().message.c_str());
        QVERIFY(*again == spec);
        const ArchSpec plain = read(llama2());
        QVERIFY(*archSpecFromJson(toJson(plain), "workspace") == plain);
    }
    void aBrokenNormalisedFormIsRefused() {
        const Json good = toJson(read(llama32()));
        for (const char* patch :
             {R"({"layers": []})", R"({"layers": [{}]})", R"({"layers": [1]})", R"({"rope": null})", R"({"rope": 1})",
              R"({"head_dim": 3})", R"({"family": "x"})", R"({"norm": "x"})", R"({"rope": {"rotary_dim": 128}})",
              R"({"layers": [{"heads": 3, "kv_heads": 2, "neurons": 1}]})"}) {
            Json bad = good;
            bad.merge_patch(Json::parse(patch));
            QVERIFY2(!archSpecFromJson(bad, "workspace"), patch);
        }
        QVERIFY(!archSpecFromJson(Json::array(), "workspace"));
    }
    void generationConfigExtendsTheEndTokens() {
        ArchSpec spec = read(llama2());
        const Json json = Json::parse(
            R"({"eos_token_id": [2, 7], "temperature": 0.6, "top_p": 0.9, "top_k": 50, "do_sample": true})");
        const auto defaults = mergeGenerationConfig(json, "generation_config.json", spec);
        QVERIFY(defaults);
        QCOMPARE(spec.eosIds, (std::vector<std::int32_t>{2, 7}));
        QCOMPARE(defaults->temperature, std::optional(0.6));
        QCOMPARE(defaults->topP, std::optional(0.9));
        QCOMPARE(defaults->topK, std::optional(50));
    }
    void generationConfigMayBeSilentOrGreedy() {
        QVERIFY(*generationDefaultsFromJson(Json::object(), "g") == GenerationDefaults{});
        QCOMPARE(
            generationDefaultsFromJson(Json::parse(R"({"do_sample": false, "temperature": 0.9})"), "g")->temperature,
            std::optional(0.0));
    }
    // vLLM writes -1 for "off"; whatever a maker suggests, the model itself can be used.
    void suggestionsOutOfRangeAreWarningsAndNotFollowed() {
        for (const auto& [text, topK] :
             {std::pair(R"({"top_k": -1})", 0), std::pair(R"({"top_k": 0})", 0), std::pair(R"({"top_k": 20.0})", 20)}) {
            const auto defaults = generationDefaultsFromJson(Json::parse(text), "g");
            QVERIFY2(defaults, text);
            QCOMPARE(defaults->topK, std::optional(topK));
            QVERIFY(defaults->warnings.empty());
        }
        for (const auto& [text, key] :
             {std::pair(R"({"temperature": -1})", "temperature"), std::pair(R"({"temperature": 9})", "temperature"),
              std::pair(R"({"top_p": 1.5})", "top_p"), std::pair(R"({"top_p": 0.0})", "top_p"),
              std::pair(R"({"top_k": 2.5})", "top_k"), std::pair(R"({"top_k": 1e12})", "top_k")}) {
            const auto defaults = generationDefaultsFromJson(Json::parse(text), "generation_config.json");
            QVERIFY2(defaults, text);
            QVERIFY(!defaults->temperature && !defaults->topP && !defaults->topK);
            QCOMPARE(defaults->warnings.size(), std::size_t{1});
            QVERIFY(defaults->warnings[0].find(key) != std::string::npos);
            QVERIFY(defaults->warnings[0].find("generation_config.json") != std::string::npos);
        }
    }
    void negativeTokenIdsAreNone() {
        QVERIFY(read(patched(R"({"eos_token_id": -1})")).eosIds.empty());
        QCOMPARE(read(patched(R"({"eos_token_id": [2, -1, 7]})")).eosIds, (std::vector<std::int32_t>{2, 7}));
        QVERIFY(!archSpecFromConfig(patched(R"({"eos_token_id": 2147483648})"), "config.json"));
    }
    void anUnknownDtypeIsNoObstacle() {
        for (const char* name : {"auto", "float64", "float8_e4m3fn"}) {
            Json config = llama32();
            config["torch_dtype"] = name;
            QCOMPARE(read(config).dtype, DType::F32);
        }
    }
    // As transformers: what "rope_scaling" says replaces "rope_parameters".
    void ropeScalingCountsBesideRopeParameters() {
        Json config = llama2();
        config["rope_scaling"] = {{"type", "linear"}, {"factor", 2.0}};
        config["rope_parameters"] = {{"rope_type", "default"}, {"rope_theta", 77.0}};
        config["rope_theta"] = 500.0;
        const ArchSpec both = read(config);
        QVERIFY(both.rope.scaling == RopeScaling::Linear);
        QCOMPARE(both.rope.factor, 2.0);
        QCOMPARE(both.rope.theta, 500.0);
        config["rope_parameters"] = {{"rope_type", "linear"}, {"factor", 4.0}, {"rope_theta", 77.0}};
        for (const Json& silent : {Json(), Json::object()}) {
            config["rope_scaling"] = silent;
            QCOMPARE(read(config).rope.factor, 4.0);
            QCOMPARE(read(config).rope.theta, 77.0);
        }
    }
    void badGenerationConfigsAreRefusedByName() {
        for (const auto& [text, key] :
             {std::pair(R"({"temperature": "hot"})", "temperature"), std::pair(R"({"top_p": [1]})", "top_p"),
              std::pair(R"({"top_k": true})", "top_k"), std::pair(R"({"eos_token_id": "2"})", "eos_token_id"),
              std::pair("[]", "object")}) {
            const auto defaults = generationDefaultsFromJson(Json::parse(text), "generation_config.json");
            QVERIFY2(!defaults, text);
            QVERIFY(defaults.error().message.find(key) != std::string::npos);
            QVERIFY(defaults.error().message.find("generation_config.json") != std::string::npos);
        }
    }
};
ESPALIER_TEST(tst_arch_spec, TestArchSpec)
#include "tst_arch_spec.moc"
