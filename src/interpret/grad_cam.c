/* grad_cam.c — where a network looks (Selvaraju et al., "Grad-CAM: visual
 * explanations from deep networks via gradient-based localization", ICCV 2017).
 *
 * The network is taken apart into the modules it applies one after the other. The
 * last map with more than one place becomes a leaf, so that the gradient of the
 * class with respect to it is the only one that has to be computed.
 */
#include "gallery.h"
#include "base/memory.h"
#include "learner/learner.h"
#include "plot/palette.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 512 };

/* What a network applies, one after the other. */
struct steps {
    ursa_module *step[STEPS];
    int count;
};

static bool take_apart(ursa_module *module, struct steps *steps)
{
    if (strcmp(ursa_module_kind(module), "sequential") == 0) {
        for (int i = 0; i < ursa_children(module); i++)
            if (!take_apart(ursa_child(module, i), steps))
                return false;
        return true;
    }
    if (steps->count == STEPS)
        return ursa_fail(URSA_ERROR_UNSUPPORTED, "grad_cam: the network has more than %d steps", STEPS);
    steps->step[steps->count++] = module;
    return true;
}

static bool is_map(const ursa_tensor *x)
{
    return ursa_ndim(x) == 4 && ursa_dim(x, 1) * ursa_dim(x, 2) > 1;
}

/* The last map [1, H, W, C], and how many steps it took. NULL with an error when there is none. */
static ursa_tensor *last_map(const struct steps *steps, ursa_tensor *x, int *taken)
{
    ursa_tensor *map = NULL;
    ursa_no_grad_begin();
    for (int i = 0; x && i < steps->count; i++) {
        x = ursa_forward(steps->step[i], x);
        if (x && is_map(x)) {
            map = x;
            *taken = i + 1;
        }
    }
    ursa_no_grad_end();
    if (x && !map)
        ursa_fail(URSA_ERROR_SHAPE, "grad_cam: no step of the network puts out a map of more than one place");
    return x ? map : NULL;
}

/* The scores [1, classes] from the leaf on. */
static ursa_tensor *run_rest(const struct steps *steps, int taken, ursa_tensor *leaf)
{
    ursa_tensor *x = leaf;
    for (int i = taken; x && i < steps->count; i++)
        x = ursa_forward(steps->step[i], x);
    return x;
}

static bool settle_class(ursa_tensor *scores, int *class)
{
    int64_t classes = ursa_dim(scores, -1);
    if (!scores)
        return false;
    if (ursa_ndim(scores) != 2 || ursa_dim(scores, 0) != 1)
        return ursa_fail(URSA_ERROR_SHAPE, "grad_cam: the network puts out %d axes; expected scores [1, classes]",
                         ursa_ndim(scores));
    if (*class < 0)
        *class = (int)ursa_item(ursa_argmax(ursa_detach(scores), -1, false));
    return *class < classes ||
           ursa_fail(URSA_ERROR_ARGUMENT, "grad_cam: class %d; expected 0 … %lld", *class, (long long)classes - 1);
}

/* The channels of the map, weighted by the mean of their gradients; only what speaks for the class counts. */
static ursa_tensor *weigh(ursa_tensor *map, ursa_tensor *gradient)
{
    ursa_tensor *weights = ursa_mean(gradient, ursa_axes(1, 2), true);
    ursa_tensor *sum = ursa_relu(ursa_sum(ursa_mul(map, weights), ursa_axes(-1), false));
    double top = ursa_item(ursa_max(sum, ursa_axes(), false));
    return ursa_reshape(top > 0 ? ursa_mul_scalar(sum, 1 / top) : sum, ursa_shape(ursa_dim(map, 1), ursa_dim(map, 2)));
}

/* Parameters need no gradients meanwhile. Remembers which had. */
static bool *freeze(ursa_module *model)
{
    const ursa_parameter *list;
    int count = ursa_parameters(model, &list);
    bool *had = count >= 0 ? ursa_alloc_array((size_t)count + 1, sizeof *had) : NULL;
    for (int i = 0; had && i < count; i++) {
        had[i] = !list[i].is_buffer && ursa_has_grad(list[i].tensor);
        if (had[i])
            ursa_requires_grad(list[i].tensor, false);
    }
    return had;
}

static void thaw(ursa_module *model, bool *had)
{
    const ursa_parameter *list;
    int count = ursa_parameters(model, &list);
    for (int i = 0; had && i < count; i++)
        if (had[i])
            ursa_requires_grad(list[i].tensor, true);
    free(had);
}

