// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/commands.h"
#include "core/compute/cpu/cpu_backend.h"
#include "core/compute/cuda_loader.h"
#include "core/compute/measure.h"

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

Result<void> runDoctor(Session& session, const DoctorOptions&) {
    TRY_ASSIGN(Backend * backend, session.backend());
    const DeviceDesc device = backend->device();
    TRY_ASSIGN(const MachineFigures machine, measureMachine(*backend));
    if (session.stop().stop_requested()) return fail(ErrorCode::Cancelled, "cancelled");
    const std::vector<Finding> findings{
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
    if (session.console().json) {
        Json document{{"findings", Json::array()},
                      {"device",
                       {{"name", device.name},
                        {"isa", device.isa},
                        {"threads", device.threads},
                        {"memory_bytes", device.memoryBytes},
                        {"free_bytes", device.freeBytes},
                        {"read_gb_per_s", machine.readGigabytesPerSecond},
                        {"fma_gflops", machine.fmaGflops}}}};
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

void addDoctorCommand(Commands& commands) {
    commands.add<DoctorOptions>("doctor", "What this machine has, what is missing and what mends it",
                                "espalierctl doctor", runDoctor);
}

}  // namespace espalier::cli
