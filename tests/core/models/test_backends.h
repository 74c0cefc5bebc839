// SPDX-License-Identifier: GPL-3.0-or-later
// The backends every model test runs on.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/compute/reference/reference_backend.h"

namespace espalier::test {

struct NamedBackend {
    std::string name;
    std::unique_ptr<Backend> backend;
};

inline std::vector<NamedBackend> everyBackend() {
    std::vector<NamedBackend> list;
    list.push_back({"reference", makeReferenceBackend()});
    return list;
}

inline std::unique_ptr<Backend> backendNumber(int index) {
    return std::move(everyBackend()[static_cast<std::size_t>(index)].backend);
}

}  // namespace espalier::test
