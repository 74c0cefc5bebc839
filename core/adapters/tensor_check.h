// SPDX-License-Identifier: GPL-3.0-or-later
// What every tensor of an adapter must be: of the shape that base and rank say, in a type that tiles can hold.
//
// Thread: any.
#pragma once

#include "core/formats/tensor_source.h"

namespace espalier {

std::string shapeText(const std::vector<std::int64_t>& shape);  // "[8, 4096]", for messages

// Errors: unsupported names the type; shape_mismatch the shapes, found and expected.
Result<void> checkTileType(const TensorEntry& entry);
Result<void> checkAdapterTensor(const TensorEntry& entry, const std::vector<std::int64_t>& expected);

}  // namespace espalier
