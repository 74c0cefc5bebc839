// SPDX-License-Identifier: GPL-3.0-or-later
// Session: one run of espalierctl. Hands out the control of the workspace's daemon when one runs, else opens the engine
// in this process; the composition root of everything without a screen.
//
// Owner: main. Thread: the main thread.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "app/cli/console.h"
#include "core/api/control.h"
#include "core/base/clock.h"
#include "core/base/file_system.h"
#include "core/compute/cpu/cpu_backend.h"
#include "core/engine/engine.h"

namespace espalier::cli {

struct GlobalOptions {
    std::string workspace;  // empty: $ESPALIER_WORKSPACE, else the data folder of the user
    int threads = 0;        // 0: every processor
    bool ownCores = false;  // CpuOptions::ownCores
    std::string isa = "auto";
    std::string backend = "auto";
    std::string compute = "f32";
    std::string kv = "f32";
};

enum class Use { Read, Write };  // Read shares the workspace with other readers

enum class OnStop { CancelJob, LeaveJob };

class Session {
public:
    Session(GlobalOptions options, Console console, std::stop_token stop);
    ~Session();

    const Console& console() const { return m_console; }
    const GlobalOptions& options() const { return m_options; }
    const std::stop_token& stop() const { return m_stop; }
    FileSystem& files() { return *m_files; }
    const Clock& clock() const { return m_clock; }
    Path workspace() const;

    // The daemon's control, or that of an engine in this process. The same object on every call.
    Result<ControlPort*> control(Use use);
    bool isRemote() const { return m_remote; }

    Result<Backend*> backend();
    Result<EngineOptions> engineOptions() const;  // from the global options
    Result<Engine*> openEngine(const EngineOptions& options);

    // call on control(use), with the stop token.
    Result<Json> call(Use use, std::string_view operation, const Json& arguments);
    // Follows a job to its end with a bar. Error: the job's, or cancelled.
    Result<Json> followJob(std::int64_t id, OnStop onStop);

    // The command did its work, and what it found is not good: exit 1 without an error.
    void foundWrong() { m_foundWrong = true; }
    bool hasFoundWrong() const { return m_foundWrong; }

    Result<std::string> readInput(const std::string& path);  // "-": standard input
    Result<Json> readJsonInput(const std::string& path);

private:
    Result<CpuOptions> cpuOptions() const;  // from the global options; --compute auto measures

    const GlobalOptions m_options;
    const Console m_console;
    const std::stop_token m_stop;
    SystemClock m_clock;
    std::unique_ptr<FileSystem> m_files;
    std::unique_ptr<Backend> m_backend;
    std::unique_ptr<Engine> m_engine;
    std::optional<ModelAccess> m_models;
    std::unique_ptr<ControlPort> m_control;
    bool m_remote = false, m_foundWrong = false;
};

}  // namespace espalier::cli
