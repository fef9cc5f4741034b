/* frame.c — tables in memory: making, selecting, and asking for cells. */
#include "frame.h"
#include "base/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *ursa_column_type_name(ursa_column_type type)
{
    static const char *const names[] = {"infer", "bool", "int", "float", "text"};
    return type >= URSA_COLUMN_INFER && type <= URSA_COLUMN_TEXT ? names[type] : "unknown";
}

/* ---- making ---------------------------------------------------------------------- */

static void release(void *frame)
{
    ursa_frame_free(frame);
}

ursa_frame *ursa_frame_alloc(int64_t rows, int columns, char *texts)
{
    ursa_frame *frame = texts ? ursa_alloc(sizeof *frame) : NULL;
    if (!frame) {
        free(texts);
        return NULL;
    }
    *frame = (ursa_frame){.column_count = columns, .rows = rows, .texts = texts};
    ursa_own(&frame->owned, frame, release);
    frame->columns = ursa_alloc_array((size_t)columns, sizeof *frame->columns);
    bool made = frame->columns;
    for (int c = 0; made && c < columns; c++) {
        frame->columns[c].count = rows;
        frame->columns[c].text = ursa_alloc_array((size_t)rows, sizeof(char *));
        made = frame->columns[c].text;
    }
    if (made)
        return frame;
    ursa_frame_free(frame);
    return NULL;
}

void ursa_frame_free(ursa_frame *frame)
{
    if (!frame)
        return;
    ursa_disown(&frame->owned);
    for (int c = 0; frame->columns && c < frame->column_count; c++) {
        free((void *)frame->columns[c].name);
        free((void *)frame->columns[c].text);
        free((void *)frame->columns[c].numbers);
    }
    free(frame->columns);
    free(frame->texts);
    free(frame);
}

/* The shortest decimal that reads back as the same number. */
static void number_text(double value, char *text, size_t size)
{
    for (int digits = 15; digits <= 17; digits++) {
        double back;
        snprintf(text, size, "%.*g", digits, value);
        for (char *c = text; *c; c++) /* the decimal separator of the program's language */
            *c = strchr("+-0123456789einfa", *c) ? *c : '.';
        if (ursa_read_number(text, &back) && back == value)
            return;
    }
}

static ursa_column_type type_of(const ursa_column_values *values)
{
    return values->texts      ? URSA_COLUMN_TEXT
           : values->numbers  ? URSA_COLUMN_FLOAT
           : values->integers ? URSA_COLUMN_INT
           : values->bools    ? URSA_COLUMN_BOOL
                              : URSA_COLUMN_INFER;
}

/* The text of a value, NULL where it is missing; numbers are written to `room`. */
static const char *text_of(const ursa_column_values *values, int64_t row, char *room, size_t size)
{
    switch (type_of(values)) {
    case URSA_COLUMN_FLOAT:
        if (isnan(values->numbers[row]))
            return NULL;
        number_text(values->numbers[row], room, size);
        return room;
    case URSA_COLUMN_INT:
        snprintf(room, size, "%lld", (long long)values->integers[row]);
        return room;
    case URSA_COLUMN_BOOL:
        return values->bools[row] ? "True" : "False";
    default:
        return values->texts[row];
    }
}

static bool check_values(int64_t rows, const ursa_column_values *columns, int count)
{
    if (rows < 0 || count < 0)
        return ursa_fail(URSA_ERROR_ARGUMENT, "frame: %lld rows and %d columns; expected 0 or more", (long long)rows,
                         count);
    for (int c = 0; c < count; c++) {
        int arrays = !!columns[c].texts + !!columns[c].numbers + !!columns[c].integers + !!columns[c].bools;
        if (!columns[c].name || arrays != 1)
            return ursa_fail(URSA_ERROR_ARGUMENT,
                             "frame: column %d (\"%s\") has %d arrays of values; expected a name and one of texts, "
                             "numbers, integers, bools",
                             c, columns[c].name ? columns[c].name : "", arrays);
    }
    return true;
}

static size_t bytes_of_texts(int64_t rows, const ursa_column_values *columns, int count)
{
    size_t bytes = 0;
    char room[64];
    for (int c = 0; c < count; c++) {
        for (int64_t row = 0; row < rows; row++) {
            const char *text = text_of(&columns[c], row, room, sizeof room);
            bytes += text ? strlen(text) + 1 : 0;
        }
    }
    return bytes;
}

static bool fill_column(ursa_column *column, const ursa_column_values *values, char **end)
{
    char room[64];
    const char **cells = (const char **)column->text;
    for (int64_t row = 0; row < column->count; row++) {
        const char *text = text_of(values, row, room, sizeof room);
        if (!text)
            continue;
        cells[row] = *end;
        *end = stpcpy(*end, text) + 1;
    }
    column->name = ursa_copy_string(values->name);
    column->type = type_of(values);
    return column->name && ursa_fill_numbers(column) == -1;
}

ursa_frame *ursa_frame_of(int64_t rows, const ursa_column_values *columns, int count)
{
    if (!columns || !check_values(rows, columns, count))
        return NULL;
    char *end = ursa_alloc(bytes_of_texts(rows, columns, count));
    ursa_frame *frame = ursa_frame_alloc(rows, count, end);
    bool filled = frame;
    for (int c = 0; filled && c < count; c++)
        filled = fill_column(&frame->columns[c], &columns[c], &end);
    if (filled)
        return frame;
    ursa_frame_free(frame);
    return NULL;
}

/* ---- selecting ----------------------------------------------------------------------- */

