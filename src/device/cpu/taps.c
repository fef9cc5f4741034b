/* taps.c — tables of weighted positions, and images resampled by them. */
#include "taps.h"
#include "cpu.h"
#include "base/memory.h"
#include "base/parallel.h"
#include <math.h>
#include <stdlib.h>

/* ---- tables ------------------------------------------------------------- */

/* A table of `count` taps, to be filled through these. */
typedef struct filler {
    struct ursa_tap_table table;
    int32_t *begin, *index;
    float *weight;
    int32_t used;
} filler;

static filler new_table(int64_t outputs, int64_t inputs, int64_t count)
{
    filler f = {.table = {.outputs = outputs, .inputs = inputs}};
    f.begin = ursa_alloc_array((size_t)(outputs + 1 + 2 * count), sizeof(int32_t));
    if (!f.begin)
        return f;
    f.index = f.begin + outputs + 1;
    f.weight = (float *)(void *)(f.index + count);
    f.table.memory = f.begin;
    f.table.taps = (struct ursa_taps){f.begin, f.index, f.weight};
    return f;
}

/* Adds a tap to the output that is being filled; ends it. */
static void add_tap(filler *f, int64_t index, double weight)
{
    f->index[f->used] = (int32_t)index;
    f->weight[f->used++] = (float)weight;
}
static void end_output(filler *f, int64_t output)
{
    f->begin[output + 1] = f->used;
}

struct ursa_window ursa_pool_window(const ursa_pool_geometry *geometry, int axis, int64_t o, int64_t outputs,
                                    int64_t extent)
{
    int64_t begin = ursa_pool_first(geometry, axis, o, extent, outputs);
    int64_t end = geometry->adaptive ? ((o + 1) * extent + outputs - 1) / outputs : begin + geometry->window[axis];
    /* A window that sticks out of the padding counts up to its end only. */
    int64_t padded = extent + (geometry->adaptive ? 0 : geometry->pad[axis]);
    int64_t counted = (end < padded ? end : padded) - begin;
    begin = begin > 0 ? begin : 0;
    end = end < extent ? end : extent;
    if (geometry->adaptive || !geometry->count_pad)
        counted = end - begin;
    return (struct ursa_window){{(int32_t)begin, (int32_t)end}, (int32_t)counted};
}

struct ursa_tap_table ursa_taps_average(const ursa_pool_geometry *geometry, int axis, int64_t outputs, int64_t inputs)
{
    int64_t count = 0;
    for (int64_t o = 0; o < outputs; o++) {
        struct ursa_span span = ursa_pool_window(geometry, axis, o, outputs, inputs).span;
        count += span.end > span.begin ? span.end - span.begin : 0;
    }
    filler f = new_table(outputs, inputs, count);
    for (int64_t o = 0; f.table.memory && o < outputs; o++) {
        struct ursa_window window = ursa_pool_window(geometry, axis, o, outputs, inputs);
        for (int64_t i = window.span.begin; i < window.span.end; i++)
            add_tap(&f, i, 1.0 / window.counted);
        end_output(&f, o);
    }
    return f.table;
}

/* Keys' cubic kernel with a = -3/4 ("Cubic convolution interpolation for
 * digital image processing", 1981). */
static double cubic(double distance)
{
    const double a = -0.75;
    double d = fabs(distance);
    if (d <= 1)
        return ((a + 2) * d - (a + 3)) * d * d + 1;
    if (d < 2)
        return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
    return 0;
}

static int64_t limited(int64_t i, int64_t extent)
{
    return i < 0 ? 0 : i < extent ? i : extent - 1;
}

static double source_position(int64_t o, int64_t outputs, int64_t inputs, bool align_corners)
{
    if (align_corners)
        return outputs > 1 ? (double)(o * (inputs - 1)) / (double)(outputs - 1) : 0.0;
    return ((double)o + 0.5) * (double)inputs / (double)outputs - 0.5;
}

static void add_resize_taps(filler *f, ursa_resize_kind kind, double position)
{
    int64_t inputs = f->table.inputs, first = (int64_t)floor(position);
    double part = position - (double)first;
    if (kind == URSA_RESIZE_BILINEAR) {
        add_tap(f, limited(first, inputs), 1.0 - part);
        add_tap(f, limited(first + 1, inputs), part);
        return;
    }
    for (int k = -1; k <= 2; k++)
        add_tap(f, limited(first + k, inputs), cubic(part - k));
}

