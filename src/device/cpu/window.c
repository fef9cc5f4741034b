/* window.c — pointers to the input pixels of a convolution. See window.h. */
#include "device/cpu/window.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

struct ursa_conv_shape ursa_conv_shape_of(const ursa_conv_geometry *geometry, const ursa_array *x, const ursa_array *w,
                                          const ursa_array *out)
{
    struct ursa_conv_shape shape = {
        .images = x->shape[0],
        .height = x->shape[1],
        .width = x->shape[2],
        .channels = x->shape[3],
        .out_height = out->shape[1],
        .out_width = out->shape[2],
        .out_channels = out->shape[3],
        .groups = geometry->groups,
        .group_in = w->shape[3],
        .group_out = out->shape[3] / geometry->groups,
        .x_type = x->dtype,
        .w_type = w->dtype,
        .out_type = out->dtype,
    };
    for (int axis = 0; axis < 2; axis++) {
        shape.kernel[axis] = w->shape[1 + axis];
        shape.stride[axis] = geometry->stride[axis];
        shape.pad[axis] = geometry->pad[axis];
        shape.dilation[axis] = geometry->dilation[axis];
    }
    return shape;
}

bool ursa_taps_new(struct ursa_taps *taps, const struct ursa_conv_shape *shape)
{
    size_t count = (size_t)(shape->kernel[0] * shape->kernel[1]);
    int64_t *memory = ursa_alloc_array(4 * count + 1, sizeof *memory);
    if (!memory)
        return false;
    *taps = (struct ursa_taps){memory, memory + count, memory + 2 * count, memory + 3 * count};
    return true;
}

void ursa_taps_free(struct ursa_taps *taps)
{
    free(taps->row);
}

static void extremes(const int64_t *values, int64_t count, int64_t *low, int64_t *high)
{
    for (int64_t i = 0; i < count; i++) {
        *low = i == 0 || values[i] < *low ? values[i] : *low;
        *high = i == 0 || values[i] > *high ? values[i] : *high;
    }
}

static void measure_taps(struct ursa_window *window)
{
    extremes(window->tap_row, window->taps, &window->tap_low[0], &window->tap_high[0]);
    extremes(window->tap_column, window->taps, &window->tap_low[1], &window->tap_high[1]);
    for (int64_t t = 0; t < window->taps; t++)
        window->tap_offset[t] = (window->tap_row[t] * window->width + window->tap_column[t]) * window->pitch;
}

struct ursa_window ursa_window_forward(const struct ursa_conv_shape *s, struct ursa_taps *taps, const void *x,
                                       void *out)
{
    int64_t count = s->kernel[0] * s->kernel[1];
    int64_t size = (int64_t)ursa_dtype_size(s->x_type), out_size = (int64_t)ursa_dtype_size(s->out_type);
    for (int64_t t = 0; t < count; t++) {
        taps->row[t] = t / s->kernel[1] * s->dilation[0] - s->pad[0];
        taps->column[t] = t % s->kernel[1] * s->dilation[1] - s->pad[1];
        taps->weight[t] = t * s->group_in;
    }
    struct ursa_window window = {
        .image = x,
        .images = s->images,
        .height = s->height,
        .width = s->width,
        .pitch = s->channels * size,
        .group_pitch = s->group_in * size,
        .grid = {s->out_height, s->out_width},
        .stride = {s->stride[0], s->stride[1]},
        .taps = count,
        .tap_row = taps->row,
        .tap_column = taps->column,
        .tap_offset = taps->offset,
        .out = out,
        .out_height = s->out_height,
        .out_width = s->out_width,
        .out_pitch = s->out_channels * out_size,
        .out_group_pitch = s->group_out * out_size,
        .out_step = {1, 1},
    };
    measure_taps(&window);
    return window;
}

static int64_t phase_taps(const struct ursa_conv_shape *s, struct ursa_taps *taps, int64_t first_row,
                          int64_t first_column)
{
    int64_t count = 0;
    for (int64_t t = 0; t < s->kernel[0] * s->kernel[1]; t++) {
        int64_t row = first_row + s->pad[0] - t / s->kernel[1] * s->dilation[0];
        int64_t column = first_column + s->pad[1] - t % s->kernel[1] * s->dilation[1];
        if (row % s->stride[0] || column % s->stride[1])
            continue;
        taps->row[count] = row / s->stride[0];
        taps->column[count] = column / s->stride[1];
        taps->weight[count] = t * s->group_in;
        count++;
    }
    return count;
}

int64_t ursa_window_phases(const struct ursa_conv_shape *s)
{
    int64_t rows = s->stride[0] < s->height ? s->stride[0] : s->height;
    return rows * (s->stride[1] < s->width ? s->stride[1] : s->width);
}

