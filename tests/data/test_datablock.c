/* test_datablock.c — data blocks and the loaders made of them: blocks, samplers, what is random, summaries. */
#include "../unit.h"
#include "../loaders.h"
#include "table.h"

#include <math.h>

/* The target of row `row` of the training items, f32. */
static void target_of(ursa_dataloaders *loaders, int64_t row, float *y)
{
    float x;
    assert_true(ursa_dataset_get(ursa_dataloader_dataset(loaders->train), row, NULL, &x, y));
    assert_true(x == (float)row);
}

/* ---- blocks ---------------------------------------------------------------------------------- */

static void test_category(void **state)
{
    (void)state;
    ursa_dataloaders *loaders = of_table(ursa_category_block(), ursa_column("class"));
    assert_string_equal(vocab_of(loaders), "cat dog eel");
    assert_int_equal(ursa_dataloaders_outputs(loaders), 3);
    ursa_dataset *train = ursa_dataloader_dataset(loaders->train);
    assert_int_equal(ursa_dataset_layout(train)->y_kind, URSA_KIND_CATEGORY);
    static const int order[] = {1, 0, 2};
    for (int i = 0; i < 6; i++)
        assert_int_equal(ursa_dataset_label(train, i), order[i % 3]);
    const ursa_block *block = &ursa_datablock_options_of(loaders->block)->blocks[1];
    char *text = ursa_block_text(block, &(int64_t){2}, ursa_shape());
    assert_string_equal(text, "eel");
    free(text);
    ursa_dataloaders_free(loaders);

    loaders = of_table(ursa_category_block(), ursa_column("size"));
    assert_string_equal(vocab_of(loaders), "9 10 100");
    ursa_dataloaders_free(loaders);
    loaders = of_table(ursa_category_block(.vocab = ursa_names("eel", "dog", "cat", "newt")), ursa_column("class"));
    assert_string_equal(vocab_of(loaders), "eel dog cat newt");
    ursa_dataloaders_free(loaders);
    assert_fails(of_table(ursa_category_block(.vocab = ursa_names("dog", "cat")), ursa_column("class")),
                 "row 3: category block: the label \"eel\" is not in the vocabulary (\"dog\", \"cat\")");
    assert_fails(of_table(ursa_category_block(), ursa_column("tags", .delim = " ")),
                 "row 1: category block: an item has 2 labels");
    assert_fails(of_table(ursa_category_block(), ursa_column("hole")), "row 8: column \"hole\": the cell is missing");
}

static void test_multi_category(void **state)
{
    (void)state;
    float y[3] = {-1, -1, -1};
    ursa_dataloaders *loaders = of_table(ursa_multi_category_block(), ursa_column("tags", .delim = " "));
    assert_string_equal(vocab_of(loaders), "cold wet");
    assert_int_equal(ursa_dataloaders_outputs(loaders), 2);
    target_of(loaders, 0, y);
    assert_true(y[0] == 1 && y[1] == 1);
    target_of(loaders, 2, y);
    assert_true(y[0] == 0 && y[1] == 1);
    target_of(loaders, 3, y);
    assert_true(y[0] == 0 && y[1] == 0 && y[2] == -1);
    const ursa_block *block = &ursa_datablock_options_of(loaders->block)->blocks[1];
    char *text = ursa_block_text(block, (float[]){1, 1}, ursa_shape(2));
    assert_string_equal(text, "cold;wet");
    free(text);
    ursa_dataloaders_free(loaders);

    loaders = of_table(ursa_multi_category_block(.encoded = true), ursa_columns(ursa_names("a", "b")));
    assert_string_equal(vocab_of(loaders), "a b");
    target_of(loaders, 3, y);
    assert_true(y[0] == 1 && y[1] == 1);
    target_of(loaders, 4, y);
    assert_true(y[0] == 0 && y[1] == 0);
    ursa_dataloaders_free(loaders);
    assert_fails(of_table(ursa_multi_category_block(.encoded = true), ursa_columns(ursa_names("a", "x"))),
                 "row 3: multi_category block: \"2\" is neither 0 nor 1");
    assert_fails(of_table(ursa_multi_category_block(.encoded = true, .vocab = ursa_names("a")),
                          ursa_columns(ursa_names("a", "b"))),
                 "2 encoded labels; expected one for each of the 1 classes");
}

