/* smooth.h — a running mean that forgets, for the loss that is shown while
 * training: the newest of n values weighs (1 - β), the one before β times
 * that, and so on, divided by the sum of the weights so that the first values
 * are not drawn towards zero (Kingma and Ba, "Adam", 2015, section 3). */
#ifndef URSA_BASE_SMOOTH_H
#define URSA_BASE_SMOOTH_H

typedef struct ursa_smooth {
    double sum, weight; /* start at zero */
} ursa_smooth;

/* Adds a value and returns the mean. `beta` 0.98 remembers about 50 values. */
static inline double ursa_smooth_add(ursa_smooth *smooth, double value, double beta)
{
    smooth->sum = beta * smooth->sum + (1.0 - beta) * value;
    smooth->weight = beta * smooth->weight + (1.0 - beta);
    return smooth->sum / smooth->weight;
}

#endif
