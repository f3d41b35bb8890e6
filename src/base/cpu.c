#include "base/cpu.h"

#include <string.h>

static const char *const level_names[] = {"plain", "neon", "avx2", "avx512"};

#if defined(__x86_64__)
static bool has_avx512(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
}

enum cpu_level cpu_level_detect(void)
{
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("bmi2")) return CPU_PLAIN;
    return has_avx512() ? CPU_AVX512 : CPU_AVX2;
}
#elif defined(__aarch64__)
enum cpu_level cpu_level_detect(void)
{
    return CPU_NEON;
}
#else
enum cpu_level cpu_level_detect(void)
{
    return CPU_PLAIN;
}
#endif

const char *cpu_level_name(enum cpu_level level)
{
    return level_names[level];
}

static bool level_runs_here(enum cpu_level level)
{
    enum cpu_level best = cpu_level_detect();
    if (level == CPU_PLAIN || level == best) return true;
    return level == CPU_AVX2 && best == CPU_AVX512;
}

bool cpu_level_parse(const char *name, enum cpu_level *level)
{
    for (int i = CPU_PLAIN; i <= CPU_AVX512; i++)
        if (strcmp(name, level_names[i]) == 0 && level_runs_here((enum cpu_level)i)) {
            *level = (enum cpu_level)i;
            return true;
        }
    return false;
}
