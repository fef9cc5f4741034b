/* predict.c — `ursa predict`. */
#include "cli.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static struct {
    bool csv, json;
    int batch;
    common_options common;
} given;

enum { MOST_INPUTS = 10000 };

static const option_spec options[] = {
    {"csv", OPTION_FLAG, &given.csv, NULL, "print a table: file,prediction and a column per class"},
    {"json", OPTION_FLAG, &given.json, NULL, "print a JSON object per line"},
    {"bs", OPTION_INT, &given.batch, "N", "images at a time (64)"},
    COMMON_OPTIONS(given.common),
};

static const command_spec spec = {
    .usage = "ursa predict MODEL IMAGE…|DIR [options]",
    .summary = "Says what a trained model takes images for: file, class, probability. Of a folder\n"
               "all images in it are taken.",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .examples = "  ursa predict photos.ursa new/*.jpg\n  ursa predict photos.ursa new --csv >predictions.csv",
    .least = 2,
    .most = 1 + MOST_INPUTS,
};

/* ---- the inputs ------------------------------------------------------------------- */

static bool add_folder(const char *path, ursa_item_list *list)
{
    ursa_lister lister = ursa_get_image_files;
    return lister.list(&lister, &(ursa_source){.path = path}, list);
}

static bool is_folder(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

/* Files are taken as they are named, folders with all images in them. */
static bool list_inputs(void *context, const ursa_source *source, ursa_item_list *list)
{
    (void)source;
    for (char **path = context; *path; path++) {
        if (!(is_folder(*path) ? add_folder(*path, list) : ursa_item_list_add(list, &(ursa_data_item){.path = *path})))
            return false;
    }
    return true;
}

/* ---- the outputs -------------------------------------------------------------------- */

static void print_cell(const char *text)
{
    if (!strpbrk(text, ",\"\n\r")) {
        printf("%s", text);
        return;
    }
    putchar('"');
    for (; *text; text++)
        printf(*text == '"' ? "\"\"" : "%c", *text);
    putchar('"');
}

static void print_csv_header(const ursa_prediction *prediction)
{
    printf("file,prediction");
    for (int64_t c = 0; c < prediction->count; c++) {
        putchar(',');
        if (prediction->vocab)
            print_cell(prediction->vocab[c]);
        else
            printf("%lld", (long long)c + 1);
    }
    putchar('\n');
}

static bool print_csv(const char *path, const ursa_prediction *prediction)
{
    print_cell(path);
    putchar(',');
    print_cell(prediction->text);
    for (int64_t c = 0; c < prediction->count; c++)
        printf(",%.6g", (double)prediction->numbers[c]);
    putchar('\n');
    return true;
}

static bool print_json(const char *path, const ursa_prediction *prediction)
{
    cJSON *json = cJSON_CreateObject(), *numbers = NULL;
    cJSON_AddStringToObject(json, "file", path);
    cJSON_AddStringToObject(json, "prediction", prediction->text);
    if (prediction->vocab) {
        numbers = cJSON_AddObjectToObject(json, "probabilities");
        for (int64_t c = 0; c < prediction->count; c++)
            cJSON_AddNumberToObject(numbers, prediction->vocab[c], (double)prediction->numbers[c]);
    } else {
        numbers = cJSON_CreateFloatArray(prediction->numbers, (int)prediction->count);
        cJSON_AddItemToObject(json, "numbers", numbers);
    }
    char *line = cJSON_PrintUnformatted(json);
    bool made = line && numbers;
    if (made)
        puts(line);
    cJSON_free(line);
    cJSON_Delete(json);
    return made || ursa_fail(URSA_ERROR_MEMORY, "predict: out of memory");
}

static bool print_line(const char *path, const ursa_prediction *prediction)
{
    printf("%s\t%s", path, *prediction->text ? prediction->text : "-");
    if (prediction->index >= 0)
        printf("\t%.1f %%", 100 * (double)prediction->numbers[prediction->index]);
    putchar('\n');
    return true;
}

static bool print_results(ursa_learner *learner, ursa_dataloader *loader, const ursa_outputs *outputs)
{
    bool done = true;
    for (int64_t i = 0; done && i < outputs->count; i++) {
        const ursa_prediction *prediction = ursa_prediction_of(learner, loader, outputs, i);
        const char *path = ursa_dataset_path(ursa_dataloader_dataset(loader), outputs->indices[i]);
        if (prediction && given.csv && i == 0)
            print_csv_header(prediction);
        done = prediction && (given.json  ? print_json(path, prediction)
                              : given.csv ? print_csv(path, prediction)
                                          : print_line(path, prediction));
    }
    return done;
}

/* ---- the command ------------------------------------------------------------------------ */

static bool predict(ursa_learner *learner, const char **paths)
{
    ursa_dataloaders *data = ursa_learner_data(learner);
    bool alone = !paths[1] && !is_folder(paths[0]); /* what cannot be read is an error, not something to skip */
    const ursa_datablock_options *block = data ? ursa_datablock_options_of(data->block) : NULL;
    ursa_datablock *inputs =
        block ? ursa_datablock_with(data->block, .get_items = ursa_get_by_function(list_inputs, paths)) : NULL;
    ursa_dataloaders *loaders =
        inputs ? ursa_dataloaders_without_data(inputs, .batch_size = given.batch, .strict = alone) : NULL;
    ursa_dataloader *loader = loaders ? ursa_test_loader_of(loaders, &(ursa_source){.path = ""}) : NULL;
    ursa_outputs *outputs = loader ? ursa_get_preds(learner, loader) : NULL;
    bool done = outputs && print_results(learner, loader, outputs);
    ursa_outputs_free(outputs);
    ursa_dataloader_free(loader);
    return done;
}

int run_predict(int argc, char **argv)
{
    static const char *arguments[1 + MOST_INPUTS + 1];
    int status;
    given.batch = 64;
    if (read_options(&spec, argc, argv, arguments, &status) < 0)
        return status;
    if (given.csv && given.json)
        return usage_error(&spec, "--csv and --json exclude each other");
    if (given.batch < 1)
        return usage_error(&spec, "--bs is %d; expected 1 or more", given.batch);
    say_warnings();
    ursa_set_progress(false);
    ursa_learner *learner = apply_common(&given.common) ? ursa_load_learner(arguments[0]) : NULL;
    return learner && predict(learner, arguments + 1) ? EXIT_FINE : EXIT_ERROR;
}
