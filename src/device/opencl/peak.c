/* peak.c — measures the device's peak of multiply-adds. */
#include "base/clock.h"
#include "device/opencl/runtime.h"

/* As in cl/peak.cl. */
enum { CHAINS = 8, STEPS = 4, GROUP = 256, GROUPS_PER_UNIT = 32, REPEATS = 5 };

/* Seconds of one launch; 0 after an error. */
static double run(struct ursa_cl_device *device, struct ursa_cl_kernel *kernel, ursa_buffer *out, ursa_cl_grid grid,
                  int rounds)
{
    double begin = ursa_seconds();
    bool done = ursa_cl_launch(device, kernel, grid, ursa_cl_buffer(out), ursa_cl_int(rounds), ursa_cl_float(1)) &&
                ursa_cl_sync(&device->base);
    return done ? ursa_seconds() - begin : 0;
}

/* Long enough for starting it not to count, and short enough to wait for. */
static int rounds_for(struct ursa_cl_device *device, struct ursa_cl_kernel *kernel, ursa_buffer *out, ursa_cl_grid grid)
{
    int rounds = 16;
    while (rounds < 1 << 24) {
        double seconds = run(device, kernel, out, grid, rounds);
        if (seconds == 0 || seconds > 0.01)
            break;
        rounds *= 2;
    }
    return rounds;
}

double ursa_cl_peak_gflops(ursa_device *base, ursa_dtype dtype)
{
    (void)dtype; /* halves are multiplied as floats */
    struct ursa_cl_device *device = ursa_cl_device(base);
    int lanes = device->is_cpu ? 16 : 4;
    struct ursa_cl_kernel *kernel = ursa_cl_kernel(device, "peak", "peak", "-DVECTOR=float%d", lanes);
    size_t size = ursa_cl_group_size(kernel, GROUP);
    int64_t groups = (int64_t)device->units * GROUPS_PER_UNIT;
    ursa_cl_grid grid = ursa_cl_groups(groups, size);
    ursa_buffer *out = kernel ? ursa_buffer_new(base, URSA_F32, groups * (int64_t)size) : NULL;
    double best = 0;
    int rounds = out ? rounds_for(device, kernel, out, grid) : 0;
    for (int i = 0; out && i < REPEATS; i++) {
        double seconds = run(device, kernel, out, grid, rounds);
        double flops = 2.0 * CHAINS * STEPS * lanes * rounds * (double)groups * (double)size;
        if (seconds > 0 && flops / seconds > best)
            best = flops / seconds;
    }
    ursa_buffer_release(out);
    return best * 1e-9;
}
