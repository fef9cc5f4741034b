/* peak.h — what the processor could do at most, for `ursa bench`. */
#ifndef URSA_DEVICE_PEAK_H
#define URSA_DEVICE_PEAK_H

/* Billions of floating-point operations per second of independent fused
 * multiply-adds in registers, in the instruction set in use, on `threads`
 * threads at once. Takes about a tenth of a second. */
double ursa_cpu_peak_gflops(int threads);

#endif
