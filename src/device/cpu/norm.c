/* norm.c — batch, group, layer and instance normalisation on the CPU.
 *
 * Batch normalisation is the case of one image and as many groups as channels:
 * both go through sums by channel over chunks of rows, which are merged in
 * double in the order of the rows. Groups of a single row (layer norm) have
 * kernels of their own.
 */
#include "moments.h"
#include "simd/norm.h"
#include "base/parallel.h"
#include <math.h>
#include <string.h>

/* Elements in a chunk: it fits a second-level cache twice. */
#define CHUNK 32768

/* Rows of fewer floats than this are read several at a time, as one wide row. */
#define WIDE 64

/* Floats in a vector of the widest instruction set. */
#define LANES 16

static int64_t at_least_one(int64_t value)
{
    return value > 1 ? value : 1;
}

static double or_one(const float *values, int64_t i)
{
    return values ? (double)values[i] : 1.0;
}

/* ---- channels over rows ------------------------------------------------- */

/* An array [batches, rows, channels], how it is cut into chunks, and the
 * results of the chunks: a chunk of wide rows has `fold` parts, the rows left
 * over at the end of a batch are a part of their own. */
typedef struct columns {
    int64_t batches, rows, channels;
    int64_t fold, width;     /* rows in a wide row, and its length */
    int64_t wide_rows, rest; /* rows = fold wide_rows + rest */
    int64_t chunk, chunks;   /* wide rows in a chunk; chunks in a batch */
    int64_t parts;           /* of a batch */

    const struct ursa_norm_kernels *simd;
    int64_t size; /* bytes of an element */
    const char *x, *dy;
    const char *residual, *y; /* what is added to the output; the output, for the gradient */
    enum ursa_norm_end end;
    char *out, *passed;    /* passed: the gradient behind the end */
    float *first, *second; /* [batches, parts, channels]: the sums of the parts */
    double *part_rows;     /* [parts] */
    float *coefficients;   /* [batches, COEFFICIENTS, width], repeated for every row of a wide row */
} columns;

/* Of y = (x - mean) a + b, or of dx = a dy + b (x - mean) + c; and of the y
 * that the gradient looks at. */
enum { MEAN, A, B, C, A_OF_Y, B_OF_Y, COEFFICIENTS };

static int64_t greatest_common_divisor(int64_t a, int64_t b)
{
    return b ? greatest_common_divisor(b, a % b) : a;
}

/* Rows to join so that they fill vectors and are worth a loop. */
static int64_t choose_fold(int64_t rows, int64_t channels)
{
    if (channels >= WIDE)
        return 1;
    int64_t fold = LANES / greatest_common_divisor(channels, LANES);
    while (fold * channels < WIDE)
        fold *= 2;
    return fold <= rows ? fold : 1;
}

/* The rows in every part. */
static void count_rows(columns *p)
{
    for (int64_t part = 0; part < p->chunks * p->fold; part++) {
        int64_t left = p->wide_rows - part / p->fold * p->chunk;
        p->part_rows[part] = (double)(left < p->chunk ? left : p->chunk);
    }
    if (p->rest)
        p->part_rows[p->parts - 1] = (double)p->rest;
}

static bool plan(columns *p, ursa_dtype dtype, int64_t batches, int64_t rows, int64_t channels)
{
    *p = (columns){.batches = batches,
                   .rows = rows,
                   .channels = channels,
                   .simd = &ursa_cpu_simd()->norm->of[dtype],
                   .size = (int64_t)ursa_dtype_size(dtype)};
    p->fold = choose_fold(rows, channels);
    p->width = p->fold * channels;
    p->wide_rows = rows / p->fold;
    p->rest = rows % p->fold;
    p->chunk = at_least_one(CHUNK / at_least_one(p->width));
    p->chunks = (p->wide_rows + p->chunk - 1) / p->chunk;
    p->parts = p->chunks * p->fold + (p->rest > 0);
    size_t sums = (size_t)(batches * p->parts * channels), coefficients = (size_t)(batches * COEFFICIENTS * p->width);
    p->part_rows = ursa_scratch(0, (size_t)p->parts * sizeof(double) + (2 * sums + 1) * sizeof(float));
    p->coefficients = ursa_scratch(1, (coefficients + 1) * sizeof(float));
    if (!p->part_rows || !p->coefficients)
        return false;
    p->first = (float *)(p->part_rows + p->parts);
    p->second = p->first + sums;
    count_rows(p);
    return true;
}

