/* gallery.c — from batches back to pictures. */
#include "gallery.h"
#include "text.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- fetching ------------------------------------------------------------------------ */

ursa_dataloader *ursa_gallery_loader(ursa_dataloader *loader, const int64_t *indices, int count, bool training)
{
    if (!loader)
        return NULL;
    ursa_dataloader_options options = *ursa_dataloader_options_of(loader);
    ursa_dataset *items = ursa_subset(ursa_dataloader_dataset(loader), indices, count);
    ursa_dataset *set = items ? ursa_dataset_with_training(items, training) : NULL;
    ursa_dataset_free(items);
    if (!set)
        return NULL;
    options.batch_size = count;
    options.shuffle = options.balance = options.drop_last = false;
    options.weights = NULL;
    options.training = training;
    options.prefetch = 1;
    return ursa_dataloader_new_opt(set, &options);
}

static uint8_t level(float value)
{
    float scaled = value * 255 + 0.5f;
    return scaled > 255 ? 255 : scaled > 0 ? (uint8_t)scaled : 0;
}

/* Grey pictures become coloured ones. */
static bool fill_image(ursa_image *image, const float *pixels, int rows, int columns, int channels)
{
    *image = (ursa_image){rows, columns, 3, ursa_alloc_array((size_t)rows * (size_t)columns, 3)};
    for (int64_t i = 0; image->pixels && i < (int64_t)rows * columns; i++)
        for (int c = 0; c < 3; c++)
            image->pixels[3 * i + c] = level(pixels[i * channels + (channels >= 3 ? c : 0)]);
    return image->pixels;
}

/* Pixels 0 … 1 of a decoded batch [N, H, W, C], f32 or 8 bits. */
static bool read_images(struct ursa_gallery *gallery, ursa_tensor *x)
{
    if (ursa_ndim(x) != 4)
        return ursa_fail(URSA_ERROR_SHAPE, "show: inputs have %d axes; expected images [N, H, W, C]", ursa_ndim(x));
    if (ursa_dtype_of(x) == URSA_U8)
        x = ursa_mul_scalar(ursa_cast(x, URSA_F32), 1.0 / 255);
    int64_t numbers = ursa_count(x), each = numbers / gallery->count;
    float *pixels = ursa_alloc_array((size_t)numbers + 1, sizeof *pixels);
    gallery->images = ursa_alloc_array((size_t)gallery->count + 1, sizeof *gallery->images);
    bool done = pixels && gallery->images && ursa_read(x, URSA_F32, pixels, numbers);
    for (int i = 0; done && i < gallery->count; i++)
        done = fill_image(&gallery->images[i], pixels + i * each, (int)ursa_dim(x, 1), (int)ursa_dim(x, 2),
                          (int)ursa_dim(x, 3));
    free(pixels);
    return done;
}

static bool read_targets(struct ursa_gallery *gallery, ursa_tensor *y)
{
    if (!y)
        return true;
    int64_t numbers = ursa_count(y);
    bool floats = ursa_dtype_of(y) == URSA_F32;
    gallery->y_shape = ursa_dims_of(y);
    gallery->y_size = numbers / gallery->count;
    if (floats)
        gallery->values = ursa_alloc_array((size_t)numbers + 1, sizeof *gallery->values);
    else
        gallery->classes = ursa_alloc_array((size_t)numbers + 1, sizeof *gallery->classes);
    return floats ? gallery->values && ursa_read(y, URSA_F32, gallery->values, numbers)
                  : gallery->classes && ursa_read(y, URSA_I64, gallery->classes, numbers);
}

static bool read_batch(struct ursa_gallery *gallery, ursa_dataloader *loader, const ursa_batch *batch)
{
    gallery->count = (int)batch->count;
    gallery->places = ursa_alloc_array((size_t)batch->count + 1, sizeof *gallery->places);
    for (int64_t i = 0; gallery->places && i < batch->count; i++)
        gallery->places[i] = batch->indices ? batch->indices[i] : i;
    return gallery->places && read_images(gallery, ursa_dataloader_decode(loader, batch->x)) &&
           read_targets(gallery, batch->y);
}

bool ursa_gallery_fetch(struct ursa_gallery *gallery, ursa_dataloaders *data, ursa_dataloader *loader,
                        const int64_t *indices, int count, const struct ursa_gallery_options *options)
{
    *gallery = (struct ursa_gallery){0};
    if (!loader)
        return ursa_fail(URSA_ERROR_ARGUMENT, "show: there is no such set of items");
    ursa_dataset *set = ursa_dataloader_dataset(loader);
    gallery->y_kind = ursa_dataset_layout(set)->y_kind;
    gallery->name_count = ursa_dataloaders_vocab(data, &gallery->names);
    ursa_scope *scope = ursa_scope_begin();
    ursa_no_grad_begin();
    ursa_dataloader *own = ursa_gallery_loader(loader, indices, count, options->training);
    ursa_batch batch;
    bool done = own && ursa_dataloader_start(own, (int64_t)options->epoch) && ursa_dataloader_next(own, &batch) &&
                read_batch(gallery, own, &batch);
    if (done && options->x)
        *options->x = ursa_promote(batch.x);
    if (!done && !ursa_error())
        ursa_fail(URSA_ERROR_IO, "show: none of the %d items can be read", count);
    ursa_dataloader_free(own);
    ursa_no_grad_end();
    ursa_scope_end(scope);
    if (!done)
        ursa_gallery_free(gallery);
    return done;
}

