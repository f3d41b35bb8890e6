/*
 * The greatest of a window's pixels, for each channel, and what its gradient goes back to. NaN is greater
 * than anything; of equals the first is taken. `which` keeps a pixel's number in the window.
 */
#ifndef NET_KERNELS_WINDOWS_H
#define NET_KERNELS_WINDOWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Two by two pixels: at x, one channel set on, and the same `below` numbers on. */
void windows_square(const float *x, size_t below, size_t channels, float *y, uint8_t *which);
/* Writes, or adds to, the gradient of all four. */
void windows_square_back(const float *dy, const uint8_t *which, size_t below, size_t channels, bool add,
                         float *dx);

/* Any window, pixel by pixel: y and `which` hold the greatest so far. */
void windows_more(const float *x, size_t channels, uint16_t pixel, float *y, uint16_t *which);
/* Adds what belongs to the pixel. */
void windows_back(const float *dy, const uint16_t *which, size_t channels, uint16_t pixel, float *dx);

#endif