static float *coefficient(const columns *p, int64_t batch, int which)
{
    return p->coefficients + (batch * COEFFICIENTS + which) * p->width;
}

/* Repeats the first row of every coefficient for the others of a wide row. */
static void widen(const columns *p, int64_t batch)
{
    for (int which = 0; which < COEFFICIENTS; which++) {
        float *values = coefficient(p, batch, which);
        for (int64_t i = 1; i < p->fold; i++)
            memcpy(values + i * p->channels, values, (size_t)p->channels * sizeof *values);
    }
}

/* Rows of one length that a task hands to a kernel. */
typedef struct block {
    int64_t batch, at, rows, width; /* `at`: the first element */
    int64_t part;
} block;

typedef void block_task(const columns *p, block b);

/* The blocks of chunk `index` of all batches. */
static void run_chunk(const columns *p, int64_t index, block_task *task)
{
    int64_t batch = index / p->chunks, k = index % p->chunks, first = batch * p->rows * p->channels;
    int64_t begin = k * p->chunk, end = begin + p->chunk < p->wide_rows ? begin + p->chunk : p->wide_rows;
    task(p, (block){batch, first + begin * p->width, end - begin, p->width, k * p->fold});
    if (k == p->chunks - 1 && p->rest)
        task(p, (block){batch, first + p->wide_rows * p->width, p->rest, p->channels, p->chunks * p->fold});
}

typedef struct chunk_job {
    const columns *columns;
    block_task *task;
} chunk_job;

static void run_chunks(void *context, int64_t begin, int64_t end)
{
    const chunk_job *job = context;
    for (int64_t i = begin; i < end; i++)
        run_chunk(job->columns, i, job->task);
}

static bool for_blocks(const columns *p, block_task *task)
{
    chunk_job job = {p, task};
    int64_t size = (p->rows < p->chunk * p->fold ? p->rows : p->chunk * p->fold) * p->channels;
    return ursa_parallel_range(p->batches * p->chunks, at_least_one(CHUNK / at_least_one(size)), run_chunks, &job);
}

static int64_t sum_place(const columns *p, block b)
{
    return (b.batch * p->parts + b.part) * p->channels;
}

static void moments_block(const columns *p, block b)
{
    int64_t to = sum_place(p, b);
    p->simd->moments(p->x + b.at * p->size, b.width, b.rows, b.width, p->first + to, p->second + to);
}

static void apply_block(const columns *p, block b)
{
    int64_t at = b.at * p->size;
    p->simd->apply(p->x + at, b.rows, b.width, coefficient(p, b.batch, MEAN), coefficient(p, b.batch, A),
                   coefficient(p, b.batch, B), p->residual ? p->residual + at : NULL, p->end, p->out + at);
}

static struct ursa_norm_slope slope_of(const columns *p, block b)
{
    int64_t at = b.at * p->size;
    return (struct ursa_norm_slope){.end = p->end,
                                    .x = p->x + at,
                                    .dy = p->dy + at,
                                    .y = p->y ? p->y + at : NULL,
                                    .mean = coefficient(p, b.batch, MEAN),
                                    .a = coefficient(p, b.batch, A_OF_Y),
                                    .b = coefficient(p, b.batch, B_OF_Y)};
}

static void grad_sums_block(const columns *p, block b)
{
    int64_t to = sum_place(p, b);
    struct ursa_norm_slope slope = slope_of(p, b);
    p->simd->grad_sums(&slope, b.rows, b.width, p->passed ? p->passed + b.at * p->size : NULL, p->first + to,
                       p->second + to);
}

/* Behind the end once more, unless the first pass has left what came through. */
static void grad_apply_block(const columns *p, block b)
{
    struct ursa_norm_slope slope = slope_of(p, b);
    if (p->passed) {
        slope.end = URSA_END_NONE;
        slope.dy = p->passed + b.at * p->size;
    }
    p->simd->grad_apply(&slope, b.rows, b.width, coefficient(p, b.batch, A), coefficient(p, b.batch, B),
                        coefficient(p, b.batch, C), p->out + b.at * p->size);
}

/* ---- merging ------------------------------------------------------------ */

/* What the blocks of a batch have found. */
static struct ursa_moments moments_of(const columns *p, int64_t batch)
{
    int64_t at = batch * p->parts * p->channels;
    return (struct ursa_moments){.columns = p->channels,
                                 .parts = p->parts,
                                 .rows = p->part_rows,
                                 .mean = p->first + at,
                                 .squares = p->second + at};
}

