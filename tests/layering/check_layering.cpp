// SPDX-License-Identifier: GPL-3.0-or-later
// The `layering` test: dependencies point one way. Every quoted include below core/, cuda/, ui/ and app/ must be
// allowed by the ladder; core and cuda include no Qt; every source names its licence. It first proves on planted lines
// that it can fail.
#include <cctype>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace fs = std::filesystem;

namespace {

// Room -> the rooms it may include directly or through others. ARCHITECTURE.md draws the same table.
const std::map<std::string, std::set<std::string>>& ladder() {
    static const std::map<std::string, std::set<std::string>> kDirect = {
        {"core/base", {}},
        {"core/tensor", {"core/base"}},
        {"core/telemetry", {"core/base"}},
        {"core/store", {"core/base"}},
        {"core/compute", {"core/tensor"}},
        {"core/formats", {"core/tensor"}},
        {"core/tokenizer", {"core/formats"}},
        {"core/models", {"core/compute", "core/formats", "core/tokenizer"}},
        {"core/adapters", {"core/models"}},
        {"core/serving", {"core/adapters", "core/telemetry"}},
        {"core/engine", {"core/serving", "core/store"}},
        {"core/api", {"core/engine"}},
        {"cuda", {"core/compute"}},
        {"ui", {"core/api"}},
        {"app", {"core/api", "ui"}},
    };
    static const auto kClosed = [] {
        auto closed = kDirect;
        for (bool grew = true; grew;) {
            grew = false;
            for (auto& [room, below] : closed)
                for (const std::string& inner : std::set<std::string>(below))
                    for (const std::string& deeper : closed.at(inner)) grew |= below.insert(deeper).second;
        }
        return closed;
    }();
    return kClosed;
}

std::string roomOf(const std::string& path) {
    const auto first = path.find('/');
    const std::string top = path.substr(0, first);
    if (top != "core" || first == std::string::npos) return top;
    return path.substr(0, path.find('/', first + 1));
}

// What is wrong with one line of a file; empty when nothing is.
std::string problemOf(const std::string& file, const std::string& line) {
    const auto hash = line.find_first_not_of(" \t");
    if (hash == std::string::npos || line[hash] != '#' || line.find("include") == std::string::npos) return {};
    const auto open = line.find_first_of("<\"");
    if (open == std::string::npos) return {};
    const auto close = line.find_first_of(">\"", open + 1);
    if (close == std::string::npos) return {};
    const std::string target = line.substr(open + 1, close - open - 1);
    const std::string room = roomOf(file);
    const bool isQt = target.size() > 1 && target[0] == 'Q' && std::isupper(static_cast<unsigned char>(target[1]));
    if ((room.rfind("core/", 0) == 0 || room == "cuda") && (isQt || target.rfind("Qt", 0) == 0))
        return "includes Qt: " + target;
    if (line[open] == '<') return {};
    const std::string to = roomOf(target);
    if (to == room) return {};
    const auto known = ladder().find(room);
    if (known == ladder().end()) return "is in a room the ladder does not know: " + room;
    if (ladder().count(to) == 0) return {};  // a generated or third-party header
    return known->second.count(to) ? "" : room + " may not look into " + to + ": " + target;
}

int selfTest() {
    const std::vector<std::pair<std::string, std::string>> planted = {
        {"core/base/a.h", "#include \"core/tensor/dtype.h\""},
        {"core/store/a.cpp", "#include \"core/engine/engine.h\""},
        {"core/serving/a.cpp", "  # include <QObject>"},
        {"ui/pages/a.cpp", "#include \"app/main.h\""},
    };
    for (const auto& [file, line] : planted)
        if (problemOf(file, line).empty()) {
            std::printf("the check lets this through: %s in %s\n", line.c_str(), file.c_str());
            return 1;
        }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2 || selfTest() != 0) return 2;
    int problems = 0;
    int files = 0;
    const fs::path root = argv[1];
    for (const char* top : {"core", "cuda", "ui", "app", "tests"}) {
        if (!fs::exists(root / top)) continue;
        for (const auto& entry : fs::recursive_directory_iterator(root / top)) {
            const std::string extension = entry.path().extension().string();
            if (extension != ".h" && extension != ".cpp" && extension != ".cu" && extension != ".cuh") continue;
            ++files;
            const std::string name = fs::relative(entry.path(), root).generic_string();
            std::ifstream stream(entry.path());
            std::string line;
            for (int number = 1; std::getline(stream, line); ++number) {
                std::string problem;
                if (number == 1 && line.find("SPDX-License-Identifier: GPL-3.0-or-later") == std::string::npos)
                    problem = "does not name its licence in the first line";
                else if (std::string(top) != "tests")
                    problem = problemOf(name, line);
                if (problem.empty()) continue;
                std::printf("%s:%d %s\n", name.c_str(), number, problem.c_str());
                ++problems;
            }
        }
    }
    std::printf("%d files, %d problems\n", files, problems);
    return problems == 0 && files > 0 ? 0 : 1;
}
