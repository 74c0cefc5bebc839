// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/formats/arch_spec.h"
#include "core/formats/tensor_source.h"
