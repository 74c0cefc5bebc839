// SPDX-License-Identifier: GPL-3.0-or-later
// Any text as config.json, generation_config.json and normalised spec: refused, or a spec that reads back from its own
// normalised form.
#include "core/formats/arch_spec.h"
#include "core/formats/generation_config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace espalier;
    const auto json = parseJson({reinterpret_cast<const char*>(data), size}, "fuzz.json");
    if (!json) return 0;
    (void)generationDefaultsFromJson(*json, "fuzz.json");
    (void)archSpecFromJson(*json, "fuzz.json");
    const auto spec = archSpecFromConfig(*json, "fuzz.json");
    if (!spec) return 0;
    const auto again = archSpecFromJson(toJson(*spec), "normalised");
    CHECK(again && *again == *spec);
    return 0;
}