/* Mean and variance of group g from its channels. */
static void merge_group(const double *mean, const double *squares, int64_t rows, int64_t channels, double *group_mean,
                        double *group_var)
{
    double sum = 0, square = 0;
    for (int64_t c = 0; c < channels; c++)
        sum += mean[c];
    *group_mean = sum / (double)channels;
    for (int64_t c = 0; c < channels; c++)
        square += squares[c] + (double)rows * (mean[c] - *group_mean) * (mean[c] - *group_mean);
    *group_var = square / (double)(rows * channels);
}

static void merge_sums(const columns *p, int64_t batch, double *sum, double *product)
{
    const float *first = p->first + batch * p->parts * p->channels;
    const float *second = p->second + batch * p->parts * p->channels;
    memset(sum, 0, (size_t)p->channels * sizeof *sum);
    memset(product, 0, (size_t)p->channels * sizeof *product);
    for (int64_t i = 0; i < p->parts; i++)
        for (int64_t c = 0; c < p->channels; c++) {
            sum[c] += (double)first[i * p->channels + c];
            product[c] += (double)second[i * p->channels + c];
        }
}

/* ---- forward ------------------------------------------------------------ */

static float factor_of(float inv_std, const float *scale, int64_t c)
{
    return (float)((double)inv_std * or_one(scale, c));
}

/* The coefficients of y = (x - mean) a + b for one group. */
static void set_forward(const columns *p, int64_t batch, int64_t begin, int64_t end, float mean, float inv_std,
                        const float *scale, const float *shift)
{
    for (int64_t c = begin; c < end; c++) {
        coefficient(p, batch, MEAN)[c] = mean;
        coefficient(p, batch, A)[c] = factor_of(inv_std, scale, c);
        coefficient(p, batch, B)[c] = shift ? shift[c] : 0.0f;
        for (int which = C; which < COEFFICIENTS; which++)
            coefficient(p, batch, which)[c] = 0.0f;
    }
}

typedef struct forward_job {
    const columns *columns;
    const float *scale, *shift;
    const float *known_mean, *known_var; /* of the channels of a single batch, or NULL */
    float *mean, *inv_std;               /* [batches, groups] */
    float *running_mean, *running_var;
    double momentum, eps;
    int64_t groups;
} forward_job;

static float running(float old, double fresh, double momentum)
{
    return (float)((1.0 - momentum) * (double)old + momentum * fresh);
}

/* Mean and Σ(x - mean)² of the channels. */
static void find_moments(const forward_job *job, int64_t batch, double *mean, double *squares)
{
    const columns *p = job->columns;
    struct ursa_moments found = moments_of(p, batch);
    if (!job->known_mean) {
        ursa_moments_merge(&found, mean, squares);
        return;
    }
    for (int64_t c = 0; c < p->channels; c++) {
        mean[c] = (double)job->known_mean[c];
        squares[c] = (double)job->known_var[c] * (double)p->rows;
    }
}

static void solve_forward(void *context, int64_t batch)
{
    const forward_job *job = context;
    const columns *p = job->columns;
    int64_t width = p->channels / job->groups;
    double *mean = ursa_scratch(2, 2 * (size_t)p->channels * sizeof(double)), *squares = mean + p->channels;
    if (!mean)
        return;
    find_moments(job, batch, mean, squares);
    for (int64_t g = 0; g < job->groups; g++) {
        double group_mean, var;
        merge_group(mean + g * width, squares + g * width, p->rows, width, &group_mean, &var);
        float m = job->mean[batch * job->groups + g] = (float)group_mean;
        float inv_std = job->inv_std[batch * job->groups + g] = (float)(1.0 / sqrt(var + job->eps));
        set_forward(p, batch, g * width, (g + 1) * width, m, inv_std, job->scale, job->shift);
        if (job->running_mean)
            job->running_mean[g] = running(job->running_mean[g], group_mean, job->momentum);
        if (job->running_var)
            job->running_var[g] =
                running(job->running_var[g], var * (double)p->rows / (double)(p->rows - 1), job->momentum);
    }
    widen(p, batch);
}

static bool normalise(const columns *p, forward_job *job)
{
    return (job->known_mean || for_blocks(p, moments_block)) && ursa_parallel(p->batches, solve_forward, job) &&
           for_blocks(p, apply_block);
}

/* Rows of x [..., C]. */
static int64_t rows_of(const ursa_array *x)
{
    int64_t rows = 1;
    for (int i = 0; i < x->ndim - 1; i++)
        rows *= x->shape[i];
    return rows;
}

