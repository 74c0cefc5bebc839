// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/json_lines.h"

namespace espalier::cli {
namespace {
constexpr std::size_t kLinesAtOnce = 256;
}

Result<void> forEachLine(Session& session, const std::string& path, const std::string& operation, Json arguments,
                         const std::function<void(const Json& result)>& take) {
    TRY_ASSIGN(const std::string content, session.readInput(path));
    Json texts = Json::array();
    const auto flush = [&]() -> Result<void> {
        if (texts.empty()) return {};
        arguments["texts"] = std::move(texts);
        texts = Json::array();
        TRY_ASSIGN(const Json answer, session.call(Use::Read, operation, arguments));
        for (const Json& result : answer["results"]) take(result);
        return {};
    };
    std::size_t number = 0;
    for (std::size_t begin = 0; begin < content.size();) {
        std::size_t end = content.find('\n', begin);
        if (end == std::string::npos) end = content.size();
        const std::string_view line = std::string_view(content).substr(begin, end - begin);
        const std::string where = path + ", line " + std::to_string(++number);
        begin = end + 1;
        if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
        auto text = parseJson(line, where);
        if (text && !text->is_string())
            text = fail(ErrorCode::CorruptFile, where + ": a JSON string is expected", where);
        if (!text) {
            TRY(flush());
            return std::move(text).error();
        }
        texts.push_back(std::move(*text));
        if (texts.size() == kLinesAtOnce) TRY(flush());
    }
    return flush();
}

}  // namespace espalier::cli
