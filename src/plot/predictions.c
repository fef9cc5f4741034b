/* predictions.c — what a classifier thinks of some images. */
#include <ursa/plot.h>
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>

struct gallery {
    int count, side, channels;
    uint8_t *pixels;
    int64_t *classes;
    float *probabilities; /* [count, classes] */
    ursa_image *images;
    ursa_plot_cell *cells;
    char (*captions)[96];
};

static void free_gallery(struct gallery *gallery)
{
    free(gallery->pixels);
    free(gallery->classes);
    free(gallery->probabilities);
    free(gallery->images);
    free(gallery->cells);
    free(gallery->captions);
}

static bool make_gallery(struct gallery *gallery, const ursa_classifier *classifier)
{
    size_t count = (size_t)gallery->count;
    size_t bytes = (size_t)gallery->side * (size_t)gallery->side * (size_t)gallery->channels;
    gallery->pixels = ursa_alloc_array(count, bytes);
    gallery->classes = ursa_alloc_array(count, sizeof *gallery->classes);
    gallery->probabilities = ursa_alloc_array(count, (size_t)classifier->class_count * sizeof(float));
    gallery->images = ursa_alloc_array(count, sizeof *gallery->images);
    gallery->cells = ursa_alloc_array(count, sizeof *gallery->cells);
    gallery->captions = ursa_alloc_array(count, sizeof *gallery->captions);
    return gallery->pixels && gallery->classes && gallery->probabilities && gallery->images && gallery->cells &&
           gallery->captions;
}

/* Items spread evenly over the dataset. */
static bool fetch(struct gallery *gallery, ursa_dataset *dataset)
{
    int64_t items = ursa_dataset_count(dataset);
    size_t bytes = (size_t)gallery->side * (size_t)gallery->side * (size_t)gallery->channels;
    for (int i = 0; i < gallery->count; i++) {
        uint8_t *pixels = gallery->pixels + (size_t)i * bytes;
        int64_t item = items * i / gallery->count;
        ursa_rng rng = ursa_rng_new(0, URSA_PURPOSE_USER, (uint64_t)item);
        if (!ursa_dataset_get(dataset, item, &rng, pixels, &gallery->classes[i]))
            return false;
        gallery->images[i] = (ursa_image){gallery->side, gallery->side, gallery->channels, pixels};
    }
    return true;
}

static bool classify(struct gallery *gallery, const ursa_classifier *classifier)
{
    ursa_scope *scope = ursa_scope_begin();
    ursa_dims shape = ursa_shape(gallery->count, gallery->side, gallery->side, gallery->channels);
    ursa_tensor *result = ursa_classify(classifier, ursa_from(gallery->pixels, shape, .dtype = URSA_U8));
    bool read = ursa_read(result, URSA_F32, gallery->probabilities, (int64_t)gallery->count * classifier->class_count);
    ursa_scope_end(scope);
    return read;
}

static void write_captions(struct gallery *gallery, const ursa_classifier *classifier)
{
    for (int i = 0; i < gallery->count; i++) {
        const float *row = gallery->probabilities + (size_t)i * (size_t)classifier->class_count;
        int best = 0;
        for (int c = 1; c < classifier->class_count; c++)
            best = row[c] > row[best] ? c : best;
        bool wrong = best != gallery->classes[i];
        const char *actual = classifier->classes[gallery->classes[i]];
        if (wrong)
            snprintf(gallery->captions[i], sizeof *gallery->captions, "%s %.0f %%\nis %s", classifier->classes[best],
                     100.0 * (double)row[best], actual);
        else
            snprintf(gallery->captions[i], sizeof *gallery->captions, "%s\n%.0f %%", actual, 100.0 * (double)row[best]);
        gallery->cells[i] = (ursa_plot_cell){&gallery->images[i], gallery->captions[i], wrong};
    }
}

bool ursa_plot_predictions(const char *path, const ursa_classifier *classifier, ursa_dataset *dataset, int count)
{
    if (!classifier || !dataset)
        return false;
    const ursa_dims shape = ursa_dataset_layout(dataset)->x_shape;
    if (shape.dim[0] != classifier->size || shape.dim[2] != classifier->channels ||
        ursa_dataset_classes(dataset, NULL) > classifier->class_count)
        return ursa_fail(
            URSA_ERROR_SHAPE,
            "plot_predictions: images of %lld px, %lld channels and %d classes; the classifier takes %d px, "
            "%d channels and %d classes",
            (long long)shape.dim[0], (long long)shape.dim[2], ursa_dataset_classes(dataset, NULL), classifier->size,
            classifier->channels, classifier->class_count);
    struct gallery gallery = {.count = (int)(count < ursa_dataset_count(dataset) ? count : ursa_dataset_count(dataset)),
                              .side = classifier->size,
                              .channels = classifier->channels};
    bool done = make_gallery(&gallery, classifier) && fetch(&gallery, dataset) && classify(&gallery, classifier);
    if (done)
        write_captions(&gallery, classifier);
    done = done && ursa_plot_grid(path, gallery.cells, gallery.count, .title = "Predictions on images held out");
    free_gallery(&gallery);
    return done;
}
