/*
 * What kernels written as plain loops are compiled with. The compiler vectorises them; every version of a
 * function gives the same bits, because a chain of multiply-adds says fmaf, nothing else is contracted, and
 * sums are taken in a fixed number of lanes (sums.h).
 */
#ifndef NET_KERNELS_KERNEL_H
#define NET_KERNELS_KERNEL_H

/*
 * KERNEL before a function: on x86-64 it is compiled for AVX-512, for AVX2 and FMA, and for any processor;
 * the loader takes the best there is. Elsewhere, and where a compiler or a sanitizer cannot do that (clang
 * 14; ThreadSanitizer is not ready when the loader chooses), it is compiled once, as everything else is.
 */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_THREAD__)
#define KERNEL __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define KERNEL
#endif

/* A helper that every version of a KERNEL gets a copy of. */
#define KERNEL_INLINE static inline __attribute__((always_inline))

/* Before a loop whose rounds do not look at each other's results: arrays may be the same (in place), but do
 * not overlap otherwise. */
#if defined(__GNUC__) && !defined(__clang__)
#define KERNEL_LOOP _Pragma("GCC ivdep")
#else
#define KERNEL_LOOP
#endif

/* The same before a loop of a few rounds, known to the compiler, which are to be the lanes of one vector. */
#if defined(__GNUC__) && !defined(__clang__)
#define KERNEL_LANES _Pragma("GCC ivdep") _Pragma("GCC unroll 1")
#else
#define KERNEL_LANES
#endif

#endif
