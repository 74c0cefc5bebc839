// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/bench_run.h"

#include <algorithm>

#include "core/serving/kv_cache.h"

namespace espalier::cli {

void Report::add(Json row) {
    if (m_lines) m_console.line(row);
    m_rows.push_back(std::move(row));
}

void Report::end() const {
    if (m_lines) return;
    if (m_console.json) return m_console.document(m_rows);
    std::vector<std::vector<std::string>> table(1);
    for (const Json& row : m_rows) {
        std::vector<std::string> cells, names;
        for (const auto& [key, value] : row.items()) {
            names.push_back(key);
            cells.push_back(value.is_string()         ? value.get<std::string>()
                            : value.is_number_float() ? fixedText(value.get<double>(), 2)
                                                      : dumpJson(value));
        }
        table.front() = names;
        table.push_back(std::move(cells));
    }
    m_console.table(table);
}

namespace {
constexpr std::int64_t kProbeBytes = 512 << 20, kQuickProbeBytes = 96 << 20;
}  // namespace

Result<BenchModel> loadBenchModel(Session& session, const ModelBenchOptions& options) {
    BenchModel model;
    model.shape = options.shape;
    model.weights = *dtypeFromName(options.weights);
    TRY_ASSIGN(model.kv, [&]() -> Result<DType> {
        TRY_ASSIGN(const EngineOptions engine, session.engineOptions());
        return engine.kvType;
    }());
    TRY_ASSIGN(model.backend, session.backend());
    TRY_ASSIGN(const ArchSpec spec, benchShape(options.shape));
    session.console().note("loading " + options.shape + " with random " + options.weights + " weights");
    TransformerOptions sizes;
    sizes.maxBatchTokens = kBenchBatchTokens;
    sizes.stop = session.stop();
    const auto tensors = randomTensors(spec, model.weights);
    if (options.breakdown) {
        model.times = std::make_unique<StepTimes>();
        model.timedBackend = timedBackend(*model.backend, session.clock(), *model.times);
    }
    Backend& computing = options.breakdown ? *model.timedBackend : *model.backend;
    TRY_ASSIGN(model.transformer, Transformer::load(computing, spec, *tensors, sizes));
    if (options.breakdown) model.timedTransformer = timedTransformer(*model.transformer, session.clock(), *model.times);
    ServingOptions serving;
    serving.maxBatchTokens = kBenchBatchTokens;
    serving.maxSequences = kMaxStreams;
    serving.kvType = model.kv;
    serving.prefixCache = false;
    serving.poolPages = kMaxStreams * 1024 / kTokensPerPage;
    const std::vector<std::int64_t> pageBytes = layerPageBytes(*model.backend, spec, model.kv);
    const BenchAdapter adapter{options.rank, *dtypeFromName(options.adapterType), options.adapterTargets};
    const std::int32_t loaded = options.isReplay ? 0 : options.adapters;
    for (std::int32_t i = 0; i < loaded; ++i) {
        TRY_ASSIGN(auto image, randomAdapter(spec, adapter, i, pageBytes));
        serving.poolPages += image->pages;
        model.adapters.push_back(std::move(image));
    }
    if (!options.isReplay) {
        Transformer& stepping = options.breakdown ? *model.timedTransformer : *model.transformer;
        TRY_ASSIGN(model.loop, ServingLoop::create(*model.backend, stepping, nullptr, serving, session.clock()));
    }
    TRY_ASSIGN(model.probe, BandwidthProbe::make(*model.backend, options.quick ? kQuickProbeBytes : kProbeBytes));
    return model;
}

Json rowHead(const BenchModel& model, const char* bench) {
    return {{"bench", bench},
            {"shape", model.shape},
            {"weights", dtypeName(model.weights)},
            {"mode", computeModeName(model.backend->device().compute)},
            {"kv", dtypeName(model.kv)},
            {"threads", model.backend->device().threads},
            {"isa", model.backend->device().isa}};
}

double median(std::vector<double> values) {
    std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
    return values[values.size() / 2];
}

double nearestRank(std::vector<double> values, double share) {
    if (values.empty()) return 0.0;
    std::sort(values.begin(), values.end());
    return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}

}  // namespace espalier::cli
