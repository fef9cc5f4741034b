/* random.c — numbers of a Philox stream. See random.h and base/philox.h. */
#include "random.h"
#include "base/philox.h"
#include "vec.h"

#define TWO_PI 6.28318530717958648f

/* Blocks computed side by side, so that the compiler can use vectors for them. */
enum { SIDE_BY_SIDE = 16 };

static void philox_blocks(uint64_t key, uint64_t counter, uint32_t *words)
{
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    uint32_t c0[SIDE_BY_SIDE], c1[SIDE_BY_SIDE], c2[SIDE_BY_SIDE] = {0}, c3[SIDE_BY_SIDE] = {0};
    for (int j = 0; j < SIDE_BY_SIDE; j++) {
        c0[j] = (uint32_t)(counter + (uint64_t)j);
        c1[j] = (uint32_t)((counter + (uint64_t)j) >> 32);
    }
    for (int round = 0; round < 10; round++) {
        for (int j = 0; j < SIDE_BY_SIDE; j++) {
            uint64_t p0 = (uint64_t)0xD2511F53u * c0[j], p1 = (uint64_t)0xCD9E8D57u * c2[j];
            c0[j] = (uint32_t)(p1 >> 32) ^ c1[j] ^ k0;
            c1[j] = (uint32_t)p1;
            c2[j] = (uint32_t)(p0 >> 32) ^ c3[j] ^ k1;
            c3[j] = (uint32_t)p0;
        }
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    for (int j = 0; j < SIDE_BY_SIDE; j++) {
        words[4 * j] = c0[j];
        words[4 * j + 1] = c1[j];
        words[4 * j + 2] = c2[j];
        words[4 * j + 3] = c3[j];
    }
}

static void words(int64_t blocks, uint64_t key, uint64_t counter, uint32_t *out)
{
    int64_t i = 0;
    for (; i + SIDE_BY_SIDE <= blocks; i += SIDE_BY_SIDE)
        philox_blocks(key, counter + (uint64_t)i, out + 4 * i);
    for (; i < blocks; i++)
        ursa_philox(key, counter + (uint64_t)i, out + 4 * i);
}

/* V_LANES numbers in [0, 1), each with 24 bits; the first n of them where a
 * whole vector would reach past the end. */
V_INLINE vf unit(const uint32_t *word, int64_t n)
{
    int32_t high[V_LANES] = {0};
    for (int64_t i = 0; i < n; i++)
        high[i] = (int32_t)(word[i] >> 8);
    return vf_mul(vf_from_i32(high), vf_set(0x1p-24f));
}

/* Loads and stores that are whole where `count` says so; it is a constant there. */
V_INLINE vf take(const float *p, int64_t count)
{
    return count == V_LANES ? vf_load(p) : vf_load_n(p, count);
}
V_INLINE void put(float *p, vf v, int64_t count)
{
    if (count == V_LANES)
        vf_store(p, v);
    else
        vf_store_n(p, v, count);
}

/* Runs a statement over whole vectors, `count` = V_LANES, and a tail. */
#define EACH_VECTOR(n, statement)                                                                                      \
    do {                                                                                                               \
        int64_t i = 0;                                                                                                 \
        for (const int64_t count = V_LANES; i + V_LANES <= (n); i += V_LANES)                                          \
            statement;                                                                                                 \
        if (i < (n)) {                                                                                                 \
            const int64_t count = (n)-i;                                                                               \
            statement;                                                                                                 \
        }                                                                                                              \
    } while (0)

static void uniform(int64_t n, const uint32_t *word, float a, float b, float *y)
{
    vf low = vf_set(a), range = vf_set(b - a);
    EACH_VECTOR(n, put(y + i, vf_fma(range, unit(word + i, count), low), count));
}

static void bernoulli(int64_t n, const uint32_t *word, float p, float *y)
{
    vf limit = vf_set(p), one = vf_set(1);
    EACH_VECTOR(n, put(y + i, vf_select(vf_lt(unit(word + i, count), limit), one, vf_zero()), count));
}

static void dropout(int64_t n, const uint32_t *word, float p, const float *x, float *y)
{
    vf limit = vf_set(p), keep = vf_set(1 - p);
    EACH_VECTOR(
        n,
        put(y + i, vf_select(vf_lt(unit(word + i, count), limit), vf_zero(), vf_div(take(x + i, count), keep)), count));
}

/* The words of V_LANES pairs, taken apart, give both numbers of each. */
static void normal_pairs(int64_t pairs, const uint32_t *word, vf mean, vf deviation, float *y)
{
    uint32_t first[V_LANES] = {0}, second[V_LANES] = {0};
    float n0[V_LANES], n1[V_LANES];
    for (int64_t j = 0; j < pairs; j++) {
        first[j] = word[2 * j];
        second[j] = word[2 * j + 1];
    }
    vf radius = vf_sqrt(vf_mul(vf_set(-2), vf_log(vf_sub(vf_set(1), unit(first, V_LANES)))));
    vf angle = vf_mul(vf_set(TWO_PI), unit(second, V_LANES));
    vf_store(n0, vf_fma(deviation, vf_mul(radius, vf_cos(angle)), mean));
    vf_store(n1, vf_fma(deviation, vf_mul(radius, vf_sin(angle)), mean));
    for (int64_t j = 0; j < pairs; j++) {
        y[2 * j] = n0[j];
        y[2 * j + 1] = n1[j];
    }
}

static void normal(int64_t n, const uint32_t *word, float mean, float deviation, float *y)
{
    vf m = vf_set(mean), d = vf_set(deviation);
    EACH_VECTOR(n / 2, normal_pairs(count, word + 2 * i, m, d, y + 2 * i));
}

const struct ursa_simd_random SIMD(ursa_simd_random) = {
    .words = words, .uniform = uniform, .bernoulli = bernoulli, .normal = normal, .dropout = dropout};
