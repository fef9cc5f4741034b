/* lr_suggest.c — what a curve of losses over learning rates suggests. The first four
 * rules are fastai's; `valley` there is due to ESRI,
 * `slide` to Novetta's Andrew Chang. */
#include <ursa/learner.h>
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

static int lowest(const double *losses, int count)
{
    int best = 0;
    for (int i = 1; i < count; i++)
        if (losses[i] < losses[best])
            best = i;
    return best;
}

static double minimum(const double *lrs, const double *losses, int count)
{
    return lrs[lowest(losses, count)] / 10;
}

static double steep(const double *lrs, const double *losses, int count)
{
    int best = 0;
    double steepest = INFINITY;
    for (int i = 0; i + 1 < count; i++) {
        double slope = (losses[i + 1] - losses[i]) / (log(lrs[i + 1]) - log(lrs[i]));
        if (slope < steepest) {
            steepest = slope;
            best = i;
        }
    }
    return lrs[best];
}

/* The longest falling subsequence that ends at each point; where the longest of all begins is reckoned from its
 * length when it first became the longest, as the original does. */
static double valley(const double *lrs, const double *losses, int count)
{
    int *lengths = ursa_alloc_array((size_t)count, sizeof *lengths);
    if (!lengths)
        return NAN;
    int start = 0, end = 0;
    for (int i = 0; i < count; i++)
        lengths[i] = 1;
    for (int i = 1; i < count; i++) {
        for (int j = 0; j < i; j++) {
            if (losses[i] < losses[j] && lengths[i] < lengths[j] + 1)
                lengths[i] = lengths[j] + 1;
            if (lengths[end] < lengths[i]) {
                end = i;
                start = end - lengths[end];
            }
        }
    }
    free(lengths);
    double section = (double)(end - start) / 3;
    int place = start + (int)section + (int)(section / 2);
    return lrs[place < 0 ? place + count : place];
}

/* The slope between a point's neighbours; at the ends, to the only neighbour. */
static double slope_at(const double *losses, int count, int i)
{
    if (i == 0)
        return losses[1] - losses[0];
    if (i == count - 1)
        return losses[count - 1] - losses[count - 2];
    return (losses[i + 1] - losses[i - 1]) / 2;
}

static double slide(const double *lrs, const double *losses, int count)
{
    enum { WIDTH = 15 };
    static const double threshold = 0.005;
    int right = count - 1, left = right - WIDTH;
    if (left < 0)
        return NAN;
    double lr = lrs[left];
    while (left >= 0 && fabs(slope_at(losses, count, right) - slope_at(losses, count, left)) > threshold) {
        lr = lrs[left];
        right--;
        left--;
    }
    return lr;
}

/* The loss shoots up where, behind its lowest point, it has come back by a tenth of its fall. */
static double shoot(const double *lrs, const double *losses, int count)
{
    int low = lowest(losses, count), place = low;
    double highest = losses[0];
    for (int i = 0; i < low; i++)
        highest = fmax(highest, losses[i]);
    double limit = losses[low] + (highest - losses[low]) / 10;
    while (place + 1 < count && losses[place] <= limit)
        place++;
    return lrs[place] / 10;
}

ursa_lr_suggestions ursa_lr_suggest(const double *lrs, const double *losses, int count)
{
    int finite = 0;
    while (finite < count && !isnan(losses[finite]))
        finite++;
    if (finite < 2)
        return (ursa_lr_suggestions){NAN, NAN, NAN, NAN, NAN};
    return (ursa_lr_suggestions){
        .minimum = minimum(lrs, losses, finite),
        .steep = steep(lrs, losses, finite),
        .valley = valley(lrs, losses, finite),
        .slide = slide(lrs, losses, finite),
        .shoot = shoot(lrs, losses, finite),
    };
}
