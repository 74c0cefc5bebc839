// SPDX-License-Identifier: GPL-3.0-or-later
// PEFT folders: what fits is read, and every folder that does not fit is refused with a sentence that names the
// culprit.
#include <QTemporaryDir>
#include <QTest>
#include <cmath>
#include <cstring>
#include <functional>
#include <set>

#include "core/adapters/adapter_folder.h"
#include "tests/support/adapter_data.h"
#include "tests/support/memory_tensors.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

namespace {

ArchSpec base() {
    return archSpecFromConfig(tinyConfig({}), "config.json").value();
}

struct Hostile {
    const char* name;
    std::function<void(TinyAdapter&)> spoil;
    ErrorCode code;
    const char* names;
};

std::function<void(TinyAdapter&)> set(const char* key, Json value) {
    return [key, value](TinyAdapter& adapter) { adapter.config[key] = value; };
}

std::function<void(TinyAdapter&)> renamed(const char* from, const char* to) {
    return [from, to](TinyAdapter& adapter) {
        RawTensor& tensor = adapter.tensor(from);
        tensor.name = tensor.name.substr(0, tensor.name.size() - std::strlen(from)) + to;
    };
}

std::function<void(TinyAdapter&)> dropped(const char* end) {
    return [end](TinyAdapter& adapter) {
        const std::string name = adapter.tensor(end).name;
        std::erase_if(adapter.tensors, [&](const RawTensor& tensor) { return tensor.name == name; });
    };
}

std::vector<Hostile> hostileAdapters() {
    const auto corrupt = ErrorCode::CorruptFile, unsupported = ErrorCode::Unsupported, shape = ErrorCode::ShapeMismatch,
               missing = ErrorCode::MissingTensor;
    constexpr const char* kQuery = "layers.1.self_attn.q_proj.lora_A.weight";
    constexpr const char* kQueryB = "layers.1.self_attn.q_proj.lora_B.weight";
    return {
        {"no peft_type", [](TinyAdapter& a) { a.config.erase("peft_type"); }, corrupt, "peft_type"},
        {"IA3", set("peft_type", "IA3"), unsupported, "IA3"},
        {"prompt tuning", set("peft_type", "PROMPT_TUNING"), unsupported, "PROMPT_TUNING"},
        {"AdaLoRA", set("peft_type", "ADALORA"), unsupported, "ADALORA"},
        {"peft_type that is a number", set("peft_type", 3), corrupt, "peft_type"},
        {"DoRA", set("use_dora", true), unsupported, "DoRA"},
        {"bias all", set("bias", "all"), unsupported, "bias"},
        {"bias of LoRA", set("lora_bias", true), unsupported, "lora_bias"},
        {"modules_to_save", set("modules_to_save", Json::array({"lm_head"})), unsupported, "modules_to_save"},
        {"token indices", set("trainable_token_indices", Json::array({1})), unsupported, "trainable_token_indices"},
        {"layer replication", set("layer_replication", Json::array({Json::array({0, 1})})), unsupported,
         "layer_replication"},
        {"activated LoRA", set("alora_invocation_tokens", Json::array({1, 2})), unsupported, "alora"},
        {"PiSSA", set("init_lora_weights", "pissa_niter_4"), unsupported, "pissa_niter_4"},
        {"OLoRA", set("init_lora_weights", "olora"), unsupported, "olora"},
        {"rank zero", set("r", 0), corrupt, "\"r\""},
        {"rank negative", set("r", -4), corrupt, "\"r\""},
        {"rank fractional", set("r", 4.5), corrupt, "\"r\""},
        {"rank as text", set("r", "4"), corrupt, "\"r\""},
        {"rank of another adapter", set("r", 5), shape, "lora_A"},
        {"rank 4097", set("r", 4097), ErrorCode::TooLarge, "4097"},
        {"rank over 32 bits", set("r", 4294967300), corrupt, "\"r\""},
        {"alpha as text", set("lora_alpha", "16"), corrupt, "lora_alpha"},
        {"rank pattern out of range", set("rank_pattern", {{"q_proj", 0}}), corrupt, "rank_pattern"},
        {"rank pattern that is a list", set("rank_pattern", Json::array({4})), corrupt, "rank_pattern"},
        {"rank pattern unlike the weights", set("rank_pattern", {{"q_proj", 3}}), shape, "q_proj.lora_A"},
        {"broken pattern", set("rank_pattern", {{"q_proj(", 3}}), unsupported, "rank_pattern"},
        {"alpha pattern as text", set("alpha_pattern", {{"q_proj", "x"}}), corrupt, "alpha_pattern"},
        {"targets that are a number", set("target_modules", 7), corrupt, "target_modules"},
        {"targets with a number", set("target_modules", Json::array({"q_proj", 7})), corrupt, "target_modules"},
        {"an unknown target", set("target_modules", Json::array({"q_proj", "v_proj", "down_proj", "fc9"})), shape,
         "fc9"},
        {"the head as a target without weights",
         set("target_modules", Json::array({"q_proj", "v_proj", "down_proj", "lm_head"})), missing,
         "base_model.model.lm_head.lora_A.weight"},
        {"the embedding as a target without weights",
         set("target_modules", Json::array({"q_proj", "v_proj", "down_proj", "embed_tokens"})), missing,
         "base_model.model.model.embed_tokens.lora_embedding_A"},
        {"weights of a head that is no target",
         [](TinyAdapter& a) {
             RawTensor more = a.tensor(kQuery);
             more.name = "base_model.model.lm_head.lora_A.weight";
             a.tensors.push_back(more);
         },
         corrupt, "lm_head.lora_A.weight belongs to a projection that"},
        {"a target without weights", set("target_modules", Json::array({"q_proj", "v_proj", "down_proj", "k_proj"})),
         missing, "layers.0.self_attn.k_proj"},
        {"weights that are no target", set("target_modules", Json::array({"q_proj", "v_proj"})), corrupt, "down_proj"},
        {"weights of an excluded module", set("exclude_modules", Json::array({"v_proj"})), corrupt, "v_proj"},
        {"weights of a layer that is not chosen", set("layers_to_transform", Json::array({0})), corrupt, "layers.1."},
        {"layers that are text", set("layers_to_transform", "0"), corrupt, "layers_to_transform"},
        {"layers below zero", set("layers_to_transform", Json::array({-1})), corrupt, "layers_to_transform"},
        {"all-linear with weights of three", set("target_modules", "all-linear"), missing, "k_proj"},
        {"a pattern that steps without end", set("target_modules", "((\\w|\\.)+)+[#%]"), unsupported, "target_modules"},
        {"no A", dropped(kQuery), missing, "lora_A"},
        {"no B", dropped(kQueryB), missing, "lora_B"},
        {"A too wide",
         [](TinyAdapter& a) {
             RawTensor& t = a.tensor(kQuery);
             t.shape[1] += 1;
             t.bytes.resize(t.bytes.size() + 16);
         },
         shape, kQuery},
        {"B for another number of heads",
         [](TinyAdapter& a) {
             RawTensor& t = a.tensor(kQueryB);
             t.shape[0] -= 1;
             t.bytes.resize(t.bytes.size() - 16);
         },
         shape, kQueryB},
        {"A transposed", [](TinyAdapter& a) { std::swap(a.tensor(kQuery).shape[0], a.tensor(kQuery).shape[1]); }, shape,
         kQuery},
        {"A of one dimension",
         [](TinyAdapter& a) {
             RawTensor& t = a.tensor(kQuery);
             t.shape = {t.shape[0] * t.shape[1]};
         },
         shape, kQuery},
        {"a layer that the base lacks", renamed(kQuery, "layers.9.self_attn.q_proj.lora_A.weight"), shape, "layers.9"},
        {"a module that the base lacks", renamed(kQuery, "layers.1.self_attn.z_proj.lora_A.weight"), shape, "z_proj"},
        {"a layer number with a leading zero", renamed(kQuery, "layers.01.self_attn.q_proj.lora_A.weight"), shape,
         "layers.01"},
        {"a DoRA magnitude", renamed(kQuery, "layers.1.self_attn.q_proj.lora_magnitude_vector"), unsupported, "DoRA"},
        {"an embedding that is no target", renamed(kQuery, "embed_tokens.lora_embedding_A"), corrupt,
         "embed_tokens.lora_embedding_A"},
        {"matrices of an embedding under a projection's names", renamed(kQuery, "embed_tokens.lora_A.weight"), corrupt,
         "lora_embedding_A"},
        {"matrices of a projection under an embedding's names",
         renamed(kQuery, "layers.1.self_attn.q_proj.lora_embedding_A"), corrupt, "not an embedding"},
        {"a weight of the base in a layer", renamed(kQuery, "layers.1.self_attn.q_proj.base_layer.weight"), unsupported,
         "base itself"},
        {"a table of the base of another size", renamed(kQuery, "embed_tokens.base_layer.weight"), shape, "vocabulary"},
        {"a bias", renamed(kQuery, "layers.1.self_attn.q_proj.bias"), unsupported, "bias"},
        {"a saved module", renamed(kQuery, "norm.weight"), unsupported, "modules_to_save"},
        {"a stray LoRA tensor", renamed(kQuery, "layers.1.self_attn.q_proj.lora_C.weight"), unsupported, "lora_C"},
        {"a name without PEFT's prefix", [](TinyAdapter& a) { a.tensor(kQuery).name = "q_proj.lora_A.weight"; },
         unsupported, "base_model"},
        {"the same projection under two names",
         [](TinyAdapter& a) {
             RawTensor twin = a.tensor(kQuery);
             twin.name = "base_model.model.layers.1.self_attn.q_proj.lora_A.weight";
             a.tensors.push_back(twin);
         },
         corrupt, "two names"},
        {"no tensors", [](TinyAdapter& a) { a.tensors.clear(); }, missing, "no LoRA matrices"},
    };
}

}  // namespace