static void test_numbers(void **state)
{
    (void)state;
    float y[4];
    ursa_dataloaders *loaders = of_table(ursa_regression_block(), ursa_column("half"));
    const ursa_item_layout *layout = ursa_dataloaders_layout(loaders);
    assert_int_equal(layout->y_shape.ndim, 0);
    assert_int_equal(layout->y_kind, URSA_KIND_REGRESSION);
    assert_int_equal(ursa_dataloaders_outputs(loaders), 1);
    target_of(loaders, 3, y);
    assert_true(y[0] == 1.5f);
    ursa_dataloaders_free(loaders);

    loaders = of_table(ursa_regression_block(), ursa_columns(ursa_names("half", "x", "a")));
    assert_int_equal(ursa_dataloaders_outputs(loaders), 3);
    target_of(loaders, 5, y);
    assert_true(y[0] == 2.5f && y[1] == 5 && y[2] == 1);
    ursa_dataloaders_free(loaders);

    loaders = of_table(ursa_point_block(), ursa_columns(ursa_names("half", "x", "a", "b")));
    layout = ursa_dataloaders_layout(loaders);
    assert_int_equal(layout->y_kind, URSA_KIND_POINTS);
    assert_true(layout->y_shape.ndim == 2 && layout->y_shape.dim[0] == 2 && layout->y_shape.dim[1] == 2);
    assert_int_equal(ursa_dataloaders_outputs(loaders), 4);
    const ursa_block *block = &ursa_datablock_options_of(loaders->block)->blocks[1];
    char *text = ursa_block_text(block, (float[]){0.5f, 1, 2, 3}, ursa_shape(2, 2));
    assert_string_equal(text, "(0.5, 1) (2, 3)");
    free(text);
    ursa_dataloaders_free(loaders);
    assert_fails(of_table(ursa_point_block(), ursa_column("x")), "the first item has 1 numbers");
    assert_fails(of_table(ursa_regression_block(), ursa_column("class")),
                 "row 1: regression block: \"dog\" is no number");
    assert_fails(of_table(ursa_regression_block(.count = 2), ursa_column("x")), "an item has 1 numbers; expected 2");
}

static void test_missing_parts(void **state)
{
    (void)state;
    ursa_frame *frame = table();
    assert_fails(ursa_datablock_new(.get_y = ursa_parent_label), "it has no blocks");
    ursa_datablock *block = ursa_datablock_new(.blocks = {ursa_regression_block(), ursa_category_block()});
    assert_fails(ursa_dataloaders_new(block, "/tmp"), "get_items is needed");
    ursa_datablock *with_y = ursa_datablock_with(block, .get_y = ursa_column("class"));
    assert_fails(ursa_dataloaders_of_frame(with_y, frame, NULL), "get_x is needed");
    ursa_datablock_free(with_y);
    ursa_datablock *with_x = ursa_datablock_with(block, .get_x = ursa_column("x"));
    assert_fails(ursa_dataloaders_of_frame(with_x, frame, NULL), "get_y is needed");
    assert_null(ursa_dataloaders_of_frame(NULL, frame, NULL));
    assert_null(ursa_datablock_with(NULL, .get_x = ursa_column("x")));
    assert_null(ursa_error());
    ursa_datablock_free(block);
    ursa_datablock_free(with_x);
    ursa_frame_free(frame);
}

/* ---- with, lifetime ----------------------------------------------------------------------------- */

static bool do_nothing(const ursa_transform *transform, ursa_value *x, ursa_value *y, bool training, ursa_rng *rng)
{
    (void)transform, (void)x, (void)y, (void)training, (void)rng;
    return true;
}

static const ursa_transform_class nothing_class = {.name = "nothing", .item = do_nothing};
static const ursa_transform nothing = {.class = &nothing_class};

