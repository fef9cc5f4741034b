/* schedule.c — values over the course of training. The curves are fastai's:
 * https://docs.fast.ai/callback.schedule.html */
#include <ursa/optim.h>
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

enum curve { CONSTANT, LINEAR, COSINE, EXPONENTIAL, POLYNOMIAL, COMBINED };

struct ursa_schedule {
    enum curve curve;
    double start, end, power;
    int count; /* COMBINED */
    double *shares;
    ursa_schedule **pieces;
};

static ursa_schedule *make(enum curve curve, double start, double end, double power)
{
    ursa_schedule *schedule = ursa_alloc(sizeof *schedule);
    if (schedule)
        *schedule = (ursa_schedule){.curve = curve, .start = start, .end = end, .power = power};
    return schedule;
}

ursa_schedule *ursa_schedule_constant(double value)
{
    return make(CONSTANT, value, value, 0);
}

ursa_schedule *ursa_schedule_linear(double start, double end)
{
    return make(LINEAR, start, end, 0);
}

ursa_schedule *ursa_schedule_cosine(double start, double end)
{
    return make(COSINE, start, end, 0);
}

ursa_schedule *ursa_schedule_exponential(double start, double end)
{
    if (!(start > 0 && end > 0)) {
        ursa_fail(URSA_ERROR_ARGUMENT, "schedule: exponential from %g to %g; both must be above 0", start, end);
        return NULL;
    }
    return make(EXPONENTIAL, start, end, 0);
}

ursa_schedule *ursa_schedule_polynomial(double start, double end, double power)
{
    return make(POLYNOMIAL, start, end, power);
}

static bool shares_add_up(const double *shares, int count)
{
    double sum = 0;
    for (int i = 0; i < count; i++) {
        if (!(shares[i] >= 0))
            return ursa_fail(URSA_ERROR_ARGUMENT, "schedule: share %d is %g; shares are 0 or more", i, shares[i]);
        sum += shares[i];
    }
    if (count < 1 || fabs(sum - 1) > 1e-6)
        return ursa_fail(URSA_ERROR_ARGUMENT, "schedule: the %d shares add up to %g, expected 1", count, sum);
    return true;
}

ursa_schedule *ursa_schedule_combine(const double *shares, ursa_schedule *const *pieces, int count)
{
    bool whole = shares_add_up(shares, count);
    for (int i = 0; i < count; i++)
        whole = whole && pieces[i];
    ursa_schedule *schedule = whole ? make(COMBINED, 0, 0, 0) : NULL;
    if (schedule) {
        schedule->shares = ursa_alloc_array((size_t)count, sizeof *schedule->shares);
        schedule->pieces = ursa_alloc_array((size_t)count, sizeof *schedule->pieces);
    }
    if (!schedule || !schedule->shares || !schedule->pieces) {
        for (int i = 0; i < count; i++)
            ursa_schedule_free(pieces[i]);
        ursa_schedule_free(schedule);
        return NULL;
    }
    schedule->count = count;
    for (int i = 0; i < count; i++) {
        schedule->shares[i] = shares[i];
        schedule->pieces[i] = pieces[i];
    }
    return schedule;
}

ursa_schedule *ursa_schedule_one_cycle(double max, double pct_start, double div, double div_final)
{
    pct_start = pct_start > 0 ? pct_start : 0.25;
    div = div > 0 ? div : 25;
    div_final = div_final > 0 ? div_final : 1e5;
    if (pct_start >= 1) {
        ursa_fail(URSA_ERROR_ARGUMENT, "one_cycle: pct_start is %g; it must be below 1", pct_start);
        return NULL;
    }
    return ursa_schedule_combine(
        (double[]){pct_start, 1 - pct_start},
        (ursa_schedule *[]){ursa_schedule_cosine(max / div, max), ursa_schedule_cosine(max, max / div_final)}, 2);
}

static double combined_at(const ursa_schedule *schedule, double position)
{
    double begin = 0;
    int last = schedule->count - 1;
    for (int i = 0; i < last; i++) {
        double share = schedule->shares[i];
        if (position < begin + share)
            return ursa_schedule_at(schedule->pieces[i], (position - begin) / share);
        begin += share;
    }
    double share = schedule->shares[last];
    return ursa_schedule_at(schedule->pieces[last], share > 0 ? (position - begin) / share : 1);
}

double ursa_schedule_at(const ursa_schedule *schedule, double position)
{
    if (!schedule)
        return NAN;
    double p = position < 0 ? 0 : position > 1 ? 1 : position;
    double start = schedule->start, end = schedule->end;
    switch (schedule->curve) {
    case CONSTANT:
        return start;
    case LINEAR:
        return start + p * (end - start);
    case COSINE:
        return start + (1 + cos(M_PI * (1 - p))) * (end - start) / 2;
    case EXPONENTIAL:
        return start * pow(end / start, p);
    case POLYNOMIAL:
        return start + (end - start) * pow(p, schedule->power);
    case COMBINED:
        return combined_at(schedule, p);
    }
    return NAN;
}

void ursa_schedule_free(ursa_schedule *schedule)
{
    if (!schedule)
        return;
    for (int i = 0; i < schedule->count; i++)
        ursa_schedule_free(schedule->pieces[i]);
    free(schedule->shares);
    free(schedule->pieces);
    free(schedule);
}
