/* test_loader.c — datasets, splits, and the order in which loaders hand out items. */
#include "../unit.h"

#include <ursa/ursa.h>

#include <stdlib.h>
#include <string.h>

enum { ITEMS = 23 };

/* Item i is the numbers i and i + 0.5, of class i % 3; every `broken`-th cannot be had. */
struct numbers {
    int64_t count, broken;
};

static int64_t numbers_count(void *self)
{
    return ((const struct numbers *)self)->count;
}

static bool numbers_get(void *self, int64_t index, ursa_rng *rng, void *x, void *y)
{
    (void)rng;
    const struct numbers *numbers = self;
    if (numbers->broken && index % numbers->broken == 0)
        return ursa_fail(URSA_ERROR_FORMAT, "item %lld is broken", (long long)index);
    ((float *)x)[0] = (float)index;
    ((float *)x)[1] = (float)index + 0.5f;
    *(int64_t *)y = index % 3;
    return true;
}

static const ursa_dataset_class numbers_class = {numbers_count, numbers_get, free};

static ursa_dataset *numbers(int64_t broken)
{
    struct numbers *self = malloc(sizeof *self);
    *self = (struct numbers){ITEMS, broken};
    ursa_item_layout layout = {ursa_shape(2), URSA_F32, ursa_shape(), URSA_I64};
    return ursa_dataset_new(&numbers_class, self, &layout);
}

/* The items of an epoch in their order, each checked; returns how many. */
static int64_t collect(ursa_dataloader *loader, int64_t epoch, float items[ITEMS])
{
    int64_t count = 0;
    ursa_batch batch;
    assert_true(ursa_dataloader_start(loader, epoch));
    for (;;) {
        ursa_scope *scope = ursa_scope_begin();
        bool more = ursa_dataloader_next(loader, &batch);
        if (more) {
            float x[ITEMS][2];
            int64_t y[ITEMS];
            assert_true(ursa_read(batch.x, URSA_F32, x, 2 * batch.count));
            assert_true(ursa_read(batch.y, URSA_I64, y, batch.count));
            for (int64_t i = 0; i < batch.count; i++) {
                assert_true(x[i][1] == x[i][0] + 0.5f && y[i] == (int64_t)x[i][0] % 3);
                items[count++] = x[i][0];
            }
        }
        ursa_scope_end(scope);
        if (!more)
            return count;
    }
}

static void test_order(void **state)
{
    (void)state;
    float plain[ITEMS], first[ITEMS], again[ITEMS], second[ITEMS], ahead[ITEMS];
    ursa_dataloader *in_order = ursa_dataloader_new(numbers(0), .batch_size = 4);
    ursa_dataloader *shuffled = ursa_dataloader_new(numbers(0), .batch_size = 4, .shuffle = true, .seed = 9);
    ursa_dataloader *eager =
        ursa_dataloader_new(numbers(0), .batch_size = 4, .shuffle = true, .seed = 9, .prefetch = 7);
    assert_int_equal(ursa_dataloader_batches(in_order), 6);
    assert_int_equal(collect(in_order, 0, plain), ITEMS);
    assert_int_equal(collect(shuffled, 0, first), ITEMS);
    assert_int_equal(collect(shuffled, 1, second), ITEMS);
    assert_int_equal(collect(shuffled, 0, again), ITEMS);
    assert_int_equal(collect(eager, 1, ahead), ITEMS);
    bool seen[ITEMS] = {false};
    for (int i = 0; i < ITEMS; i++) {
        assert_true(plain[i] == (float)i);
        assert_false(seen[(int)first[i]]);
        seen[(int)first[i]] = true;
    }
    assert_memory_equal(first, again, sizeof first);
    assert_memory_equal(second, ahead, sizeof second);
    assert_memory_not_equal(first, second, sizeof first);
    assert_memory_not_equal(first, plain, sizeof first);
    ursa_dataloader_free(in_order);
    ursa_dataloader_free(shuffled);
    ursa_dataloader_free(eager);
}

static void test_drop_last(void **state)
{
    (void)state;
    float items[ITEMS];
    ursa_dataloader *loader = ursa_dataloader_new(numbers(0), .batch_size = 4, .drop_last = true);
    assert_int_equal(ursa_dataloader_batches(loader), 5);
    assert_int_equal(collect(loader, 0, items), 20);
    ursa_dataloader_free(loader);
}

