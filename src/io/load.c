/* load.c — the parameters of a module from a checkpoint: first everything is
 * matched, then everything is read, so that a file that does not fit changes
 * nothing. */
#include "checkpoint.h"
#include "base/log.h"
#include "base/memory.h"
#include "tensor/tensor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMED = 3 }; /* of a list of names, how many are written out */

/* A parameter and the tensor it gets. */
struct match {
    const ursa_parameter *parameter;
    const ursa_stored_tensor *stored; /* NULL: missing */
    ursa_dims shape;                  /* of `stored`, in our layout */
    bool optional, fits, adapt;
};

struct loading {
    const ursa_checkpoint *file;
    const ursa_load_options *options;
    struct match *matches;
    int count;
    bool channels_first;
};

/* ---- layout -------------------------------------------------------------------- */

static ursa_dims channels_last(ursa_dims shape)
{
    return shape.ndim == 4 ? ursa_shape(shape.dim[0], shape.dim[2], shape.dim[3], shape.dim[1]) : shape;
}

static bool same(ursa_dims a, ursa_dims b)
{
    return a.ndim == b.ndim && memcmp(a.dim, b.dim, (size_t)a.ndim * sizeof *a.dim) == 0;
}

/* Of a file that does not say, by shape: PyTorch's when more weights fit so, or
 * as many (all kernels as wide as the layers): files without metadata come from
 * there. */
static bool guess_channels_first(const struct loading *loading)
{
    int torch = 0, ours = 0;
    for (int i = 0; i < loading->count; i++) {
        const struct match *match = &loading->matches[i];
        if (!match->stored || match->stored->shape.ndim != 4)
            continue;
        ursa_dims expected = ursa_dims_of(match->parameter->tensor);
        torch += same(channels_last(match->stored->shape), expected);
        ours += same(match->stored->shape, expected);
    }
    return torch >= ours;
}

/* ---- matching ------------------------------------------------------------------ */

static const ursa_stored_tensor *find(const struct loading *loading, const char *name)
{
    const ursa_stored_tensor *stored = ursa_checkpoint_find(loading->file, name);
    char text[256];
    if (!stored && loading->options->other_name)
        name = loading->options->other_name(name, text, sizeof text);
    return stored || !name ? stored : ursa_checkpoint_find(loading->file, name);
}

static bool is_optional(const ursa_load_options *options, const char *name)
{
    for (int i = 0; i < options->optional_count; i++) {
        size_t length = strlen(options->optional[i]);
        if (strncmp(name, options->optional[i], length) == 0 && (name[length] == '.' || !name[length]))
            return true;
    }
    return false;
}

/* The first convolution, of another number of input channels than the file's 3. */
static bool can_adapt(const struct match *match, ursa_dims expected)
{
    if (match->shape.ndim != 4 || expected.ndim != 4 || match->shape.dim[3] != 3)
        return false;
    ursa_dims widened = match->shape;
    widened.dim[3] = expected.dim[3];
    return same(widened, expected);
}

static void match_shapes(struct loading *loading)
{
    bool first = true;
    for (int i = 0; i < loading->count; i++) {
        struct match *match = &loading->matches[i];
        ursa_dims expected = ursa_dims_of(match->parameter->tensor);
        if (!match->stored)
            continue;
        match->shape = loading->channels_first ? channels_last(match->stored->shape) : match->stored->shape;
        match->fits = same(match->shape, expected);
        if (expected.ndim == 4) {
            match->adapt = first && !match->fits && loading->options->adapt_channels && can_adapt(match, expected);
            match->fits = match->fits || match->adapt;
            first = false;
        }
    }
}

static void find_matches(struct loading *loading, const ursa_parameter *list)
{
    for (int i = 0; i < loading->count; i++)
        loading->matches[i] = (struct match){
            .parameter = &list[i],
            .stored = find(loading, list[i].name),
            .optional = is_optional(loading->options, list[i].name),
        };
    ursa_weight_layout layout = loading->file->layout;
    loading->channels_first =
        layout == URSA_LAYOUT_TORCH || (layout == URSA_LAYOUT_UNKNOWN && guess_channels_first(loading));
    match_shapes(loading);
}

/* ---- saying what does not fit ----------------------------------------------------- */

struct names {
    char text[400];
    int count;
};

static void add_name(struct names *names, const char *name)
{
    size_t used = strlen(names->text);
    if (names->count++ < NAMED)
        snprintf(names->text + used, sizeof names->text - used, "%s\"%.100s\"", used ? ", " : "", name);
}

static void end_names(struct names *names)
{
    size_t used = strlen(names->text);
    if (names->count > NAMED)
        snprintf(names->text + used, sizeof names->text - used, " and %d more", names->count - NAMED);
}

static bool check_missing(const struct loading *loading)
{
    struct names missing = {0}, there = {0};
    for (int i = 0; i < loading->count; i++)
        if (!loading->matches[i].optional && !loading->matches[i].stored)
            add_name(&missing, loading->matches[i].parameter->name);
    if (!missing.count)
        return true;
    for (int i = 0; i < ursa_checkpoint_count(loading->file); i++)
        add_name(&there, ursa_checkpoint_at(loading->file, i)->name);
    end_names(&missing);
    end_names(&there);
    return ursa_fail(URSA_ERROR_FORMAT, "%s: has no tensor %s; it has %s", loading->file->path, missing.text,
                     there.count ? there.text : "none at all");
}

