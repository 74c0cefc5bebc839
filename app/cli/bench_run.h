// SPDX-License-Identifier: GPL-3.0-or-later
// What the benchmarks of a model share: the loaded model, the rows they give, and what memory gave beside them.
#pragma once

#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/cli/bench_breakdown.h"
#include "app/cli/bench_model.h"
#include "app/cli/session.h"
#include "core/compute/measure.h"
#include "core/serving/serving_loop.h"

namespace espalier::cli {

struct ModelBenchOptions {
    std::string shape = "160m";
    std::string weights = "bf16";
    std::vector<std::int32_t> streams = {1, 8, 32};
    std::int32_t adapters = 0, rank = 16;
    std::string adapterType = "bf16", adapterTargets = "all";
    std::vector<std::int32_t> ranks = {8};  // of a replay
    double rate = 2, alpha = 1, cv = 1, durationS = 60;
    std::int32_t mostTokens = 128;
    std::int64_t poolMb = 64, hostMb = 256;
    bool quick = false, lines = false, breakdown = false, isReplay = false;
};

// Rows as they are measured: JSON lines at once, or a table at the end.
class Report {
public:
    Report(const Console& console, bool lines) : m_console(console), m_lines(lines) {}
    void add(Json row);
    void end() const;

private:
    const Console& m_console;
    const bool m_lines;
    Json m_rows = Json::array();
};

// A model with random weights, loaded and ready to serve.
struct BenchModel {
    std::string shape;
    DType weights = DType::BF16, kv = DType::F32;
    Backend* backend = nullptr;
    std::unique_ptr<StepTimes> times;  // with --breakdown alone, as the two that keep them
    std::unique_ptr<Backend> timedBackend;
    std::unique_ptr<Transformer> transformer, timedTransformer;
    std::unique_ptr<ServingLoop> loop;
    std::optional<BandwidthProbe> probe;
    std::vector<std::shared_ptr<const LoraImage>> adapters;
};

constexpr std::int32_t kBenchBatchTokens = 512;
constexpr std::int32_t kMaxStreams = 64;  // answers at once

Result<BenchModel> loadBenchModel(Session& session, const ModelBenchOptions& options);
Json rowHead(const BenchModel& model, const char* bench);

// What memory gave beside a figure. One whose probes are far apart was taken while others used the machine.
class Beside {
public:
    explicit Beside(BenchModel& model) : m_probe(*model.probe), m_before(m_probe.gigabytesPerSecond()) {}
    void end(Json& row) {
        const double after = m_probe.gigabytesPerSecond();
        row["bandwidth_gb_per_s"] = (m_before + after) / 2;
        row["steady"] = std::abs(after - m_before) < 0.1 * (m_before + after) / 2;
    }

private:
    BandwidthProbe& m_probe;
    double m_before;
};

double median(std::vector<double> values);                     // requires: not empty
double nearestRank(std::vector<double> values, double share);  // of none: 0

}  // namespace espalier::cli