static void test_with(void **state)
{
    (void)state;
    char pattern[] = "(x)", name[] = "cat";
    const char *vocab[] = {name, NULL};
    ursa_datablock *block = ursa_datablock_new(.blocks = {ursa_regression_block(), ursa_category_block(.vocab = vocab)},
                                               .get_y = ursa_regex_label(pattern), .item_tfms = {nothing, nothing});
    pattern[1] = name[0] = 'y';
    ursa_datablock *changed = ursa_datablock_with(block, .splitter = ursa_index_splitter(((int64_t[]){5, 6}), 2),
                                                  .item_tfms = nothing, .batch_tfms = {nothing});
    const ursa_datablock_options *old = ursa_datablock_options_of(block), *new = ursa_datablock_options_of(changed);
    assert_string_equal(old->get_y.pattern, "(x)");
    assert_string_equal(new->get_y.pattern, "(x)");
    assert_string_equal(new->blocks[1].vocab[0], "cat");
    assert_ptr_not_equal(old->get_y.pattern, new->get_y.pattern);
    assert_null(old->splitter.split);
    assert_int_equal(new->splitter.indices[1], 6);
    assert_non_null(old->item_tfms[1].class);
    assert_null(new->item_tfms[1].class);
    assert_ptr_equal(new->batch_tfms[0].class, &nothing_class);
    ursa_datablock_free(block);
    assert_string_equal(new->get_y.pattern, "(x)");
    /* `changed` is left to ursa_finish(). */
}

/* ---- samplers -------------------------------------------------------------------------------------- */

/* How often each item comes in some epochs. */
static void count_items(ursa_dataloader *loader, int epochs, int *counts)
{
    for (int epoch = 0; epoch < epochs; epoch++) {
        ursa_batch batch;
        assert_true(ursa_dataloader_start(loader, epoch));
        for (;;) {
            ursa_scope *scope = ursa_scope_begin();
            bool more = ursa_dataloader_next(loader, &batch);
            for (int64_t i = 0; more && i < batch.count; i++)
                counts[batch.indices[i]]++;
            ursa_scope_end(scope);
            if (!more)
                break;
        }
    }
    assert_null(ursa_error());
}

static void test_weights(void **state)
{
    (void)state;
    double weights[40];
    int counts[40] = {0};
    for (int i = 0; i < 40; i++)
        weights[i] = i % 4;
    ursa_dataloader *loader = ursa_dataloader_new(unbalanced(40), .batch_size = 7, .weights = weights, .seed = 3);
    count_items(loader, 1000, counts);
    ursa_dataloader_free(loader);
    for (int i = 0; i < 40; i++) {
        /* 40,000 draws, each with probability p = w / 60: five deviations of the binomial. */
        double p = i % 4 / 60.0, expected = 40000 * p, deviation = sqrt(40000 * p * (1 - p));
        assert_true(fabs(counts[i] - expected) <= 5 * deviation);
    }
    weights[3] = -1;
    assert_fails(ursa_dataloader_new(unbalanced(40), .weights = weights), "weights[3] is -1");
    memset(weights, 0, sizeof weights);
    assert_fails(ursa_dataloader_new(unbalanced(40), .weights = weights), "all weights are 0");
    assert_fails(ursa_dataloader_new(unbalanced(40), .weights = weights, .shuffle = true), "one can be asked for");
}

static void test_balance(void **state)
{
    (void)state;
    int counts[40] = {0}, rare = 0, common = 0;
    ursa_dataloader *loader = ursa_dataloader_new(unbalanced(40), .batch_size = 8, .balance = true, .seed = 3);
    assert_int_equal(ursa_dataloader_batches(loader), 9);
    assert_int_equal(ursa_dataloader_items(loader), 40);
    count_items(loader, 1, counts);
    ursa_dataloader_free(loader);
    for (int i = 0; i < 40; i++) {
        *(i % 10 ? &common : &rare) += counts[i];
        assert_true(i % 10 ? counts[i] == 1 : counts[i] == 9);
    }
    assert_true(rare == 36 && common == 36);
    ursa_dataloaders *loaders = of_table(ursa_regression_block(), ursa_column("x"));
    ursa_dataset *whole = ursa_subset(ursa_dataloader_dataset(loaders->train), (int64_t[]){1}, 1);
    assert_fails(ursa_dataloader_new(whole, .balance = true), "item 0 has none");
    ursa_dataloaders_free(loaders);
}

