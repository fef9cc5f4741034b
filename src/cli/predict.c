/* predict.c — `ursa predict` and `ursa interpret`. */
#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static common_options common;

/* ---- predict -------------------------------------------------------------------- */

enum { MOST_IMAGES = 1000 };

static const option_spec predict_options[] = {COMMON_OPTIONS(common)};

static const command_spec predict_spec = {
    .usage = "ursa predict MODEL IMAGE… [options]",
    .summary = "Says what a trained network takes images for: file, class, probability.",
    .options = predict_options,
    .option_count = sizeof predict_options / sizeof *predict_options,
    .examples = "  ursa predict photos.ursa new/*.jpg",
    .least = 2,
    .most = 1 + MOST_IMAGES,
};

static bool predict_one(const ursa_classifier *classifier, const char *path)
{
    uint8_t *pixels = malloc((size_t)classifier->size * (size_t)classifier->size * (size_t)classifier->channels);
    float *probabilities = malloc((size_t)classifier->class_count * sizeof *probabilities);
    ursa_dims shape = ursa_shape(1, classifier->size, classifier->size, classifier->channels);
    ursa_scope *scope = ursa_scope_begin();
    bool done = pixels && probabilities && ursa_read_square(path, classifier->size, classifier->channels, pixels) &&
                ursa_read(ursa_classify(classifier, ursa_from(pixels, shape, .dtype = URSA_U8)), URSA_F32,
                          probabilities, classifier->class_count);
    int best = 0;
    for (int c = 1; done && c < classifier->class_count; c++)
        best = probabilities[c] > probabilities[best] ? c : best;
    if (done)
        printf("%s\t%s\t%.1f %%\n", path, classifier->classes[best], 100 * (double)probabilities[best]);
    ursa_scope_end(scope);
    free(probabilities);
    free(pixels);
    return done;
}

int run_predict(int argc, char **argv)
{
    const char *arguments[1 + MOST_IMAGES];
    int status, count = read_options(&predict_spec, argc, argv, arguments, &status);
    if (count < 0)
        return status;
    ursa_classifier *classifier = apply_common(&common) ? ursa_classifier_load(arguments[0]) : NULL;
    bool done = classifier;
    for (int i = 1; done && i < count; i++)
        done = predict_one(classifier, arguments[i]);
    ursa_classifier_free(classifier);
    return done ? EXIT_FINE : EXIT_ERROR;
}

/* ---- interpret ------------------------------------------------------------------- */

static struct {
    const char *out;
    int count;
} given;

static const option_spec interpret_options[] = {
    {"out", OPTION_TEXT, &given.out, "DIR", "folder for the pictures (the current one)"},
    {"count", OPTION_INT, &given.count, "N", "how many images to show (40)"},
    COMMON_OPTIONS(common),
};

static const command_spec interpret_spec = {
    .usage = "ursa interpret MODEL DATA [options]",
    .summary = "Shows what a trained network makes of the validation images of DATA:\n"
               "writes predictions.png.",
    .options = interpret_options,
    .option_count = sizeof interpret_options / sizeof *interpret_options,
    .examples = "  ursa interpret photos.ursa photos --out report",
    .least = 2,
    .most = 2,
};

static bool make_folder(const char *path)
{
    if (mkdir(path, 0777) == 0 || errno == EEXIST)
        return true;
    return ursa_fail(URSA_ERROR_IO, "%s: cannot be made: %s", path, strerror(errno));
}

static bool interpret(const ursa_classifier *classifier, const char *data_path)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/predictions.png", given.out);
    ursa_image_data *data = ursa_image_data_open(data_path, .size = classifier->size);
    bool done = data && make_folder(given.out) &&
                ursa_plot_predictions(path, classifier, ursa_dataloader_dataset(data->loaders.valid), given.count);
    if (done)
        printf("wrote %s\n", path);
    ursa_image_data_free(data);
    return done;
}

int run_interpret(int argc, char **argv)
{
    const char *arguments[2];
    int status;
    given.out = ".";
    given.count = 40;
    if (read_options(&interpret_spec, argc, argv, arguments, &status) < 0)
        return status;
    if (given.count < 1 || given.count > 1000)
        return usage_error(&interpret_spec, "--count is %d; expected 1 to 1000", given.count);
    ursa_classifier *classifier = apply_common(&common) ? ursa_classifier_load(arguments[0]) : NULL;
    bool done = classifier && interpret(classifier, arguments[1]);
    ursa_classifier_free(classifier);
    return done ? EXIT_FINE : EXIT_ERROR;
}