static bool check_shapes(const struct loading *loading)
{
    const struct match *first = NULL;
    int others = -1;
    for (int i = 0; i < loading->count; i++) {
        const struct match *match = &loading->matches[i];
        if (match->optional || !match->stored || match->fits)
            continue;
        first = first ? first : match;
        others++;
    }
    if (!first)
        return true;
    ursa_dims expected = ursa_dims_of(first->parameter->tensor);
    char more[40] = "";
    if (others > 0)
        snprintf(more, sizeof more, "; %d more do not fit", others);
    return ursa_fail(URSA_ERROR_SHAPE, "%s: tensor \"%s\" is %s, expected %s%s", loading->file->path,
                     first->parameter->name, ursa_shape_text(first->shape.ndim, first->shape.dim).text,
                     ursa_shape_text(expected.ndim, expected.dim).text, more);
}

/* Whether the optional ones are all there; if not, none is read. */
static bool optional_fit(const struct loading *loading)
{
    bool any = false;
    for (int i = 0; i < loading->count; i++) {
        const struct match *match = &loading->matches[i];
        if (match->optional && !match->fits)
            return false;
        any = any || match->optional;
    }
    return any;
}

static int compare_stored(const void *a, const void *b)
{
    const ursa_stored_tensor *x = ((const struct match *)a)->stored, *y = ((const struct match *)b)->stored;
    return (x > y) - (x < y);
}

/* Tensors of the file that nobody asked for. Counters of batches are PyTorch's
 * own book-keeping. Sorts the matches. */
static void log_unexpected(struct loading *loading)
{
    struct names names = {0};
    qsort(loading->matches, (size_t)loading->count, sizeof *loading->matches, compare_stored);
    for (int i = 0; i < ursa_checkpoint_count(loading->file); i++) {
        struct match key = {.stored = ursa_checkpoint_at(loading->file, i)};
        const char *name = key.stored->name, *dot = strrchr(name, '.');
        if (dot && strcmp(dot, ".num_batches_tracked") == 0)
            continue;
        if (!bsearch(&key, loading->matches, (size_t)loading->count, sizeof key, compare_stored))
            add_name(&names, name);
    }
    end_names(&names);
    if (names.count)
        ursa_log_line(URSA_LOG_INFO, "%s: not used: %s", loading->file->path, names.text);
}

/* ---- reading ---------------------------------------------------------------------- */

/* Weights for `channels` from weights [O, H, W, 3]. */
static ursa_tensor *adapt(ursa_tensor *weight, int64_t channels)
{
    if (channels == 1)
        return ursa_sum(weight, ursa_axes(3), true);
    if (channels == 2)
        return ursa_mul_scalar(ursa_slice(weight, 3, 0, 2, 1), 1.5);
    return ursa_pad(weight, ursa_shape(0, 0, 0, 0), ursa_shape(0, 0, 0, channels - 3), URSA_PAD_MODE_CONSTANT, 0);
}

static bool read_tensor(const struct loading *loading, const struct match *match)
{
    ursa_tensor *parameter = match->parameter->tensor;
    const ursa_stored_tensor *stored = match->stored;
    bool turn = loading->channels_first && stored->shape.ndim == 4;
    if (!turn && !match->adapt)
        return ursa_write_(parameter, stored->dtype, stored->data, ursa_count(parameter));
    ursa_scope *scope = ursa_scope_begin();
    ursa_tensor *x =
        ursa_from(stored->data, stored->shape, .dtype = stored->dtype, .device = ursa_device_of(parameter));
    x = turn ? ursa_permute(x, ursa_shape(0, 2, 3, 1)) : x;
    x = match->adapt ? adapt(x, ursa_dim(parameter, 3)) : x;
    bool read = x && ursa_copy_(parameter, x);
    ursa_scope_end(scope);
    return read;
}

static bool read_all(const struct loading *loading, bool with_optional)
{
    ursa_no_grad_begin();
    bool read = true;
    for (int i = 0; read && i < loading->count; i++)
        if (with_optional || !loading->matches[i].optional)
            read = read_tensor(loading, &loading->matches[i]);
    ursa_no_grad_end();
    return read;
}

bool ursa_load_checkpoint_opt(ursa_module *module, const ursa_checkpoint *file, const ursa_load_options *options)
{
    const ursa_parameter *list;
    int count = file ? ursa_parameters(module, &list) : -1;
    if (count < 0)
        return false;
    struct loading loading = {.file = file, .options = options, .count = count};
    loading.matches = ursa_alloc_array((size_t)count + 1, sizeof *loading.matches);
    if (!loading.matches)
        return false;
    find_matches(&loading, list);
    bool with_optional = optional_fit(&loading);
    bool loaded = check_missing(&loading) && check_shapes(&loading) && read_all(&loading, with_optional);
    if (loaded && options->optional_loaded)
        *options->optional_loaded = with_optional;
    if (loaded)
        log_unexpected(&loading);
    free(loading.matches);
    return loaded;
}
