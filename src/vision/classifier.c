/* classifier.c — the file of a trained classifier: safetensors with what it takes
 * to use the weights in its metadata. */
#include <ursa/vision.h>
#include "base/error.h"
#include "base/memory.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char format_name[] = "ursa-classifier", format_version[] = "1";

/* ---- saving ---------------------------------------------------------------------- */

static char *classes_text(const ursa_classifier *classifier)
{
    cJSON *list = cJSON_CreateStringArray(classifier->classes, classifier->class_count);
    char *text = cJSON_PrintUnformatted(list);
    cJSON_Delete(list);
    return text;
}

/* Numbers with as many digits as bring back the same float. */
static void stats_text(const float *values, int count, char *text, size_t size)
{
    size_t used = (size_t)snprintf(text, size, "[");
    for (int i = 0; i < count; i++)
        used += (size_t)snprintf(text + used, size - used, i ? ",%.9g" : "%.9g", (double)values[i]);
    snprintf(text + used, size - used, "]");
}

bool ursa_classifier_save(const ursa_classifier *classifier, const char *path)
{
    if (!classifier || !classifier->model)
        return false;
    char *classes = classes_text(classifier), size[16], channels[16], mean[64], std[64];
    snprintf(size, sizeof size, "%d", classifier->size);
    snprintf(channels, sizeof channels, "%d", classifier->channels);
    stats_text(classifier->stats.mean, classifier->channels, mean, sizeof mean);
    stats_text(classifier->stats.std, classifier->channels, std, sizeof std);
    ursa_metadata metadata[] = {
        {"format", format_name},
        {"version", format_version},
        {"arch", classifier->arch},
        {"classes", classes},
        {"size", size},
        {"channels", channels},
        {"mean", mean},
        {"std", std},
    };
    bool saved = classes && ursa_save_parameters(classifier->model, path, metadata, sizeof metadata / sizeof *metadata);
    cJSON_free(classes);
    return saved;
}

/* ---- loading ----------------------------------------------------------------------- */

/* What a loaded classifier owns besides what it shows. */
struct loaded {
    ursa_classifier classifier;
    char *arch;
    char **classes;
};

static const char *field(const ursa_safetensors *file, const char *key)
{
    const char *value = ursa_safetensors_metadata(file, key);
    if (!value)
        ursa_fail(URSA_ERROR_FORMAT, "not a model of ursa: its metadata has no \"%s\"", key);
    return value;
}

static bool whole_field(const ursa_safetensors *file, const char *key, int low, int high, int *out)
{
    const char *text = field(file, key);
    char *end;
    long value = text ? strtol(text, &end, 10) : 0;
    if (text && (end == text || *end || value < low || value > high))
        return ursa_fail(URSA_ERROR_FORMAT, "\"%s\" is \"%.40s\"; expected %d to %d", key, text, low, high);
    *out = (int)value;
    return text;
}

static bool stats_field(const ursa_safetensors *file, const char *key, int channels, bool above_zero, float *out)
{
    const char *text = field(file, key);
    cJSON *list = text ? cJSON_Parse(text) : NULL;
    bool fits = cJSON_IsArray(list) && cJSON_GetArraySize(list) == channels;
    for (int c = 0; fits && c < channels; c++) {
        double value = cJSON_GetNumberValue(cJSON_GetArrayItem(list, c));
        fits = isfinite(value) && (!above_zero || value > 0);
        out[c] = (float)value;
    }
    cJSON_Delete(list);
    if (text && !fits)
        ursa_fail(URSA_ERROR_FORMAT, "\"%s\" is \"%.40s\"; expected a list of %d numbers", key, text, channels);
    return fits;
}

static bool classes_field(const ursa_safetensors *file, struct loaded *loaded)
{
    const char *text = field(file, "classes");
    cJSON *list = text ? cJSON_Parse(text) : NULL;
    int count = cJSON_IsArray(list) ? cJSON_GetArraySize(list) : 0;
    bool fits = count > 0 && (loaded->classes = ursa_alloc_array((size_t)count, sizeof *loaded->classes));
    loaded->classifier.classes = (const char *const *)loaded->classes;
    for (const cJSON *item = fits ? list->child : NULL; fits && item; item = item->next) {
        fits = cJSON_IsString(item) &&
               (loaded->classes[loaded->classifier.class_count] = ursa_copy_string(item->valuestring));
        loaded->classifier.class_count += fits;
    }
    cJSON_Delete(list);
    if (text && !fits)
        ursa_fail(URSA_ERROR_FORMAT, "\"classes\" is no list of names");
    return fits;
}

static bool read_metadata(const ursa_safetensors *file, struct loaded *loaded)
{
    ursa_classifier *classifier = &loaded->classifier;
    const char *format = field(file, "format"), *version = field(file, "version"), *arch = field(file, "arch");
    if (!format || !version || !arch)
        return false;
    if (strcmp(format, format_name) != 0 || strcmp(version, format_version) != 0)
        return ursa_fail(URSA_ERROR_FORMAT, "format \"%.40s\" version \"%.40s\"; expected \"%s\" version \"%s\"",
                         format, version, format_name, format_version);
    loaded->arch = ursa_copy_string(arch);
    classifier->arch = loaded->arch;
    if (!loaded->arch || !whole_field(file, "size", 1, 4096, &classifier->size) ||
        !whole_field(file, "channels", 1, 3, &classifier->channels) || !classes_field(file, loaded))
        return false;
    classifier->stats.channels = classifier->channels;
    return stats_field(file, "mean", classifier->channels, false, classifier->stats.mean) &&
           stats_field(file, "std", classifier->channels, true, classifier->stats.std);
}

static bool make_model(const ursa_safetensors *file, ursa_classifier *classifier)
{
    const ursa_arch *arch = ursa_arch_find(classifier->arch);
    classifier->model = arch ? arch->make(classifier->channels, classifier->class_count) : NULL;
    if (!ursa_load_parameters(classifier->model, file))
        return false;
    ursa_train_mode(classifier->model, false);
    return true;
}

ursa_classifier *ursa_classifier_load(const char *path)
{
    ursa_safetensors *file = ursa_safetensors_open(path);
    struct loaded *loaded = file ? ursa_alloc(sizeof *loaded) : NULL;
    ursa_context_push("%s", path);
    bool whole = loaded && read_metadata(file, loaded) && make_model(file, &loaded->classifier);
    ursa_context_pop();
    ursa_safetensors_close(file);
    if (!whole && loaded) {
        ursa_classifier_free(&loaded->classifier);
        return NULL;
    }
    return loaded ? &loaded->classifier : NULL;
}

void ursa_classifier_free(ursa_classifier *classifier)
{
    if (!classifier)
        return;
    struct loaded *loaded = (struct loaded *)classifier;
    for (int i = 0; i < classifier->class_count; i++)
        free(loaded->classes[i]);
    ursa_module_free(classifier->model);
    free(loaded->classes);
    free(loaded->arch);
    free(loaded);
}

ursa_tensor *ursa_classify(const ursa_classifier *classifier, ursa_tensor *images)
{
    if (!classifier || !images)
        return NULL;
    ursa_scope *scope = ursa_scope_begin();
    ursa_no_grad_begin();
    ursa_image_stats stats = classifier->stats;
    ursa_tensor *x = ursa_normalize_images(&stats, images);
    ursa_tensor *probabilities = ursa_promote(ursa_softmax(ursa_forward(classifier->model, x), -1));
    ursa_no_grad_end();
    ursa_scope_end(scope);
    return probabilities;
}
