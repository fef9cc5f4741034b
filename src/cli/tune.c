/* tune.c — `ursa tune`: measures the ways to compute the products of a network's
 * step, and keeps the fastest. */
#include "bench.h"
#include "base/error.h"
#include "device/backend.h"
#include "device/tuner.h"

#include <stdio.h>
#include <stdlib.h>

static struct {
    bool quick, list, forget;
} given;

static const option_spec options[] = {
    {"arch", OPTION_TEXT, &bench.arch, "NAME", "the network whose products are tuned (resnet18)"},
    {"size", OPTION_INT, &bench.size, "N", "pixels of its images (128)"},
    {"bs", OPTION_INT, &bench.batch, "N", "images per step (32)"},
    {"quick", OPTION_FLAG, &given.quick, NULL, "try only the most promising ways"},
    {"list", OPTION_FLAG, &given.list, NULL, "only show what is kept for the device"},
    {"forget", OPTION_FLAG, &given.forget, NULL, "forget it: the model of the device chooses again"},
    COMMON_OPTIONS(bench.common),
};

static const command_spec spec = {
    .usage = "ursa tune [options]",
    .summary = "Measures, for every kind of product in a training step of a network, the ways in\n"
               "which an OpenCL device can compute it, and keeps the fastest for the device and\n"
               "its driver. From then on every command uses it.",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .examples = "  ursa tune --device opencl\n  ursa tune --arch resnet50 --size 224 --bs 64\n  ursa tune --list",
};

enum { QUICK = 6, THOROUGH = 64 };

static bool list_kept(ursa_device *device)
{
    struct ursa_tuned entry;
    int count = 0;
    for (; device->backend->tuner->kept(device, count, &entry); count++)
        printf("%-44s %10.3f ms  %s\n", entry.name, 1e3 * entry.after_seconds, entry.after);
    printf("%d kinds of products are tuned on %s (%s)\n", count, ursa_device_id(device), ursa_device_name(device));
    return true;
}

static bool tune_all(ursa_device *device)
{
    const struct ursa_tuner *tuner = device->backend->tuner;
    tuner->watch(device);
    if (!bench_step())
        return false;
    int count = tuner->seen(device);
    double before = 0, after = 0;
    printf("%s, %d px, batch %d on %s (%s): %d kinds of products\n", bench.arch, bench.size, bench.batch,
           ursa_device_id(device), ursa_device_name(device), count);
    for (int i = 0; i < count; i++) {
        struct ursa_tuned result;
        if (!tuner->tune(device, i, given.quick ? QUICK : THOROUGH, &result))
            return false;
        before += result.before_seconds;
        after += result.after_seconds;
        printf("%-44s %10.3f → %10.3f ms  ×%.2f  %s → %s\n", result.name, 1e3 * result.before_seconds,
               1e3 * result.after_seconds, result.before_seconds / result.after_seconds, result.before, result.after);
        fflush(stdout);
    }
    printf("one of each: %.2f ms before, %.2f ms now\n", 1e3 * before, 1e3 * after);
    return true;
}

static bool run(void)
{
    if (!bench.common.device && !getenv("URSA_DEVICE"))
        bench.common.device = "opencl";
    if (!apply_common(&bench.common))
        return false;
    ursa_device *device = ursa_default_device();
    if (!device->backend->tuner)
        return ursa_fail(URSA_ERROR_UNSUPPORTED, "tune: there is nothing to tune on %s", ursa_device_id(device));
    if (given.forget)
        return device->backend->tuner->forget(device);
    return given.list ? list_kept(device) : tune_all(device);
}

int run_tune(int argc, char **argv)
{
    int status;
    bench = (struct bench_options){.arch = "resnet18", .size = 128, .batch = 32};
    if (read_options(&spec, argc, argv, NULL, &status) < 0)
        return status;
    if (bench.size < 1 || bench.size > 4096 || bench.batch < 1)
        return usage_error(&spec, "--size is %d and --bs %d; expected 1 to 4096 pixels and 1 image or more", bench.size,
                           bench.batch);
    if (given.list && given.forget)
        return usage_error(&spec, "--list and --forget exclude each other");
    return run() ? EXIT_FINE : EXIT_ERROR;
}
