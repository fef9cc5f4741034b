/* weights.c — `ursa weights`: pretrained weights of others. */
#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    const char *base, *file;
    bool quiet;
    int top;
} given;

/* ---- list ----------------------------------------------------------------------------- */

static const command_spec list_spec = {
    .usage = "ursa weights list",
    .summary = "Lists the pretrained weights that `ursa weights get` knows, the networks they are\n"
               "for and the sizes of their files. A star marks those that are there.",
    .least = 0,
    .most = 0,
};

static int run_list(int argc, char **argv)
{
    int status;
    const char *none;
    if (read_options(&list_spec, argc, argv, &none, &status) < 0)
        return status;
    for (int i = 0; i < ursa_weights_count(); i++) {
        const ursa_weights *weights = ursa_weights_at(i);
        char size[32], *path = ursa_weights_path(weights);
        format_bytes(weights->bytes, size, sizeof size);
        printf("%s %-19s %-19s %9s  %s\n", path ? "*" : " ", weights->name, weights->arch, size, weights->text);
        free(path);
    }
    return EXIT_FINE;
}

/* ---- get -------------------------------------------------------------------------------- */

static const option_spec get_options[] = {
    {"from", OPTION_TEXT, &given.base, "URL", "another folder on the web that has the file (URSA_WEIGHTS_URL)"},
    {"quiet", OPTION_FLAG, &given.quiet, NULL, "no bars", 'q'},
};

static const command_spec get_spec = {
    .usage = "ursa weights get NAME [options]",
    .summary = "Downloads pretrained weights to URSA_HOME/weights (~/.ursa/weights) unless they are\n"
               "there, checks them, and prints their path. What was interrupted goes on where it\n"
               "stopped.",
    .options = get_options,
    .option_count = sizeof get_options / sizeof *get_options,
    .examples = "  ursa weights get resnet18\n"
                "  ursa train image bears --arch resnet18 --pretrained",
    .least = 1,
    .most = 1,
};

static int run_get(int argc, char **argv)
{
    int status;
    const char *name;
    if (read_options(&get_spec, argc, argv, &name, &status) < 0)
        return status;
    say_warnings();
    ursa_set_progress(!given.quiet);
    return end_with_path(ursa_weights_get(ursa_weights_find(name), given.base), false);
}

/* ---- convert ------------------------------------------------------------------------------ */

static const command_spec convert_spec = {
    .usage = "ursa weights convert IN OUT.safetensors",
    .summary = "Reads a checkpoint (.pth or .pt of PyTorch, executing nothing, or .safetensors) and\n"
               "writes its tensors as safetensors.",
    .examples = "  ursa weights convert resnet18-f37072fd.pth resnet18.safetensors",
    .least = 2,
    .most = 2,
};

static int run_convert(int argc, char **argv)
{
    int status;
    const char *paths[2];
    if (read_options(&convert_spec, argc, argv, paths, &status) < 0)
        return status;
    ursa_checkpoint *file = ursa_checkpoint_open(paths[0]);
    bool written = ursa_checkpoint_convert(file, paths[1]);
    if (written)
        printf("%s: %d tensors of a file of %s\n", paths[1], ursa_checkpoint_count(file), ursa_checkpoint_format(file));
    ursa_checkpoint_close(file);
    return written ? EXIT_FINE : EXIT_ERROR;
}

/* ---- try ------------------------------------------------------------------------------------ */

static const option_spec try_options[] = {
    {"file", OPTION_TEXT, &given.file, "FILE", "the weights are in this file"},
    {"top", OPTION_INT, &given.top, "N", "how many classes to show (5)"},
};

static const command_spec try_spec = {
    .usage = "ursa weights try NAME IMAGE… [options]",
    .summary = "Says which of ImageNet's 1000 classes a pretrained network sees in images: the\n"
               "middle of each, at 224 pixels.",
    .options = try_options,
    .option_count = sizeof try_options / sizeof *try_options,
    .examples = "  ursa weights try resnet18 cat.jpg",
    .least = 2,
    .most = 64,
};

enum { SIZE = 224, CLASSES = 1000 };

/* Of more than the middle square's edge, as images were cut when networks were
 * measured: 224 of 256 pixels. */
