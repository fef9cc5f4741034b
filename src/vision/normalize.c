/* normalize.c — images with a mean of 0 and a deviation of 1, by statistics that
 * have a name or come from the data. */
#include "transforms.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

const ursa_image_stats ursa_imagenet_stats = {3, {0.485f, 0.456f, 0.406f}, {0.229f, 0.224f, 0.225f}};
const ursa_image_stats ursa_cifar_stats = {3, {0.491f, 0.482f, 0.447f}, {0.247f, 0.243f, 0.261f}};
const ursa_image_stats ursa_mnist_stats = {1, {0.131f}, {0.308f}};

enum { CHANNELS, MEAN, STD = MEAN + 3 };

/* A number per channel, for every pixel of a row: broadcasting is fast along long rows, not along three channels. */
static ursa_tensor *repeat(const float *numbers, int channels, const ursa_tensor *x)
{
    int64_t count = ursa_dim(x, -2) * ursa_dim(x, -1);
    float *row = ursa_alloc_array((size_t)count + 1, sizeof *row);
    for (int64_t i = 0; row && i < count; i++)
        row[i] = numbers[i % channels];
    ursa_tensor *out = row ? ursa_from(row, ursa_shape(count), .device = ursa_device_of(x)) : NULL;
    free(row);
    return out;
}

/* x × scale + shift, channel by channel; in place where memory is new. */
static ursa_tensor *apply(const ursa_transform *transform, ursa_tensor *x, bool undo)
{
    const double *argument = transform->argument;
    int channels = (int)argument[CHANNELS], found = (int)ursa_dim(x, -1);
    if (channels != 1 && channels != 3)
        return ursa_fail(URSA_ERROR_ARGUMENT, "normalize: statistics of %d channels; expected 1 or 3", channels), NULL;
    if ((found != channels && channels != 1) || ursa_ndim(x) < 2)
        return ursa_fail(URSA_ERROR_SHAPE, "normalize: statistics of %d channels, images of %d", channels, found), NULL;
    bool bytes = ursa_dtype_of(x) == URSA_U8;
    float scale[3], shift[3];
    for (int c = 0; c < channels; c++) {
        double mean = argument[MEAN + c], std = argument[STD + c];
        if (!(std > 0))
            return ursa_fail(URSA_ERROR_ARGUMENT, "normalize: a deviation of %g; expected more than 0", std), NULL;
        scale[c] = (float)(undo ? std : 1 / (bytes ? 255 * std : std));
        shift[c] = (float)(undo ? mean : -mean / std);
    }
    ursa_tensor *rows = ursa_reshape(x, ursa_shape(-1, ursa_dim(x, -2) * found)), *by = repeat(scale, channels, x);
    ursa_tensor *out = bytes ? ursa_cast(rows, URSA_F32) : ursa_mul(rows, by);
    if (!out || (bytes && !ursa_mul_(out, by)) || !ursa_add_(out, repeat(shift, channels, x), 1))
        return NULL;
    return ursa_reshape(out, ursa_dims_of(x));
}

static bool normalize(const ursa_transform *transform, ursa_transform_batch *batch)
{
    if (batch->x_kind != URSA_KIND_IMAGE)
        return ursa_fail(URSA_ERROR_ARGUMENT, "normalize: the input is no image");
    batch->x = apply(transform, batch->x, false);
    return batch->x;
}

static ursa_tensor *denormalize(const ursa_transform *transform, ursa_tensor *x)
{
    return apply(transform, x, true);
}

const ursa_transform_class ursa_normalize_class = {
    .name = "normalize",
    .arguments = (const char *const[]){"channels", "mean_0", "mean_1", "mean_2", "std_0", "std_1", "std_2", NULL},
    .order = URSA_ORDER_NORMALIZE,
    .takes_bytes = true,
    .batch = normalize,
    .decode = denormalize,
};

ursa_transform ursa_normalize(ursa_image_stats stats)
{
    return (ursa_transform){
        &ursa_normalize_class,
        {stats.channels, stats.mean[0], stats.mean[1], stats.mean[2], stats.std[0], stats.std[1], stats.std[2]}};
}

/* ---- statistics from the data ------------------------------------------------------------ */

/* Adds up sums and sums of squares of the channels; counts pixels. */
static bool measure(ursa_tensor *x, double sum[3], double squares[3], double *pixels)
{
    int channels = (int)ursa_dim(x, 3);
    float values[3] = {0};
    ursa_tensor *floats = ursa_dtype_of(x) == URSA_U8 ? ursa_mul_scalar(ursa_cast(x, URSA_F32), 1.0 / 255) : x;
    double count = (double)(ursa_count(x) / channels);
    if (!ursa_read(ursa_mean(floats, ursa_axes(0, 1, 2), false), URSA_F32, values, channels))
        return false;
    for (int c = 0; c < channels; c++)
        sum[c] += count * (double)values[c];
    if (!ursa_read(ursa_mean(ursa_square(floats), ursa_axes(0, 1, 2), false), URSA_F32, values, channels))
        return false;
    for (int c = 0; c < channels; c++)
        squares[c] += count * (double)values[c];
    *pixels += count;
    return true;
}

bool ursa_image_stats_of(ursa_dataloader *loader, int batches, ursa_image_stats *out)
{
    *out = (ursa_image_stats){0};
    double sum[3] = {0}, squares[3] = {0}, pixels = 0;
    if (!ursa_dataloader_start(loader, 0))
        return false;
    for (int i = 0; i < (batches > 0 ? batches : 1); i++) {
        ursa_scope *scope = ursa_scope_begin();
        ursa_batch batch;
        bool more = ursa_dataloader_next(loader, &batch), fine = more;
        if (more && (ursa_ndim(batch.x) != 4 || (ursa_dim(batch.x, 3) != 1 && ursa_dim(batch.x, 3) != 3)))
            fine = ursa_fail(URSA_ERROR_SHAPE, "image_stats_of: the loader's batches are no images of 1 or 3 channels");
        if (fine) {
            out->channels = (int)ursa_dim(batch.x, 3);
            fine = measure(batch.x, sum, squares, &pixels);
        }
        ursa_scope_end(scope);
        if (more && !fine)
            return false;
        if (!more)
            break;
    }
    if (pixels == 0)
        return ursa_error() ? false : ursa_fail(URSA_ERROR_ARGUMENT, "image_stats_of: the loader has no batches");
    for (int c = 0; c < out->channels; c++) {
        double mean = sum[c] / pixels, variance = fmax(squares[c] / pixels - mean * mean, 0);
        out->mean[c] = (float)mean;
        out->std[c] = variance > 1e-10 ? (float)sqrt(variance) : 1;
    }
    return true;
}
