/* gallery.h — items of a dataset as pictures: through the loader's transforms,
 * and back to what people can look at. */
#ifndef URSA_INTERPRET_GALLERY_H
#define URSA_INTERPRET_GALLERY_H

#include <ursa/interpret.h>

struct ursa_gallery {
    int count;
    ursa_kind y_kind;
    ursa_dims y_shape;
    int64_t y_size;
    ursa_image *images; /* RGB */
    int64_t *places;    /* [count]: which of the indices asked for; items that cannot be read are not here */
    int64_t *classes;   /* [count, y_size], or NULL */
    float *values;      /* [count, y_size], or NULL */
    const char *const *names;
    int name_count;
};

/* A loader of some items of another's dataset, in one batch, in this order, with its transforms. */
ursa_dataloader *ursa_gallery_loader(ursa_dataloader *loader, const int64_t *indices, int count, bool training);

struct ursa_gallery_options {
    bool training;   /* with random transforms */
    uint64_t epoch;  /* whose */
    ursa_tensor **x; /* where to leave the inputs as the loader gives them, in the caller's scope; NULL: nowhere */
};

/* Fetches items of a loader's dataset. False, with an error, when x is no image. */
bool ursa_gallery_fetch(struct ursa_gallery *gallery, ursa_dataloaders *data, ursa_dataloader *loader,
                        const int64_t *indices, int count, const struct ursa_gallery_options *options);
void ursa_gallery_free(struct ursa_gallery *gallery);

/* What a target or a decision is, in words: "grizzly", "clear; primary", "0.31, 0.52". To free(). */
char *ursa_gallery_words(const struct ursa_gallery *gallery, const int64_t *classes, const float *values);
/* Points of a batch, -1 … 1 across the image, in its pixels. */
void ursa_gallery_points(const ursa_image *image, const float *from, int64_t numbers, float *to);
/* The colour of a class in masks, 0 … 255; class 0 is left clear. */
void ursa_gallery_class_colour(int64_t class, double colour[3]);
/* A copy of an image with a colour for every class of a mask of its size over
 * it; free its pixels. */
bool ursa_gallery_overlay(const ursa_image *image, const int64_t *mask, ursa_image *out);

#endif
