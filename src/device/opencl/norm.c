/* norm.c — batch and group normalisation and their gradients. */
#include "device/opencl/moments.h"
#include "device/opencl/tile.h"

/* Sums over rows are taken in chunks of at least CHUNK_ROWS, at most
 * CHUNKS of them. */
#define CHUNK_ROWS 64
#define CHUNKS     1024

/* Work items of a group that joins chunks, or normalises. */
#define JOIN_ITEMS 64
#define NORM_ITEMS 256

/* The rows × channels that statistics per channel are made from. */
struct matrix {
    cl_int rows, channels, vectors;
    cl_int chunk, chunks;
    int lanes;
};

static struct matrix matrix_of(const ursa_array *x, int lanes)
{
    struct matrix m = {.channels = (cl_int)x->shape[x->ndim - 1]};
    m.rows = m.channels > 0 ? (cl_int)(ursa_array_count(x) / m.channels) : 0;
    m.lanes = lanes;
    m.vectors = m.channels / m.lanes;
    m.chunk = (cl_int)ursa_cl_tiles(m.rows, CHUNKS);
    m.chunk = m.chunk > CHUNK_ROWS ? m.chunk : CHUNK_ROWS;
    m.chunks = (cl_int)ursa_cl_tiles(m.rows, m.chunk);
    return m;
}

static size_t group_size(const struct ursa_cl_kernel *kernel, size_t wanted, int64_t count)
{
    size_t size = ursa_cl_group_size(kernel, wanted);
    while (size > 8 && (int64_t)size / 2 >= count)
        size /= 2;
    return size;
}

static int64_t channels_of(const ursa_array *x)
{
    return x->shape[x->ndim - 1];
}

/* ---- batch normalisation --------------------------------------------------- */

bool ursa_cl_new_moments(struct ursa_cl_device *device, struct ursa_cl_moments *parts)
{
    parts->sums = ursa_buffer_new(&device->base, URSA_F32, 2 * (int64_t)parts->parts * parts->channels);
    return parts->sums;
}

bool ursa_cl_join_moments(struct ursa_cl_device *device, const struct ursa_cl_moments *parts, const ursa_array *mean,
                          const ursa_array *var)
{
    struct ursa_cl_kernel *kernel = ursa_cl_kernel(device, "norm", "moments_join", "-DT=f32 -DLANES=1");
    size_t size = group_size(kernel, JOIN_ITEMS, parts->parts);
    return ursa_cl_launch(device, kernel, ursa_cl_groups(parts->channels, size), ursa_cl_buffer(parts->sums),
                          ursa_cl_array(mean), ursa_cl_array(var), ursa_cl_local(size * 3 * sizeof(cl_float)),
                          ursa_cl_int(parts->rows), ursa_cl_int(parts->channels), ursa_cl_int(parts->part_rows),
                          ursa_cl_int(parts->parts));
}

static bool channel_moments(struct ursa_cl_device *device, const ursa_array *x, const struct matrix *m,
                            const ursa_array *mean, const ursa_array *var)
{
    struct ursa_cl_moments parts = {
        .rows = m->rows, .channels = m->channels, .part_rows = m->chunk, .parts = m->chunks};
    struct ursa_cl_kernel *kernel =
        ursa_cl_kernel(device, "norm", "moments_part", "-DT=%s -DLANES=%d", ursa_cl_type(x->dtype), m->lanes);
    bool ok = ursa_cl_new_moments(device, &parts) &&
              ursa_cl_launch(device, kernel, ursa_cl_items(device, (int64_t)m->chunks * m->vectors), ursa_cl_array(x),
                             ursa_cl_buffer(parts.sums), ursa_cl_int(m->rows), ursa_cl_int(m->vectors),
                             ursa_cl_int(m->chunk), ursa_cl_int(m->chunks)) &&
              ursa_cl_join_moments(device, &parts, mean, var);
    ursa_buffer_release(parts.sums);
    return ok;
}

bool ursa_cl_channel_moments(struct ursa_cl_device *device, const ursa_array *x, const ursa_array *mean,
                             const ursa_array *var)
{
    struct matrix m = matrix_of(x, ursa_cl_lanes(device, channels_of(x), x));
    return channel_moments(device, x, &m, mean, var);
}

static const char *activation_of(const ursa_activation *activation)
{
    if (!activation || !activation->used)
        return "";
    return activation->kind == URSA_UNARY_relu6 ? "-DRELU -DRELU6" : "-DRELU";
}

