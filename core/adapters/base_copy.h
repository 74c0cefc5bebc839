// SPDX-License-Identifier: GPL-3.0-or-later
// Whether the tensors of the base that PEFT saved with an adapter (AdapterSpec::baseCopies) are those of the base it
// shall change. PEFT would put them in the base's place; here an adapter changes nothing that others use, so a table
// that was trained, or is another model's, is refused instead of being left out unsaid.
//
// Thread: any.
#pragma once

#include "core/adapters/adapter_folder.h"

namespace espalier {

// Values count as equal when they are after rounding to the narrower of the two types. Gives a sentence for each that
// cannot be compared, because the base is quantised in blocks. Errors: unsupported names the tensor and its first row
// that differs; io_error. Requires: `base` are the tensors of the spec that the adapter was read against.
Result<std::vector<std::string>> compareBaseCopies(const AdapterFolder& adapter, const TensorSource& base,
                                                   const ArchSpec& spec);

}  // namespace espalier
