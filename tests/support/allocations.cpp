// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/allocations.h"

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <utility>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#include <dlfcn.h>

// As clang's <sanitizer/allocator_interface.h> declares it; g++ has the function and not the header.
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*allocated)(const volatile void*, std::size_t),
                                                         void (*freed)(const volatile void*));
#endif

namespace {

std::atomic<std::int64_t> g_count{0}, g_failed{0};
thread_local std::int64_t t_failAt = 0;

void failWhenDue() {
    if (t_failAt == 0 || --t_failAt > 0) return;
    g_failed.fetch_add(1, std::memory_order_relaxed);
    throw std::bad_alloc();
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)

// A sanitizer has operators of its own, which check more than a replacement would: they are called, and tell.
[[maybe_unused]] const int g_installed = __sanitizer_install_malloc_and_free_hooks(
    [](const volatile void*, std::size_t) { g_count.fetch_add(1, std::memory_order_relaxed); },
    [](const volatile void*) {});

}  // namespace

void* operator new(std::size_t size) {
    failWhenDue();
    static const auto next = reinterpret_cast<void* (*)(std::size_t)>(dlsym(RTLD_NEXT, "_Znwm"));
    return next(size);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
    failWhenDue();
    static const auto next =
        reinterpret_cast<void* (*)(std::size_t, std::align_val_t)>(dlsym(RTLD_NEXT, "_ZnwmSt11align_val_t"));
    return next(size, alignment);
}

#else

void* allocate(std::size_t size, std::size_t alignment) {
    failWhenDue();
    g_count.fetch_add(1, std::memory_order_relaxed);
    void* memory = nullptr;
    if (size == 0) size = 1;
    if (alignment <= alignof(std::max_align_t))
        memory = std::malloc(size);
    else
        memory = std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
    if (!memory) throw std::bad_alloc();
    return memory;
}

}  // namespace

// The array and nothrow forms of the library come to these.
void* operator new(std::size_t size) {
    return allocate(size, 0);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
    return allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
    std::free(memory);
}

#endif

namespace espalier::test {

std::int64_t allocationCount() {
    return g_count.load(std::memory_order_relaxed);
}

std::int64_t failAllocation(std::int64_t n) {
    return std::exchange(t_failAt, n);
}

std::int64_t failedAllocations() {
    return g_failed.load(std::memory_order_relaxed);
}

}  // namespace espalier::test
