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

/* ---- geometry of batches ----------------------------------------------------------------- *
 *
 * Random in training; in validation only their size is left. All of a list are
 * one interpolation, whose size (rows × columns; 0: as the images are) and
 * padding (default reflection) are those of the first that says something.
 * `p` is the chance that an item is changed. */

typedef struct ursa_flip_options {
    double p;      /* default 0.5 */
    bool vertical; /* upside down; default: left and right */
    int rows, columns;
    ursa_padding pad_mode;
} ursa_flip_options;
URSA_API ursa_transform ursa_flip_tfm_opt(const ursa_flip_options *options);
#define ursa_flip_tfm(...) ursa_flip_tfm_opt(&(ursa_flip_options){__VA_ARGS__})

/* One of the eight turns and mirror images of a square. */
typedef struct ursa_dihedral_options {
    double p; /* default 0.5 */
    int draw; /* this one, 1 … 7 as fastai counts them; 0: any of the eight, at random */
    int rows, columns;
    ursa_padding pad_mode;
} ursa_dihedral_options;
URSA_API ursa_transform ursa_dihedral_opt(const ursa_dihedral_options *options);
#define ursa_dihedral(...) ursa_dihedral_opt(&(ursa_dihedral_options){__VA_ARGS__})

typedef struct ursa_rotate_options {
    double max_deg; /* default 10: at most by this, either way */
    double p;       /* default 0.5 */
    double draw;    /* by this angle, in degrees, clockwise when below 0; 0: at random */
    int rows, columns;
    ursa_padding pad_mode;
} ursa_rotate_options;
URSA_API ursa_transform ursa_rotate_opt(const ursa_rotate_options *options);
#define ursa_rotate(...) ursa_rotate_opt(&(ursa_rotate_options){__VA_ARGS__})

typedef struct ursa_zoom_options {
    double min_zoom, max_zoom;   /* default 1, 1.1: how much larger things get */
    double p;                    /* default 0.5 */
    double draw, draw_x, draw_y; /* by this much, and where, 0 … 1 from the left and the top; 0: at random */
    int rows, columns;
    ursa_padding pad_mode;
} ursa_zoom_options;
URSA_API ursa_transform ursa_zoom_opt(const ursa_zoom_options *options);
#define ursa_zoom(...) ursa_zoom_opt(&(ursa_zoom_options){__VA_ARGS__})

/* As if looked at from the side. */
typedef struct ursa_warp_options {
    double magnitude;      /* default 0.2: how far corners move at most, of half the width */
    double p;              /* default 0.5 */
    double draw_x, draw_y; /* by this much across and down; 0: at random */
    int rows, columns;
    ursa_padding pad_mode;
} ursa_warp_options;
URSA_API ursa_transform ursa_warp_opt(const ursa_warp_options *options);
#define ursa_warp(...) ursa_warp_opt(&(ursa_warp_options){__VA_ARGS__})

/* fastai's RandomResizedCropGPU, drawn for every item by itself. In validation
 * the middle of those proportions. */
typedef struct ursa_random_resized_crop_batch_options {
    int rows, columns;
    double min_scale; /* default 0.08 */
    double ratio[2];  /* default 3/4, 4/3 */
    ursa_padding pad_mode;
} ursa_random_resized_crop_batch_options;
URSA_API ursa_transform ursa_random_resized_crop_batch_opt(const ursa_random_resized_crop_batch_options *options);
#define ursa_random_resized_crop_batch(size, ...)                                                                      \
    ursa_random_resized_crop_batch_opt(&(ursa_random_resized_crop_batch_options){.rows = (size), __VA_ARGS__})

/* ---- light of batches ---------------------------------------------------------------------- *
 *
 * In training only. Brightness, contrast and saturation work on the logits of
 * pixels; all of a list are one pass. `draw` is a value instead of a random one;
 * 0: at random. */

