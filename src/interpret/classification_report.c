/* classification_report.c — precision, recall and F1 of every class, as a table. */
#include "interpretation.h"
#include "text.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

/* A line of the table; counts are whole numbers, but fit a double. */
struct counts {
    double both, predicted, actual;
};

struct ratios {
    double precision, recall, f1;
};

static double over(double part, double whole)
{
    return whole > 0 ? part / whole : 0;
}

static struct ratios ratios_of(const struct counts *counts)
{
    return (struct ratios){over(counts->both, counts->predicted), over(counts->both, counts->actual),
                           over(2 * counts->both, counts->predicted + counts->actual)};
}

/* ---- counting --------------------------------------------------------------------- */

static bool count_classes(ursa_interpretation *interp, struct counts *counts)
{
    const int64_t *confusion = ursa_confusion_matrix(interp);
    int classes = interp->classes;
    for (int a = 0; confusion && a < classes; a++)
        for (int p = 0; p < classes; p++) {
            double count = (double)confusion[(int64_t)a * classes + p];
            counts[a].actual += count;
            counts[p].predicted += count;
            counts[a].both += a == p ? count : 0;
        }
    return confusion;
}

/* Several labels per item: each is a decision of its own. */
static void count_labels(const ursa_interpretation *interp, struct counts *counts)
{
    const ursa_outputs *outputs = interp->outputs;
    for (int64_t i = 0; i < outputs->count; i++)
        for (int c = 0; c < interp->classes; c++) {
            bool actual = outputs->values[i * interp->classes + c] > 0.5f;
            bool predicted = outputs->decoded_values[i * interp->classes + c] > 0.5f;
            counts[c].actual += actual;
            counts[c].predicted += predicted;
            counts[c].both += actual && predicted;
        }
}

/* ---- writing ------------------------------------------------------------------------ */

static int widest_name(const ursa_interpretation *interp)
{
    int widest = (int)strlen("weighted avg");
    for (int c = 0; c < interp->classes; c++) {
        int width = ursa_text_columns(interp->names[c]);
        widest = width > widest ? width : widest;
    }
    return widest;
}

static void write_line(struct ursa_text *text, int width, const char *name, const struct ratios *ratios, double actual)
{
    ursa_text_add(text, "%*s%s  %9.4f %9.4f %9.4f %9.0f\n", width - ursa_text_columns(name), "", name,
                  ratios->precision, ratios->recall, ratios->f1, actual);
}

static void add(struct ratios *sum, const struct ratios *ratios, double weight)
{
    sum->precision += weight * ratios->precision;
    sum->recall += weight * ratios->recall;
    sum->f1 += weight * ratios->f1;
}

static char *write_table(const ursa_interpretation *interp, const struct counts *counts, bool several)
{
    struct ursa_text text = {0};
    struct counts sum = {0};
    struct ratios plain = {0}, weighted = {0};
    int width = widest_name(interp), classes = interp->classes;
    ursa_text_add(&text, "%*s  %9s %9s %9s %9s\n\n", width, "", "precision", "recall", "f1-score", "support");
    for (int c = 0; c < classes; c++)
        sum.actual += counts[c].actual;
    for (int c = 0; c < classes; c++) {
        struct ratios ratios = ratios_of(&counts[c]);
        write_line(&text, width, interp->names[c], &ratios, counts[c].actual);
        add(&plain, &ratios, 1.0 / classes);
        add(&weighted, &ratios, over(counts[c].actual, sum.actual));
        sum.both += counts[c].both;
        sum.predicted += counts[c].predicted;
    }
    ursa_text_add(&text, "\n");
    if (several) {
        struct ratios micro = ratios_of(&sum);
        write_line(&text, width, "micro avg", &micro, sum.actual);
    } else {
        ursa_text_add(&text, "%*s  %9s %9s %9.4f %9.0f\n", width, "accuracy", "", "", over(sum.both, sum.actual),
                      sum.actual);
    }
    write_line(&text, width, "macro avg", &plain, sum.actual);
    write_line(&text, width, "weighted avg", &weighted, sum.actual);
    return ursa_text_take(&text);
}

char *ursa_classification_report(ursa_interpretation *interp)
{
    if (!interp)
        return NULL;
    const ursa_outputs *outputs = interp->outputs;
    bool several = outputs->values && outputs->decoded_values && outputs->target_size == interp->classes;
    if (!several && ursa_interpretation_decisions(interp) == 0) {
        ursa_fail(URSA_ERROR_STATE, "classification_report: the items have no classes");
        return NULL;
    }
    struct counts *counts = ursa_alloc_array((size_t)interp->classes + 1, sizeof *counts);
    char *table = NULL;
    if (counts && several)
        count_labels(interp, counts);
    if (counts && (several || count_classes(interp, counts)))
        table = write_table(interp, counts, several);
    free(counts);
    return table;
}
