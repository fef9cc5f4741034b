/* frame.h — tables in memory: columns with names and types, read from CSV files
 * or made in code, looked at, and written.
 *
 *     ursa_frame *df = ursa_read_csv("planet/train_v2.csv");
 *     ursa_frame_head(df, 5);
 *     int tags = ursa_frame_column_index(df, "tags");
 *     puts(ursa_frame_text(df, 0, tags));
 *     ursa_frame_free(df);
 *
 * A frame is never changed after it was made, so any number of threads may read
 * it. A cell is a text, or missing; columns of numbers have their values beside
 * the texts.
 */
#ifndef URSA_FRAME_H
#define URSA_FRAME_H

#include <ursa/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ursa_frame ursa_frame;

typedef enum ursa_column_type {
    URSA_COLUMN_INFER = 0, /* for options: the narrowest type that all cells of the column have */
    URSA_COLUMN_BOOL,      /* true or false, True or False, TRUE or FALSE */
    URSA_COLUMN_INT,       /* whole numbers of 64 bits */
    URSA_COLUMN_FLOAT,     /* numbers, inf; also a column in which everything is missing */
    URSA_COLUMN_TEXT,
} ursa_column_type;

/* "bool", "int", "float", "text". */
URSA_API const char *ursa_column_type_name(ursa_column_type type);

/* One column, to go through in a loop. All belongs to the frame. */
typedef struct ursa_column {
    const char *name;
    ursa_column_type type;
    int64_t count;           /* rows of the frame */
    const char *const *text; /* [count], as in the file; NULL where missing */
    const double *numbers;   /* [count]: NaN where missing, 1 and 0 for true and false; NULL for a column of text */
} ursa_column;

/* ---- reading CSV ------------------------------------------------------------------ *
 *
 * RFC 4180: quotes, doubled quotes, delimiters and line ends within quotes; lines
 * end with LF, CRLF or CR; a byte order mark is skipped. As in pandas, empty lines
 * are skipped, a quote within a field that does not begin with one is a character
 * like any other, numbers may have spaces around them, a column without a name is
 * "Unnamed: 3", and the second of two columns "a" is "a.1". A row with more or
 * fewer fields than the header is an error. */

enum { URSA_CSV_TYPES = 32, URSA_CSV_NAMES = 64, URSA_CSV_NA = 16 };

typedef struct ursa_csv_options {
    char delimiter; /* default ',' */
    bool sniff;     /* find out which of , ; tab | the delimiter is */
    bool no_header; /* the first line is data; columns are called "0", "1", … unless `names` says otherwise */
    bool latin1;    /* the file is ISO 8859-1; default: UTF-8, and anything else is an error */
    /* Names of the first columns, instead of those in the file. */
    const char *names[URSA_CSV_NAMES];
    /* Types of some columns, instead of those inferred; a cell that is none is an error. */
    struct {
        const char *column;
        ursa_column_type type;
    } types[URSA_CSV_TYPES];
    /* More texts that mean "missing", beside pandas' own: the empty one, NA, N/A, n/a, #NA, #N/A, <NA>, NaN, nan, -NaN,
     * -nan, NULL, null, None, #N/A N/A, 1.#IND, -1.#IND, 1.#QNAN, -1.#QNAN. */
    const char *na_values[URSA_CSV_NA];
    bool only_na_values; /* `na_values` and the empty text alone mean "missing" */
} ursa_csv_options;

/* Reads a table. Errors name the file, the row (from 1, without the header), the
 * line of the file and the column. NULL after an error. */
URSA_API ursa_frame *ursa_read_csv_opt(const char *path, const ursa_csv_options *options);
#define ursa_read_csv(path, ...) ursa_read_csv_opt(path, &(ursa_csv_options){__VA_ARGS__})

/* The same from memory, which is copied; `name` stands for the path in errors. */
URSA_API ursa_frame *ursa_parse_csv_opt(const char *text, size_t bytes, const char *name,
                                        const ursa_csv_options *options);
#define ursa_parse_csv(text, bytes, name, ...) ursa_parse_csv_opt(text, bytes, name, &(ursa_csv_options){__VA_ARGS__})