typedef struct ursa_light_options {
    double max_lighting; /* default 0.2 */
    double p;            /* default 0.75 */
    double draw;
} ursa_light_options;
/* draw: 0.5 changes nothing, 1 is white. */
URSA_API ursa_transform ursa_brightness_opt(const ursa_light_options *options);
#define ursa_brightness(...) ursa_brightness_opt(&(ursa_light_options){__VA_ARGS__})
/* draw: 1 changes nothing. */
URSA_API ursa_transform ursa_contrast_opt(const ursa_light_options *options);
#define ursa_contrast(...) ursa_contrast_opt(&(ursa_light_options){__VA_ARGS__})
/* draw: 1 changes nothing, just above 0 is grey. */
URSA_API ursa_transform ursa_saturation_opt(const ursa_light_options *options);
#define ursa_saturation(...) ursa_saturation_opt(&(ursa_light_options){__VA_ARGS__})

typedef struct ursa_hue_options {
    double max_hue; /* default 0.1 */
    double p;       /* default 0.75 */
    double draw;    /* a share of the colour circle, which is 1 */
} ursa_hue_options;
URSA_API ursa_transform ursa_hue_opt(const ursa_hue_options *options);
#define ursa_hue(...) ursa_hue_opt(&(ursa_hue_options){__VA_ARGS__})

/* Zhong et al. 2017: rectangles of normal noise, after normalisation; drawn for
 * every item by itself. */
typedef struct ursa_random_erasing_options {
    double p;          /* default 0.5 */
    double sl, sh;     /* least and greatest share of the area; default 0, 0.3 */
    double min_aspect; /* default 0.3 */
    int max_count;     /* rectangles at most; default 1 */
} ursa_random_erasing_options;
URSA_API ursa_transform ursa_random_erasing_opt(const ursa_random_erasing_options *options);
#define ursa_random_erasing(...) ursa_random_erasing_opt(&(ursa_random_erasing_options){__VA_ARGS__})

/* ---- all that is usual ------------------------------------------------------------------------ */

/* fastai's aug_transforms: flip, warp, rotate, zoom, brightness and contrast. */
typedef struct ursa_aug_transforms_options {
    double mult;                 /* of max_rotate, max_lighting and max_warp; default 1 */
    bool no_flip;                /* fastai's do_flip=False */
    bool flip_vert;              /* any turn and mirror image (dihedral), not only left and right */
    double max_rotate;           /* default 10 degrees */
    double min_zoom, max_zoom;   /* default 1, 1.1 */
    double max_lighting;         /* default 0.2 */
    double max_warp;             /* default 0.2 */
    double p_affine, p_lighting; /* default 0.75, 0.75 */
    int rows, columns;           /* size of the result, columns as rows unless given; 0: as the images are */
    ursa_padding pad_mode;       /* default reflection */
    double min_scale;            /* below 1: random-resized crops of at least this share; default 1 */
} ursa_aug_transforms_options;
URSA_API ursa_transform ursa_aug_transforms_opt(const ursa_aug_transforms_options *options);
#define ursa_aug_transforms(...) ursa_aug_transforms_opt(&(ursa_aug_transforms_options){__VA_ARGS__})

/* ---- statistics -------------------------------------------------------------------------- */

/* Statistics that pixels (0 … 1) are normalised with, per channel. */
typedef struct ursa_image_stats {
    int channels; /* 1 or 3 */
    float mean[3], std[3];
} ursa_image_stats;
URSA_API extern const ursa_image_stats ursa_imagenet_stats, ursa_cifar_stats, ursa_mnist_stats;

/* (x - mean) / std per channel; ursa_transform_decode() undoes it. */
URSA_API ursa_transform ursa_normalize(ursa_image_stats stats);

/* Statistics of the first `batches` batches of a loader (0: one), which begins
 * with epoch 0, as its batches come out: for ursa_normalize() of a loader that
 * does not normalise yet. */
URSA_API bool ursa_image_stats_of(ursa_dataloader *loader, int batches, ursa_image_stats *out);

/* ---- all transforms ---------------------------------------------------------------------- */

/* The classes of this header's transforms, for readers of model files. */
URSA_API const ursa_transform_class *const *ursa_vision_transform_classes(int *count);

#ifdef __cplusplus
}
#endif
#endif
