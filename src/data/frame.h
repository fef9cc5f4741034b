/* frame.h — a frame's insides, for the files that make and print frames. */
#ifndef URSA_DATA_FRAME_H
#define URSA_DATA_FRAME_H

#include "base/owned.h"

#include <ursa/frame.h>

struct ursa_frame {
    ursa_column *columns;
    int column_count;
    int64_t rows;
    char *texts; /* where the cells' texts are */
    ursa_owned owned;
};

/* A frame of `columns` columns whose arrays of texts have room for `rows` and are
 * NULL throughout; names, types and numbers are up to the caller, who hands over
 * `texts` (freed with free() whatever happens). */
ursa_frame *ursa_frame_alloc(int64_t rows, int columns, char *texts);

/* Reads one value. False when the text is none; spaces around it do not count. The
 * language set with setlocale() makes no difference. */
bool ursa_read_integer(const char *text, int64_t *out);
bool ursa_read_number(const char *text, double *out);
bool ursa_read_bool(const char *text, bool *out);

/* The narrowest type that all cells have. */
ursa_column_type ursa_infer_type(const char *const *cells, int64_t count);

/* Fills the numbers of a column whose type is set. Returns the first row whose
 * cell is not of the type, -1 when all are, -2 after an error. */
int64_t ursa_fill_numbers(ursa_column *column);

#endif
