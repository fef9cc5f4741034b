/* peak.c — measures the processor's peak, on all threads at once. */
#include "base/clock.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "device/cpu/cpu.h"
#include "simd/peak.h"

#include <pthread.h>
#include <stdlib.h>

#define ROUNDS  100000
#define REPEATS 20

struct worker {
    pthread_t thread;
    bool started;
    ursa_dtype dtype;
    double rate; /* the best of some short stretches: other programs may take the core in some of them */
};

static void *measure(void *context)
{
    struct worker *worker = context;
    const struct ursa_simd_peak *simd = ursa_cpu_simd()->peak;
    int64_t rounds = ROUNDS / ursa_cpu_simd()->lanes;
    volatile float sink;
    for (int i = 0; i < REPEATS; i++) {
        float result;
        double start = ursa_seconds();
        double operations = worker->dtype == URSA_BF16 ? simd->run_bf16(rounds, &result) : simd->run(rounds, &result);
        double rate = operations / (ursa_seconds() - start);
        sink = result;
        if (rate > worker->rate)
            worker->rate = rate;
    }
    (void)sink;
    return NULL;
}

double ursa_cpu_peak_gflops(ursa_device *device, ursa_dtype dtype)
{
    (void)device;
    int threads = ursa_threads();
    struct worker *workers = ursa_alloc_array((size_t)(threads > 0 ? threads : 1), sizeof *workers);
    if (!workers)
        return 0;
    double total = 0;
    for (int i = 0; i < threads; i++)
        workers[i].dtype = dtype;
    for (int i = 1; i < threads; i++)
        workers[i].started = pthread_create(&workers[i].thread, NULL, measure, &workers[i]) == 0;
    measure(&workers[0]);
    for (int i = 0; i < threads; i++) {
        if (workers[i].started)
            pthread_join(workers[i].thread, NULL);
        total += workers[i].rate;
    }
    free(workers);
    return total / 1e9;
}