/* ---- what is random depends on seed, epoch and item alone ------------------------------------------------ */

static bool jitter_item(const ursa_transform *transform, ursa_value *x, ursa_value *y, bool training, ursa_rng *rng)
{
    (void)transform, (void)y;
    *(float *)x->data += training ? (float)ursa_rng_uniform(rng) : 0.5f;
    return true;
}

static bool jitter_batch(const ursa_transform *transform, ursa_transform_batch *batch)
{
    (void)transform;
    float added[64];
    assert_true(batch->count <= 64);
    for (int64_t i = 0; i < batch->count; i++)
        added[i] = 100 * (float)ursa_rng_uniform(&batch->rngs[i]);
    batch->x = ursa_add(batch->x, ursa_from(added, ursa_shape(batch->count)));
    return batch->x != NULL;
}

static const ursa_transform_class jitter_item_class = {.name = "jitter_item", .item = jitter_item};
static const ursa_transform_class jitter_batch_class = {
    .name = "jitter_batch", .batch = jitter_batch, .training_only = true};

/* x of each training item in an epoch, by its index. */
static void collect(ursa_dataloader *loader, int64_t epoch, float *out)
{
    ursa_batch batch;
    assert_true(ursa_dataloader_start(loader, epoch));
    for (;;) {
        ursa_scope *scope = ursa_scope_begin();
        bool more = ursa_dataloader_next(loader, &batch);
        float x[64];
        if (more)
            assert_true(ursa_read(batch.x, URSA_F32, x, batch.count));
        for (int64_t i = 0; more && i < batch.count; i++)
            out[batch.indices[i]] = x[i];
        ursa_scope_end(scope);
        if (!more)
            break;
    }
    assert_null(ursa_error());
}

static ursa_dataloaders *jittered(int batch_size, int prefetch)
{
    ursa_frame *frame = table();
    ursa_datablock *block =
        ursa_datablock_new(.blocks = {ursa_regression_block(), ursa_category_block()}, .get_x = ursa_column("x"),
                           .get_y = ursa_column("class"), .splitter = ursa_column_splitter("is_valid"),
                           .item_tfms = {{.class = &jitter_item_class}},
                           .batch_tfms = {{.class = &jitter_batch_class}});
    ursa_dataloaders *loaders = ursa_dataloaders_of_frame(block, frame, NULL, .batch_size = batch_size, .seed = 5,
                                                          .prefetch = prefetch, .keep_last = true);
    ursa_datablock_free(block);
    ursa_frame_free(frame);
    return loaders;
}

static void test_draws(void **state)
{
    (void)state;
    float first[8], other[8], next[8], fraction[8];
    ursa_dataloaders *loaders = jittered(3, 2);
    collect(loaders->train, 0, first);
    collect(loaders->train, 1, next);
    ursa_dataloaders_free(loaders);
    for (int i = 0; i < 8; i++)
        assert_true(first[i] >= (float)i && first[i] < (float)i + 101 && first[i] != next[i]);
    for (int threads = 1; threads <= 2; threads++)
        for (int batch = 1; batch <= 8; batch += 7)
            for (int prefetch = 1; prefetch <= 5; prefetch += 4) {
                ursa_set_threads(threads);
                loaders = jittered(batch, prefetch);
                collect(loaders->train, 0, other);
                ursa_dataloaders_free(loaders);
                assert_memory_equal(first, other, sizeof first);
            }
    ursa_set_threads(0);
    /* Draws of the item and of the batch are not the same numbers. */
    for (int i = 0; i < 8; i++)
        fraction[i] = (first[i] - (float)i) / 101;
    for (int i = 1; i < 8; i++)
        assert_true(fabsf(fraction[i] - fraction[0]) > 1e-6f);
}