struct ursa_window ursa_window_phase(const struct ursa_conv_shape *s, struct ursa_taps *taps, int64_t phase,
                                     const void *dy, void *dx)
{
    int64_t size = (int64_t)ursa_dtype_size(s->out_type), out_size = (int64_t)ursa_dtype_size(s->x_type);
    int64_t columns = s->stride[1] < s->width ? s->stride[1] : s->width;
    int64_t row = phase / columns, column = phase % columns;
    struct ursa_window window = {
        .image = dy,
        .images = s->images,
        .height = s->out_height,
        .width = s->out_width,
        .pitch = s->out_channels * size,
        .group_pitch = s->group_out * size,
        .grid = {ursa_ceil_div(s->height - row, s->stride[0]), ursa_ceil_div(s->width - column, s->stride[1])},
        .stride = {1, 1},
        .taps = phase_taps(s, taps, row, column),
        .tap_row = taps->row,
        .tap_column = taps->column,
        .tap_offset = taps->offset,
        .out = dx,
        .out_height = s->height,
        .out_width = s->width,
        .out_pitch = s->channels * out_size,
        .out_group_pitch = s->group_in * out_size,
        .out_first = {row, column},
        .out_step = {s->stride[0], s->stride[1]},
    };
    measure_taps(&window);
    return window;
}

static void border_pixel(const struct ursa_window *w, const char *image, int64_t row, int64_t column, const void **tap)
{
    for (int64_t t = 0; t < w->taps; t++) {
        int64_t r = row + w->tap_row[t], c = column + w->tap_column[t];
        bool inside = r >= 0 && r < w->height && c >= 0 && c < w->width;
        tap[t] = inside ? image + (r * w->width + c) * w->pitch : w->zero;
    }
}

static void inner_pixel(const struct ursa_window *w, const char *pixel, const void **tap)
{
    for (int64_t t = 0; t < w->taps; t++)
        tap[t] = pixel + w->tap_offset[t];
}

void ursa_window_find(const void *context, int64_t group, int64_t begin, int64_t end, const void **tap, void **out)
{
    const struct ursa_window *w = context;
    int64_t i = begin % w->grid[1], j = begin / w->grid[1] % w->grid[0], n = begin / w->grid[1] / w->grid[0];
    for (int64_t at = begin; at < end; at++) {
        const char *image = w->image + (n * w->height - w->top) * w->width * w->pitch + group * w->group_pitch;
        int64_t row = j * w->stride[0], column = i * w->stride[1];
        bool inner = row + w->tap_low[0] >= 0 && row + w->tap_high[0] < w->height && column + w->tap_low[1] >= 0 &&
                     column + w->tap_high[1] < w->width;
        if (w->taps > 0 && inner)
            inner_pixel(w, image + (row * w->width + column) * w->pitch, tap);
        else
            border_pixel(w, image, row, column, tap);
        tap += w->taps;
        int64_t out_row = w->out_first[0] + j * w->out_step[0], out_column = w->out_first[1] + i * w->out_step[1];
        *out++ = w->out + ((n * w->out_height + out_row) * w->out_width + out_column) * w->out_pitch +
                 group * w->out_group_pitch;
        if (++i == w->grid[1]) {
            i = 0;
            if (++j == w->grid[0]) {
                j = 0;
                n++;
            }
        }
    }
}

/* Pixels of the group from column begin to end-1. */
static void clear_pixels(const struct ursa_window *w, char *row, int64_t begin, int64_t end)
{
    if (w->out_group_pitch == w->out_pitch)
        memset(row + begin * w->out_pitch, 0, (size_t)((end - begin) * w->out_pitch));
    else
        for (int64_t column = begin; column < end; column++)
            memset(row + column * w->out_pitch, 0, (size_t)w->out_group_pitch);
}

/* What is nearer to pixel (j, i) of the grid than to those behind it; the last have the rest. */
static void clear_around(const struct ursa_window *w, char *image, int64_t j, int64_t i)
{
    int64_t row = j * w->out_step[0], row_end = j == w->grid[0] - 1 ? w->out_height : row + w->out_step[0];
    int64_t column = i * w->out_step[1], column_end = i == w->grid[1] - 1 ? w->out_width : column + w->out_step[1];
    int64_t out_row = row + w->out_first[0], out_column = column + w->out_first[1];
    for (; row < row_end; row++) {
        char *to = image + row * w->out_width * w->out_pitch;
        clear_pixels(w, to, column, row == out_row ? out_column : column_end);
        if (row == out_row)
            clear_pixels(w, to, out_column + 1, column_end);
    }
}

void ursa_window_clear(const void *context, int64_t group, int64_t begin, int64_t end)
{
    const struct ursa_window *w = context;
    for (int64_t at = begin; at < end; at++) {
        int64_t i = at % w->grid[1], j = at / w->grid[1] % w->grid[0], n = at / w->grid[1] / w->grid[0];
        char *image = w->out + n * w->out_height * w->out_width * w->out_pitch;
        clear_around(w, image + group * w->out_group_pitch, j, i);
    }
}