static bool normalise(struct ursa_cl_device *device, const struct ursa_batch_norm_args *args, const struct matrix *m,
                      const ursa_array *mean, const ursa_array *var)
{
    static const ursa_array absent;
    struct ursa_cl_kernel *kernel =
        ursa_cl_kernel(device, "norm", "normalise", "-DT=%s -DLANES=%d %s %s", ursa_cl_type(args->x.dtype), m->lanes,
                       args->training ? "-DTRAINING" : "", activation_of(&args->activation));
    const ursa_array *running_mean = args->training ? &args->running_mean : &absent;
    const ursa_array *running_var = args->training ? &args->running_var : &absent;
    return ursa_cl_launch(device, kernel, ursa_cl_items(device, (int64_t)m->rows * m->vectors), ursa_cl_array(&args->x),
                          ursa_cl_array(&args->scale), ursa_cl_array(&args->shift), ursa_cl_array(mean),
                          ursa_cl_array(var), ursa_cl_array(&args->residual), ursa_cl_array(&args->out),
                          ursa_cl_array(&args->mean), ursa_cl_array(&args->inv_std), ursa_cl_array(running_mean),
                          ursa_cl_array(running_var), ursa_cl_int(m->rows), ursa_cl_int(m->vectors),
                          ursa_cl_float(args->momentum), ursa_cl_float(args->eps));
}

bool ursa_opencl_batch_norm(ursa_device *base, const struct ursa_batch_norm_args *args)
{
    struct ursa_cl_device *device = ursa_cl_device(base);
    if (ursa_cl_count("batch_norm", &args->x) < 0)
        return false;
    int lanes = ursa_cl_lanes(device, channels_of(&args->x), &args->x, &args->residual, &args->out, &args->scale,
                              &args->shift, &args->batch_mean, &args->batch_var, &args->mean, &args->inv_std,
                              &args->running_mean, &args->running_var);
    struct matrix m = matrix_of(&args->x, lanes);
    if (!args->training)
        return normalise(device, args, &m, &args->running_mean, &args->running_var);
    if (args->batch_mean.buffer)
        return normalise(device, args, &m, &args->batch_mean, &args->batch_var);
    ursa_array mean = {.ndim = 1, .shape = {m.channels}, .stride = {1}}, var = mean;
    ursa_buffer *statistics = ursa_buffer_new(base, URSA_F32, 2 * (int64_t)m.channels);
    mean.buffer = var.buffer = statistics;
    var.offset = m.channels;
    bool ok =
        statistics && channel_moments(device, &args->x, &m, &mean, &var) && normalise(device, args, &m, &mean, &var);
    ursa_buffer_release(statistics);
    return ok;
}

/* ---- gradients to scale and shift, of both kinds --------------------------- */

struct column_sums {
    const ursa_array *x, *dy, *mean, *inv_std, *dscale, *dshift;
    const ursa_array *y, *scale, *shift; /* what the activation is found from */
    const ursa_activation *activation;   /* may be NULL */
    int span, groups;                    /* rows and groups of a sample; groups 0: statistics are per channel */
};

/* Σ dy and Σ dy x̂ of every channel, into `sums` [2, channels] and where they
 * are wanted. */
static bool column_sums(struct ursa_cl_device *device, const struct column_sums *s, const struct matrix *m,
                        const ursa_buffer *sums)
{
    ursa_buffer *parts = ursa_buffer_new(&device->base, URSA_F32, 2 * (int64_t)m->chunks * m->channels);
    struct ursa_cl_kernel *part =
        ursa_cl_kernel(device, "norm", "norm_grad_part", "-DT=%s -DLANES=%d %s %s", ursa_cl_type(s->x->dtype), m->lanes,
                       s->groups ? "-DGROUPS" : "", activation_of(s->activation));
    struct ursa_cl_kernel *join = ursa_cl_kernel(device, "norm", "norm_grad_join", "-DT=f32 -DLANES=1");
    size_t size = group_size(join, JOIN_ITEMS, m->chunks);
    bool ok =
        parts &&
        ursa_cl_launch(device, part, ursa_cl_items(device, (int64_t)m->chunks * m->vectors), ursa_cl_array(s->x),
                       ursa_cl_array(s->dy), ursa_cl_array(s->y), ursa_cl_array(s->scale), ursa_cl_array(s->shift),
                       ursa_cl_array(s->mean), ursa_cl_array(s->inv_std), ursa_cl_buffer(parts), ursa_cl_int(m->rows),
                       ursa_cl_int(m->vectors), ursa_cl_int(m->chunk), ursa_cl_int(m->chunks), ursa_cl_int(s->span),
                       ursa_cl_int(s->groups)) &&
        ursa_cl_launch(device, join, ursa_cl_groups(m->channels, size), ursa_cl_buffer(parts), ursa_cl_buffer(sums),
                       ursa_cl_array(s->dscale), ursa_cl_array(s->dshift), ursa_cl_local(size * sizeof(cl_float)),
                       ursa_cl_int(m->channels), ursa_cl_int(m->chunks));
    ursa_buffer_release(parts);
    return ok;
}