static enum ursa_norm_end end_of(const ursa_activation *activation)
{
    if (!activation->used)
        return URSA_END_NONE;
    return activation->kind == URSA_UNARY_relu6 ? URSA_END_RELU6 : URSA_END_RELU;
}

bool ursa_cpu_batch_norm(ursa_device *device, const struct ursa_batch_norm_args *args)
{
    (void)device;
    columns p;
    int64_t channels = args->x.shape[args->x.ndim - 1];
    if (!plan(&p, args->x.dtype, 1, rows_of(&args->x), channels))
        return false;
    p.x = ursa_cpu_data(&args->x);
    p.out = ursa_cpu_data(&args->out);
    p.residual = ursa_cpu_data(&args->residual);
    p.end = end_of(&args->activation);
    const float *scale = ursa_cpu_f32(&args->scale), *shift = ursa_cpu_f32(&args->shift);
    float *running_mean = ursa_cpu_f32(&args->running_mean), *running_var = ursa_cpu_f32(&args->running_var);
    if (args->training) {
        forward_job job = {.columns = &p,
                           .scale = scale,
                           .shift = shift,
                           .known_mean = ursa_cpu_f32(&args->batch_mean),
                           .known_var = ursa_cpu_f32(&args->batch_var),
                           .mean = ursa_cpu_f32(&args->mean),
                           .inv_std = ursa_cpu_f32(&args->inv_std),
                           .running_mean = running_mean,
                           .running_var = running_var,
                           .momentum = (double)args->momentum,
                           .eps = (double)args->eps,
                           .groups = channels};
        return normalise(&p, &job);
    }
    for (int64_t c = 0; c < channels; c++) {
        float inv_std = (float)(1.0 / sqrt((double)running_var[c] + (double)args->eps));
        set_forward(&p, 0, c, c + 1, running_mean[c], inv_std, scale, shift);
    }
    widen(&p, 0);
    return for_blocks(&p, apply_block);
}

bool ursa_cpu_channel_moments(const ursa_array *x, float *mean, float *var)
{
    columns p;
    if (!plan(&p, x->dtype, 1, rows_of(x), x->shape[x->ndim - 1]))
        return false;
    p.x = ursa_cpu_data(x);
    struct ursa_moments found = moments_of(&p, 0);
    return for_blocks(&p, moments_block) && ursa_moments_finish(&found, mean, var);
}

/* ---- gradient ----------------------------------------------------------- */

typedef struct grad_job {
    const columns *columns;
    const float *scale, *shift;
    const float *mean, *inv_std; /* [batches, groups] */
    bool training;
    int64_t groups;
} grad_job;

static void set_means(void *context, int64_t batch)
{
    const grad_job *job = context;
    const columns *p = job->columns;
    int64_t width = p->channels / job->groups;
    for (int64_t c = 0; c < p->channels; c++) {
        int64_t group = batch * job->groups + c / width;
        coefficient(p, batch, MEAN)[c] = job->mean[group];
        coefficient(p, batch, A_OF_Y)[c] = factor_of(job->inv_std[group], job->scale, c);
        coefficient(p, batch, B_OF_Y)[c] = job->shift ? job->shift[c] : 0.0f;
        for (int which = A; which <= C; which++)
            coefficient(p, batch, which)[c] = 0.0f;
    }
    widen(p, batch);
}

/* With g = dy scale, h = (x - mean) inv_std and averages over the group:
 * dx = inv_std (g - avg g - h avg(g h)), as a dy + b (x - mean) + c. The first
 * part of the batch then holds its share of dshift and dscale. */
static void solve_grad(void *context, int64_t batch)
{
    const grad_job *job = context;
    const columns *p = job->columns;
    int64_t width = p->channels / job->groups;
    double *sum = ursa_scratch(2, 2 * (size_t)p->channels * sizeof(double)), *product = sum + p->channels;
    if (!sum)
        return;
    merge_sums(p, batch, sum, product);
    for (int64_t g = 0; g < job->groups; g++) {
        double inv_std = (double)job->inv_std[batch * job->groups + g], size = (double)(p->rows * width);
        double average = 0, slope = 0;
        for (int64_t c = g * width; job->training && c < (g + 1) * width; c++) {
            average += or_one(job->scale, c) * sum[c] / size;
            slope += or_one(job->scale, c) * product[c] * inv_std / size;
        }
        for (int64_t c = g * width; c < (g + 1) * width; c++) {
            coefficient(p, batch, A)[c] = (float)(inv_std * or_one(job->scale, c));
            coefficient(p, batch, B)[c] = (float)(-inv_std * inv_std * slope);
            coefficient(p, batch, C)[c] = (float)(-inv_std * average);
            product[c] *= inv_std;
        }
    }
    widen(p, batch);
    for (int64_t c = 0; p->parts && c < p->channels; c++) {
        p->first[batch * p->parts * p->channels + c] = (float)sum[c];
        p->second[batch * p->parts * p->channels + c] = (float)product[c];
    }
}

