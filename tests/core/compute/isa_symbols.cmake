# SPDX-License-Identifier: GPL-3.0-or-later
# Object files built for one instruction set may export their table and no other code: of a weak function (inline,
# template) the linker keeps one copy for the whole program, and a processor without the instructions would run it.
# In: OBJECTS (paths joined with ':'), NM.
string(REPLACE ":" ";" objects "${OBJECTS}")
set(seen 0)
foreach(object ${objects})
    if(NOT object MATCHES "kernels_avx(2|512)[a-z0-9_]*\\.cpp")
        continue()
    endif()
    math(EXPR seen "${seen} + 1")
    execute_process(COMMAND ${NM} -C --defined-only ${object} OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
    string(REGEX MATCHALL "[0-9a-f]+ [TWu] [^\n]+" exported "${symbols}")
    list(FILTER exported EXCLUDE REGEX " T espalier::cpu::(avx(2|512)Kernels\\(\\)|useAvx512(Bf16|Vnni)\\(espalier::cpu::CpuKernels&\\))$")
    if(exported)
        message(FATAL_ERROR "${object} exports more than its table:\n${exported}")
    endif()
endforeach()
if(NOT seen EQUAL 4)
    message(FATAL_ERROR "expected four instruction-set object files, found ${seen}")
endif()