void ursa_gallery_free(struct ursa_gallery *gallery)
{
    for (int i = 0; gallery->images && i < gallery->count; i++)
        free(gallery->images[i].pixels);
    free(gallery->images);
    free(gallery->places);
    free(gallery->classes);
    free(gallery->values);
    *gallery = (struct ursa_gallery){0};
}

/* ---- words --------------------------------------------------------------------------------- */

static const char *name_of(const struct ursa_gallery *gallery, int64_t class)
{
    return class >= 0 && class < gallery->name_count ? gallery->names[class] : NULL;
}

static void add_labels(struct ursa_text *text, const struct ursa_gallery *gallery, const float *values)
{
    bool any = false;
    for (int64_t c = 0; c < gallery->y_size; c++)
        if (values[c] > 0.5f) {
            ursa_text_add(text, "%s%s", any ? "; " : "", name_of(gallery, c) ? name_of(gallery, c) : "?");
            any = true;
        }
    if (!any)
        ursa_text_add(text, "(none)");
}

static void add_numbers(struct ursa_text *text, const struct ursa_gallery *gallery, const float *values)
{
    for (int64_t i = 0; i < gallery->y_size; i++)
        ursa_text_add(text, "%s%.4g", i > 0 ? ", " : "", (double)values[i]);
}

char *ursa_gallery_words(const struct ursa_gallery *gallery, const int64_t *classes, const float *values)
{
    struct ursa_text text = {0};
    if (gallery->y_kind == URSA_KIND_POINTS || gallery->y_kind == URSA_KIND_MASK || (!classes && !values))
        return ursa_copy_string("");
    if (classes && name_of(gallery, classes[0]))
        ursa_text_add(&text, "%s", name_of(gallery, classes[0]));
    else if (classes)
        ursa_text_add(&text, "%lld", (long long)classes[0]);
    else if (gallery->y_kind == URSA_KIND_MULTI_CATEGORY)
        add_labels(&text, gallery, values);
    else
        add_numbers(&text, gallery, values);
    return ursa_text_take(&text);
}

/* ---- points and masks ------------------------------------------------------------------------ */

void ursa_gallery_points(const ursa_image *image, const float *from, int64_t numbers, float *to)
{
    for (int64_t i = 0; i < numbers; i++)
        to[i] = (from[i] + 1) / 2 * (float)(i % 2 == 0 ? image->columns : image->rows);
}

/* Okabe and Ito's colours, then darker ones. */
void ursa_gallery_class_colour(int64_t class, double colour[3])
{
    static const uint8_t palette[][3] = {{0, 114, 178}, {213, 94, 0},   {0, 158, 115}, {204, 121, 167},
                                         {230, 159, 0}, {86, 180, 233}, {240, 228, 66}};
    enum { COLOURS = sizeof palette / sizeof *palette };
    double dim = 1 / (1 + 0.5 * (double)((class - 1) / COLOURS));
    for (int c = 0; c < 3; c++)
        colour[c] = dim * palette[(class - 1) % COLOURS][c];
}

/* Whether a pixel's neighbours are of another class. */
static bool on_edge(const ursa_image *image, const int64_t *mask, int row, int column)
{
    const int64_t *here = mask + (int64_t)row * image->columns + column;
    return (row > 0 && here[-image->columns] != *here) || (column > 0 && here[-1] != *here) ||
           (row + 1 < image->rows && here[image->columns] != *here) ||
           (column + 1 < image->columns && here[1] != *here);
}

/* Half of the picture shines through, but for the edges. */
bool ursa_gallery_overlay(const ursa_image *image, const int64_t *mask, ursa_image *out)
{
    size_t pixels = (size_t)image->rows * (size_t)image->columns;
    *out = (ursa_image){image->rows, image->columns, 3, ursa_alloc_array(pixels, 3)};
    if (!out->pixels)
        return false;
    memcpy(out->pixels, image->pixels, 3 * pixels);
    for (size_t i = 0; i < pixels; i++) {
        double colour[3];
        if (mask[i] < 1)
            continue;
        ursa_gallery_class_colour(mask[i], colour);
        int row = (int)(i / (size_t)image->columns), column = (int)(i % (size_t)image->columns);
        double share = on_edge(image, mask, row, column) ? 1 : 0.5;
        for (int c = 0; c < 3; c++)
            out->pixels[3 * i + (size_t)c] =
                (uint8_t)((1 - share) * image->pixels[3 * i + (size_t)c] + share * colour[c] + 0.5);
    }
    return true;
}
