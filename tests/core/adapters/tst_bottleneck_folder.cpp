// SPDX-License-Identifier: GPL-3.0-or-later
// Bottleneck adapters of AdapterHub: what fits is read, and every folder that does not fit is refused with a sentence
// that names the culprit.
#include <QTemporaryDir>
#include <QTest>
#include <cmath>
#include <functional>

#include "core/adapters/bottleneck_config.h"
#include "core/adapters/bottleneck_folder.h"
#include "tests/support/adapter_data.h"
#include "tests/support/memory_tensors.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

namespace {

ArchSpec base() {
    return archSpecFromConfig(tinyConfig({}), "config.json").value();
}

Result<AdapterSpec> check(const TinyAdapter& adapter) {
    return checkAdapter(adapter.configText(), MemoryTensors(adapter.tensors), base());
}

struct Hostile {
    const char* name;
    std::function<void(TinyAdapter&)> spoil;
    ErrorCode code;
    const char* names;
};

std::function<void(TinyAdapter&)> set(const char* key, Json value) {
    return [key, value](TinyAdapter& adapter) { adapter.config["config"][key] = value; };
}
std::function<void(TinyAdapter&)> setOuter(const char* key, Json value) {
    return [key, value](TinyAdapter& adapter) { adapter.config[key] = value; };
}

constexpr const char* kDown = "layers.1.output_adapters.adapters.tiny.adapter_down.0.weight";
constexpr const char* kDownBias = "layers.1.output_adapters.adapters.tiny.adapter_down.0.bias";

std::function<void(TinyAdapter&)> renamed(const char* to) {
    return [to](TinyAdapter& adapter) { adapter.tensor(kDown).name = std::string("model.") + to; };
}

// A learned scale at each place: `first`, and a quarter more from place to place.
void addScales(TinyAdapter& adapter, std::vector<std::int64_t> shape, float first = 0.5f) {
    std::vector<RawTensor> scales;
    constexpr std::string_view kEnd = ".adapter_up.bias";
    for (const RawTensor& tensor : adapter.tensors) {
        if (!tensor.name.ends_with(kEnd)) continue;
        RawTensor scale{tensor.name.substr(0, tensor.name.size() - kEnd.size()) + ".scaling", "F32", shape, {}};
        scale.bytes.resize(static_cast<std::size_t>(shape[0]) * sizeof(float));
        const float value = first + 0.25f * static_cast<float>(scales.size());
        for (std::int64_t i = 0; i < shape[0]; ++i)
            std::memcpy(scale.bytes.data() + i * static_cast<std::int64_t>(sizeof value), &value, sizeof value);
        scales.push_back(std::move(scale));
    }
    adapter.tensors.insert(adapter.tensors.end(), scales.begin(), scales.end());
}

std::vector<Hostile> hostileAdapters() {
    const auto corrupt = ErrorCode::CorruptFile, unsupported = ErrorCode::Unsupported, shape = ErrorCode::ShapeMismatch,
               missing = ErrorCode::MissingTensor;
    return {
        {"a name instead of settings", setOuter("config", "pfeiffer"), corrupt, "config"},
        {"LoRA of the adapters library", set("architecture", "lora"), unsupported, "lora"},
        {"parallel", set("is_parallel", true), unsupported, "is_parallel"},
        {"Compacter", set("phm_layer", true), unsupported, "phm_layer"},
        {"gated", set("use_gating", true), unsupported, "use_gating"},
        {"a norm before", set("ln_before", true), unsupported, "ln_before"},
        {"a norm after", set("ln_after", true), unsupported, "ln_after"},
        {"invertible", set("inv_adapter", "nice"), unsupported, "inv_adapter"},
        {"without the block's norm", set("original_ln_after", false), unsupported, "original_ln_after"},
        {"a residual after the sum", set("residual_before_ln", "post_add"), unsupported, "residual_before_ln"},
        {"a residual after the norm",
         [](TinyAdapter& a) {
             a.config["config"]["original_ln_before"] = true;
             a.config["config"]["residual_before_ln"] = false;
         },
         unsupported, "residual_before_ln"},
        {"a learned scale that is not there", set("scaling", "learned"), missing, ".scaling"},
        {"a learned scale that nobody asked for", [](TinyAdapter& a) { addScales(a, {1}); }, corrupt, "scaling"},
        {"a learned scale of two values",
         [](TinyAdapter& a) {
             a.config["config"]["scaling"] = "learned";
             addScales(a, {2});
         },
         shape, ".scaling"},
        {"a learned scale that is infinite",
         [](TinyAdapter& a) {
             a.config["config"]["scaling"] = "learned";
             addScales(a, {1}, INFINITY);
         },
         ErrorCode::NonFinite, ".scaling"},
        {"a scale of each channel", set("scaling", "channel"), unsupported, "channel"},
        {"a scale that is a list", set("scaling", Json::array({1})), corrupt, "scaling"},
        {"leaky", set("non_linearity", "leakyrelu"), unsupported, "leakyrelu"},
        {"an activation that is a number", set("non_linearity", 3), corrupt, "non_linearity"},
        {"standing nowhere",
         [](TinyAdapter& a) { a.config["config"]["mh_adapter"] = a.config["config"]["output_adapter"] = false; },
         corrupt, "output_adapter"},
        {"a reduction of zero", set("reduction_factor", 0), corrupt, "reduction_factor"},
        {"a reduction as text", set("reduction_factor", "16"), corrupt, "reduction_factor"},
        {"reductions without a default", set("reduction_factor", {{"0", 4}}), corrupt, "reduction_factor"},
        {"reductions of no layer", set("reduction_factor", {{"x", 4}, {"default", 6}}), corrupt, "reduction_factor"},
        {"another reduction", set("reduction_factor", 3), shape, "adapter_down.0.weight"},
        {"a reduction below one", set("reduction_factor", 0.01), ErrorCode::TooLarge, "4095"},
        {"another reduction of one layer", set("reduction_factor", {{"1", 4}, {"default", 6}}), shape, "layers.1."},
        {"a layer left out that is there", set("leave_out", Json::array({1})), corrupt, "layers.1."},
        {"layers left out as text", set("leave_out", "1"), corrupt, "leave_out"},
        {"no adapter after attention", set("mh_adapter", false), corrupt, "attention_adapters"},
        {"another family", setOuter("model_type", "bert"), shape, "bert"},
        {"another size", setOuter("hidden_size", 768), shape, "768"},
        {"another name", setOuter("name", "other"), corrupt, "other"},
        {"two names", renamed("layers.1.output_adapters.adapters.two.adapter_down.0.weight"), corrupt, "two"},
        {"a layer that the base lacks", renamed("layers.7.output_adapters.adapters.tiny.adapter_down.0.weight"),
         unsupported, "layers.7"},
        {"BERT's place in another family", renamed("layers.1.output.adapters.tiny.adapter_down.0.weight"), unsupported,
         "output.adapters"},
        {"a stray tensor", renamed("layers.1.output_adapters.adapters.tiny.gate.weight"), unsupported, "gate"},
        {"a head", [](TinyAdapter& a) { a.tensor(kDown).name = "heads.golden.1.weight"; }, unsupported, "heads.golden"},
        {"no bias",
         [](TinyAdapter& a) {
             std::erase_if(a.tensors, [](const RawTensor& tensor) { return tensor.name.ends_with(kDownBias); });
         },
         missing, kDownBias},
        {"none in a layer",
         [](TinyAdapter& a) {
             std::erase_if(a.tensors, [](const RawTensor& tensor) {
                 return tensor.name.find("layers.1.output_ad") != std::string::npos;
             });
         },
         missing, "layers.1.output_adapters.adapters.tiny"},
        {"no tensors", [](TinyAdapter& a) { a.tensors.clear(); }, missing, "no bottleneck adapter"},
        {"a bias that is a matrix",
         [](TinyAdapter& a) {
             a.tensor(kDownBias).shape = {8, 1};
         },
         shape, "bias"},
        {"transposed", [](TinyAdapter& a) { std::swap(a.tensor(kDown).shape[0], a.tensor(kDown).shape[1]); }, shape,
         kDown},
    };
}

}  // namespace