struct ursa_tap_table ursa_taps_resize(ursa_resize_kind kind, bool align_corners, int64_t outputs, int64_t inputs)
{
    int64_t each = kind == URSA_RESIZE_NEAREST ? 1 : kind == URSA_RESIZE_BILINEAR ? 2 : 4;
    filler f = new_table(outputs, inputs, each * outputs);
    for (int64_t o = 0; f.table.memory && o < outputs; o++) {
        double position = source_position(o, outputs, inputs, align_corners);
        if (kind == URSA_RESIZE_NEAREST)
            add_tap(&f, o * inputs / outputs, 1.0);
        else
            add_resize_taps(&f, kind, kind == URSA_RESIZE_BILINEAR && position < 0.0 ? 0.0 : position);
        end_output(&f, o);
    }
    return f.table;
}

int64_t ursa_pad_source(ursa_pad_kind kind, int64_t position, int64_t extent)
{
    if (position >= 0 && position < extent)
        return position;
    if (kind == URSA_PAD_CONSTANT)
        return -1;
    if (kind == URSA_PAD_REPLICATE)
        return limited(position, extent);
    return position < 0 ? -position : 2 * (extent - 1) - position;
}

struct ursa_tap_table ursa_taps_pad(ursa_pad_kind kind, int64_t before, int64_t outputs, int64_t inputs)
{
    filler f = new_table(outputs, inputs, outputs);
    for (int64_t o = 0; f.table.memory && o < outputs; o++) {
        add_tap(&f, ursa_pad_source(kind, o - before, inputs), 1.0);
        end_output(&f, o);
    }
    return f.table;
}

struct ursa_tap_table ursa_taps_transpose(const struct ursa_tap_table *table)
{
    const struct ursa_taps *t = &table->taps;
    if (!table->memory)
        return (struct ursa_tap_table){0};
    int32_t count = t->begin[table->outputs];
    filler f = new_table(table->inputs, table->outputs, count);
    if (!f.table.memory)
        return f.table;
    /* Counts, then places: begin[i + 1] runs from where i begins to where it ends. */
    for (int32_t k = 0; k < count; k++)
        f.begin[t->index[k] + 1]++;
    for (int64_t i = 0; i < table->inputs; i++)
        f.begin[i + 1] += f.begin[i];
    for (int64_t i = table->inputs; i > 0; i--)
        f.begin[i] = f.begin[i - 1];
    for (int64_t o = 0; o < table->outputs; o++)
        for (int32_t k = t->begin[o]; k < t->begin[o + 1]; k++) {
            int32_t at = f.begin[t->index[k] + 1]++;
            f.index[at] = (int32_t)o;
            f.weight[at] = t->weight[k];
        }
    return f.table;
}

/* ---- images ------------------------------------------------------------- */

#define GRAIN 16384 /* elements in a task */

typedef struct resample_job {
    const struct ursa_resample_kernels *simd;
    int64_t size; /* bytes of an element */
    const struct ursa_taps *rows, *columns;
    const char *x;
    char *out;
    int64_t h, w, c, out_h, out_w;
} resample_job;

static void resample_rows(void *context, int64_t begin, int64_t end)
{
    const resample_job *job = context;
    float *line = ursa_scratch(2, (size_t)(job->w * job->c + URSA_LINE_MARGIN) * sizeof *line);
    for (int64_t i = begin; line && i < end; i++) {
        const char *image = job->x + i / job->out_h * job->h * job->w * job->c * job->size;
        job->simd->row(image, job->w, job->c, job->rows, i % job->out_h, job->columns, job->out_w, line,
                       job->out + i * job->out_w * job->c * job->size);
    }
}

bool ursa_taps_apply(struct ursa_tap_table rows, struct ursa_tap_table columns, const ursa_array *x,
                     const ursa_array *out)
{
    resample_job job = {&ursa_cpu_simd()->resample->of[x->dtype],
                        (int64_t)ursa_dtype_size(x->dtype),
                        &rows.taps,
                        &columns.taps,
                        ursa_cpu_data(x),
                        ursa_cpu_data(out),
                        x->shape[1],
                        x->shape[2],
                        x->shape[3],
                        out->shape[1],
                        out->shape[2]};
    int64_t row = out->shape[2] * out->shape[3], larger = x->shape[1] * x->shape[2] / (out->shape[1] + 1) * x->shape[3];
    int64_t grain = GRAIN / (row + larger + 1);
    bool done = rows.memory && columns.memory &&
                ursa_parallel_range(out->shape[0] * out->shape[1], grain > 1 ? grain : 1, resample_rows, &job);
    free(rows.memory);
    free(columns.memory);
    return done;
}
