/* charts.c — interpretations as charts. */
#include "interpretation.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

bool ursa_plot_confusion_matrix_opt(ursa_interpretation *interp, const char *path,
                                    const ursa_confusion_options *options)
{
    const int64_t *counts = path ? ursa_confusion_matrix(interp) : NULL;
    int64_t classes = interp ? interp->classes : 0;
    double *values = counts ? ursa_alloc_array((size_t)(classes * classes), sizeof *values) : NULL;
    double most = options->normalize ? 1 : 0; /* the end of the colours */
    if (!values)
        return false;
    for (int64_t a = 0; a < classes; a++) {
        int64_t row = 0;
        for (int64_t p = 0; p < classes; p++) {
            row += counts[a * classes + p];
            most = options->normalize ? most : fmax(most, (double)counts[a * classes + p]);
        }
        /* A class that does not occur has no shares. */
        for (int64_t p = 0; p < classes; p++)
            values[a * classes + p] = !options->normalize ? (double)counts[a * classes + p]
                                      : row > 0           ? (double)counts[a * classes + p] / (double)row
                                                          : NAN;
    }
    const char *title = options->title       ? options->title
                        : options->normalize ? "Confusion matrix (shares of the actual class)"
                                             : "Confusion matrix";
    bool done = ursa_plot_heat_map(values, (int)classes, (int)classes, path, .title = title, .x_label = "predicted",
                                   .y_label = "actual", .row_names = interp->names, .column_names = interp->names,
                                   .format = options->normalize ? "%.2f" : "%.0f", .high = most);
    free(values);
    return done;
}

bool ursa_plot_regression(ursa_interpretation *interp, const char *path)
{
    if (!interp || !path)
        return false;
    const ursa_outputs *outputs = interp->outputs;
    if (!outputs->values || outputs->target_size != outputs->size || interp->classes > 0)
        return ursa_fail(URSA_ERROR_STATE, "plot_regression: the items have no numbers to be predicted");
    int64_t count = outputs->count * outputs->size;
    double *actual = ursa_alloc_array((size_t)count + 1, sizeof *actual);
    double *predicted = ursa_alloc_array((size_t)count + 1, sizeof *predicted), low = INFINITY, high = -INFINITY;
    for (int64_t i = 0; actual && predicted && i < count; i++) {
        actual[i] = (double)outputs->values[i];
        predicted[i] = (double)outputs->predictions[i];
        low = actual[i] < low ? actual[i] : low; /* not fmin and fmax: gcc 12 for Arm fails on that loop */
        high = actual[i] > high ? actual[i] : high;
    }
    const double ends[] = {low, high};
    const ursa_series series[] = {
        {.x = ends, .y = ends, .count = 2, .label = "as it is", .colour = 2, .dashed = true, .light = false},
        {.x = actual, .y = predicted, .count = count, .mark = URSA_DOTS, .label = "predictions", .colour = 1},
    };
    bool done = actual && predicted &&
                ursa_plot_chart(series, 2, path, .title = "Predictions", .x_label = "actual", .y_label = "predicted",
                                .width = 460, .height = 440);
    free(actual);
    free(predicted);
    return done;
}
