// SPDX-License-Identifier: GPL-3.0-or-later
// espalierctl: everything without a screen. Exit 0: done, 1: the work failed, 2: wrong usage.
#include <cstdio>

#include "app/cli/commands.h"
#include "app/cli/interrupt.h"
#include "core/api/version.h"

using namespace espalier;
using namespace espalier::cli;

namespace {

void addGlobalOptions(CLI::App& app, GlobalOptions& global, Console& console) {
    app.option_defaults()->take_last();  // scripts put their own after a user's
    app.add_option("--workspace", global.workspace,
                   "Folder of the workspace (default $ESPALIER_WORKSPACE, else the user's data folder)");
    app.add_flag("--json", console.json, "One JSON document on stdout, nothing else there");
    app.add_flag("--quiet", console.quiet, "No progress on stderr");
    app.add_option("--threads", global.threads, "Threads that compute (default: every processor)")
        ->check(CLI::Range(0, 4096));
    app.add_flag(
        "--own-cores", global.ownCores,
        "With serve: every thread that computes keeps to a core of its own. Has no effect where cores are fewer "
        "than threads, under taskset or a cpuset, and beside another engine that does it");
    app.add_option("--isa", global.isa,
                   "Vector instructions: avx512, avx2 or plain, with the bits of a machine that has no better (default "
                   "auto: the best of this one)")
        ->check(CLI::IsMember({"auto", "avx512", "avx2", "plain"}));
    app.add_option("--backend", global.backend, "cpu, cuda or auto (default auto)")
        ->check(CLI::IsMember({"cpu", "cuda", "auto"}));
    app.add_option(
           "--compute", global.compute,
           "Products with weights: f32, bf16 (of bf16 weights), int8 (also of block types), or auto, the fastest "
           "measured here (default f32)")
        ->check(CLI::IsMember({"auto", "f32", "bf16", "int8"}));
    app.add_option("--kv", global.kv, "Stored type of the KV cache: f32, bf16 or f16 (default f32)")
        ->check(CLI::IsMember({"f32", "bf16", "f16"}));
}

int run(int argc, char** argv) {
    const std::stop_token stop = installInterrupt();
    GlobalOptions global;
    Console console;
    CLI::App app("Espalier: workbench and serving engine for owners of language models", "espalierctl");
    app.set_version_flag("--version", std::string("espalierctl ") + kVersion);
    app.footer("Example:\n  espalierctl import ~/models/tiny-llama && espalierctl serve");
    app.require_subcommand(1);
    addGlobalOptions(app, global, console);
    Commands commands(app);
    addModelCommands(commands);
    addAdapterCommands(commands);
    addTextCommands(commands);
    addInferenceCommands(commands);
    addDaemonCommands(commands);
    addTenantCommands(commands);
    addBenchCommands(commands);
    addDoctorCommand(commands);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    Session session(global, console, stop);
    const auto done = commands.action()(session);
    if (done) return session.hasFoundWrong() ? 1 : 0;
    console.failure(done.error());
    return 1;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const std::exception& problem) {
        std::fprintf(stderr, "error[internal]: %s\n", problem.what());
        return 1;
    }
}
