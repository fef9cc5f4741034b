/* read_csv.c — a table from CSV. */
#include "csv.h"
#include "frame.h"
#include "base/log.h"
#include "base/memory.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A table on its way from text to frame. */
struct reading {
    const char *name; /* of the file */
    const ursa_csv_options *options;
    ursa_csv_cutter cutter;
    char *text;    /* the whole file, cut in place */
    char **cells;  /* [rows][columns] */
    int64_t *line; /* [rows], where each began */
    size_t cell_count, cell_room;
    int64_t rows, row_room;
    char **header; /* [columns]; NULL without one */
    int columns;
};

/* ---- the bytes -------------------------------------------------------------------- */

static bool read_all(FILE *file, const char *path, char **text, size_t *bytes)
{
    size_t room = (size_t)1 << 16;
    *bytes = 0;
    *text = ursa_grow(NULL, room);
    while (*text) {
        *bytes += fread(*text + *bytes, 1, room - *bytes - 1, file);
        if (*bytes < room - 1)
            break;
        room *= 2;
        char *grown = ursa_grow(*text, room);
        if (!grown)
            free(*text);
        *text = grown;
    }
    if (*text && ferror(file)) {
        free(*text);
        *text = NULL;
        return ursa_fail(URSA_ERROR_IO, "%s: cannot be read: %s", path, strerror(errno));
    }
    return *text;
}

static bool read_file(const char *path, char **text, size_t *bytes)
{
    struct stat status;
    FILE *file = fopen(path, "rb");
    if (file && fstat(fileno(file), &status) == 0 && S_ISDIR(status.st_mode)) {
        fclose(file);
        return ursa_fail(URSA_ERROR_IO, "%s: cannot be read: it is a folder; expected a CSV file", path);
    }
    if (!file)
        return ursa_fail(URSA_ERROR_IO, "%s: cannot be read: %s", path, strerror(errno));
    bool read = read_all(file, path, text, bytes);
    fclose(file);
    return read;
}