class TestBottleneckFolder : public QObject {
    Q_OBJECT

private slots:
    void readsWhatTheLibraryWrites() {
        const auto houlsby = check(tinyBottleneck(base(), {.reduction = 6, .dtype = DType::BF16}));
        QVERIFY2(houlsby, houlsby ? "" : houlsby.error().message.c_str());
        QCOMPARE(houlsby->kind, std::string("bottleneck"));
        QCOMPARE(houlsby->rank, 8);
        QCOMPARE(houlsby->dtype, DType::BF16);
        QCOMPARE(houlsby->targets, (std::vector<std::string>{"mh_adapter", "output_adapter"}));
        QCOMPARE(houlsby->pairs.size(), std::size_t{4});
        QCOMPARE(houlsby->bottleneckInput, BottleneckInput::Addend);
        QCOMPARE(*houlsby->pairs[0].activation, ActivationKind::Silu);
        const auto pfeiffer = check(tinyBottleneck(base(), {.houlsby = false, .scale = 2.5}));
        QVERIFY2(pfeiffer, pfeiffer ? "" : pfeiffer.error().message.c_str());
        QCOMPARE(pfeiffer->bottleneckInput, BottleneckInput::Sum);
        QCOMPARE(pfeiffer->targets, std::vector<std::string>{"output_adapter"});
        QCOMPARE(pfeiffer->pairs[1].scale, 2.5f);
    }