static ursa_tensor *explain(const struct steps *steps, ursa_tensor *x, int *class)
{
    int taken = 0;
    ursa_tensor *map = last_map(steps, x, &taken);
    ursa_tensor *leaf = map ? ursa_requires_grad(ursa_detach(map), true) : NULL;
    ursa_tensor *scores = run_rest(steps, taken, leaf);
    if (!settle_class(scores, class) || !ursa_backward(ursa_select(ursa_select(scores, 0, 0), 0, *class)))
        return NULL;
    ursa_no_grad_begin();
    ursa_tensor *result = weigh(ursa_detach(map), ursa_grad(leaf));
    ursa_no_grad_end();
    return result;
}

ursa_tensor *ursa_grad_cam_map(ursa_module *model, ursa_tensor *x, int *class)
{
    struct steps steps = {.count = 0};
    if (!model || !x || !take_apart(model, &steps))
        return NULL;
    bool training = ursa_is_training(model), *had = freeze(model);
    if (!had)
        return NULL;
    ursa_scope *scope = ursa_scope_begin();
    ursa_train_mode(model, false);
    ursa_tensor *result = explain(&steps, x, class);
    ursa_promote(result);
    ursa_train_mode(model, training);
    thaw(model, had);
    ursa_scope_end(scope);
    return result;
}

/* ---- drawing ------------------------------------------------------------------------------ */

/* A copy of at least 256 rows: of small pictures every pixel becomes several. */
static bool enlarge(const ursa_image *image, ursa_image *out)
{
    enum { LEAST = 256 };
    int times = image->rows < LEAST ? (LEAST + image->rows - 1) / image->rows : 1;
    *out = (ursa_image){times * image->rows, times * image->columns, 3, NULL};
    out->pixels = ursa_alloc_array((size_t)out->rows * (size_t)out->columns, 3);
    for (int i = 0; out->pixels && i < out->rows * out->columns; i++) {
        int row = i / out->columns / times, column = i % out->columns / times;
        memcpy(out->pixels + 3 * i, image->pixels + 3 * (row * image->columns + column), 3);
    }
    return out->pixels;
}

/* The picture in grey with the map in colours over it. */
static bool overlay(const ursa_image *image, ursa_tensor *map, ursa_image *out)
{
    size_t pixels = (size_t)image->rows * (size_t)image->columns;
    ursa_tensor *large = ursa_resize2d(ursa_reshape(map, ursa_shape(1, ursa_dim(map, 0), ursa_dim(map, 1), 1)),
                                       image->rows, image->columns, URSA_BILINEAR, false);
    float *heat = ursa_alloc_array(pixels, sizeof *heat);
    *out = (ursa_image){image->rows, image->columns, 3, ursa_alloc_array(pixels, 3)};
    bool done = heat && out->pixels && ursa_read(large, URSA_F32, heat, (int64_t)pixels);
    for (size_t i = 0; done && i < pixels; i++) {
        const uint8_t *under = image->pixels + 3 * i;
        double grey = 0.299 * under[0] + 0.587 * under[1] + 0.114 * under[2];
        ursa_ink ink = ursa_map_colour(URSA_MAGMA, (double)heat[i]);
        const double colour[3] = {ink.red, ink.green, ink.blue};
        for (size_t c = 0; c < 3; c++)
            out->pixels[3 * i + c] = (uint8_t)(0.35 * grey + 0.65 * 255 * colour[c] + 0.5);
    }
    free(heat);
    return done;
}

static bool draw(const struct ursa_gallery *gallery, ursa_tensor *map, int class, const char *path)
{
    ursa_image plain = {0}, covered = {0};
    char *actual = ursa_gallery_words(gallery, gallery->classes, gallery->values);
    char *caption = actual && *actual ? ursa_format("is %s", actual) : ursa_copy_string(" ");
    char *why = class < gallery->name_count ? ursa_format("looks like %s", gallery->names[class])
                                            : ursa_format("looks like class %d", class);
    bool done = caption && why && enlarge(&gallery->images[0], &plain) && overlay(&plain, map, &covered);
    const ursa_plot_cell cells[] = {{.image = &plain, .caption = caption}, {.image = &covered, .caption = why}};
    done = done && ursa_plot_grid(path, cells, 2, .columns = 2, .cell = 256);
    free(plain.pixels);
    free(covered.pixels);
    free(why);
    free(caption);
    free(actual);
    return done;
}

bool ursa_grad_cam(ursa_learner *learner, int64_t index, int class, const char *path)
{
    ursa_dataloaders *data = ursa_learner_data(learner);
    if (!data || !path)
        return false;
    struct ursa_gallery gallery;
    ursa_tensor *x = NULL;
    ursa_scope *scope = ursa_scope_begin();
    bool done = ursa_gallery_fetch(&gallery, data, data->valid, &index, 1, &(struct ursa_gallery_options){.x = &x});
    if (done) {
        ursa_tensor *map = ursa_grad_cam_map(ursa_learner_model(learner), x, &class);
        done = map && draw(&gallery, map, class, path);
        ursa_gallery_free(&gallery);
    }
    ursa_scope_end(scope);
    return done;
}