/* The length of a UTF-8 character of `left` bytes at most, 0 when it is none (RFC 3629). */
static size_t character_length(const unsigned char *c, size_t left)
{
    if (c[0] < 0x80)
        return 1;
    size_t length = c[0] >= 0xf0 ? 4 : c[0] >= 0xe0 ? 3 : 2;
    if (c[0] < 0xc2 || c[0] > 0xf4 || length > left)
        return 0;
    unsigned char low = c[0] == 0xe0 ? 0xa0 : c[0] == 0xf0 ? 0x90 : 0x80;
    unsigned char high = c[0] == 0xed ? 0x9f : c[0] == 0xf4 ? 0x8f : 0xbf;
    if (c[1] < low || c[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if ((c[i] & 0xc0) != 0x80)
            return 0;
    return length;
}

static int64_t line_of(const char *text, size_t offset)
{
    int64_t line = 1;
    for (size_t i = 0; i < offset; i++)
        line += text[i] == '\n' || (text[i] == '\r' && text[i + 1] != '\n');
    return line;
}

static bool check_characters(const char *name, const char *text, size_t bytes, bool latin1)
{
    for (size_t i = 0; i < bytes;) {
        size_t length = latin1 ? 1 : character_length((const unsigned char *)text + i, bytes - i);
        if (!length)
            return ursa_fail(URSA_ERROR_FORMAT,
                             "%s: line %lld: not UTF-8: byte 0x%02x; if the file is Latin-1, say so (latin1)", name,
                             (long long)line_of(text, i), (unsigned char)text[i]);
        if (!text[i])
            return ursa_fail(URSA_ERROR_FORMAT, "%s: line %lld: holds a zero byte; expected text", name,
                             (long long)line_of(text, i));
        i += length;
    }
    return true;
}

/* What people hand in by mistake. */
static bool check_beginning(const char *name, const char *text, size_t bytes)
{
    static const struct {
        const char *begin, *what;
    } others[] = {
        {"\x1f\x8b", "compressed by gzip; unpack it first (gunzip)"},
        {"PK\x03\x04", "a ZIP archive or a spreadsheet; unpack it, or export it as CSV, first"},
        {"\xff\xfe", "text in UTF-16; convert it to UTF-8 first (iconv -f utf-16 -t utf-8)"},
        {"\xfe\xff", "text in UTF-16; convert it to UTF-8 first (iconv -f utf-16 -t utf-8)"},
        {"\x89PNG", "a picture"},
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        size_t length = strlen(others[i].begin);
        if (bytes >= length && memcmp(text, others[i].begin, length) == 0)
            return ursa_fail(URSA_ERROR_FORMAT, "%s: not CSV but %s", name, others[i].what);
    }
    return true;
}

/* UTF-8 from Latin-1, in new memory; frees `text`. */
static char *from_latin1(char *text, size_t *bytes)
{
    char *converted = *bytes < SIZE_MAX / 2 ? ursa_grow(NULL, 2 * *bytes + 1) : NULL, *to = converted;
    for (size_t i = 0; converted && i < *bytes; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x80)
            *to++ = (char)(0xc0 | c >> 6);
        *to++ = (char)(c < 0x80 ? c : 0x80 | (c & 0x3f));
    }
    *bytes = converted ? (size_t)(to - converted) : 0;
    free(text);
    return converted;
}

/* ---- rows --------------------------------------------------------------------------- */

static bool add_cell(struct reading *reading, char *cell)
{
    if (reading->cell_count == reading->cell_room) {
        size_t room = reading->cell_room ? 2 * reading->cell_room : 256;
        char **grown = ursa_grow(reading->cells, room * sizeof *grown);
        if (!grown)
            return false;
        reading->cells = grown;
        reading->cell_room = room;
    }
    reading->cells[reading->cell_count++] = cell;
    return true;
}

static bool add_row(struct reading *reading)
{
    if (reading->rows == reading->row_room) {
        int64_t room = reading->row_room ? 2 * reading->row_room : 64;
        int64_t *grown = ursa_grow(reading->line, (size_t)room * sizeof *grown);
        if (!grown)
            return false;
        reading->line = grown;
        reading->row_room = room;
    }
    reading->line[reading->rows++] = reading->cutter.row_line;
    return true;
}

/* Reads one row into the cells; `fields` 0 at the end of the text. */
static bool read_row(struct reading *reading, int64_t *fields)
{
    char *field;
    ursa_csv_what what;
    *fields = 0;
    ursa_csv_begin_row(&reading->cutter);
    do {
        what = ursa_csv_cut(&reading->cutter, &field);
        if (what == URSA_CSV_NOTHING)
            return true;
        if (what == URSA_CSV_MISTAKEN || !add_cell(reading, field))
            return false;
        ++*fields;
    } while (what == URSA_CSV_FIELD);
    return true;
}

/* The first row says how many columns there are: the header, or data. */
static bool read_first_row(struct reading *reading)
{
    int64_t fields;
    bool header = !reading->options->no_header;
    reading->cutter.row = !header;
    if (!read_row(reading, &fields))
        return false;
    if (fields == 0)
        return ursa_fail(URSA_ERROR_FORMAT, "%s: empty; expected a table", reading->name);
    if (fields > INT_MAX / 2)
        return ursa_fail(URSA_ERROR_FORMAT, "%s: %lld columns are too many", reading->name, (long long)fields);
    reading->columns = (int)fields;
    if (!header)
        return add_row(reading);
    reading->header = reading->cells;
    reading->cells = NULL;
    reading->cell_count = reading->cell_room = 0;
    return true;
}

static bool read_rows(struct reading *reading)
{
    int64_t fields;
    while (true) {
        reading->cutter.row = reading->rows + 1;
        if (!read_row(reading, &fields))
            return false;
        if (fields == 0)
            return true;
        if (fields != reading->columns)
            return ursa_fail(URSA_ERROR_FORMAT, "%s: row %lld (line %lld) has %lld field%s; expected %d, as in the %s",
                             reading->name, (long long)reading->cutter.row, (long long)reading->cutter.row_line,
                             (long long)fields, fields == 1 ? "" : "s", reading->columns,
                             reading->header ? "header" : "first row");
        if (!add_row(reading))
            return false;
    }
}

/* ---- names ----------------------------------------------------------------------------- */

static char *name_of(const struct reading *reading, int column)
{
    if (column < URSA_CSV_NAMES) {
        /* Names are given for the first columns without a gap. */
        for (int c = 0; c <= column && reading->options->names[c]; c++)
            if (c == column)
                return ursa_copy_string(reading->options->names[c]);
    }
    if (!reading->header)
        return ursa_format("%d", column);
    return *reading->header[column] ? ursa_copy_string(reading->header[column]) : ursa_format("Unnamed: %d", column);
}

struct named {
    const char *name;
    int column;
};

static int by_name(const void *a, const void *b)
{
    const struct named *left = a, *right = b;
    int order = strcmp(left->name, right->name);
    return order ? order : (left->column > right->column) - (left->column < right->column);
}

/* The second column called "a" becomes "a.1", the third "a.2". */
static bool tell_apart(ursa_frame *frame)
{
    struct named *sorted = ursa_alloc_array((size_t)frame->column_count, sizeof *sorted);
    bool told = sorted;
    for (int c = 0; told && c < frame->column_count; c++)
        sorted[c] = (struct named){frame->columns[c].name, c};
    if (told && frame->column_count)
        qsort(sorted, (size_t)frame->column_count, sizeof *sorted, by_name);
    int first = 0;
    for (int i = 1; told && i < frame->column_count; i++) {
        if (strcmp(sorted[i].name, sorted[first].name) != 0) {
            first = i;
            continue;
        }
        char *name = ursa_format("%s.%d", sorted[first].name, i - first);
        free((void *)sorted[i].name);
        frame->columns[sorted[i].column].name = name;
        told = name;
    }
    free(sorted);
    return told;
}

static bool name_columns(const struct reading *reading, ursa_frame *frame)
{
    for (int c = 0; c < frame->column_count; c++)
        if (!(frame->columns[c].name = name_of(reading, c)))
            return false;
    return tell_apart(frame);
}

/* ---- missing values and types -------------------------------------------------------------- */

static bool is_missing(const char *cell, const ursa_csv_options *options)
{
    static const char *const usual[] = {"NA",   "N/A",      "n/a",    "#NA",     "#N/A",    "<NA>",
                                        "NaN",  "nan",      "-NaN",   "-nan",    "NULL",    "null",
                                        "None", "#N/A N/A", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN"};
    if (!*cell)
        return true;
    bool may_be = !options->only_na_values && strchr("#-1<Nn", *cell); /* their first letters */
    for (size_t i = 0; may_be && i < sizeof usual / sizeof *usual; i++)
        if (strcmp(cell, usual[i]) == 0)
            return true;
    for (int i = 0; i < URSA_CSV_NA && options->na_values[i]; i++)
        if (strcmp(cell, options->na_values[i]) == 0)
            return true;
    return false;
}

static ursa_column_type type_asked_for(const ursa_csv_options *options, const char *name)
{
    for (int i = 0; i < URSA_CSV_TYPES; i++)
        if (options->types[i].column && strcmp(options->types[i].column, name) == 0)
            return options->types[i].type;
    return URSA_COLUMN_INFER;
}

static bool types_are_of_columns(const ursa_csv_options *options, const ursa_frame *frame)
{
    for (int i = 0; i < URSA_CSV_TYPES; i++)
        if (options->types[i].column && ursa_frame_column_index(frame, options->types[i].column) < 0)
            return false;
    return true;
}

static bool fill_column(const struct reading *reading, ursa_frame *frame, int c)
{
    ursa_column *column = &frame->columns[c];
    const char **cells = (const char **)column->text;
    for (int64_t row = 0; row < reading->rows; row++) {
        const char *cell = reading->cells[(size_t)row * (size_t)reading->columns + (size_t)c];
        cells[row] = is_missing(cell, reading->options) ? NULL : cell;
    }
    column->type = type_asked_for(reading->options, column->name);
    if (column->type == URSA_COLUMN_INFER)
        column->type = ursa_infer_type(cells, reading->rows);
    int64_t wrong = ursa_fill_numbers(column);
    if (wrong >= 0)
        return ursa_fail(URSA_ERROR_FORMAT, "%s: row %lld (line %lld), column \"%s\": \"%.60s\" is no %s",
                         reading->name, (long long)wrong + 1, (long long)reading->line[wrong], column->name,
                         cells[wrong], ursa_column_type_name(column->type));
    return wrong == -1;
}

static ursa_frame *make_frame(struct reading *reading)
{
    ursa_frame *frame = ursa_frame_alloc(reading->rows, reading->columns, reading->text);
    reading->text = NULL; /* the frame's now */
    bool made = frame && name_columns(reading, frame) && types_are_of_columns(reading->options, frame);
    for (int c = 0; made && c < reading->columns; c++)
        made = fill_column(reading, frame, c);
    if (made)
        return frame;
    ursa_frame_free(frame);
    return NULL;
}

/* ---- all of it --------------------------------------------------------------------------------- */

static void hint_at_delimiter(const struct reading *reading)
{
    if (reading->columns == 1 && reading->header && strpbrk(reading->header[0], ",;\t|"))
        ursa_log_line(URSA_LOG_WARN, "%s: one column called \"%s\"; is its delimiter another? (delimiter, sniff)",
                      reading->name, reading->header[0]);
}

static char delimiter_of(const ursa_csv_options *options, const char *text, size_t bytes)
{
    if (options->sniff)
        return ursa_csv_sniff(text, bytes);
    return options->delimiter ? options->delimiter : ',';
}

/* Takes over `text`, which has room for one byte more. */
static ursa_frame *read_text(char *text, size_t bytes, const char *name, const ursa_csv_options *options)
{
    struct reading reading = {.name = name, .options = options};
    ursa_frame *frame = NULL;
    bool good = check_beginning(name, text, bytes) && check_characters(name, text, bytes, options->latin1);
    if (good && options->latin1)
        good = (text = from_latin1(text, &bytes)) != NULL;
    reading.text = text;
    if (good) {
        size_t mark = bytes >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
        text[bytes] = 0;
        reading.cutter = (ursa_csv_cutter){.name = name,
                                           .at = text + mark,
                                           .end = text + bytes,
                                           .delimiter = delimiter_of(options, text + mark, bytes - mark),
                                           .line = 1};
        if (read_first_row(&reading) && read_rows(&reading)) {
            hint_at_delimiter(&reading);
            frame = make_frame(&reading);
        }
    }
    free(reading.header);
    free(reading.cells);
    free(reading.line);
    free(reading.text);
    return frame;
}

static bool check_options(const ursa_csv_options *options)
{
    char c = options->delimiter;
    if (c == '"' || c == '\n' || c == '\r' || (unsigned char)c >= 0x80)
        return ursa_fail(URSA_ERROR_ARGUMENT,
                         "read_csv: the delimiter is character %d; expected one of ASCII that is "
                         "neither a quote nor a line end",
                         (unsigned char)c);
    return true;
}

ursa_frame *ursa_parse_csv_opt(const char *text, size_t bytes, const char *name, const ursa_csv_options *options)
{
    if (!text || !check_options(options))
        return NULL;
    char *copy = ursa_grow(NULL, bytes + 1);
    if (!copy)
        return NULL;
    memcpy(copy, text, bytes);
    return read_text(copy, bytes, name ? name : "CSV", options);
}

ursa_frame *ursa_read_csv_opt(const char *path, const ursa_csv_options *options)
{
    char *text = NULL;
    size_t bytes = 0;
    if (!path || !check_options(options) || !read_file(path, &text, &bytes))
        return NULL;
    return read_text(text, bytes, path, options);
}
