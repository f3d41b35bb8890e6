/* Which kernels this processor can run. Levels change speed, never results. */
#ifndef BASE_CPU_H
#define BASE_CPU_H

#include <stdbool.h>

enum cpu_level { CPU_PLAIN = 0, CPU_NEON, CPU_AVX2, CPU_AVX512 };

enum cpu_level cpu_level_detect(void); /* the best there is here */
const char *cpu_level_name(enum cpu_level level);
/* "plain", "neon", "avx2", "avx512"; false when `name` is none of them or this processor lacks it. */
bool cpu_level_parse(const char *name, enum cpu_level *level);

#endif
