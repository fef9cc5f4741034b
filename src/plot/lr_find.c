/* lr_find.c — the curve of the learning rate finder. */
#include <ursa/plot.h>

#include <math.h>
#include <stdio.h>

enum { SUGGESTIONS = 5 };

/* The loss at a rate, between the two points of the curve around it. */
static double loss_at(const ursa_lr_found *found, double lr)
{
    int after = 0;
    while (after < found->count && found->lrs[after] < lr)
        after++;
    if (after == 0 || after == found->count)
        return found->losses[after == 0 ? 0 : found->count - 1];
    double share = log(lr / found->lrs[after - 1]) / log(found->lrs[after] / found->lrs[after - 1]);
    return found->losses[after - 1] + share * (found->losses[after] - found->losses[after - 1]);
}

bool ursa_plot_lr_find(const ursa_lr_found *found, const char *path)
{
    if (!found || !path)
        return false;
    if (found->count < 1)
        return ursa_fail(URSA_ERROR_ARGUMENT, "plot_lr_find: the curve has no points");
    /* The first tenth says little; the last points have shot up. */
    int first = found->count > 20 ? found->count / 10 : 0, last = found->count - (found->count > 20 ? 5 : 0);
    const struct {
        const char *name;
        double lr;
    } suggestions[SUGGESTIONS] = {
        {"valley", found->suggested.valley},
        {"steep", found->suggested.steep},
        {"minimum / 10", found->suggested.minimum},
        {"slide", found->suggested.slide},
        {"before it shoots up", found->suggested.shoot},
    };
    ursa_series series[1 + SUGGESTIONS] = {
        {.x = found->lrs + first, .y = found->losses + first, .count = last - first}};
    double lrs[SUGGESTIONS], losses[SUGGESTIONS];
    char labels[SUGGESTIONS][48];
    int count = 1;
    for (int i = 0; i < SUGGESTIONS; i++) {
        if (!(suggestions[i].lr > 0))
            continue;
        lrs[i] = suggestions[i].lr;
        losses[i] = loss_at(found, lrs[i]);
        snprintf(labels[i], sizeof labels[i], "%s: %.1e", suggestions[i].name, lrs[i]);
        series[count++] = (ursa_series){
            .x = &lrs[i], .y = &losses[i], .count = 1, .mark = URSA_DOTS, .label = labels[i], .colour = i + 2};
    }
    return ursa_plot_chart(series, count, path, .title = "Learning rate finder", .x_label = "learning rate",
                           .y_label = "loss", .log_x = true);
}
