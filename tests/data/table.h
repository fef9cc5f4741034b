/* table.h — a frame, loaders of it and a dataset, for the tests of data blocks. */
#ifndef URSA_TESTS_DATA_TABLE_H
#define URSA_TESTS_DATA_TABLE_H

#include <ursa/ursa.h>

#include <stdlib.h>

enum { ROWS = 12 };

/* Rows with x = 0 … 11, three classes, several labels, one-hot columns, a split
 * and missing cells in "hole". */
static inline ursa_frame *table(void)
{
    static int64_t x[ROWS], a[ROWS], b[ROWS];
    static const char *class[ROWS], *tags[ROWS], *hole[ROWS], *size[ROWS];
    static bool valid[ROWS];
    static double half[ROWS];
    for (int i = 0; i < ROWS; i++) {
        x[i] = i;
        half[i] = i / 2.0;
        class[i] = (const char *[]){"dog", "cat", "eel"}[i % 3];
        tags[i] = (const char *[]){"wet cold", "cold", "wet", NULL}[i % 4];
        size[i] = (const char *[]){"10", "9", "100"}[i % 3];
        hole[i] = i == 7 ? NULL : "here";
        a[i] = i % 2;
        b[i] = i % 3 == 0;
        valid[i] = i >= 8;
    }
    return ursa_frame_new(ROWS, {"x", .integers = x}, {"half", .numbers = half}, {"class", .texts = class},
                          {"tags", .texts = tags}, {"size", .texts = size}, {"hole", .texts = hole},
                          {"a", .integers = a}, {"b", .integers = b}, {"is_valid", .bools = valid});
}

/* Loaders of the table with a target of one kind. */
static inline ursa_dataloaders *of_table(ursa_block target, ursa_getter get_y)
{
    ursa_frame *frame = table();
    ursa_datablock *block = ursa_datablock_new(.blocks = {ursa_regression_block(), target}, .get_x = ursa_column("x"),
                                               .get_y = get_y, .splitter = ursa_column_splitter("is_valid"));
    ursa_dataloaders *loaders = ursa_dataloaders_of_frame(block, frame, NULL, .batch_size = 4);
    ursa_datablock_free(block);
    ursa_frame_free(frame);
    return loaders;
}

/* Arrays: x is the item, of class 0 for one item in ten, else 1. */
static inline ursa_dataset *unbalanced(int64_t count)
{
    float *x = malloc((size_t)count * sizeof *x);
    int64_t *y = malloc((size_t)count * sizeof *y);
    for (int64_t i = 0; i < count; i++) {
        x[i] = (float)i;
        y[i] = i % 10 != 0;
    }
    return ursa_array_dataset(x, y, count, &(ursa_item_layout){.x_dtype = URSA_F32, .y_dtype = URSA_I64});
}

#endif