static void test_training_or_not(void **state)
{
    (void)state;
    float plain[8], random[8];
    ursa_dataloaders *loaders = jittered(3, 2);
    collect(loaders->valid, 0, plain);
    for (int i = 0; i < 4; i++)
        assert_true(plain[i] == (float)(i + 8) + 0.5f);
    ursa_dataloader *augmented = ursa_dataloader_in_order(loaders->valid, true);
    ursa_dataloader *still = ursa_dataloader_in_order(loaders->train, false);
    collect(augmented, 0, random);
    for (int i = 0; i < 4; i++)
        assert_true(random[i] > (float)(i + 8) && random[i] != plain[i]);
    collect(still, 0, plain);
    for (int i = 0; i < 8; i++)
        assert_true(plain[i] == (float)i + 0.5f);
    ursa_dataloader_free(augmented);
    ursa_dataloader_free(still);
    ursa_dataloaders_free(loaders);
}

/* An item drawn twice in an epoch is not augmented alike. */
static void test_repeated_items(void **state)
{
    (void)state;
    double weights[ROWS] = {0};
    weights[2] = 1;
    ursa_frame *frame = table();
    ursa_datablock *block =
        ursa_datablock_new(.blocks = {ursa_regression_block()}, .get_x = ursa_column("x"),
                           .splitter = ursa_column_splitter("is_valid"), .item_tfms = {{.class = &jitter_item_class}});
    ursa_dataloaders *loaders = ursa_dataloaders_of_frame(block, frame, NULL, .batch_size = 8, .weights = weights);
    ursa_batch batch;
    float x[8];
    assert_true(ursa_dataloader_start(loaders->train, 0) && ursa_dataloader_next(loaders->train, &batch));
    assert_null(batch.y);
    assert_true(ursa_read(batch.x, URSA_F32, x, 8));
    for (int i = 0; i < 8; i++) {
        assert_true(x[i] >= 2 && x[i] < 3 && batch.indices[i] == 2);
        for (int j = 0; j < i; j++)
            assert_true(x[i] != x[j]);
    }
    ursa_dataloaders_free(loaders);
    ursa_datablock_free(block);
    ursa_frame_free(frame);
}

/* ---- loaders ------------------------------------------------------------------------------------------------ */

static void test_loaders(void **state)
{
    (void)state;
    int counts[100] = {0};
    ursa_dataloaders *loaders = ursa_dataloaders_from_datasets(unbalanced(50), unbalanced(30), .batch_size = 16);
    assert_int_equal(ursa_dataloader_batches(loaders->train), 3);
    assert_int_equal(ursa_dataloader_batches(loaders->valid), 1);
    assert_int_equal(ursa_dataloader_batch_size(loaders->valid), 32);
    count_items(loaders->valid, 1, counts);
    for (int i = 0; i < 30; i++)
        assert_int_equal(counts[i], 1);
    assert_fails(ursa_dataloaders_outputs(loaders) >= 0, "do not say how many outputs");
    assert_true(
        ursa_dataset_set_classes(ursa_dataloader_dataset(loaders->train), (const char *[]){"rare", "common"}, 2));
    assert_int_equal(ursa_dataloaders_outputs(loaders), 2);
    assert_string_equal(vocab_of(loaders), "rare common");
    assert_fails(ursa_test_loader(loaders, (const char *[]){"a"}, 1), "not made of a data block");
    ursa_dataloaders_free(loaders);

    loaders = ursa_dataloaders_from_datasets(unbalanced(5), NULL, .batch_size = 16, .keep_order = true);
    assert_null(loaders->valid);
    assert_int_equal(ursa_dataloader_batches(loaders->train), 1);
    ursa_dataloaders_free(loaders);
    assert_null(ursa_dataloaders_from_datasets(NULL, NULL));
    assert_fails(ursa_dataloaders_from_datasets(unbalanced(5), NULL, .batch_size = -1), "batch_size is -1");
}

static void test_append(void **state)
{
    (void)state;
    ursa_dataloaders *loaders = jittered(3, 2);
    for (int i = 1; i < URSA_TRANSFORMS; i++)
        assert_true(ursa_dataloaders_append_batch_tfm(loaders, nothing));
    assert_ptr_equal(ursa_dataloader_options_of(loaders->valid)->batch_tfms[1].class, &nothing_class);
    assert_ptr_equal(ursa_datablock_options_of(loaders->block)->batch_tfms[15].class, &nothing_class);
    assert_fails(ursa_dataloaders_append_batch_tfm(loaders, nothing), "a list holds 16 transforms");
    assert_fails(ursa_dataloaders_append_batch_tfm(loaders, (ursa_transform){0}), "has no class");
    ursa_dataloaders_free(loaders);
}

