/* csv.h — the fields of a CSV text, before they become a table. */
#ifndef URSA_DATA_CSV_H
#define URSA_DATA_CSV_H

#include <ursa/frame.h>

/* A text being cut into fields, in place: quotes are taken away and every field
 * ends with a zero. */
typedef struct ursa_csv_cutter {
    const char *name; /* of the file */
    char *at, *end;   /* what is left; *end can be written to */
    char delimiter;
    int64_t line;     /* of the file, from 1, where `at` is */
    int64_t row_line; /* where the row of the last field began */
    int64_t row;      /* of data, from 1; 0 for the header */
    int64_t field;    /* of the row, from 1 */
} ursa_csv_cutter;

typedef enum ursa_csv_what {
    URSA_CSV_FIELD,    /* a field, and more of the row follow */
    URSA_CSV_LAST,     /* a field, and the row is over */
    URSA_CSV_NOTHING,  /* the text is over */
    URSA_CSV_MISTAKEN, /* it is no CSV; an error says why */
} ursa_csv_what;

/* Skips empty lines; to be called before the first field of each row. */
void ursa_csv_begin_row(ursa_csv_cutter *cutter);
ursa_csv_what ursa_csv_cut(ursa_csv_cutter *cutter, char **field);

/* The delimiter among , ; tab | that cuts the first lines into most, equal rows. */
char ursa_csv_sniff(const char *text, size_t bytes);

#endif