static bool rows_are_there(const ursa_frame *frame, const int64_t *rows, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        if (rows[i] < 0 || rows[i] >= frame->rows)
            return ursa_fail(URSA_ERROR_ARGUMENT, "frame_select: row %lld at position %lld; the frame has %lld rows",
                             (long long)rows[i], (long long)i, (long long)frame->rows);
    return true;
}

static size_t bytes_of_rows(const ursa_frame *frame, const int64_t *rows, int64_t count)
{
    size_t bytes = 0;
    for (int c = 0; c < frame->column_count; c++) {
        const char *const *text = frame->columns[c].text;
        for (int64_t i = 0; i < count; i++)
            bytes += text[rows[i]] ? strlen(text[rows[i]]) + 1 : 0;
    }
    return bytes;
}

static bool select_column(const ursa_column *from, const int64_t *rows, ursa_column *to, char **end)
{
    const char **cells = (const char **)to->text;
    for (int64_t i = 0; i < to->count; i++) {
        if (!from->text[rows[i]])
            continue;
        cells[i] = *end;
        *end = stpcpy(*end, from->text[rows[i]]) + 1;
    }
    to->name = ursa_copy_string(from->name);
    to->type = from->type;
    return to->name && ursa_fill_numbers(to) == -1;
}

ursa_frame *ursa_frame_select(const ursa_frame *frame, const int64_t *rows, int64_t count)
{
    if (!frame || !rows_are_there(frame, rows, count))
        return NULL;
    char *end = ursa_alloc(bytes_of_rows(frame, rows, count));
    ursa_frame *selected = ursa_frame_alloc(count, frame->column_count, end);
    bool filled = selected;
    for (int c = 0; filled && c < frame->column_count; c++)
        filled = select_column(&frame->columns[c], rows, &selected->columns[c], &end);
    if (filled)
        return selected;
    ursa_frame_free(selected);
    return NULL;
}

/* ---- asking ---------------------------------------------------------------------------- */

int64_t ursa_frame_rows(const ursa_frame *frame)
{
    return frame ? frame->rows : -1;
}

int ursa_frame_columns(const ursa_frame *frame)
{
    return frame ? frame->column_count : -1;
}

static int find_column(const ursa_frame *frame, const char *name)
{
    for (int c = 0; c < frame->column_count; c++)
        if (strcmp(frame->columns[c].name, name) == 0)
            return c;
    return -1;
}

/* "a, b, c", cut short after some; to free(). */
static char *list_columns(const ursa_frame *frame)
{
    enum { MOST = 20 };
    char *list = ursa_copy_string("");
    for (int c = 0; list && c < frame->column_count && c < MOST; c++) {
        char *longer = ursa_format("%s%s%s", list, c ? ", " : "", frame->columns[c].name);
        free(list);
        list = longer;
    }
    if (list && frame->column_count > MOST) {
        char *longer = ursa_format("%s, … (%d in all)", list, frame->column_count);
        free(list);
        list = longer;
    }
    return list;
}

int ursa_frame_column_index(const ursa_frame *frame, const char *name)
{
    if (!frame || !name)
        return -1;
    int found = find_column(frame, name);
    if (found < 0) {
        char *list = list_columns(frame);
        if (list)
            ursa_fail(URSA_ERROR_ARGUMENT, "the table has no column \"%s\"; it has: %s", name, list);
        free(list);
    }
    return found;
}

const ursa_column *ursa_frame_column_at(const ursa_frame *frame, int column)
{
    if (!frame)
        return NULL;
    if (column >= 0 && column < frame->column_count)
        return &frame->columns[column];
    ursa_fail(URSA_ERROR_ARGUMENT, "the table has no column %d; it has %d, counted from 0", column,
              frame->column_count);
    return NULL;
}

const ursa_column *ursa_frame_column(const ursa_frame *frame, const char *name)
{
    int found = ursa_frame_column_index(frame, name);
    return found < 0 ? NULL : &frame->columns[found];
}

/* The column of a cell that is there. */
static const ursa_column *column_of_cell(const ursa_frame *frame, int64_t row, int column)
{
    const ursa_column *found = ursa_frame_column_at(frame, column);
    if (!found || (row >= 0 && row < frame->rows))
        return found;
    ursa_fail(URSA_ERROR_ARGUMENT, "the table has no row %lld; it has %lld, counted from 0", (long long)row,
              (long long)frame->rows);
    return NULL;
}

const char *ursa_frame_text(const ursa_frame *frame, int64_t row, int column)
{
    const ursa_column *found = column_of_cell(frame, row, column);
    return found ? found->text[row] : NULL;
}

double ursa_frame_number(const ursa_frame *frame, int64_t row, int column)
{
    const ursa_column *found = column_of_cell(frame, row, column);
    if (found && !found->numbers)
        ursa_fail(URSA_ERROR_TYPE, "column \"%s\" of the table is text; row %lld is \"%s\", expected a number",
                  found->name, (long long)row, found->text[row] ? found->text[row] : "");
    return found && found->numbers ? found->numbers[row] : (double)NAN;
}

int64_t ursa_frame_integer(const ursa_frame *frame, int64_t row, int column)
{
    const ursa_column *found = column_of_cell(frame, row, column);
    const char *text = found ? found->text[row] : NULL;
    int64_t value = 0;
    bool truth = false;
    if (!found || (text && ursa_read_integer(text, &value)))
        return value;
    if (text && ursa_read_bool(text, &truth))
        return truth;
    ursa_fail(URSA_ERROR_TYPE, "column \"%s\" of the table: row %lld is %s%s, expected a whole number", found->name,
              (long long)row, text ? "" : "missing", text ? text : "");
    return 0;
}

bool ursa_frame_missing(const ursa_frame *frame, int64_t row, int column)
{
    const ursa_column *found = column_of_cell(frame, row, column);
    return !found || !found->text[row];
}