class TestAdapterFolder : public QObject {
    Q_OBJECT

private slots:
    void readsWhatPeftWrites() {
        QTemporaryDir folder;
        const Path path = folder.path().toStdString();
        tinyAdapter(base(), {.rank = 4, .alpha = 6, .dtype = DType::BF16}).write(path);
        const auto files = makeFileSystem();
        const auto adapter = readAdapterFolder(*files, path, base());
        QVERIFY2(adapter, adapter ? "" : adapter.error().message.c_str());
        QCOMPARE(adapter->spec.rank, 4);
        QCOMPARE(adapter->spec.dtype, DType::BF16);
        QCOMPARE(adapter->spec.targets, (std::vector<std::string>{"q_proj", "v_proj", "down_proj"}));
        QCOMPARE(adapter->spec.pairs.size(), std::size_t{6});
        QCOMPARE(adapter->spec.pairs[1].target.firstOutput, 48 + 24);  // behind q and k
        QCOMPARE(adapter->spec.pairs[0].scale, 1.5f);
        const auto digest = digestAdapter(*adapter, {});
        QVERIFY(digest && digest->starts_with("sha256:") && digest->size() == 71);
    }

    void readsWhatChangesTheEmbeddingAndTheHead() {
        TinyAdapter adapter =
            tinyAdapter(base(), {.rank = 4, .alpha = 6, .targets = {"embed_tokens", "v_proj", "lm_head"}});
        adapter.config["alpha_pattern"] = {{"lm_head", 10}, {"model.embed_tokens", 1}};
        adapter.config["layers_to_transform"] =
            Json::array({1});  // which leaves out what is in no layer, unless named in full
        const auto none = checkAdapter(adapter.configText(), MemoryTensors(adapter.tensors), base());
        QVERIFY(!none && none.error().message.find("embed_tokens") != std::string::npos);
        adapter.config.erase("layers_to_transform");
        const auto spec = checkAdapter(adapter.configText(), MemoryTensors(adapter.tensors), base());
        QVERIFY2(spec, spec ? "" : spec.error().message.c_str());
        QCOMPARE(spec->targets, (std::vector<std::string>{"embed_tokens", "v_proj", "lm_head"}));
        QCOMPARE(spec->pairs.size(), std::size_t{4});
        const LoraPair &embedding = spec->pairs.front(), &head = spec->pairs.back();
        QVERIFY(embedding.target.isEmbedding() && head.target.isLmHead());
        QCOMPARE(embedding.target.inputs, kTinyVocabulary);
        QCOMPARE(head.target.outputs, kTinyVocabulary);
        QCOMPARE(embedding.scale, 0.25f);
        QCOMPARE(head.scale, 2.5f);
        QVERIFY(spec->warnings.empty());
        // A rank that only the embedding's B does not have.
        RawTensor& b = adapter.tensor("lora_embedding_B");
        b.shape[1] -= 1;
        b.bytes.resize(static_cast<std::size_t>(b.shape[0] * b.shape[1] * 4));
        const auto spoilt = checkAdapter(adapter.configText(), MemoryTensors(adapter.tensors), base());
        QCOMPARE(spoilt.error().code, ErrorCode::ShapeMismatch);
    }