static void test_broken_items(void **state)
{
    (void)state;
    float items[ITEMS];
    ursa_dataloader *loader = ursa_dataloader_new(numbers(5), .batch_size = 4);
    assert_int_equal(collect(loader, 0, items), ITEMS - 5);
    assert_int_equal(ursa_dataloader_skipped(loader), 5);
    assert_null(ursa_error());
    ursa_dataloader_free(loader);
    loader = ursa_dataloader_new(numbers(5), .batch_size = 4, .strict = true);
    assert_int_equal(collect(loader, 0, items), 0);
    assert_string_equal(ursa_error(), "item 0 is broken");
    ursa_clear_error();
    ursa_dataloader_free(loader);
}

/* Items whose fetches are counted. */
static _Atomic int fetches;

static bool counted_get(void *self, int64_t index, ursa_rng *rng, void *x, void *y)
{
    fetches++;
    return numbers_get(self, index, rng, x, y);
}

/* From a batch in the middle on: the same items as without the start, which is not fetched. */
static void test_start_in_the_middle(void **state)
{
    (void)state;
    static const ursa_dataset_class counted_class = {numbers_count, counted_get, free};
    float items[ITEMS];
    struct numbers *self = malloc(sizeof *self);
    *self = (struct numbers){ITEMS, 0};
    ursa_item_layout layout = {ursa_shape(2), URSA_F32, ursa_shape(), URSA_I64};
    ursa_dataloader *loader =
        ursa_dataloader_new(ursa_dataset_new(&counted_class, self, &layout), .batch_size = 5, .shuffle = true);
    assert_int_equal(collect(loader, 3, items), ITEMS);
    fetches = 0;
    assert_true(ursa_dataloader_start_at(loader, 3, 2));
    ursa_batch batch;
    for (int64_t place = 10; ursa_dataloader_next(loader, &batch); place += batch.count)
        for (int64_t i = 0; i < batch.count; i++)
            assert_int_equal(batch.indices[i], (int64_t)items[place + i]);
    assert_int_equal(fetches, ITEMS - 10);
    assert_true(ursa_dataloader_start_at(loader, 3, 5)); /* behind the last */
    assert_false(ursa_dataloader_next(loader, &batch));
    assert_false(ursa_dataloader_start_at(loader, 3, 6));
    assert_string_equal(ursa_error(), "dataloader: batch 6 is outside 0 … 5");
    ursa_clear_error();
    ursa_dataloader_free(loader);
}

static void test_split(void **state)
{
    (void)state;
    ursa_dataset *whole = numbers(0), *train, *valid, *train_again, *valid_again;
    const char *names[] = {"a", "b", "c"}, *const * found;
    assert_true(ursa_dataset_set_classes(whole, names, 3));
    assert_true(ursa_random_split(whole, 0.3, 4, &train, &valid));
    assert_true(ursa_random_split(whole, 0.3, 4, &train_again, &valid_again));
    ursa_dataset_free(whole);
    assert_int_equal(ursa_dataset_count(valid), 6);
    assert_int_equal(ursa_dataset_count(train), 17);
    assert_int_equal(ursa_dataset_classes(valid, &found), 3);
    assert_string_equal(found[2], "c");
    bool seen[ITEMS] = {false};
    for (int part = 0; part < 2; part++) {
        ursa_dataset *set = part ? valid : train, *again = part ? valid_again : train_again;
        for (int64_t i = 0; i < ursa_dataset_count(set); i++) {
            float x[2], x_again[2];
            int64_t y;
            assert_true(ursa_dataset_get(set, i, NULL, x, &y) && ursa_dataset_get(again, i, NULL, x_again, &y));
            assert_true(x[0] == x_again[0]);
            assert_false(seen[(int)x[0]]);
            seen[(int)x[0]] = true;
        }
    }
    float x[2];
    int64_t y;
    assert_false(ursa_dataset_get(valid, 6, NULL, x, &y));
    assert_string_equal(ursa_error(), "dataset: item 6 is outside 0 … 5");
    ursa_clear_error();
    ursa_dataset_free(train);
    ursa_dataset_free(valid);
    ursa_dataset_free(train_again);
    ursa_dataset_free(valid_again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),        cmocka_unit_test(test_drop_last),
        cmocka_unit_test(test_broken_items), cmocka_unit_test(test_start_in_the_middle),
        cmocka_unit_test(test_split),
    };
    return run_unit_tests("data", tests);
}
