/* resample.c — images at other sizes: two passes of weighted sums, down and then
 * along each row, on the kernels of simd/. */
#include "resample.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "device/cpu/cpu.h"
#include "simd/resample.h"
#include "simd/simd.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool check(const struct ursa_box *box, int rows, int columns)
{
    return (rows > 0 && columns > 0 && box->right > box->left && box->bottom > box->top) ||
           ursa_fail(URSA_ERROR_ARGUMENT, "resize: %g × %g to %d × %d pixels; all must be more than 0",
                     box->right - box->left, box->bottom - box->top, columns, rows);
}

static bool make(int rows, int columns, int channels, ursa_image *out)
{
    *out = (ursa_image){rows, columns, channels, NULL};
    out->pixels = ursa_alloc_array((size_t)rows * (size_t)columns, (size_t)channels);
    return out->pixels;
}

/* ---- antialiased ------------------------------------------------------------------ */

/* The scratch memory of a thread, for the three things that are needed at once. */
enum { ROW_TAPS, COLUMN_TAPS, LINE };

/* For `outputs` positions over low … high of an axis with `inputs` pixels. */
static bool triangle_taps(int slot, double low, double high, int inputs, int outputs, struct ursa_taps *taps)
{
    double scale = (high - low) / outputs, width = scale > 1 ? scale : 1;
    size_t most = (size_t)ceil(2 * width) + 2, count = (size_t)outputs;
    int32_t *begin = ursa_scratch(slot, (count + 1) * sizeof *begin + count * most * (sizeof(int32_t) + sizeof(float)));
    if (!begin)
        return false;
    int32_t *index = begin + count + 1, used = 0;
    float *weight = (float *)(index + count * most);
    int edge_low = (int)floor(low), edge_high = (int)ceil(high);
    edge_high = edge_high > inputs ? inputs : edge_high;
    for (int i = 0; i < outputs; i++) {
        double centre = low + (i + 0.5) * scale, sum = 0;
        int first = (int)fmax(floor(centre - width + 0.5), edge_low);
        int end = (int)fmin(floor(centre + width + 0.5), edge_high);
        begin[i] = used;
        for (int j = first; j < end; j++)
            sum += fmax(0, 1 - fabs((j + 0.5 - centre) / width));
        for (int j = first; j < end; j++) {
            index[used] = j;
            weight[used++] = (float)(fmax(0, 1 - fabs((j + 0.5 - centre) / width)) / sum);
        }
    }
    begin[outputs] = used;
    *taps = (struct ursa_taps){begin, index, weight};
    return true;
}

bool ursa_resample(const ursa_image *image, const struct ursa_box *box, int rows, int columns, ursa_image *out)
{
    *out = (ursa_image){0};
    struct ursa_taps down, along;
    int channels = image->channels;
    size_t line_length = ((size_t)image->columns + (size_t)columns) * (size_t)channels + 2 * URSA_LINE_MARGIN;
    float *line = ursa_scratch(LINE, line_length * sizeof *line);
    if (!line || !check(box, rows, columns) ||
        !triangle_taps(ROW_TAPS, box->top, box->bottom, image->rows, rows, &down) ||
        !triangle_taps(COLUMN_TAPS, box->left, box->right, image->columns, columns, &along) ||
        !make(rows, columns, channels, out))
        return false;
    const struct ursa_simd_resample *simd = ursa_cpu_simd()->resample;
    int64_t pitch = (int64_t)image->columns * channels;
    for (int row = 0; row < rows; row++)
        simd->byte_row(image->pixels, pitch, image->columns, channels, &down, row, &along, columns, line,
                       out->pixels + (size_t)row * (size_t)columns * (size_t)channels);
    return true;
}

/* ---- nearest ------------------------------------------------------------------------ */

/* The input pixel of every output position. Places are added up as PIL adds them,
 * since many lie on the edge of two pixels, where the last bit decides. */
static int *nearest(int slot, double low, double high, int inputs, int outputs)
{
    int *index = ursa_scratch(slot, (size_t)outputs * sizeof *index);
    double step = (high - low) / outputs, place = low + step * 0.5;
    for (int i = 0; index && i < outputs; i++, place += step) {
        int at = (int)floor(place);
        index[i] = at < 0 ? 0 : at >= inputs ? inputs - 1 : at;
    }
    return index;
}

bool ursa_resample_nearest(const ursa_image *image, const struct ursa_box *box, int rows, int columns, ursa_image *out)
{
    *out = (ursa_image){0};
    if (!check(box, rows, columns))
        return false;
    const int *down = nearest(ROW_TAPS, box->top, box->bottom, image->rows, rows);
    const int *along = nearest(COLUMN_TAPS, box->left, box->right, image->columns, columns);
    if (!down || !along || !make(rows, columns, image->channels, out))
        return false;
    size_t channels = (size_t)image->channels;
    uint8_t *to = out->pixels;
    for (int row = 0; row < rows; row++) {
        const uint8_t *line = image->pixels + (size_t)down[row] * (size_t)image->columns * channels;
        for (int column = 0; column < columns; column++, to += channels)
            memcpy(to, line + (size_t)along[column] * channels, channels);
    }
    return true;
}
