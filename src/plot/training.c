/* training.c — how a training went. */
#include <ursa/plot.h>
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

/* ---- losses ---------------------------------------------------------------------- */

struct curves {
    int64_t steps;
    int epochs;
    double *raw, *smooth;         /* of every step */
    double *ends, *valid, *train; /* of every epoch: its last step, its losses */
};

static void free_curves(struct curves *curves)
{
    free(curves->raw);
    free(curves->smooth);
    free(curves->ends);
    free(curves->valid);
    free(curves->train);
}

/* Adds to out[] an exponential average that runs one way, without the start's
 * bias to 0. Numbers that are none are passed over. */
static void average(const double *raw, double *out, int64_t count, int64_t first, int64_t step, double keep)
{
    double sum = 0, weight = 0;
    for (int64_t i = first; i >= 0 && i < count; i += step) {
        if (!isfinite(raw[i]))
            continue;
        sum = keep * sum + (1 - keep) * raw[i];
        weight = keep * weight + (1 - keep);
        out[i] += 0.5 * sum / weight;
    }
}

/* The mean of the averages from both ends, which neither lags nor leads, over
 * about a twentieth of the steps. Where there is no number there is a gap. */
static void smooth(const double *raw, double *out, int64_t count)
{
    double keep = 1 - 1 / fmin(fmax((double)count / 25, 5), 400);
    for (int64_t i = 0; i < count; i++)
        out[i] = isfinite(raw[i]) ? 0 : NAN;
    average(raw, out, count, 0, 1, keep);
    average(raw, out, count, count - 1, -1, keep);
}

/* Steps of all epochs are taken as spread evenly over them. */
static bool gather(ursa_learner *learner, struct curves *curves)
{
    const ursa_step_record *steps;
    const ursa_epoch_record *epochs;
    curves->steps = ursa_step_records(learner, &steps);
    curves->epochs = ursa_epoch_records(learner, &epochs);
    size_t step_room = (size_t)curves->steps + 1, epoch_room = (size_t)curves->epochs + 1;
    curves->raw = ursa_alloc_array(step_room, sizeof(double));
    curves->smooth = ursa_alloc_array(step_room, sizeof(double));
    curves->ends = ursa_alloc_array(epoch_room, sizeof(double));
    curves->valid = ursa_alloc_array(epoch_room, sizeof(double));
    curves->train = ursa_alloc_array(epoch_room, sizeof(double));
    if (!curves->raw || !curves->smooth || !curves->ends || !curves->valid || !curves->train)
        return false;
    for (int64_t i = 0; i < curves->steps; i++)
        curves->raw[i] = steps[i].loss;
    smooth(curves->raw, curves->smooth, curves->steps);
    for (int i = 0; i < curves->epochs; i++) {
        curves->ends[i] = (double)curves->steps * (i + 1) / curves->epochs - 1;
        curves->valid[i] = epochs[i].valid_loss;
        curves->train[i] = epochs[i].train_loss;
    }
    return true;
}

/* The highest loss worth showing: the first steps of a training may be far off. */
static double ceiling_of(const struct curves *curves)
{
    double high = -INFINITY;
    for (int64_t i = curves->steps / 50; i < curves->steps; i++)
        high = isfinite(curves->raw[i]) ? fmax(high, curves->raw[i]) : high;
    for (int i = 0; i < curves->epochs; i++)
        high = isfinite(curves->valid[i]) ? fmax(high, curves->valid[i]) : high;
    return high;
}

static double floor_of(const struct curves *curves)
{
    double low = INFINITY;
    for (int64_t i = 0; i < curves->steps; i++)
        low = isfinite(curves->raw[i]) ? fmin(low, curves->raw[i]) : low;
    for (int i = 0; i < curves->epochs; i++)
        low = isfinite(curves->valid[i]) ? fmin(low, curves->valid[i]) : low;
    return low;
}

static bool draw_losses(const struct curves *curves, bool has_valid, const char *path)
{
    const ursa_series series[] = {
        {.y = curves->raw, .count = curves->steps, .colour = 1, .light = true},
        {.y = curves->smooth, .count = curves->steps, .colour = 1, .label = "training"},
        {.y = curves->valid, .x = curves->ends, .count = curves->epochs, .colour = 2, .label = "validation"},
    };
    double low = floor_of(curves), high = ceiling_of(curves);
    bool known = low < high;
    /* A range of no height, or of no number, is left to the chart. */
    double room = known ? 0.05 * (high - low) : 0;
    return ursa_plot_chart(series, has_valid ? 3 : 2, path, .title = "Loss", .x_label = "step", .y_label = "loss",
                           .y_low = known ? low - room : 0, .y_high = known ? high + room : 0);
}

bool ursa_plot_losses(ursa_learner *learner, const char *path)
{
    if (!learner || !path)
        return false;
    struct curves curves = {0};
    bool done = gather(learner, &curves);
    if (done && curves.steps == 0)
        done = ursa_fail(URSA_ERROR_STATE, "plot_losses: the learner has not been trained");
    done = done && draw_losses(&curves, ursa_learner_data(learner)->valid, path);
    free_curves(&curves);
    return done;
}

/* ---- rates and schedules -------------------------------------------------------------- */

bool ursa_plot_rates(ursa_learner *learner, const char *path)
{
    const ursa_step_record *steps;
    if (!learner || !path)
        return false;
    int64_t count = ursa_step_records(learner, &steps);
    if (count == 0)
        return ursa_fail(URSA_ERROR_STATE, "plot_rates: the learner has not been trained");
    double *rates = ursa_alloc_array((size_t)count, sizeof *rates);
    for (int64_t i = 0; rates && i < count; i++)
        rates[i] = steps[i].lr;
    const ursa_series series = {.y = rates, .count = count};
    bool done = rates && ursa_plot_chart(&series, 1, path, .title = "Learning rate", .x_label = "step",
                                         .y_label = "learning rate");
    free(rates);
    return done;
}

bool ursa_plot_schedule(const ursa_schedule *schedule, const char *path)
{
    enum { POINTS = 401 };
    double x[POINTS], y[POINTS];
    if (!schedule || !path)
        return false;
    for (int i = 0; i < POINTS; i++) {
        x[i] = (double)i / (POINTS - 1);
        y[i] = ursa_schedule_at(schedule, x[i]);
    }
    const ursa_series series = {.x = x, .y = y, .count = POINTS};
    return ursa_plot_chart(&series, 1, path, .title = "Schedule", .x_label = "share of the training",
                           .y_label = "value");
}

/* ---- live ------------------------------------------------------------------------------- */

struct live {
    ursa_callback callback;
    char *path;
};

static ursa_verdict on(ursa_callback *callback, ursa_learner *learner, ursa_event event)
{
    if (event != URSA_AFTER_EPOCH)
        return URSA_CONTINUE;
    return ursa_plot_losses(learner, ((struct live *)callback)->path) ? URSA_CONTINUE : URSA_FAIL;
}

static void release(ursa_callback *callback)
{
    free(((struct live *)callback)->path);
    free(callback);
}

ursa_callback *ursa_live_losses(const char *path)
{
    struct live *live = path ? ursa_alloc(sizeof *live) : NULL;
    if (!live)
        return NULL;
    *live = (struct live){{.name = "live_losses", .order = 60, .on = on, .free = release}, ursa_copy_string(path)};
    if (live->path)
        return &live->callback;
    free(live);
    return NULL;
}
