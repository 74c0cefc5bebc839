// SPDX-License-Identifier: GPL-3.0-or-later
// Readers: read-only connections, lent one caller at a time and kept for the next. WAL lets them read beside the
// Writer. Owner: Workspace. Thread: any.
#pragma once

#include <mutex>
#include <vector>

#include "core/store/database.h"

namespace espalier {

class Readers {
public:
    explicit Readers(Path file) : m_file(std::move(file)) {}

    // Calls read(Database&), which returns a Result, with a connection of its own.
    template <class Read>
    auto read(const Read& read) -> decltype(read(std::declval<Database&>())) {
        TRY_ASSIGN(Database database, acquire());
        auto result = read(database);
        release(std::move(database));
        return result;
    }

private:
    Result<Database> acquire();
    void release(Database database);

    const Path m_file;
    std::mutex m_mutex;
    std::vector<Database> m_idle;
};

}  // namespace espalier