static bool read_middle(const char *path, uint8_t *pixels)
{
    enum { WHOLE = 256, MARGIN = (WHOLE - SIZE) / 2 };
    uint8_t *square = malloc((size_t)WHOLE * WHOLE * 3);
    bool read = square && ursa_read_square(path, WHOLE, 3, square);
    for (int row = 0; read && row < SIZE; row++)
        memcpy(pixels + (size_t)row * SIZE * 3, square + ((size_t)(row + MARGIN) * WHOLE + MARGIN) * 3,
               (size_t)SIZE * 3);
    free(square);
    return read;
}

/* 8-bit pixels as the weights expect them. */
static ursa_tensor *normalized(const ursa_weights *weights, ursa_tensor *x)
{
    const ursa_transform list[URSA_TRANSFORMS] = {ursa_normalize(weights->stats)};
    ursa_transform_batch batch = {.x = x, .x_kind = URSA_KIND_IMAGE, .count = 1};
    return x && ursa_transform_run_batch(list, false, &batch) ? batch.x : NULL;
}

static bool classify(const ursa_weights *weights, ursa_module *network, const char *path)
{
    uint8_t *pixels = malloc((size_t)SIZE * SIZE * 3);
    bool read = pixels && read_middle(path, pixels);
    ursa_scope *scope = ursa_scope_begin();
    ursa_tensor *x = read ? ursa_from(pixels, ursa_shape(1, SIZE, SIZE, 3), .dtype = URSA_U8) : NULL, *values, *indices;
    free(pixels);
    ursa_no_grad_begin();
    ursa_tensor *probabilities = ursa_softmax(ursa_forward(network, normalized(weights, x)), -1);
    float found[CLASSES];
    int64_t classes[CLASSES];
    bool done = ursa_topk(probabilities, -1, given.top, true, &values, &indices) &&
                ursa_read(values, URSA_F32, found, given.top) && ursa_read(indices, URSA_I64, classes, given.top);
    ursa_no_grad_end();
    for (int i = 0; done && i < given.top; i++)
        printf("%s\t%5.1f %%\t%s\n", path, 100 * (double)found[i], ursa_imagenet_classes()[classes[i]]);
    ursa_scope_end(scope);
    return done;
}

/* The network with its weights, ready to be used. */
static ursa_module *load(const ursa_weights *weights)
{
    const ursa_arch *arch = weights ? ursa_arch_find(weights->arch) : NULL;
    char *path = weights && !given.file ? ursa_weights_path(weights) : NULL;
    if (weights && !given.file && !path)
        ursa_fail(URSA_ERROR_IO, "the weights %s are not here; `ursa weights get %s` brings them", weights->name,
                  weights->name);
    ursa_checkpoint *file = ursa_checkpoint_open(given.file ? given.file : path);
    free(path);
    ursa_module *network = file ? arch->make(3, CLASSES) : NULL;
    bool loaded = ursa_arch_load(arch, network, file);
    ursa_checkpoint_close(file);
    ursa_train_mode(network, false);
    if (loaded)
        return network;
    ursa_module_free(network);
    return NULL;
}

static int run_try(int argc, char **argv)
{
    int status;
    const char *names[64];
    given.top = 5;
    int count = read_options(&try_spec, argc, argv, names, &status);
    if (count < 0)
        return status;
    if (given.top < 1 || given.top > CLASSES)
        return usage_error(&try_spec, "--top is %d; expected 1 to %d", given.top, CLASSES);
    say_warnings();
    const ursa_weights *weights = ursa_weights_find(names[0]);
    ursa_module *network = load(weights);
    bool done = network;
    for (int i = 1; done && i < count; i++)
        done = classify(weights, network, names[i]);
    ursa_module_free(network);
    return done ? EXIT_FINE : EXIT_ERROR;
}

/* ---- which ------------------------------------------------------------------------------- */

static const subcommand subcommands[] = {
    {"list", "list the weights there are", run_list},
    {"get", "download weights", run_get},
    {"convert", "write a checkpoint as safetensors", run_convert},
    {"try", "classify images with a pretrained network", run_try},
};

int run_weights(int argc, char **argv)
{
    return run_subcommand("ursa weights", subcommands, sizeof subcommands / sizeof *subcommands, argc, argv);
}
