/* What test_kernels --time prints. */
#ifndef TESTS_NET_KERNEL_TIMES_H
#define TESTS_NET_KERNEL_TIMES_H

/* GFLOP/s of every level on the three networks' shapes, or only on those whose name contains `only`. Returns
 * the exit code. */
int kernel_times(const char *only);

#endif
