// SPDX-License-Identifier: GPL-3.0-or-later
// The commands of espalierctl: each file adds some to the parser. A command's options live as long as the parser; when
// it was named, its action is what main runs.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "app/cli/session.h"

namespace espalier::cli {

using Action = std::function<Result<void>(Session&)>;

struct NoOptions {};

class Commands {
public:
    explicit Commands(CLI::App& app) : m_app(app) {}

    // A command whose options are of type Options; `run(session, options)` is its work.
    template <class Options, class Run>
    std::pair<CLI::App*, std::shared_ptr<Options>> add(const std::string& name, const std::string& what,
                                                       const std::string& example, Run run) {
        return addTo<Options>(m_app, name, what, example, run);
    }

    template <class Options, class Run>
    std::pair<CLI::App*, std::shared_ptr<Options>> addTo(CLI::App& parent, const std::string& name,
                                                         const std::string& what, const std::string& example, Run run) {
        CLI::App* command = parent.add_subcommand(name, what);
        command->fallthrough();
        command->footer("Example:\n  " + example);
        auto options = std::make_shared<Options>();
        command->callback([this, options, run, command] {
            if (command->get_subcommands().empty())
                m_action = [options, run](Session& session) { return run(session, *options); };
        });
        return {command, options};
    }

    const Action& action() const { return m_action; }

private:
    CLI::App& m_app;
    Action m_action;
};

void addModelCommands(Commands& commands);      // import, models, inspect, scan, verify, remove, restore, ...
void addAdapterCommands(Commands& commands);    // adapter import, list, show, reload, remove; isolation-check
void addTextCommands(Commands& commands);       // tokenize, detokenize, template
void addInferenceCommands(Commands& commands);  // generate, perplexity, embed
void addDaemonCommands(Commands& commands);     // serve, status, jobs
void addTenantCommands(Commands& commands);     // tenant, key, usage
void addBenchCommands(Commands& commands);      // bench
void addDoctorCommand(Commands& commands);      // doctor

// A prediction of the control operation inspect, for people; says what is missing where there is none.
std::string speedText(const Json& speed);

}  // namespace espalier::cli
