/* random.c — random streams of the host, on Philox. */
#include <ursa/base.h>
#include "philox.h"

#include <math.h>
#include <stdatomic.h>

static _Atomic uint64_t process_seed = 42;
static _Atomic uint64_t seedings = 1; /* tells a thread that its streams are of an older seed */

void ursa_set_seed(uint64_t seed)
{
    atomic_store(&process_seed, seed);
    atomic_fetch_add(&seedings, 1);
}

uint64_t ursa_seed(void)
{
    return atomic_load(&process_seed);
}

/* The finaliser of SplitMix64 (Steele, Lea, Flood, "Fast splittable
 * pseudorandom number generators", OOPSLA 2014): every bit of the input
 * changes half of the output's. */
static uint64_t mix(uint64_t x)
{
    x += 0x9E3779B97F4A7C15u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

ursa_rng ursa_rng_new(uint64_t seed, ursa_purpose purpose, uint64_t index)
{
    return (ursa_rng){.key = mix(mix(mix(seed) + (uint64_t)purpose) + index)};
}

ursa_rng *ursa_stream(ursa_purpose purpose)
{
    static _Thread_local ursa_rng streams[URSA_PURPOSES];
    static _Thread_local uint64_t seeding;
    if (seeding != atomic_load(&seedings)) {
        seeding = atomic_load(&seedings);
        for (int each = 0; each < URSA_PURPOSES; each++)
            streams[each] = ursa_rng_new(ursa_seed(), (ursa_purpose)each, 0);
    }
    return &streams[purpose];
}

uint32_t ursa_rng_u32(ursa_rng *rng)
{
    if (rng->left == 0) {
        ursa_philox(rng->key, rng->counter++, rng->block);
        rng->left = 4;
    }
    return rng->block[4 - rng->left--];
}

static uint64_t next_u64(ursa_rng *rng)
{
    uint64_t low = ursa_rng_u32(rng);
    return low | (uint64_t)ursa_rng_u32(rng) << 32;
}

/* Lemire, "Fast random integer generation in an interval", ACM TOMACS 2019. */
uint64_t ursa_rng_below(ursa_rng *rng, uint64_t bound)
{
    if (bound == 0)
        return 0;
    unsigned __int128 product = (unsigned __int128)next_u64(rng) * bound;
    if ((uint64_t)product < bound) {
        uint64_t threshold = -bound % bound; /* 2⁶⁴ mod bound numbers are too many */
        while ((uint64_t)product < threshold)
            product = (unsigned __int128)next_u64(rng) * bound;
    }
    return (uint64_t)(product >> 64);
}

double ursa_rng_uniform(ursa_rng *rng)
{
    return (double)(next_u64(rng) >> 11) * 0x1p-53;
}

/* Box and Muller, "A note on the generation of random normal deviates", 1958.
 * One of the pair is dropped: a stream's state then is its counter alone. */
double ursa_rng_normal(ursa_rng *rng)
{
    double radius = sqrt(-2.0 * log(1.0 - ursa_rng_uniform(rng)));
    return radius * cos(6.283185307179586477 * ursa_rng_uniform(rng));
}

void ursa_rng_shuffle(ursa_rng *rng, int64_t *items, int64_t count)
{
    for (int64_t i = count - 1; i > 0; i--) {
        int64_t other = (int64_t)ursa_rng_below(rng, (uint64_t)i + 1);
        int64_t item = items[i];
        items[i] = items[other];
        items[other] = item;
    }
}
