// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/store/readers.h"

namespace espalier {

constexpr std::size_t kKept = 4;

Result<Database> Readers::acquire() {
    {
        const std::lock_guard lock(m_mutex);
        if (!m_idle.empty()) {
            Database database = std::move(m_idle.back());
            m_idle.pop_back();
            return database;
        }
    }
    return Database::open(m_file, Database::Access::Read);
}

void Readers::release(Database database) {
    const std::lock_guard lock(m_mutex);
    if (m_idle.size() < kKept) m_idle.push_back(std::move(database));
}

}  // namespace espalier
