/* ticks.h — where an axis has its marks, and what is written at them. */
#ifndef URSA_PLOT_TICKS_H
#define URSA_PLOT_TICKS_H

#include <stdbool.h>

enum { URSA_TICKS = 32, URSA_MINOR_TICKS = 192 };

typedef struct ursa_ticks {
    double low, high; /* of the axis: a little more than the data's */
    bool log;
    int count;
    double at[URSA_TICKS];
    char label[URSA_TICKS][24];
    int minor_count; /* unlabelled ones of a logarithmic axis */
    double minor[URSA_MINOR_TICKS];
} ursa_ticks;

/* For data between low and high (finite; above 0 when log); about `wanted`
 * marks. The axis is `margin` of its length longer than the data at both ends. */
void ursa_ticks_make(ursa_ticks *ticks, double low, double high, bool log, int wanted, double margin);

/* Where a value is on the axis: 0 at its low end, 1 at its high end; NaN when it is not on it. */
double ursa_ticks_place(const ursa_ticks *ticks, double value);

#endif
