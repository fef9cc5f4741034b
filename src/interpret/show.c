/* show.c — grids of items: batches, results, top losses. */
#include "gallery.h"
#include "interpretation.h"
#include "text.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- cells ------------------------------------------------------------------------ */

/* The cells of a grid and what they point to. */
struct cells {
    int count;
    ursa_plot_cell *cells;
    ursa_image *overlays; /* one per cell; pixels NULL where the image is the gallery's */
    char **captions;
    float **points;
    ursa_plot_key *keys; /* of the classes in masks */
    int key_count;
};

static bool make_cells(struct cells *cells, int count)
{
    *cells = (struct cells){
        .count = count,
        .cells = ursa_alloc_array((size_t)count + 1, sizeof *cells->cells),
        .overlays = ursa_alloc_array((size_t)count + 1, sizeof *cells->overlays),
        .captions = ursa_alloc_array((size_t)count + 1, sizeof *cells->captions),
        .points = ursa_alloc_array((size_t)2 * (size_t)count + 1, sizeof *cells->points),
    };
    return cells->cells && cells->overlays && cells->captions && cells->points;
}

static void free_cells(struct cells *cells)
{
    for (int i = 0; i < cells->count; i++) {
        if (cells->overlays)
            free(cells->overlays[i].pixels);
        if (cells->captions)
            free(cells->captions[i]);
        if (cells->points) {
            free(cells->points[2 * i]);
            free(cells->points[2 * i + 1]);
        }
    }
    free(cells->cells);
    free(cells->overlays);
    free(cells->captions);
    free(cells->points);
    free(cells->keys);
}

static bool set_caption(struct cells *cells, int i, char *caption)
{
    cells->captions[i] = caption;
    cells->cells[i].caption = caption;
    return caption;
}

/* The keys of all classes but the first, which is left clear, that occur in a mask. */
static bool set_keys(struct cells *cells, const struct ursa_gallery *gallery, const int64_t *mask, int64_t pixels)
{
    if (!cells->keys && gallery->name_count > 1)
        cells->keys = ursa_alloc_array((size_t)gallery->name_count, sizeof *cells->keys);
    for (int64_t class = 1; cells->keys && class < gallery->name_count; class ++) {
        bool known = false, occurs = false;
        for (int i = 0; i < cells->key_count; i++)
            known = known || cells->keys[i].name == gallery->names[class];
        for (int64_t i = 0; !known && !occurs && i < pixels; i++)
            occurs = mask[i] == class;
        if (!occurs)
            continue;
        double colour[3];
        ursa_gallery_class_colour(class, colour);
        cells->keys[cells->key_count++] =
            (ursa_plot_key){gallery->names[class], colour[0] / 255, colour[1] / 255, colour[2] / 255};
    }
    return cells->keys || gallery->name_count <= 1;
}

/* Puts a mask over the picture of a cell. */
static bool set_mask(struct cells *cells, int i, const int64_t *mask)
{
    if (!ursa_gallery_overlay(cells->cells[i].image, mask, &cells->overlays[i]))
        return false;
    cells->cells[i].image = &cells->overlays[i];
    return true;
}

/* Puts true points (or guesses) into a cell. */
static bool set_points(struct cells *cells, int i, const float *values, int64_t numbers, bool guesses)
{
    float *points = ursa_alloc_array((size_t)numbers + 1, sizeof *points);
    cells->points[2 * i + guesses] = points;
    if (!points)
        return false;
    ursa_gallery_points(cells->cells[i].image, values, numbers, points);
    *(guesses ? &cells->cells[i].guesses : &cells->cells[i].points) = points;
    cells->cells[i].point_count = (int)(numbers / 2);
    return true;
}

/* The picture of an item, with its target where that is drawn. */
static bool set_item(struct cells *cells, int i, const struct ursa_gallery *gallery, int item)
{
    int64_t first = item * gallery->y_size;
    cells->cells[i].image = &gallery->images[item];
    if (gallery->y_kind == URSA_KIND_MASK && gallery->classes)
        return set_mask(cells, i, gallery->classes + first) &&
               set_keys(cells, gallery, gallery->classes + first, gallery->y_size);
    if (gallery->y_kind == URSA_KIND_POINTS && gallery->values)
        return set_points(cells, i, gallery->values + first, gallery->y_size, false);
    return true;
}

static char *target_words(const struct ursa_gallery *gallery, int item)
{
    int64_t first = item * gallery->y_size;
    return ursa_gallery_words(gallery, gallery->classes ? gallery->classes + first : NULL,
                              gallery->values ? gallery->values + first : NULL);
}

static bool draw(const struct cells *cells, const char *path, int rows, const char *title)
{
    int columns = rows > 0 ? (cells->count + rows - 1) / rows : 0;
    return ursa_plot_grid(path, cells->cells, cells->count, .columns = columns, .title = title, .keys = cells->keys,
                          .key_count = cells->key_count);
}

/* ---- batches ---------------------------------------------------------------------------- */

