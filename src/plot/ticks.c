/* ticks.c — round numbers along an axis. */
#include "ticks.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- linear --------------------------------------------------------------------- */

/* The smallest of 1, 2, 2.5 and 5 times a power of ten that needs no more than `wanted` steps. */
static double round_step(double range, int wanted)
{
    static const double steps[] = {1, 2, 2.5, 5, 10};
    double power = pow(10, floor(log10(range / wanted)));
    for (int i = 0; i < 5; i++)
        if (range / (steps[i] * power) <= wanted)
            return steps[i] * power;
    return 10 * power;
}

/* Digits behind the point that tell multiples of a step apart. */
static int decimals_of(double step)
{
    for (int decimals = 0; decimals < 12; decimals++) {
        double scaled = step * pow(10, decimals);
        if (fabs(scaled - round(scaled)) < 1e-6 * scaled)
            return decimals;
    }
    return 12;
}

/* Digits that tell neighbours apart which are a step apart, for numbers up to `steps` steps. */
static int digits_of(double steps)
{
    int digits = (int)ceil(log10(steps)) + 1;
    return digits < 3 ? 3 : digits > 15 ? 15 : digits;
}

static void make_linear(ursa_ticks *ticks, int wanted)
{
    double range = ticks->high - ticks->low, step = round_step(range, wanted);
    double largest = fmax(fabs(ticks->low), fabs(ticks->high));
    for (double i = ceil(ticks->low / step - 1e-9); i <= floor(ticks->high / step + 1e-9); i++) {
        if (ticks->count == URSA_TICKS)
            return;
        double value = i == 0 ? 0 : i * step;
        char *label = ticks->label[ticks->count];
        ticks->at[ticks->count++] = value;
        if (largest >= 1e6 || largest < 1e-3)
            snprintf(label, sizeof ticks->label[0], "%.*g", digits_of(largest / step), value);
        else
            snprintf(label, sizeof ticks->label[0], "%.*f", decimals_of(step), value);
    }
}

/* ---- logarithmic ---------------------------------------------------------------- */

/* "10⁻³" */
static void write_power(char *label, size_t size, int exponent)
{
    static const char *digits[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
    char plain[16];
    snprintf(plain, sizeof plain, "%d", exponent);
    snprintf(label, size, "10");
    for (const char *c = plain; *c; c++) {
        size_t used = strlen(label);
        snprintf(label + used, size - used, "%s", *c == '-' ? "⁻" : digits[*c - '0']);
    }
}

static void add_log_tick(ursa_ticks *ticks, double value, bool power, int exponent)
{
    if (value < ticks->low * (1 - 1e-9) || value > ticks->high * (1 + 1e-9) || ticks->count == URSA_TICKS)
        return;
    char *label = ticks->label[ticks->count];
    if (power)
        write_power(label, sizeof ticks->label[0], exponent);
    else
        snprintf(label, sizeof ticks->label[0], "%g", value);
    ticks->at[ticks->count++] = value;
}

/* Powers of ten; on a short axis 1, 2 and 5 times those, on a very short one
 * what a linear axis would have. */
static void make_log(ursa_ticks *ticks, int wanted)
{
    int first = (int)floor(log10(ticks->low)), last = (int)ceil(log10(ticks->high));
    int stride = (last - first + wanted - 1) / wanted;
    bool short_axis = log10(ticks->high / ticks->low) < 1.5;
    stride = stride > 0 ? stride : 1;
    for (int exponent = first; exponent <= last; exponent++) {
        double power = pow(10, exponent);
        if (short_axis)
            for (int i = 0; i < 3; i++)
                add_log_tick(ticks, power * (double[]){1, 2, 5}[i], false, 0);
        else if (exponent % stride == 0)
            add_log_tick(ticks, power, true, exponent);
        for (int i = 2; i < 10 && last - first <= 12; i++) {
            double value = i * power;
            if (value > ticks->low && value < ticks->high && ticks->minor_count < URSA_MINOR_TICKS)
                ticks->minor[ticks->minor_count++] = value;
        }
    }
    if (ticks->count > 1)
        return;
    ticks->count = ticks->minor_count = 0;
    make_linear(ticks, wanted);
}

/* ---- both ------------------------------------------------------------------------ */

void ursa_ticks_make(ursa_ticks *ticks, double low, double high, bool log, int wanted, double margin)
{
    *ticks = (ursa_ticks){.log = log};
    if (log) {
        double from = log10(low), to = log10(high);
        double room = to > from ? margin * (to - from) : 0.5;
        ticks->low = pow(10, from - room);
        ticks->high = pow(10, to + room);
        make_log(ticks, wanted);
    } else {
        double room = high > low ? margin * (high - low) : fmax(fabs(low) * 0.05, 0.5);
        ticks->low = low - room;
        ticks->high = high + room;
        make_linear(ticks, wanted);
    }
}

double ursa_ticks_place(const ursa_ticks *ticks, double value)
{
    if (!isfinite(value) || (ticks->log && value <= 0))
        return NAN;
    return ticks->log ? log(value / ticks->low) / log(ticks->high / ticks->low)
                      : (value - ticks->low) / (ticks->high - ticks->low);
}