static void test_further_items(void **state)
{
    (void)state;
    float x[ROWS];
    ursa_dataloaders *loaders = jittered(3, 2);
    ursa_frame *frame = table();
    ursa_dataloader *test = ursa_test_loader_of_frame(loaders, frame, NULL);
    assert_int_equal(ursa_dataloader_items(test), ROWS);
    assert_true(ursa_dataset_layout(ursa_dataloader_dataset(test))->unlabelled);
    collect(test, 0, x);
    for (int i = 0; i < ROWS; i++)
        assert_true(x[i] == (float)i + 0.5f);
    ursa_dataloader_free(test);

    ursa_dataloaders *empty = ursa_dataloaders_without_data(loaders->block, .batch_size = 5);
    assert_null(empty->train);
    assert_null(empty->valid);
    assert_string_equal(vocab_of(empty), "cat dog eel");
    assert_int_equal(ursa_dataloaders_outputs(empty), 3);
    ursa_dataloaders_free(loaders);
    test = ursa_test_loader_of_frame(empty, frame, NULL);
    assert_int_equal(ursa_dataloader_batch_size(test), 10);
    collect(test, 0, x);
    assert_true(x[11] == 11.5f);
    ursa_dataloader_free(test);
    ursa_frame_free(frame);
    /* `empty` is left to ursa_finish(). */
}

/* ---- summary ---------------------------------------------------------------------------------------------------- */

static void test_summary(void **state)
{
    (void)state;
    ursa_frame *frame = table();
    ursa_datablock *block = ursa_datablock_new(.blocks = {ursa_regression_block(), ursa_multi_category_block()},
                                               .get_x = ursa_column("half"), .get_y = ursa_column("tags", .delim = " "),
                                               .splitter = ursa_column_splitter("is_valid"), .item_tfms = {nothing},
                                               .batch_tfms = {{.class = &jitter_batch_class}});
    char *text = ursa_datablock_summary_text(block, &(ursa_source){.frame = frame});
    assert_string_equal(text, "Blocks: regression → multi_category\n"
                              "Looking in a frame\n"
                              "Items: 12, found by rows of the frame\n"
                              "Split by column_splitter: 8 for training, 4 for validation\n"
                              "Vocabulary of multi_category: 2: cold, wet\n"
                              "One item: row 1\n"
                              "  get_x (column): \"0\"\n"
                              "  get_y (column): \"wet\", \"cold\"\n"
                              "Blocks make of it:\n"
                              "  x: regression f32 []: 0\n"
                              "  y: set of classes f32 [2]: cold;wet\n"
                              "Transform of items nothing:\n"
                              "  x: regression f32 []: 0\n"
                              "  y: set of classes f32 [2]: cold;wet\n"
                              "Transforms of batches: jitter_batch\n"
                              "A batch of one:\n"
                              "  x: f32 [1]\n"
                              "  y: f32 [1, 2]\n");
    free(text);
    ursa_datablock *wrong = ursa_datablock_with(block, .get_y = ursa_column("hole"));
    text = ursa_datablock_summary_text(wrong, &(ursa_source){.frame = frame});
    assert_non_null(strstr(text, "Looking in a frame\nIt ends here: row 8: column \"hole\": the cell is missing\n"));
    assert_fails(false, "row 8: column \"hole\"");
    free(text);
    ursa_datablock_free(block);
    ursa_datablock_free(wrong);
    ursa_frame_free(frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_category),
        cmocka_unit_test(test_multi_category),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_missing_parts),
        cmocka_unit_test(test_with),
        cmocka_unit_test(test_weights),
        cmocka_unit_test(test_balance),
        cmocka_unit_test(test_draws),
        cmocka_unit_test(test_training_or_not),
        cmocka_unit_test(test_repeated_items),
        cmocka_unit_test(test_loaders),
        cmocka_unit_test(test_append),
        cmocka_unit_test(test_further_items),
        cmocka_unit_test(test_summary),
    };
    return run_unit_tests("datablock", tests);
}
