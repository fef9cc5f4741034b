/* random.c — random, dropout and arange on the CPU.
 *
 * Blocks of elements begin at multiples of four, so each starts a Philox block.
 */
#include "device/cpu/blocks.h"
#include "simd/random.h"

struct stream {
    ursa_blocks blocks; /* out, and for dropout x */
    ursa_random_kind kind;
    float a, b;
    uint64_t key, counter;
};

static int64_t block_length(int64_t begin, int64_t end)
{
    return end - begin < URSA_BLOCK ? end - begin : URSA_BLOCK;
}

/* The words of n elements from `begin` on, rounded up to whole blocks. */
static void stream_words(const struct stream *op, int64_t begin, int64_t n, uint32_t words[URSA_BLOCK])
{
    op->blocks.simd->random->words((n + 3) / 4, op->key, op->counter + (uint64_t)begin / 4, words);
}

static void random_range(void *context, int64_t begin, int64_t end)
{
    const struct stream *op = context;
    const struct ursa_simd_random *kernels = op->blocks.simd->random;
    uint32_t words[URSA_BLOCK];
    ursa_block out;
    for (int64_t i = begin, n; i < end; i += n) {
        n = block_length(i, end);
        stream_words(op, i, n, words);
        float *y = ursa_block_target_f32(&op->blocks, 0, i, &out);
        if (op->kind == URSA_RANDOM_UNIFORM)
            kernels->uniform(n, words, op->a, op->b, y);
        else if (op->kind == URSA_RANDOM_BERNOULLI)
            kernels->bernoulli(n, words, op->a, y);
        else
            kernels->normal(n, words, op->a, op->b, y);
        if (op->kind == URSA_RANDOM_NORMAL && n % 2) { /* half of the last pair */
            float pair[2];
            kernels->normal(2, words + n - 1, op->a, op->b, pair);
            y[n - 1] = pair[0];
        }
        ursa_block_store_f32(&op->blocks, 0, i, n, &out);
    }
}

bool ursa_cpu_random(ursa_device *device, const struct ursa_random_args *args)
{
    (void)device;
    struct stream op = {
        .kind = args->kind, .a = (float)args->a, .b = (float)args->b, .key = args->key, .counter = args->counter};
    ursa_blocks_plan(&op.blocks, 1, (const ursa_array *[]){&args->out});
    return ursa_blocks_run(&op.blocks, random_range, &op);
}

static void dropout_range(void *context, int64_t begin, int64_t end)
{
    const struct stream *op = context;
    uint32_t words[URSA_BLOCK];
    ursa_block in, out;
    for (int64_t i = begin, n; i < end; i += n) {
        n = block_length(i, end);
        stream_words(op, i, n, words);
        const float *x = ursa_block_load_f32(&op->blocks, 1, i, n, &in);
        op->blocks.simd->random->dropout(n, words, op->a, x, ursa_block_target_f32(&op->blocks, 0, i, &out));
        ursa_block_store_f32(&op->blocks, 0, i, n, &out);
    }
}

bool ursa_cpu_dropout(ursa_device *device, const struct ursa_dropout_args *args)
{
    (void)device;
    struct stream op = {.a = args->p, .key = args->key, .counter = args->counter};
    ursa_blocks_plan(&op.blocks, 2, (const ursa_array *[]){&args->out, &args->x});
    return ursa_blocks_run(&op.blocks, dropout_range, &op);
}

/* ---- arange -------------------------------------------------------------------- */

struct arange {
    ursa_blocks blocks; /* out */
    double start, step;
};

static void arange_range(void *context, int64_t begin, int64_t end)
{
    const struct arange *op = context;
    const ursa_operand *target = &op->blocks.operand[0];
    ursa_block out;
    for (int64_t i = begin, n; i < end; i += n) {
        n = block_length(i, end);
        if (target->dtype == URSA_I32) {
            int32_t *y = (int32_t *)target->data + i;
            for (int64_t j = 0; j < n; j++)
                y[j] = (int32_t)(op->start + (double)(i + j) * op->step);
        } else if (target->dtype == URSA_I64) {
            int64_t *y = (int64_t *)target->data + i;
            for (int64_t j = 0; j < n; j++)
                y[j] = (int64_t)(op->start + (double)(i + j) * op->step);
        } else {
            float *y = ursa_block_target_f32(&op->blocks, 0, i, &out);
            for (int64_t j = 0; j < n; j++)
                y[j] = (float)(op->start + (double)(i + j) * op->step);
            ursa_block_store_f32(&op->blocks, 0, i, n, &out);
        }
    }
}

bool ursa_cpu_arange(ursa_device *device, const struct ursa_arange_args *args)
{
    (void)device;
    struct arange op = {.start = args->start, .step = args->step};
    ursa_blocks_plan(&op.blocks, 1, (const ursa_array *[]){&args->out});
    return ursa_blocks_run(&op.blocks, arange_range, &op);
}
