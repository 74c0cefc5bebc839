// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/compute/cpu/cpu_backend.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace espalier {

std::string_view isaName(IsaLevel level) {
    switch (level) {
        case IsaLevel::Plain:
            return "plain";
        case IsaLevel::Avx2:
            return "avx2";
        case IsaLevel::Avx512:
            return "avx512";
    }
    return "plain";
}

IsaLevel bestIsa() {
#if defined(__x86_64__)
    // The builtin also asks whether the operating system saves the wide registers (XGETBV).
    unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
    const bool halfFloats = __get_cpuid(1, &eax, &ebx, &ecx, &edx) && (ecx & bit_F16C);
    if (!halfFloats || !__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return IsaLevel::Plain;
    const bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
    return wide ? IsaLevel::Avx512 : IsaLevel::Avx2;
#else
    return IsaLevel::Plain;
#endif
}

DotInstructions availableDots() {
#if defined(__x86_64__)
    if (bestIsa() == IsaLevel::Avx512)
        return {__builtin_cpu_supports("avx512bf16") != 0, __builtin_cpu_supports("avx512vnni") != 0};
#endif
    return {};
}

}  // namespace espalier