    // Each tied module has matrices of its own, as with PEFT; shared ones are refused.
    void tiedWeightsAreChangedWhereTheAdapterSays() {
        const ArchSpec tied = archSpecFromConfig(tinyConfig({.tied = true}), "config.json").value();
        TinyAdapter adapter = tinyAdapter(tied, {.targets = {"embed_tokens", "v_proj"}});
        const auto spec = checkAdapter(adapter.configText(), MemoryTensors(adapter.tensors), tied);
        QVERIFY(spec && spec->warnings.size() == 1);
        QVERIFY2(spec->warnings[0].find("embed_tokens alone") != std::string::npos, spec->warnings[0].c_str());
        adapter.config["ensure_weight_tying"] = true;
        const auto shared = checkAdapter(adapter.configText(), MemoryTensors(adapter.tensors), tied);
        QCOMPARE(shared.error().code, ErrorCode::Unsupported);
        QVERIFY(shared.error().message.find("ensure_weight_tying") != std::string::npos);
        const TinyAdapter inside = tinyAdapter(tied, {.targets = {"v_proj"}});
        TinyAdapter harmless = inside;
        harmless.config["ensure_weight_tying"] = true;
        QVERIFY(checkAdapter(harmless.configText(), MemoryTensors(harmless.tensors), tied));
    }

