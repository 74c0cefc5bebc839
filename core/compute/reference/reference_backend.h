// SPDX-License-Identifier: GPL-3.0-or-later
// The reference backend: every operation as its formula in plain fp32 loops, one thread. Slow and obvious; what faster
// code is compared with, and the answer to "what should this have been?".
#pragma once

#include <memory>

#include "core/compute/backend.h"

namespace espalier {

std::unique_ptr<Backend> makeReferenceBackend();

}  // namespace espalier
