// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/commands.h"
#include "core/compute/cpu/cpu_backend.h"
#include "core/compute/cuda_loader.h"
#include "core/compute/measure.h"
#include "core/engine/speed_record.h"

namespace espalier::cli {
namespace {

struct DoctorOptions {};

struct Finding {
    std::string what, found, mend;  // mend: empty when all is well
};

Json toJson(const Finding& finding) {
    return {
        {"what", finding.what}, {"found", finding.found}, {"mend", finding.mend.empty() ? Json() : Json(finding.mend)}};
}

Finding instructionSet() {
    const IsaLevel isa = bestIsa();
    return {"instruction set", std::string(isaName(isa)),
            isa == IsaLevel::Plain ? "this processor has neither AVX2 nor AVX-512: serving works, slowly" : ""};
}

Finding cuda() {
    const CudaStatus status = describeCuda();
    std::string found = status.moduleFound ? "module " + status.module.string() : "no module";
    for (const std::string& device : status.devices) found += ", " + device;
    return {"CUDA", found, status.problem};
}

Finding disk(Session& session) {
    Path folder = session.workspace();
    while (!session.files().exists(folder) && folder.has_parent_path() && folder != folder.parent_path())
        folder = folder.parent_path();
    const auto free = session.files().freeBytes(folder);
    if (!free) return {"disk", folder.string(), free.error().message};
    const bool small = *free < (2ull << 30);
    return {"disk", bytesText(static_cast<double>(*free)) + " free at " + folder.string(),
            small ? "less than 2 GiB: free some space, or use --workspace on a larger disk" : ""};
}

// What the models of the workspace are expected to do here; none where there is no workspace yet.
Result<Json> predictions(Session& session) {
    Json list = Json::array();
    if (!session.files().exists(session.workspace() / "workspace.db")) return list;
    TRY_ASSIGN(const Json answer, session.call(Use::Read, "models", Json::object()));
    for (const Json& model : answer["models"]) {
        TRY_ASSIGN(const Json inspected, session.call(Use::Read, "inspect", {{"model", model["id"]}}));
        list.push_back({{"model", model["name"]}, {"speed", inspected["speed"]}});
    }
    return list;
}

Result<void> runDoctor(Session& session, const DoctorOptions&) {
    TRY_ASSIGN(Backend * backend, session.backend());
    const DeviceDesc device = backend->device();
    TRY_ASSIGN(const MachineFigures machine, measureMachine(*backend));
    if (session.stop().stop_requested()) return fail(ErrorCode::Cancelled, "cancelled");
    const bool hasWorkspace = session.files().exists(session.workspace());
    const MachineSpeed speed{device.name, machine.readGigabytesPerSecond, machine.fmaGflops,
                             session.clock().unixMilliseconds()};
    if (hasWorkspace)
        if (const auto kept = keepMachineSpeed(session.files(), session.workspace(), speed); !kept)
            session.console().note("the measurement was not kept: " + kept.error().message);
    TRY_ASSIGN(const Json models, predictions(session));
    std::vector<Finding> findings{
        {"processor", device.name, ""},
        instructionSet(),
        {"threads", std::to_string(device.threads), ""},
        {"memory",
         bytesText(static_cast<double>(device.freeBytes)) + " free of " +
             bytesText(static_cast<double>(device.memoryBytes)),
         ""},
        {"read bandwidth", fixedText(machine.readGigabytesPerSecond, 1) + " GB/s", ""},
        {"f32 peak", fixedText(machine.fmaGflops, 0) + " GFLOP/s", ""},
        cuda(),
        disk(session),
    };
    for (const Json& model : models)
        findings.push_back({"model " + model.value("model", ""), speedText(model["speed"]), ""});
    if (session.console().json) {
        Json document{{"findings", Json::array()},
                      {"device",
                       {{"name", device.name},
                        {"isa", device.isa},
                        {"threads", device.threads},
                        {"memory_bytes", device.memoryBytes},
                        {"free_bytes", device.freeBytes},
                        {"read_gb_per_s", machine.readGigabytesPerSecond},
                        {"fma_gflops", machine.fmaGflops}}},
                      {"predictions", models}};
        for (const Finding& finding : findings) document["findings"].push_back(toJson(finding));
        session.console().document(document);
        return {};
    }
    std::vector<std::vector<std::string>> rows;
    for (const Finding& finding : findings) {
        rows.push_back({finding.what, finding.found});
        if (!finding.mend.empty()) rows.push_back({"", "-> " + finding.mend});
    }
    session.console().table(rows);
    return {};
}

}  // namespace

std::string speedText(const Json& speed) {
    if (!speed.is_object()) return "not predicted (an encoder, or a machine that doctor has not measured)";
    std::string text = "about " + fixedText(speed.value("tokens_per_s", 0.0), 1) + " tokens/s after " +
                       countText(speed.value("context", 0.0)) + " tokens";
    const Json past = speed.value("past", Json::object());
    const auto runs = past.value("runs", std::int64_t{0});
    if (runs == 0) return text + " (no run to compare with yet)";
    const double percent = past.value("error", 0.0) * 100.0;
    return text + " (" + countText(static_cast<double>(runs)) + (runs == 1 ? " run" : " runs") + " measured " +
           (percent > 0.0 ? "+" : "") + fixedText(percent, 0) + " % of that)";
}

void addDoctorCommand(Commands& commands) {
    commands.add<DoctorOptions>("doctor", "What this machine has, what is missing and what mends it",
                                "espalierctl doctor", runDoctor);
}

}  // namespace espalier::cli
