// SPDX-License-Identifier: GPL-3.0-or-later
// AdapterSource: an adapter that requests can name, wherever its tiles are now. A LoraImage is one whose tiles are in
// memory for as long as somebody holds it; one of the workspace is read from its folder when it is wanted, and may be
// forgotten and read again.
//
// Thread: any; nothing changes after it was made.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/base/result.h"

namespace espalier {

struct LoraImage;

struct AdapterSource {
    virtual ~AdapterSource() = default;

    std::string digest;            // who it is: two of one digest and base are the same
    std::string base;              // id of the model whose pages it is cut for; empty: known to the caller
    std::string name;              // for people
    std::string tenant;            // whose it is; empty: everyone's
    std::int64_t storedBytes = 0;  // about what it takes in memory, before it was read

    // Its tiles when it is in memory itself, else null.
    virtual std::shared_ptr<const LoraImage> inMemory() const { return nullptr; }
    // Reads its tiles; takes as long as the disk. Errors: those of the files; none of them is final.
    virtual Result<std::shared_ptr<const LoraImage>> read() const = 0;
    // What took its name when its files were replaced, or null. Looks into memory only.
    virtual std::shared_ptr<const AdapterSource> successor() const { return nullptr; }
};

}  // namespace espalier