    void namesMayLackTheirBeginningAndLayersTheirAdapter() {
        TinyAdapter adapter = tinyBottleneck(base());
        for (RawTensor& tensor : adapter.tensors) tensor.name = tensor.name.substr(std::string_view("model.").size());
        QVERIFY(check(adapter));
        std::erase_if(adapter.tensors, [](const RawTensor& tensor) { return tensor.name.starts_with("layers.0."); });
        QVERIFY(!check(adapter));
        adapter.config["config"]["leave_out"] = Json::array({0});
        const auto spec = check(adapter);
        QVERIFY(spec && spec->pairs.size() == 2);
    }

    void refusesWhatDoesNotFit_data() {
        QTest::addColumn<int>("index");
        const auto all = hostileAdapters();
        for (std::size_t i = 0; i < all.size(); ++i) QTest::newRow(all[i].name) << static_cast<int>(i);
    }
    void refusesWhatDoesNotFit() {
        QFETCH(int, index);
        const Hostile hostile = hostileAdapters()[static_cast<std::size_t>(index)];
        TinyAdapter adapter = tinyBottleneck(base());
        hostile.spoil(adapter);
        const auto spec = check(adapter);
        QVERIFY(!spec);
        const QByteArray sentence = spec.error().message.c_str();
        QVERIFY2(spec.error().code == hostile.code, codeName(spec.error().code).data() + QByteArray(": ") + sentence);
        QVERIFY2(sentence.contains(hostile.names), sentence);
    }

    // reduction_factor 2 of a BERT of 768 is 384 wide, more than any LoRA has ranks.
    void aBottleneckMayBeHalfAsWideAsItsBase() {
        const ArchSpec wide = archSpecFromConfig(tinyConfig({.hidden = 768, .heads = 12, .kvHeads = 12}), "").value();
        const TinyAdapter adapter = tinyBottleneck(wide, {.reduction = 2});
        const MemoryTensors tensors(adapter.tensors);
        const auto spec = checkAdapter(adapter.configText(), tensors, wide);
        QVERIFY2(spec, spec ? "" : spec.error().message.c_str());
        QCOMPARE(spec->rank, 384);
        const auto image = makeLoraImage(*spec, tensors, "d", std::vector<std::int64_t>(wide.layers.size(), 65536));
        QVERIFY2(image, image ? "" : image.error().message.c_str());
        QCOMPARE((*image)->ranks, 392);  // and the bias of up, to the next eight
    }

