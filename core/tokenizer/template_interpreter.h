// SPDX-License-Identifier: GPL-3.0-or-later
// Runs a parsed template. A template is data from outside: steps, output, recursion and the size of strings are capped.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/tokenizer/template_syntax.h"

namespace espalier::templates {

struct RenderLimits {
    std::int64_t steps = 2'000'000;
    std::size_t outputBytes = 16u << 20;
    int depth = 60;  // of macro calls and expressions
};

// Errors: invalid_argument (raise_exception, wrong types), unsupported, too_large (over a limit); each names the line.
Result<MarkedText> runTemplate(const Block& program, std::vector<std::pair<std::string, Value>> variables,
                               std::int64_t unixSeconds, const RenderLimits& limits);

}  // namespace espalier::templates
