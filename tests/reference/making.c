/* making.c — fill, arange, random and copy. */
#include "reference64.h"
#include "view.h"
#include "base/philox.h"

bool reference64_fill(ursa_device *device, const struct ursa_fill_args *args)
{
    (void)device;
    int64_t count = count_of(&args->out);
    for (int64_t i = 0; i < count; i++)
        put(&args->out, i, args->value);
    return true;
}

bool reference64_arange(ursa_device *device, const struct ursa_arange_args *args)
{
    (void)device;
    int64_t count = count_of(&args->out);
    for (int64_t i = 0; i < count; i++)
        put(&args->out, i, args->start + (double)i * args->step);
    return true;
}

double reference64_uniform(uint64_t key, uint64_t counter, int64_t i)
{
    uint32_t words[4];
    ursa_philox(key, counter + (uint64_t)i / 4, words);
    return (double)(words[i % 4] >> 8) * 0x1p-24;
}

static double normal(uint64_t key, uint64_t counter, int64_t i)
{
    int64_t pair = i / 2 * 2;
    double u0 = reference64_uniform(key, counter, pair);
    double u1 = reference64_uniform(key, counter, pair + 1);
    double r = sqrt(-2 * log(1 - u0));
    return i % 2 ? r * sin(2 * M_PI * u1) : r * cos(2 * M_PI * u1);
}

bool reference64_random(ursa_device *device, const struct ursa_random_args *args)
{
    (void)device;
    int64_t count = count_of(&args->out);
    for (int64_t i = 0; i < count; i++) {
        double value = 0;
        switch (args->kind) {
        case URSA_RANDOM_UNIFORM:
            value = args->a + (args->b - args->a) * reference64_uniform(args->key, args->counter, i);
            break;
        case URSA_RANDOM_NORMAL:
            value = args->a + args->b * normal(args->key, args->counter, i);
            break;
        case URSA_RANDOM_BERNOULLI:
            value = reference64_uniform(args->key, args->counter, i) < args->a;
            break;
        }
        put(&args->out, i, value);
    }
    return true;
}

bool reference64_copy(ursa_device *device, const struct ursa_copy_args *args)
{
    (void)device;
    int64_t count = count_of(&args->x);
    for (int64_t i = 0; i < count; i++) {
        if (is_float(args->x.dtype))
            put(&args->out, i, get(&args->x, i));
        else
            put_integer(&args->out, i, get_integer(&args->x, i));
    }
    return true;
}
