/* metrics.c — metrics by name, for --metrics. */
#include "image_job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef ursa_metric metric_maker(const ursa_metric_options *options);

static ursa_metric accuracy(const ursa_metric_options *options)
{
    (void)options;
    return ursa_accuracy;
}

static ursa_metric error_rate(const ursa_metric_options *options)
{
    (void)options;
    return ursa_error_rate;
}

static ursa_metric top5(const ursa_metric_options *options)
{
    (void)options;
    return ursa_top_k_accuracy(5);
}

static ursa_metric f1(const ursa_metric_options *options)
{
    return ursa_metric_fbeta(1, options);
}

static ursa_metric f2(const ursa_metric_options *options)
{
    return ursa_metric_fbeta(2, options);
}

static const struct {
    const char *name;
    metric_maker *single, *multiple; /* for one class per image, and for several; NULL: makes no sense */
} known[] = {
    {"accuracy", accuracy, ursa_metric_accuracy_multi},
    {"error_rate", error_rate, NULL},
    {"top5", top5, NULL},
    {"balanced_accuracy", ursa_metric_balanced_accuracy, NULL},
    {"precision", ursa_metric_precision, ursa_metric_precision},
    {"recall", ursa_metric_recall, ursa_metric_recall},
    {"f1", f1, f1},
    {"f2", f2, f2},
    {"jaccard", ursa_metric_jaccard, ursa_metric_jaccard},
    {"hamming", ursa_metric_hamming_loss, ursa_metric_hamming_loss},
    {"roc_auc", ursa_metric_roc_auc, ursa_metric_roc_auc},
    {"average_precision", ursa_metric_average_precision, ursa_metric_average_precision},
    {"kappa", ursa_metric_cohen_kappa, NULL},
    {"matthews", ursa_metric_matthews, NULL},
};
enum { KNOWN = sizeof known / sizeof *known };

static metric_maker *maker(int index, bool multiple)
{
    return multiple ? known[index].multiple : known[index].single;
}

static bool unknown_metric(const char *name, bool multiple)
{
    char names[400] = "";
    for (int i = 0; i < KNOWN; i++) {
        size_t used = strlen(names);
        if (maker(i, multiple))
            snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "", known[i].name);
    }
    return ursa_fail(URSA_ERROR_ARGUMENT, "--metrics: there is no \"%s\" for images with %s; there are %s", name,
                     multiple ? "several classes" : "one class", names);
}

/* NAME or NAME@THRESHOLD. */
static bool read_metric(char *text, bool multiple, ursa_metric *out)
{
    ursa_metric_options options = {.average = multiple ? URSA_SAMPLES : URSA_AVERAGE_AUTO};
    char *at = strchr(text, '@'), *end = NULL;
    if (at) {
        *at = 0;
        options.threshold = strtod(at + 1, &end);
        if (end == at + 1 || *end || !(options.threshold > 0 && options.threshold < 1))
            return ursa_fail(URSA_ERROR_ARGUMENT, "--metrics: the threshold of %s is \"%s\"; expected 0 to 1", text,
                             at + 1);
    }
    for (int i = 0; i < KNOWN; i++) {
        if (strcmp(known[i].name, text) != 0 || !maker(i, multiple))
            continue;
        options.name = known[i].name;
        *out = maker(i, multiple)(&options);
        return true;
    }
    return unknown_metric(text, multiple);
}

bool read_metrics(const char *list, bool multiple, ursa_metric out[URSA_METRICS])
{
    char text[400], *rest = text;
    int count = 0;
    if (snprintf(text, sizeof text, "%s", list) >= (int)sizeof text)
        return ursa_fail(URSA_ERROR_ARGUMENT, "--metrics: the list is too long");
    for (char *name; (name = strsep(&rest, ","));) {
        if (count == URSA_METRICS)
            return ursa_fail(URSA_ERROR_ARGUMENT, "--metrics: more than %d", URSA_METRICS);
        if (!read_metric(name, multiple, &out[count++]))
            return false;
    }
    return true;
}
