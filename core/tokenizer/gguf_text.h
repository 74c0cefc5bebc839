// SPDX-License-Identifier: GPL-3.0-or-later
// The text side of a GGUF file: its `tokenizer.*` keys as a TextModel. Thread: any; no state.
#pragma once

#include "core/formats/gguf.h"
#include "core/tokenizer/text_model.h"

namespace espalier {

// `file`: any shard. A file without a vocabulary gives an empty TextModel. Errors name file and key.
Result<TextModel> loadGgufText(FileSystem& files, const Path& file);

}  // namespace espalier
