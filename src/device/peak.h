/* peak.h — what the processor could do at most, for `ursa bench`. */
#ifndef URSA_DEVICE_PEAK_H
#define URSA_DEVICE_PEAK_H

#include "device/ops.h"

/* Billions of floating-point operations per second of independent fused
 * multiply-adds in registers, in the instruction set in use, on `threads`
 * threads at once. Takes about a tenth of a second. For bf16, products that
 * are added up as floats: the processor may do twice as many. */
double ursa_cpu_peak_gflops(int threads, ursa_dtype dtype);

#endif