bool ursa_opencl_batch_norm_grad(ursa_device *base, const struct ursa_batch_norm_grad_args *args)
{
    struct ursa_cl_device *device = ursa_cl_device(base);
    if (ursa_cl_count("batch_norm_grad", &args->x) < 0)
        return false;
    int lanes = ursa_cl_lanes(device, channels_of(&args->x), &args->x, &args->dy, &args->y, &args->dx, &args->dresidual,
                              &args->scale, &args->shift, &args->mean, &args->inv_std);
    struct matrix m = matrix_of(&args->x, lanes);
    struct column_sums s = {.x = &args->x,
                            .dy = &args->dy,
                            .mean = &args->mean,
                            .inv_std = &args->inv_std,
                            .dscale = &args->dscale,
                            .dshift = &args->dshift,
                            .y = &args->y,
                            .scale = &args->scale,
                            .shift = &args->shift,
                            .activation = &args->activation};
    ursa_buffer *sums = ursa_buffer_new(base, URSA_F32, 2 * (int64_t)m.channels);
    bool ok = sums && column_sums(device, &s, &m, sums);
    if (ok && (args->dx.buffer || args->dresidual.buffer)) {
        struct ursa_cl_kernel *kernel =
            ursa_cl_kernel(device, "norm", "batch_norm_grad", "-DT=%s -DLANES=%d %s %s", ursa_cl_type(args->x.dtype),
                           m.lanes, args->training ? "-DTRAINING" : "", activation_of(&args->activation));
        ok = ursa_cl_launch(device, kernel, ursa_cl_items(device, (int64_t)m.rows * m.vectors), ursa_cl_array(&args->x),
                            ursa_cl_array(&args->dy), ursa_cl_array(&args->y), ursa_cl_array(&args->scale),
                            ursa_cl_array(&args->shift), ursa_cl_array(&args->mean), ursa_cl_array(&args->inv_std),
                            ursa_cl_buffer(sums), ursa_cl_array(&args->dx), ursa_cl_array(&args->dresidual),
                            ursa_cl_int(m.rows), ursa_cl_int(m.vectors));
    }
    ursa_buffer_release(sums);
    return ok;
}

/* ---- group normalisation ----------------------------------------------------- */

bool ursa_opencl_group_norm(ursa_device *base, const struct ursa_group_norm_args *args)
{
    struct ursa_cl_device *device = ursa_cl_device(base);
    if (ursa_cl_count("group_norm", &args->x) < 0)
        return false;
    cl_int rows = (cl_int)args->x.shape[1], channels = (cl_int)args->x.shape[2], width = channels / args->groups;
    struct ursa_cl_kernel *kernel =
        ursa_cl_kernel(device, "norm", "group_norm", "-DT=%s -DLANES=1", ursa_cl_type(args->x.dtype));
    size_t size = group_size(kernel, NORM_ITEMS, (int64_t)rows * width);
    int64_t groups = rows > 0 && width > 0 ? args->x.shape[0] * args->groups : 0;
    return ursa_cl_launch(device, kernel, ursa_cl_groups(groups, size), ursa_cl_array(&args->x),
                          ursa_cl_array(&args->scale), ursa_cl_array(&args->shift), ursa_cl_array(&args->out),
                          ursa_cl_array(&args->mean), ursa_cl_array(&args->inv_std),
                          ursa_cl_local(size * sizeof(cl_float)), ursa_cl_int(rows), ursa_cl_int(channels),
                          ursa_cl_int(width), ursa_cl_float(args->eps));
}

static bool group_norm_dx(struct ursa_cl_device *device, const struct ursa_group_norm_grad_args *args)
{
    cl_int rows = (cl_int)args->x.shape[1], channels = (cl_int)args->x.shape[2], width = channels / args->groups;
    struct ursa_cl_kernel *kernel =
        ursa_cl_kernel(device, "norm", "group_norm_grad", "-DT=%s -DLANES=1", ursa_cl_type(args->x.dtype));
    size_t size = group_size(kernel, NORM_ITEMS, (int64_t)rows * width);
    int64_t groups = rows > 0 && width > 0 ? args->x.shape[0] * args->groups : 0;
    return ursa_cl_launch(device, kernel, ursa_cl_groups(groups, size), ursa_cl_array(&args->x),
                          ursa_cl_array(&args->dy), ursa_cl_array(&args->scale), ursa_cl_array(&args->mean),
                          ursa_cl_array(&args->inv_std), ursa_cl_array(&args->dx),
                          ursa_cl_local(size * sizeof(cl_float)), ursa_cl_int(rows), ursa_cl_int(channels),
                          ursa_cl_int(width));
}

bool ursa_opencl_group_norm_grad(ursa_device *base, const struct ursa_group_norm_grad_args *args)
{
    struct ursa_cl_device *device = ursa_cl_device(base);
    if (ursa_cl_count("group_norm_grad", &args->x) < 0)
        return false;
    if (args->dx.buffer && !group_norm_dx(device, args))
        return false;
    if (!args->dscale.buffer && !args->dshift.buffer)
        return true;
    static const ursa_array none;
    struct matrix m = matrix_of(&args->x, 1);
    struct column_sums s = {.x = &args->x,
                            .dy = &args->dy,
                            .mean = &args->mean,
                            .inv_std = &args->inv_std,
                            .dscale = &args->dscale,
                            .dshift = &args->dshift,
                            .y = &none,
                            .scale = &none,
                            .shift = &none,
                            .span = (int)args->x.shape[1],
                            .groups = args->groups};
    ursa_buffer *sums = ursa_buffer_new(base, URSA_F32, 2 * (int64_t)m.channels);
    bool ok = sums && column_sums(device, &s, &m, sums);
    ursa_buffer_release(sums);
    return ok;
}