    void tablesOfPositionsAndTypesAreRefusedByName() {
        const Json config =
            *parseJson(R"({"architectures": ["BertModel"], "model_type": "bert", "vocab_size": 40, "hidden_size": 24,
                                           "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 30})",
                       "");
        const ArchSpec bert = archSpecFromConfig(config, "config.json").value();
        for (const char* module : {"position_embeddings", "token_type_embeddings"}) {
            TinyAdapter adapter = tinyAdapter(bert, {.targets = {"word_embeddings", "query"}});
            QVERIFY(checkAdapter(adapter.configText(), MemoryTensors(adapter.tensors), bert));
            adapter.config["target_modules"].push_back(module);
            const auto named = checkAdapter(adapter.configText(), MemoryTensors(adapter.tensors), bert);
            QCOMPARE(named.error().code, ErrorCode::Unsupported);
            QVERIFY2(named.error().message.find("positions or token types") != std::string::npos,
                     named.error().message.c_str());
            RawTensor& a = adapter.tensor("lora_embedding_A");
            a.name = std::string("base_model.model.bert.embeddings.") + module + ".lora_embedding_A";
            const auto there = checkAdapter(adapter.configText(), MemoryTensors(adapter.tensors), bert);
            QCOMPARE(there.error().code, ErrorCode::Unsupported);
            QVERIFY2(there.error().message.find(module) != std::string::npos, there.error().message.c_str());
        }
    }

    void allLinearMeansTheProjectionsOfTheLayers() {
        TinyAdapter adapter = tinyAdapter(
            base(), {.targets = {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}});
        adapter.config["target_modules"] = "all-linear";
        QVERIFY(checkAdapter(adapter.configText(), MemoryTensors(adapter.tensors), base()));
    }

    void refusesWhatDoesNotFit_data() {
        QTest::addColumn<int>("index");
        const auto all = hostileAdapters();
        for (std::size_t i = 0; i < all.size(); ++i) QTest::newRow(all[i].name) << static_cast<int>(i);
    }
    void refusesWhatDoesNotFit() {
        QFETCH(int, index);
        const Hostile hostile = hostileAdapters()[static_cast<std::size_t>(index)];
        TinyAdapter adapter = tinyAdapter(base());
        hostile.spoil(adapter);
        const auto spec = checkAdapter(adapter.configText(), MemoryTensors(adapter.tensors), base());
        QVERIFY(!spec);
        const QByteArray sentence = spec.error().message.c_str();
        QVERIFY2(spec.error().code == hostile.code, codeName(spec.error().code).data() + QByteArray(": ") + sentence);
        QVERIFY2(sentence.contains(hostile.names), sentence);
    }

    void readsTheScalesThatPeftWouldUse() {
        TinyAdapter adapter = tinyAdapter(base(), {.rank = 4, .alpha = 6});
        adapter.config["use_rslora"] = true;
        adapter.config["alpha_pattern"] = {{"layers.1.self_attn.q_proj", 10}, {"v_proj", 1}};
        const auto spec = checkAdapter(adapter.configText(), MemoryTensors(adapter.tensors), base());
        QVERIFY(spec);
        const auto scaleOf = [&](const char* name) {
            for (const LoraPair& pair : spec->pairs)
                if (pair.target.name == name) return pair.scale;
            return 0.0f;
        };
        QCOMPARE(scaleOf("layers.0.self_attn.q_proj"), 3.0f);
        QCOMPARE(scaleOf("layers.1.self_attn.q_proj"), 5.0f);
        QCOMPARE(scaleOf("layers.1.self_attn.v_proj"), 0.5f);
    }