/* The items that an epoch of the loader begins with, or one of them many times. */
static int choose(ursa_dataloader *loader, const ursa_show_options *options, int wanted, int64_t *indices)
{
    int64_t items = ursa_dataset_count(ursa_dataloader_dataset(loader));
    int count = options->unique || items > wanted ? wanted : (int)items;
    bool shuffled = !options->valid;
    int64_t *order = ursa_alloc_array((size_t)items + 1, sizeof *order);
    if (!order)
        return 0;
    for (int64_t i = 0; i < items; i++)
        order[i] = i;
    ursa_rng rng = ursa_rng_new(ursa_seed(), URSA_PURPOSE_SHUFFLE, options->epoch);
    if (shuffled)
        ursa_rng_shuffle(&rng, order, items);
    for (int i = 0; i < count; i++)
        indices[i] = order[options->unique ? 0 : i];
    free(order);
    return items > 0 ? count : 0;
}

static bool draw_batch(const struct ursa_gallery *gallery, const char *path, const ursa_show_options *options)
{
    struct cells cells = {0};
    bool done = make_cells(&cells, gallery->count);
    for (int i = 0; done && i < gallery->count; i++)
        done = set_item(&cells, i, gallery, i) && set_caption(&cells, i, target_words(gallery, i));
    done = done && draw(&cells, path, options->rows, NULL);
    free_cells(&cells);
    return done;
}

bool ursa_show_batch_opt(ursa_dataloaders *data, const char *path, const ursa_show_options *options)
{
    if (!data || !path)
        return false;
    int wanted = options->max_n > 0 ? options->max_n : 9;
    ursa_dataloader *loader = options->valid ? data->valid : data->train;
    int64_t *indices = ursa_alloc_array((size_t)wanted, sizeof *indices);
    struct ursa_gallery gallery;
    const struct ursa_gallery_options how = {.training = !options->valid, .epoch = options->epoch};
    bool done = indices && (loader || ursa_fail(URSA_ERROR_ARGUMENT, "show_batch: there is no such set of items"));
    int count = done ? choose(loader, options, wanted, indices) : 0;
    if (done && count == 0)
        done = ursa_fail(URSA_ERROR_ARGUMENT, "show_batch: the set is empty");
    done = done && ursa_gallery_fetch(&gallery, data, loader, indices, count, &how);
    if (done) {
        done = draw_batch(&gallery, path, options);
        ursa_gallery_free(&gallery);
    }
    free(indices);
    return done;
}

/* ---- results -------------------------------------------------------------------------------- */

/* What was decided for an item, in words. */
static char *decision_words(const struct ursa_gallery *gallery, const ursa_outputs *outputs, int64_t item)
{
    if (outputs->decoded && gallery->y_kind != URSA_KIND_MASK)
        return ursa_gallery_words(gallery, outputs->decoded + item, NULL);
    if (outputs->decoded_values)
        return ursa_gallery_words(gallery, NULL, outputs->decoded_values + item * outputs->size);
    return ursa_gallery_words(gallery, NULL, outputs->predictions + item * outputs->size);
}

/* Whether the decision and the target differ, where that can be said. */
static bool is_wrong(const struct ursa_gallery *gallery, const char *actual, const char *decided)
{
    bool classes = gallery->y_kind == URSA_KIND_CATEGORY || gallery->y_kind == URSA_KIND_MULTI_CATEGORY;
    return (classes || gallery->y_kind == URSA_KIND_TENSOR) && gallery->name_count > 0 && strcmp(actual, decided) != 0;
}

/* "grizzly" where that is right; else "black\nis grizzly". */
static char *result_caption(const char *decided, const char *actual, bool wrong)
{
    if (!*decided && !*actual)
        return ursa_copy_string("");
    return ursa_format(wrong || strcmp(decided, actual) != 0 ? "%s\nis %s" : "%s", decided, actual);
}

/* The lines under a top loss: what, and how wrong. */
static char *loss_caption(const char *decided, const char *actual, const ursa_top_loss *top)
{
    struct ursa_text text = {0};
    if (*decided || *actual)
        ursa_text_add(&text, "%s\nis %s\n", decided, actual);
    ursa_text_add(&text, "loss %.2f", top->loss);
    if (!isnan(top->probability))
        ursa_text_add(&text, ", %.0f %%", 100 * top->probability);
    return ursa_text_take(&text);
}

