/* learners.h — small learners whose predictions are known. */
#ifndef URSA_TESTS_LEARNERS_H
#define URSA_TESTS_LEARNERS_H

#include "../unit.h"

#include <ursa/ursa.h>

/* A data set and a learner of it; free with forget(). */
struct known {
    ursa_dataloaders *data;
    ursa_learner *learner;
};

/* A network that puts out its inputs [count, outputs], for targets of a kind:
 * classes i64 [count], or numbers f32 [count, outputs]. All items are for
 * validation; names may be NULL. */
struct known know_outputs(const float *outputs, int64_t count, int64_t classes, const int64_t *actual,
                          const float *values, ursa_kind kind, const char *const *names);

/* Pictures [rows, columns, channels] of noise, and a small network that has not
 * been trained. `y_size` is that of a target: numbers of 0.5, or class i modulo
 * the classes; masks are a half of each class. */
struct known know_pictures(int64_t count, int rows, int columns, int channels, ursa_kind kind, int64_t y_size,
                           const char *const *names, int classes);

void forget(struct known *known);

#endif
