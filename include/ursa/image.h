/* image.h — pictures: reading them, as values for data blocks, and the
 * transforms of them, with fastai's definitions and defaults.
 *
 * Options of transforms: zero means the default, and a number below 0 means
 * zero.
 */
#ifndef URSA_IMAGE_H
#define URSA_IMAGE_H

#include <ursa/data.h>
#include <ursa/transform.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- reading ----------------------------------------------------------------------- */

/* Pixels [rows, columns, channels], 8 bits each. */
typedef struct ursa_image {
    int rows, columns, channels;
    uint8_t *pixels; /* ursa_image_free() */
} ursa_image;

/* Reads JPEG, PNG, BMP or GIF (the first picture), upright as its EXIF
 * orientation says. channels 1 or 3 converts; 0 keeps 1 for grey pictures and 3
 * for all others. Alpha is dropped, of 16 bits the upper 8 are kept, and CMYK is
 * multiplied out. A file that ends early is an error; so are pictures of more
 * than 2²⁸ pixels, or of more than the file can hold. */
URSA_API bool ursa_image_read(const char *path, int channels, ursa_image *out);
URSA_API void ursa_image_free(ursa_image *image);
/* What ursa_image_read() would give for channels 0, but for the pixels: only the
 * head of the file is read. */
URSA_API bool ursa_image_look(const char *path, ursa_image *out);

/* Shrinks or stretches to rows × columns, antialiased: a triangle filter as wide
 * as a source pixel's step, as PIL's BILINEAR. */
URSA_API bool ursa_image_resize(const ursa_image *image, int rows, int columns, ursa_image *out);

/* Reads an image, takes the square in its middle and makes it size × size
 * pixels: `out` holds size × size × channels bytes. */
URSA_API bool ursa_read_square(const char *path, int size, int channels, uint8_t *out);

/* ---- values -------------------------------------------------------------------------- */

/* A picture still in its file: kind IMAGE, [rows, columns, channels]. Transforms
 * that crop or shrink it read no more of it than they need. ursa_value_clear()
 * frees it. */
URSA_API bool ursa_image_value(const char *path, int channels, ursa_value *out);
/* A grey picture of classes: kind MASK, [rows, columns]. */
URSA_API bool ursa_mask_value(const char *path, ursa_value *out);

/* ---- transforms of items ------------------------------------------------------------- *
 *
 * They take images, masks of the same size and points along; other targets are
 * left alone. Images are resampled bilinearly and antialiased, masks by nearest
 * neighbour. `rows` is given first, as in ursa_resize(128); `columns` is the
 * same unless given: ursa_resize(128, .columns = 192). */

/* What is put around a picture. */
typedef enum ursa_padding {
    URSA_PAD_DEFAULT, /* what the transform says */
    URSA_PAD_ZEROS,
    URSA_PAD_BORDER,     /* its outermost pixels again */
    URSA_PAD_REFLECTION, /* mirrored at its outermost pixels */
} ursa_padding;

typedef enum ursa_resize_method {
    URSA_CROP,   /* the largest part of the right proportions: at random, in validation the middle */
    URSA_SQUISH, /* all of it, whatever becomes of its proportions */
    URSA_PAD,    /* all of it, padded to the right proportions: at random, in validation on both sides */
} ursa_resize_method;

/* fastai's Resize. */
typedef struct ursa_resize_options {
    int rows, columns;
    ursa_resize_method method; /* default URSA_CROP */
    ursa_padding pad_mode;     /* default reflection */
} ursa_resize_options;
URSA_API ursa_transform ursa_resize_opt(const ursa_resize_options *options);
#define ursa_resize(size, ...) ursa_resize_opt(&(ursa_resize_options){.rows = (size), __VA_ARGS__})

/* fastai's RandomResizedCrop, after Szegedy et al. 2015: a part with a random
 * share of the area and a random proportion, resized. In validation all of the
 * picture is made a little larger than asked for and its middle taken. */
typedef struct ursa_random_resized_crop_options {
    int rows, columns;
    double min_scale; /* least share of the area; default 0.08 */
    double ratio[2];  /* least and greatest columns / rows of the part; default 3/4, 4/3 */
    double val_xtra;  /* validation: the share of the size added, in steps of 8 pixels; default 0.14 */
} ursa_random_resized_crop_options;
URSA_API ursa_transform ursa_random_resized_crop_opt(const ursa_random_resized_crop_options *options);
#define ursa_random_resized_crop(size, ...)                                                                            \
    ursa_random_resized_crop_opt(&(ursa_random_resized_crop_options){.rows = (size), __VA_ARGS__})

typedef struct ursa_crop_options {
    int rows, columns;
    ursa_padding pad_mode; /* default zeros */
} ursa_crop_options;
/* fastai's CropPad: the middle, cropped or padded. */
URSA_API ursa_transform ursa_crop_pad_opt(const ursa_crop_options *options);
#define ursa_crop_pad(size, ...) ursa_crop_pad_opt(&(ursa_crop_options){.rows = (size), __VA_ARGS__})
/* fastai's RandomCrop: a part at random, in validation the middle. A picture
 * that is too small is padded on both sides, where fastai's fails. */
URSA_API ursa_transform ursa_random_crop_opt(const ursa_crop_options *options);
#define ursa_random_crop(size, ...) ursa_random_crop_opt(&(ursa_crop_options){.rows = (size), __VA_ARGS__})

/* ---- all transforms ---------------------------------------------------------------------- */

/* The classes of this header's transforms, for readers of model files. */
URSA_API const ursa_transform_class *const *ursa_vision_transform_classes(int *count);

/* ---- statistics -------------------------------------------------------------------------- */

/* Statistics that pixels (0 … 1) are normalised with, per channel. */
typedef struct ursa_image_stats {
    int channels; /* 1 or 3 */
    float mean[3], std[3];
} ursa_image_stats;

#ifdef __cplusplus
}
#endif
#endif