    void theFirstPatternInTheFileDecides() {
        const char* text = R"({"peft_type": "LORA", "r": 4, "lora_alpha": 4,
                               "alpha_pattern": {"q_proj": 8, "layers.0.self_attn.q_proj": 16}})";
        const auto config = loraConfigFromText(text, "adapter_config.json");
        QCOMPARE(config->scaleOf("model.layers.0.self_attn.q_proj").value(), 2.0f);
    }

    void mixedTypesBecomeF32() {
        TinyAdapter adapter = tinyAdapter(base());
        const TinyAdapter half = tinyAdapter(base(), {.dtype = DType::F16});
        adapter.tensors[1] = half.tensors[1];
        const auto spec = checkAdapter(adapter.configText(), MemoryTensors(adapter.tensors), base());
        QCOMPARE(spec->dtype, DType::F32);
    }

    void anF64TensorIsRefusedByType() {
        QTemporaryDir folder;
        const Path path = folder.path().toStdString();
        TinyAdapter adapter = tinyAdapter(base());
        RawTensor& tensor = adapter.tensors[0];
        tensor.dtype = "F64";
        tensor.bytes.resize(tensor.bytes.size() * 2);
        adapter.write(path);
        const auto files = makeFileSystem();
        const auto read = readAdapterFolder(*files, path, base());
        QCOMPARE(read.error().code, ErrorCode::Unsupported);
        QVERIFY(QByteArray(read.error().message.c_str()).contains("f64"));
    }

    void filesThatAreNotThereOrNotWhole() {
        QTemporaryDir folder;
        const Path path = folder.path().toStdString();
        const auto files = makeFileSystem();
        const auto errorOf = [&] { return readAdapterFolder(*files, path, base()).error(); };
        QCOMPARE(errorOf().code, ErrorCode::NotFound);
        const TinyAdapter adapter = tinyAdapter(base());
        writeFile(path / kAdapterConfigFile, adapter.configText());
        QCOMPARE(errorOf().code, ErrorCode::NotFound);
        writeFile(path / "adapter_model.bin", "pickle");
        QVERIFY(QByteArray(errorOf().message.c_str()).contains("pickle weights are not read"));
        const std::string whole = adapter.weights();
        for (const std::size_t size :
             {std::size_t{0}, std::size_t{7}, std::size_t{40}, whole.size() / 2, whole.size() - 1}) {
            writeFile(path / kAdapterWeightsFile, whole.substr(0, size));
            QCOMPARE(errorOf().code, ErrorCode::CorruptFile);
        }
        writeFile(path / kAdapterWeightsFile, whole + "x");
        QCOMPARE(errorOf().code, ErrorCode::CorruptFile);
        writeFile(path / kAdapterWeightsFile, whole);
        QVERIFY(readAdapterFolder(*files, path, base()));
        writeFile(path / kAdapterConfigFile, adapter.configText().substr(1));
        QCOMPARE(errorOf().code, ErrorCode::CorruptFile);
        writeFile(path / kAdapterConfigFile, std::string(2 << 20, ' '));
        QCOMPARE(errorOf().code, ErrorCode::TooLarge);
        QCOMPARE(readAdapterFolder(*files, path / kAdapterConfigFile, base()).error().code, ErrorCode::InvalidArgument);
    }

    void theDigestTellsAdaptersApart() {
        QTemporaryDir folder;
        const Path path = folder.path().toStdString();
        const auto files = makeFileSystem();
        std::set<std::string> digests;
        const auto add = [&](const TinyAdapter& adapter) {
            adapter.write(path);
            digests.insert(digestAdapter(*readAdapterFolder(*files, path, base()), {}).value());
        };
        TinyAdapter adapter = tinyAdapter(base());
        add(adapter);
        add(adapter);
        QCOMPARE(digests.size(), std::size_t{1});
        adapter.config["lora_alpha"] = 9;  // the same weights at another scale
        add(adapter);
        adapter.tensors[0].bytes[0] ^= std::byte{1};
        add(adapter);
        QCOMPARE(digests.size(), std::size_t{3});
    }
};

ESPALIER_TEST(tst_adapter_folder, TestAdapterFolder)
#include "tst_adapter_folder.moc"