    void aLearnedScaleIsReadAsItIsStored() {
        TinyAdapter adapter = tinyBottleneck(base(), {.dtype = DType::BF16});
        adapter.config["config"]["scaling"] = "learned";
        addScales(adapter, {1});
        const auto spec = check(adapter);
        QVERIFY2(spec, spec ? "" : spec.error().message.c_str());
        QCOMPARE(spec->dtype, DType::BF16);  // the scale is no tile
        QCOMPARE(spec->pairs.size(), std::size_t{4});
        for (std::size_t i = 0; i < 4; ++i) QCOMPARE(spec->pairs[i].scale, 0.5f + 0.25f * static_cast<float>(i));
    }

    void aPickleIsRefusedByNameWithWhatToDo() {
        QTemporaryDir folder;
        const Path path = folder.path().toStdString();
        const TinyAdapter adapter = tinyBottleneck(base());
        adapter.write(path);
        const auto files = makeFileSystem();
        QVERIFY(readAdapterFolder(*files, path, base()));
        std::filesystem::rename(path / kAdapterHubWeightsFile, path / "pytorch_adapter.bin");
        const auto refused = readAdapterFolder(*files, path, base());
        QCOMPARE(refused.error().code, ErrorCode::Unsupported);
        const QByteArray sentence = refused.error().message.c_str();
        QVERIFY2(sentence.contains("pytorch_adapter.bin") && sentence.contains("adapter.safetensors"), sentence);
    }

    // Bias of A after the tiles of B, bias of B as one more rank, and zeros where A has no row.
    void biasesAreInTheirPlace() {
        const ArchSpec spec = base();
        const TinyAdapter adapter = tinyBottleneck(spec, {.reduction = 6, .strength = 0.5f});
        const MemoryTensors tensors(adapter.tensors);
        const auto checked = checkAdapter(adapter.configText(), tensors, spec);
        const std::vector<std::int64_t> pageBytes(spec.layers.size(), 8192);
        const auto image = makeLoraImage(*checked, tensors, "d", pageBytes).value();
        const auto& site = image->modules.layers[1][static_cast<std::size_t>(LoraSite::AfterMlp)];
        QCOMPARE(site.size(), std::size_t{1});
        const LoraModule& module = site[0];
        QCOMPARE(module.rank, 9);
        const auto value = [&](std::int32_t firstTile, std::int32_t width, std::int32_t row, std::int32_t column) {
            const std::int64_t tile =
                firstTile + row / 8 * loraTilesAcross(width, module.tileColumns) + column / module.tileColumns;
            float found;
            std::memcpy(&found,
                        image->parts[2].tiles.data() + tile * image->tileBytes() +
                            (row % 8 * module.tileColumns + column % module.tileColumns) * 4,
                        4);
            return found;
        };
        const auto stored = [&](const char* end, std::int64_t index) {
            const std::string name = std::string("model.layers.1.output_adapters.adapters.tiny.") + end;
            float found;
            std::memcpy(&found, readTensor(tensors, *tensors.find(name)).value().data() + 4 * index, 4);
            return found;
        };
        for (std::int32_t k = 0; k < 48; ++k) {
            for (std::int32_t j = 0; j < 8; ++j) {
                QCOMPARE(value(module.firstTile, 48, j, k), stored("adapter_down.0.weight", j * 48 + k));
                QCOMPARE(value(module.firstTileOfB(), 48, j, k), stored("adapter_up.weight", k * 8 + j));
            }
            QCOMPARE(value(module.firstTile, 48, 8, k), 0.0f);
            QCOMPARE(value(module.firstTileOfB(), 48, 8, k), stored("adapter_up.bias", k));
        }
        for (std::int32_t j = 0; j < 8; ++j)
            QCOMPARE(value(module.firstTileOfBias(), 8, 0, j), stored("adapter_down.0.bias", j));
    }
};

ESPALIER_TEST(tst_bottleneck_folder, TestBottleneckFolder)
#include "tst_bottleneck_folder.moc"
