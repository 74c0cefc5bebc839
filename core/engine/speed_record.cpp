// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/speed_record.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

namespace espalier {
namespace {

constexpr std::string_view kFile = "machine.json";
constexpr std::uint64_t kMostFileBytes = 64 << 10;
constexpr std::int32_t kUsualContext = 1024;
constexpr std::string_view kMiddle = "\" answered alone at ", kPredicted = " tokens/s, predicted ";

std::string oneDecimal(double value) {
    char text[64];
    std::snprintf(text, sizeof text, "%.1f", value);
    return text;
}

// A whole text that is a number.
std::optional<double> numberOf(std::string_view text) {
    const std::string copy(text);
    char* end = nullptr;
    const double value = std::strtod(copy.c_str(), &end);
    if (copy.empty() || end != copy.c_str() + copy.size() || !std::isfinite(value) || value <= 0.0) return std::nullopt;
    return value;
}

double numberIn(const Json& json, const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_number() ? found->get<double>() : 0.0;
}

}  // namespace

Result<void> keepMachineSpeed(FileSystem& files, const Path& workspace, const MachineSpeed& speed) {
    const Json json{{"device", speed.device},
                    {"read_gb_per_s", speed.readGigabytesPerSecond},
                    {"fma_gflops", speed.fmaGflops},
                    {"measured_at", speed.measuredAt}};
    return writeAtomically(files, workspace / kFile, dumpJson(json, 2) + "\n");
}

std::optional<MachineSpeed> machineSpeed(FileSystem& files, const Path& workspace, std::string_view device) {
    const auto text = files.readText(workspace / kFile, kMostFileBytes);
    if (!text) return std::nullopt;
    const auto json = parseJson(*text, kFile);
    if (!json || !json->is_object()) return std::nullopt;
    const auto name = json->find("device");
    if (name == json->end() || !name->is_string() || name->get_ref<const std::string&>() != device) return std::nullopt;
    MachineSpeed speed{std::string(device), numberIn(*json, "read_gb_per_s"), numberIn(*json, "fma_gflops"), 0};
    if (!(speed.readGigabytesPerSecond > 0.0 && speed.readGigabytesPerSecond < 1e6)) return std::nullopt;
    if (const auto at = json->find("measured_at"); at != json->end() && at->is_number_integer())
        speed.measuredAt = at->get<std::int64_t>();
    return speed;
}

double predictedTokensPerS(const MachineSpeed& machine, const MemoryEstimate& model, double context) {
    const double bytes = static_cast<double>(model.decodeBytes) + static_cast<double>(model.kvBytesPerToken) * context;
    return model.decodeBytes > 0 ? machine.readGigabytesPerSecond * 1e9 / bytes : 0.0;
}

std::string speedLine(const SpeedRecord& record) {
    return "\"" + record.model + std::string(kMiddle) + oneDecimal(record.measured) + std::string(kPredicted) +
           oneDecimal(record.predicted);
}

std::optional<SpeedRecord> speedRecordOf(std::string_view line) {
    const std::size_t middle = line.rfind(kMiddle), predicted = line.rfind(kPredicted);
    if (line.empty() || line.front() != '"' || middle == std::string_view::npos || predicted == std::string_view::npos)
        return std::nullopt;
    const std::size_t number = middle + kMiddle.size();
    if (middle == 0 || predicted < number) return std::nullopt;
    const auto measured = numberOf(line.substr(number, predicted - number));
    const auto expected = numberOf(line.substr(predicted + kPredicted.size()));
    if (!measured || !expected) return std::nullopt;
    return SpeedRecord{std::string(line.substr(1, middle - 1)), *measured, *expected};
}

PastSpeeds pastSpeeds(std::span<const LogRecord> log, std::string_view model) {
    std::vector<SpeedRecord> all, own;
    for (const LogRecord& line : log)
        if (auto record = speedRecordOf(line.text)) {
            if (record->model == model) own.push_back(*record);
            all.push_back(std::move(*record));
        }
    const std::vector<SpeedRecord>& used = own.empty() ? all : own;
    if (used.empty()) return {};
    std::vector<double> errors;
    for (const SpeedRecord& record : used) errors.push_back(record.measured / record.predicted - 1.0);
    const auto middle = errors.begin() + static_cast<std::ptrdiff_t>(errors.size() / 2);
    std::nth_element(errors.begin(), middle, errors.end());
    return {static_cast<std::int64_t>(used.size()), *middle, used.back()};
}

Json speedJson(const std::optional<MachineSpeed>& machine, const MemoryEstimate& model, std::int32_t modelContext,
               const PastSpeeds& past) {
    if (!machine || model.decodeBytes <= 0) return nullptr;
    const std::int32_t context = std::min(kUsualContext, modelContext);
    Json json{{"tokens_per_s", predictedTokensPerS(*machine, model, context)},
              {"context", context},
              {"decode_bytes", model.decodeBytes},
              {"read_gb_per_s", machine->readGigabytesPerSecond},
              {"measured_at", machine->measuredAt},
              {"past", {{"runs", past.runs}, {"error", past.error}}}};
    if (past.last)
        json["past"]["last"] = {
            {"model", past.last->model}, {"measured", past.last->measured}, {"predicted", past.last->predicted}};
    return json;
}

}  // namespace espalier