/* out[c] = Σ over batches of what stands `stride` apart. */
static void add_up(const float *shares, int64_t batches, int64_t stride, int64_t channels, float *out)
{
    for (int64_t c = 0; out && c < channels; c++) {
        double sum = 0;
        for (int64_t n = 0; n < batches; n++)
            sum += (double)shares[n * stride + c];
        out[c] = (float)sum;
    }
}

static bool gradient(const columns *p, grad_job *job, float *dscale, float *dshift)
{
    if (!ursa_parallel(p->batches, set_means, job) || !for_blocks(p, grad_sums_block) ||
        !ursa_parallel(p->batches, solve_grad, job))
        return false;
    int64_t batches = p->parts ? p->batches : 0;
    add_up(p->first, batches, p->parts * p->channels, p->channels, dshift);
    add_up(p->second, batches, p->parts * p->channels, p->channels, dscale);
    return !p->out || for_blocks(p, grad_apply_block);
}

bool ursa_cpu_batch_norm_grad(ursa_device *device, const struct ursa_batch_norm_grad_args *args)
{
    (void)device;
    columns p;
    int64_t channels = args->x.shape[args->x.ndim - 1];
    if (!plan(&p, args->x.dtype, 1, rows_of(&args->x), channels))
        return false;
    p.x = ursa_cpu_data(&args->x);
    p.dy = ursa_cpu_data(&args->dy);
    p.out = ursa_cpu_data(&args->dx);
    p.y = ursa_cpu_data(&args->y);
    p.passed = ursa_cpu_data(&args->dresidual);
    p.end = end_of(&args->activation);
    grad_job job = {.columns = &p,
                    .scale = ursa_cpu_f32(&args->scale),
                    .shift = ursa_cpu_f32(&args->shift),
                    .mean = ursa_cpu_f32(&args->mean),
                    .inv_std = ursa_cpu_f32(&args->inv_std),
                    .training = args->training,
                    .groups = channels};
    return gradient(&p, &job, ursa_cpu_f32(&args->dscale), ursa_cpu_f32(&args->dshift));
}

/* ---- groups of a single row --------------------------------------------- */

typedef struct layer_job {
    const struct ursa_norm_kernels *simd;
    int64_t size; /* bytes of an element */
    const char *x, *dy;
    const float *scale, *shift;
    float eps;
    float *mean, *inv_std;
    char *out;
    int64_t rows, channels, groups, chunk;
    float *shares; /* [chunks, 2, channels]: of dscale and dshift */
} layer_job;

/* `values`, or as many times `otherwise` in scratch memory. */
static const float *or_all(const float *values, float otherwise, int64_t count, int slot)
{
    if (values)
        return values;
    float *all = ursa_scratch(slot, (size_t)count * sizeof *all);
    for (int64_t i = 0; all && i < count; i++)
        all[i] = otherwise;
    return all;
}

/* At least 64 rows, so that the sums by channel are little beside them. */
static int64_t layer_chunk(int64_t channels)
{
    int64_t rows = CHUNK / at_least_one(channels);
    return rows > 64 ? rows : 64;
}

static void layer_range(void *context, int64_t begin, int64_t end)
{
    const layer_job *job = context;
    int64_t at = begin * job->channels * job->size, group = begin * job->groups;
    job->simd->layer(job->x + at, end - begin, job->groups, job->channels / job->groups, job->scale, job->shift,
                     job->eps, job->out + at, job->mean + group, job->inv_std + group);
}