/* ---- making one in code ------------------------------------------------------------- */

/* A column to make: a name and one array of as many values as the frame has rows,
 * all copied. A NULL among texts and a NaN among numbers is a missing cell. */
typedef struct ursa_column_values {
    const char *name;
    const char *const *texts;
    const double *numbers;
    const int64_t *integers;
    const bool *bools;
} ursa_column_values;

/*     ursa_frame *df = ursa_frame_new(3, {"image", .texts = names}, {"age", .integers = ages}); */
URSA_API ursa_frame *ursa_frame_of(int64_t rows, const ursa_column_values *columns, int count);
#define ursa_frame_new(rows, ...)                                                                                      \
    ursa_frame_of(rows, (const ursa_column_values[]){__VA_ARGS__},                                                     \
                  (int)(sizeof((const ursa_column_values[]){__VA_ARGS__}) / sizeof(ursa_column_values)))

/* Some rows, by their positions from 0, in the order given; a row may come twice.
 * The new frame stands on its own. */
URSA_API ursa_frame *ursa_frame_select(const ursa_frame *frame, const int64_t *rows, int64_t count);

URSA_API void ursa_frame_free(ursa_frame *frame); /* takes NULL */

/* ---- looking at one ------------------------------------------------------------------ *
 *
 * Rows and columns count from 0. NULL for a frame goes through without an error of
 * its own. */

URSA_API int64_t ursa_frame_rows(const ursa_frame *frame); /* -1 for NULL */
URSA_API int ursa_frame_columns(const ursa_frame *frame);  /* how many; -1 for NULL */

/* Where a column is; -1, with an error that lists the columns there are. */
URSA_API int ursa_frame_column_index(const ursa_frame *frame, const char *name);

/* A column by its name or its position; NULL, with an error, when there is none. */
URSA_API const ursa_column *ursa_frame_column(const ursa_frame *frame, const char *name);
URSA_API const ursa_column *ursa_frame_column_at(const ursa_frame *frame, int column);

/* One cell. `text` is NULL where it is missing (and after an error); `number` NaN,
 * and on a column of text an error; `integer` is exact for all whole numbers of 64
 * bits, and an error where the cell is missing or the column has other numbers. */
URSA_API const char *ursa_frame_text(const ursa_frame *frame, int64_t row, int column);
URSA_API double ursa_frame_number(const ursa_frame *frame, int64_t row, int column);
URSA_API int64_t ursa_frame_integer(const ursa_frame *frame, int64_t row, int column);
URSA_API bool ursa_frame_missing(const ursa_frame *frame, int64_t row, int column);

/* Prints the first `rows` rows (0: 5) as an aligned table to standard output, at
 * most as wide as the terminal: long texts are cut, and columns in the middle are
 * left out, with an ellipsis. */
URSA_API bool ursa_frame_head(const ursa_frame *frame, int64_t rows);

/* The same as a text of lines at most `width` characters wide (0: 100), to free(). */
URSA_API char *ursa_frame_head_text(const ursa_frame *frame, int64_t rows, int width);

/* ---- writing ---------------------------------------------------------------------------- */

typedef struct ursa_write_csv_options {
    char delimiter; /* default ',' */
    bool no_header;
} ursa_write_csv_options;

/* Writes a table; a crash leaves the old file or the new one. Cells are quoted
 * where they must be, missing ones are empty, lines end with LF. */
URSA_API bool ursa_write_csv_opt(const ursa_frame *frame, const char *path, const ursa_write_csv_options *options);
#define ursa_write_csv(frame, path, ...) ursa_write_csv_opt(frame, path, &(ursa_write_csv_options){__VA_ARGS__})

/* The same as a text, to free(). */
URSA_API char *ursa_frame_csv_text_opt(const ursa_frame *frame, const ursa_write_csv_options *options);
#define ursa_frame_csv_text(frame, ...) ursa_frame_csv_text_opt(frame, &(ursa_write_csv_options){__VA_ARGS__})

#ifdef __cplusplus
}
#endif
#endif
