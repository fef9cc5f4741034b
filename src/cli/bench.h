/* bench.h — what the parts of `ursa bench` share: the options given, and timing. */
#ifndef URSA_CLI_BENCH_H
#define URSA_CLI_BENCH_H

#include "cli.h"

struct bench_options {
    const char *arch, *layer, *pass, *data;
    const char *precision; /* as it was given; */
    ursa_dtype dtype;      /* what it says */
    int size, batch, m, n, k, repeats;
    bool json, turns;
    common_options common;
};
extern struct bench_options bench;

/* Something that is timed; false after an error. */
typedef bool bench_run(void *context);

/* The median of the seconds that `run` takes, after one run that does not
 * count; a run is repeated until it lasts `least` seconds. With --turns, the
 * runs are those that the other end of stdin asks for. NaN after an error. */
double bench_median(bench_run *run, void *context, double least);

/* The peak rate of multiply-adds of the device in this precision, in GFLOP/s; 0 where
 * it cannot be measured, and with --turns. */
double bench_peak(void);
/* ",\"peak_gflops\":…,\"fraction\":…" or " of … (… %)", where the peak is known. */
void bench_print_share(double gflops, double peak);

/* What `ursa bench WHAT` runs. False after an error. */
bool bench_gemm(void);
bool bench_conv(void);
bool bench_memory(void);
bool bench_data(void);
bool bench_train(void);
bool bench_infer(void);

/* One step of training, as bench_train() measures. */
bool bench_step(void);

#endif