static bool layer_norm(const struct ursa_group_norm_args *args)
{
    int64_t rows = args->x.shape[0], channels = args->x.shape[2];
    layer_job job = {.simd = &ursa_cpu_simd()->norm->of[args->x.dtype],
                     .size = (int64_t)ursa_dtype_size(args->x.dtype),
                     .x = ursa_cpu_data(&args->x),
                     .scale = or_all(ursa_cpu_f32(&args->scale), 1.0f, channels, 0),
                     .shift = or_all(ursa_cpu_f32(&args->shift), 0.0f, channels, 1),
                     .eps = args->eps,
                     .mean = ursa_cpu_f32(&args->mean),
                     .inv_std = ursa_cpu_f32(&args->inv_std),
                     .out = ursa_cpu_data(&args->out),
                     .channels = channels,
                     .groups = args->groups};
    if (!job.scale || !job.shift)
        return false;
    return ursa_parallel_range(rows, at_least_one(CHUNK / at_least_one(channels)), layer_range, &job);
}

static void layer_grad_chunk(void *context, int64_t index)
{
    const layer_job *job = context;
    int64_t begin = index * job->chunk, end = begin + job->chunk < job->rows ? begin + job->chunk : job->rows;
    int64_t at = begin * job->channels * job->size, group = begin * job->groups;
    float *dscale = job->shares + index * 2 * job->channels, *dshift = dscale + job->channels;
    memset(dscale, 0, 2 * (size_t)job->channels * sizeof *dscale);
    job->simd->layer_grad(job->x + at, job->dy + at, end - begin, job->groups, job->channels / job->groups, job->scale,
                          job->mean + group, job->inv_std + group, job->out + at, dscale, dshift);
}

static bool layer_norm_grad(const struct ursa_group_norm_grad_args *args)
{
    int64_t rows = args->x.shape[0], channels = args->x.shape[2], chunk = layer_chunk(channels);
    int64_t chunks = (rows + chunk - 1) / chunk;
    layer_job job = {.simd = &ursa_cpu_simd()->norm->of[args->x.dtype],
                     .size = (int64_t)ursa_dtype_size(args->x.dtype),
                     .x = ursa_cpu_data(&args->x),
                     .dy = ursa_cpu_data(&args->dy),
                     .scale = or_all(ursa_cpu_f32(&args->scale), 1.0f, channels, 0),
                     .mean = ursa_cpu_f32(&args->mean),
                     .inv_std = ursa_cpu_f32(&args->inv_std),
                     .out = ursa_cpu_data(&args->dx),
                     .rows = rows,
                     .channels = channels,
                     .groups = args->groups,
                     .chunk = chunk,
                     .shares = ursa_scratch(1, (size_t)(chunks * 2 * channels + 1) * sizeof(float))};
    if (!job.scale || !job.shares || !ursa_parallel(chunks, layer_grad_chunk, &job))
        return false;
    add_up(job.shares, chunks, 2 * channels, channels, ursa_cpu_f32(&args->dscale));
    add_up(job.shares + channels, chunks, 2 * channels, channels, ursa_cpu_f32(&args->dshift));
    return true;
}

bool ursa_cpu_group_norm(ursa_device *device, const struct ursa_group_norm_args *args)
{
    (void)device;
    if (args->x.shape[1] == 1)
        return layer_norm(args);
    columns p;
    if (!plan(&p, args->x.dtype, args->x.shape[0], args->x.shape[1], args->x.shape[2]))
        return false;
    p.x = ursa_cpu_data(&args->x);
    p.out = ursa_cpu_data(&args->out);
    forward_job job = {.columns = &p,
                       .scale = ursa_cpu_f32(&args->scale),
                       .shift = ursa_cpu_f32(&args->shift),
                       .mean = ursa_cpu_f32(&args->mean),
                       .inv_std = ursa_cpu_f32(&args->inv_std),
                       .eps = (double)args->eps,
                       .groups = args->groups};
    return normalise(&p, &job);
}

bool ursa_cpu_group_norm_grad(ursa_device *device, const struct ursa_group_norm_grad_args *args)
{
    (void)device;
    if (args->x.shape[1] == 1)
        return layer_norm_grad(args);
    columns p;
    if (!plan(&p, args->x.dtype, args->x.shape[0], args->x.shape[1], args->x.shape[2]))
        return false;
    p.x = ursa_cpu_data(&args->x);
    p.dy = ursa_cpu_data(&args->dy);
    p.out = ursa_cpu_data(&args->dx);
    grad_job job = {.columns = &p,
                    .scale = ursa_cpu_f32(&args->scale),
                    .mean = ursa_cpu_f32(&args->mean),
                    .inv_std = ursa_cpu_f32(&args->inv_std),
                    .training = true,
                    .groups = args->groups};
    return gradient(&p, &job, ursa_cpu_f32(&args->dscale), ursa_cpu_f32(&args->dshift));
}
