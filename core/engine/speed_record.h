// SPDX-License-Identifier: GPL-3.0-or-later
// How fast a model will answer, before it is loaded: one answer alone reads every weight and its own K and V once a
// token, as fast as memory gives them. The machine is measured once per workspace (machine.json in it), and how far
// predictions were off is in the run log, one line per load of a model that answered alone for a while.
//
// Thread: any; values and files.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/base/file_system.h"
#include "core/base/json.h"
#include "core/engine/messages.h"
#include "core/models/transformer.h"

namespace espalier {

// Figures of another device, or of the same with other threads, are none.
struct MachineSpeed {
    std::string device;  // DeviceDesc::name
    double readGigabytesPerSecond = 0.0;
    double fmaGflops = 0.0;
    std::int64_t measuredAt = 0;  // Unix milliseconds
};
Result<void> keepMachineSpeed(FileSystem& files, const Path& workspace, const MachineSpeed& speed);
// None: never measured here, not on this device, or the file is damaged.
std::optional<MachineSpeed> machineSpeed(FileSystem& files, const Path& workspace, std::string_view device);

// Tokens per second of one answer with `context` tokens before it. 0 where nothing is decoded.
double predictedTokensPerS(const MachineSpeed& machine, const MemoryEstimate& model, double context);

struct SpeedRecord {
    std::string model;
    double measured = 0.0;  // tokens per second
    double predicted = 0.0;
};
std::string speedLine(const SpeedRecord& record);  // of the run log
std::optional<SpeedRecord> speedRecordOf(std::string_view line);

// What past predictions were worth: the median of measured / predicted - 1, those of `model` alone when there are any.
struct PastSpeeds {
    std::int64_t runs = 0;
    double error = 0.0;
    std::optional<SpeedRecord> last = {};
};
PastSpeeds pastSpeeds(std::span<const LogRecord> log, std::string_view model);

// `speed` of the control operation inspect: null where there is no prediction.
Json speedJson(const std::optional<MachineSpeed>& machine, const MemoryEstimate& model, std::int32_t modelContext,
               const PastSpeeds& past);

}  // namespace espalier