/* A cell for one item of the outputs; for masks two, truth and prediction. */
static bool set_result(struct cells *cells, int i, const struct ursa_gallery *gallery, int item,
                       const ursa_outputs *outputs, int64_t place, const ursa_top_loss *top)
{
    bool masks = gallery->y_kind == URSA_KIND_MASK;
    char *actual = target_words(gallery, item), *decided = decision_words(gallery, outputs, place);
    int at = masks ? 2 * i : i;
    bool done = actual && decided && set_item(cells, at, gallery, item);
    if (done && masks) {
        cells->cells[at + 1].image = &gallery->images[item];
        const int64_t *mask = outputs->decoded ? outputs->decoded + place * gallery->y_size : NULL;
        done = (!mask || (set_mask(cells, at + 1, mask) && set_keys(cells, gallery, mask, gallery->y_size))) &&
               set_caption(cells, at, ursa_copy_string("true")) &&
               set_caption(cells, at + 1,
                           top ? ursa_format("predicted, loss %.3f", top->loss) : ursa_copy_string("predicted"));
    } else if (done) {
        cells->cells[at].wrong = is_wrong(gallery, actual, decided);
        done = set_caption(cells, at,
                           top ? loss_caption(decided, actual, top)
                               : result_caption(decided, actual, cells->cells[at].wrong));
    }
    if (done && gallery->y_kind == URSA_KIND_POINTS)
        done = set_points(cells, at, outputs->predictions + place * outputs->size, outputs->size, true);
    free(actual);
    free(decided);
    return done;
}

/* Items of the outputs by their positions; `tops` NULL for none. */
static bool draw_results(ursa_interpretation *interp, const int64_t *items, const ursa_top_loss *tops, int count,
                         const char *path, int rows, const char *title)
{
    const ursa_outputs *outputs = interp->outputs;
    struct ursa_gallery gallery;
    struct cells cells = {0};
    int64_t *indices = ursa_alloc_array((size_t)count + 1, sizeof *indices);
    for (int i = 0; indices && i < count; i++)
        indices[i] = outputs->indices ? outputs->indices[items[i]] : items[i];
    if (!indices || !ursa_gallery_fetch(&gallery, ursa_learner_data(interp->learner), interp->loader, indices, count,
                                        &(struct ursa_gallery_options){0})) {
        free(indices);
        return false;
    }
    int each = gallery.y_kind == URSA_KIND_MASK ? 2 : 1;
    bool done = make_cells(&cells, each * gallery.count);
    for (int i = 0; done && i < gallery.count; i++) {
        int64_t place = gallery.places[i];
        done = set_result(&cells, i, &gallery, i, outputs, items[place], tops ? &tops[place] : NULL);
    }
    if (done && each == 2 && rows == 0)
        rows = (gallery.count + 1) / 2;
    done = done && draw(&cells, path, rows, title);
    free_cells(&cells);
    ursa_gallery_free(&gallery);
    free(indices);
    return done;
}

/* `count` positions, spread over a set, which may be sorted by class. */
static int64_t *spread(int64_t items, int64_t count)
{
    int64_t *positions = ursa_alloc_array((size_t)count + 1, sizeof *positions);
    for (int64_t i = 0; positions && i < count; i++)
        positions[i] = i * items / count;
    return positions;
}

static int64_t how_many(const ursa_show_options *options, int64_t items)
{
    int64_t wanted = options->max_n > 0 ? options->max_n : 9;
    return wanted < items ? wanted : items;
}

bool ursa_show_results_of(ursa_interpretation *interp, const char *path, const ursa_show_options *options)
{
    int64_t count = how_many(options, interp->outputs->count), *items = spread(interp->outputs->count, count);
    bool done = items && draw_results(interp, items, NULL, (int)count, path, options->rows, NULL);
    free(items);
    return done;
}

/* Only the items that are shown are run through the network. */
bool ursa_show_results_opt(ursa_learner *learner, const char *path, const ursa_show_options *options)
{
    ursa_dataloaders *data = ursa_learner_data(learner);
    if (!data || !path)
        return false;
    int64_t items = data->valid ? ursa_dataset_count(ursa_dataloader_dataset(data->valid)) : 0;
    if (items < 1)
        return ursa_fail(URSA_ERROR_ARGUMENT, "show_results: the learner has no validation set");
    int64_t count = how_many(options, items), *indices = spread(items, count);
    ursa_dataloader *shown = indices ? ursa_gallery_loader(data->valid, indices, (int)count, false) : NULL;
    ursa_interpretation *interp = shown ? ursa_interpret(learner, .loader = shown) : NULL;
    bool done = interp && ursa_show_results_of(interp, path, options);
    ursa_interpretation_free(interp);
    ursa_dataloader_free(shown);
    free(indices);
    return done;
}

bool ursa_plot_top_losses_opt(ursa_interpretation *interp, int k, const char *path,
                              const ursa_top_losses_options *options)
{
    const ursa_top_loss *tops;
    if (!interp || !path)
        return false;
    if (k < 1)
        return ursa_fail(URSA_ERROR_ARGUMENT, "plot_top_losses: %d items; expected 1 or more", k);
    int count = ursa_top_losses(interp, k, !options->smallest, &tops);
    int64_t *items = count > 0 ? ursa_alloc_array((size_t)count, sizeof *items) : NULL;
    for (int i = 0; items && i < count; i++)
        items[i] = tops[i].item;
    bool done = items && draw_results(interp, items, tops, count, path, options->rows,
                                      options->smallest ? "Smallest losses" : "Top losses");
    free(items);
    return done;
}
